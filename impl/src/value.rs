//! [`Value`]: a value that processes share, under a lock.

use crate::algorithm::lock::{Exclusion, Intent, Patience, Refused};
use crate::algorithm::value::{Cell, Reentry, words_for};
use crate::algorithm::{Owner, lock, rlock};
use crate::error::{AccessError, CreateError, LockError, OpenError};
use crate::guard::{Failure, sealed::Sealed, without_limit};
use crate::layout::{Kind, ValueHead};
use crate::lock::{Lock, RLock};
use crate::plain::{Integer, Plain, print_of};
use crate::share::{Handle, OpenOrCreateError, open_or_create};
use crate::shm::{Attachment, Blueprint, Deadline, Mapped, MappedSlice, Shm, inherited_region, read_plain};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// A value between processes. `get` takes no lock; everything that writes takes it, and replaces the value in one step.
///
/// A process killed at any moment leaves the old value or the new one, never a mixture. If it held the lock explicitly
/// (through [`lock`](Value::lock), or through the lock given at creation), the next explicit locker is told
/// [`OwnerDied`](LockError::OwnerDied); `get`, `set`, `update` and kin go on without a word.
///
/// There is no `+=` on the handle: reading and writing are two steps, and between them others write. Use
/// [`update`](Value::update), [`fetch_add`](Value::fetch_add) or the [guard](Value::lock).
///
/// 24 bytes beside the value in shared memory, and a value larger than 8 bytes is kept twice; a header of 4 KiB.
///
/// ```
/// use procession::Value;
/// let counter = Value::new(0u64)?;
/// std::thread::scope(|threads| {
///     for _ in 0..4 {
///         threads.spawn(|| (0..1000).try_for_each(|_| counter.fetch_add(1).map(drop)));
///     }
/// });
/// assert_eq!(counter.get()?, 4000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Value<T> {
    head: Mapped<ValueHead>,
    words: MappedSlice,
    guard: GuardedBy,
    _value: PhantomData<fn() -> T>,
}

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
    fn region(&self) -> u64 {
        match self {
            GuardedBy::Own => 0,
            GuardedBy::Lock(lock) => lock.attachment().id(),
            GuardedBy::RLock(lock) => lock.attachment().id(),
        }
    }
}

/// The lock's algorithm, whichever it is, and the region whose peers it knows.
#[derive(Clone, Copy)]
enum Gate<'a> {
    Plain(&'a lock::Lock<Shm>, &'a Attachment),
    Recursive(&'a rlock::RLock<Shm>, &'a Attachment),
}

impl<'a> Gate<'a> {
    #[inline(always)]
    fn attachment(self) -> &'a Attachment {
        match self {
            Gate::Plain(_, attachment) | Gate::Recursive(_, attachment) => attachment,
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
}

impl From<Refused> for AccessError {
    fn from(refused: Refused) -> AccessError {
        match refused {
            Refused::WouldDeadlock => AccessError::WouldDeadlock,
            Refused::TooDeep => AccessError::TooDeep,
            // An internal operation has no deadline: these two cannot be answers to it.
            Refused::Blind | Refused::WouldBlock | Refused::TimedOut => AccessError::Blind,
        }
    }
}

impl<T: Plain> Value<T> {
    const NOT_EMPTY: () = assert!(size_of::<T>() > 0, "a value has at least one byte");

    /// Makes a value with a lock of its own, in anonymous memory: for threads, forked and spawned children.
    pub fn new(value: T) -> Result<Value<T>, CreateError> {
        Value::make(None, value, GuardedBy::Own)
    }

    /// Makes a value that `lock`, a [`Lock`] or an [`RLock`], guards. Several values may share one lock; a thread that
    /// holds the lock may go on using the values.
    ///
    /// ```
    /// use procession::{RLock, Value};
    /// let lock = RLock::new()?;
    /// let (here, there) = (Value::with_lock(10, &lock)?, Value::with_lock(0, &lock)?);
    /// let both = lock.lock().map_err(|error| error.to_string())?;
    /// here.set(here.get()? - 3)?;
    /// there.set(there.get()? + 3)?; // whoever takes the lock sees both changes or none
    /// drop(both);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_lock(value: T, lock: impl Into<GuardedBy>) -> Result<Value<T>, CreateError> {
        Value::make(None, value, lock.into())
    }

