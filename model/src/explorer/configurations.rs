//! Linearizability while the search goes on: every way in which what was told so far can be put in order.
//!
//! A configuration is a state of the specification, with each role's open operation either still to happen or happened
//! already, with an answer. The set of all that are possible is closed: whatever can have happened is in it. A set is kept
//! once and known by its number, and so is where each telling leads from it: in the search, the judge is a table.
//!
//! The empty set, number 0, means that no order explains what was told.

use super::roles::Told;
use crate::scenario::{Scenario, Subject};
use crate::spec::{Actor, Spec};
use std::collections::{HashMap, HashSet};

/// A role's operation, as a configuration sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Open<A> {
    /// There is none.
    None,
    /// Called, and still to happen.
    Called(usize),
    /// Happened, and to be answered so.
    Happened(A),
}

impl<A> Open<A> {
    fn fits(&self, told: &A, fits: impl Fn(&A, &A) -> bool) -> bool {
        matches!(self, Open::Happened(allowed) if fits(allowed, told))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Configuration<S: Spec> {
    state: S,
    open: Vec<Open<S::Answer>>,
}

/// A set of configurations, by its number.
pub type Set = u32;
/// No order explains what was told.
pub const NOTHING: Set = 0;

/// What leads from one set to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Cause {
    Told(u32),
    Died(usize),
}

/// All the sets seen so far.
pub struct Configurations<S: Subject> {
    scenario: Scenario<S>,
    sets: Vec<Vec<Configuration<S::Spec>>>,
    /// By the number of members and an order-free hash; those that share it are compared.
    numbers: HashMap<u64, Vec<Set>>,
    steps: HashMap<(Set, Cause), Set, rustc_hash::FxBuildHasher>,
}

impl<S: Subject> Configurations<S> {
    /// The set before anything was told, and its number.
    pub fn new(scenario: &Scenario<S>) -> (Configurations<S>, Set) {
        let mut all = Configurations {
            scenario: scenario.clone(),
            sets: vec![Vec::new()],
            numbers: HashMap::new(),
            steps: HashMap::default(),
        };
        let open = scenario.roles.iter().map(|_| Open::None).collect();
        let first = all.number(HashSet::from([Configuration { state: scenario.subject.spec(), open }]));
        (all, first)
    }

    /// How many sets there are.
    pub fn count(&self) -> usize {
        self.sets.len()
    }

    /// The set after something was told of a role. `number` is the telling's.
    pub fn tell(&mut self, from: Set, number: u32, told: &[Told<S::Answer>]) -> Set {
        if told.is_empty() || from == NOTHING {
            return from;
        }
        let cause = Cause::Told(number);
        if let Some(to) = self.steps.get(&(from, cause)) {
            return *to;
        }
        let mut set: HashSet<_> = self.sets[from as usize].iter().cloned().collect();
        for told in told {
            set = match told {
                Told::Call(role, op) => self.closed(set.into_iter().map(|mut configuration| {
                    configuration.open[*role] = Open::Called(*op);
                    configuration
                })),
                Told::Return(role, answer) => set
                    .into_iter()
                    .filter(|configuration| configuration.open[*role].fits(answer, S::Spec::fits))
                    .map(|mut configuration| {
                        configuration.open[*role] = Open::None;
                        configuration
                    })
                    .collect(),
                Told::Refused(_) => HashSet::new(),
            };
        }
        self.remember(from, cause, set)
    }

    /// The set after `process` has died: what its roles had under way happened before, or never.
    pub fn died(&mut self, from: Set, process: usize) -> Set {
        let cause = Cause::Died(process);
        if let Some(to) = self.steps.get(&(from, cause)) {
            return *to;
        }
        let set = self.sets[from as usize].iter().map(|configuration| {
            let open = configuration.open.iter().enumerate().map(|(role, open)| {
                if self.scenario.roles[role].process == process { Open::None } else { open.clone() }
            });
            Configuration { state: configuration.state.died(process), open: open.collect() }
        });
        let set = self.closed(set);
        self.remember(from, cause, set)
    }

    /// Whether those who sleep may sleep for ever: in one of the configurations each of their operations is still to happen, has
    /// no deadline, and finds no answer.
    pub fn may_wait(&self, set: Set, sleepers: &[usize]) -> bool {
        let has_no_answer = |configuration: &Configuration<S::Spec>, role: usize| {
            let Open::Called(op) = configuration.open[role] else { return false };
            let op = &self.scenario.roles[role].ops[op];
            !self.scenario.subject.is_timed(op) && configuration.state.step(self.scenario.actor(role), op).is_empty()
        };
        let mut set = self.sets[set as usize].iter();
        set.any(|configuration| sleepers.iter().all(|role| has_no_answer(configuration, *role)))
    }

    /// Adds whatever can have happened.
    fn closed(&self, seeds: impl IntoIterator<Item = Configuration<S::Spec>>) -> HashSet<Configuration<S::Spec>> {
        let mut set = HashSet::new();
        let mut next: Vec<_> = seeds.into_iter().collect();
        while let Some(configuration) = next.pop() {
            if set.contains(&configuration) {
                continue;
            }
            for (role, open) in configuration.open.iter().enumerate() {
                let Open::Called(op) = open else { continue };
                let actor: Actor = self.scenario.actor(role);
                let mut open = configuration.open.iter().enumerate();
                let others = open.any(|(other, open)| other != role && *open != Open::None);
                let op = &self.scenario.roles[role].ops[*op];
                next.extend(configuration.state.step_beside(actor, op, others).into_iter().map(|(answer, state)| {
                    let mut open = configuration.open.clone();
                    open[role] = Open::Happened(answer);
                    Configuration { state, open }
                }));
            }
            set.insert(configuration);
        }
        set
    }

    fn remember(&mut self, from: Set, cause: Cause, set: HashSet<Configuration<S::Spec>>) -> Set {
        let to = self.number(set);
        self.steps.insert((from, cause), to);
        to
    }

    fn number(&mut self, set: HashSet<Configuration<S::Spec>>) -> Set {
        use std::hash::BuildHasher;
        if set.is_empty() {
            return NOTHING;
        }
        let hasher = rustc_hash::FxBuildHasher;
        let hash = set.iter().fold(set.len() as u64, |sum, member| sum.wrapping_add(hasher.hash_one(member)));
        let known = self.numbers.entry(hash).or_default();
        let sets = &mut self.sets;
        let same = |number: &&Set| {
            let members = &sets[**number as usize];
            members.len() == set.len() && members.iter().all(|member| set.contains(member))
        };
        if let Some(number) = known.iter().find(same) {
            return *number;
        }
        sets.push(set.into_iter().collect());
        let number = (sets.len() - 1) as Set;
        known.push(number);
        number
    }
}
