//! [`Array`]: elements that processes share, under a lock.

use crate::algorithm::lock::{Intent, Lock, Reentry, inside};
use crate::array_error::{Barred, ElementError, SliceError};
use crate::array_guard::ArrayGuard;
use crate::error::{CreateError, OpenError};
use crate::guarded_by::{Gate, GuardedBy};
use crate::layout::Kind;
use crate::lock_error::{AccessError, LockError};
use crate::plain::{Integer, Plain};
use crate::share::{Handle, OpenOrCreateError, open_or_create};
use crate::shm::{ANY_LOCK, Attachment, Deadline, Given, Mapped, Shm, inherited_region};
use crate::slots::Slots;
use std::fmt;
use std::ops::RangeBounds;
use std::sync::Arc;
use zerocopy::FromZeros;

/// Elements between processes, as many as it was made with.
///
/// **One element** of up to 8 bytes is an atomic of its own: [`get`](Array::get), [`set`](Array::set),
/// [`fetch_add`](Array::fetch_add) and kin are one step each, take no lock and never block. They do not wait for whoever
/// holds the lock: beside a slice being copied, or a guard, they come before or after what it does to that very element.
/// `set(get + 1)` is two steps and loses updates; `fetch_add` loses none. (A larger element is copied inside the lock.)
///
/// **Slices** are copied in and out inside the lock, whole: nobody sees half of one.
/// [`update`](Array::update) and the [guard](Array::lock) do several things to the elements, alone among those that take
/// the lock.
///
/// A process killed in the middle leaves some elements new and some old, and that is never silent: whoever uses the lock
/// after it is told `OwnerDied`, until one has taken the [lock](Array::lock) explicitly and so has had the chance to repair.
/// Single elements go on without a word: they are whole.
///
/// 64 bytes beside the elements in shared memory, and a header of 4 KiB. An element takes 1, 2, 4 or a multiple of 8 bytes.
///
/// ```
/// use procession::Array;
/// let squares = Array::<u32>::new(4)?;
/// for index in 0..squares.len() {
///     squares.set(index, (index * index) as u32)?;
/// }
/// assert_eq!(squares.read(1..)?, [1, 4, 9]);
/// squares.update(|all| all.reverse())?;
/// assert_eq!(squares.snapshot()?, [9, 4, 1, 0]);
/// squares.fetch_add(3, 7)?;
/// assert_eq!(squares.get(3)?, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Array<T> {
    lock: Mapped<Lock<Shm>>,
    slots: Slots<T>,
    guard: GuardedBy,
}

impl<T: Plain + FromZeros> Array<T> {
    /// Makes an array of `length` zeros, with a lock of its own, in anonymous memory: for threads, forked and spawned
    /// children.
    pub fn new(length: usize) -> Result<Array<T>, CreateError> {
        Array::make(None, length, GuardedBy::Own, |_| ())
    }
}

impl<T: Plain> Array<T> {
    /// As [`new`](Array::new), with these elements.
    pub fn from_slice(elements: &[T]) -> Result<Array<T>, CreateError> {
        Array::with_lock(elements, GuardedBy::Own)
    }

    /// Makes an array that `lock`, a [`Lock`](crate::Lock) or an [`RLock`](crate::RLock), guards; it may guard other arrays and values, too. A thread
    /// that holds the lock may go on using the array.
    pub fn with_lock(elements: &[T], lock: impl Into<GuardedBy>) -> Result<Array<T>, CreateError> {
        Array::make(None, elements.len(), lock.into(), |slots| slots.copy_in(0, elements))
    }

    /// Makes an array that unrelated processes can [`open`](Handle::open) under `name`.
    pub fn create(name: &str, elements: &[T]) -> Result<Array<T>, CreateError> {
        Array::create_with_lock(name, elements, GuardedBy::Own)
    }

    /// As [`create`](Array::create), guarded by `lock`. Whoever [opens](Handle::open) it needs the lock, too, and finds it by
    /// itself if it was given or is named.
    pub fn create_with_lock(name: &str, elements: &[T], lock: impl Into<GuardedBy>) -> Result<Array<T>, CreateError> {
        Array::make(Some(name), elements.len(), lock.into(), |slots| slots.copy_in(0, elements))
    }

    /// Opens the array of that name, of whatever length, or makes it of `elements` if there is none.
    pub fn open_or_create(name: &str, elements: &[T]) -> Result<Array<T>, OpenOrCreateError> {
        open_or_create(|| Array::open(name), || Array::create(name, elements))
    }

    /// As [`open`](Handle::open), for an array that `lock` guards; another lock is an error.
    pub fn open_with_lock(name: &str, lock: impl Into<GuardedBy>) -> Result<Array<T>, OpenError> {
        let guard = lock.into();
        let blueprint = Slots::<T>::blueprint(Kind::Array, None, guard.region());
        Array::from_attachment(Attachment::open(name, Some(&blueprint))?, guard)
    }