    /// Makes a value that unrelated processes can [`open`](Handle::open) under `name`.
    pub fn create(name: &str, value: T) -> Result<Value<T>, CreateError> {
        Value::make(Some(name), value, GuardedBy::Own)
    }

    /// Opens the value of that name, or makes it with `value` in it if there is none.
    pub fn open_or_create(name: &str, value: T) -> Result<Value<T>, OpenOrCreateError> {
        open_or_create(|| Value::open(name), || Value::create(name, value))
    }

    /// As [`create`](Value::create), guarded by `lock`.
    pub fn create_with_lock(name: &str, value: T, lock: impl Into<GuardedBy>) -> Result<Value<T>, CreateError> {
        Value::make(Some(name), value, lock.into())
    }

    /// As [`open`](Handle::open), for a value that `lock` guards; another lock is an error.
    pub fn open_with_lock(name: &str, lock: impl Into<GuardedBy>) -> Result<Value<T>, OpenError> {
        let guard = lock.into();
        Value::from_attachment(Attachment::open(name, &Value::<T>::blueprint(&guard))?, guard)
    }

    /// As [`inherited`](Handle::inherited), for a value that `lock` guards; another lock is an error.
    pub fn inherited_with_lock(name: &str, lock: impl Into<GuardedBy>) -> Result<Value<T>, OpenError> {
        let guard = lock.into();
        Value::from_attachment(Attachment::adopt(inherited_region(name)?, &Value::<T>::blueprint(&guard))?, guard)
    }

    /// The value, whole: what the last completed write left. Takes no lock and does not block, unless the value is larger
    /// than 8 bytes and writers keep coming in between; then it queues for the lock as they do.
    #[inline]
    pub fn get(&self) -> Result<T, AccessError> {
        self.read(|bytes| match self.cell().read(self.attachment().shm(), bytes) {
            Some(()) => Ok(()),
            None => self.inside(|cell, shm| cell.read_held(shm, bytes)),
        })
    }

    /// Replaces the value. Blocks while somebody holds the lock.
    #[inline]
    pub fn set(&self, value: T) -> Result<(), AccessError> {
        self.inside(|cell, shm| cell.write_held(shm, value.as_bytes()))
    }

    /// Replaces the value by what `change` makes of it, alone; returns the old value. Blocks while somebody holds the lock.
    ///
    /// If `change` panics the value stays as it was.
    pub fn update(&self, change: impl FnOnce(&mut T)) -> Result<T, AccessError> {
        let mut guard = self.internal_guard()?;
        let old = guard.value;
        // A copy of the copy: a panic in `change` drops the guard before it learns of a change.
        let mut new = old;
        change(&mut new);
        *guard = new;
        Ok(old)
    }

    /// Takes the lock and hands out the value, to be looked at and changed. The change becomes visible to others at once
    /// and whole when the guard is dropped; a holder killed before that leaves the old value.
    ///
    /// Blocks as [`Lock::lock`], whose errors it has. A value whose bytes are not a `T` is [`ValueLockError::Corrupt`].
    pub fn lock(&self) -> Result<ValueGuard<'_, T>, ValueLockError<'_, T>> {
        self.guarded(Intent::Explicit)
    }

    /// The region of the lock that guards the value; 0 for its own.
    pub fn lock_region(&self) -> u64 {
        self.guard.region()
    }

