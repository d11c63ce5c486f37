//! [`SharedBytes`] and [`SharedStr`]: bytes and text of limited length inside the cell, where C would have a pointer.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use thiserror::Error;
use zerocopy::native_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// At most `N` bytes, kept in place with their length: a `Value<SharedBytes<N>>` is `N` + 4 bytes.
///
/// Python's `multiprocessing` offers ctypes' `c_char_p` and `c_wchar_p` here, which are addresses, and mean nothing in
/// another process. This is the text itself. Unlike in an array of C's `char`, a zero byte is a byte as any other.
///
/// The bytes may come from a broken process: a length beyond `N` reads as `N`.
///
/// ```
/// use procession::{SharedBytes, Value};
/// let value = Value::new(SharedBytes::<8>::new(b"GET\0")?)?;
/// assert_eq!(value.get()?.as_bytes(), b"GET\0");
/// assert!(SharedBytes::<8>::new(b"too long a text").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct SharedBytes<const N: usize> {
    length: U32,
    /// Zero beyond the length.
    bytes: [u8; N],
}

/// At most `N` bytes of UTF-8, kept in place with their length: a `Value<SharedStr<N>>` is `N` + 4 bytes. To the header of
/// a region it is the same type as [`SharedBytes<N>`].
///
/// The bytes may come from a broken process: they are looked at whenever they are read as text.
///
/// ```
/// use procession::{SharedStr, Value};
/// let name = Value::new(SharedStr::<32>::new("Grüße")?)?;
/// assert_eq!(name.get()?.as_str()?, "Grüße");
/// name.set("short".try_into()?)?;
/// assert_eq!(name.get()?.len(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(transparent)]
pub struct SharedStr<const N: usize>(SharedBytes<N>);

/// More bytes than there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{length} bytes were given, there is room for {capacity}")]
pub struct TooLong {
    /// The bytes given.
    pub length: usize,
    /// The most there can be.
    pub capacity: usize,
}

/// The bytes in a [`SharedStr`] are no text: some peer is broken or hostile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the bytes are not UTF-8 from the byte {valid_up_to} on")]
pub struct NotUtf8 {
    /// How many bytes from the start are text.
    pub valid_up_to: usize,
}

impl<const N: usize> SharedBytes<N> {
    const LENGTH_FITS: () = assert!(N <= u32::MAX as usize, "the length is 32 bits");

    /// Nothing.
    pub const fn empty() -> SharedBytes<N> {
        let () = Self::LENGTH_FITS;
        SharedBytes { length: U32::ZERO, bytes: [0; N] }
    }

    /// A copy of `bytes`, if there are no more than `N`.
    pub fn new(bytes: &[u8]) -> Result<SharedBytes<N>, TooLong> {
        let mut made = SharedBytes::empty();
        let room = made.bytes.get_mut(..bytes.len()).ok_or(TooLong { length: bytes.len(), capacity: N })?;
        room.copy_from_slice(bytes);
        made.length = U32::new(bytes.len() as u32); // at most `N`
        Ok(made)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        let length = usize::try_from(self.length.get()).unwrap_or(N);
        self.bytes.get(..length).unwrap_or(&self.bytes)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many there can be.
    pub const fn capacity(&self) -> usize {
        N
    }
}

impl<const N: usize> SharedStr<N> {
    /// Nothing.
    pub const fn empty() -> SharedStr<N> {
        SharedStr(SharedBytes::empty())
    }

    /// A copy of `text`, if it has no more than `N` bytes (of which a character may take four).
    pub fn new(text: &str) -> Result<SharedStr<N>, TooLong> {
        SharedBytes::new(text.as_bytes()).map(SharedStr)
    }

    /// The text.
    pub fn as_str(&self) -> Result<&str, NotUtf8> {
        std::str::from_utf8(self.as_bytes()).map_err(|error| NotUtf8 { valid_up_to: error.valid_up_to() })
    }

    /// The bytes of the text, whatever they are.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bytes it can have.
    pub const fn capacity(&self) -> usize {
        N
    }

    /// The text, with U+FFFD for what is none.
    fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.as_bytes())
    }
}

impl<const N: usize> Default for SharedBytes<N> {
    fn default() -> Self {
        SharedBytes::empty()
    }
}

// By contents: a broken process may have left something beyond the length.
impl<const N: usize> PartialEq for SharedBytes<N> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}
impl<const N: usize> Eq for SharedBytes<N> {}
impl<const N: usize> Hash for SharedBytes<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl<const N: usize> TryFrom<&[u8]> for SharedBytes<N> {
    type Error = TooLong;
    fn try_from(bytes: &[u8]) -> Result<Self, TooLong> {
        SharedBytes::new(bytes)
    }
}
impl<const N: usize> TryFrom<&str> for SharedStr<N> {
    type Error = TooLong;
    fn try_from(text: &str) -> Result<Self, TooLong> {
        SharedStr::new(text)
    }
}

impl<const N: usize> fmt::Debug for SharedBytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.as_bytes().escape_ascii())
    }
}
impl<const N: usize> fmt::Debug for SharedStr<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.lossy(), f)
    }
}
/// Writes U+FFFD for what is no text.
impl<const N: usize> fmt::Display for SharedStr<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.lossy(), f)
    }
}
