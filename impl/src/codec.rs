//! How a message becomes bytes, and bytes a message. No codec runs while anything is held that others wait for.

use crate::error::TypePrint;
use crate::plain::{Plain, print_of};
use crate::shm::read_plain;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use thiserror::Error;

/// What a region says of its messages: how they are written, and of what type they are.
pub trait Format<T: ?Sized>: 'static {
    /// The number of the codec, which stands in the region's header. Those below 256 are the library's own.
    const NUMBER: u32;
    /// The type's fingerprint, which stands there, too.
    fn print() -> TypePrint;
    /// How many bytes each message has, if it is always the same.
    fn fixed() -> Option<usize> {
        None
    }
}

/// How a `T` becomes bytes, and bytes a `T`.
pub trait Codec<T>: Format<T> {
    /// The bytes of `value`; `buffer` is empty, for a codec that has to make them.
    fn encode<'a>(value: &'a T, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], EncodeError>;
    /// The value that has these bytes, which nobody else can change.
    fn decode_from(bytes: &[u8]) -> Result<T, DecodeError> {
        Self::decode(bytes.len(), &mut Vec::new(), |place| place.copy_from_slice(bytes))
    }
    /// The value whose `length` bytes `fill` writes; `buffer` is empty, for a codec that needs them in one place.
    fn decode(length: usize, buffer: &mut Vec<u8>, fill: impl FnOnce(&mut [u8])) -> Result<T, DecodeError>;
}

/// Any type that [`serde`] can write and read, as the bytes of [`postcard`](https://docs.rs/postcard): compact, without
/// names or types in it.
#[derive(Debug, Clone, Copy)]
pub struct Postcard;

/// [`Plain`] data as it is: nothing is encoded, and a message takes no more than its size, in steps of 8 bytes.
#[derive(Debug, Clone, Copy)]
pub struct AsIs;

/// Bytes.
#[derive(Debug, Clone, Copy)]
pub struct Bytes;

/// A value that could not be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the message could not be encoded: {}", .0.reason)]
pub struct EncodeError(Box<Unencoded>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Unencoded {
    reason: String,
}

impl EncodeError {
    /// A value could not be written, and why.
    pub fn new(reason: impl ToString) -> EncodeError {
        EncodeError(Box::new(Unencoded { reason: reason.to_string() }))
    }
    /// What the codec said.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }
}

/// Bytes that are no value of the type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a message of {} bytes is no {}: {}", .0.length, .0.type_name, .0.reason)]
pub struct DecodeError(Box<Undecoded>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Undecoded {
    length: usize,
    type_name: &'static str,
    reason: String,
}

impl DecodeError {
    /// `length` bytes are no `T`, and why.
    pub fn new<T>(length: usize, reason: impl ToString) -> DecodeError {
        let (type_name, reason) = (std::any::type_name::<T>(), reason.to_string());
        DecodeError(Box::new(Undecoded { length, type_name, reason }))
    }
    /// How many bytes there were.
    pub fn length(&self) -> usize {
        self.0.length
    }
    /// What type they should have been a value of.
    pub fn type_name(&self) -> &'static str {
        self.0.type_name
    }
    /// What the codec said.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }
}

/// An empty buffer for a codec. One that is empty is not written to: the processor can have but so many stores under way, and
/// those into a ring take the longest.
#[inline(always)]
pub(crate) fn emptied(buffer: &mut Vec<u8>) -> &mut Vec<u8> {
    if !buffer.is_empty() {
        buffer.clear();
    }
    buffer
}

/// What the codecs are called.
pub(crate) fn name_of(number: u32) -> Option<&'static str> {
    match number {
        0 => Some("no messages"),
        <Postcard as Format<()>>::NUMBER => Some("postcard"),
        <AsIs as Format<u8>>::NUMBER => Some("plain data"),
        <Bytes as Format<[u8]>>::NUMBER => Some("bytes"),
        _ => None,
    }
}

impl<T: Serialize + DeserializeOwned> Format<T> for Postcard {
    const NUMBER: u32 = 1;
    /// Of a type that is not plain, its size and alignment are all that two programs can compare.
    fn print() -> TypePrint {
        TypePrint { size: size_of::<T>() as u64, align: align_of::<T>() as u32, code: 0 }
    }
}

impl<T: Serialize + DeserializeOwned> Codec<T> for Postcard {
    fn encode<'a>(value: &'a T, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], EncodeError> {
        let written = postcard::to_io(value, &mut *buffer);
        written.map_err(EncodeError::new)?;
        Ok(buffer)
    }
    fn decode(length: usize, buffer: &mut Vec<u8>, fill: impl FnOnce(&mut [u8])) -> Result<T, DecodeError> {
        // Into memory of our own first: what a peer can still change is not to be looked at twice.
        buffer.resize(length, 0);
        fill(buffer);
        <Postcard as Codec<T>>::decode_from(buffer)
    }
    fn decode_from(bytes: &[u8]) -> Result<T, DecodeError> {
        let length = bytes.len();
        let (value, rest) = postcard::take_from_bytes(bytes).map_err(|error| DecodeError::new::<T>(length, error))?;
        if !rest.is_empty() {
            return Err(DecodeError::new::<T>(length, format!("{} bytes too many", rest.len())));
        }
        Ok(value)
    }
}

impl<T: Plain> Format<T> for AsIs {
    const NUMBER: u32 = 2;
    fn print() -> TypePrint {
        print_of::<T>()
    }
    fn fixed() -> Option<usize> {
        Some(size_of::<T>())
    }
}

impl<T: Plain> Codec<T> for AsIs {
    #[inline(always)]
    fn encode<'a>(value: &'a T, _buffer: &'a mut Vec<u8>) -> Result<&'a [u8], EncodeError> {
        Ok(value.as_bytes())
    }
    #[inline(always)]
    fn decode(length: usize, _buffer: &mut Vec<u8>, fill: impl FnOnce(&mut [u8])) -> Result<T, DecodeError> {
        if length != size_of::<T>() {
            return Err(wrong_length::<T>(length));
        }
        match read_plain(
            #[inline(always)]
            |bytes| {
                fill(bytes);
                Ok::<(), Infallible>(())
            },
        ) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(no_value::<T>(length)),
        }
    }
}

#[cold]
fn wrong_length<T>(length: usize) -> DecodeError {
    DecodeError::new::<T>(length, format!("it has {} bytes", size_of::<T>()))
}

#[cold]
fn no_value<T>(length: usize) -> DecodeError {
    DecodeError::new::<T>(length, "no value has these bytes")
}

impl Format<[u8]> for Bytes {
    const NUMBER: u32 = 3;
    fn print() -> TypePrint {
        TypePrint { size: 0, align: 1, code: 0 }
    }
}
