//! What a helper does with joinable queues: `procession-helper joinable TASK [ARGUMENT...]`.

use crate::joinable_workers;
use crate::queue_tasks::{Message, Sides, listen, message, milliseconds, number, take, use_side};
use crate::talk::{hear, outcome, say};
use nix::unistd::close;
use procession::{
    Array, Entry, Handles, Inherited, JoinableQueue, QueueOptions, TaskGetter, TaskPutter, Tasks, fork, spawn,
};
use std::error::Error;
use std::os::unix::net::UnixStream;
use std::panic::resume_unwind;
use std::process::exit;
use std::thread;

/// A function that works in a process of its own.
pub static WORK: Entry = Entry::new("work", |handles: Inherited| {
    let (getter, results) = (handles.take("queue")?, handles.take("results")?);
    work(&getter, &results);
    Ok::<(), Box<dyn Error>>(())
});

/// Does one task.
pub fn run(task: &[&str]) {
    match task {
        ["putter", given] => serve((outcome(take(given)), None)),
        ["getter", given] => serve((None, outcome(take(given)))),
        ["queue", given] => {
            if let Some(queue) = outcome(take(given)) {
                serve(both(queue));
            }
        }
        ["receive", path] => {
            let socket = UnixStream::connect(path).expect("the test's socket");
            let received = Inherited::receive(&socket).expect("handles");
            serve(both(outcome(received.take("end")).expect("a queue")));
        }
        ["bring", given, first, count] => {
            let putter: TaskPutter<Message> = outcome(take(given)).expect("a putter");
            hear();
            let numbers = number::<u64>(first)..number::<u64>(first) + number::<u64>(count);
            putter.put_many(numbers.map(|number| message(number, 10))).expect("all are put");
        }
        ["work", given, results] => {
            let getter = outcome(take(given)).expect("a getter");
            work(&getter, &take(results).expect("results"));
        }
        ["family", how, count] => family(how, number(count)),
        ["supervise", kills, seed] => joinable_workers::supervise(number(kills), number(seed)),
        _ => panic!("no such joinable task: {task:?}"),
    }
}

fn both(queue: JoinableQueue<Message>) -> Sides<Tasks> {
    (Some(queue.putter()), Some(queue.into_getter()))
}

/// What a worker makes of a number; never 0.
pub fn result_of(number: u64) -> u64 {
    number * number + 1
}

/// Writes the result of each task, until nobody can put any more; says how many there were, and how it ended.
fn work(getter: &TaskGetter<Message>, results: &Array<u64>) {
    let mut count = 0;
    let end = loop {
        match getter.task() {
            Ok(task) => results.set(task.0 as usize, result_of(task.0)).expect("room for the result"),
            Err(error) => break error,
        }
        count += 1;
    };
    say(format!("{count} {end:?}"));
}

/// Three children of ours work, while we put and join; says how often a result was there after the join.
fn family(how: &str, count: u64) {
    let queue: JoinableQueue<Message> = QueueOptions::new(20).capacity(4096).create_joinable().expect("a queue");
    let results = Array::<u64>::new(count as usize).expect("results");
    let handles = Handles::new().with("queue", &queue.getter()).with("results", &results);
    let (mut forked, mut spawned) = (Vec::new(), Vec::new());
    // A worker that is a putter, too, would wait for itself.
    let mut ends = (Some(queue.putter()), Some(queue.into_getter()));
    for _ in 0..3 {
        match how {
            "fork" => forked.push(fork(|| {
                drop(ends.0.take());
                work(ends.1.as_ref().expect("a getter"), &results);
                0
            })),
            _ => spawned.push(spawn(&WORK, &handles).expect("a child")),
        }
    }
    drop((handles, ends.1));
    let putter = ends.0.expect("a putter");
    for round in 0..10 {
        let numbers = (0..count).filter(|number| number % 10 == round);
        putter.put_many(numbers.map(|number| message(number, 10))).expect("all are put");
        putter.join().expect("all are done");
        let done = (0..count).filter(|at| results.get(*at as usize) == Ok(result_of(*at))).count();
        say(done);
    }
    drop(putter);
    forked.into_iter().for_each(|child| assert!(child.expect("a child").wait().expect("a child").success()));
    spawned.iter_mut().for_each(|child| assert!(child.wait().expect("a child").success()));
}

/// Does what the test says, until it has no more to say.
fn serve(mut sides: Sides<Tasks>) {
    listen(|words| match words {
        ["join"] => say(format!("{:?}", putter(&sides).join())),
        ["join-within", time] => say(format!("{:?}", putter(&sides).join_timeout(milliseconds(time)))),
        ["unfinished"] => say(format!("{:?}", putter(&sides).unfinished())),
        ["acknowledge"] => say(format!("{:?}", putter(&sides).acknowledge())),
        ["done"] => say(format!("{:?}", getter(&sides).task_done())),
        ["panic"] => say(format!("{}", panic_with_a_task(getter(&sides)))),
        ["forget"] => {
            std::mem::forget(getter(&sides).task().expect("a task"));
            say("forgotten");
        }
        ["reopen", name] => {
            sides.1 = None;
            sides.1 = outcome(take(name));
        }
        ["blind"] => {
            (3..1024).for_each(|descriptor| _ = close(descriptor));
            let putter = putter(&sides);
            say(format!("{:?} {:?} {:?}", putter.join(), putter.acknowledge(), putter.unfinished()));
            exit(0) // nothing is dropped: the descriptors in the handles are not theirs any more
        }
        ["fork"] => fork_with_a_task(getter(&sides)),
        words => use_side(&mut sides, words),
    });
}

fn putter(sides: &Sides<Tasks>) -> &TaskPutter<Message> {
    sides.0.as_ref().expect("a putter")
}

fn getter(sides: &Sides<Tasks>) -> &TaskGetter<Message> {
    sides.1.as_ref().expect("a getter")
}

/// Whether a thread of this process has panicked with a task in hand.
fn panic_with_a_task(getter: &TaskGetter<Message>) -> bool {
    let body = || {
        let _task = getter.task().expect("a task");
        resume_unwind(Box::new(()))
    };
    thread::scope(|scope| scope.spawn(body).join().is_err())
}

/// Takes a task, and lets a forked child do with it what it can; then says what this process can.
fn fork_with_a_task(getter: &TaskGetter<Message>) {
    let mut task = Some(getter.task().expect("a task"));
    let child = fork(|| {
        say(format!("{:?}", getter.task_done()));
        getter.get().expect("a task of its own");
        // The guard of what its parent got says nothing of what it got itself.
        drop(task.take());
        say(format!("{:?} {:?}", getter.task_done(), getter.task_done()));
        0
    });
    assert!(child.expect("a child").wait().expect("a child").success());
    say(format!("{:?}", task.expect("a task").done().map(|(number, _)| number)));
}
