//! The platform of the checking worlds: the algorithms' accesses become steps of an [`Engine`], and around them a small
//! kernel is played: futexes, deaths, ticks and deadlines.
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
use crate::mutants::{Break, Mutant};
use crate::scenario::{ModelPlatform, peer};
use crate::spec::Actor;
use procession::platform::{Access, Int, Life, Ordering, Platform, Site, Wakeup};
use std::collections::{BTreeSet, HashMap};
use std::marker::PhantomData;
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

const ALIVE: u64 = 1;
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
}

struct Sleeper<E: Engine> {
    role: usize,
    process: usize,
    word: Arc<E::Atomic>,
    timed: bool,
    bed: E::Bed,
}

struct State<E: Engine, O, A> {
    story: Vec<Line<O, A>>,
    sleepers: Vec<Sleeper<E>>,
    /// What a sleeper comes back with, once somebody has decided.
    delivered: Vec<Option<Wakeup>>,
    expired: Vec<bool>,
    doomed: Vec<bool>,
    departed: Vec<usize>,
    deaths: usize,
    ticks: Vec<usize>,
    accesses: Vec<u64>,
    kill_reached: bool,
    sites: BTreeSet<&'static str>,
    /// What each role last read from each word: what it goes on believing when its second look is skipped.
    believed: HashMap<(usize, usize), u64>,
}

/// One execution of a scenario: what all its roles share.
pub struct Execution<E: Engine, O, A> {
    threads: Vec<usize>,
    /// ALIVE, and above it the threads that have departed; 0: dead.
    alive: Vec<E::Atomic>,
    clocks: Vec<E::Atomic>,
    kill: Option<Kill>,
    mutant: Option<Mutant>,
    state: Mutex<State<E, O, A>>,
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
            Line::Step(_) => None,
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
    fn state(&self) -> MutexGuard<'_, State<E, O, A>> {
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
            E::latest(&word, Ordering::Relaxed);
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
            E::latest(&word, Ordering::Relaxed);
            let in_it = self.state().sleepers.iter().any(|sleeper| sleeper.role == role && sleeper.timed);
            if in_it {
                self.rouse(role, Wakeup::TimedOut);
            }
        }
    }
}

impl<E: Engine, O, A> State<E, O, A> {
    /// Ends a role's sleep, if it sleeps: returns the bed to be roused, once the state is no longer borrowed.
    fn deliver(&mut self, role: usize, wakeup: Wakeup) -> Option<E::Bed> {
        let index = self.sleepers.iter().position(|sleeper| sleeper.role == role)?;
        let sleeper = self.sleepers.remove(index);
        self.delivered[role] = Some(wakeup);
        Some(sleeper.bed)
    }
}

/// A word in a checking world.
pub struct Word<E: Engine, V> {
    atomic: Arc<E::Atomic>,
    _value: PhantomData<fn() -> V>,
}

/// A role's view of the machine.
pub struct Checked<E: Engine, O, A> {
    /// The execution it is part of.
    pub execution: Arc<Execution<E, O, A>>,
    /// Who it is.
    pub actor: Actor,
}

