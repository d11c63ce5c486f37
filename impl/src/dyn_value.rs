//! [`DynValue`]: a [`Value`] whose type is known only when the program runs.

use crate::coded::Coded;
use crate::dyn_error::{DynCreateError, DynError};
use crate::error::OpenError;
use crate::layout::Kind;
use crate::lock_error::AccessError;
use crate::platform::{Access, Ordering, Platform, Site};
use crate::scalar::Scalar;
use crate::share::Handle;
use crate::shm::Attachment;
use crate::type_code::{TypeCode, with_type};
use crate::value::Value;
use std::fmt;
use std::sync::Arc;

const LOOK: Site = Site::new("dyn.look", Access::Load, Ordering::Relaxed, "the kind, written before the name was");

/// A [`Value`] of the type that a [`TypeCode`] names, as Python's `multiprocessing.Value('i', 7)`: for a program that is
/// told the type by its user or by the region. It is the same region as a [`Value<T>`](Value)'s: processes may use either.
///
/// A `Value` that exists, whatever lock guards it, becomes one with `from`.
///
/// ```
/// use procession::{DynValue, Scalar, TypeCode, Value};
/// let value = DynValue::new(TypeCode::Short, Scalar::Integer(7))?;
/// value.update(|old| match old {
///     Scalar::Integer(number) => Scalar::Integer(2 * number),
///     other => other,
/// })?;
/// assert_eq!(value.get()?, Scalar::Integer(14));
/// assert!(value.set(Scalar::Integer(40_000)).is_err()); // where ctypes would write -25536
/// assert_eq!(DynValue::from(Value::new(true)?).code(), TypeCode::Bool);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct DynValue(Arc<dyn Typed>);

impl DynValue {
    /// Makes a value in anonymous memory, as [`Value::new`].
    ///
    /// Errors: those of `Value::new`, and a `value` that the type cannot hold; then nothing is made.
    pub fn new(code: TypeCode, value: Scalar) -> Result<DynValue, DynCreateError> {
        Ok(with_type!(code, T => Value::new(T::from_scalar(value)?)?.into()))
    }

    /// Makes a value that unrelated processes can open under `name`, as [`Value::create`].
    ///
    /// Errors: those of `Value::create`, and a `value` that the type cannot hold; then nothing is made.
    pub fn create(name: &str, code: TypeCode, value: Scalar) -> Result<DynValue, DynCreateError> {
        Ok(with_type!(code, T => Value::create(name, T::from_scalar(value)?)?.into()))
    }

    /// Opens the value of that name, of whatever type.
    ///
    /// Errors: those of [`Value::open`](Handle::open), and a type that has no code ([`OpenError::NoTypeCode`]). The lock that
    /// guards it, if it was given one, is found.
    pub fn open(name: &str) -> Result<DynValue, OpenError> {
        open_by_code(name, Kind::Value, |code| DynValue::open_as(name, code))
    }

    /// Opens the value of that name and type; another type is [`OpenError::Type`]. Else as [`open`](DynValue::open).
    pub fn open_as(name: &str, code: TypeCode) -> Result<DynValue, OpenError> {
        Ok(with_type!(code, T => Value::<T>::open(name)?.into()))
    }

    /// The type: the [canonical](TypeCode::canonical) code.
    pub fn code(&self) -> TypeCode {
        self.0.code()
    }

    /// The value, whole, as [`Value::get`].
    pub fn get(&self) -> Result<Scalar, AccessError> {
        self.0.get()
    }

    /// Replaces the value, as [`Value::set`].
    ///
    /// Errors: those of `Value::set`, and a value that the type cannot hold. Then nothing is changed.
    pub fn set(&self, value: Scalar) -> Result<(), DynError> {
        self.0.set(value)
    }

    /// Replaces the value by what `change` makes of it, alone; returns the old value. As [`Value::update`].
    ///
    /// Errors: those of `Value::update`, and a new value that the type cannot hold. Then the value stays as it was.
    pub fn update(&self, change: impl FnOnce(Scalar) -> Scalar) -> Result<Scalar, DynError> {
        self.0.update(Box::new(change))
    }
}

impl<T: Coded> From<Value<T>> for DynValue {
    fn from(value: Value<T>) -> DynValue {
        DynValue(Arc::new(value))
    }
}

impl fmt::Debug for DynValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DynValue").field(&self.code()).field(&self.get()).finish()
    }
}

/// Finds the type code of the region of that name and kind, for `open` to open it with.
pub(crate) fn open_by_code<R>(
    name: &str,
    kind: Kind,
    open: impl FnOnce(TypeCode) -> Result<R, OpenError>,
) -> Result<R, OpenError> {
    // Kept until the region is open: so long, the name leads to this one, and it is attached to only once.
    let attachment = Attachment::open(name, None)?;
    let found = attachment.shm().load(&attachment.header().kind, &LOOK);
    if found != kind as u32 {
        return Err(OpenError::Kind { found, expected: kind });
    }
    let found = attachment.element();
    open(found.type_code().ok_or(OpenError::NoTypeCode { found })?)
}

/// A `Value` with its type forgotten.
trait Typed: Send + Sync {
    fn code(&self) -> TypeCode;
    fn get(&self) -> Result<Scalar, AccessError>;
    fn set(&self, value: Scalar) -> Result<(), DynError>;
    fn update(&self, change: Box<dyn FnOnce(Scalar) -> Scalar + '_>) -> Result<Scalar, DynError>;
}

impl<T: Coded> Typed for Value<T> {
    fn code(&self) -> TypeCode {
        T::CODE
    }
    fn get(&self) -> Result<Scalar, AccessError> {
        self.get().map(Coded::to_scalar)
    }
    fn set(&self, value: Scalar) -> Result<(), DynError> {
        Ok(self.set(T::from_scalar(value)?)?)
    }
    fn update(&self, change: Box<dyn FnOnce(Scalar) -> Scalar + '_>) -> Result<Scalar, DynError> {
        let mut converted = Ok(());
        let old = self.update(|value| {
            // If it does not fit, the value is replaced by itself.
            converted = T::from_scalar(change(value.to_scalar())).map(|new| *value = new);
        })?;
        converted?;
        Ok(old.to_scalar())
    }
}
