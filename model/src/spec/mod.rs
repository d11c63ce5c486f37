//! Sequential specifications: a state, and one function that says which answers an operation may get and what follows.
//!
//! Nothing here knows of threads, memory or the library; whoever implements such primitives elsewhere can take these as
//! they are.

pub mod array;
pub mod joinable;
pub mod lock;
pub mod peers;
pub mod pipe;
mod pipe_ops;
pub mod queue;
pub mod redelivery;
pub mod value;

use std::fmt::Debug;
use std::hash::Hash;

/// Who acts: a thread of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Actor {
    /// The process.
    pub process: usize,
    /// The role, one thread of it.
    pub role: usize,
}

/// A sequential specification.
pub trait Spec: Clone + Eq + Hash + Debug {
    /// What can be asked.
    type Op: Clone + Debug;
    /// What can be answered.
    type Answer: Clone + Eq + Hash + Debug;

    /// Every answer that `op` may get now, each with the state that follows. None at all: the operation blocks.
    fn step(&self, actor: Actor, op: &Self::Op) -> Vec<(Self::Answer, Self)>;

    /// The same; `others` says whether somebody else is in the midst of an operation. Only a specification in which somebody can
    /// be in the way of others without having done anything yet makes a difference.
    fn step_beside(&self, actor: Actor, op: &Self::Op, others: bool) -> Vec<(Self::Answer, Self)> {
        let _ = others;
        self.step(actor, op)
    }

    /// Whether an operation that [`step`](Spec::step) allows to be answered `allowed` may be told `told`. Only a specification
    /// whose answers are too many to be listed says anything else than that they are the same.
    fn fits(allowed: &Self::Answer, told: &Self::Answer) -> bool {
        allowed == told
    }

    /// The state once `process` has died. An operation of its that was under way happened before, or never.
    #[must_use]
    fn died(&self, process: usize) -> Self;
}
