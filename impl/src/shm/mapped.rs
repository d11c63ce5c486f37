//! Views into a region's body: found to fit once, when a handle is made, and then as cheap as a reference.

use super::{Attachment, Shm, ShmWord};
use crate::algorithm::lock::Lock;
use crate::algorithm::rlock::RLock;
use crate::layout::{BODY, JoinableHead, Kind, PipeHead, QueueHead, ValueHead};
use crate::platform::Int;
use std::ops::Deref;
use std::sync::Arc;
use zerocopy::FromBytes;

/// What can stand at the start of a body: made of shared words and nothing else, so that a reference to it never sees a plain
/// field change under it; and only where the region's kind says that it stands there, so that no byte is ever accessed at two
/// widths.
pub trait Body: sealed::Sealed {
    /// The kinds of region that begin with it.
    const KINDS: &'static [Kind];
}
mod sealed {
    pub trait Sealed {}
}
macro_rules! bodies {
    ($($Body:ty: $kinds:expr),*) => {$(
        impl sealed::Sealed for $Body {}
        impl Body for $Body {
            const KINDS: &'static [Kind] = $kinds;
        }
    )*};
}
bodies!(Lock<Shm>: &[Kind::Lock, Kind::RLock, Kind::Array], RLock<Shm>: &[Kind::RLock], ValueHead: &[Kind::Value],
    PipeHead: &[Kind::Simplex, Kind::Duplex], QueueHead: &[Kind::Queue, Kind::JoinableQueue],
    JoinableHead: &[Kind::JoinableQueue]);

/// A `T` in a region, for as long as the region is mapped.
pub struct Mapped<T> {
    attachment: Arc<Attachment>,
    at: *const T,
}

/// Words in a region, for as long as the region is mapped.
#[derive(Clone)]
pub struct MappedSlice {
    at: *const ShmWord<u64>,
    count: usize,
    attachment: Arc<Attachment>,
}

impl<T> Clone for Mapped<T> {
    fn clone(&self) -> Self {
        Mapped { attachment: self.attachment.clone(), at: self.at }
    }
}

impl<T: FromBytes + Body> Mapped<T> {
    /// The `T` at the start of the body. `None`: the body is too short for one, or the region is of another kind.
    pub fn body(attachment: Arc<Attachment>) -> Option<Mapped<T>> {
        let fits = attachment.kind().is_some_and(|kind| T::KINDS.contains(&kind));
        let at = place(&attachment, 0, size_of::<T>(), align_of::<T>()).filter(|_| fits)?.cast();
        Some(Mapped { attachment, at })
    }
}

impl<T> Mapped<T> {
    /// A part of it.
    pub fn part<U>(&self, part: impl FnOnce(&T) -> &U) -> Mapped<U> {
        Mapped { attachment: self.attachment.clone(), at: part(self) }
    }

    /// The region it stands in.
    #[inline(always)]
    pub fn attachment(&self) -> &Arc<Attachment> {
        &self.attachment
    }
}

impl MappedSlice {
    /// `count` words from `offset` bytes into the body. `None`: the body is too short for them, or has other things there.
    pub fn words(attachment: Arc<Attachment>, offset: usize, count: usize) -> Option<MappedSlice> {
        let kind = attachment.kind()?;
        let element = usize::try_from(attachment.element().size).ok()?;
        if offset < kind.words_at() || kind.word_width(element) != size_of::<u64>() {
            return None;
        }
        let bytes = count.checked_mul(size_of::<u64>())?;
        let at = place(&attachment, offset, bytes, align_of::<u64>())?.cast();
        Some(MappedSlice { at, count, attachment })
    }

    /// The region they stand in.
    #[inline(always)]
    pub fn attachment(&self) -> &Arc<Attachment> {
        &self.attachment
    }

    /// The first `count` words, or none if there are fewer: for a `count` the compiler knows.
    #[inline(always)]
    pub fn first_chunk_of(&self, count: usize) -> &[ShmWord<u64>] {
        self.get(..count).unwrap_or(&[])
    }
}

/// The elements of an array in a region, in words as wide as the region's element type says.
#[derive(Clone)]
pub struct MappedElements {
    at: *const u8,
    count: usize,
    width: usize,
    attachment: Arc<Attachment>,
}

impl MappedElements {
    /// The words of `length` elements. `None`: the region is no array, or too short for them.
    pub fn new(attachment: Arc<Attachment>, length: usize) -> Option<MappedElements> {
        let kind = attachment.kind().filter(|kind| matches!(kind, Kind::Array | Kind::RawArray))?;
        let element = usize::try_from(attachment.element().size).ok()?;
        let (bytes, width) = (kind.words_size(element, length)?, kind.word_width(element));
        let at = place(&attachment, kind.words_at(), bytes, width)?;
        Some(MappedElements { at, count: bytes / width, width, attachment })
    }

    /// The words; none if they are not as wide as `V`.
    #[inline(always)]
    pub fn words<V: Int>(&self) -> &[ShmWord<V>] {
        if size_of::<V>() != self.width {
            return &[];
        }
        // SAFETY: as for `Mapped`, for `count` words of this width.
        unsafe { std::slice::from_raw_parts(self.at.cast(), self.count) }
    }

    /// The region they stand in.
    #[inline(always)]
    pub fn attachment(&self) -> &Arc<Attachment> {
        &self.attachment
    }
}

fn place(attachment: &Attachment, offset: usize, bytes: usize, align: usize) -> Option<*const u8> {
    let start = BODY.checked_add(offset)?;
    let fits = start.checked_add(bytes)? <= attachment.bytes() && start.is_multiple_of(align) && align <= BODY;
    fits.then(|| attachment.start().wrapping_add(start))
}

impl<T> Deref for Mapped<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: `place` found the `T` inside the mapping and aligned; the mapping lives as long as `attachment`; `T` is
        // a `Body`: words that are only accessed atomically.
        unsafe { &*self.at }
    }
}

impl Deref for MappedSlice {
    type Target = [ShmWord<u64>];
    #[inline(always)]
    fn deref(&self) -> &[ShmWord<u64>] {
        // SAFETY: as for `Mapped`, for `count` words.
        unsafe { std::slice::from_raw_parts(self.at, self.count) }
    }
}

// SAFETY: what is pointed at is shared between processes anyway: words that are only accessed atomically.
unsafe impl<T: Sync> Send for Mapped<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Mapped<T> {}
// SAFETY: as above.
unsafe impl Send for MappedElements {}
// SAFETY: as above.
unsafe impl Sync for MappedElements {}
// SAFETY: as above.
unsafe impl Send for MappedSlice {}
// SAFETY: as above.
unsafe impl Sync for MappedSlice {}
