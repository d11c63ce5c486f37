//! Making a `T` from bytes that somebody else may have written.

use std::mem::MaybeUninit;
use zerocopy::TryFromBytes;

/// Lets `fill` write the bytes of a `T`; `None` if they are not one (a `bool` of 2, a `char` beyond Unicode).
#[inline]
pub(crate) fn read<T: TryFromBytes, E>(fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Option<T>, E> {
    let mut space = MaybeUninit::<T>::zeroed();
    // SAFETY: the bytes are initialised, belong to this stack frame, and any byte may be written to them: `T` is only made
    // of them once `try_read_from_bytes` has found them valid.
    let bytes = unsafe { std::slice::from_raw_parts_mut(space.as_mut_ptr().cast::<u8>(), size_of::<T>()) };
    fill(bytes)?;
    Ok(T::try_read_from_bytes(bytes).ok())
}
