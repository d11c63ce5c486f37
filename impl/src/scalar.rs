//! [`Scalar`]: a value whose type is known only when the program runs.

use crate::coded::ConvertError;
use crate::type_code::{TypeCode, with_type};
use std::fmt;
use thiserror::Error;
use zerocopy::TryFromBytes;

/// A value of any type that has a [`TypeCode`].
///
/// A Rust value becomes one with `from` (`u8` is a number, `[u8; 1]` a byte); a text with [`parse`](Scalar::parse), which
/// reads what `Display` writes.
///
/// ```
/// use procession::{Scalar, TypeCode};
/// assert_eq!(Scalar::from(7u16), Scalar::Integer(7));
/// assert_eq!(Scalar::parse("2.5", TypeCode::Double)?, Scalar::Float(2.5));
/// assert_eq!(Scalar::from('\n').to_string(), "U+000A");
/// assert!(Scalar::parse("300", TypeCode::UnsignedChar).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar {
    /// Of `b B h H i I l L q Q`.
    Integer(i128),
    /// Of `f d`.
    Float(f64),
    /// Of `?`.
    Bool(bool),
    /// Of `u`.
    Character(char),
    /// Of `c`.
    Byte(u8),
}

impl Scalar {
    /// Reads a value for a cell of type `code`.
    ///
    /// | code | text |
    /// |---|---|
    /// | `b B h H i I l L q Q` | a decimal number |
    /// | `f d` | a decimal number, `inf` or `nan`; rounded to the nearest value, as a literal in a program is |
    /// | `?` | `true`, `false`, `1`, `0` |
    /// | `u` | one character, or `U+` and its hexadecimal number |
    /// | `c` | one ASCII character, or `0x` and the byte's hexadecimal number |
    ///
    /// Errors: another text; a number that the type has no room for.
    pub fn parse(text: &str, code: TypeCode) -> Result<Scalar, ParseScalarError> {
        let parsed = match code.zero() {
            Scalar::Integer(_) => text.parse().ok().map(Scalar::Integer),
            Scalar::Float(_) => parse_float(text, code)?.map(Scalar::Float),
            Scalar::Bool(_) => match text {
                "true" | "1" => Some(Scalar::Bool(true)),
                "false" | "0" => Some(Scalar::Bool(false)),
                _ => None,
            },
            Scalar::Character(_) => parse_character(text).map(Scalar::Character),
            Scalar::Byte(_) => parse_byte(text).map(Scalar::Byte),
        };
        let scalar = parsed.ok_or_else(|| ParseScalarError::Syntax { text: text.to_owned(), code })?;
        Ok(scalar.fit(code)?)
    }

    /// The value that a cell of type `code` gives back once this one is written to it: `Integer(1)` for a `Bool(true)` in
    /// an `i`. The errors are those of [`Coded::from_scalar`](crate::Coded::from_scalar).
    pub fn fit(self, code: TypeCode) -> Result<Scalar, ConvertError> {
        use crate::coded::Coded;
        with_type!(code, T => T::from_scalar(self).map(Coded::to_scalar))
    }

    /// The value that a cell of type `code` has when these are its bytes, as in [`Stat::bytes`](crate::Stat::bytes): in
    /// this machine's order. `None`: not as many bytes as the type has, or none of its values.
    ///
    /// ```
    /// use procession::{Scalar, TypeCode};
    /// let bytes = 258u16.to_ne_bytes();
    /// assert_eq!(Scalar::from_bytes(TypeCode::UnsignedShort, &bytes), Some(Scalar::Integer(258)));
    /// assert_eq!(Scalar::from_bytes(TypeCode::Bool, &[2]), None);
    /// ```
    pub fn from_bytes(code: TypeCode, bytes: &[u8]) -> Option<Scalar> {
        with_type!(code, T => T::try_read_from_bytes(bytes).ok().map(Scalar::from))
    }

    /// What it is, in words that take an `a`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Scalar::Integer(_) => "whole number",
            Scalar::Float(_) => "float",
            Scalar::Bool(_) => "bool",
            Scalar::Character(_) => "character",
            Scalar::Byte(_) => "byte",
        }
    }
}

/// The float nearest to `text`, in the precision of the cell: a `0.1` meant for an `f` is the `f`'s.
fn parse_float(text: &str, code: TypeCode) -> Result<Option<f64>, ParseScalarError> {
    let parsed = if code == TypeCode::Float { text.parse().ok().map(f32::into) } else { text.parse::<f64>().ok() };
    match parsed {
        // The standard library makes infinity of a number beyond the largest; infinity itself has no digits.
        Some(value) if value.is_infinite() && text.contains(|letter: char| letter.is_ascii_digit()) => {
            Err(ParseScalarError::TooLarge { text: text.to_owned(), code })
        }
        parsed => Ok(parsed),
    }
}

fn parse_character(text: &str) -> Option<char> {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => Some(letter),
        _ => char::from_u32(parse_hexadecimal(text, "U+")?),
    }
}

fn parse_byte(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [byte] => Some(*byte),
        _ => u8::try_from(parse_hexadecimal(text, "0x")?).ok(),
    }
}

fn parse_hexadecimal(text: &str, prefix: &str) -> Option<u32> {
    // The standard library would take a sign.
    let digits = text.strip_prefix(prefix)?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

/// On one line and free of control characters, whatever the value: it may come from a broken process.
impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Scalar::Integer(value) => value.fmt(f),
            Scalar::Float(value) => write!(f, "{value:?}"), // 1.0, where `Display` would write 1
            Scalar::Bool(value) => value.fmt(f),
            Scalar::Character(value) if is_visible(value) => value.fmt(f),
            Scalar::Character(value) => write!(f, "U+{:04X}", u32::from(value)),
            Scalar::Byte(value) if value.is_ascii_graphic() => char::from(value).fmt(f),
            Scalar::Byte(value) => write!(f, "0x{value:02x}"),
        }
    }
}

fn is_visible(character: char) -> bool {
    // The standard library escapes what does not print, and also quotes and the backslash.
    matches!(character, '\'' | '"' | '\\') || (!character.is_whitespace() && character.escape_debug().count() == 1)
}

macro_rules! scalars {
    ($($Kind:ident: $($Type:ty),* => $make:expr;)*) => {$($(
        impl From<$Type> for Scalar {
            fn from(value: $Type) -> Scalar {
                let make: fn($Type) -> _ = $make;
                Scalar::$Kind(make(value))
            }
        }
    )*)*};
}
scalars! {
    Integer: i8, u8, i16, u16, i32, u32, i64, u64, i128 => i128::from;
    Integer: isize, usize => |value| value as i128;
    Float: f32, f64 => f64::from;
    Bool: bool => |value| value;
    Character: char => |value| value;
    Byte: [u8; 1] => |[byte]| byte;
}

/// Why a text is no value of a type.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ParseScalarError {
    /// Not what values of the type look like.
    #[error("{text:?} cannot be read as the {} that a cell of type '{code}' ({}) holds", code.zero().kind(), code.c_type())]
    Syntax {
        /// The text.
        text: String,
        /// The type that was expected.
        code: TypeCode,
    },
    /// A float beyond the largest of the type.
    #[error("{text} is more than the largest number of type '{code}' ({})", code.c_type())]
    TooLarge {
        /// The text.
        text: String,
        /// The type that was expected.
        code: TypeCode,
    },
    /// A value that the type has no room for.
    #[error(transparent)]
    Convert(#[from] ConvertError),
}
