//! `Value`: two of them, so that what one says about the other can be seen. Also the yardstick that `RawValue` fails.

use super::lock::Lock;
use super::{Actor, Spec};

/// How many values there are.
pub const VALUES: usize = 2;

/// The state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Values {
    /// What they hold.
    pub held: [u64; VALUES],
    /// Their locks.
    pub locks: [Lock; VALUES],
}

/// What can be asked of the value with this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Read.
    Get(usize),
    /// Write.
    Set(usize, u64),
    /// Add, in one step; answers what was there.
    Add(usize, u64),
    /// Add, by reading and then writing: `+=`. It should be one step, too; answers what was read.
    Plus(usize, u64),
    /// Write the second number if the first is there; answers what was there.
    CompareExchange(usize, u64, u64),
    /// Take the value's lock, explicitly.
    Lock(usize),
    /// Inside the lock: add. Left out by a role that does not hold the lock.
    AddHeld(usize, u64),
    /// Let go. Left out by a role that does not hold the lock.
    Unlock(usize),
}

/// What can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// What was there.
    Held(u64),
    /// Half of one value and half of another. No specification allows it.
    Torn(u64, u64),
    /// Done.
    Done,
    /// Inside.
    Locked,
    /// Inside, and told that the last holder died there.
    OwnerDied,
    /// This very thread is inside.
    WouldDeadlock,
    /// Never told: the state of an operation that is inside the lock, where its process may die.
    Inside,
}

impl Values {
    /// An operation that writes, from outside the lock: it waits for whoever is inside, and is never told of deaths. If its
    /// process dies while it is inside, before or after it has written, the next explicit locker is told.
    fn write(&self, actor: Actor, value: usize, new: u64, answer: Answer) -> Vec<(Answer, Values)> {
        match self.locks[value].holder {
            None => {
                let lock = Lock { holder: Some((actor, 0)), ..self.locks[value].clone() };
                let (before, after) = (self.with_lock(value, lock), self.with(value, new));
                let written = before.with(value, new);
                vec![(answer, after), (Answer::Inside, before), (Answer::Inside, written)]
            }
            Some((holder, _)) if holder == actor => vec![(Answer::WouldDeadlock, self.clone())],
            Some(_) => Vec::new(),
        }
    }

    fn with(&self, value: usize, new: u64) -> Values {
        let mut next = self.clone();
        next.held[value] = new;
        next
    }

    fn with_lock(&self, value: usize, lock: Lock) -> Values {
        let mut next = self.clone();
        next.locks[value] = lock;
        next
    }
}

impl Spec for Values {
    type Op = Op;
    type Answer = Answer;

    fn step(&self, actor: Actor, op: &Op) -> Vec<(Answer, Values)> {
        use super::lock;
        let lock = |value: usize, op: lock::Op| {
            let answers = self.locks[value].step(actor, &op).into_iter();
            answers.map(move |(answer, lock)| (answer, self.with_lock(value, lock)))
        };
        match *op {
            Op::Get(value) => vec![(Answer::Held(self.held[value]), self.clone())],
            Op::Set(value, new) => self.write(actor, value, new, Answer::Done),
            Op::Add(value, more) | Op::Plus(value, more) => {
                let old = self.held[value];
                self.write(actor, value, old.wrapping_add(more), Answer::Held(old))
            }
            Op::CompareExchange(value, current, new) => {
                let old = self.held[value];
                self.write(actor, value, if old == current { new } else { old }, Answer::Held(old))
            }
            Op::Lock(value) => {
                let answer = |answer| match answer {
                    lock::Answer::OwnerDied => Answer::OwnerDied,
                    lock::Answer::WouldDeadlock => Answer::WouldDeadlock,
                    _ => Answer::Locked,
                };
                lock(value, lock::Op::Lock).map(|(told, next)| (answer(told), next)).collect()
            }
            Op::AddHeld(value, more) => match self.locks[value].holder {
                Some((holder, _)) if holder == actor => {
                    let old = self.held[value];
                    vec![(Answer::Held(old), self.with(value, old.wrapping_add(more)))]
                }
                _ => Vec::new(),
            },
            Op::Unlock(value) => lock(value, lock::Op::Unlock).map(|(_, next)| (Answer::Done, next)).collect(),
        }
    }

    fn died(&self, process: usize) -> Values {
        let mut next = self.clone();
        for lock in &mut next.locks {
            *lock = lock.died(process);
        }
        next
    }
}
