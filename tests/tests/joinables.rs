//! Joinable queues between processes: every way to hand one on, who may report what, what a join waits for, and what it is
//! told.

use procession::layout::{BODY, Kind};
use procession::{
    Array, GetError, Handle, Handles, JoinError, JoinTimeoutError, JoinableQueue, PutError, QueueOptions, Share,
    TaskDoneError, TaskGetter, TaskPutter,
};
use procession_tests::joinable_tasks::result_of;
use procession_tests::pipe_tasks::Remote;
use procession_tests::queue_tasks::{Message, message};
use procession_tests::{Helper, Name, Watchdog, task};
use serde::{Deserialize, Serialize};
use std::os::unix::net::UnixListener;
use std::panic::resume_unwind;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Some ticks.
const A_WHILE: Duration = Duration::from_millis(120);

fn small(most: usize) -> JoinableQueue<Message> {
    QueueOptions::new(most).capacity(4096).create_joinable().unwrap()
}

fn named(most: usize, name: &Name) -> JoinableQueue<Message> {
    QueueOptions::new(most).capacity(4096).named(name).create_joinable().unwrap()
}

fn putter(queue: &JoinableQueue<Message>) -> Remote {
    Remote::given(&mut task!("joinable", "putter", "@end"), &queue.putter())
}

fn getter(queue: &JoinableQueue<Message>) -> Remote {
    Remote::given(&mut task!("joinable", "getter", "@end"), &queue.getter())
}

fn put(queue: &TaskPutter<Message>, numbers: impl IntoIterator<Item = u64>) {
    queue.put_many(numbers.into_iter().map(|number| message(number, 10))).unwrap();
}

/// Checks what somebody says who was to do these.
#[track_caller]
fn all(remote: &mut Remote, steps: &[(&str, &str)]) {
    steps.iter().for_each(|(what, said)| assert_eq!(remote.ask(what), *said, "{what}"));
}

// ---- every way to hand one on ----

const TASKS: u64 = 3000;

/// Two helpers put, three work, and this process joins; `given` is where they have the queue from, which `hand_on` sees to.
fn meet(queue: JoinableQueue<Message>, given: &str, hand_on: impl Fn(&mut Command, &JoinableQueue<Message>, bool)) {
    let _watchdog = Watchdog::new("joining");
    let results = Array::<u64>::new(TASKS as usize).unwrap();
    let start = |mut command: Command, puts: bool| {
        hand_on(&mut command, &queue, puts);
        let helper = Helper::start(command.share("results", &results));
        helper.expect("ok");
        helper
    };
    let half = (TASKS / 2).to_string();
    let mut putters = ["0", &half].map(|first| start(task!("joinable", "bring", given, first, &half), true));
    let workers = [(); 3].map(|()| start(task!("joinable", "work", given, "@results"), false));
    let queue = queue.into_putter();
    putters.iter_mut().for_each(|putter| putter.tell("go"));
    putters.into_iter().for_each(|putter| assert!(putter.finish().is_empty()));
    assert_eq!(queue.join(), Ok(()));
    // What a worker wrote before it reported the task done is seen by whoever has joined.
    assert!((0..TASKS).all(|task| results.get(task as usize) == Ok(result_of(task))));
    drop(queue);
    let counts = workers.map(|worker| {
        let line = worker.line();
        worker.finish();
        line.strip_suffix(" Disconnected").expect("they are told").parse::<u64>().unwrap()
    });
    assert_eq!(counts.iter().sum::<u64>(), TASKS);
}

#[test]
fn programs_that_are_given_their_sides() {
    meet(small(20), "@end", |command, queue, puts| match puts {
        true => _ = command.share("end", &queue.putter()),
        false => _ = command.share("end", &queue.getter()),
    });
}

#[test]
fn programs_that_meet_at_a_name() {
    let name = Name::new("met");
    meet(named(50, &name), &name, |_, _, _| {});
    assert!(!name.exists());
}

#[test]
fn forked_children_and_functions_in_processes_of_their_own() {
    for how in ["fork", "spawn"] {
        let helper = Helper::start(&mut task!("joinable", "family", how, "1000"));
        // How many results were there after each join; then what each worker says.
        (1..=10).for_each(|round| helper.expect(&(round * 100).to_string()));
        let said = helper.finish();
        let counts = said.iter().map(|line| line.strip_suffix(" Disconnected").unwrap().parse::<u64>().unwrap());
        assert_eq!((said.len(), counts.sum::<u64>()), (3, 1000), "{how}");
    }
}

