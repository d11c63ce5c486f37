//! A value under a lock, that readers read without it.
//!
//! A value of up to 8 bytes is one word: a store replaces it whole. A larger one is kept twice, with a version:
//!
//! | version | current copy | idle copy |
//! |---|---|---|
//! | even | first | second |
//! | odd | second | first |
//!
//! A writer, inside the lock, fills the idle copy and then adds one to the version with one store. A reader notes the
//! version, copies the current copy out, and keeps it if the version is still the same.
//!
//! Invariants:
//! 1. Only a holder of the lock writes words or version.
//! 2. While the version is `v`, nobody writes the current copy of `v`: a writer's words go to the idle copy.
//! 3. So a writer that dies leaves the old value or the new one, and nothing to repair: the idle copy may hold anything.
//! 4. A reader that saw a word of a later writer also sees a later version: the writer's release fence stands between the
//!    version it started from and its words, the reader's acquire fence between its words and the second look.

use crate::platform::{Access, Int, Ordering, Platform, Site};

const READ: Site = Site::new(
    "value.read",
    Access::Load,
    Ordering::Acquire,
    "pairs with value.write: what was done before the value was set is seen by whoever reads it",
);
const WRITE: Site = Site::new("value.write", Access::Store, Ordering::Release, "pairs with value.read");
const HELD: Site = Site::guarded("value.held", Access::Load, "inside the lock, which orders it after the last write");
const VERSION: Site = Site::new(
    "value.version",
    Access::Load,
    Ordering::Acquire,
    "pairs with value.publish: the words of the current copy are seen",
);
const WORD: Site = Site::new(
    "value.word",
    Access::Load,
    Ordering::Relaxed,
    "may be torn; value.unchanged decides whether it counts, and value.read_fence orders the two",
);
const READ_FENCE: Site = Site::new(
    "value.read_fence",
    Access::Fence,
    Ordering::Acquire,
    "pairs with value.write_fence: a word from a later writer brings that writer's starting version along",
);
const UNCHANGED: Site =
    Site::new("value.unchanged", Access::Recheck, Ordering::Relaxed, "ordered after the words by value.read_fence");
const WRITE_FENCE: Site = Site::new(
    "value.write_fence",
    Access::Fence,
    Ordering::Release,
    "pairs with value.read_fence: nobody sees these words and an older version",
);
const FILL: Site = Site::new(
    "value.fill",
    Access::Store,
    Ordering::Relaxed,
    "nobody counts on the idle copy before value.publish releases it",
);
const PUBLISH: Site = Site::new(
    "value.publish",
    Access::Store,
    Ordering::Release,
    "pairs with value.version: the whole copy goes with the version",
);

/// The sites of this file.
pub static SITES: &[&Site] =
    &[&READ, &WRITE, &HELD, &VERSION, &WORD, &READ_FENCE, &UNCHANGED, &WRITE_FENCE, &FILL, &PUBLISH];

/// How often a reader tries without the lock before it queues for it.
const TRIES: u32 = 8;

/// Bytes of a shared word.
pub const WORD_BYTES: usize = 8;

/// How many words a value of `bytes` bytes takes: one, or two copies.
pub const fn words_for(bytes: usize) -> usize {
    if bytes <= WORD_BYTES { 1 } else { 2 * bytes.div_ceil(WORD_BYTES) }
}

/// The shared words of one value: `words_for(size)` of them. A platform-free view; the bytes live elsewhere.
pub struct Cell<'a, P: Platform> {
    /// Counts the values published; unused where the value is one word.
    pub version: &'a P::Word<u64>,
    /// The word, or the two copies.
    pub words: &'a [P::Word<u64>],
}

impl<P: Platform> Cell<'_, P> {
    #[inline]
    fn is_word(&self) -> bool {
        self.words.len() == 1
    }

    fn copy(&self, version: u64) -> &[P::Word<u64>] {
        let (even, odd) = self.words.split_at(self.words.len() / 2);
        if version.is_multiple_of(2) { even } else { odd }
    }

    /// The value, without the lock. `None`: it changed while we read, several times over; the caller queues for the lock,
    /// as writers do, rather than starve, and reads the value [`held`](Cell::read_held).
    #[inline(always)]
    pub fn read(&self, platform: &P, bytes: &mut [u8]) -> Option<()> {
        if !self.is_word() {
            return self.read_copies(platform, bytes);
        }
        platform.load(&self.words[0], &READ).to_bytes(bytes);
        Some(())
    }

    /// Apart, so that a value of one word costs its callers one load.
    fn read_copies(&self, platform: &P, bytes: &mut [u8]) -> Option<()> {
        (0..TRIES).find_map(|tries| {
            platform.loop_head(&[tries.into()]);
            let version = platform.load(self.version, &VERSION);
            platform.copy_out(self.copy(version), bytes, &WORD);
            platform.fence(&READ_FENCE);
            (platform.load(self.version, &UNCHANGED) == version).then_some(())
        })
    }

    /// The value, inside the lock.
    #[inline]
    pub fn read_held(&self, platform: &P, bytes: &mut [u8]) {
        if self.is_word() {
            platform.load(&self.words[0], &HELD).to_bytes(bytes);
        } else {
            let version = platform.load(self.version, &HELD);
            platform.copy_out(self.copy(version), bytes, &WORD);
        }
    }

    /// Replaces the value, inside the lock: in one store, whatever its size.
    #[inline]
    pub fn write_held(&self, platform: &P, bytes: &[u8]) {
        if self.is_word() {
            platform.store(&self.words[0], u64::from_bytes(bytes), &WRITE);
            return;
        }
        let version = platform.load(self.version, &HELD);
        platform.fence(&WRITE_FENCE);
        let next = version.wrapping_add(1);
        platform.copy_in(self.copy(next), bytes, &FILL);
        platform.store(self.version, next, &PUBLISH);
    }
}
