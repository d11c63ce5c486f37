//! What a checking engine must offer: an atomic word, threads, and putting a thread to sleep. Everything else (futexes,
//! deaths, ticks, deadlines, traces) is built on it once, in [`checked`](super::checked).
#![allow(clippy::disallowed_types, clippy::disallowed_methods)] // platform files: these words are what everything else goes through

use procession::platform::Ordering;
use std::sync::{Arc, PoisonError};

/// A checking engine.
pub trait Engine: Sized + 'static {
    /// A word of 64 bits.
    type Atomic: Send + Sync + 'static;
    /// Where a thread sleeps.
    type Bed: Clone + Send + Sync + 'static;
    /// A thread that can be waited for.
    type Handle;

    /// Makes a word.
    fn atomic(value: u64) -> Self::Atomic;
    /// Reads.
    fn load(atomic: &Self::Atomic, ordering: Ordering) -> u64;
    /// Writes.
    fn store(atomic: &Self::Atomic, value: u64, ordering: Ordering);
    /// Replaces.
    fn swap(atomic: &Self::Atomic, value: u64, ordering: Ordering) -> u64;
    /// Replaces if equal; orders nothing if not.
    fn compare_exchange(atomic: &Self::Atomic, current: u64, new: u64, ordering: Ordering) -> Result<u64, u64>;
    /// Adds.
    fn fetch_add(atomic: &Self::Atomic, value: u64, ordering: Ordering) -> u64;
    /// Reads the latest value, as a modification that changes nothing: what the kernel does when it compares a futex word,
    /// or says who is alive.
    fn latest(atomic: &Self::Atomic, ordering: Ordering) -> u64;
    /// A fence.
    fn fence(ordering: Ordering);
    /// A bed for the calling thread.
    fn bed() -> Self::Bed;
    /// Sleeps until roused, or at times for no reason.
    fn sleep(bed: &Self::Bed);
    /// Rouses, now or at the next sleep. May let others run first.
    fn rouse(bed: &Self::Bed);
    /// Starts a thread.
    fn spawn(body: impl FnOnce() + Send + 'static) -> Self::Handle;
    /// Waits for a thread to end.
    fn join(handle: Self::Handle);
}

/// What loom's engines and shuttle's have in common: they are shaped like the standard library.
macro_rules! std_shaped {
    ($krate:ident) => {
        type Atomic = $krate::sync::atomic::AtomicU64;
        type Handle = $krate::thread::JoinHandle<()>;

        fn atomic(value: u64) -> Self::Atomic {
            Self::Atomic::new(value)
        }
        fn swap(atomic: &Self::Atomic, value: u64, ordering: Ordering) -> u64 {
            atomic.swap(value, ordering)
        }
        fn compare_exchange(atomic: &Self::Atomic, current: u64, new: u64, ordering: Ordering) -> Result<u64, u64> {
            atomic.compare_exchange(current, new, ordering, Ordering::Relaxed)
        }
        fn fetch_add(atomic: &Self::Atomic, value: u64, ordering: Ordering) -> u64 {
            atomic.fetch_add(value, ordering)
        }
        fn latest(atomic: &Self::Atomic, ordering: Ordering) -> u64 {
            atomic.fetch_or(0, ordering)
        }
        fn fence(ordering: Ordering) {
            $krate::sync::atomic::fence(ordering);
        }
        fn spawn(body: impl FnOnce() + Send + 'static) -> Self::Handle {
            $krate::thread::spawn(body)
        }
        fn join(handle: Self::Handle) {
            // A role's body catches its own death; another panic has already ended the whole run.
            let _ = handle.join();
        }
    };
}

/// loom's `park` has no spurious wake-ups to explore, and costs fewer executions than its condition variable.
macro_rules! loom_bed {
    () => {
        type Bed = loom::thread::Thread;
        fn bed() -> Self::Bed {
            loom::thread::current()
        }
        fn sleep(_bed: &Self::Bed) {
            loom::thread::park();
        }
        fn rouse(bed: &Self::Bed) {
            bed.unpark();
        }
    };
}

/// loom as it is: loads may be stale.
pub struct Loom;

impl Engine for Loom {
    std_shaped!(loom);
    loom_bed!();
    fn load(atomic: &Self::Atomic, ordering: Ordering) -> u64 {
        atomic.load(ordering)
    }
    fn store(atomic: &Self::Atomic, value: u64, ordering: Ordering) {
        atomic.store(value, ordering);
    }
}

/// loom with nothing but modifications, of which it misses no interleaving.
pub struct LoomRmw;

impl Engine for LoomRmw {
    std_shaped!(loom);
    loom_bed!();
    fn load(atomic: &Self::Atomic, _ordering: Ordering) -> u64 {
        atomic.fetch_or(0, Ordering::AcqRel)
    }
    fn store(atomic: &Self::Atomic, value: u64, _ordering: Ordering) {
        atomic.swap(value, Ordering::AcqRel);
    }
}

/// shuttle: sequentially consistent, scheduled at random or depth first.
pub struct Shuttle;

impl Engine for Shuttle {
    std_shaped!(shuttle);
    // Not `park`: shuttle wakes it spuriously, without end.
    type Bed = Arc<(shuttle::sync::Mutex<bool>, shuttle::sync::Condvar)>;

    fn bed() -> Self::Bed {
        Arc::new((shuttle::sync::Mutex::new(false), shuttle::sync::Condvar::new()))
    }
    fn sleep(bed: &Self::Bed) {
        let (roused, changed) = bed.as_ref();
        let roused = roused.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_while(roused, |roused| !std::mem::take(roused)));
    }
    fn rouse(bed: &Self::Bed) {
        let (roused, changed) = bed.as_ref();
        *roused.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_one();
    }

    fn load(atomic: &Self::Atomic, ordering: Ordering) -> u64 {
        atomic.load(ordering)
    }
    fn store(atomic: &Self::Atomic, value: u64, ordering: Ordering) {
        atomic.store(value, ordering);
    }
}