#[test]
fn a_queue_goes_through_a_socket() {
    let door = Name::new("door");
    let listener = UnixListener::bind(door.path()).unwrap();
    let helper = Helper::start(&mut task!("joinable", "receive", door.path().to_str().unwrap()));
    let queue = small(2);
    let (socket, _) = listener.accept().unwrap();
    Handles::new().with("end", &queue).send(&socket).unwrap();
    let queue = queue.into_putter();
    put(&queue, [1]);
    helper.expect("ok");
    let mut other = Remote(helper);
    all(&mut other, &[("get", "1:10"), ("put 2 10", "Ok(())"), ("unfinished", "Ok(2)"), ("done", "Ok(())")]);
    all(&mut other, &[("get", "2:10"), ("done", "Ok(())"), ("join", "Ok(())")]);
    assert_eq!(queue.join(), Ok(()));
}

// ---- what a join waits for ----

#[test]
fn a_join_waits_until_all_is_done() {
    let queue = small(4);
    let (mut worker, mut idle) = (getter(&queue), getter(&queue));
    let mut joiners = [putter(&queue), putter(&queue)];
    joiners.iter_mut().for_each(|joiner| all(joiner, &[("join", "Ok(())"), ("join-within 0", "Ok(())")]));
    put(&queue.putter(), [1, 2]);
    joiners.iter_mut().for_each(|joiner| joiner.begin("join"));
    all(&mut worker, &[("get", "1:10"), ("done", "Ok(())"), ("get", "2:10")]);
    assert_eq!((queue.unfinished(), queue.len()), (Ok(1), Ok(0)));
    idle.begin("get");
    // Put by somebody else while they wait, and got by somebody who has a task already.
    assert_eq!(queue.join_timeout(A_WHILE), Err(JoinTimeoutError::TimedOut));
    joiners.iter().for_each(|joiner| joiner.0.expect_silence());
    put(&queue.putter(), [3]);
    idle.0.expect("3:10");
    assert_eq!(worker.ask("done"), "Ok(())");
    assert_eq!(queue.join_timeout(A_WHILE), Err(JoinTimeoutError::TimedOut));
    joiners.iter().for_each(|joiner| joiner.0.expect_silence());
    assert_eq!(idle.ask("done"), "Ok(())");
    joiners.iter().for_each(|joiner| joiner.0.expect("Ok(())"));
    assert_eq!((queue.join(), queue.unfinished()), (Ok(()), Ok(0)));
}

/// Neither stopped nor slow is dead.
#[test]
fn a_stopped_worker_is_waited_for() {
    let queue = small(4);
    let mut worker = getter(&queue);
    put(&queue.putter(), [1]);
    assert_eq!(worker.ask("get"), "1:10");
    worker.0.stop();
    assert_eq!(queue.join_timeout(A_WHILE), Err(JoinTimeoutError::TimedOut));
    assert_eq!((queue.acknowledge(), queue.unfinished()), (Ok(0), Ok(1)));
    worker.0.signal(nix::sys::signal::Signal::SIGCONT);
    assert_eq!(worker.ask("done"), "Ok(())");
    assert_eq!(queue.join(), Ok(()));
}

// ---- who may report what ----

#[test]
fn a_task_is_reported_by_the_process_that_got_it() {
    const NO_TASK: &str = "Err(NoTask)";
    let queue = small(4);
    let (mut first, mut second) = (getter(&queue), getter(&queue));
    put(&queue.putter(), [1, 2]);
    assert_eq!(queue.task_done(), Err(TaskDoneError::NoTask));
    all(&mut first, &[("done", NO_TASK), ("get", "1:10")]);
    assert_eq!(second.ask("done"), NO_TASK);
    assert_eq!((queue.task_done(), queue.unfinished()), (Err(TaskDoneError::NoTask), Ok(2)));
    assert_eq!(second.ask("get"), "2:10");
    all(&mut first, &[("done", "Ok(())"), ("done", NO_TASK)]);
    assert_eq!(queue.unfinished(), Ok(1));
    all(&mut second, &[("done", "Ok(())"), ("done", NO_TASK)]);
    assert_eq!(queue.join(), Ok(()));
}

/// Which thread of it does so is not asked.
#[test]
fn a_process_counts_and_not_a_thread() {
    let queue = small(4);
    put(&queue.putter(), [1]);
    thread::scope(|scope| scope.spawn(|| queue.get()).join()).unwrap().unwrap();
    assert_eq!(queue.task_done(), Ok(()));
    assert_eq!(queue.task_done(), Err(TaskDoneError::NoTask));
}

#[test]
fn a_forked_child_does_not_report_for_its_parent() {
    let queue = small(4);
    let mut parent = getter(&queue);
    put(&queue.putter(), [1, 2]);
    parent.0.tell("fork");
    // The child: first it has nothing, then one of its own, which the guard of its parent's task does not report.
    parent.0.expect("Err(NoTask)");
    parent.0.expect("Ok(()) Err(NoTask)");
    parent.0.expect("Ok(1)");
    assert_eq!(queue.join(), Ok(()));
}

