//! The search: breadth first, every state once.

use super::configurations::NOTHING;
use super::machine::{MOST_ROLES, Machine, Move, State, Step};
use super::roles::Roles;
use super::{Limits, Progress, liveness, story};
use crate::scenario::{Scenario, Subject};
use crate::worlds::{Violation, is_interrupted};
use rustc_hash::FxBuildHasher;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::xxh3_128;
use zerocopy::IntoBytes;

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

/// The states seen, each known by its number, in the order in which they were found.
pub(super) struct Graph {
    /// How each was first come to: from which, by which step.
    pub(super) parents: Vec<(u32, Move)>,
    /// Where the steps of each begin in `edges`.
    pub(super) starts: Vec<u32>,
    /// Where the steps lead, and whether somebody can count on them.
    pub(super) edges: Vec<Edge>,
    /// Which states are over: everybody has ended, or waits lawfully.
    pub(super) over: Vec<bool>,
}

/// A step from one state to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) to: u32,
    /// Who moves; nobody, if the step is a whim.
    pub(super) who: Option<u8>,
}

/// After so many states, a look at the clock.
const LOOK: u32 = 1 << 14;

const ROOT: u32 = u32::MAX;

/// Explores a scenario.
pub fn explore<S: Subject>(scenario: &Scenario<S>, limits: &Limits) -> Explored {
    let started = Instant::now();
    assert!(scenario.roles.len() <= MOST_ROLES, "{}: too many roles", scenario.name);
    let (roles, words) = Roles::new(scenario, limits);
    let (mut machine, first) = Machine::new(roles, words, *limits);
    let mut explored = Explored { state_bytes: size_of_val(&*first), ..Explored::default() };
    let mut graph = Graph { parents: Vec::new(), starts: vec![0], edges: Vec::new(), over: Vec::new() };
    let mut numbers: HashMap<u128, u32, FxBuildHasher> = HashMap::default();
    let mut frontier: VecDeque<(State, u32)> = VecDeque::new();
    let mut steps = Vec::new();
    numbers.insert(key(&first), 0);
    graph.parents.push((ROOT, Move::Kill(0)));
    frontier.push_back((first.clone(), 0));
    let mut wrong = None;
    let mut current = 0u32;
    'search: while let Some((state, depth)) = frontier.pop_front() {
        explored.longest = depth;
        machine.steps(&state, &mut steps);
        for Step { how, to: next, .. } in steps.drain(..) {
            explored.transitions += 1;
            explored.kills += u64::from(matches!(how, Move::Kill(_)));
            let fresh = numbers.len() as u32;
            let to = *numbers.entry(key(&next)).or_insert(fresh);
            graph.edges.push(Edge { to, who: how.who() });
            if to == fresh {
                graph.parents.push((current, how));
                if machine.has_raced(&next) {
                    wrong = Some((to, "an access that claims to be ordered after the last write is not"));
                    break 'search;
                }
                if machine.set(&next) == NOTHING {
                    wrong = Some((to, "no order of the operations explains the answers"));
                    break 'search;
                }
                frontier.push_back((next, depth + 1));
            }
        }
        let mut over = machine.is_over(&state);
        let from = graph.starts[current as usize] as usize;
        if !over && graph.edges[from..].iter().all(|edge| edge.who.is_none()) {
            if !machine.waits_lawfully(&state) {
                wrong = Some((current, "everybody left sleeps for ever"));
                break;
            }
            (over, explored.waiting) = (true, explored.waiting + 1);
        }
        if over && limits.outcomes {
            explored.outcomes.insert(story::outcome(&machine, &state));
        }
        graph.over.push(over);
        graph.starts.push(graph.edges.len() as u32);
        current += 1;
        let out_of_room = numbers.len() >= limits.states || graph.edges.len() >= u32::MAX as usize;
        if out_of_room {
            break;
        }
        if current.is_multiple_of(LOOK) {
            let elapsed = started.elapsed();
            if elapsed > limits.time || is_interrupted() {
                break;
            }
            let (states, frontier) = (numbers.len(), frontier.len());
            let per_second = (states as f64 / elapsed.as_secs_f64()) as u64;
            (limits.watch)(&Progress { scenario: scenario.name, states, frontier, per_second });
        }
    }
    explored.exhausted = wrong.is_none() && frontier.is_empty();
    let stuck = if explored.exhausted { liveness::judge(&graph) } else { None };
    let circle = stuck.as_ref().map(|stuck| stuck.circle.clone()).unwrap_or_default();
    let wrong = wrong.or(stuck.map(|stuck| (stuck.state, stuck.what)));
    explored.states = numbers.len() as u64;
    explored.learned = (machine.roles.places(), machine.configurations.count());
    explored.sites = machine.roles.sites();
    explored.violation = wrong.map(|(state, what)| {
        let path = path(&graph, state);
        let number = |state: &State| numbers.get(&key(state)).copied();
        story::violation(&mut machine, &first, &path, (&circle, &number), what)
    });
    explored.exhausted &= explored.violation.is_none();
    explored.took = started.elapsed();
    explored
}

/// 128 bits: of 10^8 states, two share one with a probability of 10^-23.
fn key(state: &State) -> u128 {
    // Native bytes of a row of integers: the same row has the same key within this run, which is all that is asked.
    xxh3_128(state.as_bytes())
}

/// The steps from the first state to this one.
fn path(graph: &Graph, mut state: u32) -> Vec<Move> {
    let mut path = Vec::new();
    while let Some((parent, how)) = graph.parents.get(state as usize).filter(|(parent, _)| *parent != ROOT) {
        path.push(*how);
        state = *parent;
    }
    path.reverse();
    path
}
