//! The asymmetric fence pair: free on the hot side, `membarrier(2)` on the cold one.
//!
//! `MEMBARRIER_CMD_GLOBAL_EXPEDITED` runs a full barrier on every CPU that runs a thread of a registered process. A
//! registration is inherited by fork, not by exec, and takes some milliseconds if threads already run.

use nix::errno::Errno;
use std::sync::atomic::{AtomicI32, Ordering};

const GLOBAL_EXPEDITED: libc::c_int = 1 << 1;
const REGISTER_GLOBAL_EXPEDITED: libc::c_int = 1 << 2;

fn membarrier(command: libc::c_int) -> Result<(), Errno> {
    // SAFETY: membarrier takes two integers and touches no memory of ours.
    Errno::result(unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) }).map(drop)
}

/// Registers this process, once; tells whether the kernel agreed.
pub(super) fn register() -> Result<(), Errno> {
    const UNKNOWN: i32 = -1;
    // No `OnceLock`: a child that another thread forks in these milliseconds would wait for ever for a thread it has not got.
    // To register twice is harmless.
    static ANSWER: AtomicI32 = AtomicI32::new(UNKNOWN);
    match ANSWER.load(Ordering::Relaxed) {
        UNKNOWN => {
            let answer = membarrier(REGISTER_GLOBAL_EXPEDITED);
            ANSWER.store(answer.err().map_or(0, |errno| errno as i32), Ordering::Relaxed);
            answer
        }
        0 => Ok(()),
        errno => Err(Errno::from_raw(errno)),
    }
}

/// A full barrier in every registered process.
pub(super) fn everywhere() {
    // A registered process is never refused; if it were, a full barrier of our own is what is left to do.
    if membarrier(GLOBAL_EXPEDITED).is_err() {
        std::sync::atomic::fence(Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::register;
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::{ForkResult, fork};
    use std::time::Duration;

    /// With threads the first registration takes milliseconds: long enough for another thread to fork.
    #[test]
    fn a_child_forked_during_the_registration_does_not_wait_for_it() {
        let registering = std::thread::spawn(|| register().is_ok());
        std::thread::sleep(Duration::from_micros(300));
        // SAFETY: the child makes system calls and touches its own memory only, until it ends.
        match unsafe { fork() }.unwrap() {
            ForkResult::Child => {
                nix::unistd::alarm::set(10);
                let _ = register();
                // SAFETY: ends the process.
                unsafe { libc::_exit(0) }
            }
            ForkResult::Parent { child } => {
                assert_eq!(waitpid(child, None), Ok(WaitStatus::Exited(child, 0)));
            }
        }
        registering.join().unwrap();
    }
}
