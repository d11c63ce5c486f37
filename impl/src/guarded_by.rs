//! Which lock guards a value: its own, or one that the user gave it.

use crate::algorithm::lock::{Exclusion, Intent, Patience, Refused};
use crate::algorithm::{Owner, lock, rlock};
use crate::error::OpenError;
use crate::guard::sealed::Sealed;
use crate::layout::Kind;
use crate::lock::{Lock, RLock};
use crate::share::Handle;
use crate::shm::{Attachment, Blueprint, Deadline, Given, Shm, inherited_id};
use std::sync::Arc;

/// The lock that guards a value.
#[derive(Clone)]
pub enum GuardedBy {
    /// Its own.
    Own,
    /// A lock that may guard several values.
    Lock(Lock),
    /// A recursive lock that may guard several values.
    RLock(RLock),
}

impl From<&Lock> for GuardedBy {
    fn from(lock: &Lock) -> GuardedBy {
        GuardedBy::Lock(lock.clone())
    }
}
impl From<&RLock> for GuardedBy {
    fn from(lock: &RLock) -> GuardedBy {
        GuardedBy::RLock(lock.clone())
    }
}

impl GuardedBy {
    /// Finds the lock that guards a region: its own, or one that this process has a handle of, or was given by its parent,
    /// or whose name the region's creator wrote down. Blocks no one; a lock found by name makes this process its user.
    ///
    /// Errors: there is none ([`OpenError::LockNotFound`]), or this process cannot become its peer.
    pub fn find(guarded: &Attachment) -> Result<GuardedBy, OpenError> {
        let (id, name) = guarded.lock();
        if id == 0 {
            return Ok(GuardedBy::Own);
        }
        let missing = || OpenError::LockNotFound { id };
        // What is believed of a region that somebody named to us.
        let check = |found: &Attachment| match found.kind() {
            Some(Kind::Lock | Kind::RLock) if found.id() == id => Ok(()),
            _ => Err(missing()),
        };
        let lock = if let Some(known) = Attachment::known(id) {
            known
        } else if let Some(given) = inherited_id(id) {
            Attachment::adopt_if(given, check)?.0
        } else if let Some(name) = name {
            Attachment::open(name.as_str(), None).map_err(|error| match error {
                OpenError::Attach(error) => OpenError::Attach(error),
                _ => missing(),
            })?
        } else {
            return Err(missing());
        };
        check(&lock)?;
        match lock.kind() {
            Some(Kind::RLock) => RLock::from_attachment(lock).map(GuardedBy::RLock),
            _ => Lock::from_attachment(lock).map(GuardedBy::Lock),
        }
    }

    /// Opens a region and finds the lock that guards it; `blueprint` says [`ANY_LOCK`](crate::shm::ANY_LOCK).
    pub(crate) fn open(name: &str, blueprint: &Blueprint) -> Result<(Arc<Attachment>, GuardedBy), OpenError> {
        let attachment = Attachment::open(name, Some(blueprint))?;
        let guard = GuardedBy::find(&attachment)?;
        Ok((attachment, guard))
    }

    /// As [`open`](GuardedBy::open), for a region that this process was given. Without its lock it stays where it was.
    pub(crate) fn adopt(given: Given, blueprint: &Blueprint) -> Result<(Arc<Attachment>, GuardedBy), OpenError> {
        Attachment::adopt_if(given, |found| {
            found.require(Some(blueprint))?;
            GuardedBy::find(found)
        })
    }

    /// The lock, ready to be entered; `own` is the value's.
    #[inline(always)]
    pub(crate) fn gate<'a>(&'a self, own: &'a lock::Lock<Shm>, attachment: &'a Attachment) -> Gate<'a> {
        match self {
            GuardedBy::Own => Gate::Plain(own, attachment),
            GuardedBy::Lock(lock) => Gate::Plain(lock.mapped(), lock.attachment()),
            GuardedBy::RLock(lock) => Gate::Recursive(lock.mapped(), lock.attachment()),
        }
    }

    pub(crate) fn region(&self) -> u64 {
        match self {
            GuardedBy::Own => 0,
            GuardedBy::Lock(lock) => lock.attachment().id(),
            GuardedBy::RLock(lock) => lock.attachment().id(),
        }
    }
}

/// The lock's algorithm, whichever it is, and the region whose peers it knows.
#[derive(Clone, Copy)]
pub(crate) enum Gate<'a> {
    Plain(&'a lock::Lock<Shm>, &'a Attachment),
    Recursive(&'a rlock::RLock<Shm>, &'a Attachment),
}

impl<'a> Gate<'a> {
    #[inline(always)]
    pub(crate) fn attachment(self) -> &'a Attachment {
        match self {
            Gate::Plain(_, attachment) | Gate::Recursive(_, attachment) => attachment,
        }
    }
}

impl Gate<'_> {
    /// Whether the thread is inside.
    pub(crate) fn is_held_by(self, me: Owner) -> bool {
        let shm = self.attachment().shm();
        match self {
            Gate::Plain(lock, _) => lock.is_held_by(shm, me),
            Gate::Recursive(lock, _) => lock.lock().is_held_by(shm, me),
        }
    }
}

impl Exclusion<Shm> for Gate<'_> {
    #[inline]
    fn enter(
        &self,
        shm: &Shm,
        me: Owner,
        intent: Intent,
        patience: Patience<Deadline>,
    ) -> Result<lock::Entered, Refused> {
        match self {
            Gate::Plain(lock, _) => lock.enter(shm, me, intent, patience),
            Gate::Recursive(lock, _) => lock.enter(shm, me, intent, patience),
        }
    }
    #[inline]
    fn leave(&self, shm: &Shm, entered: lock::Entered) {
        match self {
            Gate::Plain(lock, _) => lock.leave(shm, entered),
            Gate::Recursive(lock, _) => lock.leave(shm, entered),
        }
    }
    #[inline]
    fn death_is_untold(&self, shm: &Shm) -> bool {
        match self {
            Gate::Plain(lock, _) => lock.death_is_untold(shm),
            Gate::Recursive(lock, _) => lock.death_is_untold(shm),
        }
    }
}
