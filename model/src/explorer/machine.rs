//! The machine: shared words, sleepers, deaths, and every step that anybody can take from a [state](super::state).
//!
//! Rules:
//! 1. A wait is one step, which compares the word and falls asleep. Any sleeper of the word may be the one that is woken.
//! 2. A kill can come at any moment: to a role that runs or sleeps, and to a process that has done all it had to do, as long as
//!    others have not. A role that is dead and not yet known to be is the same as one that is stopped: so it is known at once.
//! 3. Nobody ticks before the first death; after each, everybody once, or once in each operation, or one for all
//!    ([`Ticks`]). Whoever would need another tick sleeps for ever.
//! 4. A sleep with a deadline may end by it at any moment. A sleep may end for no reason, a few times in all.
//! 5. In TSO a store goes to the role's buffer, of `DEPTH` places, and from there to memory at any later moment; a
//!    modification, a sequentially consistent store or fence, a wait or a wake comes after one's own stores are in memory, and
//!    so does the end of an operation: whoever learns of it has learned it by way of memory. A death empties its victim's
//!    buffer. A light fence does nothing. A heavy one is over when everybody's buffer has been empty at some moment since it
//!    began: it reaches the others one after the other, and who has been reached may store again while the next is not yet.

use super::buffers::DEPTH;
use super::clocks::Clocks;
use super::configurations::{Configurations, Set};
use super::replay::{Reply, Request, What};
use super::roles::{Moved, Roles};
use super::state::{ASLEEP, BYTE, KILL, RACED, SPURIOUS, State, TICK};
use super::{Limits, Memory, Ticks};
use crate::scenario::Subject;
use procession::platform::{Ordering, Wakeup};

/// The most roles a scenario may have: the dead stand in a byte.
pub const MOST_ROLES: usize = 8;

/// A step that was found, and what can be told of it: a range of [`Machine::log`].
pub struct Step {
    /// Which.
    pub how: Move,
    /// The state it leads to.
    pub to: State,
    /// What can be told of it.
    pub log: std::ops::Range<usize>,
}

/// A step that can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// A role makes the access it is about to make; a wake, with this choice of the sleepers.
    Access(usize, u16),
    /// A sleeper's tick.
    Tick(usize),
    /// A sleeper's deadline.
    TimeOut(usize),
    /// A sleeper wakes for no reason.
    Spurious(usize),
    /// The oldest store of a role's buffer reaches memory.
    Flush(usize),
    /// A process is killed.
    Kill(usize),
}

impl Move {
    /// Who makes it, if it is sure to come: a role, or (from [`MOST_ROLES`] on) its buffer. A kill may never come, nor a
    /// wake-up for no reason.
    pub fn who(self) -> Option<u8> {
        match self {
            Move::Access(role, _) | Move::Tick(role) | Move::TimeOut(role) => Some(role as u8),
            Move::Flush(role) => Some((role + MOST_ROLES) as u8),
            Move::Spurious(_) | Move::Kill(_) => None,
        }
    }
}

/// Everything that can happen, and what has been learned of it.
pub struct Machine<S: Subject> {
    /// The roles.
    pub roles: Roles<S>,
    /// The judge.
    pub configurations: Configurations<S>,
    /// What can be told of the steps found last: the role, and the number of the telling.
    pub log: Vec<(usize, u32)>,
    pub(super) words: usize,
    pub(super) count: usize,
    clocks: Clocks,
    pub(super) limits: Limits,
}

impl<S: Subject> Machine<S> {
    /// A machine at rest, and its first state.
    pub fn new(mut roles: Roles<S>, words: Vec<u64>, limits: Limits) -> (Machine<S>, State) {
        let (mut configurations, mut set) = Configurations::new(roles.scenario());
        let count = roles.scenario().roles.len();
        let mut state = words.clone();
        for role in 0..count {
            let Moved { to, told } = roles.start(role);
            set = configurations.tell(set, told, roles.told(told));
            state.push(to.into());
        }
        let clocks = Clocks::new(state.len(), count, words.len());
        match limits.memory {
            Memory::Sc => {}
            Memory::Tso => state.extend(std::iter::repeat_n(0, count * DEPTH * 2)),
            Memory::Race => state.extend(std::iter::repeat_n(u64::MAX, clocks.count())),
        }
        state.push(u64::from(set) + u64::from(limits.kills) * KILL + u64::from(limits.spurious) * SPURIOUS);
        (Machine { roles, configurations, log: Vec::new(), words: words.len(), count, clocks, limits }, state.into())
    }

