//! [`DynArray`]: an [`Array`] whose type is known only when the program runs.

use crate::array::Array;
use crate::array_error::{ElementError, SliceError};
use crate::coded::Coded;
use crate::dyn_error::{ConvertSliceError, DynCreateError, DynElementError, DynSliceError};
use crate::dyn_value::open_by_code;
use crate::error::{CreateError, OpenError};
use crate::layout::Kind;
use crate::scalar::Scalar;
use crate::share::Handle;
use crate::type_code::{TypeCode, with_type};
use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

/// An [`Array`] of the type that a [`TypeCode`] names, as Python's `multiprocessing.Array('i', range(10))`: for a program
/// that is told the type by its user or by the region. It is the same region as an [`Array<T>`](Array)'s: processes may use
/// either.
///
/// Slices are converted whole before anything is written. (CPython's slice assignment stops at the first element that does
/// not fit, and leaves those before it written.)
///
/// An `Array` that exists, whatever lock guards it, becomes one with `from`. To take its [lock](Array::lock), as is needed
/// to be told of a death inside, open it as an `Array`.
///
/// ```
/// use procession::{Array, DynArray, Scalar, TypeCode};
/// let array = DynArray::new(TypeCode::Short, 4)?;
/// array.set(0, Scalar::Integer(7))?;
/// array.write(1.., &[1, 2, 3].map(Scalar::Integer))?;
/// assert!(array.write(..2, &[5, 40_000].map(Scalar::Integer)).is_err());
/// assert_eq!(array.get(0)?, Scalar::Integer(7)); // the 5 was not written either
/// array.update(|all| all.reverse())?;
/// assert_eq!(array.snapshot()?, [3, 2, 1, 7].map(Scalar::Integer));
/// assert_eq!(DynArray::from(Array::<f32>::new(3)?).code(), TypeCode::Float);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct DynArray(Arc<dyn Typed>);

impl DynArray {
    /// Makes an array of `length` [zeros](TypeCode::zero) in anonymous memory, as [`Array::new`].
    pub fn new(code: TypeCode, length: usize) -> Result<DynArray, CreateError> {
        Ok(with_type!(code, T => Array::<T>::new(length)?.into()))
    }

    /// As [`new`](DynArray::new), with these elements.
    ///
    /// Errors: those of [`Array::from_slice`], and an element that the type cannot hold; then nothing is made.
    pub fn from_slice(code: TypeCode, elements: &[Scalar]) -> Result<DynArray, DynCreateError> {
        Ok(with_type!(code, T => Array::from_slice(&convert::<T>(elements)?)?.into()))
    }

    /// Makes an array that unrelated processes can open under `name`, as [`Array::create`].
    ///
    /// Errors: those of `Array::create`, and an element that the type cannot hold; then nothing is made.
    pub fn create(name: &str, code: TypeCode, elements: &[Scalar]) -> Result<DynArray, DynCreateError> {
        Ok(with_type!(code, T => Array::create(name, &convert::<T>(elements)?)?.into()))
    }

    /// Opens the array of that name, of whatever type and length.
    ///
    /// Errors: those of [`Array::open`](Handle::open), and a type that has no code ([`OpenError::NoTypeCode`]). The lock that
    /// guards it, if it was given one, is found.
    pub fn open(name: &str) -> Result<DynArray, OpenError> {
        open_by_code(name, Kind::Array, |code| DynArray::open_as(name, code))
    }

    /// Opens the array of that name and type; another type is [`OpenError::Type`]. Else as [`open`](DynArray::open).
    pub fn open_as(name: &str, code: TypeCode) -> Result<DynArray, OpenError> {
        Ok(with_type!(code, T => Array::<T>::open(name)?.into()))
    }

    /// The type: the [canonical](TypeCode::canonical) code.
    pub fn code(&self) -> TypeCode {
        self.0.code()
    }

    /// How many elements there are; that never changes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never: an array has at least one element.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The element at `index`, in one step, as [`Array::get`]. Never blocks.
    pub fn get(&self, index: usize) -> Result<Scalar, ElementError> {
        self.0.get(index)
    }

    /// Replaces the element at `index`, in one step, as [`Array::set`]. Never blocks.
    ///
    /// Errors: those of `Array::set`, and a value that the type cannot hold. Then nothing is changed.
    pub fn set(&self, index: usize, value: Scalar) -> Result<(), DynElementError> {
        self.0.set(index, value)
    }