impl<E: Engine, O: Clone, A: Clone> Checked<E, O, A> {
    /// Comes before every access: here a role is killed.
    fn step(&self, site: &'static Site) -> MutexGuard<'_, State<E, O, A>> {
        let process = self.actor.process;
        let mut state = self.execution.state();
        state.sites.insert(site.name);
        state.accesses[process] += 1;
        let struck = self.execution.kill == Some(Kill { process, access: state.accesses[process] });
        if struck {
            state.doomed[process] = true;
            state.kill_reached = true;
        }
        if state.doomed[process] {
            drop(state);
            resume_unwind(Box::new(Killed));
        }
        state
    }

    fn note(&self, site: &'static Site, what: impl FnOnce() -> String) {
        let step = Step { role: self.actor.role, site: site.name, what: what() };
        self.execution.state().story.push(Line::Step(step));
    }

    fn broken(&self, site: &'static Site) -> Option<Break> {
        self.execution.mutant.filter(|mutant| mutant.site == site.name).map(|mutant| mutant.how)
    }

    fn ordering(&self, site: &'static Site) -> Ordering {
        match self.broken(site) {
            Some(Break::Weaken(ordering)) => ordering,
            _ => site.ordering,
        }
    }

    fn fence_with(&self, site: &'static Site, ordering: Ordering) {
        drop(self.step(site));
        match self.broken(site) {
            Some(Break::Drop) => {}
            Some(Break::Weaken(weaker)) => E::fence(weaker),
            _ => E::fence(ordering),
        }
        self.note(site, || "fence".into());
    }
}

impl<E: Engine, O: Clone + 'static, A: Clone + 'static> Platform for Checked<E, O, A> {
    type Word<V: Int> = Word<E, V>;
    /// Whether the deadline can pass.
    type Deadline = bool;

