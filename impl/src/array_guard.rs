//! [`ArrayGuard`]: an array under its lock.

use crate::algorithm::Owner;
use crate::algorithm::lock::{Entered, Exclusion, Intent, Patience, Reentry, Refused};
use crate::array::Array;
use crate::array_error::{ElementError, SliceError};
use crate::guard::{Failure, without_limit};
use crate::lock_error::{AccessError, LockError};
use crate::plain::Plain;
use crate::shm::Deadline;
use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeBounds;

/// Holds an [`Array`]'s lock; drop it to let go.
///
/// What is changed through it is changed at once, and seen by whoever reads single elements; whoever copies slices waits,
/// and sees all of the changes. While it exists, the array's operations inside its own lock are
/// [`WouldDeadlock`](AccessError::WouldDeadlock) in this thread: use the guard's (inside a lock that it was given, either
/// will do). In a child forked since it changes nothing ([`LockLost`](AccessError::LockLost)) and releases nothing.
#[must_use = "the lock is let go at once if the guard is dropped"]
pub struct ArrayGuard<'a, T: Plain> {
    array: &'a Array<T>,
    me: Owner,
    /// `None`: the thread was inside already, by a lock of the user's.
    entered: Option<Entered>,
    /// Not `Send`: the holder is a thread.
    _thread: PhantomData<*const ()>,
}

impl<T: Plain> ArrayGuard<'_, T> {
    /// How many elements there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.array.len()
    }

    /// Never: an array has at least one element.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The element at `index`.
    #[inline]
    pub fn get(&self, index: usize) -> Result<T, ElementError> {
        self.require_inside()?;
        self.array.slots().get(index)
    }

    /// Replaces the element at `index`.
    #[inline]
    pub fn set(&self, index: usize, value: T) -> Result<(), ElementError> {
        self.require_inside()?;
        self.array.slots().set(index, value)
    }

    /// Copies the elements of `range` out.
    pub fn read(&self, range: impl RangeBounds<usize>) -> Result<Vec<T>, SliceError> {
        self.require_inside()?;
        self.array.slots().read(range)
    }

    /// As [`read`](ArrayGuard::read), into `values`, which must be as long as `range`.
    pub fn read_into(&self, range: impl RangeBounds<usize>, values: &mut [T]) -> Result<(), SliceError> {
        self.require_inside()?;
        self.array.slots().read_into(range, values)
    }

    /// Copies `values` in, to all of `range`, which must be as long.
    pub fn write(&self, range: impl RangeBounds<usize>, values: &[T]) -> Result<(), SliceError> {
        self.require_inside()?;
        self.array.slots().write(range, values)
    }

    /// Lets `change` change a copy of the elements of `range`, then writes those that it changed. If it panics nothing is
    /// written.
    pub fn update(&self, range: impl RangeBounds<usize>, change: impl FnOnce(&mut [T])) -> Result<(), SliceError> {
        let range = self.array.slots().require_range(range)?;
        let old = self.read(range.clone())?;
        let mut new = old.clone();
        change(&mut new);
        self.require_inside()?; // the closure may have let go of a lock that this thread held all along
        let is_changed = |index: usize| new[index].as_bytes() != old[index].as_bytes();
        // Only what was changed: what others set meanwhile, one element at a time, is not undone.
        let mut next = 0;
        while let Some(first) = (next..new.len()).find(|index| is_changed(*index)) {
            next = (first..new.len()).find(|index| !is_changed(*index)).unwrap_or(new.len());
            self.array.slots().copy_in(range.start + first, &new[first..next]);
        }
        Ok(())
    }

    /// Whether this thread, in this process, still holds the lock.
    #[inline]
    fn require_inside(&self) -> Result<(), AccessError> {
        let gate = self.array.gate();
        let inside = gate.attachment().is_peer(self.me.peer) && (self.entered.is_some() || gate.is_held_by(self.me));
        if inside { Ok(()) } else { Err(AccessError::LockLost) }
    }

    /// Whether it was taken by an internal operation, or inside of one, after a death that nobody has been told of.
    pub(crate) fn death_is_untold(&self) -> bool {
        let gate = self.array.gate();
        let outer = || gate.death_is_untold(gate.attachment().shm());
        self.entered.map_or_else(outer, Entered::death_is_untold)
    }
}

impl<T: Plain> Drop for ArrayGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let gate = self.array.gate();
        if let Some(entered) = self.entered
            && gate.attachment().is_peer(self.me.peer)
        {
            gate.leave(gate.attachment().shm(), entered);
        }
    }
}

impl<T: Plain> fmt::Debug for ArrayGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArrayGuard").field("length", &self.len()).finish_non_exhaustive()
    }
}

impl<T: Plain> Array<T> {
    #[inline]
    pub(crate) fn guarded(&self, intent: Intent) -> Result<ArrayGuard<'_, T>, LockError<ArrayGuard<'_, T>>> {
        let gate = self.gate();
        let me = gate.attachment().owner()?;
        let entered = match gate.enter(gate.attachment().shm(), me, intent, Patience::Until(Deadline::NEVER)) {
            Ok(entered) => Some(entered),
            // The thread holds the plain lock that it gave to this array: an internal operation is inside already.
            Err(Refused::WouldDeadlock) if intent == Intent::Internal && self.reentry() == Reentry::Allowed => None,
            Err(refused) => return Err(without_limit(Failure::from(refused))),
        };
        // A holder that enters a recursive lock again may be in the middle of an internal operation, which was not told of a
        // death: through a guard half of a slice could be read. The word keeps the death for the next locker outside.
        let kept = intent == Intent::Explicit && gate.death_is_untold(gate.attachment().shm());
        let died = kept || entered.is_some_and(|entered| entered.owner_died);
        let guard = ArrayGuard { array: self, me, entered, _thread: PhantomData };
        if died { Err(LockError::OwnerDied(guard)) } else { Ok(guard) }
    }
}