    /// Copies the elements of `range` out, as they are at one moment, as [`Array::read`]. Blocks while somebody holds the
    /// lock.
    pub fn read(&self, range: impl RangeBounds<usize>) -> Result<Vec<Scalar>, SliceError> {
        self.0.read(bounds(&range))
    }

    /// Copies `values` in, to all of `range`, which must be as long, as [`Array::write`]. Blocks while somebody holds the
    /// lock.
    ///
    /// Errors: those of `Array::write`, and a value that the type cannot hold. Then nothing is changed.
    pub fn write(&self, range: impl RangeBounds<usize>, values: &[Scalar]) -> Result<(), DynSliceError> {
        self.0.write(bounds(&range), values)
    }

    /// All elements, as they are at one moment.
    pub fn snapshot(&self) -> Result<Vec<Scalar>, SliceError> {
        self.read(..)
    }

    /// Lets `change` change a copy of all elements, alone, then writes those that it changed. As [`Array::update`].
    ///
    /// Errors: those of `Array::update`, and a new value that the type cannot hold. Then all elements stay as they were.
    pub fn update(&self, change: impl FnOnce(&mut [Scalar])) -> Result<(), DynSliceError> {
        self.0.update(Box::new(change))
    }
}

impl<T: Coded> From<Array<T>> for DynArray {
    fn from(array: Array<T>) -> DynArray {
        DynArray(Arc::new(array))
    }
}

impl fmt::Debug for DynArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynArray").field("code", &self.code()).field("length", &self.len()).finish_non_exhaustive()
    }
}

/// A range of any type, as the one type that an object can take; the array puts its length for an end that is not there.
type Bounds = (Bound<usize>, Bound<usize>);

fn bounds(range: &impl RangeBounds<usize>) -> Bounds {
    (range.start_bound().cloned(), range.end_bound().cloned())
}

fn convert<T: Coded>(scalars: &[Scalar]) -> Result<Vec<T>, ConvertSliceError> {
    let converted =
        |(index, scalar): (usize, &Scalar)| T::from_scalar(*scalar).map_err(|error| ConvertSliceError { index, error });
    scalars.iter().enumerate().map(converted).collect()
}

type Change<'a> = Box<dyn FnOnce(&mut [Scalar]) + 'a>;

/// An `Array` with its type forgotten.
trait Typed: Send + Sync {
    fn code(&self) -> TypeCode;
    fn len(&self) -> usize;
    fn get(&self, index: usize) -> Result<Scalar, ElementError>;
    fn set(&self, index: usize, value: Scalar) -> Result<(), DynElementError>;
    fn read(&self, range: Bounds) -> Result<Vec<Scalar>, SliceError>;
    fn write(&self, range: Bounds, values: &[Scalar]) -> Result<(), DynSliceError>;
    fn update(&self, change: Change<'_>) -> Result<(), DynSliceError>;
}

impl<T: Coded> Typed for Array<T> {
    fn code(&self) -> TypeCode {
        T::CODE
    }
    fn len(&self) -> usize {
        self.len()
    }
    fn get(&self, index: usize) -> Result<Scalar, ElementError> {
        self.get(index).map(Coded::to_scalar)
    }
    fn set(&self, index: usize, value: Scalar) -> Result<(), DynElementError> {
        Ok(self.set(index, T::from_scalar(value)?)?)
    }
    fn read(&self, range: Bounds) -> Result<Vec<Scalar>, SliceError> {
        Ok(self.read(range)?.into_iter().map(Coded::to_scalar).collect())
    }
    fn write(&self, range: Bounds, values: &[Scalar]) -> Result<(), DynSliceError> {
        Ok(self.write(range, &convert::<T>(values)?)?)
    }
    fn update(&self, change: Change<'_>) -> Result<(), DynSliceError> {
        let mut converted = Ok(());
        self.update(|elements| {
            let mut scalars: Vec<Scalar> = elements.iter().copied().map(Coded::to_scalar).collect();
            change(&mut scalars);
            // If one does not fit, no element is changed.
            converted = convert(&scalars).map(|new| elements.copy_from_slice(&new));
        })?;
        Ok(converted?)
    }
}
