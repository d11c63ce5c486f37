//! The store buffers of TSO, and the fence that waits for those of others.
//!
//! A buffer is a row of pairs: a word's number plus one, and a value; zeros where there is none. Beside a role's place stands, a
//! bit for each role, whose buffer has not been empty since its heavy fence began, and its own bit while that lasts.

use super::Memory;
use super::machine::Machine;
use super::state::{BYTE, State};
use crate::scenario::Subject;

/// How many stores a buffer holds.
pub const DEPTH: usize = 2;

const FENCING: u32 = 48;

impl<S: Subject> Machine<S> {
    /// A role's buffer: pairs of a word's number plus one, and a value.
    pub(super) fn buffer<'a>(&self, role: usize, state: &'a [u64]) -> &'a [u64] {
        &state[self.words + self.count + role * DEPTH * 2..][..DEPTH * 2]
    }

    /// What a role sees in a word: its own latest store, if that is still in its buffer.
    pub fn seen(&self, state: &[u64], role: usize, word: usize) -> u64 {
        if self.limits.memory != Memory::Tso {
            return state[word];
        }
        let entries = self.buffer(role, state).chunks_exact(2).rev();
        entries.filter(|entry| entry[0] == word as u64 + 1).map(|entry| entry[1]).next().unwrap_or(state[word])
    }

    /// Puts a store into the buffer, if there is room.
    pub(super) fn put(&self, state: &mut State, role: usize, word: usize, value: u64) -> bool {
        let at = self.words + self.count + role * DEPTH * 2;
        let Some(free) = (0..DEPTH).find(|index| state[at + 2 * index] == 0) else { return false };
        state[at + 2 * free] = word as u64 + 1;
        state[at + 2 * free + 1] = value;
        true
    }

    /// The oldest store reaches memory.
    pub(super) fn flush(&self, state: &mut State, role: usize) {
        let at = self.words + self.count + role * DEPTH * 2;
        let (word, value) = (state[at], state[at + 1]);
        if word != 0 {
            state[word as usize - 1] = value;
            state.copy_within(at + 2..at + 2 * DEPTH, at);
            state[at + 2 * DEPTH - 2..at + 2 * DEPTH].fill(0);
            if state[at] == 0 {
                let roles = &mut state[self.words..self.words + self.count];
                roles.iter_mut().for_each(|own| *own &= !(1 << (FENCING + role as u32)));
            }
        }
    }

    /// All of a role's stores reach memory.
    pub(super) fn empty(&self, state: &mut State, role: usize) {
        (0..DEPTH).for_each(|_| self.flush(state, role));
    }

    /// Begins a heavy fence, or goes on with it: says whether it is over.
    pub(super) fn fence_everybody(&self, state: &mut State, role: usize) -> bool {
        let me = 1 << role;
        let at = self.words + role;
        let mut waits_for = state[at] >> FENCING & BYTE;
        if waits_for == 0 {
            let others = (0..self.count).filter(|other| self.buffer(*other, state)[0] != 0);
            waits_for = others.fold(me, |all, other| all | 1 << other);
        }
        let over = waits_for == me;
        state[at] = state[at] & !(BYTE << FENCING) | if over { 0 } else { waits_for << FENCING };
        over
    }
}
