//! [`TypeCode`]: the one-letter names of C's types, as Python's `multiprocessing.Value('i', 7)` has them.
//!
//! The table stands once, at the call of `codes!`; the enum, its documentation, its functions and `with_type!` are made
//! of it.

use crate::scalar::Scalar;
use std::any::TypeId;
use std::fmt::{self, Write};
use std::str::FromStr;
use thiserror::Error;

/// Makes everything that depends on the table. `$d` is a dollar sign, for the macro that this macro defines.
macro_rules! codes {
    (($d:tt) $($Code:ident $char:literal $c_type:literal $Rust:ty, $bytes:literal, $Kind:ident($zero:expr);)*) => {
        /// The type of a cell by its code: those of CPython's `multiprocessing.sharedctypes` with the sizes that `ctypes`
        /// gives them on Linux x86-64, and ctypes' `?`.
        ///
        /// | variant | code | C type | Rust type | bytes | zero |
        /// |---|---|---|---|---|---|
        $(#[doc = concat!(
            "| `", stringify!($Code), "` | `", $char, "` | `", $c_type, "` | `", stringify!($Rust), "` | ", $bytes,
            " | `", stringify!($Kind), "(", stringify!($zero), ")` |"
        )])*
        ///
        /// `l` and `L` are [aliases](TypeCode::canonical) of `q` and `Q`, as `c_longlong` is `c_long` in CPython on
        /// Linux. A `char` is one byte, not a character; C's `wchar_t` may be any number, a Rust `char` is a Unicode
        /// scalar value.
        ///
        /// ```
        /// use procession::{Scalar, TypeCode};
        /// let code = TypeCode::from_char('h')?;
        /// assert_eq!((code.c_type(), code.rust_type(), code.bytes()), ("short", "i16", 2));
        /// assert_eq!(code.zero(), Scalar::Integer(0));
        /// assert!(TypeCode::from_char('x').is_err());
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum TypeCode {
            $(#[doc = concat!("`", $char, "`: C's `", $c_type, "`.")] $Code,)*
        }

        impl TypeCode {
            /// All of them, in the order of CPython's table.
            pub const ALL: [TypeCode; [$($char),*].len()] = [$(TypeCode::$Code),*];

            /// The letter.
            pub const fn code(self) -> char {
                match self { $(TypeCode::$Code => $char,)* }
            }

            /// The type in C.
            pub const fn c_type(self) -> &'static str {
                match self { $(TypeCode::$Code => $c_type,)* }
            }

            /// The type in Rust: what `T` is in the [`Value<T>`](crate::Value) of this code.
            pub const fn rust_type(self) -> &'static str {
                match self { $(TypeCode::$Code => stringify!($Rust),)* }
            }

            /// Its size in bytes.
            pub const fn bytes(self) -> usize {
                match self { $(TypeCode::$Code => $bytes,)* }
            }

            /// What a fresh cell holds.
            pub const fn zero(self) -> Scalar {
                match self { $(TypeCode::$Code => Scalar::$Kind($zero),)* }
            }
        }

        const _: () = { $(assert!(size_of::<$Rust>() == $bytes);)* };

        /// `with_type!(code, T => expression)`: the expression, in which `T` is the Rust type of the code.
        macro_rules! with_type {
            ($d code:expr, $d T:ident => $d body:expr) => {
                match $d code {
                    $($crate::TypeCode::$Code => { type $d T = $Rust; $d body })*
                }
            };
        }
        pub(crate) use with_type;
    };
}

codes! {
    ($)
    Char             'c' "char"               [u8; 1], 1, Byte(0);
    SignedChar       'b' "signed char"        i8,      1, Integer(0);
    UnsignedChar     'B' "unsigned char"      u8,      1, Integer(0);
    WideChar         'u' "wchar_t"            char,    4, Character('\0');
    Short            'h' "short"              i16,     2, Integer(0);
    UnsignedShort    'H' "unsigned short"     u16,     2, Integer(0);
    Int              'i' "int"                i32,     4, Integer(0);
    UnsignedInt      'I' "unsigned int"       u32,     4, Integer(0);
    Long             'l' "long"               i64,     8, Integer(0);
    UnsignedLong     'L' "unsigned long"      u64,     8, Integer(0);
    LongLong         'q' "long long"          i64,     8, Integer(0);
    UnsignedLongLong 'Q' "unsigned long long" u64,     8, Integer(0);
    Float            'f' "float"              f32,     4, Float(0.0);
    Double           'd' "double"             f64,     8, Float(0.0);
    Bool             '?' "_Bool"              bool,    1, Bool(false);
}

impl TypeCode {
    /// The type with this letter.
    pub fn from_char(letter: char) -> Result<TypeCode, UnknownCode> {
        let found = TypeCode::ALL.into_iter().find(|code| code.code() == letter);
        found.ok_or_else(|| UnknownCode { found: letter.to_string() })
    }

    /// The code of a Rust type, if it has one; the canonical one if it has two. `isize` and `usize` are `q` and `Q`.
    ///
    /// ```
    /// use procession::TypeCode;
    /// assert_eq!(TypeCode::of::<u16>(), Some(TypeCode::UnsignedShort));
    /// assert_eq!(TypeCode::of::<u128>(), None);
    /// ```
    pub fn of<T: 'static>() -> Option<TypeCode> {
        let type_id = TypeId::of::<T>();
        match type_id {
            id if id == TypeId::of::<isize>() => Some(TypeCode::LongLong),
            id if id == TypeId::of::<usize>() => Some(TypeCode::UnsignedLongLong),
            id => TypeCode::ALL
                .into_iter()
                .find(|code| with_type!(*code, Known => id == TypeId::of::<Known>()))
                .map(TypeCode::canonical),
        }
    }

    /// The code that stands in a region's header: `q` for `l`, `Q` for `L`, else itself.
    #[must_use]
    pub const fn canonical(self) -> TypeCode {
        match self {
            TypeCode::Long => TypeCode::LongLong,
            TypeCode::UnsignedLong => TypeCode::UnsignedLongLong,
            other => other,
        }
    }

    /// All the letters, for an error to say.
    pub(crate) fn letters() -> String {
        TypeCode::ALL.map(|code| code.to_string()).join(" ")
    }

    /// The codes as a table of text: letter, type in C, type in Rust, bytes, the zero as [`Scalar`] writes it.
    pub fn table() -> String {
        let mut out = String::from("code  C type              Rust type  bytes  zero\n");
        for code in TypeCode::ALL {
            let (letter, c_type, rust_type) = (code.code(), code.c_type(), code.rust_type());
            let _ = writeln!(out, "{letter:<4}  {c_type:<18}  {rust_type:<9}  {:>5}  {}", code.bytes(), code.zero());
        }
        out
    }
}

/// Writes the letter, which is what is read back.
impl fmt::Display for TypeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char(self.code())
    }
}

impl FromStr for TypeCode {
    type Err = UnknownCode;
    fn from_str(text: &str) -> Result<TypeCode, UnknownCode> {
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => TypeCode::from_char(letter),
            _ => Err(UnknownCode { found: text.to_owned() }),
        }
    }
}

/// No type has this code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no type has the code {found:?}: the codes are {}", TypeCode::letters())]
pub struct UnknownCode {
    /// What stood in its place.
    pub found: String,
}
