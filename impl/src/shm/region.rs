//! The file behind a region, and its mapping.

use super::lease::is_held;
use super::name::{DIRECTORY, Name};
use crate::error::{CreateError, OpenError};
use crate::layout::{BODY, Header, MAGIC, VERSION};
use crate::platform::Ordering;
use memmap2::{MmapOptions, MmapRaw};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, FallocateFlags, FcntlArg, OFlag, SealFlag, fallocate, fcntl, open};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::sys::sysinfo::sysinfo;
use nix::unistd::{ftruncate, linkat};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::AtomicU8;

/// Makes a file of `bytes` zero bytes without a name: sealed memory, or (`to_be_named`) a file that [`publish`] can name.
pub(super) fn create(bytes: usize, to_be_named: bool) -> Result<OwnedFd, CreateError> {
    let file = if to_be_named {
        open(DIRECTORY, OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC, Mode::S_IRUSR | Mode::S_IWUSR)
            .map_err(|errno| CreateError::system("open O_TMPFILE", errno))?
    } else {
        memory().map_err(|errno| CreateError::system("memfd_create", errno))?
    };
    let length = i64::try_from(bytes).map_err(|_| CreateError::NoSpace { bytes })?;
    if bytes > machine_memory() {
        return Err(CreateError::NoSpace { bytes });
    }
    // Reserved now, so that no first touch of a page fails later with SIGBUS.
    let taken = if to_be_named || !is_memory_promised() {
        fallocate(&file, FallocateFlags::empty(), 0, length).map_err(|errno| ("fallocate", errno))
    } else {
        ftruncate(&file, length).map_err(|errno| ("ftruncate", errno))
    };
    match taken {
        Ok(()) => {}
        Err((_, Errno::ENOSPC | Errno::ENOMEM | Errno::EFBIG)) => return Err(CreateError::NoSpace { bytes }),
        Err((call, errno)) => return Err(CreateError::system(call, errno)),
    }
    if !to_be_named {
        let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
        fcntl(&file, FcntlArg::F_ADD_SEALS(seals)).map_err(|errno| CreateError::system("fcntl F_ADD_SEALS", errno))?;
    }
    Ok(file)
}

/// All the memory and swap that this machine has: the kernel would start to give more, and kill somebody on the way.
fn machine_memory() -> usize {
    sysinfo().map_or(usize::MAX, |info| {
        let bytes = info.ram_total().saturating_add(info.swap_total());
        usize::try_from(bytes).unwrap_or(usize::MAX)
    })
}

/// Whether the kernel promises memory before it has it, as it does unless told otherwise: then a page of anonymous memory
/// is always given at its first touch (or somebody is killed for it), and to reserve it is a waste of time, 1 µs a page.
/// Under strict accounting (`vm.overcommit_memory` = 2, proc_sys_vm(5)) the first touch may fail. `/dev/shm` has a size of
/// its own and is always reserved.
fn is_memory_promised() -> bool {
    const UNKNOWN: u8 = 2;
    // No `OnceLock`: a child forked meanwhile would wait for ever for a thread it has not got.
    static PROMISED: AtomicU8 = AtomicU8::new(UNKNOWN);
    match PROMISED.load(Ordering::Relaxed) {
        UNKNOWN => {
            let mode = std::fs::read_to_string("/proc/sys/vm/overcommit_memory");
            let promised = mode.is_ok_and(|mode| matches!(mode.trim(), "0" | "1"));
            PROMISED.store(promised.into(), Ordering::Relaxed);
            promised
        }
        known => known == 1,
    }
}

fn memory() -> nix::Result<OwnedFd> {
    // MFD_NOEXEC_SEAL (Linux 6.3) is not in nix; an older kernel refuses the flag.
    const NOEXEC_SEAL: u32 = 0x8;
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    match memfd_create("procession", flags | MFdFlags::from_bits_retain(NOEXEC_SEAL)) {
        Err(Errno::EINVAL) => memfd_create("procession", flags),
        result => result,
    }
}

