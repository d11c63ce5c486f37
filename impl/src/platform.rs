//! The seam: everything an algorithm may ask of the machine beneath it.
//!
//! An algorithm is written once, over `P: Platform`. The shipped platform is [`Shm`](crate::shm::Shm): atomics in shared
//! memory, futexes, leases. A checker brings a platform of its own and so explores the very code that ships.
//!
//! Every access names a [`Site`]. The real platform reads nothing but the ordering in it, a constant after inlining; a
//! checker also uses the name: for traces a person can read, for coverage, and to weaken one site at a time and see
//! whether anybody notices.
//!
//! Rules that every algorithm keeps:
//! 1. A failed `compare_exchange` orders nothing: what it read is only a hint for the next attempt.
//! 2. No happens-before comes from [`wait`](Platform::wait): after any sleep the word is read again, and whatever is
//!    entered is entered by an acquiring access.
//! 3. No SeqCst loads or stores: where a store must be seen before a later load, a fence pair or a read-modify-write says so.
//! 4. There is no clock: a deadline is something the platform may declare passed.

use std::fmt::Debug;
pub use std::sync::atomic::Ordering;

/// What kind of access a site makes, and with it, which ways of breaking it make sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// A plain load.
    Load,
    /// A load that asks whether what was seen before still holds.
    Recheck,
    /// A plain store.
    Store,
    /// A read-modify-write: swap, compare-exchange or fetch-add.
    Modify,
    /// A fence; of the asymmetric pair, [`LightFence`](Access::LightFence) and [`HeavyFence`](Access::HeavyFence).
    Fence,
    /// The cheap half of the asymmetric pair.
    LightFence,
    /// The dear half of the asymmetric pair.
    HeavyFence,
    /// Compare a word and sleep on it.
    Wait,
    /// Wake sleepers of a word.
    Wake,
    /// Ask whether a peer lives.
    Ask,
}

/// One place in an algorithm where shared memory is touched: its name, its ordering, and why that ordering.
///
/// To be declared as a `const`. The algorithms are generic, so they are compiled in the crate that uses them; there the
/// contents of a `static` of this one are unknown, and every access would look its ordering up.
#[derive(Debug)]
pub struct Site {
    /// A name unique in the library: `lock.leave`.
    pub name: &'static str,
    /// The kind of access.
    pub access: Access,
    /// The ordering it is written with. A failed compare-exchange is always relaxed.
    pub ordering: Ordering,
    /// The access it pairs with, or why it needs no partner.
    pub why: &'static str,
    /// Whether the claim is that something else orders it after every write that it meets, a lock as a rule: then a checker
    /// that keeps account of what happened before what can put it to the test.
    pub guarded: bool,
}

impl Site {
    /// A site that orders memory: `why` names its partner, or says why relaxed is enough.
    pub const fn new(name: &'static str, access: Access, ordering: Ordering, why: &'static str) -> Site {
        Site { name, access, ordering, why, guarded: false }
    }
    /// A relaxed site that something else orders: `why` says what.
    pub const fn guarded(name: &'static str, access: Access, why: &'static str) -> Site {
        Site { name, access, ordering: Ordering::Relaxed, why, guarded: true }
    }
    /// A site that orders nothing: a wait, a wake, a question.
    pub const fn plain(name: &'static str, access: Access, why: &'static str) -> Site {
        Site { name, access, ordering: Ordering::Relaxed, why, guarded: false }
    }
}

/// The integers a shared word can hold: `u8` to `u64`. A `u32` can be slept on, and so can the low half of a `u64`.
pub trait Int: Copy + Eq + Debug + Send + Sync + 'static + sealed::Sealed {
    /// Widened to 64 bits.
    fn to_u64(self) -> u64;
    /// The low bits of `bits`.
    fn from_u64(bits: u64) -> Self;
    /// The word whose first bytes are `bytes`, no more than it has; the others are 0.
    fn from_bytes(bytes: &[u8]) -> Self;
    /// Writes the word's first bytes, as many as there is room for.
    fn to_bytes(self, bytes: &mut [u8]);
}
mod sealed {
    pub trait Sealed {}
}
macro_rules! ints {
    ($($Int:ty),*) => {$(
        impl sealed::Sealed for $Int {}
        impl Int for $Int {
            #[inline(always)]
            fn to_u64(self) -> u64 {
                self.into()
            }
            #[inline(always)]
            fn from_u64(bits: u64) -> $Int {
                bits as $Int
            }
            #[inline(always)]
            fn from_bytes(bytes: &[u8]) -> $Int {
                let mut word = [0; size_of::<$Int>()];
                word[..bytes.len()].copy_from_slice(bytes);
                <$Int>::from_ne_bytes(word)
            }
            #[inline(always)]
            fn to_bytes(self, bytes: &mut [u8]) {
                bytes.copy_from_slice(&self.to_ne_bytes()[..bytes.len()]);
            }
        }
    )*};
}
ints!(u8, u16, u32, u64);

