//! The search: breadth first, every state once.
//!
//! Going on from states and noting what was found take about as long as each other. So a large search gives each a thread of
//! its own; between them states go to and fro in pieces, and in their order, so that nothing else changes: every count, every
//! verdict and every story is that of one thread.

use super::expand::expand;
use super::machine::{MOST_ROLES, Machine};
use super::roles::Roles;
use super::seen::{Halt, Seen};
use super::state::State;
use super::{Limits, Progress, liveness, story};
use crate::scenario::{Scenario, Subject};
use crate::worlds::{Violation, is_interrupted};
use std::collections::BTreeSet;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Explored {
    /// Whether every state was seen. Not if the search stopped, at a limit or at a violation.
    pub exhausted: bool,
    /// How many states.
    pub states: u64,
    /// How many steps between them.
    pub transitions: u64,
    /// How many of those steps were kills.
    pub kills: u64,
    /// In how many states somebody waits for ever, and lawfully.
    pub waiting: u64,
    /// How many steps the farthest state is away from the first.
    pub longest: u32,
    /// Bytes of a state.
    pub state_bytes: usize,
    /// How many places the roles have, and how many sets the judge.
    pub learned: (usize, usize),
    /// The sites that were reached.
    pub sites: BTreeSet<&'static str>,
    /// What the roles were told, every way it came out; only if asked for.
    pub outcomes: BTreeSet<String>,
    /// What was wrong, if anything, with the shortest story of it.
    pub violation: Option<Violation>,
    /// How long it took.
    pub took: Duration,
}

/// A search of fewer states is over before a second thread could help.
const LARGE: usize = 50_000;

/// So many pieces may be found ahead of what is noted: a little, so that nobody waits; not more, for they are large.
const FOUND_AHEAD: usize = 8;

/// Explores a scenario.
pub fn explore<S: Subject>(scenario: &Scenario<S>, limits: &Limits) -> Explored {
    let started = Instant::now();
    assert!(scenario.roles.len() <= MOST_ROLES, "{}: too many roles", scenario.name);
    let (roles, words) = Roles::new(scenario, limits);
    let (mut machine, first) = Machine::new(roles, words, *limits);
    let mut seen = Seen::new(&first);
    let clock = Clock { scenario: scenario.name, started, limits };
    let halt = search(&mut machine, &mut seen, &clock);
    let is_large = limits.threads > 1 && seen.count() >= LARGE;
    let stuck = if halt.is_none() { liveness::judge(&seen.graph, is_large) } else { None };
    let (wrong, circle) = match (&halt, stuck) {
        (Some(Halt::Wrong(state, what)), _) => (Some((*state, *what)), Vec::new()),
        (_, Some(stuck)) => (Some((stuck.state, stuck.what)), stuck.circle),
        _ => (None, Vec::new()),
    };
    let violation = wrong.map(|(state, what)| {
        let number = |state: &State| seen.number(state);
        story::violation(&mut machine, &first, &seen.graph.path(state), (&circle, &number), what)
    });
    Explored {
        exhausted: halt.is_none() && violation.is_none(),
        states: seen.count() as u64,
        transitions: seen.graph.edges.len() as u64,
        kills: seen.kills,
        waiting: seen.waiting,
        longest: seen.longest,
        state_bytes: size_of_val(&*first),
        learned: (machine.roles.places(), machine.configurations.count()),
        sites: machine.roles.sites(),
        outcomes: seen.outcomes,
        violation,
        took: started.elapsed(),
    }
}

/// Goes on from every state, and from those found, until there are no more.
fn search<S: Subject>(machine: &mut Machine<S>, seen: &mut Seen, clock: &Clock) -> Option<Halt> {
    while let Some(piece) = seen.piece() {
        if clock.limits.threads > 1 && seen.count() >= LARGE {
            return search_with_two(machine, seen, clock, piece);
        }
        let found = expand(machine, &piece, seen.width);
        let halt = seen.note(found, clock.limits).or_else(|| clock.look(seen));
        if halt.is_some() {
            return halt;
        }
    }
    None
}

/// The same with a second thread, which has the machine.
fn search_with_two<S: Subject>(
    machine: &mut Machine<S>,
    seen: &mut Seen,
    clock: &Clock,
    piece: Vec<u64>,
) -> Option<Halt> {
    let width = seen.width;
    thread::scope(|threads| {
        // Both ends here are dropped before the scope waits for the other thread, which thereby ends.
        let (ask, asked) = mpsc::channel::<Vec<u64>>();
        let (answer, answers) = mpsc::sync_channel(FOUND_AHEAD);
        threads.spawn(move || {
            asked.into_iter().map(|piece| expand(machine, &piece, width)).try_for_each(|found| answer.send(found))
        });
        let (mut next, mut under_way) = (Some(piece), 0);
        loop {
            while let Some(piece) = next.take().or_else(|| seen.full_piece()) {
                under_way += usize::from(ask.send(piece).is_ok());
            }
            // The other thread can only be gone if it has panicked; the scope then does, too.
            let found = answers.recv().ok()?;
            under_way -= 1;
            let halt = seen.note(found, clock.limits).or_else(|| clock.look(seen));
            if halt.is_some() {
                return halt;
            }
            if under_way == 0 {
                next = Some(seen.piece()?);
            }
        }
    })
}

/// Looks at the time.
struct Clock<'a> {
    scenario: &'static str,
    started: Instant,
    limits: &'a Limits,
}

impl Clock<'_> {
    /// Whether it is time to stop; and says how far the search is.
    fn look(&self, seen: &Seen) -> Option<Halt> {
        let elapsed = self.started.elapsed();
        let (states, frontier) = (seen.count(), seen.count() - seen.current as usize);
        if frontier == 0 {
            return None;
        }
        if elapsed > self.limits.time || is_interrupted() {
            return Some(Halt::Limit);
        }
        let per_second = (states as f64 / elapsed.as_secs_f64()) as u64;
        (self.limits.watch)(&Progress { scenario: self.scenario, states, frontier, per_second });
        None
    }
}
