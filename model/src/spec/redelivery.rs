//! A joinable queue that delivers again what the dead had in hand: a [queue], and tasks that were got and are not
//! done, each in the hands of one process, or of none any more.

use super::queue::{self, Message, Queue};
use super::{Actor, Spec};

/// A task that was got and is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Task {
    /// The message.
    pub message: Message,
    /// How many have had it before, and died.
    pub times: u32,
}

/// The state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Redelivery {
    /// The tasks that nobody has got yet, and who puts and gets.
    pub queue: Queue,
    /// What each process has in hand, in order.
    pub in_hand: Vec<(usize, Task)>,
    /// What the dead had, in order.
    pub orphans: Vec<Task>,
    /// The most tasks that can be got and not done.
    pub copies: usize,
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// What can be asked of a queue.
    Queue(queue::Op),
    /// Report the task done that this role got last.
    Done,
    /// Wait until no task is unfinished.
    Join,
    /// How many tasks are unfinished.
    Unfinished,
    /// Take note of the tasks whose workers have died: they count as finished.
    Acknowledge,
}

/// What can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// What a queue answers.
    Queue(queue::Answer),
    /// A task that somebody had who died.
    Again(Task),
    /// As many tasks are got and not done as can be.
    TooMany,
    /// This one is done.
    Reported(Task),
    /// This process has none that could be.
    NoTask,
    /// No task is unfinished.
    Done,
    /// So many are unfinished, all others are done, and nobody will come to get them.
    WorkerDied(usize),
    /// There are tasks in the queue, and nobody is left who could get them.
    Disconnected,
    /// So many.
    Count(usize),
}

impl Redelivery {
    /// Nothing in hand.
    pub fn new(queue: Queue, copies: usize) -> Redelivery {
        Redelivery { queue, in_hand: Vec::new(), orphans: Vec::new(), copies }
    }

    fn unfinished(&self) -> usize {
        self.queue.messages.len() + self.in_hand.len() + self.orphans.len()
    }

    fn with(&self, change: impl FnOnce(&mut Redelivery)) -> Redelivery {
        let mut next = self.clone();
        change(&mut next);
        next.in_hand.sort_unstable();
        next.orphans.sort_unstable();
        next
    }

    /// What the queue does; a task that is got is in hand, if there is a place for it.
    fn pass(&self, actor: Actor, (answer, queue): (queue::Answer, Queue)) -> Option<(Answer, Redelivery)> {
        let got = match answer {
            queue::Answer::Got(message) => vec![message],
            queue::Answer::GotTwo(first, second) => vec![first, second],
            _ => vec![],
        };
        if !got.is_empty() && self.in_hand.len() + self.orphans.len() + got.len() > self.copies {
            // Of several those are got that there is a place for.
            return (got.len() == 1).then(|| (Answer::TooMany, self.clone()));
        }
        let next = self.with(|next| {
            next.queue = queue;
            next.in_hand.extend(got.into_iter().map(|message| (actor.process, Task { message, times: 0 })));
        });
        Some((Answer::Queue(answer), next))
    }

    /// Every task of the dead, got again.
    fn again(&self, actor: Actor) -> Vec<(Answer, Redelivery)> {
        let each = |at: usize| {
            let task = Task { times: self.orphans[at].times + 1, ..self.orphans[at] };
            let next = self.with(|next| {
                next.orphans.remove(at);
                next.in_hand.push((actor.process, task));
            });
            (Answer::Again(task), next)
        };
        (0..self.orphans.len()).map(each).collect()
    }

    /// Whoever gets may be given what the dead had, and is, where nothing is in the queue, or no place for what is got from it.
    fn queued(&self, actor: Actor, op: &queue::Op, steps: Vec<(queue::Answer, Queue)>) -> Vec<(Answer, Redelivery)> {
        use super::queue::Op::{Get, GetTimeout, GetTwo, TryGet};
        let pass = |step| self.pass(actor, step);
        if !matches!(op, Get | TryGet | GetTimeout | GetTwo) || self.orphans.is_empty() {
            return steps.into_iter().filter_map(pass).collect();
        }
        let full = self.in_hand.len() + self.orphans.len() == self.copies;
        let got = |(answer, _): &(queue::Answer, Queue)| {
            !full && matches!(answer, queue::Answer::Got(_) | queue::Answer::GotTwo(..))
        };
        self.again(actor).into_iter().chain(steps.into_iter().filter(got).filter_map(pass)).collect()
    }

    /// What whoever joins is told now, if anything.
    fn joined(&self) -> Option<Answer> {
        let (is_empty, deserted) = (self.queue.messages.is_empty(), self.queue.getters.are_gone());
        match self.unfinished() {
            0 => Some(Answer::Done),
            _ if !is_empty && deserted => Some(Answer::Disconnected),
            orphans if is_empty && self.in_hand.is_empty() && (deserted || self.queue.closed) => {
                Some(Answer::WorkerDied(orphans))
            }
            _ => None,
        }
    }
}

impl Spec for Redelivery {
    type Op = Op;
    type Answer = Answer;

    fn step(&self, actor: Actor, op: &Op) -> Vec<(Answer, Redelivery)> {
        let is = |answer| (answer, self.clone());
        match op {
            Op::Queue(op) => self.queued(actor, op, self.queue.step(actor, op)),
            Op::Done => {
                let mine = |(at, (process, task)): (usize, &(usize, Task))| {
                    let next = || self.with(|next| _ = next.in_hand.remove(at));
                    (*process == actor.process).then(|| (Answer::Reported(*task), next()))
                };
                let reported: Vec<_> = self.in_hand.iter().enumerate().filter_map(mine).collect();
                if reported.is_empty() { vec![is(Answer::NoTask)] } else { reported }
            }
            Op::Join => self.joined().map(is).into_iter().collect(),
            Op::Unfinished => vec![is(Answer::Count(self.unfinished()))],
            Op::Acknowledge => {
                vec![(Answer::Count(self.orphans.len()), self.with(|next| next.orphans.clear()))]
            }
        }
    }

    fn step_beside(&self, actor: Actor, op: &Op, others: bool) -> Vec<(Answer, Redelivery)> {
        match op {
            Op::Queue(op) => {
                let mut answers = self.queued(actor, op, self.queue.step_beside(actor, op, others));
                if others && *op == queue::Op::TryGet && self.queue.messages.is_empty() {
                    // Somebody is inside, perhaps stopped there: what the dead had cannot be seen, nor got.
                    answers.push((Answer::Queue(queue::Answer::WouldBlock), self.clone()));
                }
                answers
            }
            _ => self.step(actor, op),
        }
    }

    fn died(&self, process: usize) -> Redelivery {
        self.with(|next| {
            next.queue = next.queue.died(process);
            next.orphans.extend(next.in_hand.iter().filter(|(holder, _)| *holder == process).map(|(_, task)| *task));
            next.in_hand.retain(|(holder, _)| *holder != process);
        })
    }
}
