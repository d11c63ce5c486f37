//! [`ValueGuard`]: a value taken out under its lock.

use crate::algorithm::Owner;
use crate::algorithm::lock::{Entered, Exclusion, Intent, Patience, Reentry, Refused};
use crate::guard::{Failure, without_limit};
use crate::lock_error::{AccessError, LockError};
use crate::plain::Plain;
use crate::share::Handle;
use crate::shm::Deadline;
use crate::value::Value;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// Holds a [`Value`]'s lock and a copy of the value; a changed copy is published when the guard is dropped, whole.
///
/// While it exists, the value's other operations are [`WouldDeadlock`](AccessError::WouldDeadlock) in this thread (`get`
/// works, and reads what was last published). Dropped in a child forked since, it changes and releases nothing. Dropped by a
/// panic, it releases and changes nothing.
#[must_use = "the lock is let go at once if the guard is dropped"]
pub struct ValueGuard<'a, T: Plain> {
    owner: &'a Value<T>,
    me: Owner,
    entered: Option<Entered>,
    value: T,
    changed: bool,
    /// Whether the thread was panicking already when it took the guard.
    panicking: bool,
    /// Not `Send`: the holder is a thread.
    _thread: PhantomData<*const ()>,
}

/// Why [`Value::lock`] gave no plain guard.
#[derive(Debug, thiserror::Error)]
pub enum ValueLockError<'a, T: Plain> {
    /// As for [`Lock::lock`](crate::Lock::lock).
    #[error(transparent)]
    Lock(LockError<ValueGuard<'a, T>>),
    /// The bytes in the region are not a `T`. Nothing is held.
    #[error("the bytes in the region are not a valid {type_name}")]
    Corrupt {
        /// The type.
        type_name: &'static str,
    },
}

impl<'a, T: Plain> ValueLockError<'a, T> {
    /// The guard, if the lock was handed over from a dead owner; else what went wrong.
    /// ```
    /// use procession::{Value, ValueLockError};
    /// let value = Value::new(1u8)?;
    /// *value.lock().or_else(ValueLockError::recover)? += 1;
    /// assert_eq!(value.get()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recover(self) -> Result<ValueGuard<'a, T>, AccessError> {
        match self {
            ValueLockError::Corrupt { type_name } => Err(AccessError::Corrupt { type_name }),
            ValueLockError::Lock(error) => error.recover().map_err(AccessError::from),
        }
    }
}

impl<T: Plain> Deref for ValueGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Plain> DerefMut for ValueGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.changed = true;
        &mut self.value
    }
}

impl<T: Plain> ValueGuard<'_, T> {
    /// Whether the lock is still held: a guard that found it held already does not keep it.
    pub(crate) fn is_inside(&self) -> bool {
        self.entered.is_some() || self.owner.gate().is_held_by(self.me)
    }
}

impl<T: Plain> Drop for ValueGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let lock_attachment = self.owner.gate().attachment();
        let panicked = std::thread::panicking() && !self.panicking;
        if self.changed && !panicked && self.is_inside() && lock_attachment.is_peer(self.me.peer) {
            self.owner.cell().write_held(lock_attachment.shm(), self.value.as_bytes());
        }
        self.owner.let_go(self.me, self.entered);
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for ValueGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ValueGuard").field(&self.value).finish()
    }
}

impl<T: Plain> Value<T> {
    pub(crate) fn internal_guard(&self) -> Result<ValueGuard<'_, T>, AccessError> {
        self.guarded(Intent::Internal).or_else(ValueLockError::recover)
    }

    #[inline]
    pub(crate) fn guarded(&self, intent: Intent) -> Result<ValueGuard<'_, T>, ValueLockError<'_, T>> {
        let gate = self.gate();
        let lock_attachment = gate.attachment();
        let me = lock_attachment.owner().map_err(|error| ValueLockError::Lock(error.into()))?;
        if self.is_edited_by(me) {
            return Err(ValueLockError::Lock(LockError::WouldDeadlock));
        }
        let patience = Patience::Until(Deadline::NEVER);
        let entered = match gate.enter(lock_attachment.shm(), me, intent, patience) {
            Ok(entered) => Some(entered),
            // The thread holds the plain lock that it gave to this value: an internal operation is inside already.
            Err(Refused::WouldDeadlock) if intent == Intent::Internal && self.reentry() == Reentry::Allowed => None,
            Err(refused) => return Err(ValueLockError::Lock(without_limit(Failure::from(refused)))),
        };
        self.attachment().set_editor(me.thread);
        let died = entered.is_some_and(|entered| entered.owner_died);
        let value = self.read(|bytes| {
            self.cell().read_held(lock_attachment.shm(), bytes);
            Ok(())
        });
        match value {
            Ok(value) => {
                let guard = ValueGuard {
                    owner: self,
                    me,
                    entered,
                    value,
                    changed: false,
                    panicking: std::thread::panicking(),
                    _thread: PhantomData,
                };
                if died { Err(ValueLockError::Lock(LockError::OwnerDied(guard))) } else { Ok(guard) }
            }
            Err(_) => {
                self.let_go(me, entered.map(Entered::leave_untold));
                Err(ValueLockError::Corrupt { type_name: std::any::type_name::<T>() })
            }
        }
    }

    #[inline]
    fn let_go(&self, me: Owner, entered: Option<Entered>) {
        let gate = self.gate();
        if self.is_edited_by(me) {
            self.attachment().set_editor(0);
        }
        if let Some(entered) = entered
            && gate.attachment().is_peer(me.peer)
        {
            gate.leave(gate.attachment().shm(), entered);
        }
    }
}
