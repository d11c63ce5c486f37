//! What a checking engine must offer: an atomic word, threads, and putting a thread to sleep. Everything else (futexes,
//! deaths, ticks, deadlines, traces) is built on it once, in [`checked`](super::checked).
#![allow(clippy::disallowed_types, clippy::disallowed_methods)] // platform files: these words are what everything else goes through

use procession::platform::Ordering;

/// A checking engine.
pub trait Engine: Sized + 'static {
    /// A word of 64 bits.
    type Atomic: Send + Sync + 'static;
    /// A thread that can be woken.
    type Thread: Clone + Send + Sync + 'static;
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
    /// The calling thread.
    fn current() -> Self::Thread;
    /// Sleeps until woken, or at times for no reason.
    fn park();
    /// Wakes, now or at the next sleep.
    fn unpark(thread: &Self::Thread);
    /// Starts a thread.
    fn spawn(body: impl FnOnce() + Send + 'static) -> Self::Handle;
    /// Waits for a thread to end.
    fn join(handle: Self::Handle);
}

/// What loom's engines and shuttle's have in common: they are shaped like the standard library.
macro_rules! std_shaped {
    ($krate:ident) => {
        type Atomic = $krate::sync::atomic::AtomicU64;
        type Thread = $krate::thread::Thread;
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
        fn current() -> Self::Thread {
            $krate::thread::current()
        }
        fn park() {
            $krate::thread::park();
        }
        fn unpark(thread: &Self::Thread) {
            thread.unpark();
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

/// loom as it is: loads may be stale.
pub struct Loom;

impl Engine for Loom {
    std_shaped!(loom);
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
    fn load(atomic: &Self::Atomic, ordering: Ordering) -> u64 {
        atomic.load(ordering)
    }
    fn store(atomic: &Self::Atomic, value: u64, ordering: Ordering) {
        atomic.store(value, ordering);
    }
}
