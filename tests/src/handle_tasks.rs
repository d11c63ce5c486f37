//! What a helper does with handles on their way to another process: `procession-helper TASK [ARGUMENT...]`.

use crate::joinable_tasks;
use crate::talk::{complain, hear, locked, outcome, say};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getppid, pause};
use procession::{CreateError, Entry, Handle, Handles, Inherited, Lock, OpenError, Share, Value, fork, spawn};
use std::error::Error;
use std::fmt::Debug;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::Arc;

static ADD: Entry = Entry::new("add", add);
static FAIL: Entry = Entry::new("fail", |_| Err("no luck".into()));
static PANIC: Entry = Entry::new("panic", |_| panic!("no luck at all"));
static NEST: Entry = Entry::new("nest", nest);
static NAMESAKE: Entry = Entry::new("add", |_| Ok(()));

/// The functions that the helper runs in processes of their own.
pub static ENTRIES: &[&Entry] = &[&ADD, &FAIL, &PANIC, &NEST, &joinable_tasks::WORK];

/// The lock of that name, or (`@name`) the one that the test handed down under it.
pub fn given(name: &str) -> Lock {
    name.strip_prefix('@').map_or_else(|| Lock::open(name), Lock::inherited).expect("a lock")
}

/// Says how the attempt went; stays attached until told to go on.
pub fn stay<E: Debug>(lock: Result<Lock, E>) {
    let lock = outcome(lock);
    hear();
    drop(lock);
}

/// This program, as a child that does another task.
fn ourselves(task: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("our own file"));
    command.args(task);
    command
}

/// Does one task.
pub fn run(task: &[&str]) {
    match task {
        ["bequeath"] => bequeath(Value::new(42u64)),
        ["bequeath", name] => bequeath(Value::create(name, 42u64)),
        ["heir", parent] => {
            while getppid().as_raw().to_string() == *parent {
                std::thread::yield_now();
            }
            let value = Value::<u64>::inherited("gift").expect("a value");
            say(value.get().expect("a value"));
            hear();
        }
        ["take-both", one, other] => {
            say("ready");
            hear();
            let taken = [one, other].map(|name| Lock::inherited(name).expect("a lock"));
            let again = Lock::inherited(one).expect("a lock");
            let [first, second] = taken.each_ref().map(|lock| Arc::as_ptr(lock.attachment()));
            say(if first == second && first == Arc::as_ptr(again.attachment()) { "same" } else { "different" });
            hear();
            drop((taken, again));
            stay(Lock::inherited(one));
        }
        ["open-and-take", name, handle] => {
            let opened = Lock::open(name).expect("a lock");
            say("opened");
            hear();
            let taken = Lock::inherited(handle).expect("a lock");
            let same = Arc::ptr_eq(opened.attachment(), taken.attachment());
            say(if same { "same" } else { "different" });
            hear();
        }
        ["take-wrong", name] => {
            let kind = matches!(Lock::inherited(name), Err(OpenError::Kind { .. }));
            say(if kind { "Kind" } else { "no error" });
            let wrong = matches!(Value::<f32>::inherited(name), Err(OpenError::Type { .. }));
            say(if wrong { "Type" } else { "no error" });
            say(Value::<u64>::inherited(name).expect("a value").get().expect("a value"));
            hear();
        }
        ["fork-spawn"] => {
            let value = Value::<u64>::inherited("gift").expect("a value");
            let parent = std::process::id().to_string();
            let child = fork(|| match ourselves(&["heir", &parent]).share("gift", &value).status() {
                Ok(status) if status.success() => 0,
                other => complain(format!("{other:?}")),
            });
            assert!(child.expect("a child").wait().expect("a child").success());
        }
        ["die-holding", name] => {
            let lock = given(name);
            let _guard = locked(lock.lock());
            hear();
            kill(Pid::this(), Signal::SIGKILL).expect("a signal");
        }
        ["spawn-and-hold", name] => {
            // Ends when the test closes the pipe.
            Command::new("cat").stdout(Stdio::null()).spawn().map(drop).expect("cat");
            let lock = given(name);
            let _guard = locked(lock.lock());
            pause();
        }
        ["guarded", name] => {
            let value: Result<Value<u64>, OpenError> =
                name.strip_prefix('@').map_or_else(|| Value::open(name), Value::inherited);
            if let Some(value) = outcome(value) {
                hear();
                value.update(|value| *value += 1).expect("an addition");
                say("added");
            }
            hear();
        }
        ["bundle"] => {
            let inherited = Inherited::of_parent();
            let mut names: Vec<&str> = inherited.names().collect();
            names.sort_unstable();
            say(names.join(" "));
            let value: Value<u64> = inherited.take("value").expect("a value");
            say(value.get().expect("a value"));
            outcome(inherited.take::<Lock>("nothing"));
        }
        ["receive", path] => receive(path),
        ["fork-receive"] => fork_receive(),
        ["spawn" | "spawn-unserved", entry] => spawning(entry),
        _ => panic!("no such way with handles: {task:?}"),
    }
}

