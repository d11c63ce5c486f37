//! Bad input to joinable queues: what is no such queue is refused by the error that says so, and a peer that writes into the
//! accounts what no peer writes makes them wrong, and nothing worse.

use procession::layout::{BODY, JoinableHead, Kind};
use procession::{
    AsIs, GetError, Getter, Handle, JoinError, JoinTimeoutError, JoinableQueue, OpenError, Postcard, PutError, Putter,
    Queue, QueueOptions, Share, Stat, TaskDoneError, TaskGetter, TaskPutter, TypePrint,
};
use procession_tests::pipe_tasks::Remote;
use procession_tests::queue_tasks::{Message, message};
use procession_tests::{Helper, Name, Random, Watchdog, refused, task};
use std::mem::offset_of;
use std::time::Duration;

/// Where a joinable queue's region has what.
mod at {
    use super::{BODY, JoinableHead, Kind, offset_of};
    pub const TAIL: u64 = BODY as u64;
    pub const HEAD: u64 = TAIL + 128;
    pub const GATES: [u64; 2] = [TAIL + 384, TAIL + 512];
    const TOTALS: u64 = (BODY + offset_of!(JoinableHead, totals)) as u64;
    pub const USED: u64 = TOTALS;
    pub const ACKNOWLEDGED: u64 = TOTALS + 4;
    pub const DISCARDED: u64 = TOTALS + 8;
    pub const FLOOR: u64 = TOTALS + 128;
    pub const EVENTS: u64 = (BODY + offset_of!(JoinableHead, events)) as u64;
    pub const COPIES: u64 = (BODY + offset_of!(JoinableHead, copies)) as u64;
    pub const COPY_BYTES: u64 = (BODY + offset_of!(JoinableHead, copy_bytes)) as u64;
    /// Those of the first process: its owner, what it has taken, what was left before it, what it has done.
    pub const TALLY: [u64; 4] = {
        let first = (BODY + offset_of!(JoinableHead, tallies)) as u64;
        [first, first + 4, first + 8, first + 12]
    };
    pub const RECORDS: u64 = (BODY + Kind::JoinableQueue.words_at()) as u64;
}

const SOON: Duration = Duration::from_millis(1);

fn queue(name: &Name) -> JoinableQueue<Message> {
    QueueOptions::new(9).capacity(4096).named(name).tick(SOON).create_joinable().unwrap()
}

fn write(name: &Name, place: u64, value: u32) {
    name.patch(place, &value.to_ne_bytes());
}

/// A queue of which this process has one task in hand.
fn with_a_task(name: &Name) -> JoinableQueue<Message> {
    let queue = queue(name);
    queue.put(message(1, 1)).unwrap();
    assert_eq!(queue.get(), Ok(message(1, 1)));
    queue
}

const TIMED_OUT: Result<(), JoinTimeoutError> = Err(JoinTimeoutError::TimedOut);

fn died(tasks: usize) -> Result<(), JoinTimeoutError> {
    Err(JoinError::WorkerDied { tasks }.into())
}

// ---- queues of another sort ----