    fn load<V: Int>(&self, word: &Word<E, V>, site: &'static Site) -> V {
        drop(self.step(site));
        let believed = (self.actor.role, Arc::as_ptr(&word.atomic).addr());
        if self.broken(site) == Some(Break::Recheck) {
            return V::from_u64(self.execution.state().believed.get(&believed).copied().unwrap_or_default());
        }
        let value = E::load(&word.atomic, self.ordering(site));
        self.execution.state().believed.insert(believed, value);
        self.note(site, || shown(value));
        V::from_u64(value)
    }
    fn store<V: Int>(&self, word: &Word<E, V>, value: V, site: &'static Site) {
        drop(self.step(site));
        E::store(&word.atomic, value.to_u64(), self.ordering(site));
        self.note(site, || format!(":= {}", shown(value.to_u64())));
    }
    fn swap<V: Int>(&self, word: &Word<E, V>, value: V, site: &'static Site) -> V {
        drop(self.step(site));
        let old = E::swap(&word.atomic, value.to_u64(), self.ordering(site));
        self.note(site, || format!("{} → {}", shown(old), shown(value.to_u64())));
        V::from_u64(old)
    }
    fn compare_exchange<V: Int>(&self, word: &Word<E, V>, current: V, new: V, site: &'static Site) -> Result<V, V> {
        drop(self.step(site));
        let result = E::compare_exchange(&word.atomic, current.to_u64(), new.to_u64(), self.ordering(site));
        self.note(site, || match result {
            Ok(old) => format!("{} → {}", shown(old), shown(new.to_u64())),
            Err(now) => format!("{}, not {}", shown(now), shown(current.to_u64())),
        });
        result.map(V::from_u64).map_err(V::from_u64)
    }
    fn fetch_add<V: Int>(&self, word: &Word<E, V>, value: V, site: &'static Site) -> V {
        drop(self.step(site));
        let old = E::fetch_add(&word.atomic, value.to_u64(), self.ordering(site));
        self.note(site, || format!("{} + {}", shown(old), shown(value.to_u64())));
        V::from_u64(old)
    }
    fn fence(&self, site: &'static Site) {
        self.fence_with(site, site.ordering);
    }
    // Both halves of the pair are full fences here. That makes light against light look ordered, which it is not: this
    // world can miss a light fence where a heavy one is needed, and says nothing about it.
    fn light_fence(&self, site: &'static Site) {
        self.fence_with(site, Ordering::SeqCst);
    }
    fn heavy_fence(&self, site: &'static Site) {
        self.fence_with(site, Ordering::SeqCst);
    }
    fn wait(&self, word: &Word<E, u32>, expected: u32, timed: bool, _ticks: u32, site: &'static Site) -> Wakeup {
        let role = self.actor.role;
        drop(self.step(site));
        if timed {
            E::latest(&self.execution.clocks[role], Ordering::Acquire);
        }
        let bed = E::bed();
        let now = E::latest(&word.atomic, Ordering::Relaxed);
        let wakeup = {
            let mut state = self.execution.state();
            if state.doomed[self.actor.process] {
                Some(Wakeup::Woken) // killed by another of its threads on the way: it stops at its next access
            } else if now != u64::from(expected) && self.broken(site) != Some(Break::Recheck) {
                Some(Wakeup::Changed)
            } else if timed && state.expired[role] {
                Some(Wakeup::TimedOut)
            } else if state.ticks[role] < state.deaths {
                state.ticks[role] += 1;
                Some(Wakeup::Tick)
            } else {
                state.sleepers.push(Sleeper {
                    role,
                    process: self.actor.process,
                    word: word.atomic.clone(),
                    timed,
                    bed: bed.clone(),
                });
                None
            }
        };
        if wakeup.is_none() {
            self.note(site, || "asleep".into());
        }
        let wakeup = wakeup.unwrap_or_else(|| {
            loop {
                E::sleep(&bed);
                if let Some(wakeup) = self.execution.state().delivered[role].take() {
                    break wakeup;
                }
            }
        });
        self.note(site, || format!("{wakeup:?}"));
        wakeup
    }
    fn wake(&self, word: &Word<E, u32>, count: u32, site: &'static Site) {
        drop(self.step(site));
        if self.broken(site) == Some(Break::Drop) {
            return;
        }
        E::latest(&word.atomic, Ordering::Relaxed);
        let here = |sleeper: &&Sleeper<E>| Arc::ptr_eq(&sleeper.word, &word.atomic);
        // All of them at once: whoever is roused first may run before the next is.
        let (woken, beds): (Vec<String>, Vec<E::Bed>) = {
            let mut state = self.execution.state();
            let here = state.sleepers.iter().filter(here).take(count as usize);
            let roles: Vec<usize> = here.map(|sleeper| sleeper.role).collect();
            let deliver = |role| Some((format!("role {role}"), state.deliver(role, Wakeup::Woken)?));
            roles.into_iter().filter_map(deliver).unzip()
        };
        beds.iter().for_each(E::rouse);
        self.note(site, || if woken.is_empty() { "nobody".into() } else { format!("wakes {}", woken.join(", ")) });
    }
    fn life(&self, asked: u32, site: &'static Site) -> Life {
        drop(self.step(site));
        debug_assert_eq!(site.access, Access::Ask);
        let process = (0..self.execution.alive.len()).find(|process| peer(*process) == asked);
        let unasked = self.broken(site) == Some(Break::Drop);
        let alive = unasked
            || process.is_some_and(|process| E::latest(&self.execution.alive[process], Ordering::Acquire) & ALIVE != 0);
        let life = if alive { Life::Alive } else { Life::Dead };
        self.note(site, || format!("peer {asked}: {life:?}"));
        life
    }
}

impl<E: Engine, O: Clone + 'static, A: Clone + 'static> ModelPlatform for Checked<E, O, A> {
    fn word<V: Int>(value: V) -> Word<E, V> {
        Word { atomic: Arc::new(E::atomic(value.to_u64())), _value: PhantomData }
    }
    fn deadline(&self) -> bool {
        true
    }
    fn never() -> bool {
        false
    }
}

/// A word for a person: small numbers as they are, a thread of a process as such, lock words by their bits.
fn shown(value: u64) -> String {
    const CONTENDED: u64 = 1 << 30;
    const DIED: u64 = 1 << 31;
    match value {
        0..CONTENDED => value.to_string(),
        _ if value >> 32 != 0 => format!("{}.{}", value >> 32, value & 0xffff_ffff),
        _ => {
            let bit = |bit, name| if value & bit != 0 { name } else { "" };
            format!("{}{}{}", value & (CONTENDED - 1), bit(CONTENDED, "+contended"), bit(DIED, "+died"))
        }
    }
}
