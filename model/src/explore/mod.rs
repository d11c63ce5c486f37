//! Scenarios, named by what races with what, and the subjects they are about.

pub mod array;
pub mod fences;
pub mod joinable;
mod joinable_scenarios;
pub mod lock;
pub mod peers;
pub mod pipe;
mod pipe_scenarios;
pub mod queue;
mod queue_scenarios;
pub mod redelivery;
pub mod small;
pub mod value;

use crate::explorer::{Explored, Limits, explore};
use crate::scenario::{Scenario, Subject};
use crate::worlds::explore::run;
use crate::worlds::{Run, Setting};

/// A scenario of any subject.
pub trait Explorable: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// How many roles it has.
    fn roles(&self) -> usize;
    /// How many processes these belong to.
    fn processes(&self) -> usize;
    /// Whether it is a demonstration: its subject fails its specification, and is meant to.
    fn fails(&self) -> bool;
    /// Runs it.
    fn run(&self, setting: &Setting) -> Run;
    /// Explores every state it can come to.
    fn explore(&self, limits: &Limits) -> Explored;
}

impl<S: Subject> Explorable for Scenario<S>
where
    S::Op: Eq + std::hash::Hash,
{
    fn name(&self) -> &'static str {
        self.name
    }
    fn roles(&self) -> usize {
        self.roles.len()
    }
    fn processes(&self) -> usize {
        Scenario::processes(self).len()
    }
    fn fails(&self) -> bool {
        self.fails
    }
    fn run(&self, setting: &Setting) -> Run {
        run(self, setting)
    }
    fn explore(&self, limits: &Limits) -> Explored {
        explore(self, limits)
    }
}

fn boxed<S: Subject>(scenarios: Vec<Scenario<S>>) -> impl Iterator<Item = Box<dyn Explorable>>
where
    S::Op: Eq + std::hash::Hash,
{
    scenarios.into_iter().map(|scenario| Box::new(scenario) as Box<dyn Explorable>)
}

/// Every scenario that any world can run.
pub fn scenarios() -> Vec<Box<dyn Explorable>> {
    boxed(lock::locks())
        .chain(boxed(lock::rlocks()))
        .chain(boxed(value::values()))
        .chain(boxed(value::raws()))
        .chain(boxed(array::arrays()))
        .chain(boxed(array::raw_arrays()))
        .chain(boxed(pipe_scenarios::pipes()))
        .chain(boxed(queue_scenarios::queues()))
        .chain(boxed(joinable_scenarios::joinables()))
        .chain(boxed(redelivery::redeliveries()))
        .chain(boxed(peers::tables()))
        .chain(boxed(fences::pairs()))
        .collect()
}

/// Scenarios for the explorer alone: no other world comes to their end.
pub fn large_scenarios() -> Vec<Box<dyn Explorable>> {
    boxed(lock::large())
        .chain(boxed(value::large()))
        .chain(boxed(array::large()))
        .chain(boxed(pipe_scenarios::large()))
        .chain(boxed(queue_scenarios::large()))
        .chain(boxed(joinable_scenarios::large()))
        .chain(boxed(redelivery::large()))
        .collect()
}

/// The scenario of that name.
pub fn scenario(name: &str) -> Option<Box<dyn Explorable>> {
    scenarios().into_iter().chain(large_scenarios()).find(|scenario| scenario.name() == name)
}
