//! A value without a lock: its words are read and written one by one, relaxed.
//!
//! No access is undefined behaviour, and a value of one word is never torn. Everything else is up to the user: a read and
//! a later write are two steps, so `+=` loses updates, and a value of several words can be read half old, half new. The
//! claims show both.

use crate::platform::{Access, Ordering, Platform, Site};

const GET: Site = Site::new(
    "raw.get",
    Access::Load,
    Ordering::Relaxed,
    "promises nothing about any other word: that is what raw means",
);
const SET: Site = Site::new(
    "raw.set",
    Access::Store,
    Ordering::Relaxed,
    "promises nothing about any other word: that is what raw means",
);
const MODIFY: Site = Site::new(
    "raw.modify",
    Access::Modify,
    Ordering::AcqRel,
    "pairs with itself: who modifies sees what was done before the modification it builds on",
);

/// The sites of this file.
pub static SITES: &[&Site] = &[&GET, &SET, &MODIFY];

/// Copies the value out, word by word.
#[inline]
pub fn get<P: Platform>(platform: &P, words: &[P::Word<u64>], bytes: &mut [u8]) {
    platform.copy_out(words, bytes, &GET);
}

/// Copies the value in, word by word.
#[inline]
pub fn set<P: Platform>(platform: &P, words: &[P::Word<u64>], bytes: &[u8]) {
    platform.copy_in(words, bytes, &SET);
}

/// Replaces a one-word value by `next` of it, in one step; returns what it replaced. `None` from `next` leaves it, and
/// what was found is the error.
#[inline]
pub fn modify<P: Platform>(
    platform: &P,
    word: &P::Word<u64>,
    mut next: impl FnMut(u64) -> Option<u64>,
) -> Result<u64, u64> {
    let mut found = platform.load(word, &GET);
    loop {
        platform.loop_head(&[found]);
        let Some(new) = next(found) else { return Err(found) };
        match platform.compare_exchange(word, found, new, &MODIFY) {
            Ok(old) => return Ok(old),
            Err(now) => found = now,
        }
    }
}