    /// Every step from `state`, with the state that it leads to.
    pub fn steps(&mut self, state: &[u64], steps: &mut Vec<Step>) {
        steps.clear();
        self.log.clear();
        for role in 0..self.count {
            let place = self.place(state, role);
            if self.limits.memory == Memory::Tso && self.buffer(role, state)[0] != 0 {
                let mut next: State = state.into();
                self.flush(&mut next, role);
                self.found(steps, Move::Flush(role), next);
            }
            let Some(request) = self.roles.request(place).copied() else { continue };
            if self.is_asleep(state, role) {
                self.sleeper_steps(state, role, &request, steps);
            } else {
                self.access(state, role, &request, steps);
            }
        }
        if state[state.len() - 1] >> 40 & BYTE > 0 {
            for process in 0..self.count {
                self.kill(state, process, steps);
            }
        }
    }

    fn sleeper_steps(&mut self, state: &[u64], role: usize, request: &Request, steps: &mut Vec<Step>) {
        let last = state.len() - 1;
        let wake = |machine: &mut Self, steps: &mut Vec<Step>, how: Move, wakeup: Wakeup| {
            let mut next: State = state.into();
            match how {
                Move::Tick(_) => next[machine.words + role] += TICK,
                Move::Spurious(_) => next[last] -= SPURIOUS,
                _ => {}
            }
            machine.advance(&mut next, role, Reply::woken(wakeup));
            machine.found(steps, how, next);
        };
        if self.ticks(state, role) < self.deaths(state) {
            wake(self, steps, Move::Tick(role), Wakeup::Tick);
        }
        if matches!(request.what, What::Wait { timed: true, .. }) {
            wake(self, steps, Move::TimeOut(role), Wakeup::TimedOut);
        }
        if state[last] >> 48 & BYTE > 0 {
            wake(self, steps, Move::Spurious(role), Wakeup::Woken);
        }
    }

    fn access(&mut self, state: &[u64], role: usize, request: &Request, steps: &mut Vec<Step>) {
        let mut next: State = state.into();
        let tso = self.limits.memory == Memory::Tso;
        let orders_stores = match request.what {
            What::Load(_) | What::LightFence | What::Life(_) | What::End => false,
            What::Store(..) | What::Fence => request.ordering == Ordering::SeqCst,
            _ => true,
        };
        if tso && orders_stores {
            self.empty(&mut next, role);
        }
        let reply = match request.what {
            What::Load(word) => Reply { value: self.seen(&next, role, word), done: true },
            What::Store(word, value) => {
                if !tso || orders_stores {
                    next[word] = value;
                } else if !self.put(&mut next, role, word, value) {
                    return; // the buffer is full: a flush comes first
                }
                Reply::default()
            }
            What::Swap(word, value) => Reply { value: std::mem::replace(&mut next[word], value), done: true },
            What::CompareExchange(word, current, new) => {
                let (value, done) = (next[word], next[word] == current);
                if done {
                    next[word] = new;
                }
                Reply { value, done }
            }
            What::FetchAdd(word, value, mask) => {
                let old = next[word];
                next[word] = old.wrapping_add(value) & mask;
                Reply { value: old, done: true }
            }
            What::Fence | What::LightFence => Reply::default(),
            What::HeavyFence if tso && !self.fence_everybody(&mut next, role) => {
                if next[..] != *state {
                    self.found(steps, Move::Access(role, 0), next); // it has begun
                }
                return;
            }
            What::HeavyFence => Reply::default(),
            What::Wait { word, expected, compares, .. } => {
                self.note(&mut next, role, request, Reply::default());
                if !compares || next[word] as u32 == expected {
                    next[self.words + role] |= ASLEEP;
                    self.found(steps, Move::Access(role, 0), next);
                    return;
                }
                Reply::woken(Wakeup::Changed)
            }
            What::Wake(word, count) => return self.wake(&next, role, word, count, steps),
            What::End if self.buffer(role, state)[0] != 0 => return, // a flush comes first
            What::End => Reply::default(),
            What::Life(process) => Reply { value: u64::from(!self.is_dead(&next, process)), done: true },
        };
        self.note(&mut next, role, request, reply);
        self.advance(&mut next, role, reply);
        self.found(steps, Move::Access(role, 0), next);
    }

