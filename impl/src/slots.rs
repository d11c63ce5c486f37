//! The elements of an array, as the handles see them: `T`s at indices.

use crate::algorithm::array::{Elements, is_one_word, stride_for, width_for};
use crate::array_error::{ElementError, SliceError};
use crate::error::{CreateError, OpenError};
use crate::layout::Kind;
use crate::lock_error::AccessError;
use crate::plain::{Plain, print_of};
use crate::platform::Int;
use crate::shm::{Attachment, Blueprint, MappedElements, Shm, read_many_plain, read_plain, read_plain_into};
use std::marker::PhantomData;
use std::ops::{Bound, Range, RangeBounds};
use std::sync::Arc;
use zerocopy::IntoBytes;

/// The elements of an array of either kind.
pub(crate) struct Slots<T> {
    words: MappedElements,
    length: usize,
    _element: PhantomData<fn() -> T>,
}

/// Runs `$body` with `$elements` being the elements in words of their width; the branch is decided at compile time.
macro_rules! elements {
    ($slots:expr, |$elements:ident| $body:expr) => {
        match width_for(size_of::<T>()) {
            1 => elements!($slots, u8, |$elements| $body),
            2 => elements!($slots, u16, |$elements| $body),
            4 => elements!($slots, u32, |$elements| $body),
            _ => elements!($slots, u64, |$elements| $body),
        }
    };
    ($slots:expr, $Width:ty, |$elements:ident| $body:expr) => {{
        let $elements = Elements::<Shm, $Width> { words: $slots.words.words::<$Width>(), bytes: size_of::<T>() };
        $body
    }};
}

impl<T: Plain> Slots<T> {
    const NOT_EMPTY: () = assert!(size_of::<T>() > 0, "an element has at least one byte");

    /// Whether an element is read, written and modified in one step.
    pub(crate) const ONE_WORD: bool = is_one_word(size_of::<T>());

    /// What a region for `length` elements, or for however many there are, looks like.
    pub(crate) fn blueprint(kind: Kind, length: Option<usize>, lock_id: u64) -> Blueprint {
        let () = Self::NOT_EMPTY;
        Blueprint { length, lock_id, ..Blueprint::new(kind, print_of::<T>()) }
    }

    /// Whether there can be an array of `length` elements.
    pub(crate) fn require_length(length: usize) -> Result<(), CreateError> {
        let longest = isize::MAX.unsigned_abs() / stride_for(size_of::<T>());
        if (1..=longest).contains(&length) { Ok(()) } else { Err(CreateError::Length { length, longest }) }
    }

    pub(crate) fn from_attachment(attachment: Arc<Attachment>) -> Result<Slots<T>, OpenError> {
        let length = attachment.length();
        if length == 0 {
            return Err(OpenError::Length { found: 0, expected: 1 });
        }
        let bytes = attachment.bytes();
        let words = MappedElements::new(attachment, length)
            .ok_or(OpenError::Truncated { bytes, expected: stride_for(size_of::<T>()).saturating_mul(length) })?;
        Ok(Slots { words, length, _element: PhantomData })
    }

    #[inline(always)]
    pub(crate) fn attachment(&self) -> &Arc<Attachment> {
        self.words.attachment()
    }

    #[inline(always)]
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    #[inline(always)]
    fn shm(&self) -> &Shm {
        self.attachment().be_counted();
        self.attachment().shm()
    }

    /// Reads an element: in one step, if it is one word. A larger one of an array with a lock: inside it.
    #[inline(always)]
    pub(crate) fn get(&self, index: usize) -> Result<T, ElementError> {
        decode(|bytes| {
            if Self::ONE_WORD {
                let read = elements!(self, |elements| elements.get(self.shm(), index, bytes));
                return read.ok_or_else(|| self.no_element(index));
            }
            self.require_element(index)?;
            self.copy_out(index, bytes);
            Ok(())
        })
    }

    /// Replaces an element, as [`get`](Slots::get) reads it.
    #[inline(always)]
    pub(crate) fn set(&self, index: usize, value: T) -> Result<(), ElementError> {
        if Self::ONE_WORD {
            let written = elements!(self, |elements| elements.set(self.shm(), index, value.as_bytes()));
            return written.ok_or_else(|| self.no_element(index));
        }
        self.require_element(index)?;
        self.copy_in(index, &[value]);
        Ok(())
    }

    /// Copies the elements of `range` out. With a lock: inside it, as the two that follow.
    pub(crate) fn read(&self, range: impl RangeBounds<usize>) -> Result<Vec<T>, SliceError> {
        let range = self.require_range(range)?;
        self.read_by(range, |start, bytes| {
            self.copy_out(start, bytes);
            Ok(())
        })
    }

    /// Copies the elements of `range` out into `values`, which must be as long.
    #[inline]
    pub(crate) fn read_into(&self, range: impl RangeBounds<usize>, values: &mut [T]) -> Result<(), SliceError> {
        let range = self.require_slice(range, values.len())?;
        self.read_into_by(range, values, |start, bytes| {
            self.copy_out(start, bytes);
            Ok(())
        })
    }

