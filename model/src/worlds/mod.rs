//! Worlds: ways of running a scenario. Each answers what it saw and how much of everything that could happen it has seen.

mod array_jobs;
pub mod checked;
pub mod engine;
pub mod explore;
mod handle_jobs;
pub mod jobs;
pub mod kernel;
pub mod processes;
pub mod program_queues;
mod program_roles;
pub mod programs;
pub mod sequential;

use crate::explorer::Memory;
use crate::mutants::Mutant;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

static INTERRUPTED: OnceLock<()> = OnceLock::new();

/// Asks everything under way to stop soon and tidily: explorations end as stopped, jobs as not run.
pub fn interrupt() {
    INTERRUPTED.get_or_init(|| ());
}

/// Whether somebody has asked for that.
pub fn is_interrupted() -> bool {
    INTERRUPTED.get().is_some()
}

/// A world, and how far it is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum World {
    /// loom: interleavings and C11 orderings; all of them, or those with so many preemptions at the most. It misses some
    /// interleavings of a load and a later write of one word by one thread; `LoomRmw` does not.
    Loom(Option<usize>),
    /// loom with every load a `fetch_or(0)` and every store a `swap`: no stale reads, no missed interleavings.
    LoomRmw(Option<usize>),
    /// shuttle, depth first: all interleavings, if they end within so many schedules.
    ShuttleDfs(usize),
    /// shuttle, probabilistic concurrency testing: depth, schedules.
    ShuttlePct(usize, usize),
    /// shuttle, at random: schedules.
    ShuttleRandom(usize),
    /// Our own explorer: every state, with one kill at any moment where there are to be kills.
    Explorer(Memory),
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            World::Loom(_) => "loom",
            World::LoomRmw(_) => "loom-rmw",
            World::ShuttleDfs(_) => "shuttle-dfs",
            World::ShuttlePct(..) => "shuttle-pct",
            World::ShuttleRandom(_) => "shuttle-random",
            World::Explorer(Memory::Sc) => "explorer",
            World::Explorer(Memory::Tso) => "explorer-tso",
            World::Explorer(Memory::Race) => "explorer-race",
        })
    }
}

/// How much of everything that could happen was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Extent {
    /// All of it, as this world counts.
    Exhausted,
    /// All of it with at most so many preemptions.
    Bounded(usize),
    /// A sample of the planned size. It says nothing about the rest.
    Sampled,
    /// Less than was planned: time or budget ran out.
    Stopped,
}

impl Extent {
    /// The lesser of two.
    #[must_use]
    pub fn and(self, other: Extent) -> Extent {
        let rank = |extent| match extent {
            Extent::Exhausted => (3, usize::MAX),
            Extent::Bounded(bound) => (2, bound),
            Extent::Sampled => (1, 0),
            Extent::Stopped => (0, 0),
        };
        if rank(self) <= rank(other) { self } else { other }
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Extent::Exhausted => f.write_str("exhausted"),
            Extent::Bounded(bound) => write!(f, "bounded({bound})"),
            Extent::Sampled => f.write_str("sampled"),
            Extent::Stopped => f.write_str("stopped"),
        }
    }
}

/// How to run a scenario.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Where.
    pub world: World,
    /// Whether each process is also killed before each of its shared accesses, in turn.
    pub kills: bool,
    /// Whether to go on after a violation, and keep the story of the one with the fewest switches between roles.
    pub survey: bool,
    /// A site that is broken on purpose.
    pub mutant: Option<Mutant>,
    /// When to stop.
    pub limit: Duration,
}

impl Setting {
    /// Nobody killed, nothing broken, a minute.
    pub fn new(world: World) -> Setting {
        Setting { world, kills: false, survey: false, mutant: None, limit: Duration::from_secs(60) }
    }
    /// Each process is killed before each of its accesses, in turn.
    #[must_use]
    pub fn with_kills(mut self) -> Setting {
        self.kills = true;
        self
    }
    /// With a site broken.
    #[must_use]
    pub fn with_mutant(mut self, mutant: Mutant) -> Setting {
        self.mutant = Some(mutant);
        self
    }
}

/// What a run saw.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// How much. `None`: it stopped at a violation, which is all one needs to know.
    pub extent: Option<Extent>,
    /// How many executions; in the explorer, states.
    pub executions: u64,
    /// At how many places somebody was killed.
    pub kill_points: u64,
    /// What the roles were told, every way it came out, and how often.
    pub outcomes: BTreeMap<String, u64>,
    /// The sites that were reached.
    pub sites: BTreeSet<&'static str>,
    /// What was wrong, if anything.
    pub violation: Option<Violation>,
    /// How long it took.
    pub took: Duration,
}

/// What went wrong, and the story of it.
#[derive(Debug, Clone)]
pub struct Violation {
    /// In one line.
    pub what: String,
    /// The accesses and events that led there, drawn as lanes.
    pub story: String,
    /// How often the story goes from one role to another.
    pub switches: usize,
}

impl Run {
    /// Whether nothing was wrong, so far as was seen.
    pub fn holds(&self) -> bool {
        self.violation.is_none()
    }
}