    fn internal_guard(&self) -> Result<ValueGuard<'_, T>, AccessError> {
        self.guarded(Intent::Internal).map_err(|error| match error {
            ValueLockError::Corrupt { type_name } => AccessError::Corrupt { type_name },
            ValueLockError::Lock(LockError::Attach(error)) => error.into(),
            ValueLockError::Lock(LockError::WouldDeadlock) => AccessError::WouldDeadlock,
            ValueLockError::Lock(LockError::TooDeep) => AccessError::TooDeep,
            // An internal locker is not told of deaths.
            ValueLockError::Lock(LockError::Blind | LockError::OwnerDied(_)) => AccessError::Blind,
        })
    }

    fn guarded(&self, intent: Intent) -> Result<ValueGuard<'_, T>, ValueLockError<'_, T>> {
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
        self.head.attachment().set_editor(me.thread);
        let died = entered.is_some_and(|entered| entered.owner_died);
        let value = self.read(|bytes| {
            self.cell().read_held(lock_attachment.shm(), bytes);
            Ok(())
        });
        match value {
            Ok(value) => {
                let guard = ValueGuard { owner: self, me, entered, value, changed: false, _thread: PhantomData };
                if died { Err(ValueLockError::Lock(LockError::OwnerDied(guard))) } else { Ok(guard) }
            }
            Err(_) => {
                self.let_go(me, entered);
                Err(ValueLockError::Corrupt { type_name: std::any::type_name::<T>() })
            }
        }
    }

    fn let_go(&self, me: Owner, entered: Option<lock::Entered>) {
        let gate = self.gate();
        self.head.attachment().set_editor(0);
        if let Some(entered) = entered
            && gate.attachment().is_peer(me.peer)
        {
            gate.leave(gate.attachment().shm(), entered);
        }
    }

    /// Runs `body` inside the lock, as an internal operation.
    #[inline]
    fn inside<R>(&self, body: impl FnOnce(&Cell<'_, Shm>, &Shm) -> R) -> Result<R, AccessError> {
        let gate = self.gate();
        let shm = gate.attachment().shm();
        let me = gate.attachment().owner()?;
        if !matches!(self.guard, GuardedBy::Own) && self.is_edited_by(me) {
            return Err(AccessError::WouldDeadlock);
        }
        let inside = (self.reentry(), Deadline::NEVER);
        Ok(self.cell().with(shm, &gate, me, inside, |cell| body(cell, shm))?)
    }

    /// A thread that holds a lock given by the user is inside; the value's own lock is only ever held through its guard.
    #[inline(always)]
    fn reentry(&self) -> Reentry {
        if matches!(self.guard, GuardedBy::Own) { Reentry::Refused } else { Reentry::Allowed }
    }

    /// Whether the thread has a [`ValueGuard`] of this value. Only the thread itself ever sets its own number.
    #[inline(always)]
    fn is_edited_by(&self, me: Owner) -> bool {
        self.head.attachment().editor() == me.thread
    }

    #[inline(always)]
    fn gate(&self) -> Gate<'_> {
        match &self.guard {
            GuardedBy::Own => Gate::Plain(&self.head.lock, self.head.attachment()),
            GuardedBy::Lock(lock) => Gate::Plain(lock.mapped(), lock.attachment()),
            GuardedBy::RLock(lock) => Gate::Recursive(lock.mapped(), lock.attachment()),
        }
    }

    #[inline(always)]
    fn cell(&self) -> Cell<'_, Shm> {
        // The number of words is a constant of `T`: said here so that the compiler sees it too.
        let words = self.words.first_chunk_of(words_for(size_of::<T>()));
        Cell { version: &self.head.version, words }
    }

    #[inline(always)]
    fn read(&self, fill: impl FnOnce(&mut [u8]) -> Result<(), AccessError>) -> Result<T, AccessError> {
        read_plain(fill)?.ok_or(AccessError::Corrupt { type_name: std::any::type_name::<T>() })
    }

    fn blueprint(guard: &GuardedBy) -> Blueprint {
        let () = Self::NOT_EMPTY;
        let words = words_for(size_of::<T>());
        Blueprint { kind: Kind::Value, element: print_of::<T>(), words, lock_id: guard.region() }
    }

    fn make(name: Option<&str>, value: T, guard: GuardedBy) -> Result<Value<T>, CreateError> {
        let mut made = None;
        Attachment::create(&Value::<T>::blueprint(&guard), name, |attachment| {
            made = Value::from_attachment(attachment, guard).ok();
            if let Some(made) = &made {
                made.cell().write_held(made.head.attachment().shm(), value.as_bytes());
            }
        })?;
        made.ok_or(CreateError::NoSpace { bytes: size_of::<T>() })
    }

    fn from_attachment(attachment: Arc<Attachment>, guard: GuardedBy) -> Result<Value<T>, OpenError> {
        let count = words_for(size_of::<T>());
        let short = || OpenError::Truncated { bytes: 0, expected: Kind::Value.words_at() + 8 * count };
        let words = MappedSlice::words(attachment.clone(), Kind::Value.words_at(), count).ok_or_else(short)?;
        let head = Mapped::body(attachment).ok_or_else(short)?;
        Ok(Value { head, words, guard, _value: PhantomData })
    }
}

