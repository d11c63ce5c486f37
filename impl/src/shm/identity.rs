//! Who this process is in a region: kept in a page that a forked child sees wiped, so that a child owns nothing of its
//! parent's and attaches anew at first use.

use super::lease;
use crate::error::AttachError;
use memmap2::{MmapMut, MmapRaw};
use nix::errno::Errno;
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// What the page holds. All zero: not attached.
#[repr(C)]
struct Page {
    /// The peer id, written last.
    peer: AtomicU32,
    slot: AtomicU32,
    anchor: AtomicUsize,
    /// How often it tried to become a peer on the way of an operation that does without.
    tries: AtomicU32,
}

/// The identity of the calling process in one region.
pub(super) struct Identity(MmapRaw);

impl Identity {
    pub(super) fn new() -> Result<Identity, AttachError> {
        let map = MmapMut::map_anon(size_of::<Page>()).map_err(|error| AttachError::io("mmap", &error))?;
        let map = MmapRaw::from(map);
        // SAFETY: the page is ours alone, and what it holds may be wiped in a child: that is what it is for.
        let wiped = unsafe { libc::madvise(map.as_mut_ptr().cast(), map.len(), libc::MADV_WIPEONFORK) };
        Errno::result(wiped).map_err(|errno| AttachError::system("madvise MADV_WIPEONFORK", errno))?;
        Ok(Identity(map))
    }

    #[inline(always)]
    fn page(&self) -> &Page {
        // SAFETY: the mapping is page-aligned, at least as long as a `Page`, zeroed at first, and holds atomics only.
        unsafe { &*self.0.as_ptr().cast::<Page>() }
    }

    /// This process's peer id; 0 if it has none yet.
    #[inline(always)]
    pub(super) fn peer(&self) -> u32 {
        self.page().peer.load(Ordering::Acquire)
    }

    /// This process's slot in the peer table, if it is a peer.
    #[inline(always)]
    pub(super) fn slot(&self) -> Option<usize> {
        (self.peer() != 0).then(|| self.page().slot.load(Ordering::Relaxed) as usize)
    }

    /// Counts a try to become a peer: the first is 1.
    pub(super) fn count_try(&self) -> u32 {
        self.page().tries.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// Becomes `peer`. Callers take turns (the gate of `attachment`).
    pub(super) fn set(&self, peer: u32, slot: usize, anchor: lease::Anchor) {
        let page = self.page();
        page.anchor.store(anchor, Ordering::Relaxed);
        page.slot.store(slot as u32, Ordering::Relaxed);
        page.peer.store(peer, Ordering::Release);
    }

    /// Stops being anybody: calls `leave(peer, slot)`, then ends the lease. Nothing happens in a child that never attached.
    pub(super) fn clear(&self, leave: impl FnOnce(u32, usize)) {
        let page = self.page();
        let peer = page.peer.swap(0, Ordering::AcqRel);
        if peer != 0 {
            leave(peer, page.slot.load(Ordering::Relaxed) as usize);
            lease::release(page.anchor.swap(0, Ordering::Relaxed));
        }
    }
}

/// The number of the calling thread in this process: from 1, never reused. `None` once 2^32 - 1 threads have asked.
#[inline(always)]
pub(crate) fn thread_serial() -> Option<u32> {
    thread_local!(static SERIAL: Cell<u32> = const { Cell::new(0) });
    SERIAL.with(|serial| match serial.get() {
        0 => first_serial(serial),
        number => Some(number),
    })
}

#[cold]
fn first_serial(serial: &Cell<u32>) -> Option<u32> {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| last.checked_add(1)).ok()?;
    serial.set(last + 1);
    Some(last + 1)
}
