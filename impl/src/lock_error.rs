//! What can go wrong with a lock, per operation: a lock that was taken over is handed to you inside the error that tells so.

use crate::error::AttachError;
use std::convert::Infallible;
use thiserror::Error;

/// A lock was not taken; or it was, after its owner died.
#[derive(Debug, Error)]
pub enum LockError<G> {
    /// The last owner died while it held the lock. You hold it now; what it guards may be half done. Told once.
    #[error("the owner of the lock died while it held it")]
    OwnerDied(G),
    /// This thread holds the lock already: waiting for itself would never end.
    #[error("this thread holds the lock already")]
    WouldDeadlock,
    /// Recursion deeper than a `u32` counts.
    #[error("the lock was entered recursively too often")]
    TooDeep,
    /// Whether the owner lives cannot be found out (this process's descriptor of the region was closed): the wait might
    /// never end.
    #[error("whether the lock's owner is alive cannot be found out: the region's descriptor was closed")]
    Blind,
    /// This process could not become a peer (it is a forked child that attaches at first use).
    #[error(transparent)]
    Attach(#[from] AttachError),
}

impl<G> LockError<G> {
    /// The guard, if the lock was handed over from a dead owner; else the error, which then holds no guard and can go
    /// anywhere. For whoever treats a dead owner's data as they treat a live one's:
    /// ```
    /// use procession::{Lock, LockError};
    /// let lock = Lock::new()?;
    /// let guard = lock.lock().or_else(LockError::recover)?;
    /// # drop(guard);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recover(self) -> Result<G, LockError<Infallible>> {
        Err(match self {
            LockError::OwnerDied(guard) => return Ok(guard),
            LockError::WouldDeadlock => LockError::WouldDeadlock,
            LockError::TooDeep => LockError::TooDeep,
            LockError::Blind => LockError::Blind,
            LockError::Attach(error) => LockError::Attach(error),
        })
    }
}

impl<G> TryLockError<G> {
    /// As [`LockError::recover`].
    pub fn recover(self) -> Result<G, TryLockError<Infallible>> {
        match self {
            TryLockError::WouldBlock => Err(TryLockError::WouldBlock),
            TryLockError::Lock(error) => error.recover().map_err(TryLockError::Lock),
        }
    }
}

impl<G> LockTimeoutError<G> {
    /// As [`LockError::recover`].
    pub fn recover(self) -> Result<G, LockTimeoutError<Infallible>> {
        match self {
            LockTimeoutError::TimedOut => Err(LockTimeoutError::TimedOut),
            LockTimeoutError::Lock(error) => error.recover().map_err(LockTimeoutError::Lock),
        }
    }
}

/// A lock was not taken at once; or it was, after its owner died.
#[derive(Debug, Error)]
pub enum TryLockError<G> {
    /// Somebody alive holds it.
    #[error("the lock is held")]
    WouldBlock,
    /// As for `lock`.
    #[error(transparent)]
    Lock(LockError<G>),
}

/// A lock was not taken in time; or it was, after its owner died.
#[derive(Debug, Error)]
pub enum LockTimeoutError<G> {
    /// Somebody alive held it until the timeout had passed.
    #[error("the lock was held until the timeout had passed")]
    TimedOut,
    /// As for `lock`.
    #[error(transparent)]
    Lock(LockError<G>),
}

/// A value was not read or written. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AccessError {
    /// The bytes in the region are not a value of the type: a `bool` of 2, say. Some peer is broken or hostile.
    #[error("the bytes in the region are not a valid {type_name}")]
    Corrupt {
        /// The type.
        type_name: &'static str,
    },
    /// This thread holds the value's guard, or its (not recursive) lock: use the guard.
    #[error("this thread holds the value's lock already: access the value through its guard")]
    WouldDeadlock,
    /// The lock was let go while the value was being changed under it.
    #[error("the lock was let go while the value was being changed")]
    LockLost,
    /// As [`LockError::TooDeep`].
    #[error("the lock was entered recursively too often")]
    TooDeep,
    /// As [`LockError::Blind`].
    #[error("whether the lock's owner is alive cannot be found out: the region's descriptor was closed")]
    Blind,
    /// This process could not become a peer (it is a forked child that attaches at first use).
    #[error(transparent)]
    Attach(#[from] AttachError),
}

impl From<LockError<Infallible>> for AccessError {
    fn from(error: LockError<Infallible>) -> AccessError {
        match error {
            LockError::OwnerDied(never) => match never {},
            LockError::WouldDeadlock => AccessError::WouldDeadlock,
            LockError::TooDeep => AccessError::TooDeep,
            LockError::Blind => AccessError::Blind,
            LockError::Attach(error) => error.into(),
        }
    }
}