    /// In race mode: keeps the clocks.
    fn note(&self, state: &mut State, role: usize, request: &Request, reply: Reply) {
        if self.limits.memory != Memory::Race {
            return;
        }
        let asked: Vec<usize> = match request.what {
            What::Life(process) => {
                (0..self.count).filter(|role| self.roles.scenario().roles[*role].process == process).collect()
            }
            _ => Vec::new(),
        };
        if !self.clocks.note(state, role, request, reply, &asked) {
            let last = state.len() - 1;
            state[last] |= RACED;
        }
    }

    /// A wake: one step for every choice of those who are woken.
    fn wake(&mut self, state: &[u64], role: usize, word: usize, count: u32, steps: &mut Vec<Step>) {
        let sleeps_here = |other: &usize| {
            let request = self.roles.request(self.place(state, *other));
            self.is_asleep(state, *other) && request.is_some_and(|request| request.what.word() == Some(word))
        };
        let sleepers: Vec<usize> = (0..self.count).filter(sleeps_here).collect();
        let woken = (count as usize).min(sleepers.len());
        for choice in (0..1u16 << sleepers.len()).filter(|choice| choice.count_ones() as usize == woken) {
            let mut next: State = state.into();
            for (index, sleeper) in sleepers.iter().enumerate() {
                if choice >> index & 1 == 1 {
                    self.advance(&mut next, *sleeper, Reply::woken(Wakeup::Woken));
                }
            }
            self.advance(&mut next, role, Reply::default());
            self.found(steps, Move::Access(role, choice), next);
        }
    }

    fn kill(&mut self, state: &[u64], process: usize, steps: &mut Vec<Step>) {
        let roles: Vec<usize> =
            (0..self.count).filter(|role| self.roles.scenario().roles[*role].process == process).collect();
        if roles.is_empty() || self.is_dead(state, process) {
            return;
        }
        let is_idle = roles.iter().all(|role| self.roles.request(self.place(state, *role)).is_none());
        if is_idle && (!self.limits.idle_kills || self.is_over(state)) {
            return;
        }
        let mut next: State = state.into();
        for role in roles {
            if self.limits.memory == Memory::Tso {
                self.empty(&mut next, role);
            }
            let end: u64 = self.roles.stop(role, self.place(state, role)).into();
            next[self.words + role] = end | self.kept(state[self.words + role]);
        }
        let last = next.len() - 1;
        let set = self.configurations.died(next[last] as Set, process);
        next[last] = next[last] & !u64::from(u32::MAX) | u64::from(set);
        next[last] = (next[last] | 1 << (32 + process)) - KILL;
        self.found(steps, Move::Kill(process), next);
    }

    /// A step has been found; what can be told of it was logged since the one before.
    fn found(&mut self, steps: &mut Vec<Step>, how: Move, to: State) {
        let from = steps.last().map_or(0, |step| step.log.end);
        steps.push(Step { how, to, log: from..self.log.len() });
    }

    /// A role is told `reply`, and goes on to where it asks again.
    fn advance(&mut self, state: &mut State, role: usize, reply: Reply) {
        let Moved { to, told } = self.roles.step(self.place(state, role), reply);
        let own = state[self.words + role];
        // How somebody slept who has ended is nobody's business any more.
        let has_ended = self.roles.request(to).is_none();
        let mut beside = if has_ended { self.kept(own) } else { own & !(u64::from(u32::MAX) | ASLEEP) };
        if told != 0 && self.limits.ticks == Ticks::EachOperation {
            beside &= !(BYTE << 40); // another operation begins
        }
        state[self.words + role] = beside | u64::from(to);
        if told != 0 {
            self.log.push((role, told));
        }
        let last = state.len() - 1;
        let set = self.configurations.tell(state[last] as Set, told, self.roles.told(told));
        state[last] = state[last] & !u64::from(u32::MAX) | u64::from(set);
    }
}
