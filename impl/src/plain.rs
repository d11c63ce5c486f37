//! What a shared value can be: plain old data, that is, bytes without pointers or padding.

use crate::error::TypePrint;
use crate::type_code::TypeCode;
use std::any::TypeId;
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// A type whose values are their bytes, in every process: integers to 128 bits, floats, `bool`, `char`, arrays of them, and
/// a user's `#[repr(C)]` structs and `#[repr(u8)]` enums without padding that derive `TryFromBytes` (or `FromBytes`),
/// `IntoBytes` and `Immutable` of [`zerocopy`](crate::zerocopy).
///
/// Not `usize`-sized pointers, references, `Box`, `String`: an address means nothing in another process (for text there is
/// [`SharedStr`](crate::SharedStr)). The bytes come from processes that may be broken: they are checked on every read.
///
/// ```
/// use procession::{Value, zerocopy};
/// use zerocopy::{FromBytes, Immutable, IntoBytes};
/// #[derive(Clone, Copy, PartialEq, Debug, FromBytes, IntoBytes, Immutable)]
/// #[repr(C)]
/// struct Point { x: f64, y: f64 }
/// let point = Value::new(Point { x: 1.0, y: 2.0 })?;
/// point.update(|p| p.x += 1.0)?;
/// assert_eq!(point.get()?, Point { x: 2.0, y: 2.0 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// ```compile_fail
/// procession::Value::new(String::from("an address means nothing elsewhere")).unwrap();
/// ```
pub trait Plain: TryFromBytes + IntoBytes + Immutable + Copy + 'static {}
impl<T: TryFromBytes + IntoBytes + Immutable + Copy + 'static> Plain for T {}

/// An integer with atomic arithmetic. Sealed: what it does runs inside a lock.
pub trait Integer: Plain + PartialEq + sealed::Sealed {
    /// `self + other`, modulo 2^bits, as the standard library's atomics add.
    #[must_use]
    fn wrapping_sum(self, other: Self) -> Self;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! integers {
    ($($Int:ty),*) => {$(
        impl sealed::Sealed for $Int {}
        impl Integer for $Int {
            #[inline]
            fn wrapping_sum(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
        }
    )*};
}
integers!(i8, u8, i16, u16, i32, u32, i64, u64, i128, u128, isize, usize);

/// The fingerprint of `T` that stands in a header: size, alignment and its [`TypeCode`], if it has one (`o` and `O`, of our
/// own, for 128 bits).
pub(crate) fn print_of<T: Plain>() -> TypePrint {
    let code = match TypeId::of::<T>() {
        id if id == TypeId::of::<i128>() => u32::from('o'),
        id if id == TypeId::of::<u128>() => u32::from('O'),
        _ => TypeCode::of::<T>().map_or(0, |code| code.code().into()),
    };
    TypePrint { size: size_of::<T>() as u64, align: align_of::<T>() as u32, code }
}