#[test]
fn a_guard_reports_when_it_is_dropped_also_by_a_panic() {
    let queue = small(4);
    let mut worker = getter(&queue);
    put(&queue.putter(), [1, 2]);
    let panicked = thread::scope(|scope| {
        let body = || {
            let _task = queue.task().unwrap();
            resume_unwind(Box::new(()))
        };
        scope.spawn(body).join().is_err()
    });
    assert!(panicked && queue.unfinished() == Ok(1));
    assert_eq!(worker.ask("panic"), "true");
    assert_eq!(queue.join(), Ok(()));
}

// ---- the end of the queue ----

#[test]
fn a_closed_queue_is_joined_all_the_same() {
    for (word, left) in [("close", true), ("close-now", false)] {
        let _watchdog = Watchdog::new("joining a closed queue");
        let queue = small(4);
        let (mut worker, mut joiner) = (getter(&queue), putter(&queue));
        put(&queue.putter(), [1, 2, 3]);
        assert_eq!(worker.ask("get"), "1:10");
        joiner.begin("join");
        assert_eq!(getter(&queue).ask(word), "Ok(())");
        assert_eq!(queue.put(message(4, 1)).unwrap_err().error, PutError::Closed);
        assert_eq!((queue.unfinished(), queue.len()), if left { (Ok(3), Ok(2)) } else { (Ok(1), Ok(0)) });
        joiner.0.expect_silence();
        if left {
            all(&mut worker, &[("get", "2:10"), ("get", "3:10"), ("done", "Ok(())"), ("done", "Ok(())")]);
        }
        assert_eq!(worker.ask("get"), "Closed");
        joiner.0.expect_silence();
        assert_eq!(worker.ask("done"), "Ok(())");
        joiner.0.expect("Ok(())");
        assert_eq!(queue.join(), Ok(()));
    }
}

/// Whoever joins is not kept by what nobody can do: it was told whoever got it.
#[test]
fn a_message_that_is_no_value_counts_as_done() {
    let _watchdog = Watchdog::new("joining past a message that is none");
    let records = (BODY + Kind::JoinableQueue.words_at()) as u64;
    let name = Name::new("no-value");
    let queue = named(4, &name);
    let (mut worker, mut joiner) = (getter(&queue), putter(&queue));
    put(&queue.putter(), [1, 2]);
    // A label, a number, and a length that is not there.
    name.patch(records + 8 + 1, &[0xff, 0xff, 0xff, 0xff, 0x7f]);
    joiner.begin("join");
    assert!(worker.ask("get").starts_with("Decode"));
    all(&mut worker, &[("done", "Err(NoTask)"), ("get", "2:10"), ("done", "Ok(())")]);
    joiner.0.expect("Ok(())");
    // Among others, of which each is to be reported.
    let name = Name::new("no-values");
    let queue = named(4, &name);
    let mut worker = getter(&queue);
    put(&queue.putter(), [1, 2, 3]);
    name.patch(records + 3 * 8 + 8 + 1, &[0xff, 0xff, 0xff, 0xff, 0x7f]);
    let said = worker.ask("get-many 9");
    assert!(said.starts_with("Err(Decode") && said.ends_with(" 1:10 3:10"), "{said}");
    all(&mut worker, &[("done", "Ok(())"), ("done", "Ok(())"), ("done", "Err(NoTask)")]);
    assert_eq!(queue.join(), Ok(()));
}

/// The same where a type's own code panics.
#[test]
fn a_message_whose_decoding_panics_counts_as_done() {
    #[derive(Debug, Serialize)]
    struct Fuse(u64);
    impl<'d> Deserialize<'d> for Fuse {
        fn deserialize<D: serde::Deserializer<'d>>(deserializer: D) -> Result<Fuse, D::Error> {
            match u64::deserialize(deserializer)? {
                2 => resume_unwind(Box::new(())),
                number => Ok(Fuse(number)),
            }
        }
    }
    let queue = JoinableQueue::bounded(10).unwrap();
    queue.put_many([2, 1, 2, 3].map(Fuse)).unwrap();
    let panics = |body: &(dyn Fn() + Sync)| thread::scope(|scope| scope.spawn(body).join().is_err());
    assert!(panics(&|| drop(queue.get())));
    assert_eq!((queue.unfinished(), queue.task_done()), (Ok(3), Err(TaskDoneError::NoTask)));
    assert!(panics(&|| drop(queue.get_many(&mut Vec::new(), 9))));
    // The one before it is in a worker's hand, if it has panicked with it; those after it are nobody's.
    assert_eq!((queue.unfinished(), queue.task_done(), queue.join()), (Ok(1), Ok(()), Ok(())));
}

// ---- who leaves with tasks in hand ----

