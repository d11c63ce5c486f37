//! The process that the tests start, kill and forbid things to: `procession-helper TASK [ARGUMENT...]`.
//!
//! A task says what happened in lines on stdout and goes on when it reads a line from stdin, or its end. It has one thread,
//! so that it may fork. Deadlines are the tests' business: they kill a helper that says nothing.

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::close;
use procession::{Handle, Lock, LockError, OpenOrCreateError, RLock, RawValue, Share, Stat, Value, serve};
use procession_tests::handle_tasks::{self, given, stay};
use procession_tests::restrict::{become_nobody, leave_descriptors, refuse};
use procession_tests::talk::{complain, hear, locked, outcome, say};
use procession_tests::{array_tasks, fork_tasks, joinable_tasks, pipe_tasks, queue_tasks, redelivery_workers};
use std::fs::File;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio, exit};

fn main() {
    if std::env::args().nth(1).is_none_or(|task| task != "spawn-unserved") {
        serve(handle_tasks::ENTRIES);
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
        ["refusing" | "as-nobody" | "with-descriptors", ..] => restricted(task),
        ["new" | "create" | "open" | "inherit" | "add" | "leave" | "storm", ..] => visit(task),
        ["hold" | "hold-deep" | "hold-value" | "hold-update" | "contend", ..] => hold(task),
        ["close-all" | "close-and-share" | "close-stdin" | "exec" | "fail-exec" | "linger", ..] => live_on(task),
        ["crowd" | "fork-holding" | "fork-leave" | "fork-outlive" | "fork-peer" | "fork-threads", ..] => {
            fork_tasks::run(task)
        }
        ["work"] => work(),
        ["array", task @ ..] => array_tasks::run(task),
        ["pipe", task @ ..] => pipe_tasks::run(task),
        ["queue", task @ ..] => queue_tasks::run(task),
        ["joinable", task @ ..] => joinable_tasks::run(task),
        ["redelivery", kills, seed] => {
            redelivery_workers::supervise(kills.parse().expect("a number"), seed.parse().expect("a number"))
        }
        _ => handle_tasks::run(task),
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
