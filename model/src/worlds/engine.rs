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

    /// Makes a word that is only ever modified.
    fn atomic(value: u64) -> Self::Atomic;
    /// Makes a word that may also be stored to.
    fn word(value: u64) -> Self::Atomic {
        Self::atomic(value)
    }
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
    /// A step on the word that does nothing: so that an engine that looks for dependent steps sees a wake or a sleep.
    fn touch(atomic: &Self::Atomic) {
        Self::latest(atomic, Ordering::Relaxed);
    }
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

/// A word of [`Loom`].
///
/// To loom a modification is a write, and two writes that nothing orders have no order at all: if the kernel compared a word
/// that one role stores to, and did so by modifying it, that role's next store could be taken for the older of the two. So a
/// word that nobody has modified is compared by reading, until what is read is what was written last.
pub struct LoomWord {
    atomic: loom::sync::atomic::AtomicU64,
    /// What kernel and sleepers touch in its place, so that loom sees them meet.
    kernel: loom::sync::atomic::AtomicU64,
    /// What was written last.
    last: std::sync::atomic::AtomicU64,
    modified: std::sync::atomic::AtomicBool,
}

impl LoomWord {
    fn new(value: u64, modified: bool) -> LoomWord {
        LoomWord {
            atomic: loom::sync::atomic::AtomicU64::new(value),
            kernel: loom::sync::atomic::AtomicU64::new(0),
            last: std::sync::atomic::AtomicU64::new(value),
            modified: std::sync::atomic::AtomicBool::new(modified),
        }
    }
    fn is_modified(&self) -> bool {
        self.modified.load(Ordering::Relaxed)
    }
    fn last(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }
    fn modified(&self) -> &loom::sync::atomic::AtomicU64 {
        self.modified.store(true, Ordering::Relaxed);
        &self.atomic
    }
}

/// loom as it is: loads may be stale.
pub struct Loom;

impl Engine for Loom {
    type Atomic = LoomWord;
    type Handle = loom::thread::JoinHandle<()>;
    loom_bed!();

    fn atomic(value: u64) -> LoomWord {
        LoomWord::new(value, true)
    }
    fn word(value: u64) -> LoomWord {
        LoomWord::new(value, false)
    }
    fn load(word: &LoomWord, ordering: Ordering) -> u64 {
        word.atomic.load(ordering)
    }
    fn store(word: &LoomWord, value: u64, ordering: Ordering) {
        word.atomic.store(value, ordering);
        word.last.store(value, Ordering::Relaxed);
    }
    fn swap(word: &LoomWord, value: u64, ordering: Ordering) -> u64 {
        word.modified().swap(value, ordering)
    }
    fn compare_exchange(word: &LoomWord, current: u64, new: u64, ordering: Ordering) -> Result<u64, u64> {
        word.modified().compare_exchange(current, new, ordering, Ordering::Relaxed)
    }
    fn fetch_add(word: &LoomWord, value: u64, ordering: Ordering) -> u64 {
        word.modified().fetch_add(value, ordering)
    }
    fn latest(word: &LoomWord, ordering: Ordering) -> u64 {
        loop {
            if word.is_modified() {
                return word.atomic.fetch_or(0, ordering);
            }
            let value = word.atomic.load(ordering);
            Self::touch(word);
            if value == word.last() {
                return value;
            }
            loom::thread::yield_now(); // loom shows nothing again after this that is older than the last
        }
    }
    fn touch(word: &LoomWord) {
        let touched = if word.is_modified() { &word.atomic } else { &word.kernel };
        touched.fetch_or(0, Ordering::Relaxed);
    }
    fn fence(ordering: Ordering) {
        loom::sync::atomic::fence(ordering);
    }
    fn spawn(body: impl FnOnce() + Send + 'static) -> Self::Handle {
        loom::thread::spawn(body)
    }
    fn join(handle: Self::Handle) {
        let _ = handle.join();
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