#[test]
fn another_kind_or_type() {
    let (plain, tasks) = (Name::new("plain"), Name::new("tasks"));
    let plain_queue = QueueOptions::new(1).named(&plain).create::<u32, AsIs>().unwrap();
    let task_queue = QueueOptions::new(1).named(&tasks).create_joinable::<u32, AsIs>().unwrap();
    let kind = |found, expected| OpenError::Kind { found: found as u32, expected };
    let no_tasks = || kind(Kind::Queue, Kind::JoinableQueue);
    refused(JoinableQueue::<u32, AsIs>::open(&plain), no_tasks(), &["Queue", "JoinableQueue"]);
    refused(TaskPutter::<u32, AsIs>::open(&plain), no_tasks(), &["JoinableQueue"]);
    refused(TaskGetter::<u32, AsIs>::open(&plain), no_tasks(), &["JoinableQueue"]);
    // Who got a task and does not know it would never report it.
    let no_items = || kind(Kind::JoinableQueue, Kind::Queue);
    refused(Queue::<u32, AsIs>::open(&tasks), no_items(), &["JoinableQueue"]);
    refused(Putter::<u32, AsIs>::open(&tasks), no_items(), &["JoinableQueue"]);
    refused(Getter::<u32, AsIs>::open(&tasks), no_items(), &["JoinableQueue"]);
    let print = |code: char, size, align| TypePrint { size, align, code: code as u32 };
    let (found, expected) = (print('I', 4, 4), print('Q', 8, 8));
    refused(JoinableQueue::<u64, AsIs>::open(&tasks), OpenError::Type { found, expected }, &["'I'", "'Q'"]);
    refused(TaskGetter::<u64, AsIs>::open(&tasks), OpenError::Type { found, expected }, &["'I'", "'Q'"]);
    let codec = OpenError::Codec { found: 2, expected: 1 };
    let postcard = TaskPutter::<u32, Postcard>::open(&tasks).map(drop).unwrap_err();
    assert!(postcard == codec || matches!(postcard, OpenError::Type { .. }), "{postcard:?}");
    // The same by the other ways to get a handle.
    let given = |helper: &str, sort: &str| Helper::start(&mut task!(helper, sort, &tasks)).line();
    assert!(given("queue", "getter").starts_with("Kind"));
    for (sort, helper) in [("getter", "joinable"), ("putter", "joinable")] {
        let line = Helper::start(task!(helper, sort, "@end").share("end", &plain_queue)).line();
        assert!(line.starts_with("Kind"), "{line}");
        let line = Helper::start(task!("queue", sort, "@end").share("end", &task_queue)).line();
        assert!(line.starts_with("Kind"), "{line}");
    }
    task_queue.put(1).unwrap();
    assert_eq!((task_queue.get(), task_queue.task_done(), task_queue.join()), (Ok(1), Ok(()), Ok(())));
}

// ---- accounts that no peer keeps ----

#[test]
fn a_tally_of_somebody_else() {
    let _watchdog = Watchdog::new("joining with a ghost's tally");
    for ghost in [12345, (1 << 30) - 1, 1 << 31, u32::MAX] {
        let name = Name::new("ghost");
        let queue = with_a_task(&name);
        write(&name, at::TALLY[0], ghost);
        // What this process has in hand is the ghost's now, which is dead.
        assert_eq!(queue.task_done(), Err(TaskDoneError::NoTask));
        assert_eq!(queue.join_timeout(SOON * 100), died(1), "{ghost:#x}");
        assert_eq!((queue.acknowledge(), queue.join()), (Ok(1), Ok(())));
        // Its next task is its own again.
        queue.put(message(2, 1)).unwrap();
        drop(queue.task().unwrap());
        assert_eq!((queue.unfinished(), queue.join()), (Ok(0), Ok(())));
    }
    // One that lives, and has none: waited for.
    let name = Name::new("lives");
    let queue = with_a_task(&name);
    let other = Remote::given(&mut task!("joinable", "getter", "@end"), &queue.getter());
    let peers = Stat::of(&name).unwrap().alive;
    write(&name, at::TALLY[0], peers[1]);
    assert_eq!(queue.join_timeout(SOON * 100), TIMED_OUT);
    drop(other);
}

#[test]
fn counts_that_cannot_be() {
    let _watchdog = Watchdog::new("joining with wrong counts");
    let counts = [1, 2, 3, 1 << 30, (1 << 31) - 1, 1 << 31, u32::MAX - 1, u32::MAX];
    let places = [&at::TALLY[1..], &[at::USED, at::ACKNOWLEDGED, at::DISCARDED, at::FLOOR, at::EVENTS]].concat();
    for place in places {
        for count in counts {
            let name = Name::new("count");
            let queue = with_a_task(&name);
            write(&name, place, count);
            drop(queue.join_timeout(SOON));
            drop((queue.unfinished(), queue.acknowledge(), queue.unfinished()));
            drop(queue.put_timeout(message(2, 1), SOON));
            drop(queue.task_timeout(SOON));
            drop((queue.task_done(), queue.task_done(), queue.join_timeout(SOON)));
            drop((queue.close_now(), queue.join_timeout(SOON), queue.unfinished()));
        }
    }
}

