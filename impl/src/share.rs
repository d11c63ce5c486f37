//! Handles: what a primitive's user holds, and how another process gets one.

use crate::error::OpenError;
use crate::shm::{Attachment, Given, inherited_region};
use nix::errno::Errno;
use std::sync::Arc;
use thiserror::Error;

/// A handle of a primitive in a region. How another one gets one, and from when that counts as a user of the region:
///
/// | the other is | it gets a handle by | it counts as a user from |
/// |---|---|---|
/// | a thread | a reference, or a clone | it is of this process, which counts already |
/// | forked by [`fork`](crate::fork) | having been forked: every handle goes along | the return of `fork` |
/// | forked otherwise | having been forked | its first use of the handle |
/// | spawned as a program | [`Share`](crate::Share) on its `Command`, and [`Handle::inherited`] or [`Inherited`](crate::Inherited) in it | the return of `Command::spawn` |
/// | spawned as a function | [`spawn`](crate::spawn()), and [`Inherited`](crate::Inherited) as its argument | the return of `spawn` |
/// | whoever has the other end of a Unix socket | [`Handles::send`](crate::Handles::send) here, [`Inherited::receive`](crate::Inherited::receive) there | the return of `send` |
/// | unrelated | a name: `create` here, [`Handle::open`] there | the return of `open` |
///
/// As long as somebody counts, the region is there with all that is in it, and so is its name. When one side is killed:
///
/// | | the giver is killed | the other is killed |
/// |---|---|---|
/// | a thread | both are one process | both are one process |
/// | forked, spawned | the child goes on; from the moment given above the region is the child's as much as its parent's | it counts no more once the kernel has released it, be it that it had never taken the handle |
/// | socket | what was sent arrives | what was sent is given up when the last descriptor of the receiving end is closed |
/// | name | the other goes on, and takes the name along when it leaves | the same for the giver |
///
/// What one of them held is handed over to the next locker: [`LockError::OwnerDied`](crate::LockError::OwnerDied).
pub trait Handle: Sized {
    /// Opens the primitive that some process created under `name`. It can be opened for as long as anybody uses it.
    ///
    /// Errors: no such name, another kind or type or version, not a region, no permission, too many peers.
    fn open(name: &str) -> Result<Self, OpenError>;

    /// Takes the handle that the parent gave this process under `name` with [`Share::share`](crate::Share::share).
    ///
    /// Take it once, and clone it: while any handle of the region lives in this process, taking it again gives another one;
    /// after that it is gone, as this process has left the region.
    fn inherited(name: &str) -> Result<Self, OpenError> {
        Self::adopt(inherited_region(name)?)
    }

    #[doc(hidden)]
    fn adopt(given: Given) -> Result<Self, OpenError>;

    #[doc(hidden)]
    fn attachment(&self) -> &Arc<Attachment>;

    /// Which parts of the primitive the handle stands for, a bit each; 0 where all handles are the same.
    #[doc(hidden)]
    fn parts(&self) -> u32 {
        0
    }
}

/// `open`, or else `create`, until one of them succeeds: others may create and abandon the name meanwhile.
pub(crate) fn open_or_create<H>(
    mut open: impl FnMut() -> Result<H, OpenError>,
    mut create: impl FnMut() -> Result<H, crate::CreateError>,
) -> Result<H, OpenOrCreateError> {
    const TRIES: u32 = 100;
    for _ in 1..TRIES {
        match open() {
            Err(OpenError::NotFound { .. }) => {}
            result => return result.map_err(OpenOrCreateError::Open),
        }
        match create() {
            Err(crate::CreateError::Exists { .. }) => {}
            result => return result.map_err(OpenOrCreateError::Create),
        }
    }
    open().map_err(OpenOrCreateError::Open)
}

/// Why a region could be neither opened nor created.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenOrCreateError {
    /// It exists and could not be opened.
    #[error(transparent)]
    Open(OpenError),
    /// It did not exist and could not be created.
    #[error(transparent)]
    Create(crate::CreateError),
}

/// Why there is no child.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ForkError {
    /// The process has more than one thread.
    #[error("fork copies one thread only, and this process has {threads}")]
    Threads {
        /// How many there are.
        threads: usize,
    },
    /// How many threads there are cannot be found out.
    #[error("/proc is not mounted: whether this process has one thread cannot be found out")]
    NoProc,
    /// The kernel refused.
    #[error("fork: {errno}")]
    Refused {
        /// What it answered.
        errno: Errno,
    },
}
