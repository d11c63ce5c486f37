//! Reaching another process: fork, and descriptors that a spawned child inherits.

use super::name::Name;
use super::region::View;
use crate::error::OpenError;
use crate::platform::Ordering;
use crate::share::{ForkError, Handle, variable};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{ForkResult, Pid};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::panic::AssertUnwindSafe;
use std::process::{Command, ExitStatus};

/// Handing handles to a child that [`Command`] starts.
pub trait ShareExt {
    /// Gives the child `handle`, to be taken there with [`Handle::inherited`] under `name`.
    ///
    /// The region stays alive until the child has been spawned, or this `Command` is dropped. The child becomes a peer when
    /// it takes the handle: a parent that dies before leaves an anonymous region to the child whole.
    ///
    /// ```
    /// use procession::{Handle, RawValue, ShareExt};
    /// let counter = RawValue::new(5u32)?;
    /// let mut child = std::process::Command::new("true");
    /// child.share("counter", &counter); // in the child: RawValue::<u32>::inherited("counter")
    /// assert!(child.status()?.success());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn share(&mut self, name: &str, handle: &impl Handle) -> &mut Self;
}

impl ShareExt for Command {
    fn share(&mut self, name: &str, handle: &impl Handle) -> &mut Command {
        let attachment = handle.attachment().clone();
        let descriptor = attachment.file().as_raw_fd();
        let region = attachment.name().map(ToString::to_string).unwrap_or_default();
        self.env(variable(name), format!("{descriptor}:{:016x}:{region}", attachment.id()));
        let keep = move || {
            let file = attachment.file();
            fcntl(file, FcntlArg::F_SETFD(FdFlag::empty())).map_err(std::io::Error::from).map(drop)
        };
        // SAFETY: the closure makes one system call, which is async-signal-safe, and allocates nothing.
        unsafe { self.pre_exec(keep) }
    }
}

/// A region that this process was given.
pub struct Given {
    pub(super) file: OwnedFd,
    /// The region's own name, if it has one: the last user removes it.
    pub(super) name: Option<Name>,
}

/// The region that this process was given under `name`.
pub(crate) fn inherited_region(name: &str) -> Result<Given, OpenError> {
    let missing = || OpenError::NotInherited { name: name.to_owned() };
    let value = std::env::var(variable(name)).map_err(|_| missing())?;
    let mut parts = value.splitn(3, ':');
    let (descriptor, id) = (parts.next().unwrap_or_default(), parts.next().ok_or_else(missing)?);
    let name = parts.next().and_then(|region| Name::new(region).ok());
    let descriptor: i32 = descriptor.parse().map_err(|_| missing())?;
    let id = u64::from_str_radix(id, 16).map_err(|_| missing())?;
    if descriptor < 0 {
        return Err(missing());
    }
    // SAFETY: only borrowed for the two calls below, and any answer of theirs is acceptable: if the number is not open, or
    // is somebody else's file, they fail or the region's id does not match.
    let given = unsafe { BorrowedFd::borrow_raw(descriptor) };
    let file = match fcntl(given, FcntlArg::F_DUPFD_CLOEXEC(3)) {
        // SAFETY: a descriptor made just now, which nobody else knows of.
        Ok(copy) => unsafe { OwnedFd::from_raw_fd(copy) },
        Err(Errno::EBADF) => return Err(missing()),
        Err(errno) => return Err(OpenError::system("fcntl F_DUPFD_CLOEXEC", errno)),
    };
    match View::of(&file) {
        Ok(view) if view.header().id.load(Ordering::Relaxed) == id => {}
        _ => return Err(missing()),
    }
    // Our own children get it only if we share it with them.
    let _ = fcntl(given, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
    Ok(Given { file, name })
}

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
            let _ = counted.read(&mut [0]); // the end of the file, sooner or later
            Ok(Forked(child))
        }
        Ok(ForkResult::Child) => {
            super::registry::attach_all();
            drop((counted, counting));
            let code = std::panic::catch_unwind(AssertUnwindSafe(child)).unwrap_or(101);
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
