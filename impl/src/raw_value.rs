//! [`RawValue`]: a value that processes share, without a lock.

use crate::algorithm::raw_value::{get, modify, set};
use crate::algorithm::value::WORD_BYTES;
use crate::error::{CreateError, OpenError};
use crate::layout::Kind;
use crate::lock_error::AccessError;
use crate::plain::{Integer, Plain, print_of};
use crate::platform::Int;
use crate::share::{Handle, OpenOrCreateError, open_or_create};
use crate::shm::{Attachment, Blueprint, Given, MappedSlice, read_plain};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A value between processes without a lock: every read and every write is its own step, and nothing more.
///
/// `value.set(value.get()? + 1)` loses updates when two processes do it, and a value larger than 8 bytes can be read half
/// old, half new, or left half written by a killed process. That is its nature; it is the fastest there is, and the right
/// thing for a value with one writer. [`Value`](crate::Value) does better.
///
/// ```
/// let ready = procession::RawValue::new(false)?;
/// ready.set(true);
/// assert!(ready.get()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RawValue<T> {
    words: MappedSlice,
    _value: PhantomData<fn() -> T>,
}

/// Words of one copy.
const fn words_of<T>() -> usize {
    size_of::<T>().div_ceil(WORD_BYTES)
}

impl<T: Plain> RawValue<T> {
    const NOT_EMPTY: () = assert!(size_of::<T>() > 0, "a value has at least one byte");

    /// Makes a value in anonymous memory: for threads, forked and spawned children.
    pub fn new(value: T) -> Result<RawValue<T>, CreateError> {
        RawValue::make(None, value)
    }

    /// Makes a value that unrelated processes can [`open`](Handle::open) under `name`.
    pub fn create(name: &str, value: T) -> Result<RawValue<T>, CreateError> {
        RawValue::make(Some(name), value)
    }

    /// Opens the value of that name, or makes it with `value` in it if there is none.
    pub fn open_or_create(name: &str, value: T) -> Result<RawValue<T>, OpenOrCreateError> {
        open_or_create(|| RawValue::open(name), || RawValue::create(name, value))
    }

    /// Reads the value, eight bytes at a time. Never blocks. The error: the bytes are not a `T`.
    #[inline]
    pub fn get(&self) -> Result<T, AccessError> {
        read_plain(|bytes| {
            get(self.attachment().shm(), self.words(), bytes);
            Ok::<(), AccessError>(())
        })?
        .ok_or_else(corrupt::<T>)
    }

    /// Writes the value, eight bytes at a time. Never blocks.
    #[inline]
    pub fn set(&self, value: T) {
        set(self.attachment().shm(), self.words(), value.as_bytes());
    }

    #[inline(always)]
    fn words(&self) -> &[crate::shm::ShmWord<u64>] {
        self.attachment().be_counted();
        self.words.first_chunk_of(words_of::<T>())
    }

    fn blueprint() -> Blueprint {
        let () = Self::NOT_EMPTY;
        Blueprint { length: Some(1), ..Blueprint::new(Kind::RawValue, print_of::<T>()) }
    }

    fn make(name: Option<&str>, value: T) -> Result<RawValue<T>, CreateError> {
        let mut made = None;
        Attachment::create(&RawValue::<T>::blueprint(), name, |attachment| {
            made = RawValue::from_attachment(attachment).ok();
            if let Some(made) = &made {
                made.set(value);
            }
        })?;
        made.ok_or(CreateError::NoSpace { bytes: size_of::<T>() })
    }

    fn from_attachment(attachment: Arc<Attachment>) -> Result<RawValue<T>, OpenError> {
        let count = words_of::<T>();
        let words = MappedSlice::words(attachment, Kind::RawValue.words_at(), count)
            .ok_or(OpenError::Truncated { bytes: 0, expected: 8 * count })?;
        Ok(RawValue { words, _value: PhantomData })
    }
}

fn corrupt<T>() -> AccessError {
    AccessError::Corrupt { type_name: std::any::type_name::<T>() }
}

impl<T: Integer> RawValue<T> {
    const ONE_WORD: () = assert!(size_of::<T>() <= WORD_BYTES, "only up to 8 bytes can be replaced in one step");

    /// Adds `other` in one step, modulo 2^bits; returns the value before. For integers of up to 64 bits. Never blocks.
    #[inline]
    pub fn fetch_add(&self, other: T) -> Result<T, AccessError> {
        self.modify(|old| Some(old.wrapping_sum(other))).map(|(Ok(old) | Err(old))| old)
    }

    /// Sets the value to `new` if it is `current`, in one step. `Ok` holds the value before if it was, `Err` if it was
    /// not. For integers of up to 64 bits. Never blocks.
    #[inline]
    pub fn compare_exchange(&self, current: T, new: T) -> Result<Result<T, T>, AccessError> {
        self.modify(|old| (old == current).then_some(new))
    }

    #[inline]
    fn modify(&self, next: impl Fn(T) -> Option<T>) -> Result<Result<T, T>, AccessError> {
        let () = Self::ONE_WORD;
        let decode = |word: u64| {
            read_plain::<T, AccessError>(|bytes| {
                word.to_bytes(bytes);
                Ok(())
            })
            .ok()
            .flatten()
        };
        let found = modify(self.attachment().shm(), &self.words()[0], |word| {
            decode(word).and_then(&next).map(|new| u64::from_bytes(new.as_bytes()))
        });
        match found {
            Ok(old) => Ok(Ok(decode(old).ok_or_else(corrupt::<T>)?)),
            Err(now) => Ok(Err(decode(now).ok_or_else(corrupt::<T>)?)),
        }
    }
}

impl<T: Plain> Handle for RawValue<T> {
    fn open(name: &str) -> Result<Self, OpenError> {
        RawValue::from_attachment(Attachment::open(name, Some(&RawValue::<T>::blueprint()))?)
    }
    fn adopt(given: Given) -> Result<Self, OpenError> {
        RawValue::from_attachment(Attachment::adopt(given, &RawValue::<T>::blueprint())?)
    }
    fn attachment(&self) -> &Arc<Attachment> {
        self.words.attachment()
    }
}

impl<T> Clone for RawValue<T> {
    fn clone(&self) -> Self {
        RawValue { words: self.words.clone(), _value: PhantomData }
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for RawValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawValue").field(&self.get()).finish()
    }
}
