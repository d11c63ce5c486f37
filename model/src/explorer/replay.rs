//! A role by replay: an operation is run from its start, told what it was told before, up to the first thing that it asks and
//! has not been told yet. There it stops, by unwinding.
//!
//! So a role is a function of what it is told, and nothing of it needs to be kept but that.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)] // a platform file

use crate::mutants::{Break, Mutant};
use crate::scenario::{ModelPlatform, process_of};
use procession::platform::{Access, Int, Life, Ordering, Platform, Site, Wakeup};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::marker::PhantomData;
use std::panic::resume_unwind;

/// What a role asks of the machine.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// What.
    pub what: What,
    /// Where in the algorithm.
    pub site: &'static Site,
    /// How it is ordered: as the site says, unless that is broken on purpose.
    pub ordering: Ordering,
}

/// The kinds of request. Words are numbered in the order in which they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Read a word.
    Load(usize),
    /// Write a word.
    Store(usize, u64),
    /// Replace a word.
    Swap(usize, u64),
    /// Replace a word by the second number if it holds the first.
    CompareExchange(usize, u64, u64),
    /// Add to a word; the last number is the mask of its width.
    FetchAdd(usize, u64, u64),
    /// A fence of this process alone.
    Fence,
    /// The hot half of the asymmetric pair.
    LightFence,
    /// Its cold half.
    HeavyFence,
    /// Sleep.
    Wait {
        /// On this word ...
        word: usize,
        /// ... if its low 32 bits are this ...
        expected: u32,
        /// ... or whatever it holds, if the comparison is broken on purpose ...
        compares: bool,
        /// ... perhaps only until a deadline.
        timed: bool,
    },
    /// Wake so many sleepers of a word.
    Wake(usize, u32),
    /// Whether this process lives.
    Life(usize),
    /// To end the operation.
    End,
}

impl Request {
    /// The end of an operation, where that is a step of its own.
    pub const END: Request = Request { what: What::End, site: &END, ordering: Ordering::Relaxed };
}

static END: Site = Site::plain("end", Access::Fence, "an operation ends when its stores have reached memory");

impl What {
    /// The word it is about.
    pub fn word(self) -> Option<usize> {
        match self {
            What::Load(word)
            | What::Store(word, _)
            | What::Swap(word, _)
            | What::CompareExchange(word, ..)
            | What::FetchAdd(word, ..)
            | What::Wait { word, .. }
            | What::Wake(word, _) => Some(word),
            What::Fence | What::LightFence | What::HeavyFence | What::Life(_) | What::End => None,
        }
    }
}

/// What the machine answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Reply {
    /// A word's value; how a sleep ended; 1 for "alive".
    pub value: u64,
    /// Whether a word was replaced.
    pub done: bool,
}

impl Reply {
    /// How a sleep ended.
    pub fn woken(wakeup: Wakeup) -> Reply {
        Reply { value: wakeup as u64, done: true }
    }

    fn wakeup(self) -> Wakeup {
        let all = [Wakeup::Woken, Wakeup::Changed, Wakeup::Tick, Wakeup::TimedOut];
        all.into_iter().find(|wakeup| *wakeup as u64 == self.value).unwrap_or(Wakeup::Woken)
    }
}

/// A word: its number.
#[derive(Debug)]
pub struct Word<V> {
    number: usize,
    _value: PhantomData<fn() -> V>,
}

