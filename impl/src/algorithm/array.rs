//! An array: elements one by one without the lock, slices inside it.
//!
//! | element | kept as |
//! |---|---|
//! | up to 1, 2, 4 or 8 bytes | one word of 1, 2, 4 or 8 bytes |
//! | larger | words of 8 bytes |
//!
//! Invariants:
//! 1. An element of one word is never torn, by nobody: it is only ever read, written and modified whole.
//! 2. Slices, and elements of several words, are copied in and out by a holder of the lock alone. So whoever copies out
//!    finds every slice that was copied in whole, or not at all.
//! 3. Operations on one element of one word take no lock. Beside somebody who copies a slice they come before or after
//!    the copy of that very element, and nobody can say the same of two elements.
//! 4. A holder that dies in the middle of a copy leaves the first elements new and the rest old, and its name in the lock:
//!    an internal operation that finds a death untold copies nothing, until an explicit locker has been told.
//!
//! A `RawArray` is the same without the lock: invariant 1 is all it has.

use crate::platform::{Access, Int, Ordering, Platform, Site};

const GET: Site = Site::new(
    "array.get",
    Access::Load,
    Ordering::Acquire,
    "pairs with array.set: what was done before the element was set is seen by whoever reads it",
);
const SET: Site = Site::new(
    "array.set",
    Access::Store,
    Ordering::Release,
    "pairs with array.get and array.modify: hands over what was done before",
);
const MODIFY: Site = Site::new(
    "array.modify",
    Access::Modify,
    Ordering::AcqRel,
    "pairs with itself, array.get and array.set: who modifies sees what was done before what it builds on",
);
const GUESS: Site =
    Site::new("array.guess", Access::Load, Ordering::Relaxed, "only a guess, which array.modify confirms or corrects");
const COPY_OUT: Site = Site::guarded(
    "array.copy_out",
    Access::Load,
    "inside the lock, which orders it after the last copy; without a lock nothing is promised",
);
const COPY_IN: Site = Site::guarded(
    "array.copy_in",
    Access::Store,
    "inside the lock, which hands it over; without a lock nothing is promised",
);

/// The sites of this file.
pub static SITES: &[&Site] = &[&GET, &SET, &MODIFY, &GUESS, &COPY_OUT, &COPY_IN];

/// Bytes of the largest word.
const WIDEST: usize = 8;

/// Bytes of the words that hold elements of `bytes` bytes.
pub const fn width_for(bytes: usize) -> usize {
    match bytes {
        0..=1 => 1,
        2 => 2,
        3..=4 => 4,
        _ => WIDEST,
    }
}

/// Bytes from one element of `bytes` bytes to the next.
pub const fn stride_for(bytes: usize) -> usize {
    bytes.next_multiple_of(width_for(bytes))
}

/// Whether an element of `bytes` bytes is one word: read, written and modified in one step.
pub const fn is_one_word(bytes: usize) -> bool {
    bytes <= WIDEST
}

/// The shared words of an array of elements of `bytes` bytes. A platform-free view; the words live elsewhere, and are
/// [`width_for`] the elements wide.
pub struct Elements<'a, P: Platform, V: Int> {
    /// The words.
    pub words: &'a [P::Word<V>],
    /// Bytes of an element.
    pub bytes: usize,
}

impl<P: Platform, V: Int> Elements<'_, P, V> {
    fn words_per_element(&self) -> usize {
        self.bytes.div_ceil(size_of::<V>())
    }

    /// Reads an element of one word. `None`: there is none at `index`.
    #[inline(always)]
    pub fn get(&self, platform: &P, index: usize, bytes: &mut [u8]) -> Option<()> {
        platform.load(self.words.get(index)?, &GET).to_bytes(bytes);
        Some(())
    }

    /// Writes an element of one word. `None`: there is none at `index`, and nothing was written.
    #[inline(always)]
    pub fn set(&self, platform: &P, index: usize, bytes: &[u8]) -> Option<()> {
        platform.store(self.words.get(index)?, V::from_bytes(bytes), &SET);
        Some(())
    }

    /// Replaces an element of one word by `next` of it, in one step; answers what it replaced. `None` from `next` leaves
    /// it, and what was found is the error. `None`: there is none at `index`.
    #[inline]
    pub fn modify(&self, platform: &P, index: usize, mut next: impl FnMut(V) -> Option<V>) -> Option<Result<V, V>> {
        let word = self.words.get(index)?;
        let mut found = platform.load(word, &GUESS);
        Some(loop {
            platform.loop_head(&[found.to_u64()]);
            let Some(new) = next(found) else { break Err(found) };
            match platform.compare_exchange(word, found, new, &MODIFY) {
                Ok(old) => break Ok(old),
                Err(now) => found = now,
            }
        })
    }

    /// Copies elements out, as many as `bytes` has room for, from the `start`-th on. Inside the lock.
    #[inline]
    pub fn copy_out(&self, platform: &P, start: usize, bytes: &mut [u8]) {
        let per = self.words_per_element();
        let words = self.words.get(start * per..).unwrap_or_default();
        if self.is_dense() {
            platform.copy_out(words, bytes, &COPY_OUT);
            return;
        }
        for (words, bytes) in words.chunks_exact(per).zip(bytes.chunks_exact_mut(self.bytes)) {
            platform.copy_out(words, bytes, &COPY_OUT);
        }
    }

    /// Copies elements in, all of `bytes`, from the `start`-th on. Inside the lock.
    #[inline]
    pub fn copy_in(&self, platform: &P, start: usize, bytes: &[u8]) {
        let per = self.words_per_element();
        let words = self.words.get(start * per..).unwrap_or_default();
        if self.is_dense() {
            platform.copy_in(words, bytes, &COPY_IN);
            return;
        }
        for (words, bytes) in words.chunks_exact(per).zip(bytes.chunks_exact(self.bytes)) {
            platform.copy_in(words, bytes, &COPY_IN);
        }
    }

    /// Whether element follows element without a gap.
    #[inline(always)]
    fn is_dense(&self) -> bool {
        self.bytes.is_multiple_of(size_of::<V>())
    }
}
