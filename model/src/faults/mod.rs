//! Protocols written only to be explored: each in its right form, and in forms broken on purpose. A checker that does not find
//! what is wrong with these would not find it in the code that ships.
//!
//! | file | protocol |
//! |---|---|
//! | [`lock`] | a lock whose word names its owner |
//! | [`flag_lock`] | a lock that is left by a plain store, with a flag or a count of its sleepers beside it |
//! | [`biased`] | a lock that its first owner enters without a modification |
//! | [`fences`] | the asymmetric fence pair |
//! | [`ring`] | a bounded ring, its sides asleep on each other's counts |
//! | [`claiming`] | a bounded ring whose places are claimed first and published later |
//! | [`fragments`] | messages in fragments, through a bounded ring |
//! | [`joinable`] | tasks, taken and done, and somebody who waits for all of them |

pub mod biased;
pub mod bounded;
pub mod claiming;
pub mod fences;
pub mod flag_lock;
pub mod fragments;
pub mod joinable;
pub mod lock;
pub mod ring;
mod ring_scenarios;
pub mod section;
pub mod tasks;

use crate::explorer::{Explored, Limits, Memory, Ticks, explore};
use crate::scenario::{Scenario, Subject};
use procession::platform::{Access, Site};
use std::time::Duration;

/// What the explorer should say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expected {
    /// Nothing is wrong, and every state was seen.
    Holds,
    /// Somebody is answered what no order of the operations explains.
    Unordered,
    /// Everybody who is left sleeps, nobody will wake them, and somebody of them need not wait.
    Asleep,
}

impl Expected {
    /// The violation, as the explorer words it.
    pub fn violation(self) -> Option<&'static str> {
        match self {
            Expected::Holds => None,
            Expected::Unordered => Some("no order of the operations explains the answers"),
            Expected::Asleep => Some("everybody left sleeps for ever"),
        }
    }
}

/// A protocol in one of its forms, the machine it is explored on, and what is to be found.
pub struct Fault {
    /// The scenario's name.
    pub name: &'static str,
    /// Explores the scenario. That is all that is done with it: these are not for the other worlds.
    explorer: Box<dyn Fn(&Limits) -> Explored + Send + Sync>,
    /// The memory.
    pub memory: Memory,
    /// How many processes may be killed.
    pub kills: u8,
    /// Who ticks when one was.
    pub ticks: Ticks,
    /// What is to be found.
    pub expected: Expected,
    /// What it shows, in a sentence.
    pub shows: &'static str,
}

impl Fault {
    fn new<S: Subject>(scenario: Scenario<S>, expected: Expected, shows: &'static str) -> Fault {
        let name = scenario.name;
        let explorer = Box::new(move |limits: &Limits| explore(&scenario, limits));
        Fault { name, explorer, memory: Memory::Sc, kills: 0, ticks: Ticks::Each, expected, shows }
    }
    fn holds<S: Subject>(scenario: Scenario<S>, shows: &'static str) -> Fault {
        Fault::new(scenario, Expected::Holds, shows)
    }
    fn unordered<S: Subject>(scenario: Scenario<S>, shows: &'static str) -> Fault {
        Fault::new(scenario, Expected::Unordered, shows)
    }
    fn asleep<S: Subject>(scenario: Scenario<S>, shows: &'static str) -> Fault {
        Fault::new(scenario, Expected::Asleep, shows)
    }
    fn killing(mut self, kills: u8) -> Fault {
        self.kills = kills;
        self
    }
    fn with_one_tick(mut self) -> Fault {
        self.ticks = Ticks::One;
        self
    }
    fn with_store_buffers(mut self) -> Fault {
        self.memory = Memory::Tso;
        self
    }

    /// Explores it. Nobody wakes for no reason: that could only hide a wake that is missing.
    pub fn explore(&self) -> Explored {
        self.explore_with(|limits| limits)
    }

    /// Explores it under other limits.
    pub fn explore_with(&self, change: impl FnOnce(Limits) -> Limits) -> Explored {
        let time = Duration::from_secs(120);
        let (memory, kills, ticks) = (self.memory, self.kills, self.ticks);
        (self.explorer)(&change(Limits { memory, kills, ticks, spurious: 0, time, ..Limits::default() }))
    }
}

/// Every fixture, form by form.
pub fn faults() -> Vec<Fault> {
    let all = [
        lock::faults(),
        flag_lock::faults(),
        fences::faults(),
        ring_scenarios::faults(),
        claiming::faults(),
        fragments::faults(),
        biased::faults(),
        joinable::faults(),
    ];
    all.into_iter().flatten().collect()
}

/// A site of a fixture. Fixtures run only where memory is ordered in total, so its ordering is nobody's business.
const fn site(name: &'static str, access: Access) -> Site {
    Site::plain(name, access, "a fixture: explored where orderings make no difference")
}
