//! The explorer: every state that a scenario can come to, with a process killed at any moment, told apart by everything that a
//! verdict depends on. Nothing is replayed for a state: what a role does is learned once ([`roles`]), what a judge says too
//! ([`configurations`]), and a state is a row of numbers ([`machine`]). The search is breadth first, so that the first
//! counterexample is the shortest ([`search`]); on the finished graph it is asked whether anybody can run for ever
//! ([`liveness`]).

mod buffers;
pub mod clocks;
pub mod configurations;
mod expand;
pub mod liveness;
pub mod machine;
pub mod replay;
pub mod roles;
pub mod search;
mod seen;
pub mod state;
mod story;

use crate::mutants::Mutant;
use std::time::Duration;

pub use search::{Explored, explore};

/// What memory does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Memory {
    /// Every access is at once everybody's: sequential consistency.
    Sc,
    /// Stores wait in a buffer: total store order, as on x86. The only memory that can judge the asymmetric fences.
    Tso,
    /// Sequential consistency, with an account of what happened before what by the orderings as they are written: an access
    /// that claims to be ordered by something else, and is not, is a race.
    Race,
}

impl Memory {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Memory::Sc => "sc",
            Memory::Tso => "tso",
            Memory::Race => "race",
        }
    }
}

/// How far a search is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// The scenario.
    pub scenario: &'static str,
    /// How many states were seen.
    pub states: usize,
    /// How many of them are still to be gone on from.
    pub frontier: usize,
    /// States a second.
    pub per_second: u64,
}

/// Who ticks when somebody has died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ticks {
    /// Everybody who sleeps, once.
    Each,
    /// The same, in each of its operations: who has found out in one of them may have to find out again in the next, about
    /// something else that the dead one left behind.
    EachOperation,
    /// One of those who sleep, and nobody after it: its look must be enough for all. Where everybody ticks, whoever was
    /// forgotten is found by its own tick; so this asks for more.
    One,
}

/// How far to go.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// What memory does.
    pub memory: Memory,
    /// How many processes may be killed.
    pub kills: u8,
    /// Whether a process may be killed, too, that has done all it had to do, while others go on. It is still a peer: its death
    /// can be asked after, and what it left behind looked at. (Worlds whose kills come at accesses do not know of it.)
    pub idle_kills: bool,
    /// Who ticks when one was.
    pub ticks: Ticks,
    /// How many sleeps may end for no reason.
    pub spurious: u8,
    /// Whether roles that were answered differently are told apart, so that every outcome is seen.
    pub outcomes: bool,
    /// Whether the algorithms are believed about their loop heads. Without, there are more states, and the same verdicts.
    pub loop_heads: bool,
    /// A site that is broken on purpose.
    pub mutant: Option<Mutant>,
    /// The most states.
    pub states: usize,
    /// When to stop.
    pub time: Duration,
    /// How many threads a large search has, 1 or 2. It sees the same with either; who runs several searches at once leaves it
    /// at 1.
    pub threads: usize,
    /// Is told now and then how far the search is.
    pub watch: fn(&Progress),
}

impl Default for Limits {
    /// Sequential consistency, nobody killed, one spurious wake-up, a minute.
    fn default() -> Limits {
        Limits {
            memory: Memory::Sc,
            kills: 0,
            idle_kills: true,
            ticks: Ticks::Each,
            spurious: 1,
            outcomes: false,
            loop_heads: true,
            mutant: None,
            states: 32_000_000,
            time: Duration::from_secs(60),
            threads: 1,
            watch: |_| (),
        }
    }
}
