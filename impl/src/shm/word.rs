//! A word in a region: an integer that is only ever touched atomically.
#![allow(clippy::disallowed_types)] // this file and its siblings implement `Platform`

use crate::platform::{Int, Ordering};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64};
use zerocopy::FromBytes;

/// A shared integer of 8 to 64 bits, naturally aligned.
#[repr(transparent)]
#[derive(FromBytes)]
pub struct ShmWord<V>(UnsafeCell<V>);

// SAFETY: the value is reached through `atomic` alone, and every method there is an atomic access.
unsafe impl<V: Int> Sync for ShmWord<V> {}

/// Calls one atomic method at the width of `V`; the branch is decided at compile time.
macro_rules! atomic {
    ($word:expr, $V:ty, |$atomic:ident, $narrow:ident| $call:expr) => {
        match size_of::<$V>() {
            1 => atomic!($word, $V, u8, AtomicU8, |$atomic, $narrow| $call),
            2 => atomic!($word, $V, u16, AtomicU16, |$atomic, $narrow| $call),
            4 => atomic!($word, $V, u32, AtomicU32, |$atomic, $narrow| $call),
            _ => atomic!($word, $V, u64, AtomicU64, |$atomic, $narrow| $call),
        }
    };
    ($word:expr, $V:ty, $width:ty, $Atomic:ident, |$atomic:ident, $narrow:ident| $call:expr) => {{
        // SAFETY: `V` is as wide as `$width`; the cell is aligned, lives as long as `self`, and is only accessed atomically.
        let $atomic = unsafe { $Atomic::from_ptr($word.0.get().cast()) };
        let $narrow = |value: $V| value.to_u64() as $width;
        $call
    }};
}

impl<V: Int> ShmWord<V> {
    #[inline(always)]
    pub(super) fn load(&self, ordering: Ordering) -> V {
        atomic!(self, V, |atomic, _narrow| V::from_u64(atomic.load(ordering).to_u64()))
    }
    #[inline(always)]
    pub(super) fn store(&self, value: V, ordering: Ordering) {
        atomic!(self, V, |atomic, narrow| atomic.store(narrow(value), ordering));
    }
    #[inline(always)]
    pub(super) fn swap(&self, value: V, ordering: Ordering) -> V {
        atomic!(self, V, |atomic, narrow| V::from_u64(atomic.swap(narrow(value), ordering).to_u64()))
    }
    #[inline(always)]
    pub(super) fn fetch_add(&self, value: V, ordering: Ordering) -> V {
        atomic!(self, V, |atomic, narrow| V::from_u64(atomic.fetch_add(narrow(value), ordering).to_u64()))
    }
    #[inline(always)]
    pub(super) fn compare_exchange(&self, current: V, new: V, ordering: Ordering) -> Result<V, V> {
        atomic!(self, V, |atomic, narrow| {
            match atomic.compare_exchange(narrow(current), narrow(new), ordering, Ordering::Relaxed) {
                Ok(old) => Ok(V::from_u64(old.to_u64())),
                Err(now) => Err(V::from_u64(now.to_u64())),
            }
        })
    }
    /// Where the word's low 32 bits stand in this process, for the kernel.
    pub(super) fn low_half(&self) -> *mut u32 {
        const { assert!(size_of::<V>() >= size_of::<u32>()) };
        let first = self.0.get().cast::<u32>();
        if cfg!(target_endian = "little") { first } else { first.wrapping_byte_add(size_of::<V>() - size_of::<u32>()) }
    }
}
