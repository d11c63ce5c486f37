//! The asymmetric fence pair: free on the hot side, `membarrier(2)` on the cold one.
//!
//! `MEMBARRIER_CMD_GLOBAL_EXPEDITED` runs a full barrier on every CPU that runs a thread of a registered process. A
//! registration is inherited by fork, not by exec, and takes some milliseconds if threads already run.

use nix::errno::Errno;
use std::sync::OnceLock;

const GLOBAL_EXPEDITED: libc::c_int = 1 << 1;
const REGISTER_GLOBAL_EXPEDITED: libc::c_int = 1 << 2;

fn membarrier(command: libc::c_int) -> Result<(), Errno> {
    // SAFETY: membarrier takes two integers and touches no memory of ours.
    Errno::result(unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) }).map(drop)
}

/// Registers this process, once; tells whether the kernel agreed.
pub(super) fn register() -> Result<(), Errno> {
    static REGISTERED: OnceLock<Result<(), Errno>> = OnceLock::new();
    *REGISTERED.get_or_init(|| membarrier(REGISTER_GLOBAL_EXPEDITED))
}

/// A full barrier in every registered process.
pub(super) fn everywhere() {
    // A registered process is never refused; if it were, a full barrier of our own is what is left to do.
    if membarrier(GLOBAL_EXPEDITED).is_err() {
        std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
    }
}
