//! A kernel that says no: what a helper does to itself before the task that is to meet the refusal.
//!
//! A seccomp filter answers in the kernel's place, so the library is refused exactly one call and told exactly one reason,
//! on a machine that lacks nothing.

use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{Uid, setuid};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use std::fs::File;

/// From now on the kernel refuses this process one thing.
///
/// | `what` | the call | the answer | stands for |
/// |---|---|---|---|
/// | `space` | fallocate | ENOSPC | a full /dev/shm |
/// | `membarrier` | membarrier | EPERM | a sandbox |
/// | `reopening` | openat of /proc/self/fd/N | ENOENT | no /proc |
/// | `linking` | linkat | ENOENT | no /proc |
/// | `listing` | openat of a directory | ENOENT | no /proc |
pub fn refuse(what: &str) {
    // The lease opens /proc/self/fd/N with these flags, and the library nothing else: a named file has O_NOFOLLOW too.
    let reopening = with_flags(i32::MAX, libc::O_RDWR | libc::O_CLOEXEC);
    let listing = with_flags(libc::O_DIRECTORY, libc::O_DIRECTORY);
    let (call, rules, errno) = match what {
        "space" => (libc::SYS_fallocate, vec![], libc::ENOSPC),
        "membarrier" => (libc::SYS_membarrier, vec![], libc::EPERM),
        "reopening" => (libc::SYS_openat, vec![reopening], libc::ENOENT),
        "linking" => (libc::SYS_linkat, vec![], libc::ENOENT),
        "listing" => (libc::SYS_openat, vec![listing], libc::ENOENT),
        _ => panic!("no such refusal: {what}"),
    };
    let answer = SeccompAction::Errno(errno.cast_unsigned());
    let machine = std::env::consts::ARCH.try_into().expect("a machine that seccompiler knows");
    let filter = SeccompFilter::new([(call, rules)].into(), SeccompAction::Allow, answer, machine);
    let program: BpfProgram = filter.and_then(TryInto::try_into).expect("a filter");
    seccompiler::apply_filter(&program).expect("a kernel with seccomp");
}

/// An openat whose flags, its argument 2, are these as far as `mask` goes.
fn with_flags(mask: i32, flags: i32) -> SeccompRule {
    let [mask, flags] = [mask, flags].map(|flags| u64::from(flags.cast_unsigned()));
    let same = SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), flags);
    SeccompRule::new(vec![same.expect("a condition")]).expect("a rule")
}

/// Stops being root.
pub fn become_nobody() {
    setuid(Uid::from_raw(65534)).expect("only root becomes nobody");
    // Who changes its user may not look into its own /proc any more. That is a refusal, but not the one that is tested.
    set_dumpable(true).expect("prctl");
}

/// Uses up this process's descriptors, for as long as the result is kept, all but `free` of them.
#[must_use]
pub fn leave_descriptors(free: usize) -> Vec<File> {
    const SOFT: u64 = 64; // enough to have started with, and soon used up
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("getrlimit");
    setrlimit(Resource::RLIMIT_NOFILE, SOFT, hard).expect("setrlimit");
    let mut taken: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    taken.truncate(taken.len() - free);
    taken
}