    /// As [`inherited`](Handle::inherited), for an array that `lock` guards; another lock is an error.
    pub fn inherited_with_lock(name: &str, lock: impl Into<GuardedBy>) -> Result<Array<T>, OpenError> {
        let guard = lock.into();
        let blueprint = Slots::<T>::blueprint(Kind::Array, None, guard.region());
        Array::from_attachment(Attachment::adopt(inherited_region(name)?, &blueprint)?, guard)
    }

    /// How many elements there are; that never changes.
    #[inline]
    pub fn len(&self) -> usize {
        self.slots.length()
    }

    /// Never: an array has at least one element.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The element at `index`, whole. An element of up to 8 bytes in one step, without the lock; a larger one inside it,
    /// and that blocks while somebody holds it.
    #[inline]
    pub fn get(&self, index: usize) -> Result<T, ElementError> {
        if Slots::<T>::ONE_WORD {
            return self.slots.get(index);
        }
        self.slots.require_element(index)?;
        self.inside(|| self.slots.get(index))?
    }

    /// Replaces the element at `index`, whole, as [`get`](Array::get) reads it.
    #[inline]
    pub fn set(&self, index: usize, value: T) -> Result<(), ElementError> {
        if Slots::<T>::ONE_WORD {
            return self.slots.set(index, value);
        }
        self.slots.require_element(index)?;
        self.inside(|| self.slots.set(index, value))?
    }

    /// Copies the elements of `range` out, as they are at one moment. Blocks while somebody holds the lock.
    pub fn read(&self, range: impl RangeBounds<usize>) -> Result<Vec<T>, SliceError> {
        let range = self.slots.require_range(range)?;
        self.slots.read_by(range, |start, bytes| Ok(self.inside(|| self.slots.copy_out(start, bytes))?))
    }

    /// As [`read`](Array::read), into `values`, which must be as long as `range`. If bytes in the region are no `T`,
    /// `values` holds its first element over and over; after any other error, what it held.
    #[inline]
    pub fn read_into(&self, range: impl RangeBounds<usize>, values: &mut [T]) -> Result<(), SliceError> {
        let range = self.slots.require_slice(range, values.len())?;
        let read = |start, bytes: &mut [u8]| Ok(self.inside(|| self.slots.copy_out(start, bytes))?);
        self.slots.read_into_by(range, values, read)
    }

    /// Copies `values` in, to all of `range`, which must be as long: all of them, or none. Blocks while somebody holds the
    /// lock.
    #[inline]
    pub fn write(&self, range: impl RangeBounds<usize>, values: &[T]) -> Result<(), SliceError> {
        let range = self.slots.require_slice(range, values.len())?;
        Ok(self.inside(|| self.slots.copy_in(range.start, values))?)
    }

    /// All elements, as they are at one moment.
    pub fn snapshot(&self) -> Result<Vec<T>, SliceError> {
        self.read(..)
    }

    /// Iterates over a [`snapshot`](Array::snapshot).
    pub fn iter(&self) -> Result<std::vec::IntoIter<T>, SliceError> {
        Ok(self.snapshot()?.into_iter())
    }

    /// Lets `change` change a copy of all elements inside the lock, then writes those that it changed. Blocks while
    /// somebody holds the lock. If `change` panics nothing is written.
    ///
    /// `change` runs while others wait for the lock: it had better be short.
    pub fn update(&self, change: impl FnOnce(&mut [T])) -> Result<(), SliceError> {
        match self.guarded(Intent::Internal) {
            Ok(guard) if guard.death_is_untold() => Err(SliceError::OwnerDied),
            Ok(guard) => guard.update(.., change),
            Err(error) => error.recover().map_err(AccessError::from)?.update(.., change),
        }
    }

