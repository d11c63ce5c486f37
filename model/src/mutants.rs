//! Breaking things on purpose: every ordering one step weaker, every wake dropped, every second look skipped, one at a time,
//! through the sites. A check that cannot fail checks nothing.

use crate::explore::{fences, scenarios};
use crate::worlds::{Setting, World};
use procession::algorithm::sites;
use procession::platform::{Access, Ordering, Site};
use std::fmt;

/// One site, broken in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mutant {
    /// The site's name.
    pub site: &'static str,
    /// How it is broken.
    pub how: Break,
}

/// A way to break a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Break {
    /// A weaker ordering.
    Weaken(Ordering),
    /// The access is left out: a wake that does not come, a fence that is not there, a question that is not asked.
    Drop,
    /// The second look is skipped: a sleeper that does not compare, a reader that does not look whether things changed.
    Recheck,
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.how {
            Break::Weaken(ordering) => write!(f, "{} {ordering:?}", self.site),
            Break::Drop => write!(f, "{} dropped", self.site),
            Break::Recheck => write!(f, "{} not looked at", self.site),
        }
    }
}

/// Every mutant of every site of every algorithm.
pub fn all() -> Vec<Mutant> {
    sites().chain(fences::SITES.iter().copied()).flat_map(of).collect()
}

fn of(site: &'static Site) -> Vec<Mutant> {
    use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
    let mut ways: Vec<Break> = match (site.access, site.ordering) {
        (_, Relaxed) => vec![],
        (_, AcqRel) => vec![Break::Weaken(Acquire), Break::Weaken(Release)],
        (_, SeqCst) => vec![Break::Weaken(AcqRel)],
        // A fence that orders nothing is no fence.
        (Access::Fence, _) => vec![],
        _ => vec![Break::Weaken(Relaxed)],
    };
    match site.access {
        Access::Wake | Access::Fence | Access::LightFence | Access::HeavyFence | Access::Ask => ways.push(Break::Drop),
        Access::Wait | Access::Recheck => ways.push(Break::Recheck),
        Access::Load | Access::Store | Access::Modify => {}
    }
    ways.into_iter().map(|how| Mutant { site: site.name, how }).collect()
}

/// Who caught a mutant.
#[derive(Debug, Clone)]
pub struct Caught {
    /// The scenario.
    pub scenario: &'static str,
    /// Where it ran.
    pub world: World,
    /// Whether somebody had to be killed.
    pub kills: bool,
    /// What was seen.
    pub what: String,
}

/// The primitive whose scenarios a site is for: the first word of their names.
pub fn family(site: &str) -> &str {
    match site.split('.').next() {
        Some("ring" | "record") => "pipe",
        Some("join" | "tally") => "joinable",
        Some("copy") => "again",
        family => family.unwrap_or_default(),
    }
}

/// Looks for a scenario that notices the mutant: those of its own primitive first; without kills, then with.
pub fn hunt(mutant: Mutant) -> Result<Caught, Missed> {
    let mut missed = Missed { reached: false, executions: 0 };
    let family = family(mutant.site);
    // A yardstick that fails anyway proves nothing.
    let mut scenarios: Vec<_> = scenarios().into_iter().filter(|scenario| !scenario.fails()).collect();
    scenarios.sort_by_key(|scenario| !scenario.name().starts_with(family));
    // One preemption catches most, and ends at once; two catch all but a few, and end soon.
    for (preemptions, kills) in [(1, false), (1, true), (2, false), (2, true)] {
        let own = |name: &str| preemptions > 1 || name.starts_with(family);
        for scenario in scenarios.iter().filter(|scenario| own(scenario.name())) {
            // loom first: only there can an ordering matter.
            for world in [World::Loom(Some(preemptions)), World::LoomRmw(Some(preemptions))] {
                let run = scenario.run(&Setting { kills, mutant: Some(mutant), ..Setting::new(world) });
                missed.reached |= run.sites.contains(mutant.site);
                missed.executions += run.executions;
                if let Some(violation) = run.violation {
                    return Ok(Caught { scenario: scenario.name(), world, kills, what: violation.what });
                }
            }
        }
    }
    Err(missed)
}

/// Nobody noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// Whether any scenario reached the site at all.
    pub reached: bool,
    /// How many executions were looked at.
    pub executions: u64,
}

/// The mutants that no engine can notice, and why: to all of them each is equivalent to the original.
pub const EQUIVALENT: &[(&str, &str)] = &[
    ("ring.give_back Relaxed", READ_TOO_LATE),
    ("ring.see_head Relaxed", READ_TOO_LATE),
    ("ring.close Relaxed", FENCED_ANYWAY),
    ("ring.going Relaxed", FENCED_ANYWAY),
    ("tally.done Relaxed", FENCED_ANYWAY),
    ("peers.release Relaxed", FENCED_ANYWAY),
    ("tally.has_taken Relaxed", FENCED_AFTER),
    ("tally.acknowledge Relaxed", THREE_AND_A_DEATH),
    ("copy.done Relaxed", FOR_THE_USER),
    ("copy.free Relaxed", FOR_THE_USER),
];
const READ_TOO_LATE: &str = "it keeps a read from seeing what is written only after its own thread has gone on: C11 and ARM \
    have that (load buffering), no engine does";
const FOR_THE_USER: &str = "what it orders is what a worker did elsewhere before it reported its task; of a copy nothing is read \
    by whoever is done with it";
const THREE_AND_A_DEATH: &str = "it takes a worker that dies, somebody who acknowledges and has made no fence before, and \
    somebody who counts: loom does not come to the end of three processes with a death";
const FENCED_AFTER: &str = "the light fence between it and the look at the queue orders them; as for ring.close, no engine \
    but TSO takes it for nothing, and TSO keeps loads in order";
const FENCED_ANYWAY: &str = "the light fence of the commit before it orders what must be seen; no engine but TSO takes it for \
    nothing, as it is where fences are asymmetric, and TSO keeps stores in order";
