//! What a joinable queue should do, once all its tasks have been put: workers take them and report them done, and somebody joins,
//! which ends when all are done, or when what is left has died with its worker.

use crate::spec::{Actor, Spec};
use std::collections::BTreeMap;

/// The state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tasks {
    /// Put, and not yet taken.
    pub left: u32,
    /// Taken by each process, and not yet done.
    pub held: BTreeMap<usize, u32>,
    /// Taken by somebody who died before it was done.
    pub lost: u32,
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Take a task, if there is one.
    Take,
    /// Report a task as done. Left out by a role that has none.
    Done,
    /// Wait until all are done.
    Join,
}

/// What can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// A task.
    Taken,
    /// No task.
    Empty,
    /// Reported.
    Reported,
    /// All are done.
    AllDone,
    /// All but so many are done, and those died with their workers.
    WorkerDied(u32),
}

impl Spec for Tasks {
    type Op = Op;
    type Answer = Answer;

    fn step(&self, actor: Actor, op: &Op) -> Vec<(Answer, Tasks)> {
        let mut next = self.clone();
        let held: u32 = self.held.values().sum();
        let answer = match op {
            Op::Take if self.left == 0 => Answer::Empty,
            Op::Take => {
                next.left -= 1;
                *next.held.entry(actor.process).or_default() += 1;
                Answer::Taken
            }
            Op::Done => {
                let Some(mine) = next.held.get_mut(&actor.process).filter(|mine| **mine > 0) else { return Vec::new() };
                *mine -= 1;
                Answer::Reported
            }
            Op::Join if self.left + held > 0 => return Vec::new(),
            Op::Join if self.lost > 0 => Answer::WorkerDied(self.lost),
            Op::Join => Answer::AllDone,
        };
        next.held.retain(|_, held| *held > 0);
        vec![(answer, next)]
    }

    fn died(&self, process: usize) -> Tasks {
        let mut next = self.clone();
        next.lost += next.held.remove(&process).unwrap_or_default();
        next
    }
}
