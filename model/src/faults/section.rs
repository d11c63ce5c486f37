//! Critical sections: any of the locks of this folder before the specification of the lock that ships, with a counter that only
//! a holder may touch.

use super::site;
use crate::scenario::{ModelPlatform, Subject};
use crate::spec;
use crate::spec::lock::{Answer, Op};
use procession::algorithm::Owner;
use procession::platform::{Access, Site};

const READ: Site = site("counter.read", Access::Load);
const WRITE: Site = site("counter.write", Access::Store);

/// How somebody entered, as far as leaving depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inside {
    /// As anybody does.
    Normally,
    /// As the one for whom the lock is biased.
    Biased,
}

/// How to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Not at all.
    Try,
    /// Until a deadline.
    Timed,
    /// For ever.
    Endless,
}

/// A lock.
pub trait Exclusive: Clone + Send + Sync + 'static {
    /// Its words.
    type Words<P: ModelPlatform>: Send + Sync + 'static;
    /// Its words at first.
    fn build<P: ModelPlatform>(&self) -> Self::Words<P>;
    /// Enters, or says why not.
    fn enter<P: ModelPlatform>(
        &self,
        words: &Self::Words<P>,
        platform: &P,
        me: u32,
        patience: Patience,
    ) -> (Answer, Inside);
    /// Leaves.
    fn leave<P: ModelPlatform>(&self, words: &Self::Words<P>, platform: &P, me: u32, inside: Inside);
}

/// Sections guarded by it.
#[derive(Debug, Clone, Copy)]
pub struct Section<E>(pub E);

impl<E: Exclusive> Subject for Section<E> {
    type Spec = spec::lock::Lock;
    type Op = Op;
    type Answer = Answer;
    type Shared<P: ModelPlatform> = (E::Words<P>, P::Word<u32>);
    type Local = Option<Inside>;

    fn spec(&self) -> spec::lock::Lock {
        spec::lock::Lock::default()
    }

    fn build<P: ModelPlatform>(&self) -> (E::Words<P>, P::Word<u32>) {
        (self.0.build(), P::word(0))
    }

    fn apply<P: ModelPlatform>(
        &self,
        (words, counter): &(E::Words<P>, P::Word<u32>),
        platform: &P,
        me: Owner,
        inside: &mut Option<Inside>,
        op: &Op,
    ) -> Option<Answer> {
        let patience = match op {
            Op::Lock => Patience::Endless,
            Op::TryLock => Patience::Try,
            Op::LockTimeout => Patience::Timed,
            Op::Unlock => {
                self.0.leave(words, platform, me.peer, inside.take()?);
                return Some(Answer::Unlocked);
            }
            Op::Count => {
                let count = platform.load(counter, &READ);
                platform.store(counter, count + 1, &WRITE);
                return Some(Answer::Counted(count.into()));
            }
        };
        let (answer, how) = self.0.enter(words, platform, me.peer, patience);
        *inside = matches!(answer, Answer::Locked | Answer::OwnerDied).then_some(how);
        Some(answer)
    }

    fn leaves_out(&self, inside: &Option<Inside>, op: &Op) -> bool {
        matches!(op, Op::Unlock | Op::Count) && inside.is_none()
    }

    fn is_timed(&self, op: &Op) -> bool {
        matches!(op, Op::LockTimeout)
    }
}

/// One section.
pub const ONCE: &[Op] = &[Op::Lock, Op::Count, Op::Unlock];
/// Two sections.
pub const TWICE: &[Op] = &[Op::Lock, Op::Count, Op::Unlock, Op::Lock, Op::Count, Op::Unlock];
/// One section, if the lock is free.
pub const TRY: &[Op] = &[Op::TryLock, Op::Count, Op::Unlock];
/// One section, if the lock becomes free in time.
pub const TIMED: &[Op] = &[Op::LockTimeout, Op::Count, Op::Unlock];