/// What somebody has seen is a hint, and mended; what counts says what it is.
#[test]
fn as_many_tasks_as_there_may_be() {
    const LIMIT: u32 = 1 << 30;
    let name = Name::new("limit");
    let queue = queue(&name);
    write(&name, at::FLOOR, 7);
    queue.put(message(1, 1)).unwrap();
    drop(queue.task().unwrap());
    write(&name, at::FLOOR, LIMIT + 1);
    write(&name, at::ACKNOWLEDGED, LIMIT);
    let error = || PutError::TooManyTasks { limit: LIMIT as usize };
    let unsent = queue.put(message(2, 1)).unwrap_err();
    assert_eq!((unsent.value, unsent.error), (message(2, 1), error()));
    let unsent = queue.put_many([message(3, 1), message(4, 1)]).unwrap_err();
    assert_eq!((unsent.value, unsent.error), (vec![message(3, 1), message(4, 1)], error()));
    assert!(error().to_string().contains("task_done"));
    assert!(queue.is_empty());
}

/// Somebody waits who does not, or nobody who does.
#[test]
fn waiters_that_are_none() {
    let _watchdog = Watchdog::new("joining with wrong events");
    for events in [1 << 31, u32::MAX, 5, 0] {
        let name = Name::new("events");
        let queue = with_a_task(&name);
        let mut joiner = Remote::start(&mut task!("joinable", "putter", &name));
        joiner.begin("join");
        write(&name, at::EVENTS, events);
        assert_eq!(queue.task_done(), Ok(()));
        joiner.0.expect("Ok(())");
    }
}

/// Whoever gets is told that the queue is corrupt; and so is whoever joins, once nothing has happened for a while.
#[test]
fn a_tail_that_nobody_leaves() {
    for (records, bytes) in [(1u64, 4104u64), (1, 12), (0, 8), (3, 16)] {
        let name = Name::new("tail");
        let queue = queue(&name);
        name.patch(at::TAIL, &(bytes << 32 | records).to_ne_bytes());
        refused(queue.get(), GetError::Corrupt, &["corrupt"]);
        refused(queue.task().map(drop), GetError::Corrupt, &["corrupt"]);
        drop(queue.unfinished());
        let joined = queue.join_timeout(SOON * 100);
        assert!(records == 0 || joined == Err(JoinError::Corrupt.into()), "{joined:?}");
    }
}

/// As many copies of what is in hand as no queue has, or as large ones: refused, or harmless.
#[test]
fn copies_that_cannot_be() {
    let _watchdog = Watchdog::new("using wrong copies");
    for place in [at::COPIES, at::COPY_BYTES] {
        for count in [0, 1, 2, 4, 119, 121, 4096, 1 << 16, (1 << 16) + 1, 1 << 31, u32::MAX] {
            let name = Name::new("copies");
            let options = QueueOptions::new(9).capacity(4096).named(&name).tick(SOON);
            let queue: JoinableQueue<Message> = options.create_redelivering(3, 120).unwrap();
            write(&name, place, count);
            // By another process: this one has seen them already.
            let helper = Helper::start(&mut task!("joinable", "queue", &name));
            if helper.line() == "ok" {
                let mut other = Remote(helper);
                queue.put(message(1, 10)).unwrap();
                for what in ["get-within 5", "done", "put-within 5 2 100", "get-within 5", "unfinished", "acknowledge"]
                {
                    assert!(!other.ask(what).is_empty());
                }
                assert!(!other.ask("join-within 5").is_empty());
                other.0.finish();
            }
            drop((queue.try_task().map(drop), queue.join_timeout(SOON)));
        }
    }
}

