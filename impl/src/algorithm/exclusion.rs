//! What it is to be alone inside: how a [lock](super::lock) is entered and left, by whom, and why it may not be.

use super::Owner;
use crate::platform::Platform;

/// Who asks for the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Intent {
    /// The user, who will be told of a death.
    Explicit,
    /// An operation such as `Value::set`, which has nobody to tell: it leaves the telling to the next explicit locker.
    Internal,
}

/// The lock is held. To be given back to [`Exclusion::leave`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[must_use]
pub struct Entered {
    /// The last owner died inside, and this explicit locker is the one to be told.
    pub owner_died: bool,
    /// A death that is still to be told when we leave.
    pub(super) untold: bool,
}

impl Entered {
    /// A death that no explicit locker has been told of yet: what the lock guards may be half done.
    pub fn death_is_untold(self) -> bool {
        self.untold
    }

    /// Nobody could be told, after all: the death is left for the next explicit locker.
    pub fn leave_untold(self) -> Entered {
        Entered { owner_died: false, untold: self.untold || self.owner_died }
    }
}

/// The lock is not held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refused {
    /// Held by somebody alive, and we were not to wait.
    WouldBlock,
    /// The deadline passed while somebody held it.
    TimedOut,
    /// This very thread holds it: waiting would never end.
    WouldDeadlock,
    /// Recursion deeper than a `u32` counts.
    TooDeep,
    /// The owner cannot be asked after, and may be dead: waiting might never end.
    Blind,
}

/// How long to wait for the lock.
#[derive(Debug, Clone, Copy)]
pub enum Patience<D> {
    /// Look, and do not wait.
    Try,
    /// Wait until the deadline.
    Until(D),
}

/// What guards a value: a [`Lock`](super::lock::Lock) or an [`RLock`](super::rlock::RLock).
pub trait Exclusion<P: Platform> {
    /// Enters, alone.
    fn enter(
        &self,
        platform: &P,
        me: Owner,
        intent: Intent,
        patience: Patience<P::Deadline>,
    ) -> Result<Entered, Refused>;
    /// Leaves. `entered` is what [`enter`](Exclusion::enter) returned to the same thread.
    fn leave(&self, platform: &P, entered: Entered);
    /// Whether a death is untold. For the holder: while it holds the lock, nobody changes the answer.
    fn death_is_untold(&self, platform: &P) -> bool;
}

/// What an internal operation does in a thread that holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reentry {
    /// It goes on: the thread is inside (it holds a lock that guards several values).
    Allowed,
    /// It is refused: waiting for the lock would never end, or the thread holds a copy that would undo what is done.
    Refused,
}

/// Runs `body` inside `lock`, as an internal operation; `body` is told whether a death is still untold.
#[inline]
pub fn inside<P: Platform, L: Exclusion<P> + ?Sized, R>(
    platform: &P,
    lock: &L,
    me: Owner,
    (reentry, deadline): (Reentry, P::Deadline),
    body: impl FnOnce(bool) -> R,
) -> Result<R, Refused> {
    match lock.enter(platform, me, Intent::Internal, Patience::Until(deadline)) {
        Ok(entered) => {
            let result = body(entered.death_is_untold());
            lock.leave(platform, entered);
            Ok(result)
        }
        // Whoever holds it explicitly has been told; but this thread may be in the middle of another internal operation.
        Err(Refused::WouldDeadlock) if reentry == Reentry::Allowed => Ok(body(lock.death_is_untold(platform))),
        Err(refused) => Err(refused),
    }
}
