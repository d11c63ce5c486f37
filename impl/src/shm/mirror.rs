//! A ring's records, mapped twice in a row: one that runs over the end goes on in the second copy, and is one piece.

use super::{Attachment, ShmWord};
use crate::error::OpenError;
use crate::layout::{BODY, LONGEST_RING};
use memmap2::{MmapMut, MmapRaw};
use nix::sys::mman::{MapFlags, ProtFlags, mmap};
use nix::unistd::{SysconfVar, sysconf};
use std::num::NonZeroUsize;

/// The records of a ring, as this process sees them.
pub struct Mirror {
    /// The addresses, and what is mapped over them.
    map: MmapRaw,
    /// Bytes of the ring. What the header says may be another number by now, if somebody is hostile.
    capacity: usize,
    /// Bytes that can be seen: of the ring twice, or, where its place in the file is no multiple of a page, once.
    bytes: usize,
}

impl Mirror {
    /// Maps the records of ring `index`. `None`: the region has no such ring, or is too short for it.
    pub fn new(attachment: &Attachment, index: usize) -> Result<Option<Mirror>, OpenError> {
        let Some(kind) = attachment.kind().filter(|kind| index < kind.rings()) else { return Ok(None) };
        let capacity = attachment.length();
        let place = || {
            let start = BODY.checked_add(kind.words_at())?.checked_add(capacity.checked_mul(index)?)?;
            let end = start.checked_add(capacity)?;
            let fits = (super::PAGE..=LONGEST_RING).contains(&capacity) && end <= attachment.bytes();
            (fits && capacity.is_power_of_two()).then_some(start)
        };
        let (Some(start), Some(length)) = (place(), NonZeroUsize::new(capacity)) else { return Ok(None) };
        let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten().and_then(|page| usize::try_from(page).ok());
        let twice = page.is_some_and(|page| start.is_multiple_of(page) && capacity.is_multiple_of(page));
        let failed = |error: std::io::Error| OpenError::io("mmap", &error);
        if !twice {
            let file = std::fs::File::from(attachment.file().try_clone_to_owned().map_err(failed)?);
            let map = memmap2::MmapOptions::new().offset(start as u64).len(capacity).map_raw(&file).map_err(failed)?;
            return Ok(Some(Mirror { map, capacity, bytes: capacity }));
        }
        let bytes = capacity.saturating_mul(2);
        let map = MmapRaw::from(MmapMut::map_anon(bytes).map_err(failed)?);
        for half in 0..2 {
            let at = NonZeroUsize::new(map.as_mut_ptr().addr() + half * capacity);
            let offset = i64::try_from(start).unwrap_or(i64::MAX);
            // SAFETY: the addresses are `map`'s own, which nobody else knows of, and stay so until it is dropped and the
            // whole of them is unmapped; what is mapped there is inside the file.
            let half = unsafe {
                mmap(
                    at,
                    length,
                    ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
                    MapFlags::MAP_SHARED | MapFlags::MAP_FIXED,
                    attachment.file(),
                    offset,
                )
            };
            half.map_err(|errno| OpenError::system("mmap", errno))?;
        }
        Ok(Some(Mirror { map, capacity, bytes }))
    }

    /// Bytes of the ring.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The words of the records.
    #[inline(always)]
    pub fn words(&self) -> &[ShmWord<u64>] {
        // SAFETY: `bytes` bytes are mapped there for as long as `self` lives, page-aligned, shared, and only accessed
        // atomically, or by `view` and `view_mut`, whose callers vouch for them.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().cast(), self.bytes / size_of::<u64>()) }
    }

    /// `bytes` bytes at an offset, to be read in place. `None`: they are not in one piece.
    ///
    /// Only for the receiver that the region names, between the commit of these bytes and giving them back: then nobody who
    /// keeps to the protocol writes them. A peer that does not can change what is read here while it is read.
    #[inline]
    pub(crate) fn view(&self, offset: usize, bytes: usize) -> Option<&[u8]> {
        self.fits(offset, bytes).then(|| {
            // SAFETY: inside the mapping; nobody writes there, as the caller sees to.
            unsafe { std::slice::from_raw_parts(self.map.as_ptr().wrapping_add(offset), bytes) }
        })
    }

    /// `bytes` bytes at an offset, to be written in place. `None`: they are not in one piece.
    ///
    /// Only for the sender that the region names, while there is room for these bytes: then nobody who keeps to the protocol
    /// reads or writes them.
    #[allow(clippy::mut_from_ref)] // the memory is shared, `self` only says where it is
    #[inline]
    pub(crate) fn view_mut(&self, offset: usize, bytes: usize) -> Option<&mut [u8]> {
        self.fits(offset, bytes).then(|| {
            // SAFETY: inside the mapping; nobody else touches it there, as the caller sees to.
            unsafe { std::slice::from_raw_parts_mut(self.map.as_mut_ptr().wrapping_add(offset), bytes) }
        })
    }

    #[inline(always)]
    fn fits(&self, offset: usize, bytes: usize) -> bool {
        offset.checked_add(bytes).is_some_and(|end| end <= self.bytes)
    }
}