    /// Takes the lock. Blocks as [`Lock::lock`](crate::Lock::lock), whose errors it has.
    ///
    /// ```
    /// use procession::{Array, LockError};
    /// let account = Array::from_slice(&[100i64, 0])?;
    /// let guard = account.lock().or_else(LockError::recover)?;
    /// let amount = guard.get(0)? / 2;
    /// guard.set(0, guard.get(0)? - amount)?;
    /// guard.set(1, guard.get(1)? + amount)?; // whoever copies the slice sees both changes or none
    /// drop(guard);
    /// assert_eq!(account.snapshot()?, [50, 50]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn lock(&self) -> Result<ArrayGuard<'_, T>, LockError<ArrayGuard<'_, T>>> {
        self.guarded(Intent::Explicit)
    }

    /// The region of the lock that guards the array; 0 for its own.
    pub fn lock_region(&self) -> u64 {
        self.guard.region()
    }

    /// Runs `body` inside the lock, as an internal operation, unless a death is untold.
    #[inline]
    fn inside<R>(&self, body: impl FnOnce() -> R) -> Result<R, Barred> {
        let gate = self.gate();
        let me = gate.attachment().owner()?;
        let how = (self.reentry(), Deadline::NEVER);
        let done = inside(gate.attachment().shm(), &gate, me, how, |untold| (!untold).then(body))?;
        done.ok_or(Barred::OwnerDied)
    }

    /// A thread that holds a lock given by the user is inside; the array's own lock is only ever held through its guard.
    #[inline(always)]
    pub(crate) fn reentry(&self) -> Reentry {
        if matches!(self.guard, GuardedBy::Own) { Reentry::Refused } else { Reentry::Allowed }
    }

    #[inline(always)]
    pub(crate) fn gate(&self) -> Gate<'_> {
        self.guard.gate(&self.lock, self.slots.attachment())
    }

    #[inline(always)]
    pub(crate) fn slots(&self) -> &Slots<T> {
        &self.slots
    }

    fn make(
        name: Option<&str>,
        length: usize,
        guard: GuardedBy,
        fill: impl FnOnce(&Slots<T>),
    ) -> Result<Array<T>, CreateError> {
        Slots::<T>::require_length(length)?;
        let mut made = None;
        let blueprint = Slots::<T>::blueprint(Kind::Array, Some(length), guard.region());
        Attachment::create(&blueprint, name, |attachment| {
            made = Array::from_attachment(attachment, guard).ok();
            if let Some(made) = &made {
                fill(&made.slots);
            }
        })?;
        made.ok_or(CreateError::NoSpace { bytes: size_of::<T>().saturating_mul(length) })
    }

    fn from_attachment(attachment: Arc<Attachment>, guard: GuardedBy) -> Result<Array<T>, OpenError> {
        let slots = Slots::from_attachment(attachment.clone())?;
        let expected = Kind::Array.words_at();
        let lock = Mapped::body(attachment).ok_or(OpenError::Truncated { bytes: 0, expected })?;
        Ok(Array { lock, slots, guard })
    }
}

/// Elements of up to 8 bytes: each is an atomic. A larger `T` does not compile.
impl<T: Plain> Array<T> {
    /// Replaces the element at `index` in one step; returns what was there. Never blocks.
    #[inline]
    pub fn swap(&self, index: usize, value: T) -> Result<T, ElementError> {
        const { assert!(size_of::<T>() <= 8, "only up to 8 bytes can be replaced in one step") };
        self.slots.modify(index, |_| Some(value)).map(|(Ok(old) | Err(old))| old)
    }
}

impl<T: Integer> Array<T> {
    /// Adds `other` to the element at `index` in one step, modulo 2^bits; returns what was there. For integers of up to 64
    /// bits. Never blocks.
    #[inline]
    pub fn fetch_add(&self, index: usize, other: T) -> Result<T, ElementError> {
        const { assert!(size_of::<T>() <= 8, "only up to 8 bytes can be replaced in one step") };
        self.slots.modify(index, |old| Some(old.wrapping_sum(other))).map(|(Ok(old) | Err(old))| old)
    }

    /// Sets the element at `index` to `new` if it is `current`, in one step. `Ok` holds what was there if it was, `Err` if
    /// it was not. For integers of up to 64 bits. Never blocks.
    #[inline]
    pub fn compare_exchange(&self, index: usize, current: T, new: T) -> Result<Result<T, T>, ElementError> {
        const { assert!(size_of::<T>() <= 8, "only up to 8 bytes can be replaced in one step") };
        self.slots.modify(index, |old| (old == current).then_some(new))
    }
}

impl<T: Plain> Handle for Array<T> {
    fn open(name: &str) -> Result<Self, OpenError> {
        let (attachment, guard) = GuardedBy::open(name, &Slots::<T>::blueprint(Kind::Array, None, ANY_LOCK))?;
        Array::from_attachment(attachment, guard)
    }
    fn adopt(given: Given) -> Result<Self, OpenError> {
        let (attachment, guard) = GuardedBy::adopt(given, &Slots::<T>::blueprint(Kind::Array, None, ANY_LOCK))?;
        Array::from_attachment(attachment, guard)
    }
    fn attachment(&self) -> &Arc<Attachment> {
        self.slots.attachment()
    }
}

impl<T> Clone for Array<T> {
    fn clone(&self) -> Self {
        Array { lock: self.lock.clone(), slots: self.slots.clone(), guard: self.guard.clone() }
    }
}

impl<T: Plain> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array").field("length", &self.slots.length()).finish_non_exhaustive()
    }
}
