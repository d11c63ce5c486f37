//! `Array`: elements that are atomic one by one, and slices that are whole under a lock. Also the yardstick that `RawArray`
//! fails.

use super::lock::{self, Lock};
use super::{Actor, Spec};

/// How many elements there are.
pub const LENGTH: usize = 2;

/// The state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Array {
    /// What the elements hold.
    pub held: [u64; LENGTH],
    /// The lock.
    pub lock: Lock,
    /// Whether a holder of the lock may go on using the array: so with a lock that was given to it, not with its own.
    pub reentry: bool,
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Read the element with this number.
    Get(usize),
    /// Write it.
    Set(usize, u64),
    /// Add to it, in one step; answers what was there.
    Add(usize, u64),
    /// Add to it, by reading and then writing: it should be one step, too.
    Plus(usize, u64),
    /// Copy all elements out.
    Read,
    /// Copy this number in, to all elements.
    Write(u64),
    /// Add to all elements.
    Update(u64),
    /// Take the lock, explicitly.
    Lock,
    /// Inside the lock: add to an element. Left out by a role that does not hold the lock.
    AddHeld(usize, u64),
    /// Let go. Left out by a role that does not hold the lock.
    Unlock,
}

/// What can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// What an element held.
    Held(u64),
    /// What all elements held.
    Slice([u64; LENGTH]),
    /// Done.
    Done,
    /// Inside.
    Locked,
    /// The last holder died: told to an explicit locker, who is inside; or to whoever copies, and nothing was copied.
    OwnerDied,
    /// This very thread is inside.
    WouldDeadlock,
    /// Never told: the state of an operation in the middle, where its process may die.
    Inside,
}

impl Array {
    /// Elements of zero. `reentry`: the lock was given to it.
    pub fn new(reentry: bool, recursive: bool) -> Array {
        Array { held: [0; LENGTH], lock: Lock { recursive, ..Lock::default() }, reentry }
    }

    fn with(&self, held: [u64; LENGTH]) -> Array {
        Array { held, ..self.clone() }
    }

    fn with_lock(&self, lock: Lock) -> Array {
        Array { lock, ..self.clone() }
    }

    /// An operation on all elements, from outside the lock or by a holder of a lock that was given: the elements become
    /// `new`, in order; where its process dies, the first ones are new and the rest old.
    fn whole(&self, actor: Actor, new: [u64; LENGTH], answer: Answer) -> Vec<(Answer, Array)> {
        let inside = match self.lock.holder {
            None => self.with_lock(Lock { holder: Some((actor, 0)), ..self.lock.clone() }),
            Some((holder, _)) if holder == actor && self.reentry => self.clone(),
            Some((holder, _)) if holder == actor => return vec![(Answer::WouldDeadlock, self.clone())],
            Some(_) => return Vec::new(),
        };
        if self.lock.holder.is_none() && self.lock.death_untold {
            return vec![(Answer::OwnerDied, self.clone()), (Answer::Inside, inside)];
        }
        let partly = |count: usize| {
            let mut held = self.held;
            held[..count].copy_from_slice(&new[..count]);
            (Answer::Inside, inside.with(held))
        };
        std::iter::once((answer, self.with(new))).chain((0..=LENGTH).map(partly)).collect()
    }
}

impl Spec for Array {
    type Op = Op;
    type Answer = Answer;

    fn step(&self, actor: Actor, op: &Op) -> Vec<(Answer, Array)> {
        let lock = |op: lock::Op| self.lock.step(actor, &op).into_iter();
        let element = |index: usize, new: u64, answer| {
            let mut held = self.held;
            held[index] = new;
            vec![(answer, self.with(held))]
        };
        match *op {
            Op::Get(index) => vec![(Answer::Held(self.held[index]), self.clone())],
            Op::Set(index, new) => element(index, new, Answer::Done),
            Op::Add(index, more) | Op::Plus(index, more) => {
                element(index, self.held[index].wrapping_add(more), Answer::Held(self.held[index]))
            }
            Op::Read => self.whole(actor, self.held, Answer::Slice(self.held)),
            Op::Write(new) => self.whole(actor, [new; LENGTH], Answer::Done),
            Op::Update(more) => self.whole(actor, self.held.map(|old| old.wrapping_add(more)), Answer::Done),
            Op::Lock => {
                let answer = |answer| match answer {
                    lock::Answer::OwnerDied => Answer::OwnerDied,
                    lock::Answer::WouldDeadlock => Answer::WouldDeadlock,
                    _ => Answer::Locked,
                };
                lock(lock::Op::Lock).map(|(told, next)| (answer(told), self.with_lock(next))).collect()
            }
            Op::AddHeld(index, more) => match self.lock.holder {
                Some((holder, _)) if holder == actor => {
                    element(index, self.held[index].wrapping_add(more), Answer::Held(self.held[index]))
                }
                _ => Vec::new(),
            },
            Op::Unlock => lock(lock::Op::Unlock).map(|(_, next)| (Answer::Done, self.with_lock(next))).collect(),
        }
    }

    fn died(&self, process: usize) -> Array {
        self.with_lock(self.lock.died(process))
    }
}