    /// Copies `values` in, to all of `range`, which must be as long.
    #[inline]
    pub(crate) fn write(&self, range: impl RangeBounds<usize>, values: &[T]) -> Result<(), SliceError> {
        let range = self.require_slice(range, values.len())?;
        self.copy_in(range.start, values);
        Ok(())
    }

    /// Makes elements of the bytes that `fill` writes.
    pub(crate) fn read_by(
        &self,
        range: Range<usize>,
        fill: impl FnOnce(usize, &mut [u8]) -> Result<(), SliceError>,
    ) -> Result<Vec<T>, SliceError> {
        // The length is what a header says: it may be more than there is memory for.
        let mut space = Vec::new();
        let no_memory = |_| SliceError::NoMemory { bytes: size_of::<T>().saturating_mul(range.len()) };
        space.try_reserve_exact(range.len()).map_err(no_memory)?;
        let read = read_many_plain(space, range.len(), |bytes| fill(range.start, bytes))?;
        Ok(read.ok_or_else(corrupt::<T>)?)
    }

    /// As [`read_by`](Slots::read_by), into `values`.
    #[inline]
    pub(crate) fn read_into_by(
        &self,
        range: Range<usize>,
        values: &mut [T],
        fill: impl FnOnce(usize, &mut [u8]) -> Result<(), SliceError>,
    ) -> Result<(), SliceError> {
        Ok(read_plain_into(values, |bytes| fill(range.start, bytes))?.ok_or_else(corrupt::<T>)?)
    }

    /// Replaces an element of one word by `next` of it, in one step; answers what was there, as an error if `next` left it.
    #[inline]
    pub(crate) fn modify(&self, index: usize, next: impl Fn(T) -> Option<T>) -> Result<Result<T, T>, ElementError> {
        elements!(self, |elements| {
            let decoded = |word: &_| {
                decode(|bytes| {
                    Int::to_bytes(*word, bytes);
                    Ok(())
                })
            };
            let step = |word| decoded(&word).ok().and_then(&next).map(|new| Int::from_bytes(new.as_bytes()));
            match elements.modify(self.shm(), index, step).ok_or_else(|| self.no_element(index))? {
                Ok(old) => decoded(&old).map(Ok),
                Err(found) => decoded(&found).map(Err),
            }
        })
    }

    /// Copies elements out, from the `start`-th on. With a lock: inside it.
    #[inline]
    pub(crate) fn copy_out(&self, start: usize, bytes: &mut [u8]) {
        elements!(self, |elements| elements.copy_out(self.shm(), start, bytes));
    }

    /// Copies elements in, from the `start`-th on. With a lock: inside it.
    #[inline]
    pub(crate) fn copy_in(&self, start: usize, values: &[T]) {
        elements!(self, |elements| elements.copy_in(self.shm(), start, values.as_bytes()));
    }

    /// The element's place, if there is one.
    #[inline]
    pub(crate) fn require_element(&self, index: usize) -> Result<(), ElementError> {
        if index < self.length { Ok(()) } else { Err(self.no_element(index)) }
    }

    /// The range, if the array has it.
    #[inline]
    pub(crate) fn require_range(&self, range: impl RangeBounds<usize>) -> Result<Range<usize>, SliceError> {
        let start = match range.start_bound() {
            Bound::Included(start) => *start,
            Bound::Excluded(before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(last) => last.saturating_add(1),
            Bound::Excluded(end) => *end,
            Bound::Unbounded => self.length,
        };
        if start <= end && end <= self.length {
            return Ok(start..end);
        }
        Err(SliceError::Range { start, end, length: self.length })
    }

    /// The range, if the array has it and it has `given` elements.
    #[inline]
    pub(crate) fn require_slice(
        &self,
        range: impl RangeBounds<usize>,
        given: usize,
    ) -> Result<Range<usize>, SliceError> {
        let range = self.require_range(range)?;
        if range.len() == given { Ok(range) } else { Err(SliceError::Length { given, expected: range.len() }) }
    }

    #[cold]
    fn no_element(&self, index: usize) -> ElementError {
        ElementError::Index { index, length: self.length }
    }
}

/// Makes an element of the bytes that `fill` writes.
#[inline(always)]
pub(crate) fn decode<T: Plain>(fill: impl FnOnce(&mut [u8]) -> Result<(), ElementError>) -> Result<T, ElementError> {
    read_plain(fill)?.ok_or_else(|| corrupt::<T>().into())
}

/// What is said of bytes that are not a `T`.
pub(crate) fn corrupt<T>() -> AccessError {
    AccessError::Corrupt { type_name: std::any::type_name::<T>() }
}

impl<T> Clone for Slots<T> {
    fn clone(&self) -> Self {
        Slots { words: self.words.clone(), length: self.length, _element: PhantomData }
    }
}
