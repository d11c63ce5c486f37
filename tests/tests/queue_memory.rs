//! What a queue takes: its capacity and a few pages, however many messages have gone through it.

use procession::{AsIs, GetError, JoinableQueue, PutError, Queue, QueueOptions, Unsent};
use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};

/// As many messages as the environment says, which is at least a million; so many in every run of the tests.
const MESSAGES: u64 = 100_000_000;
/// As many tasks.
const TASKS: u64 = 10_000_000;
/// Messages of 8 bytes, which fill the queue.
const MOST: usize = 8192;
const CAPACITY: usize = 8 * MOST;

/// Bytes that the layout counts in.
const PAGE: usize = 4096;
/// What a queue takes beside its capacity: the header with the table of the peers, and the words of the ring and of the locks.
const QUEUE_PAGES: usize = 2;
/// A joinable one: four more, of what each peer has taken and done.
const JOINABLE_PAGES: usize = 6;
/// What the process may have more after many messages than after some: what it reads /proc with, and what it says.
const SPARE_PAGES: usize = 8;

/// Both tests look at the whole process: one at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// What this process has.
#[derive(Debug)]
struct Taken {
    /// Bytes of memory of its own. Not those of the program, which take a page when it first comes there.
    private: usize,
    descriptors: usize,
    /// Of each region: bytes of the file, and those of them that take memory.
    regions: Vec<(usize, usize)>,
}

impl Taken {
    fn now() -> Taken {
        let maps = fs::read_to_string("/proc/self/smaps").unwrap();
        let kilobytes = |line: &str| line.trim().trim_end_matches(" kB").parse::<usize>().unwrap();
        let private: usize = maps.lines().filter_map(|line| line.strip_prefix("Anonymous:")).map(kilobytes).sum();
        assert!(private > 0, "{maps}");
        let descriptors: Vec<_> = fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().path()).collect();
        // That of the folder itself is gone by now.
        let links = descriptors.iter().filter_map(|path| Some((path, fs::read_link(path).ok()?)));
        let ours = links.filter(|(_, to)| to.to_string_lossy().starts_with("/memfd:procession"));
        // A region may have several descriptors. Blocks are of 512 bytes, whatever the file system's are.
        let files = ours.map(|(path, _)| fs::metadata(path).unwrap());
        let regions: HashMap<u64, _> =
            files.map(|file| (file.ino(), (file.len() as usize, 512 * file.blocks() as usize))).collect();
        Taken { private: private * 1024, descriptors: descriptors.len(), regions: regions.into_values().collect() }
    }
}

/// Checks what a new queue takes after some messages, and after many: `pass` lets so many go through it. It has a buffer that
/// is large enough: a new one each time could come to lie somewhere else, and look like growth.
#[track_caller]
fn stays_small(pages: usize, (some, many): (u64, u64), pass: impl Fn(u64, &mut Vec<u64>)) {
    let mut buffer = Vec::with_capacity(MOST);
    let new = Taken::now();
    let length = CAPACITY + pages * PAGE;
    assert!(new.regions.len() == 1 && new.regions[0].0 == length, "{new:?}, not one region of {length}");
    pass(some, &mut buffer);
    Taken::now(); // to look takes memory, too
    let before = Taken::now();
    pass(many - some, &mut buffer);
    let after = Taken::now();
    eprintln!("a region of {length} bytes: new {new:?}, after {some} {before:?}, after {many} {after:?}");
    assert_eq!((after.descriptors, &after.regions), (before.descriptors, &before.regions));
    let (_, taken) = after.regions[0];
    assert!((CAPACITY..=length).contains(&taken), "{taken} bytes are taken, of {length}");
    assert!(after.private <= before.private + SPARE_PAGES * PAGE, "grown by {}", after.private - before.private);
}

/// Lets `count` messages through, as many at a time as there is room for; what was got is `done` with.
fn through(
    count: u64,
    messages: &mut Vec<u64>,
    put: impl Fn(Range<u64>) -> Result<(), Unsent<Vec<u64>, PutError>>,
    get: impl Fn(&mut Vec<u64>) -> Result<usize, GetError>,
    done: impl Fn(),
) {
    for first in (0..count).step_by(MOST) {
        let end = count.min(first + MOST as u64);
        put(first..end).unwrap();
        while messages.len() < (end - first) as usize {
            (0..get(messages).unwrap()).for_each(|_| done());
        }
        assert!(messages.drain(..).eq(first..end));
    }
}

#[test]
fn a_queue_does_not_grow() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let many = std::env::var("PROCESSION_QUEUE_MESSAGES").map_or(MESSAGES, |many| many.parse().unwrap());
    let queue: Queue<u64, AsIs> = QueueOptions::new(MOST).capacity(CAPACITY).create().unwrap();
    let put = |numbers| queue.put_many(numbers);
    let get = |messages: &mut _| queue.get_many(messages, MOST);
    stays_small(QUEUE_PAGES, (many / 100, many), |count, messages| through(count, messages, put, get, || ()));
}

#[test]
fn a_joinable_queue_does_not_grow() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let queue: JoinableQueue<u64, AsIs> = QueueOptions::new(MOST).capacity(CAPACITY).create_joinable().unwrap();
    let put = |numbers| queue.put_many(numbers);
    let get = |messages: &mut _| queue.get_many(messages, MOST);
    let done = || queue.task_done().unwrap();
    stays_small(JOINABLE_PAGES, (TASKS / 10, TASKS), |count, messages| {
        through(count, messages, put, get, done);
        assert_eq!((queue.unfinished(), queue.join()), (Ok(0), Ok(())));
    });
}