#[test]
fn a_worker_that_leaves_with_tasks_in_hand() {
    let _watchdog = Watchdog::new("joining behind a worker that left");
    for way in ["drop getter", "", "forget"] {
        let queue = small(4);
        let (mut worker, mut other) = (getter(&queue), getter(&queue));
        let mut joiner = putter(&queue);
        put(&queue.putter(), [1, 2, 3]);
        all(&mut worker, &[("get", "1:10"), ("done", "Ok(())"), ("get", "2:10")]);
        assert_eq!(other.ask("get"), "3:10");
        joiner.begin("join");
        match way {
            "" => drop(worker.0.finish()),
            "forget" => {
                put(&queue.putter(), [4]);
                all(&mut worker, &[("forget", "forgotten"), ("done", "Ok(())")]);
                drop(worker.0.finish());
            }
            way => assert!(worker.ask(way) == "dropped"),
        }
        // As long as there is something to do, it is waited for.
        assert_eq!(queue.join_timeout(A_WHILE), Err(JoinTimeoutError::TimedOut));
        joiner.0.expect_silence();
        assert_eq!(other.ask("done"), "Ok(())");
        joiner.0.expect("Err(WorkerDied { tasks: 1 })");
        let died = JoinError::WorkerDied { tasks: 1 };
        // Everybody is told, until somebody says that it is known.
        assert_eq!((queue.join(), queue.join(), queue.unfinished()), (Err(died.clone()), Err(died), Ok(1)));
        assert_eq!(joiner.ask("acknowledge"), "Ok(1)");
        assert_eq!((queue.join(), queue.acknowledge(), queue.unfinished()), (Ok(()), Ok(0), Ok(0)));
        assert_eq!(joiner.ask("join"), "Ok(())");
    }
}

/// It is another peer then, and those tasks are nobody's.
#[test]
fn a_worker_that_leaves_and_comes_back() {
    let _watchdog = Watchdog::new("joining behind a worker that came back");
    let name = Name::new("back");
    let queue = named(4, &name);
    let mut worker = Remote::start(&mut task!("joinable", "getter", &name));
    for round in 1..=3 {
        put(&queue.putter(), [1, 2, 3]);
        all(&mut worker, &[("get", "1:10"), ("done", "Ok(())"), ("get", "2:10")]);
        all(&mut worker, &[(&format!("reopen {}", &*name), "ok"), ("done", "Err(NoTask)")]);
        all(&mut worker, &[("get", "3:10"), ("done", "Ok(())"), ("done", "Err(NoTask)")]);
        assert_eq!(queue.join(), Err(JoinError::WorkerDied { tasks: 1 }), "round {round}");
        assert_eq!((queue.acknowledge(), queue.join()), (Ok(1), Ok(())));
    }
}

#[test]
fn nobody_left_who_could_get_what_is_there() {
    let _watchdog = Watchdog::new("joining where nobody works");
    for kill in [false, true] {
        let name = Name::new("nobody");
        let queue = named(4, &name);
        let mut workers = [getter(&queue), getter(&queue)];
        let mut joiner = putter(&queue);
        let queue = queue.into_putter();
        put(&queue, [1, 2]);
        joiner.begin("join");
        assert_eq!(workers[0].ask("get"), "1:10");
        for worker in &mut workers {
            joiner.0.expect_silence();
            match kill {
                true => worker.0.kill(),
                false => assert!(worker.ask("drop getter") == "dropped"),
            }
        }
        joiner.0.expect("Err(Disconnected)");
        assert_eq!(queue.join(), Err(JoinError::Disconnected));
        assert_eq!(queue.join_timeout(A_WHILE), Err(JoinError::Disconnected.into()));
        // Somebody may come and do the rest.
        let late: TaskGetter<Message> = Handle::open(&name).unwrap();
        joiner.begin("join");
        drop(late.task().unwrap());
        joiner.0.expect("Err(WorkerDied { tasks: 1 })");
        assert_eq!((queue.acknowledge(), queue.join()), (Ok(1), Ok(())));
    }
}

// ---- programs that hang elsewhere: see also `joinable_kills` ----

/// Whatever a producer has put is in the queue, and its end waits for nobody.
#[test]
fn joining_a_producer_before_draining() {
    let _watchdog = Watchdog::new("joining a producer");
    let queue: JoinableQueue<Message> = QueueOptions::new(100).capacity(1 << 20).create_joinable().unwrap();
    let mut producer = putter(&queue);
    assert_eq!(producer.ask("put-many 100 0 10000"), "None [] 0");
    producer.0.finish();
    for number in 0..100 {
        assert_eq!(queue.task().unwrap().done(), Ok(message(number, 10_000)));
    }
    assert_eq!((queue.join(), queue.try_get()), (Ok(()), Err(procession::TryGetError::Empty)));
    assert_eq!(queue.into_getter().get(), Err(GetError::Disconnected));
}
