//! [`Coded`]: the Rust types that have a type code, and what each of them accepts.

use crate::plain::Plain;
use crate::scalar::Scalar;
use crate::type_code::TypeCode;
use thiserror::Error;

/// A type that has a [`TypeCode`]. Sealed: the code and the type must agree.
///
/// What `ctypes` of CPython wraps (`c_byte(300)`) or rounds (`c_float(0.1)`) in silence is an error here.
///
/// ```
/// use procession::{Coded, ConvertError, Scalar, TypeCode};
/// assert_eq!(i8::CODE, TypeCode::SignedChar);
/// assert_eq!((-5i8).to_scalar(), Scalar::Integer(-5));
/// let error = i8::from_scalar(Scalar::Integer(300)).unwrap_err();
/// assert_eq!(error, ConvertError::OutOfRange { value: 300, code: i8::CODE, low: -128, high: 127 });
/// ```
pub trait Coded: Plain + Into<Scalar> + sealed::Sealed {
    /// The code that stands in the header of a region of this type.
    const CODE: TypeCode;

    /// The value, with its type forgotten.
    fn to_scalar(self) -> Scalar {
        self.into()
    }

    /// The value, if this type can hold it as it is.
    ///
    /// | codes | accept |
    /// |---|---|
    /// | `b B h H i I l L q Q` | integers in range |
    /// | `f d` | floats and integers that the type holds exactly; infinities; any NaN |
    /// | `?` | `Bool`; 0 and 1 |
    /// | `u` | `Character` |
    /// | `c` | `Byte`; 0 to 255 |
    ///
    /// A `Bool` counts as an integer, as it does in Python. Errors: out of range, inexact, or something else altogether.
    fn from_scalar(scalar: Scalar) -> Result<Self, ConvertError>;
}

mod sealed {
    pub trait Sealed {}
}

/// Why a value cannot be written to a cell. Nothing is wrapped, rounded or cut.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum ConvertError {
    /// An integer that the type has no room for.
    #[error("{value} is out of range for type '{code}' ({}): {low} to {high}", code.c_type())]
    OutOfRange {
        /// The integer.
        value: i128,
        /// The type of the cell.
        code: TypeCode,
        /// The least that fits.
        low: i128,
        /// The greatest that fits.
        high: i128,
    },
    /// A number that the type could only hold rounded.
    #[error("{value} cannot be held exactly by type '{code}' ({})", code.c_type())]
    Inexact {
        /// The number.
        value: Scalar,
        /// The type of the cell.
        code: TypeCode,
    },
    /// Something else than the type holds.
    #[error("the {} {found} was found, type '{code}' ({}) holds a {}", found.kind(), code.c_type(), code.zero().kind())]
    Kind {
        /// The value.
        found: Scalar,
        /// The type of the cell, which was expected.
        code: TypeCode,
    },
}

/// The integer within `low` to `high` that the scalar is or, being a `Bool`, counts as.
fn integer(scalar: Scalar, code: TypeCode, low: i128, high: i128) -> Result<i128, ConvertError> {
    let value = as_integer(scalar).ok_or(ConvertError::Kind { found: scalar, code })?;
    if (low..=high).contains(&value) { Ok(value) } else { Err(ConvertError::OutOfRange { value, code, low, high }) }
}

fn as_integer(scalar: Scalar) -> Option<i128> {
    match scalar {
        Scalar::Integer(value) => Some(value),
        Scalar::Bool(value) => Some(value.into()),
        _ => None,
    }
}

macro_rules! integers {
    ($($Int:ident $Code:ident),*) => {$(
        impl sealed::Sealed for $Int {}
        impl Coded for $Int {
            const CODE: TypeCode = TypeCode::$Code;
            fn from_scalar(scalar: Scalar) -> Result<$Int, ConvertError> {
                // In range, the cast keeps the value.
                integer(scalar, Self::CODE, $Int::MIN as i128, $Int::MAX as i128).map(|value| value as $Int)
            }
        }
    )*};
}
integers!(i8 SignedChar, u8 UnsignedChar, i16 Short, u16 UnsignedShort, i32 Int, u32 UnsignedInt);
integers!(i64 LongLong, u64 UnsignedLongLong, isize LongLong, usize UnsignedLongLong);

/// Whether a float whose significand has `digits` bits holds the integer as it is. The exponent suffices: an `i128` is at
/// most 2^127, an `f32` nearly 2^128.
fn is_exact(value: i128, digits: u32) -> bool {
    let magnitude = value.unsigned_abs();
    magnitude == 0 || (magnitude >> magnitude.trailing_zeros()).ilog2() < digits
}

macro_rules! floats {
    ($($Float:ident $Code:ident),*) => {$(
        impl sealed::Sealed for $Float {}
        impl Coded for $Float {
            const CODE: TypeCode = TypeCode::$Code;
            fn from_scalar(scalar: Scalar) -> Result<$Float, ConvertError> {
                let (near, exact) = match (scalar, as_integer(scalar)) {
                    (Scalar::Float(value), _) => {
                        let near = value as $Float;
                        (near, value.is_nan() || f64::from(near) == value)
                    }
                    (_, Some(value)) => (value as $Float, is_exact(value, $Float::MANTISSA_DIGITS)),
                    _ => return Err(ConvertError::Kind { found: scalar, code: Self::CODE }),
                };
                if exact { Ok(near) } else { Err(ConvertError::Inexact { value: scalar, code: Self::CODE }) }
            }
        }
    )*};
}
floats!(f32 Float, f64 Double);

impl sealed::Sealed for bool {}
impl Coded for bool {
    const CODE: TypeCode = TypeCode::Bool;
    fn from_scalar(scalar: Scalar) -> Result<bool, ConvertError> {
        integer(scalar, Self::CODE, 0, 1).map(|value| value == 1)
    }
}

impl sealed::Sealed for char {}
impl Coded for char {
    const CODE: TypeCode = TypeCode::WideChar;
    fn from_scalar(scalar: Scalar) -> Result<char, ConvertError> {
        match scalar {
            Scalar::Character(value) => Ok(value),
            found => Err(ConvertError::Kind { found, code: Self::CODE }),
        }
    }
}

impl sealed::Sealed for [u8; 1] {}
impl Coded for [u8; 1] {
    const CODE: TypeCode = TypeCode::Char;
    fn from_scalar(scalar: Scalar) -> Result<[u8; 1], ConvertError> {
        match scalar {
            Scalar::Byte(value) => Ok([value]),
            other => integer(other, Self::CODE, 0, 255).map(|value| [value as u8]),
        }
    }
}
