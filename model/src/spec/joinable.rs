//! `JoinableQueue`: a [queue] whose messages are tasks, each to be reported done by the process that got it; and
//! whoever joins waits until all are.

use super::peers::{self, Peers};
use super::queue::{self, Queue};
use super::{Actor, Spec};
use std::collections::BTreeMap;

/// The state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Joinable {
    /// The tasks that nobody has got yet, and who puts and gets.
    pub queue: Queue,
    /// How many tasks each process has got and not reported done. Whoever is not listed has none.
    pub in_hand: BTreeMap<usize, usize>,
    /// How many were in the hands of those who died, and nobody has acknowledged.
    pub lost: usize,
    /// The most tasks that may be unfinished.
    pub limit: usize,
    /// Who is attached: whoever gets tasks has a place there.
    pub peers: Peers,
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// What can be asked of a queue.
    Queue(queue::Op),
    /// Report one of this process's tasks done.
    TaskDone,
    /// Wait until no task is unfinished.
    Join,
    /// The same, but not for ever.
    JoinTimeout,
    /// How many tasks are unfinished.
    Unfinished,
    /// Take note of the tasks that were lost: they count as finished.
    Acknowledge,
    /// Become a peer, or be one no more. Whoever is none any more has no task in hand, or loses it.
    Peer(peers::Op),
}

/// What can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// What a queue answers.
    Queue(queue::Answer),
    /// Done; to whoever joins: no task is unfinished.
    Done,
    /// This process has no task that it could have done.
    NoTask,
    /// So many tasks were lost; all others are done.
    WorkerDied(usize),
    /// There are tasks in the queue, and nobody is left who could get them.
    Disconnected,
    /// It took too long.
    TimedOut,
    /// As many tasks are unfinished as may be.
    TooMany,
    /// So many.
    Count(usize),
    /// What the table of peers answers.
    Peer(peers::Answer),
}

impl Joinable {
    /// No tasks, but so many that were lost.
    pub fn new(queue: Queue, lost: usize, limit: usize, peers: Peers) -> Joinable {
        Joinable { queue, in_hand: BTreeMap::new(), lost, limit, peers }
    }

    fn in_hands(&self) -> usize {
        self.in_hand.values().sum()
    }

    /// How many tasks are unfinished.
    pub fn unfinished(&self) -> usize {
        self.queue.messages.len() + self.in_hands() + self.lost
    }

    fn with(&self, change: impl FnOnce(&mut Joinable)) -> Joinable {
        let mut next = self.clone();
        change(&mut next);
        next
    }

    /// What the queue does; a task that is got is in hand, and one too many is not put.
    fn pass(&self, actor: Actor, (answer, queue): (queue::Answer, Queue)) -> Option<(Answer, Joinable)> {
        let put = queue.messages.len().saturating_sub(self.queue.messages.len());
        if put > 0 && self.unfinished() + put > self.limit {
            // Of several those are put that may be.
            return (put == 1).then(|| (Answer::TooMany, self.clone()));
        }
        let next = self.with(|next| {
            next.queue = queue;
            let got = match answer {
                queue::Answer::Got(_) => 1,
                queue::Answer::GotTwo(..) => 2,
                _ => return,
            };
            *next.in_hand.entry(actor.process).or_default() += got;
        });
        Some((Answer::Queue(answer), next))
    }

    fn task_done(&self, process: usize) -> (Answer, Joinable) {
        match self.in_hand.get(&process) {
            None => (Answer::NoTask, self.clone()),
            Some(1) => (Answer::Done, self.with(|next| next.in_hand.retain(|worker, _| *worker != process))),
            Some(_) => (Answer::Done, self.with(|next| *next.in_hand.entry(process).or_default() -= 1)),
        }
    }

    /// What whoever joins is told now, if anything.
    fn joined(&self) -> Option<Answer> {
        let is_empty = self.queue.messages.is_empty();
        match self.unfinished() {
            0 => Some(Answer::Done),
            _ if !is_empty && self.queue.getters.are_gone() => Some(Answer::Disconnected),
            _ if is_empty && self.in_hands() == 0 => Some(Answer::WorkerDied(self.lost)),
            _ => None,
        }
    }

    fn lose(&mut self, process: usize) {
        self.lost += self.in_hand.remove(&process).unwrap_or_default();
    }

    fn queued<'a>(
        &'a self,
        actor: Actor,
        steps: Vec<(queue::Answer, Queue)>,
    ) -> impl Iterator<Item = (Answer, Joinable)> + 'a {
        steps.into_iter().filter_map(move |step| self.pass(actor, step))
    }
}

impl Spec for Joinable {
    type Op = Op;
    type Answer = Answer;

    fn step(&self, actor: Actor, op: &Op) -> Vec<(Answer, Joinable)> {
        let is = |answer| (answer, self.clone());
        match op {
            Op::Queue(op) => self.queued(actor, self.queue.step(actor, op)).collect(),
            Op::TaskDone => vec![self.task_done(actor.process)],
            Op::Join => self.joined().map(is).into_iter().collect(),
            Op::JoinTimeout => vec![is(self.joined().unwrap_or(Answer::TimedOut))],
            Op::Unfinished => vec![is(Answer::Count(self.unfinished()))],
            Op::Acknowledge => vec![(Answer::Count(self.lost), self.with(|next| next.lost = 0))],
            Op::Peer(op) => {
                let steps = self.peers.step(actor, op).into_iter();
                steps
                    .map(|(answer, peers)| {
                        let next = self.with(|next| {
                            next.peers = peers;
                            if *op == peers::Op::Release {
                                next.lose(actor.process);
                            }
                        });
                        (Answer::Peer(answer), next)
                    })
                    .collect()
            }
        }
    }

    /// Somebody who is in the midst of an operation may be inside a lock, and be stopped there: whoever does not wait for ever may
    /// then give up; but not if no task is unfinished, which can be seen from outside.
    fn step_beside(&self, actor: Actor, op: &Op, others: bool) -> Vec<(Answer, Joinable)> {
        match op {
            Op::Queue(op) => self.queued(actor, self.queue.step_beside(actor, op, others)).collect(),
            Op::JoinTimeout if others && matches!(self.joined(), Some(Answer::WorkerDied(_))) => {
                let mut answers = self.step(actor, op);
                answers.push((Answer::TimedOut, self.clone()));
                answers
            }
            _ => self.step(actor, op),
        }
    }

    fn died(&self, process: usize) -> Joinable {
        self.with(|next| {
            next.queue = next.queue.died(process);
            next.peers = next.peers.died(process);
            next.lose(process);
        })
    }
}
