//! Holding a lock: what `Lock` and `RLock` have in common.

use crate::algorithm::lock::{Entered, Exclusion, Intent, Patience, Refused};
use crate::lock_error::{LockError, LockTimeoutError, TryLockError};
use crate::shm::{Deadline, Mapped, Shm};
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

/// `Lock` and `RLock`.
pub trait Lockable: sealed::Sealed {}
pub(crate) mod sealed {
    use super::{Exclusion, Mapped, Shm};
    pub trait Sealed {
        type Algorithm: Exclusion<Shm>;
        fn mapped(&self) -> &Mapped<Self::Algorithm>;
    }
}

/// Holds a [`Lock`](crate::Lock) or [`RLock`](crate::RLock); drop it to let go.
///
/// It belongs to the thread that took it. Dropped in a child forked since, it releases nothing: the lock is the parent's.
#[must_use = "the lock is let go at once if the guard is dropped"]
pub struct Guard<'a, L: Lockable> {
    lock: &'a L,
    peer: u32,
    entered: Entered,
    /// Not `Send`: the holder is a thread.
    _thread: PhantomData<*const ()>,
}

/// Why a lock was not entered plainly, whatever the way it was asked for.
pub(crate) enum Failure<G> {
    WouldBlock,
    TimedOut,
    Lock(LockError<G>),
}

impl<G> From<Refused> for Failure<G> {
    fn from(refused: Refused) -> Self {
        Failure::Lock(match refused {
            Refused::WouldBlock => return Failure::WouldBlock,
            Refused::TimedOut => return Failure::TimedOut,
            Refused::WouldDeadlock => LockError::WouldDeadlock,
            Refused::TooDeep => LockError::TooDeep,
            Refused::Blind => LockError::Blind,
        })
    }
}

impl<'a, L: Lockable> Guard<'a, L> {
    #[inline]
    fn enter(lock: &'a L, patience: Patience<Deadline>) -> Result<Self, Failure<Self>> {
        let mapped = lock.mapped();
        let attachment = mapped.attachment();
        let me = attachment.owner().map_err(|error| Failure::Lock(error.into()))?;
        let entered = mapped.enter(attachment.shm(), me, Intent::Explicit, patience)?;
        let guard = Guard { lock, peer: me.peer, entered, _thread: PhantomData };
        if entered.owner_died { Err(Failure::Lock(LockError::OwnerDied(guard))) } else { Ok(guard) }
    }

    #[inline]
    pub(crate) fn lock(lock: &'a L) -> Result<Self, LockError<Self>> {
        Guard::enter(lock, Patience::Until(Deadline::NEVER)).map_err(without_limit)
    }

    pub(crate) fn try_lock(lock: &'a L) -> Result<Self, TryLockError<Self>> {
        Guard::enter(lock, Patience::Try).map_err(|failure| match failure {
            Failure::WouldBlock => TryLockError::WouldBlock,
            failure => TryLockError::Lock(without_limit(failure)),
        })
    }

    pub(crate) fn lock_timeout(lock: &'a L, timeout: Duration) -> Result<Self, LockTimeoutError<Self>> {
        Guard::enter(lock, Patience::Until(Deadline::after(timeout))).map_err(|failure| match failure {
            Failure::TimedOut => LockTimeoutError::TimedOut,
            failure => LockTimeoutError::Lock(without_limit(failure)),
        })
    }
}

/// A failure that is no matter of time: nobody asked for a limit, or it has been answered already.
pub(crate) fn without_limit<G>(failure: Failure<G>) -> LockError<G> {
    match failure {
        Failure::Lock(error) => error,
        Failure::WouldBlock | Failure::TimedOut => LockError::Blind,
    }
}

impl<L: Lockable> Drop for Guard<'_, L> {
    #[inline]
    fn drop(&mut self) {
        let mapped = self.lock.mapped();
        if mapped.attachment().is_peer(self.peer) {
            mapped.leave(mapped.attachment().shm(), self.entered);
        }
    }
}

impl<L: Lockable> fmt::Debug for Guard<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("peer", &self.peer).finish_non_exhaustive()
    }
}
