//! Making a `T` from bytes that somebody else may have written.

use std::mem::MaybeUninit;
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

/// Lets `fill` write the bytes of a `T`; `None` if they are not one (a `bool` of 2, a `char` beyond Unicode).
#[inline(always)]
pub(crate) fn read<T: TryFromBytes + Immutable, E>(
    fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
) -> Result<Option<T>, E> {
    let mut space = MaybeUninit::<T>::zeroed();
    // SAFETY: the bytes are initialised, belong to this stack frame, and any byte may be written to them: `T` is only made
    // of them once `try_ref_from_bytes` has found them valid.
    let bytes = unsafe { std::slice::from_raw_parts_mut(space.as_mut_ptr().cast::<u8>(), size_of::<T>()) };
    fill(bytes)?;
    // Looked at where they are: a copy of what was stored a moment ago in smaller pieces makes the processor wait for them.
    if <[T; 1]>::try_ref_from_bytes(bytes).is_err() {
        return Ok(None);
    }
    // SAFETY: the bytes have just been found to be a valid `T`.
    Ok(Some(unsafe { space.assume_init() }))
}

/// As [`read`], for `count` of them, in `space`, which is empty.
pub(crate) fn read_many<T: TryFromBytes + Immutable, E>(
    mut space: Vec<MaybeUninit<T>>,
    count: usize,
    fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
) -> Result<Option<Vec<T>>, E> {
    space.clear();
    space.resize_with(count, MaybeUninit::zeroed);
    // SAFETY: as in `read`, for `count` of them, in the vector's own memory.
    let bytes = unsafe { std::slice::from_raw_parts_mut(space.as_mut_ptr().cast::<u8>(), size_of_val(&space[..])) };
    fill(bytes)?;
    if <[T]>::try_ref_from_bytes(bytes).is_err() {
        return Ok(None);
    }
    let mut space = std::mem::ManuallyDrop::new(space);
    // SAFETY: the same allocation, whose every element has just been found to be a valid `T`, which is as large and as
    // aligned as a `MaybeUninit<T>`.
    Ok(Some(unsafe { Vec::from_raw_parts(space.as_mut_ptr().cast(), count, space.capacity()) }))
}

/// As [`read`], into `values`, without a detour; an error of `fill` means that it wrote nothing. If the bytes are not values
/// of `T`, `values` holds its first over and over.
#[inline]
pub(crate) fn read_into<T: TryFromBytes + IntoBytes + Immutable + Copy, E>(
    values: &mut [T],
    fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
) -> Result<Option<()>, E> {
    let Some(valid) = values.first().copied() else { return fill(&mut []).map(Some) };
    let restore = Restore { values, valid };
    // SAFETY: the bytes are initialised (`T` has no padding) and borrowed alone; nobody looks at them as `T` before they
    // have been found valid, or `Restore` has made them so.
    let bytes = unsafe {
        std::slice::from_raw_parts_mut(restore.values.as_mut_ptr().cast::<u8>(), size_of_val(&*restore.values))
    };
    let filled = fill(bytes);
    if filled.is_ok() && <[T]>::try_ref_from_bytes(bytes).is_err() {
        return Ok(None);
    }
    std::mem::forget(restore);
    filled.map(Some)
}

/// Puts something valid back when dropped, also if somebody panics.
struct Restore<'a, T: Copy> {
    values: &'a mut [T],
    valid: T,
}

impl<T: Copy> Drop for Restore<'_, T> {
    fn drop(&mut self) {
        self.values.fill(self.valid);
    }
}
