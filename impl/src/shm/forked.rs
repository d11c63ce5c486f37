//! Forked children.

use crate::share::ForkError;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{ForkResult, Pid};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::panic::AssertUnwindSafe;
use std::process::ExitStatus;

/// A forked child.
#[derive(Debug)]
pub struct Forked(Pid);

/// Runs `child` in a forked child, whose exit code is what it returns (101 if it panics).
///
/// Every handle works in the child as it did in the parent; the child is a peer of its own, holds none of its parent's
/// locks, and dropping an inherited guard there releases nothing. Only for a process with one thread: a fork copies only
/// the calling thread, and whatever the others had locked stays locked in the child (fork(2)).
///
/// ```no_run
/// use procession::{Value, fork};
/// let counter = Value::new(0u64)?;
/// let child = fork(|| counter.fetch_add(1).map_or(1, |_| 0))?;
/// assert!(child.wait()?.success());
/// assert_eq!(counter.get()?, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fork(child: impl FnOnce() -> i32) -> Result<Forked, ForkError> {
    let threads = std::fs::read_dir("/proc/self/task").and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let threads = threads.map_err(|_| ForkError::NoProc)?.len();
    if threads != 1 {
        return Err(ForkError::Threads { threads });
    }
    // What is buffered now must not be written twice.
    let _ = std::io::stdout().flush();
    // The parent goes on when the child has become a peer of all that it inherits, or has died: there is no moment in which
    // a region has no user but a child that does not count yet.
    let (mut counted, counting) = std::io::pipe().map_err(|error| ForkError::Refused { errno: errno_of(&error) })?;
    // SAFETY: this process has a single thread, so that the child's copy of it is whole: no lock of the allocator or of
    // the standard library is held by a thread that the child has not got.
    match unsafe { nix::unistd::fork() } {
        Ok(ForkResult::Parent { child }) => {
            drop(counting);
            // The end of the file, sooner or later; a signal is no end.
            while counted.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::Interrupted) {}
            Ok(Forked(child))
        }
        Ok(ForkResult::Child) => {
            super::registry::attach_all();
            drop((counted, counting));
            let code = std::panic::catch_unwind(AssertUnwindSafe(child)).unwrap_or_else(|payload| {
                std::mem::forget(payload); // to drop it may panic, and out of here the child would go on as its parent
                101
            });
            let _ = std::io::stdout().flush();
            // SAFETY: ends the process; the parent's exit handlers are not the child's to run.
            unsafe { libc::_exit(code) }
        }
        Err(errno) => Err(ForkError::Refused { errno }),
    }
}

fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}

impl Forked {
    /// The child's process id.
    pub fn id(&self) -> i32 {
        self.0.as_raw()
    }

    /// Kills the child with SIGKILL; it still has to be [waited](Forked::wait) for.
    pub fn kill(&self) -> std::io::Result<()> {
        Ok(kill(self.0, Signal::SIGKILL)?)
    }

    /// Waits until the child has ended.
    pub fn wait(self) -> std::io::Result<ExitStatus> {
        let mut status = 0;
        loop {
            // SAFETY: waitpid writes one integer, to this stack.
            match Errno::result(unsafe { libc::waitpid(self.id(), &raw mut status, 0) }) {
                Ok(_) => return Ok(ExitStatus::from_raw(status)),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}