/// Whoever cannot find out who lives says so, and does not guess.
#[test]
fn a_joiner_without_descriptors() {
    let queue = QueueOptions::new(9).capacity(4096).create_joinable::<Message, Postcard>().unwrap();
    let mut joiner = Remote::given(&mut task!("joinable", "putter", "@end"), &queue.putter());
    queue.put(message(1, 1)).unwrap();
    let task = queue.task().unwrap();
    assert_eq!(joiner.ask("blind"), "Err(Blind) Err(Blind) Ok(1)");
    drop(task);
    assert_eq!(queue.join(), Ok(()));
}

/// Whatever stands there, every call comes to an end, and a good one or a typed one.
#[test]
fn garbage_everywhere() {
    let _watchdog = Watchdog::new("using a queue full of garbage");
    let mut random = Random::new(0x7a5c_0f0e);
    for round in 0..400 {
        let name = Name::new("garbage");
        let options = QueueOptions::new(9).capacity(4096).named(&name).tick(SOON);
        let queue: JoinableQueue<Message> = match round % 2 {
            0 => options.create_joinable().unwrap(),
            _ => options.create_redelivering(3, 120).unwrap(),
        };
        drop(queue.put_timeout(message(1, 2000), SOON));
        drop((queue.put_timeout(message(2, 10), SOON), queue.try_get()));
        let peer = Stat::of(&name).unwrap().alive[0];
        for _ in 0..10 {
            // Words that are nearly right come further than those that are not.
            let row = 64 * [0, 1, 255, random.below(256)][random.below(4) as usize];
            let small = [at::USED, at::ACKNOWLEDGED, at::DISCARDED, at::FLOOR, at::EVENTS];
            match random.below(7) {
                // The copies of what is in hand, if there are any.
                0 if round % 2 == 1 => {
                    let value = random.below(300) | random.below(2) << 31 | random.below(2) << 63;
                    name.patch(at::RECORDS + 4096 + 8 * random.below(60), &value.to_ne_bytes());
                }
                0 | 1 => {
                    let value = match random.below(4) {
                        0 => random.below(1 << 32),
                        1 => random.below(5) | random.below(2) << 31,
                        2 => (1 << 31) - random.below(5),
                        _ => u64::from(peer),
                    };
                    write(&name, at::TALLY[random.below(4) as usize] + row, value as u32);
                }
                2 | 3 => {
                    let value = random.below(300) | random.below(2) << 31 | random.below(2) << 30;
                    write(&name, small[random.below(5) as usize], value as u32);
                }
                4 => {
                    let value = (8 * random.below(512)) << 32 | random.below(4) | random.below(2) << 31;
                    name.patch([at::TAIL, at::HEAD][random.below(2) as usize], &value.to_ne_bytes());
                }
                _ => {
                    let place = at::RECORDS + 8 * random.below(512);
                    name.patch(place, &(random.below(3000) | random.below(2) << 63).to_ne_bytes());
                    // Somebody who lives is waited for; this is nobody.
                    let gate = at::GATES[random.below(2) as usize];
                    write(&name, gate, (random.below(1 << 20) << 8 | 0x80) as u32);
                }
            }
            drop((queue.join_timeout(Duration::ZERO), queue.unfinished()));
            drop(queue.try_put(message(3, 100)));
            drop(queue.try_task());
            drop(queue.get_timeout(Duration::ZERO));
            drop((queue.task_done(), queue.task_done()));
            drop((queue.acknowledge(), queue.join_timeout(SOON)));
            drop((queue.len(), queue.is_empty(), queue.is_full()));
        }
        drop((queue.close_now(), queue.join_timeout(Duration::ZERO)));
    }
}
