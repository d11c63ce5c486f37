//! [`Value`]: a value that processes share, under a lock.

use crate::algorithm::Owner;
use crate::algorithm::lock::{Intent, Reentry, Refused, inside};
use crate::algorithm::value::{Cell, words_for};
use crate::error::{CreateError, OpenError};
use crate::guarded_by::{Gate, GuardedBy};
use crate::layout::{Kind, ValueHead};
use crate::lock_error::AccessError;
use crate::plain::{Integer, Plain, print_of};
use crate::share::{Handle, OpenOrCreateError, open_or_create};
use crate::shm::{
    ANY_LOCK, Attachment, Blueprint, Deadline, Given, Mapped, MappedSlice, Shm, inherited_region, read_plain,
};
use crate::value_guard::{ValueGuard, ValueLockError};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A value between processes. `get` takes no lock; everything that writes takes it, and replaces the value in one step.
///
/// A process killed at any moment leaves the old value or the new one, never a mixture. If it was inside the lock, in an
/// operation or with a guard, the next explicit locker is told [`OwnerDied`](crate::LockError::OwnerDied); `get`, `set`,
/// `update` and kin go on without a word.
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

    /// Makes a value that `lock`, a [`Lock`](crate::Lock) or an [`RLock`](crate::RLock), guards. Several values may share one lock; a thread that
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

    /// As [`create`](Value::create), guarded by `lock`. Whoever [opens](Handle::open) it needs the lock, too, and finds it by
    /// itself if it has a handle of the lock, was given one, or the lock has a name.
    pub fn create_with_lock(name: &str, value: T, lock: impl Into<GuardedBy>) -> Result<Value<T>, CreateError> {
        Value::make(Some(name), value, lock.into())
    }

    /// As [`open`](Handle::open), for a value that `lock` guards; another lock is an error.
    pub fn open_with_lock(name: &str, lock: impl Into<GuardedBy>) -> Result<Value<T>, OpenError> {
        let guard = lock.into();
        Value::from_attachment(Attachment::open(name, Some(&Value::<T>::blueprint(&guard)))?, guard)
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
            None => self.queue_to_read(bytes),
        })
    }

    #[cold]
    fn queue_to_read(&self, bytes: &mut [u8]) -> Result<(), AccessError> {
        self.inside(|cell, shm| cell.read_held(shm, bytes))
    }

    /// Replaces the value. Blocks while somebody holds the lock.
    #[inline]
    pub fn set(&self, value: T) -> Result<(), AccessError> {
        self.inside(|cell, shm| cell.write_held(shm, value.as_bytes()))
    }

    /// Replaces the value by what `change` makes of it, alone; returns the old value. Blocks while somebody holds the lock.
    ///
    /// If `change` panics the value stays as it was; also if it lets go of the user's lock under which it runs, which is
    /// [`AccessError::LockLost`].
    pub fn update(&self, change: impl FnOnce(&mut T)) -> Result<T, AccessError> {
        let mut guard = self.internal_guard()?;
        let old = *guard;
        // A copy of the copy: a panic in `change` drops the guard before it learns of a change.
        let mut new = old;
        change(&mut new);
        // The closure may have let go of a lock that this thread held all along.
        if !guard.is_inside() {
            return Err(AccessError::LockLost);
        }
        *guard = new;
        Ok(old)
    }

    /// Takes the lock and hands out the value, to be looked at and changed. The change becomes visible to others at once
    /// and whole when the guard is dropped; a holder killed before that leaves the old value.
    ///
    /// Blocks as [`Lock::lock`](crate::Lock::lock), whose errors it has. A value whose bytes are not a `T` is [`ValueLockError::Corrupt`].
    #[inline]
    pub fn lock(&self) -> Result<ValueGuard<'_, T>, ValueLockError<'_, T>> {
        self.guarded(Intent::Explicit)
    }

    /// The region of the lock that guards the value; 0 for its own.
    pub fn lock_region(&self) -> u64 {
        self.guard.region()
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
        Ok(inside(shm, &gate, me, (self.reentry(), Deadline::NEVER), |_| body(&self.cell(), shm))?)
    }

    /// A thread that holds a lock given by the user is inside; the value's own lock is only ever held through its guard.
    #[inline(always)]
    pub(crate) fn reentry(&self) -> Reentry {
        if matches!(self.guard, GuardedBy::Own) { Reentry::Refused } else { Reentry::Allowed }
    }

    /// Whether the thread has a [`ValueGuard`] of this value. Only the thread itself ever sets its own number.
    #[inline(always)]
    pub(crate) fn is_edited_by(&self, me: Owner) -> bool {
        self.head.attachment().editor() == me.thread
    }

    #[inline(always)]
    pub(crate) fn gate(&self) -> Gate<'_> {
        self.guard.gate(&self.head.lock, self.head.attachment())
    }

    #[inline(always)]
    pub(crate) fn cell(&self) -> Cell<'_, Shm> {
        self.attachment().be_counted();
        // The number of words is a constant of `T`: said here so that the compiler sees it too.
        let words = self.words.first_chunk_of(words_for(size_of::<T>()));
        Cell { version: &self.head.version, words }
    }

    #[inline(always)]
    pub(crate) fn read(&self, fill: impl FnOnce(&mut [u8]) -> Result<(), AccessError>) -> Result<T, AccessError> {
        read_plain(fill)?.ok_or(AccessError::Corrupt { type_name: std::any::type_name::<T>() })
    }

    fn blueprint(guard: &GuardedBy) -> Blueprint {
        Self::expected(guard.region())
    }

    fn expected(lock_id: u64) -> Blueprint {
        let () = Self::NOT_EMPTY;
        Blueprint { length: Some(1), lock_id, ..Blueprint::new(Kind::Value, print_of::<T>()) }
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
        let (attachment, guard) = GuardedBy::open(name, &Value::<T>::expected(ANY_LOCK))?;
        Value::from_attachment(attachment, guard)
    }
    fn adopt(given: Given) -> Result<Self, OpenError> {
        let (attachment, guard) = GuardedBy::adopt(given, &Value::<T>::expected(ANY_LOCK))?;
        Value::from_attachment(attachment, guard)
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