impl<T: Integer> Value<T> {
    /// Adds `other`, alone, modulo 2^bits; returns the value before. Blocks while somebody holds the lock.
    #[inline]
    pub fn fetch_add(&self, other: T) -> Result<T, AccessError> {
        self.modify(|old| Some(old.wrapping_sum(other)))
    }

    /// Sets the value to `new` if it is `current`, alone. `Ok` holds the value before if it was, `Err` if it was not, and
    /// the outer error means that nothing was done. Blocks while somebody holds the lock.
    #[inline]
    pub fn compare_exchange(&self, current: T, new: T) -> Result<Result<T, T>, AccessError> {
        let found = self.modify(|old| (old == current).then_some(new))?;
        Ok(if found == current { Ok(found) } else { Err(found) })
    }

    #[inline]
    fn modify(&self, next: impl FnOnce(T) -> Option<T>) -> Result<T, AccessError> {
        self.inside(|cell, shm| {
            let old = self.read(|bytes| {
                cell.read_held(shm, bytes);
                Ok(())
            })?;
            if let Some(new) = next(old) {
                cell.write_held(shm, new.as_bytes());
            }
            Ok(old)
        })?
    }
}

impl<T: Plain> Handle for Value<T> {
    fn open(name: &str) -> Result<Self, OpenError> {
        Value::open_with_lock(name, GuardedBy::Own)
    }
    fn adopt(file: OwnedFd) -> Result<Self, OpenError> {
        let blueprint = Value::<T>::blueprint(&GuardedBy::Own);
        Value::from_attachment(Attachment::adopt(file, &blueprint)?, GuardedBy::Own)
    }
    fn attachment(&self) -> &Arc<Attachment> {
        self.head.attachment()
    }
}

impl<T> Clone for Value<T> {
    fn clone(&self) -> Self {
        let (head, words, guard) = (self.head.clone(), self.words.clone(), self.guard.clone());
        Value { head, words, guard, _value: PhantomData }
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for Value<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Value").field(&self.get()).finish()
    }
}

/// Holds a [`Value`]'s lock and a copy of the value; a changed copy is published when the guard is dropped, whole.
///
/// While it exists, the value's other operations are [`WouldDeadlock`](AccessError::WouldDeadlock) in this thread (`get`
/// works, and reads what was last published). Dropped in a child forked since, it changes and releases nothing.
#[must_use = "the lock is let go at once if the guard is dropped"]
pub struct ValueGuard<'a, T: Plain> {
    owner: &'a Value<T>,
    me: Owner,
    entered: Option<lock::Entered>,
    value: T,
    changed: bool,
    /// Not `Send`: the holder is a thread.
    _thread: PhantomData<*const ()>,
}

/// Why [`Value::lock`] gave no plain guard.
#[derive(Debug, thiserror::Error)]
pub enum ValueLockError<'a, T: Plain> {
    /// As for [`Lock::lock`].
    #[error(transparent)]
    Lock(LockError<ValueGuard<'a, T>>),
    /// The bytes in the region are not a `T`. Nothing is held.
    #[error("the bytes in the region are not a valid {type_name}")]
    Corrupt {
        /// The type.
        type_name: &'static str,
    },
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

impl<T: Plain> Drop for ValueGuard<'_, T> {
    fn drop(&mut self) {
        let lock_attachment = self.owner.gate().attachment();
        if self.changed && lock_attachment.is_peer(self.me.peer) {
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
