//! What a helper does with forked children: `procession-helper TASK [ARGUMENT...]`.

use crate::talk::{hear, locked, outcome, say};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{getppid, pause};
use procession::{Handle, Lock, RLock, RawValue, Value, fork};

/// Does one task.
pub fn run(task: &[&str]) {
    match task {
        ["crowd", name, count] => {
            let lock = Lock::open(name).expect("a lock");
            let children = (0..count.parse().expect("a number")).map(|_: u32| {
                let attached = || lock.lock().map(drop).is_ok();
                fork(|| linger(if attached() { "attached" } else { "failed" })).expect("a child")
            });
            let children: Vec<_> = children.collect();
            hear();
            for child in children {
                child.kill().expect("a child");
                child.wait().expect("a child");
            }
            say("gone");
            hear();
        }
        ["fork-holding", "lock", name] => {
            let lock = Lock::open(name).expect("a lock");
            fork_holding(lock.lock().expect("a guard"));
        }
        ["fork-holding", "rlock", name] => {
            let lock = RLock::open(name).expect("a lock");
            let outer = lock.lock().expect("a guard");
            fork_holding((lock.lock().expect("a guard"), outer));
        }
        ["fork-holding", "value", name] => {
            let value = Value::<u64>::open(name).expect("a value");
            let mut guard = value.lock().expect("a guard");
            *guard = 5;
            fork_holding(guard);
        }
        ["fork-peer", name] => {
            let lock = Lock::open(name).expect("a lock");
            let child = fork(|| {
                let _guard = locked(lock.lock());
                linger("child holds")
            });
            let child = child.expect("a child");
            hear();
            say(format!("{:?}", lock.try_lock()));
            child.kill().expect("a child");
            child.wait().expect("a child");
            locked(lock.lock());
            hear();
        }
        ["fork-leave", name] => {
            let value: RawValue<u64> = RawValue::open(name).expect("a value");
            let child = fork(|| {
                value.set(1);
                linger("child uses it")
            });
            hear();
            drop(value);
            say("parent left");
            hear();
            child.expect("a child").kill().expect("a child");
        }
        ["fork-outlive", name] => {
            let lock = Lock::open(name).expect("a lock");
            let _guard = locked(lock.lock());
            let child = fork(|| {
                say("child lives");
                while !hear().is_empty() {
                    say("child still lives");
                }
                0
            });
            let _ = child.expect("a child").wait(); // until we are killed
        }
        ["fork-threads"] => {
            let (end, ended) = std::sync::mpsc::channel::<()>();
            let other = std::thread::spawn(move || ended.recv());
            outcome(fork(|| 0));
            drop(end);
            let _ = other.join().expect("a thread that waits");
        }
        _ => panic!("no such fork: {task:?}"),
    }
}

/// A child of ours: says what it has to say and waits to be killed.
fn linger(what: &str) -> i32 {
    say(what);
    wait_to_be_killed()
}

/// What a child does when it has done everything else. It goes with its parent.
pub fn wait_to_be_killed() -> i32 {
    set_pdeathsig(Signal::SIGKILL).expect("prctl");
    while getppid().as_raw() != 1 {
        pause();
    }
    0
}

/// Has a forked child drop what we hold, and drops it itself when told to.
fn fork_holding<G>(guard: G) {
    let mut guard = Some(guard);
    let child = fork(|| {
        drop(guard.take());
        0
    });
    let status = child.expect("a child").wait().expect("a child");
    say(if status.success() { "child dropped" } else { "child failed" });
    hear();
    drop(guard);
    say("dropped");
    hear();
}