/// Why a [`Platform::wait`] came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wakeup {
    /// Somebody woke us (or nobody did: such wake-ups happen). If it was a wake, it has been spent on us.
    Woken,
    /// The word no longer held the expected value; we did not sleep.
    Changed,
    /// Nothing happened for a while: time to ask whether the one we wait for is alive.
    Tick,
    /// The deadline passed.
    TimedOut,
}

/// What is known of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Life {
    /// It can still write to the region. A stopped process is alive.
    Alive,
    /// It cannot write any more, and everything it wrote happened before this answer.
    Dead,
    /// There is no way to ask. Nothing is taken from a peer of whom nothing is known.
    Unknown,
}

/// Shared words, sleeping on them, and the question whether a peer lives.
pub trait Platform {
    /// A word in shared memory.
    type Word<V: Int>: Send + Sync;
    /// When a wait gives up; a platform without clocks makes it a choice.
    type Deadline: Copy;

    /// Reads `word`.
    fn load<V: Int>(&self, word: &Self::Word<V>, site: &'static Site) -> V;
    /// Writes `word`.
    fn store<V: Int>(&self, word: &Self::Word<V>, value: V, site: &'static Site);
    /// Writes `word` and returns what it held.
    fn swap<V: Int>(&self, word: &Self::Word<V>, value: V, site: &'static Site) -> V;
    /// Writes `new` if `word` holds `current`, else returns what it holds.
    fn compare_exchange<V: Int>(&self, word: &Self::Word<V>, current: V, new: V, site: &'static Site) -> Result<V, V>;
    /// Adds to `word`, wrapping, and returns what it held.
    fn fetch_add<V: Int>(&self, word: &Self::Word<V>, value: V, site: &'static Site) -> V;
    /// Reads all of `words` into `bytes`, each word in one access, in any order. The last may be read in part.
    fn copy_out<V: Int>(&self, words: &[Self::Word<V>], bytes: &mut [u8], site: &'static Site) {
        for (word, chunk) in words.iter().zip(bytes.chunks_mut(size_of::<V>())) {
            self.load(word, site).to_bytes(chunk);
        }
    }
    /// Writes `bytes` into `words`, each word in one access, in any order. What `bytes` lacks of the last is 0.
    fn copy_in<V: Int>(&self, words: &[Self::Word<V>], bytes: &[u8], site: &'static Site) {
        for (word, chunk) in words.iter().zip(bytes.chunks(size_of::<V>())) {
            self.store(word, V::from_bytes(chunk), site);
        }
    }
    /// Whether to look once more before falling asleep, `looks` having been in vain: a platform on which time passes may let
    /// some of it pass. For a checker a further look is nothing new.
    #[inline(always)]
    fn look_again(&self, looks: u32) -> bool {
        let _ = looks;
        false
    }
    /// A loop begins again: of all that this operation has seen, what follows depends on `state` alone. Only a checker that
    /// compares states listens, and one that does checks that it is true.
    #[inline(always)]
    fn loop_head(&self, state: &[u64]) {
        let _ = state;
    }
    /// As [`loop_head`](Platform::loop_head), where what follows depends on `bytes`, too.
    #[inline(always)]
    fn loop_head_holding(&self, state: &[u64], bytes: &[u8]) {
        let _ = (state, bytes);
    }
    /// As [`loop_head`](Platform::loop_head), of a loop with others inside it: what follows their heads depends on this state,
    /// too, until it is said anew.
    #[inline(always)]
    fn outer_loop_head(&self, state: &[u64]) {
        let _ = state;
    }
    /// A C11 fence.
    fn fence(&self, site: &'static Site);
    /// The hot side of the asymmetric pair: a store before it and a load after it keep their order as seen by whoever
    /// runs [`heavy_fence`](Platform::heavy_fence). Two light fences order nothing between them.
    fn light_fence(&self, site: &'static Site);
    /// The cold side of the asymmetric pair.
    fn heavy_fence(&self, site: &'static Site);
    /// Sleeps while the low 32 bits of `word`, which has 32 or 64, are `expected`: until woken, `deadline`, or a tick.
    /// `ticks` counts the ticks of this operation so far (they may grow longer, they never stop).
    fn wait<V: Int>(
        &self,
        word: &Self::Word<V>,
        expected: u32,
        deadline: Self::Deadline,
        ticks: u32,
        site: &'static Site,
    ) -> Wakeup;
    /// Wakes up to `count` sleepers of `word`.
    fn wake<V: Int>(&self, word: &Self::Word<V>, count: u32, site: &'static Site);
    /// Whether `peer` can still write to the region.
    fn life(&self, peer: u32, site: &'static Site) -> Life;
}
