//! The states seen, each known by its number, in the order in which they were found; how they hang together; and those that
//! nobody has gone on from yet.

use super::Limits;
use super::expand::{End, Found, Key, key};
use super::machine::Move;
use rustc_hash::FxBuildHasher;
use std::collections::{BTreeSet, HashMap, VecDeque};

/// How the states hang together.
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

/// Why a search ends before everything was seen.
pub(super) enum Halt {
    /// Something is wrong with a state.
    Wrong(u32, &'static str),
    /// There are too many states, or there is no time left.
    Limit,
}

/// Everything seen so far.
pub(super) struct Seen {
    numbers: HashMap<Key, u32, FxBuildHasher>,
    pub(super) graph: Graph,
    /// The numbers that make a state.
    pub(super) width: usize,
    /// States that are still to be gone on from, in their order: in pieces, the last of them apart, for it is not full yet.
    ahead: VecDeque<Vec<u64>>,
    last: Vec<u64>,
    /// The first of them whose steps are not known, and the first state that is one step farther away than it.
    pub(super) current: u32,
    farther: u32,
    pub(super) longest: u32,
    pub(super) kills: u64,
    pub(super) waiting: u64,
    pub(super) outcomes: BTreeSet<String>,
}

const ROOT: u32 = u32::MAX;

/// How many states a piece has: enough to be worth handing over, few enough to stay in a cache.
const PIECE: usize = 512;

impl Seen {
    /// The first state alone.
    pub(super) fn new(first: &[u64]) -> Seen {
        let parents = vec![(ROOT, Move::Kill(0))];
        Seen {
            numbers: HashMap::from_iter([(key(first), 0)]),
            graph: Graph { parents, starts: vec![0], edges: Vec::new(), over: Vec::new() },
            width: first.len(),
            ahead: VecDeque::new(),
            last: first.to_vec(),
            current: 0,
            farther: 1,
            longest: 0,
            kills: 0,
            waiting: 0,
            outcomes: BTreeSet::new(),
        }
    }

    /// How many states there are.
    pub(super) fn count(&self) -> usize {
        self.numbers.len()
    }

    /// A state's number.
    pub(super) fn number(&self, state: &[u64]) -> Option<u32> {
        self.numbers.get(&key(state)).copied()
    }

    /// The next states to be gone on from: a full piece, or what there is.
    pub(super) fn piece(&mut self) -> Option<Vec<u64>> {
        self.full_piece().or_else(|| Some(std::mem::take(&mut self.last)).filter(|last| !last.is_empty()))
    }

    /// The next states to be gone on from, if they are a full piece.
    pub(super) fn full_piece(&mut self) -> Option<Vec<u64>> {
        self.ahead.pop_front()
    }

    /// Notes what was found from the next piece.
    pub(super) fn note(&mut self, found: Found, limits: &Limits) -> Option<Halt> {
        let mut steps = found.steps.iter().zip(found.rows.chunks_exact(self.width));
        for state in found.states {
            if self.current == self.farther {
                (self.longest, self.farther) = (self.longest + 1, self.count() as u32);
            }
            for (step, row) in steps.by_ref().take(state.steps) {
                self.kills += u64::from(matches!(step.how, Move::Kill(_)));
                let fresh = self.count() as u32;
                let to = *self.numbers.entry(step.key).or_insert(fresh);
                self.graph.edges.push(Edge { to, who: step.how.who() });
                if to == fresh {
                    self.graph.parents.push((self.current, step.how));
                    if let Some(what) = step.wrong {
                        return Some(Halt::Wrong(to, what));
                    }
                    self.put_ahead(row);
                }
            }
            if state.end == End::Stuck {
                return Some(Halt::Wrong(self.current, "everybody left sleeps for ever"));
            }
            self.waiting += u64::from(state.end == End::Waits);
            self.outcomes.extend(state.outcome);
            self.graph.over.push(state.end != End::Not);
            self.graph.starts.push(self.graph.edges.len() as u32);
            self.current += 1;
            let is_full = self.count() >= limits.states || self.graph.edges.len() >= u32::MAX as usize;
            if is_full && (self.current as usize) < self.count() {
                return Some(Halt::Limit);
            }
        }
        None
    }

    fn put_ahead(&mut self, state: &[u64]) {
        self.last.extend_from_slice(state);
        if self.last.len() == PIECE * self.width {
            let room = Vec::with_capacity(PIECE * self.width);
            self.ahead.push_back(std::mem::replace(&mut self.last, room));
        }
    }
}

impl Graph {
    /// The steps from the first state to this one.
    pub(super) fn path(&self, mut state: u32) -> Vec<Move> {
        let mut path = Vec::new();
        while let Some((parent, how)) = self.parents.get(state as usize).filter(|(parent, _)| *parent != ROOT) {
            path.push(*how);
            state = *parent;
        }
        path.reverse();
        path
    }
}
