//! What happened before what, by the orderings as they are written: so that the explorer, whose memory has no orderings, still
//! finds one that is missing.
//!
//! Of each word one event counts: its last write. A clock is the set of these events that happened before something; as the
//! events are finitely many, so are the clocks, and states with the same clocks are the same.
//!
//! | clock | holds what happened before |
//! |---|---|
//! | `seen`, per role | the role's next access |
//! | `loaded`, per role | ... if it makes an acquire fence first |
//! | `fenced`, per role | its last release fence |
//! | `carried`, per word | whoever acquires what the word holds |
//! | `fences`, one | the next sequentially consistent fence |
//!
//! A guarded site claims that something else orders it. There, the last write of the word must have been seen; if not, it is
//! a race, whatever value came out. Rules: C11 as of C++20, without load buffering; a release sequence goes on through
//! modifications alone; a sleep orders nothing; news of a death bring along all that the dead one had seen.

use super::replay::{Reply, Request, What};
use procession::platform::Ordering;

/// Where the clocks stand in a state.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    at: usize,
    roles: usize,
    words: usize,
}

fn acquires(ordering: Ordering) -> bool {
    matches!(ordering, Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst)
}

fn releases(ordering: Ordering) -> bool {
    matches!(ordering, Ordering::Release | Ordering::AcqRel | Ordering::SeqCst)
}

impl Clocks {
    /// Clocks from the `at`-th number of a state on; a bit for each word.
    pub fn new(at: usize, roles: usize, words: usize) -> Clocks {
        assert!(words <= 64, "a clock has 64 bits, and there are {words} words");
        Clocks { at, roles, words }
    }

    /// How many numbers they are. At first all bits are set: everybody has seen what the words hold at first.
    pub fn count(self) -> usize {
        3 * self.roles + self.words + 1
    }

    fn seen(self, role: usize) -> usize {
        self.at + role
    }
    fn loaded(self, role: usize) -> usize {
        self.at + self.roles + role
    }
    fn fenced(self, role: usize) -> usize {
        self.at + 2 * self.roles + role
    }
    fn carried(self, word: usize) -> usize {
        self.at + 3 * self.roles + word
    }
    fn fences(self) -> usize {
        self.at + 3 * self.roles + self.words
    }

    /// Notes an access that was answered with `reply`; `asked` are the roles of the process asked after. Whether it was
    /// ordered as its site claims.
    pub fn note(self, state: &mut [u64], role: usize, request: &Request, reply: Reply, asked: &[usize]) -> bool {
        let Request { what, site, ordering } = *request;
        let is_ordered = match what {
            What::Load(word) | What::Store(word, _) => !site.guarded || state[self.seen(role)] >> word & 1 == 1,
            _ => true,
        };
        match what {
            What::Load(word) => self.read(state, role, word, ordering),
            What::Store(word, _) => self.write(state, role, word, ordering, false),
            // A comparison that fails is a relaxed read.
            What::CompareExchange(word, ..) if !reply.done => self.read(state, role, word, Ordering::Relaxed),
            What::Swap(word, _) | What::CompareExchange(word, ..) | What::FetchAdd(word, ..) => {
                self.read(state, role, word, ordering);
                self.write(state, role, word, ordering, true);
            }
            What::Fence => self.fence(state, role, ordering),
            What::LightFence | What::HeavyFence => self.fence(state, role, Ordering::SeqCst),
            What::Wait { word, .. } => self.read(state, role, word, Ordering::Relaxed),
            What::Life(_) if reply.value == 0 => {
                asked.iter().for_each(|dead| state[self.seen(role)] |= state[self.seen(*dead)]);
            }
            What::Life(_) | What::Wake(..) | What::End => {}
        }
        is_ordered
    }

    fn read(self, state: &mut [u64], role: usize, word: usize, ordering: Ordering) {
        let carried = state[self.carried(word)];
        state[self.loaded(role)] |= carried;
        if acquires(ordering) {
            state[self.seen(role)] |= carried;
        }
    }

    fn write(self, state: &mut [u64], role: usize, word: usize, ordering: Ordering, goes_on: bool) {
        // The write before this one is no event any more; this one has been seen by nobody but its writer.
        state[self.at..self.at + self.count()].iter_mut().for_each(|clock| *clock &= !(1 << word));
        state[self.seen(role)] |= 1 << word;
        let mine = if releases(ordering) { state[self.seen(role)] } else { state[self.fenced(role)] };
        let before = if goes_on { state[self.carried(word)] } else { 0 };
        state[self.carried(word)] = before | mine;
    }

    fn fence(self, state: &mut [u64], role: usize, ordering: Ordering) {
        if acquires(ordering) {
            state[self.seen(role)] |= state[self.loaded(role)];
        }
        if ordering == Ordering::SeqCst {
            state[self.seen(role)] |= state[self.fences()];
            state[self.fences()] |= state[self.seen(role)];
        }
        if releases(ordering) {
            state[self.fenced(role)] = state[self.seen(role)];
        }
    }
}
