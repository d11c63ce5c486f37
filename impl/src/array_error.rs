//! What can go wrong with an array.

use crate::lock_error::AccessError;
use thiserror::Error;

/// An element was not read or written. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ElementError {
    /// No such element.
    #[error("the array has {length} elements, there is no element {index}")]
    Index {
        /// What was asked for.
        index: usize,
        /// How many there are.
        length: usize,
    },
    /// Only for elements larger than 8 bytes: a process died while it held the lock, and the element may be half written.
    /// As [`SliceError::OwnerDied`].
    #[error("a process died while it held the array's lock: lock() it, to be told and to repair what is half done")]
    OwnerDied,
    /// As for any shared value.
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// A slice was not read or written. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SliceError {
    /// No such elements.
    #[error("the array has {length} elements, there are no elements {start}..{end}")]
    Range {
        /// Where the range starts.
        start: usize,
        /// Where it ends: the first element beyond.
        end: usize,
        /// How many elements there are.
        length: usize,
    },
    /// The slice given is not as long as the range.
    #[error("{given} elements were given for a range of {expected}")]
    Length {
        /// The slice's length.
        given: usize,
        /// The range's.
        expected: usize,
    },
    /// Not enough memory of this process's own for a copy of so many elements.
    #[error("no memory for a copy of {bytes} bytes")]
    NoMemory {
        /// What the copy would take.
        bytes: usize,
    },
    /// A process died while it held the lock: some elements may be new and some old. Told to everybody who asks, until
    /// somebody takes the lock explicitly, is told [`LockError::OwnerDied`](crate::LockError::OwnerDied), and has had the
    /// chance to repair.
    #[error("a process died while it held the array's lock: lock() it, to be told and to repair what is half done")]
    OwnerDied,
    /// As for any shared value.
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// Why nothing was done inside the lock, whatever was to be done.
pub(crate) enum Barred {
    OwnerDied,
    Access(AccessError),
}

impl<E: Into<AccessError>> From<E> for Barred {
    fn from(error: E) -> Barred {
        Barred::Access(error.into())
    }
}

impl From<Barred> for ElementError {
    fn from(barred: Barred) -> ElementError {
        match barred {
            Barred::OwnerDied => ElementError::OwnerDied,
            Barred::Access(error) => ElementError::Access(error),
        }
    }
}

impl From<Barred> for SliceError {
    fn from(barred: Barred) -> SliceError {
        match barred {
            Barred::OwnerDied => SliceError::OwnerDied,
            Barred::Access(error) => SliceError::Access(error),
        }
    }
}