/// Gives a complete region its name, if that is free.
pub(super) fn publish(file: &OwnedFd, name: &Name) -> Result<(), CreateError> {
    let itself = format!("/proc/self/fd/{}", file.as_raw_fd());
    match linkat(AT_FDCWD, itself.as_str(), AT_FDCWD, &name.path(), AtFlags::AT_SYMLINK_FOLLOW) {
        Ok(()) => Ok(()),
        Err(Errno::EEXIST) => Err(CreateError::Exists { name: name.to_string() }),
        Err(errno) => Err(CreateError::system("linkat", errno)),
    }
}

/// Opens a named region's file.
pub(super) fn open_named(name: &Name) -> Result<OwnedFd, OpenError> {
    let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
    open(&name.path(), flags, Mode::empty()).map_err(|errno| match errno {
        Errno::ENOENT => OpenError::NotFound { name: name.to_string() },
        Errno::ELOOP | Errno::EISDIR | Errno::ENXIO => OpenError::Foreign,
        errno => OpenError::system("open", errno),
    })
}

/// Bytes of the file, which is none of a device, a pipe or a directory.
pub(super) fn length(file: &OwnedFd) -> Result<usize, OpenError> {
    let stat = fstat(file).map_err(|errno| OpenError::system("fstat", errno))?;
    if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
        return Err(OpenError::Foreign);
    }
    Ok(usize::try_from(stat.st_size).unwrap_or(0))
}

/// The file under a number that is not a standard stream's, should one of those have been closed: the streams of our children
/// are put there, and what they write would be written into the region.
pub(super) fn beyond_standard(file: OwnedFd) -> Result<OwnedFd, OpenError> {
    const FIRST: RawFd = 3;
    if file.as_raw_fd() >= FIRST {
        return Ok(file);
    }
    let copy = fcntl(&file, FcntlArg::F_DUPFD_CLOEXEC(FIRST));
    let copy = copy.map_err(|errno| OpenError::system("fcntl F_DUPFD_CLOEXEC", errno))?;
    // SAFETY: a descriptor made just now, which nobody else knows of.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Maps `bytes` bytes of the file, shared.
pub(super) fn map(file: &OwnedFd, bytes: usize) -> Result<MmapRaw, OpenError> {
    MmapOptions::new().len(bytes).map_raw(file).map_err(|error| OpenError::io("mmap", &error))
}

/// A look at a region's header, before anything of it is believed.
pub(super) struct View {
    map: MmapRaw,
    bytes: usize,
}

impl View {
    /// Whether the file is a region of ours: long enough, with our magic and version, and as long as it says.
    pub(super) fn of(file: &OwnedFd) -> Result<View, OpenError> {
        let bytes = length(file)?;
        if bytes < BODY {
            return Err(OpenError::Truncated { bytes, expected: BODY });
        }
        let view = View { map: map(file, BODY)?, bytes };
        let header = view.header();
        if header.magic.load(Ordering::Relaxed) != MAGIC {
            return Err(OpenError::Foreign);
        }
        let found = header.version.load(Ordering::Relaxed);
        if found != VERSION {
            return Err(OpenError::Version { found, expected: VERSION });
        }
        let body = usize::try_from(header.body.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        let expected = body.saturating_add(BODY);
        if bytes < expected {
            return Err(OpenError::Truncated { bytes, expected });
        }
        Ok(view)
    }

    pub(super) fn header(&self) -> &Header {
        // SAFETY: the mapping is page-aligned and as long as `BODY`, which is longer than a header; it is shared, and a
        // header is words that are only accessed atomically.
        unsafe { &*self.map.as_ptr().cast::<Header>() }
    }

    /// Bytes of the file.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Whether any peer in the table lives. `base` is a description that holds no lease.
pub(super) fn is_used(header: &Header, base: &OwnedFd) -> nix::Result<bool> {
    let peers = header.peers.iter().map(|slot| slot.load(Ordering::Relaxed)).filter(|peer| *peer != 0);
    for peer in peers {
        if is_held(base, peer)? {
            return Ok(true);
        }
    }
    Ok(false)
}
