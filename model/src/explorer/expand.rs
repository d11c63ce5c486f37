//! Going on from states, many at a time: the half of a search that takes a machine, and no table of the states seen. What it
//! finds is all that the other half ([`seen`](super::seen)) needs to know, so that the two can be done by two threads.

use super::configurations::NOTHING;
use super::machine::{Machine, Move};
use super::story;
use crate::scenario::Subject;
use xxhash_rust::xxh3::xxh3_128;
use zerocopy::IntoBytes;

/// What stands for a state in a table: 128 bits. Of 10^8 states, two share one with a probability of 10^-23.
pub(super) type Key = (u64, u64);

/// The key of a state.
pub(super) fn key(state: &[u64]) -> Key {
    // Native bytes of a row of integers: the same row has the same key within this run, which is all that is asked.
    let key = xxh3_128(state.as_bytes());
    ((key >> 64) as u64, key as u64)
}

/// What was found from some states, in their order.
#[derive(Default)]
pub(super) struct Found {
    pub(super) states: Vec<Expanded>,
    /// All their steps.
    pub(super) steps: Vec<Next>,
    /// The states that the steps lead to, one behind the other.
    pub(super) rows: Vec<u64>,
}

/// A state that was gone on from.
pub(super) struct Expanded {
    /// How many of the steps are its own.
    pub(super) steps: usize,
    /// Whether anybody goes on from it.
    pub(super) end: End,
    /// How it came out; only if it is over, and it was asked for.
    pub(super) outcome: Option<String>,
}

/// Whether anybody goes on from a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Somebody does.
    Not,
    /// Everybody has ended or is dead.
    Over,
    /// Whoever has not waits lawfully.
    Waits,
    /// Somebody should, and does not.
    Stuck,
}

/// A step.
pub(super) struct Next {
    pub(super) key: Key,
    pub(super) how: Move,
    /// What is wrong with the state it leads to, if anything.
    pub(super) wrong: Option<&'static str>,
}

/// Goes on from states that stand one behind the other.
pub(super) fn expand<S: Subject>(machine: &mut Machine<S>, states: &[u64], width: usize) -> Found {
    let mut found = Found::default();
    let mut steps = Vec::new();
    for state in states.chunks_exact(width) {
        machine.steps(state, &mut steps);
        let end = if machine.is_over(state) {
            End::Over
        } else if steps.iter().any(|step| step.how.who().is_some()) {
            End::Not
        } else if machine.waits_lawfully(state) {
            End::Waits
        } else {
            End::Stuck
        };
        let is_asked = machine.limits.outcomes && matches!(end, End::Over | End::Waits);
        let outcome = is_asked.then(|| story::outcome(machine, state));
        found.states.push(Expanded { steps: steps.len(), end, outcome });
        for step in steps.drain(..) {
            found.steps.push(Next { key: key(&step.to), how: step.how, wrong: wrong(machine, &step.to) });
            found.rows.extend_from_slice(&step.to);
        }
    }
    found
}

fn wrong<S: Subject>(machine: &Machine<S>, state: &[u64]) -> Option<&'static str> {
    if machine.has_raced(state) {
        return Some("an access that claims to be ordered after the last write is not");
    }
    (machine.set(state) == NOTHING).then_some("no order of the operations explains the answers")
}
