//! A state: a row of numbers, so that it can be compared and hashed as bytes, and what can be read from it.
//!
//! | what | how many |
//! |---|---|
//! | the shared words | one each |
//! | per role: its place, whether it sleeps, its ticks, whom its heavy fence waits for | one |
//! | per role, in TSO only: its store buffer, oldest first | two for each of `DEPTH` |
//! | in race mode only: the [clocks](super::clocks) | |
//! | the set of configurations, who is dead, the kills and the spurious wake-ups left | one |

use super::Ticks;
use super::configurations::Set;
use super::machine::Machine;
use super::roles::Place;
use crate::scenario::Subject;

/// A state, as a row of numbers.
pub type State = Box<[u64]>;

// Beside a role's place:
pub(super) const ASLEEP: u64 = 1 << 32;
pub(super) const TICK: u64 = 1 << 40; // and from bit 48 on, see buffers
// Beside the set of configurations; the dead stand in the byte from bit 32 on.
pub(super) const KILL: u64 = 1 << 40;
pub(super) const SPURIOUS: u64 = 1 << 48;
pub(super) const RACED: u64 = 1 << 56;
pub(super) const BYTE: u64 = 0xff;

impl<S: Subject> Machine<S> {
    /// Where a role is.
    pub fn place(&self, state: &[u64], role: usize) -> Place {
        state[self.words + role] as Place
    }

    /// Whether a role sleeps.
    pub fn is_asleep(&self, state: &[u64], role: usize) -> bool {
        state[self.words + role] & ASLEEP != 0
    }

    /// The judge's set.
    pub fn set(&self, state: &[u64]) -> Set {
        state[state.len() - 1] as Set
    }

    /// Whether an access on the way here was not ordered as its site claims.
    pub fn has_raced(&self, state: &[u64]) -> bool {
        state[state.len() - 1] & RACED != 0
    }

    /// Whether everybody has ended or is dead.
    pub fn is_over(&self, state: &[u64]) -> bool {
        (0..self.count).all(|role| self.roles.request(self.place(state, role)).is_none())
    }

    /// Whether all who have not ended wait for something that, by the specification, need not come: a lawful end, too.
    pub fn waits_lawfully(&self, state: &[u64]) -> bool {
        let left = (0..self.count).filter(|role| self.roles.request(self.place(state, *role)).is_some());
        let left: Vec<usize> = left.collect();
        left.iter().all(|role| self.is_asleep(state, *role)) && self.configurations.may_wait(self.set(state), &left)
    }

    /// How many have died.
    pub(super) fn deaths(&self, state: &[u64]) -> u64 {
        (state[state.len() - 1] >> 32 & BYTE).count_ones().into()
    }

    /// How often a role has ticked; or everybody, where they share their ticks.
    pub(super) fn ticks(&self, state: &[u64], role: usize) -> u64 {
        let of = |role: usize| state[self.words + role] >> 40 & BYTE;
        if self.limits.ticks == Ticks::One { (0..self.count).map(of).sum() } else { of(role) }
    }

    /// What is kept beside the place of a role that goes no further: its ticks, if they were others' as well.
    pub(super) fn kept(&self, own: u64) -> u64 {
        if self.limits.ticks == Ticks::One { own & BYTE << 40 } else { 0 }
    }

    /// Whether a process is dead.
    pub fn is_dead(&self, state: &[u64], process: usize) -> bool {
        state[state.len() - 1] >> (32 + process) & 1 == 1
    }
}
