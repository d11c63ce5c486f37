//! Evidence: what can be run to put a claim to the test, and what it said.

use crate::explore::scenario;
use crate::explore::small::{FAMILIES, Size};
use crate::explorer::{Limits, Memory};
use crate::race::{self, Form};
use crate::tearing::{Torn, Wide, tearing};
use crate::worlds::jobs::jobs;
use crate::worlds::processes::{Error, Helper};
use crate::worlds::programs::{self, LONGEST, Steps, Target};
use crate::worlds::{Extent, Setting, World};
use serde::Serialize;
use std::time::{Duration, Instant};

/// A piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// Exploring a scenario finds nothing wrong.
    Explore(&'static str, World),
    /// The same, with each process killed before each of its accesses, in turn.
    Killed(&'static str, World),
    /// Every state of a scenario that is too large for more, with a kill anywhere, as long as no sleep ends for no reason.
    Calm(&'static str),
    /// A demonstration: exploring the scenario finds what the claim says can go wrong.
    Shows(&'static str, World),
    /// So many random programs on real processes are answered as the specification allows.
    Programs(Target, u32),
    /// Every program of a family up to a size, explored in full with a kill anywhere.
    Small(&'static str, Size),
    /// A job on real processes.
    Job(&'static str),
    /// A demonstration on real processes: updates are lost.
    Loses,
    /// A demonstration on real processes: something wide is read torn without the lock, and never with it.
    Tears(Wide),
}

use Evidence::{Calm, Explore, Job, Killed, Loses, Programs, Shows, Small, Tears};

/// States enough for seven gigabytes.
const VERY_LARGE: usize = 80_000_000;

/// What a piece of evidence said.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What was run.
    pub scenario: String,
    /// Where.
    pub world: String,
    /// How much of everything was seen, or what was wrong.
    pub result: String,
    /// How many executions, programs or rounds.
    pub executions: u64,
    /// How long it took.
    pub seconds: f64,
    /// Whether it supports the claim.
    #[serde(skip)]
    pub standing: Standing,
    /// The story of what went wrong, or of what was to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub story: Option<String>,
}

/// Whether a finding supports its claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It does.
    Holds,
    /// It could not be found out: stopped, or something around it failed.
    #[default]
    Unknown,
    /// It refutes it.
    Violated,
}

impl Standing {
    /// The verdict on a claim: the worst of its findings.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Standing {
        findings.into_iter().map(|finding| finding.standing).max().unwrap_or_default()
    }

    /// `holds`, `violated`, `unknown`.
    pub fn name(self) -> &'static str {
        match self {
            Standing::Holds => "holds",
            Standing::Unknown => "unknown",
            Standing::Violated => "violated",
        }
    }
}

impl Evidence {
    /// The world it is from, by name.
    pub fn world(&self) -> String {
        match self {
            Explore(_, world) | Killed(_, world) | Shows(_, world) => world.to_string(),
            Small(..) | Calm(_) => World::Explorer(Memory::Sc).to_string(),
            Programs(..) | Job(_) | Loses | Tears(_) => "processes".into(),
        }
    }

    /// What is run, by name.
    pub fn name(&self) -> String {
        match self {
            Explore(name, _) | Shows(name, _) => (*name).into(),
            Killed(name, _) | Calm(name) => format!("{name} †"),
            Programs(target, _) => format!("{target:?} programs").to_lowercase(),
            Small(family, size) => format!("all {family} programs, {size} †"),
            Job(name) => (*name).into(),
            Loses => "race unlocked".into(),
            Tears(wide) => format!("tearing {}", wide.name()),
        }
    }

    /// Gathers it; `limit` bounds an exploration.
    pub fn gather(&self, helper: &Helper, limit: Duration) -> Finding {
        let started = Instant::now();
        let mut finding = Finding {
            scenario: self.name(),
            world: self.world(),
            result: String::new(),
            executions: 0,
            seconds: 0.0,
            standing: Standing::Unknown,
            story: None,
        };
        if let Err(error) = self.fill(&mut finding, helper, limit) {
            finding.result = format!("could not be run: {error}");
        }
        finding.seconds = started.elapsed().as_secs_f64();
        finding
    }

    fn fill(&self, finding: &mut Finding, helper: &Helper, limit: Duration) -> Result<(), Error> {
        let mut seen = |seen: Result<(String, u64), String>| match seen {
            Ok((result, executions)) => {
                (finding.result, finding.executions, finding.standing) = (result, executions, Standing::Holds);
            }
            Err(story) => {
                finding.result = story.lines().next().unwrap_or_default().to_owned();
                (finding.standing, finding.story) = (Standing::Violated, Some(story));
            }
        };
        match *self {
            Explore(name, world) | Killed(name, world) | Shows(name, world) => {
                let kills = matches!(self, Killed(..));
                let scenario = scenario(name).ok_or("no such scenario")?;
                let run = scenario.run(&Setting { kills, limit, ..Setting::new(world) });
                let shown = matches!(self, Shows(..));
                finding.executions = run.executions;
                finding.story = run.violation.as_ref().map(|violation| violation.story.clone());
                (finding.result, finding.standing) = match (run.violation, run.extent) {
                    (Some(_), _) if shown => ("shown".into(), Standing::Holds),
                    (Some(violation), _) => (violation.what, Standing::Violated),
                    (None, _) if shown => ("not seen".into(), Standing::Unknown),
                    (None, Some(Extent::Stopped) | None) => (Extent::Stopped.to_string(), Standing::Unknown),
                    (None, Some(extent)) => (extent.to_string(), Standing::Holds),
                };
            }
            Programs(target, count) => {
                let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
                for index in 0..count {
                    let program = dice.program(target);
                    if let Err(story) = programs::run(helper, target, &program)? {
                        seen(Err(format!("program {index} was answered as no specification allows\n{story}")));
                        return Ok(());
                    }
                }
                seen(Ok((Extent::Sampled.to_string(), count.into())));
            }
            Small(family, size) => {
                let family = FAMILIES.iter().find(|known| known.name == family).ok_or("no such family")?;
                let total = family.run(size, &Limits { kills: 1, time: limit, ..Limits::default() });
                finding.executions = total.states;
                (finding.result, finding.standing) = match (total.violation, total.exhausted == total.programs) {
                    (Some(violation), _) => {
                        finding.story = Some(violation.story);
                        (violation.what, Standing::Violated)
                    }
                    (None, true) => (format!("{}: {} programs", Extent::Exhausted, total.programs), Standing::Holds),
                    (None, false) => (Extent::Stopped.to_string(), Standing::Unknown),
                };
            }
            Calm(name) => {
                let scenario = scenario(name).ok_or("no such scenario")?;
                let limits = Limits { kills: 1, spurious: 0, states: VERY_LARGE, time: limit, ..Limits::default() };
                let seen = scenario.explore(&limits);
                finding.executions = seen.states;
                finding.story = seen.violation.as_ref().map(|violation| violation.story.clone());
                (finding.result, finding.standing) = match (seen.violation, seen.exhausted) {
                    (Some(violation), _) => (violation.what, Standing::Violated),
                    (None, true) => (Extent::Exhausted.to_string(), Standing::Holds),
                    (None, false) => (Extent::Stopped.to_string(), Standing::Unknown),
                };
            }
            Job(name) => {
                let (_, job) = jobs().find(|(known, _)| *known == name).ok_or("no such job")?;
                seen(job(helper)?.map(|what| (what, 1)));
            }
            Loses => {
                let measured = race::measure(helper, Form::Unlocked, 2, 100_000, Duration::from_secs(5))?;
                let (lost, rounds) = (measured.lost, u64::from(measured.rounds));
                match lost {
                    0 => finding.result = "no loss seen".into(),
                    lost => seen(Ok((format!("shown: {lost} of 200000 lost"), rounds))),
                }
            }
            Tears(wide) => {
                const READS: u64 = 1_000_000;
                let Torn { raw, locked, raw_reads } = tearing(helper, wide, READS, Duration::from_secs(10))?;
                match (raw, locked) {
                    (_, 1..) => seen(Err(format!("{locked} of {READS} reads were torn with the lock"))),
                    (0, 0) => finding.result = format!("no tearing seen without the lock in {raw_reads} reads"),
                    (raw, 0) => seen(Ok((format!("{raw} of {raw_reads} torn raw, none with the lock"), READS))),
                }
            }
        }
        Ok(())
    }
}

/// A sample must be the same every time: a small generator (xorshift) with a fixed seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    /// Two or three processes with a few steps each; every fourth program has one that dies.
    fn program(&mut self, target: Target) -> Vec<Steps> {
        let processes = 2 + self.below(2);
        let mut program: Vec<Steps> = (0..processes)
            .map(|_| (0..1 + self.below(LONGEST - 1)).map(|_| self.below(target.ops())).collect())
            .collect();
        if self.below(4) == 0 {
            program[0].push(target.ops());
        }
        program
    }
}
