//! [`RawArray`]: elements that processes share, without a lock.

use crate::array_error::{ElementError, SliceError};
use crate::error::{CreateError, OpenError};
use crate::layout::Kind;
use crate::plain::{Integer, Plain};
use crate::share::{Handle, OpenOrCreateError, open_or_create};
use crate::shm::{Attachment, Given};
use crate::slots::Slots;
use std::fmt;
use std::ops::RangeBounds;
use std::sync::Arc;
use zerocopy::FromZeros;

/// Elements between processes without a lock. An element of up to 8 bytes is an atomic, as in an [`Array`](crate::Array);
/// larger elements, and slices, can be read half old, half new, or left so by a killed process. Nothing ever blocks.
///
/// ```
/// let progress = procession::RawArray::<u64>::new(4)?; // one element for each worker
/// progress.set(2, 17)?;
/// progress.fetch_add(2, 1)?;
/// assert_eq!(progress.snapshot()?, [0, 0, 18, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RawArray<T>(Slots<T>);

impl<T: Plain + FromZeros> RawArray<T> {
    /// Makes an array of `length` zeros in anonymous memory: for threads, forked and spawned children.
    pub fn new(length: usize) -> Result<RawArray<T>, CreateError> {
        RawArray::make(None, length, |_| ())
    }
}

impl<T: Plain> RawArray<T> {
    /// As [`new`](RawArray::new), with these elements.
    pub fn from_slice(elements: &[T]) -> Result<RawArray<T>, CreateError> {
        RawArray::make(None, elements.len(), |slots| slots.copy_in(0, elements))
    }

    /// Makes an array that unrelated processes can [`open`](Handle::open) under `name`.
    pub fn create(name: &str, elements: &[T]) -> Result<RawArray<T>, CreateError> {
        RawArray::make(Some(name), elements.len(), |slots| slots.copy_in(0, elements))
    }

    /// Opens the array of that name, of whatever length, or makes it of `elements` if there is none.
    pub fn open_or_create(name: &str, elements: &[T]) -> Result<RawArray<T>, OpenOrCreateError> {
        open_or_create(|| RawArray::open(name), || RawArray::create(name, elements))
    }

    /// How many elements there are; that never changes.
    #[inline]
    pub fn len(&self) -> usize {
        self.0.length()
    }

    /// Never: an array has at least one element.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The element at `index`; of up to 8 bytes, whole.
    #[inline]
    pub fn get(&self, index: usize) -> Result<T, ElementError> {
        self.0.get(index)
    }

    /// Replaces the element at `index`; of up to 8 bytes, whole.
    #[inline]
    pub fn set(&self, index: usize, value: T) -> Result<(), ElementError> {
        self.0.set(index, value)
    }

    /// Copies the elements of `range` out, one after the other, while others go on.
    pub fn read(&self, range: impl RangeBounds<usize>) -> Result<Vec<T>, SliceError> {
        self.0.read(range)
    }

    /// As [`read`](RawArray::read), into `values`, which must be as long as `range`.
    #[inline]
    pub fn read_into(&self, range: impl RangeBounds<usize>, values: &mut [T]) -> Result<(), SliceError> {
        self.0.read_into(range, values)
    }

    /// Copies `values` in, to all of `range`, which must be as long, one after the other, while others go on.
    #[inline]
    pub fn write(&self, range: impl RangeBounds<usize>, values: &[T]) -> Result<(), SliceError> {
        self.0.write(range, values)
    }

    /// All elements, read one after the other.
    pub fn snapshot(&self) -> Result<Vec<T>, SliceError> {
        self.read(..)
    }

    /// Replaces the element at `index` in one step; returns what was there. For elements of up to 8 bytes.
    #[inline]
    pub fn swap(&self, index: usize, value: T) -> Result<T, ElementError> {
        const { assert!(size_of::<T>() <= 8, "only up to 8 bytes can be replaced in one step") };
        self.0.modify(index, |_| Some(value)).map(|(Ok(old) | Err(old))| old)
    }

    fn make(name: Option<&str>, length: usize, fill: impl FnOnce(&Slots<T>)) -> Result<RawArray<T>, CreateError> {
        Slots::<T>::require_length(length)?;
        let mut made = None;
        let blueprint = Slots::<T>::blueprint(Kind::RawArray, Some(length), 0);
        Attachment::create(&blueprint, name, |attachment| {
            made = Slots::from_attachment(attachment).ok();
            if let Some(made) = &made {
                fill(made);
            }
        })?;
        made.map(RawArray).ok_or(CreateError::NoSpace { bytes: size_of::<T>().saturating_mul(length) })
    }
}

impl<T: Integer> RawArray<T> {
    /// Adds `other` to the element at `index` in one step, modulo 2^bits; returns what was there. For integers of up to 64
    /// bits.
    #[inline]
    pub fn fetch_add(&self, index: usize, other: T) -> Result<T, ElementError> {
        const { assert!(size_of::<T>() <= 8, "only up to 8 bytes can be replaced in one step") };
        self.0.modify(index, |old| Some(old.wrapping_sum(other))).map(|(Ok(old) | Err(old))| old)
    }

    /// Sets the element at `index` to `new` if it is `current`, in one step. `Ok` holds what was there if it was, `Err` if
    /// it was not. For integers of up to 64 bits.
    #[inline]
    pub fn compare_exchange(&self, index: usize, current: T, new: T) -> Result<Result<T, T>, ElementError> {
        const { assert!(size_of::<T>() <= 8, "only up to 8 bytes can be replaced in one step") };
        self.0.modify(index, |old| (old == current).then_some(new))
    }
}

impl<T: Plain> Handle for RawArray<T> {
    fn open(name: &str) -> Result<Self, OpenError> {
        let blueprint = Slots::<T>::blueprint(Kind::RawArray, None, 0);
        Slots::from_attachment(Attachment::open(name, Some(&blueprint))?).map(RawArray)
    }
    fn adopt(given: Given) -> Result<Self, OpenError> {
        let blueprint = Slots::<T>::blueprint(Kind::RawArray, None, 0);
        Slots::from_attachment(Attachment::adopt(given, &blueprint)?).map(RawArray)
    }
    fn attachment(&self) -> &Arc<Attachment> {
        self.0.attachment()
    }
}

impl<T> Clone for RawArray<T> {
    fn clone(&self) -> Self {
        RawArray(self.0.clone())
    }
}

impl<T: Plain> fmt::Debug for RawArray<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawArray").field("length", &self.0.length()).finish()
    }
}
