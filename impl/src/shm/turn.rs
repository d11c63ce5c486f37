//! Taking turns within this process, also across fork: a forked child never finds the turn taken by a thread it has not got.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

static TAKEN: AtomicU32 = AtomicU32::new(0);

pub(super) struct Turn;

pub(super) fn take() -> Turn {
    static AT_FORK: Once = Once::new();
    AT_FORK.call_once(|| {
        // SAFETY: three functions of the right type that live for ever; they take and give up a spin lock, no more.
        // Its only failure is a lack of memory, after which forks from threads are merely less protected.
        unsafe { libc::pthread_atfork(Some(lock), Some(unlock), Some(unlock)) };
    });
    // SAFETY: `lock` has no conditions; it is `unsafe` only to be a handler.
    unsafe { lock() };
    Turn
}

impl Drop for Turn {
    fn drop(&mut self) {
        // SAFETY: as above; we hold the turn.
        unsafe { unlock() };
    }
}

unsafe extern "C" fn lock() {
    while TAKEN.compare_exchange_weak(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
        std::thread::yield_now(); // held for microseconds, by threads of this process alone
    }
}

unsafe extern "C" fn unlock() {
    TAKEN.store(0, Ordering::Release);
}
