//! The process that the tests start, kill and forbid things to: `procession-helper TASK [ARGUMENT...]`.
//!
//! A task says what happened in lines on stdout and goes on when it reads a line from stdin, or its end. It has one thread,
//! so that it may fork. Deadlines are the tests' business: they kill a helper that says nothing.

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, close, getppid, pause};
use procession::{
    CreateError, Entry, Handle, Handles, Inherited, Lock, LockError, OpenError, OpenOrCreateError, RLock, RawValue,
    Share, Stat, Value, fork, serve, spawn,
};
use procession_tests::array_tasks;
use procession_tests::restrict::{become_nobody, leave_descriptors, refuse};
use procession_tests::talk::{complain, hear, locked, outcome, say};
use std::error::Error;
use std::fmt::Debug;
use std::fs::File;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio, exit};
use std::sync::Arc;

static ADD: Entry = Entry::new("add", add);
static FAIL: Entry = Entry::new("fail", |_| Err("no luck".into()));
static PANIC: Entry = Entry::new("panic", |_| panic!("no luck at all"));
static NEST: Entry = Entry::new("nest", nest);
static NAMESAKE: Entry = Entry::new("add", |_| Ok(()));

fn main() {
    if std::env::args().nth(1).is_none_or(|task| task != "spawn-unserved") {
        serve(&[&ADD, &FAIL, &PANIC, &NEST]);
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Whatever becomes of the test, its helpers go with it; an heir, when the test closes the pipe that all of them have.
    if arguments.first().is_none_or(|task| task != "heir") {
        set_pdeathsig(Signal::SIGKILL).expect("prctl");
    }
    run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
}

fn run(task: &[&str]) {
    match task {
        // ["role", ..] => exit(procession_model::worlds::processes::serve()),
        ["refusing" | "as-nobody" | "with-descriptors", ..] => restricted(task),
        ["new" | "create" | "open" | "inherit" | "add" | "leave" | "storm", ..] => visit(task),
        ["hold" | "hold-deep" | "hold-value" | "hold-update" | "contend", ..] => hold(task),
        ["close-all" | "close-and-share" | "close-stdin" | "exec" | "fail-exec" | "linger", ..] => live_on(task),
        ["crowd" | "fork-holding" | "fork-leave" | "fork-outlive" | "fork-peer" | "fork-threads", ..] => forking(task),
        ["bequeath" | "heir" | "take-both" | "open-and-take" | "take-wrong" | "fork-spawn", ..] => taking(task),
        ["die-holding" | "spawn-and-hold" | "guarded" | "bundle", ..] => taking(task),
        ["receive", path] => receive(path),
        ["fork-receive"] => fork_receive(),
        ["spawn" | "spawn-unserved", entry] => spawning(entry),
        ["work"] => work(),
        ["array", task @ ..] => array_tasks::run(task),
        _ => panic!("no such task: {task:?}"),
    }
}

// ---- restricted: the rest of the line is the task that is to meet it ----

fn restricted(task: &[&str]) {
    match task {
        ["refusing", what, task @ ..] => {
            refuse(what);
            run(task);
        }
        ["as-nobody", task @ ..] => {
            become_nobody();
            run(task);
        }
        ["with-descriptors", free, task @ ..] => {
            let _taken = leave_descriptors(free.parse().expect("how many descriptors are to be free"));
            run(task);
        }
        _ => panic!("no such restriction: {task:?}"),
    }
}

// ---- coming and going ----

fn visit(task: &[&str]) {
    match task {
        ["new"] => stay(Lock::new()),
        ["create", name] => stay(Lock::create(name)),
        ["open", name] => stay(Lock::open(name)),
        ["inherit", name] => stay(Lock::inherited(name)),
        ["add", name, times] => {
            say("ready");
            hear();
            let counter = Value::open_or_create(name, 0u64).expect("a counter");
            for _ in 0..times.parse().expect("a number") {
                counter.fetch_add(1u64).expect("an addition");
            }
            say(counter.attachment().id());
            hear();
        }
        ["leave", name] => {
            let lock = Lock::open(name).expect("a lock");
            let go: RawValue<bool> = RawValue::inherited("go").expect("a flag");
            say("ready");
            while !go.get().expect("a bool") {
                std::hint::spin_loop();
            }
            drop(lock);
            say("left");
        }
        ["storm", name] => storm(name),
        _ => panic!("no such visit: {task:?}"),
    }
}

/// Says how the attempt went; stays attached until told to go on.
fn stay<E: Debug>(lock: Result<Lock, E>) {
    let lock = outcome(lock);
    hear();
    drop(lock);
}

/// Comes and goes for ever. For as long as it is there, the name must lead to the very region it is in.
fn storm(name: &str) {
    let turns: RawValue<u64> = RawValue::inherited("turns").expect("a counter");
    loop {
        let value: Result<Value<u64>, OpenOrCreateError> = Value::open_or_create(name, 0);
        let value = value.unwrap_or_else(|error| complain(format!("neither opened nor created: {error:?}")));
        let mine = value.attachment().id();
        match Stat::of(name) {
            Ok(stat) if stat.id == mine => {}
            found => complain(format!("in {mine:#x}, but the name leads to {found:?}")),
        }
        value.fetch_add(1).unwrap_or_else(|error| complain(error));
        turns.fetch_add(1).expect("a counter");
    }
}

// ---- holding ----

/// The lock of that name, or (`@name`) the one that the test handed down under it.
fn given(name: &str) -> Lock {
    name.strip_prefix('@').map_or_else(|| Lock::open(name), Lock::inherited).expect("a lock")
}

fn hold(task: &[&str]) {
    match task {
        ["hold", name] => {
            let lock = given(name);
            let guard = locked(lock.lock());
            hear();
            drop(guard);
            say("released");
            hear();
        }
        ["hold-deep", name, depth] => {
            let lock = RLock::open(name).expect("a lock");
            let deeper = |_: u32| lock.lock().expect("a guard");
            let _guards: Vec<_> = (0..depth.parse().expect("a depth")).map(deeper).collect();
            say("ok");
            hear();
        }
        ["hold-value", name] => {
            let value = Value::<[u64; 4]>::open(name).expect("a value");
            let mut guard = value.lock().expect("a guard");
            *guard = [9; 4];
            say("ok");
            hear();
        }
        ["hold-update", name] => {
            let value = Value::<[u64; 4]>::open(name).expect("a value");
            let old = value.update(|value| {
                *value = [9, 9, 9, 8];
                say("ok");
                hear();
                *value = [9; 4];
            });
            outcome(old);
        }
        ["contend", name] => {
            let lock = Lock::open(name).expect("a lock");
            say("ready");
            while hear() == "lock" {
                drop(locked(lock.lock()));
            }
        }
        _ => panic!("nothing to hold: {task:?}"),
    }
}

// ---- what a process can do to itself and live on ----

fn live_on(task: &[&str]) {
    match task {
        ["close-all", and, mine, theirs] => {
            let (mine, theirs) = (Lock::open(mine).expect("a lock"), Lock::open(theirs).expect("a lock"));
            let _guard = locked(mine.lock());
            hear();
            for descriptor in 3..1024 {
                let _ = close(descriptor); // most are not open
            }
            let others = if *and == "open-others" { 16 } else { 0 };
            let _others: Vec<_> = (0..others).map(|_| File::open("/dev/null").expect("a file")).collect();
            locked(theirs.lock());
            hear();
            exit(0) // nothing is dropped: the descriptors in the handles are not theirs any more
        }
        ["close-and-share"] => {
            let lock = Lock::new().expect("a lock");
            let mut command = Command::new("true");
            command.share("lock", &lock);
            (3..1024).for_each(|descriptor| _ = close(descriptor));
            say(format!("{:?}", command.spawn().map(drop).map_err(|error| error.raw_os_error())));
            let _others: Vec<_> = (0..16).map(|_| UnixStream::pair().expect("sockets")).collect();
            say(format!("{:?}", command.spawn().map(drop).map_err(|error| error.raw_os_error())));
            exit(0) // as above
        }
        ["close-stdin"] => {
            close(0).expect("stdin");
            let lock = Lock::new().expect("a lock");
            let status = Command::new("true").stdin(Stdio::null()).share("lock", &lock).status();
            say(format!("{:?}", status.map(|status| status.code())));
        }
        ["exec", name] => {
            let lock = Lock::open(name).expect("a lock");
            let _guard = locked(lock.lock());
            hear();
            complain(Command::new(std::env::current_exe().expect("our own file")).arg("linger").exec())
        }
        ["fail-exec", name] => {
            let lock = Lock::create(name).expect("a lock");
            say(Command::new("/nonexistent/program").share("lock", &lock).exec().kind());
            drop(lock);
        }
        ["linger"] => {
            say("lingering");
            hear();
        }
        _ => panic!("no such way to live: {task:?}"),
    }
}

// ---- forking ----

fn forking(task: &[&str]) {
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
    set_pdeathsig(Signal::SIGKILL).expect("prctl");
    say(what);
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

// ---- taking what was given ----

/// This program, as a child that does another task.
fn ourselves(task: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("our own file"));
    command.args(task);
    command
}

fn taking(task: &[&str]) {
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
        _ => panic!("nothing to take: {task:?}"),
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

// ---- working until killed ----

/// Adds one to each word of a wide value, under a lock, and complains of anything that is not as it should be.
fn work() {
    let lock = Lock::inherited("lock").expect("a lock");
    let wide: Value<[u64; 4]> = Value::inherited_with_lock("wide", &lock).expect("a value");
    let (progress, told): (RawValue<u64>, RawValue<u64>) =
        (RawValue::inherited("progress").expect("a counter"), RawValue::inherited("told").expect("a counter"));
    let inside: RawValue<bool> = RawValue::inherited("inside").expect("a flag");
    let whole = |value: [u64; 4]| if value == [value[0]; 4] { value[0] } else { complain(format!("torn: {value:?}")) };
    loop {
        let guard = lock.lock().unwrap_or_else(|error| match error {
            LockError::OwnerDied(guard) => {
                told.fetch_add(1).expect("a counter");
                guard
            }
            error => complain(format!("{error:?}")),
        });
        inside.set(true);
        // Long enough for many a kill to strike here.
        for _ in 0..100 {
            let now = whole(wide.get().expect("a value"));
            wide.set([now + 1; 4]).expect("we are inside");
            progress.fetch_add(1).expect("a counter");
        }
        inside.set(false);
        drop(guard);
        whole(wide.get().expect("a value"));
        // Locks are not fair; without a pause in which others get it, one worker could have it nearly always.
        std::thread::yield_now();
    }
}