thread_local! {
    /// The words made while a scenario's shared state is being built, with what they hold at first.
    static MADE: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Builds a shared state, and lists what its words hold at first.
pub fn build<T>(make: impl FnOnce() -> T) -> (T, Vec<u64>) {
    MADE.with(|made| made.borrow_mut().clear());
    let shared = make();
    (shared, MADE.with(RefCell::take))
}

/// The platform of a role that is replayed.
pub struct Replay {
    told: Vec<Reply>,
    at: Cell<usize>,
    mutant: Option<Mutant>,
    /// What it last read from each word: what it goes on believing when its second look is skipped.
    believed: RefCell<HashMap<usize, u64>>,
    /// The last loop head: what the rest depends on, and how much had been told by then.
    head: RefCell<(Vec<u64>, usize)>,
    /// What the heads of inner loops depend on beside what they say.
    outer: RefCell<Vec<u64>>,
}

impl Replay {
    /// A role that has been told this, and is to be told no more.
    pub fn new(told: Vec<Reply>, mutant: Option<Mutant>) -> Replay {
        Replay {
            told,
            at: Cell::new(0),
            mutant,
            believed: RefCell::default(),
            head: RefCell::default(),
            outer: RefCell::default(),
        }
    }

    /// The last loop head that was passed, and how many replies came before it.
    pub fn head(&self) -> (Vec<u64>, usize) {
        self.head.take()
    }

    fn broken(&self, site: &'static Site) -> Option<Break> {
        self.mutant.filter(|mutant| mutant.site == site.name).map(|mutant| mutant.how)
    }

    fn ask(&self, what: What, site: &'static Site) -> Reply {
        let at = self.at.replace(self.at.get() + 1);
        if let Some(reply) = self.told.get(at) {
            return *reply;
        }
        let ordering = match self.broken(site) {
            Some(Break::Weaken(ordering)) => ordering,
            _ => site.ordering,
        };
        resume_unwind(Box::new(Request { what, site, ordering }));
    }

    fn fence_of(&self, what: What, site: &'static Site) {
        if self.broken(site) != Some(Break::Drop) {
            self.ask(what, site);
        }
    }
}

impl Platform for Replay {
    type Word<V: Int> = Word<V>;
    /// Whether the deadline can pass.
    type Deadline = bool;

    fn load<V: Int>(&self, word: &Word<V>, site: &'static Site) -> V {
        if self.broken(site) == Some(Break::Recheck) {
            return V::from_u64(self.believed.borrow().get(&word.number).copied().unwrap_or_default());
        }
        let value = self.ask(What::Load(word.number), site).value;
        self.believed.borrow_mut().insert(word.number, value);
        V::from_u64(value)
    }
    fn store<V: Int>(&self, word: &Word<V>, value: V, site: &'static Site) {
        self.ask(What::Store(word.number, value.to_u64()), site);
    }
    fn swap<V: Int>(&self, word: &Word<V>, value: V, site: &'static Site) -> V {
        V::from_u64(self.ask(What::Swap(word.number, value.to_u64()), site).value)
    }
    fn compare_exchange<V: Int>(&self, word: &Word<V>, current: V, new: V, site: &'static Site) -> Result<V, V> {
        let what = What::CompareExchange(word.number, current.to_u64(), new.to_u64());
        let Reply { value, done } = self.ask(what, site);
        if done { Ok(V::from_u64(value)) } else { Err(V::from_u64(value)) }
    }
    fn fetch_add<V: Int>(&self, word: &Word<V>, value: V, site: &'static Site) -> V {
        let mask = u64::MAX >> (64 - 8 * size_of::<V>());
        V::from_u64(self.ask(What::FetchAdd(word.number, value.to_u64(), mask), site).value)
    }
    fn loop_head(&self, state: &[u64]) {
        // How much of it the outer loop says comes first, or an inner loop could be taken for an outer one.
        let outer = self.outer.borrow();
        let state = std::iter::once(outer.len() as u64).chain(outer.iter().chain(state).copied()).collect();
        *self.head.borrow_mut() = (state, self.at.get());
    }
    fn outer_loop_head(&self, state: &[u64]) {
        *self.outer.borrow_mut() = state.to_vec();
        self.loop_head(&[]);
    }
    fn loop_head_holding(&self, state: &[u64], bytes: &[u8]) {
        let bytes = bytes.iter().map(|byte| u64::from(*byte));
        self.loop_head(&state.iter().copied().chain(bytes).collect::<Vec<u64>>());
    }
    fn fence(&self, site: &'static Site) {
        self.fence_of(What::Fence, site);
    }
    fn light_fence(&self, site: &'static Site) {
        self.fence_of(What::LightFence, site);
    }
    fn heavy_fence(&self, site: &'static Site) {
        self.fence_of(What::HeavyFence, site);
    }
    fn wait<V: Int>(&self, word: &Word<V>, expected: u32, timed: bool, _ticks: u32, site: &'static Site) -> Wakeup {
        let compares = self.broken(site) != Some(Break::Recheck);
        self.ask(What::Wait { word: word.number, expected, compares, timed }, site).wakeup()
    }
    fn wake<V: Int>(&self, word: &Word<V>, count: u32, site: &'static Site) {
        if self.broken(site) != Some(Break::Drop) {
            self.ask(What::Wake(word.number, count), site);
        }
    }
    fn life(&self, asked: u32, site: &'static Site) -> Life {
        debug_assert_eq!(site.access, Access::Ask);
        if self.broken(site) == Some(Break::Drop) {
            return Life::Alive;
        }
        if self.ask(What::Life(process_of(asked)), site).value == 1 { Life::Alive } else { Life::Dead }
    }
}

impl ModelPlatform for Replay {
    fn word<V: Int>(value: V) -> Word<V> {
        let number = MADE.with(|made| {
            made.borrow_mut().push(value.to_u64());
            made.borrow().len() - 1
        });
        Word { number, _value: PhantomData }
    }
    fn deadline(&self) -> bool {
        true
    }
    fn never() -> bool {
        false
    }
}
