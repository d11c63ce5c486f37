//! `Lock` and `RLock`, with a counter that only a holder may touch: it shows whether two were ever inside at once.

use super::{Actor, Spec};

/// The state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Lock {
    /// Whether the holder may enter again.
    pub recursive: bool,
    /// Who is inside, and how many times more than once.
    pub holder: Option<(Actor, u32)>,
    /// A holder died inside and no explicit locker has been told.
    pub death_untold: bool,
    /// How often somebody counted, inside.
    pub counter: u64,
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Wait for the lock.
    Lock,
    /// Take it if it is free.
    TryLock,
    /// Wait for it, but not for ever.
    LockTimeout,
    /// Let go. Left out by a role that does not hold the lock.
    Unlock,
    /// Read the counter and, in a second step, write one more. Left out by a role that does not hold the lock.
    Count,
}

/// What can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Inside.
    Locked,
    /// Inside, and told that the last holder died there.
    OwnerDied,
    /// Somebody is inside.
    WouldBlock,
    /// Somebody was inside for too long.
    TimedOut,
    /// This very thread is inside.
    WouldDeadlock,
    /// Outside.
    Unlocked,
    /// What the counter held.
    Counted(u64),
}

impl Lock {
    /// A recursive lock.
    pub fn recursive() -> Lock {
        Lock { recursive: true, ..Lock::default() }
    }

    /// Whether an operation that has nobody to tell of a death (it comes from within) can go ahead.
    pub fn is_open_to(&self, actor: Actor) -> bool {
        self.holder.is_none_or(|(holder, _)| holder == actor)
    }

    fn enter(&self, actor: Actor, otherwise: Option<Answer>) -> Vec<(Answer, Lock)> {
        match self.holder {
            None => {
                let answer = if self.death_untold { Answer::OwnerDied } else { Answer::Locked };
                vec![(answer, Lock { holder: Some((actor, 0)), death_untold: false, ..self.clone() })]
            }
            Some((holder, depth)) if holder == actor && self.recursive => {
                vec![(Answer::Locked, Lock { holder: Some((actor, depth + 1)), ..self.clone() })]
            }
            Some((holder, _)) if holder == actor => vec![(Answer::WouldDeadlock, self.clone())],
            Some(_) => otherwise.map(|answer| (answer, self.clone())).into_iter().collect(),
        }
    }
}

impl Spec for Lock {
    type Op = Op;
    type Answer = Answer;

    fn step(&self, actor: Actor, op: &Op) -> Vec<(Answer, Lock)> {
        match (op, self.holder) {
            (Op::Lock, _) => self.enter(actor, None),
            (Op::TryLock, _) => self.enter(actor, Some(Answer::WouldBlock)),
            (Op::LockTimeout, _) => self.enter(actor, Some(Answer::TimedOut)),
            (Op::Unlock, Some((holder, depth))) if holder == actor => {
                let holder = depth.checked_sub(1).map(|depth| (holder, depth));
                vec![(Answer::Unlocked, Lock { holder, ..self.clone() })]
            }
            (Op::Count, Some((holder, _))) if holder == actor => {
                vec![(Answer::Counted(self.counter), Lock { counter: self.counter + 1, ..self.clone() })]
            }
            (Op::Unlock | Op::Count, _) => Vec::new(),
        }
    }

    fn died(&self, process: usize) -> Lock {
        match self.holder {
            Some((holder, _)) if holder.process == process => Lock { holder: None, death_untold: true, ..self.clone() },
            _ => self.clone(),
        }
    }
}
