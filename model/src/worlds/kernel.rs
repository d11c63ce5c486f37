//! A small kernel for one execution in a checking world: who sleeps, who is dead, what ticks and what expires; and the story
//! of it all.
//!
//! Rules of this kernel:
//! 1. A wait is one visible step, which compares the word; falling asleep belongs to it. No happens-before is meant to come
//!    from being woken (the engines' `park` lends some; rule 2 of the seam keeps the algorithms from needing it).
//! 2. A kill comes before a shared access, any of them: the role stops there and unwinds to its root without touching
//!    anything. Then, in one step, it becomes known to be dead.
//! 3. Nobody ticks before the first death. After one, every sleeper ticks once for it, also one that falls asleep later.
//!    Whoever would need a second tick sleeps for ever, and the engine reports it.
//! 4. A deadline passes at any moment, by a clock that is a thread of its own.

use super::engine::Engine;
use crate::history::{Event, History};
use crate::mutants::Mutant;
use crate::spec::Actor;
use procession::platform::{Ordering, Wakeup};
use std::collections::{BTreeSet, HashMap};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who is killed, and before which of its accesses (counted from 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kill {
    /// The process.
    pub process: usize,
    /// The access that it does not live to make.
    pub access: u64,
}

pub(super) const ALIVE: u64 = 1;
const DEPARTURE: u64 = 2;

/// What unwinds a killed role to its root.
pub struct Killed;

/// One access, for the story.
#[derive(Debug, Clone)]
pub struct Step {
    /// Who.
    pub role: usize,
    /// Where, in the algorithm.
    pub site: &'static str,
    /// What came of it: `0 → 1`.
    pub what: String,
}

/// A line of the story.
#[derive(Debug, Clone)]
pub enum Line<O, A> {
    /// A shared access.
    Step(Step),
    /// A call, a return or a death.
    Event(Event<O, A>),
    /// A word to whoever reads the story.
    Note(String),
}

pub(super) struct Sleeper<E: Engine> {
    pub(super) role: usize,
    pub(super) process: usize,
    pub(super) word: Arc<E::Atomic>,
    pub(super) timed: bool,
    pub(super) bed: E::Bed,
}

pub(super) struct State<E: Engine, O, A> {
    pub(super) story: Vec<Line<O, A>>,
    pub(super) sleepers: Vec<Sleeper<E>>,
    /// What a sleeper comes back with, once somebody has decided.
    pub(super) delivered: Vec<Option<Wakeup>>,
    pub(super) expired: Vec<bool>,
    pub(super) doomed: Vec<bool>,
    pub(super) departed: Vec<usize>,
    pub(super) deaths: usize,
    pub(super) ticks: Vec<usize>,
    pub(super) accesses: Vec<u64>,
    pub(super) kill_reached: bool,
    pub(super) sites: BTreeSet<&'static str>,
    /// What each role last read from each word: what it goes on believing when its second look is skipped.
    pub(super) believed: HashMap<(usize, usize), u64>,
}

/// One execution of a scenario: what all its roles share.
pub struct Execution<E: Engine, O, A> {
    pub(super) threads: Vec<usize>,
    /// ALIVE, and above it the threads that have departed; 0: dead.
    pub(super) alive: Vec<E::Atomic>,
    pub(super) clocks: Vec<E::Atomic>,
    pub(super) kill: Option<Kill>,
    pub(super) mutant: Option<Mutant>,
    pub(super) state: Mutex<State<E, O, A>>,
}

/// What an execution leaves behind.
pub struct Trace<O, A> {
    /// Everything that happened, in order.
    pub story: Vec<Line<O, A>>,
    /// The sites that were reached.
    pub sites: BTreeSet<&'static str>,
    /// Whether the kill came to pass.
    pub kill_reached: bool,
}

impl<O: Clone, A: Clone> Trace<O, A> {
    /// The calls, returns and deaths alone.
    pub fn history(&self) -> History<O, A> {
        let event = |line: &Line<O, A>| match line {
            Line::Event(event) => Some(event.clone()),
            Line::Step(_) | Line::Note(_) => None,
        };
        self.story.iter().filter_map(event).collect()
    }
}

impl<E: Engine, O: Clone, A: Clone> Execution<E, O, A> {
    /// Nothing has happened yet.
    ///
    /// `threads` says how many roles each process has.
    pub fn new(roles: usize, threads: Vec<usize>, kill: Option<Kill>, mutant: Option<Mutant>) -> Self {
        Execution {
            threads,
            alive: (0..roles).map(|_| E::atomic(ALIVE)).collect(),
            clocks: (0..roles).map(|_| E::atomic(0)).collect(),
            kill,
            mutant,
            state: Mutex::new(State {
                story: Vec::new(),
                sleepers: Vec::new(),
                delivered: vec![None; roles],
                expired: vec![false; roles],
                doomed: vec![false; roles],
                departed: vec![0; roles],
                deaths: 0,
                ticks: vec![0; roles],
                accesses: vec![0; roles],
                kill_reached: false,
                sites: BTreeSet::new(),
                believed: HashMap::new(),
            }),
        }
    }

    /// The engines run one thread at a time and never switch while this is held: it only satisfies the compiler.
    pub(super) fn state(&self) -> MutexGuard<'_, State<E, O, A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call or a return; a thread whose process has been killed meanwhile stops here.
    pub fn record(&self, actor: Actor, event: Event<O, A>) {
        let mut state = self.state();
        if state.doomed[actor.process] {
            drop(state);
            resume_unwind(Box::new(Killed));
        }
        state.story.push(Line::Event(event));
    }

    /// What happened so far.
    pub fn trace(&self) -> Trace<O, A> {
        let state = self.state();
        Trace { story: state.story.clone(), sites: state.sites.clone(), kill_reached: state.kill_reached }
    }

    /// A role has come to its end, or has been killed and has unwound. A killed process is dead when its last thread has
    /// stopped: so the news of the death happens after all that any of its threads did.
    pub fn leave(&self, process: usize) {
        let threads = self.threads[process];
        if threads > 1 {
            E::fetch_add(&self.alive[process], DEPARTURE, Ordering::AcqRel);
        }
        let (doomed, last, asleep) = {
            let mut state = self.state();
            state.departed[process] += 1;
            let doomed = state.doomed[process];
            let of_ours = |sleeper: &Sleeper<E>| (sleeper.process == process).then_some(sleeper.role);
            let asleep: Vec<usize> = state.sleepers.iter().filter_map(of_ours).collect();
            (doomed, doomed && state.departed[process] == threads, asleep)
        };
        if doomed {
            // The others die in their sleep, or at their next access.
            asleep.into_iter().for_each(|role| self.rouse(role, Wakeup::Woken));
        }
        if last {
            self.bury(process);
        }
    }

    /// The kernel's part of a death, played by the victim's last thread.
    ///
    /// Deaths and deadlines are modifications, not stores: in C11 a later reader could otherwise put itself before them, and
    /// the kernel's answers are not like that.
    fn bury(&self, process: usize) {
        E::swap(&self.alive[process], 0, Ordering::AcqRel);
        let asleep: Vec<_> = {
            let mut state = self.state();
            state.story.push(Line::Event(Event::Died(process)));
            state.deaths += 1;
            state.sleepers.iter().map(|sleeper| (sleeper.role, sleeper.word.clone())).collect()
        };
        for (role, word) in asleep {
            // A visible step on the word slept on, so that an engine that looks for dependent steps sees this one.
            E::touch(&word);
            let bed = {
                let mut state = self.state();
                let due = state.ticks[role] < state.deaths;
                let bed = due.then(|| state.deliver(role, Wakeup::Tick)).flatten();
                state.ticks[role] += usize::from(bed.is_some());
                bed
            };
            bed.iter().for_each(E::rouse);
        }
    }

    fn rouse(&self, role: usize, wakeup: Wakeup) {
        let bed = self.state().deliver(role, wakeup);
        bed.iter().for_each(E::rouse);
    }

    /// Declares the role's deadline passed.
    pub fn expire(&self, role: usize) {
        E::swap(&self.clocks[role], 1, Ordering::AcqRel);
        let word = {
            let mut state = self.state();
            state.expired[role] = true;
            state.sleepers.iter().find(|sleeper| sleeper.role == role && sleeper.timed).map(|s| s.word.clone())
        };
        if let Some(word) = word {
            E::touch(&word);
            let in_it = self.state().sleepers.iter().any(|sleeper| sleeper.role == role && sleeper.timed);
            if in_it {
                self.rouse(role, Wakeup::TimedOut);
            }
        }
    }
}

impl<E: Engine, O, A> State<E, O, A> {
    /// Ends a role's sleep, if it sleeps: returns the bed to be roused, once the state is no longer borrowed.
    pub(super) fn deliver(&mut self, role: usize, wakeup: Wakeup) -> Option<E::Bed> {
        let index = self.sleepers.iter().position(|sleeper| sleeper.role == role)?;
        let sleeper = self.sleepers.remove(index);
        self.delivered[role] = Some(wakeup);
        Some(sleeper.bed)
    }
}
