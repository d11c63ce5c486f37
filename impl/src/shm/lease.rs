//! The lease: what a peer holds exactly as long as it can write to the region.
//!
//! An open-file-description lock (fcntl(2), F_OFD_SETLK) on the byte whose offset is the peer's id, taken through a
//! description of its own, of which one page is mapped and whose descriptor is then closed. The mapping keeps the
//! description, and so the lock, alive: past `close_range`, until exec or death. `MADV_DONTFORK` keeps the mapping, and
//! so the lock, out of a forked child.
//!
//! Byte 0 is the gate: whoever attaches holds it shared while taking a lease and a slot, a sweeper holds it alone while it
//! makes sure that no listed peer is alive. (A thread that spawns a process while another one attaches lends the lease to
//! the new process until that one's exec. So a lease without a slot counts for nothing.)

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap, munmap};
use nix::sys::stat::Mode;
use nix::unistd::{SysconfVar, sysconf};
use std::ffi::{CStr, CString, c_void};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr::NonNull;
use std::time::{Duration, Instant};

/// The gate's byte.
const GATE: u32 = 0;

/// One byte of a file, as fcntl wants it.
fn byte(kind: libc::c_int, offset: u32) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: offset.into(),
        l_len: 1,
        l_pid: 0,
    }
}

/// Opens the file behind `base` again: a description of our own, and with it locks of our own.
pub(super) fn reopen(base: impl AsFd) -> Result<OwnedFd, Errno> {
    open_at(&path(base))
}

/// Where `base` can be opened again, by this process and the children that have its descriptors.
pub(super) fn path(base: impl AsFd) -> CString {
    CString::new(format!("/proc/self/fd/{}", base.as_fd().as_raw_fd())).unwrap_or_default() // no NUL in there
}

/// As [`reopen`], of a path made before: this allocates nothing.
pub(super) fn open_at(path: &CStr) -> Result<OwnedFd, Errno> {
    open(path, OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::empty())
}

/// Whether some description other than `base`'s holds a lock on byte `peer`.
pub(super) fn is_held(base: impl AsFd, peer: u32) -> Result<bool, Errno> {
    let mut query = byte(libc::F_WRLCK, peer);
    fcntl(base, FcntlArg::F_OFD_GETLK(&mut query))?;
    Ok(i32::from(query.l_type) != libc::F_UNLCK)
}

/// Passes the gate, with others (`alone == false`) or alone. `Ok(false)`: it stayed taken, by somebody who does not go on:
/// whoever is not stopped holds it for microseconds.
pub(super) fn pass_gate(description: impl AsFd, alone: bool) -> Result<bool, Errno> {
    const PATIENCE: Duration = Duration::from_secs(1);
    let kind = if alone { libc::F_WRLCK } else { libc::F_RDLCK };
    let until = Instant::now() + PATIENCE;
    loop {
        match fcntl(&description, FcntlArg::F_OFD_SETLK(&byte(kind, GATE))) {
            Ok(_) => return Ok(true),
            Err(Errno::EAGAIN | Errno::EACCES) if Instant::now() > until => return Ok(false),
            Err(Errno::EAGAIN | Errno::EACCES) => std::thread::yield_now(),
            Err(errno) => return Err(errno),
        }
    }
}

/// Leaves the gate.
pub(super) fn leave_gate(description: impl AsFd) -> Result<(), Errno> {
    fcntl(description, FcntlArg::F_OFD_SETLK(&byte(libc::F_UNLCK, GATE))).map(drop)
}

/// The mapped page that keeps a lease alive, as an address: it is kept in memory that a forked child sees wiped.
pub(super) type Anchor = usize;

/// Locks byte `peer` through `description`, for as long as that lives. `Ok(false)`: the byte is locked already.
pub(super) fn take(description: &OwnedFd, peer: u32) -> Result<bool, Errno> {
    match fcntl(description, FcntlArg::F_OFD_SETLK(&byte(libc::F_WRLCK, peer))) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Ties `description`, and with it the locks it holds, to a mapping. The descriptor may be closed afterwards.
pub(super) fn anchor(description: &OwnedFd) -> Result<Anchor, Errno> {
    let page = page_size();
    // SAFETY: a new mapping at an address of the kernel's choice; it overlays nothing.
    let anchor = unsafe { mmap(None, page, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, description, 0)? };
    // SAFETY: the page was mapped just now and nobody else knows of it.
    if let Err(errno) = unsafe { madvise(anchor, page.get(), MmapAdvise::MADV_DONTFORK) } {
        release(anchor.as_ptr() as Anchor);
        return Err(errno);
    }
    Ok(anchor.as_ptr() as Anchor)
}

/// Ends a lease. Only in the process that took it: elsewhere the address means something else.
pub(super) fn release(anchor: Anchor) {
    if let Some(page) = NonNull::new(anchor as *mut c_void) {
        // SAFETY: `anchor` comes from the function of that name in this process, is released once, and nothing refers into its page.
        let _ = unsafe { munmap(page, page_size().get()) };
    }
}

fn page_size() -> NonZeroUsize {
    let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten().and_then(|size| usize::try_from(size).ok());
    page.and_then(NonZeroUsize::new).unwrap_or(const { NonZeroUsize::new(4096).unwrap() })
}
