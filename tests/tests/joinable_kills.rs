//! SIGKILL at random moments of those who work, of one who puts and of one who joins: a task whose `task_done` has returned is
//! never lost, one that nobody will ever report is told as soon as all others are done, and nobody waits for the dead. And
//! at known moments: the programs that hang with CPython's `JoinableQueue`.

use procession::{JoinError, JoinTimeoutError, JoinableQueue, QueueOptions};
use procession_tests::pipe_tasks::Remote;
use procession_tests::queue_tasks::{Message, message};
use procession_tests::{Helper, Watchdog, task};
use std::time::{Duration, Instant};

// ---- at random moments ----

/// As many kills as the environment says; so many in every run of the tests.
const KILLS: u64 = 1500;

#[test]
fn kills_at_random_moments() {
    let kills = std::env::var("PROCESSION_JOINABLE_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let seed = std::env::var("PROCESSION_SEED").unwrap_or("2654435769".to_owned());
    let helper = Helper::start(&mut task!("joinable", "supervise", &kills.to_string(), &seed));
    let mut said = helper.finish();
    said.retain(|line| line != "going on");
    said.iter().for_each(|line| eprintln!("{line}"));
    assert!(said.len() == 2 && said[0].starts_with(&format!("{kills} kills: ")), "{said:?}");
    // Inside `task_done` there is hardly a moment to strike at; everywhere else there is.
    let none = |deed| said[0].contains(&format!(" 0 while {deed}"));
    assert!(!["getting", "working", "joining", "putting"].into_iter().any(none), "the test shows less than it says");
}

// ---- at a known moment ----

fn small(most: usize) -> JoinableQueue<Message> {
    QueueOptions::new(most).capacity(4096).create_joinable().unwrap()
}

fn putter(queue: &JoinableQueue<Message>) -> Remote {
    Remote::given(&mut task!("joinable", "putter", "@end"), &queue.putter())
}

fn getter(queue: &JoinableQueue<Message>) -> Remote {
    Remote::given(&mut task!("joinable", "getter", "@end"), &queue.getter())
}

/// CPython's join hangs for ever: nobody is left to report the task.
#[test]
fn a_worker_killed_before_task_done() {
    let _watchdog = Watchdog::new("joining behind a worker that was killed");
    let queue = small(4);
    let (mut victim, mut other, mut joiner) = (getter(&queue), getter(&queue), putter(&queue));
    (1..=4).for_each(|number| queue.put(message(number, 10)).unwrap());
    ["1:10", "2:10", "3:10"].iter().for_each(|got| assert_eq!(victim.ask("get"), *got));
    assert_eq!(victim.ask("done"), "Ok(())");
    assert_eq!(other.ask("get"), "4:10");
    joiner.begin("join");
    victim.0.kill();
    // The living one's task is waited for, and the dead one's are told then.
    assert_eq!(queue.join_timeout(Duration::from_millis(120)), Err(JoinTimeoutError::TimedOut));
    joiner.0.expect_silence();
    let before = Instant::now();
    assert_eq!(other.ask("done"), "Ok(())");
    joiner.0.expect("Err(WorkerDied { tasks: 2 })");
    assert_eq!(queue.join(), Err(JoinError::WorkerDied { tasks: 2 }));
    eprintln!("told within {:?}", before.elapsed());
    // Put again, and done by whoever is left; what was told before is told until somebody has taken note of it.
    queue.put(message(2, 10)).unwrap();
    assert_eq!(other.ask("get"), "2:10");
    assert_eq!(queue.acknowledge(), Ok(2));
    joiner.begin("join");
    assert_eq!(other.ask("done"), "Ok(())");
    joiner.0.expect("Ok(())");
    assert_eq!((queue.join(), queue.unfinished()), (Ok(()), Ok(0)));
}

/// With CPython the next `task_done` hangs, holding a lock, and after it every `put`.
#[test]
fn a_waiter_of_join_killed() {
    let _watchdog = Watchdog::new("using a queue whose joiner was killed");
    let queue = small(4);
    let (mut victim, mut other, mut worker) = (putter(&queue), putter(&queue), getter(&queue));
    queue.put(message(1, 10)).unwrap();
    victim.begin("join");
    other.begin("join");
    victim.0.kill();
    assert_eq!(worker.ask("get"), "1:10");
    assert_eq!(worker.ask("done"), "Ok(())");
    other.0.expect("Ok(())");
    queue.put(message(2, 10)).unwrap();
    assert_eq!(worker.ask("get"), "2:10");
    other.begin("join");
    assert_eq!(worker.ask("done"), "Ok(())");
    other.0.expect("Ok(())");
    assert_eq!(queue.join(), Ok(()));
}

/// With CPython whatever it had not sent yet stays counted, and a join hangs.
#[test]
fn a_producer_killed() {
    let _watchdog = Watchdog::new("joining behind a producer that was killed");
    let queue = small(4);
    let mut victim = putter(&queue);
    (1..=4).for_each(|number| assert_eq!(victim.ask(&format!("put {number} 10")), "Ok(())"));
    victim.begin("put 5 10");
    victim.0.kill();
    for number in 1..=4 {
        assert_eq!(queue.task().unwrap().done(), Ok(message(number, 10)));
    }
    assert_eq!((queue.join(), queue.unfinished()), (Ok(()), Ok(0)));
}

/// An idle worker's normal state. With CPython all others are refused whatever is in the queue.
#[test]
fn a_worker_killed_inside_get() {
    let _watchdog = Watchdog::new("joining behind an idle worker that was killed");
    let queue = small(4);
    let (mut victim, mut other) = (getter(&queue), getter(&queue));
    victim.begin("get");
    other.begin("get");
    victim.0.kill();
    queue.put(message(1, 10)).unwrap();
    other.0.expect("1:10");
    assert_eq!(other.ask("done"), "Ok(())");
    assert_eq!((queue.join(), queue.acknowledge()), (Ok(()), Ok(0)));
}

/// All of them, with the queue full: what is in it is still there for whoever comes.
#[test]
fn all_workers_killed_and_replaced() {
    let _watchdog = Watchdog::new("joining behind workers that were killed");
    let queue = small(8);
    let mut workers = [(); 3].map(|()| getter(&queue));
    (1..=8).for_each(|number| queue.put(message(number, 10)).unwrap());
    for (worker, got) in workers.iter_mut().zip(["1:10", "2:10", "3:10"]) {
        assert_eq!(worker.ask("get"), got);
    }
    workers.iter_mut().for_each(|worker| worker.0.kill());
    assert_eq!((queue.len(), queue.unfinished()), (Ok(5), Ok(8)));
    // Before the rest is done the dead ones' tasks can be taken note of, too.
    assert_eq!((queue.acknowledge(), queue.unfinished()), (Ok(3), Ok(5)));
    let mut successor = getter(&queue);
    for number in 4..=8 {
        assert_eq!(successor.ask("get"), format!("{number}:10"));
        assert_eq!(successor.ask("done"), "Ok(())");
    }
    assert_eq!(queue.join(), Ok(()));
}

/// What was discarded is not waited for, and what was in hand is told.
#[test]
fn a_worker_killed_after_the_end() {
    let _watchdog = Watchdog::new("joining a closed queue behind a worker that was killed");
    let queue = small(4);
    let (mut victim, mut joiner) = (getter(&queue), putter(&queue));
    (1..=4).for_each(|number| queue.put(message(number, 10)).unwrap());
    assert_eq!(victim.ask("get"), "1:10");
    joiner.begin("join");
    queue.close_now().unwrap();
    joiner.0.expect_silence();
    victim.0.kill();
    joiner.0.expect("Err(WorkerDied { tasks: 1 })");
    // Two who take note of it: each task is one's.
    assert_eq!(queue.unfinished(), Ok(1));
    assert_eq!((joiner.ask("acknowledge"), queue.acknowledge()), ("Ok(1)".to_owned(), Ok(0)));
    assert_eq!((queue.join(), queue.unfinished()), (Ok(()), Ok(0)));
}