/// Leaves a value to a child, and goes.
fn bequeath(value: Result<Value<u64>, CreateError>) {
    let value = value.expect("a value");
    let parent = std::process::id().to_string();
    ourselves(&["heir", &parent]).share("gift", &value).spawn().map(drop).expect("an heir");
    // Killed: nothing is dropped, nothing is done in the heir's favour.
    kill(Pid::this(), Signal::SIGKILL).expect("a signal");
}

// ---- receiving what was sent ----

/// How many descriptors are open.
fn descriptors() -> usize {
    let open = |number: &i32| std::fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_ok();
    (0..1024).filter(open).count()
}

fn receive(path: &str) {
    let mut socket = UnixStream::connect(path).expect("a socket");
    let before = descriptors();
    match Inherited::receive(&socket) {
        Err(error) => {
            say(format!("{error:?}"));
            say(if descriptors() == before { "nothing left" } else { "descriptors leaked" });
        }
        Ok(received) => {
            say(received.names().collect::<Vec<_>>().join(" "));
            let lock: Lock = received.take("lock").expect("a lock");
            let value: Value<u64> = received.take("value").expect("a value");
            drop(received);
            let guard = locked(lock.lock());
            value.update(|value| *value += 1).expect("an addition");
            // What was written behind the message is still there.
            let mut byte = [0];
            socket.read_exact(&mut byte).expect("a byte");
            say(byte[0]);
            drop(guard);
        }
    }
    hear();
}

/// Sends a value to a forked child through a socket that both have.
fn fork_receive() {
    let (here, there) = UnixStream::pair().expect("sockets");
    let child = fork(|| {
        let received = Inherited::receive(&there).expect("handles");
        received.take::<Value<u64>>("value").expect("a value").set(7).expect("a value");
        0
    });
    // Made since: the child has not got it by being forked.
    let value = Value::new(1u64).expect("a value");
    Handles::new().with("value", &value).send(&here).expect("a message");
    assert!(child.expect("a child").wait().expect("a child").success());
    say(value.get().expect("a value"));
}

// ---- functions in processes of their own ----

fn add(handles: Inherited) -> Result<(), Box<dyn Error>> {
    say(handles.names().collect::<Vec<_>>().join(" "));
    handles.take::<Value<u64>>("value")?.fetch_add(1)?;
    Ok(())
}

/// A child that has children of its own, of either kind.
fn nest(handles: Inherited) -> Result<(), Box<dyn Error>> {
    let value: Value<u64> = handles.take("value")?;
    assert!(spawn(&ADD, &Handles::new().with("value", &value))?.wait()?.success());
    // It has our environment, and is no child of `spawn`.
    let input = Stdio::null();
    assert!(ourselves(&["linger"]).stdin(input).status()?.success());
    value.fetch_add(1)?;
    Ok(())
}

fn spawning(entry: &str) {
    let entry = match entry {
        "add" => &ADD,
        "fail" => &FAIL,
        "panic" => &PANIC,
        "nest" => &NEST,
        _ => &NAMESAKE,
    };
    let value: Value<u64> = Value::inherited("value").expect("a value");
    if let Some(mut child) = outcome(spawn(entry, &Handles::new().with("value", &value))) {
        say(format!("{:?}", child.wait().expect("a child").code()));
    }
}
