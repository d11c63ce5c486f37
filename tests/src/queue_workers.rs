//! Two who put and two who get, until they are killed, and their supervisor, who kills them at random moments, puts others in
//! their places, and keeps account of every message.

use crate::queue_tasks::{Message, message, numbered};
use crate::talk::{complain, say};
use crate::{Random, until};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use procession::{Forked, GetError, PutError, Queue, QueueOptions, RawArray, fork};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The first two put, the others get.
const WORKERS: usize = 4;
const PUTTERS: usize = 2;
/// Bytes of what they put, over and over: much of a queue of 4096 bytes, and little.
const LENGTHS: [usize; 7] = [17, 0, 300, 1000, 8, 2500, 40];
/// Messages that a getter can note before somebody must have read the notes.
const NOTES: usize = 4096;

/// The words in which the workers tell how far they are. They outlast them.
struct Benches {
    words: RawArray<u64>,
    notes: RawArray<u64>,
}

/// A word of a worker's.
#[derive(Clone, Copy)]
enum Word {
    /// How many messages a putter has put, as far as it knows; how many its getters have noted.
    Done,
    /// Whether it is between two such moments.
    Inside,
    /// How many of a getter's notes have been read.
    Read,
    /// Whether it was told that the queue is closed.
    Told,
}

impl Benches {
    fn new() -> Benches {
        Benches {
            words: RawArray::new(WORKERS * 4).expect("words"),
            notes: RawArray::new(WORKERS * NOTES).expect("words"),
        }
    }
    fn get(&self, bench: usize, word: Word) -> u64 {
        self.words.get(bench * 4 + word as usize).expect("a word")
    }
    fn set(&self, bench: usize, word: Word, value: u64) {
        self.words.set(bench * 4 + word as usize, value).expect("a word");
    }
    fn note(bench: usize, at: u64) -> usize {
        bench * NOTES + at as usize % NOTES
    }
}

// ---- workers ----

/// Puts messages numbered from 0 on, of which the first half says whose they are.
fn put(queue: &Queue<Message>, benches: &Benches, bench: usize, name: u64) {
    for at in 0.. {
        let message = message(numbered(name, at), LENGTHS[at as usize % LENGTHS.len()]);
        benches.set(bench, Word::Inside, 1);
        match queue.put(message) {
            Ok(()) => benches.set(bench, Word::Done, at + 1),
            Err(unsent) if unsent.error == PutError::Closed => break,
            Err(unsent) => complain(format!("a putter is told {:?}", unsent.error)),
        }
        benches.set(bench, Word::Inside, 0);
    }
    benches.set(bench, Word::Told, 1);
}

/// Gets messages and notes their numbers, where its predecessor stopped.
fn get(queue: &Queue<Message>, benches: &Benches, bench: usize) {
    for at in benches.get(bench, Word::Done).. {
        while at - benches.get(bench, Word::Read) >= NOTES as u64 {
            std::thread::yield_now();
        }
        benches.set(bench, Word::Inside, 1);
        match queue.get() {
            Ok((number, bytes)) if message(number, bytes.len()).1 == bytes => {
                benches.notes.set(Benches::note(bench, at), number).expect("a word");
                benches.set(bench, Word::Done, at + 1);
            }
            Ok((number, bytes)) => complain(format!("torn: {number:#x} with {} bytes", bytes.len())),
            Err(GetError::Closed) => break,
            Err(error) => complain(format!("a getter is told {error:?}")),
        }
        benches.set(bench, Word::Inside, 0);
    }
    benches.set(bench, Word::Told, 1);
}

// ---- accounts ----

/// What became of each message.
#[derive(Default)]
struct Ledger {
    /// Of each putter's messages: which were got.
    got: HashMap<u64, Vec<bool>>,
    /// Of each getter, and of each putter: the last message.
    last: HashMap<(usize, u64), u64>,
    /// How many each putter has put, and whether it was killed before it could count one more.
    put: HashMap<u64, (u64, bool)>,
    /// Messages that may have been got by somebody who was killed before it noted them.
    excused: u64,
}

impl Ledger {
    /// Reads a getter's notes.
    fn read(&mut self, benches: &Benches, bench: usize) {
        let (read, done) = (benches.get(bench, Word::Read), benches.get(bench, Word::Done));
        for at in read..done {
            let number = benches.notes.get(Benches::note(bench, at)).expect("a word");
            let (name, place) = (number >> 32, number & u64::from(u32::MAX));
            let before = self.last.insert((bench, name), place);
            assert!(before.is_none_or(|before| before < place), "{place} of {name} after {before:?}");
            let got = self.got.entry(name).or_default();
            got.resize(got.len().max(place as usize + 1), false);
            assert!(!std::mem::replace(&mut got[place as usize], true), "{place} of {name} came twice");
        }
        benches.set(bench, Word::Read, done);
    }

    /// Writes down what is known of somebody who will do no more.
    fn settle(&mut self, benches: &Benches, bench: usize, name: u64, killed: bool) {
        let inside = killed && benches.get(bench, Word::Inside) == 1;
        if bench < PUTTERS {
            self.put.insert(name, (benches.get(bench, Word::Done), inside));
        } else {
            self.read(benches, bench);
            self.excused += u64::from(inside);
        }
    }

    /// Checks that everything that was put was got once; answers how many were put, and how many went with their getters.
    fn close(mut self) -> (u64, u64) {
        let (mut all, mut missing) = (0, 0);
        for (name, (put, open)) in self.put {
            let got = self.got.remove(&name).unwrap_or_default();
            let most = put as usize + usize::from(open);
            assert!(got.len() <= most, "{} of {put} of {name} were got", got.len());
            all += put;
            missing += (0..put as usize).filter(|at| got.get(*at) != Some(&true)).count() as u64;
        }
        assert!(self.got.is_empty(), "somebody has put who never was");
        assert!(missing <= self.excused, "{missing} are missing, and {} can be accounted for", self.excused);
        (all, missing)
    }
}

// ---- the supervisor ----

struct Shift {
    queue: Queue<Message>,
    benches: Benches,
    ledger: Ledger,
    /// Who is at each bench.
    workers: Vec<(Forked, u64)>,
    /// How many there have been.
    names: u64,
}

impl Shift {
    fn start(&mut self, bench: usize) -> (Forked, u64) {
        self.names += 1;
        if bench < PUTTERS {
            self.benches.set(bench, Word::Done, 0);
        }
        self.benches.set(bench, Word::Inside, 0);
        let child = fork(|| {
            set_pdeathsig(Signal::SIGKILL).expect("prctl");
            match bench {
                0..PUTTERS => put(&self.queue, &self.benches, bench, self.names),
                _ => get(&self.queue, &self.benches, bench),
            }
            0
        });
        (child.expect("a child"), self.names)
    }

    /// Reads notes until it is so.
    fn until(&mut self, what: &str, condition: impl Fn(&Benches) -> bool) {
        until(what, || {
            (PUTTERS..WORKERS).for_each(|bench| self.ledger.read(&self.benches, bench));
            condition(&self.benches)
        });
    }

    /// Kills whoever is at a bench; answers whether it was in the middle of something, and how long it took until each of the
    /// others had done something again.
    fn kill(&mut self, bench: usize) -> (bool, Duration) {
        let (victim, name) = self.workers.remove(bench);
        let now = |benches: &Benches| std::array::from_fn::<_, WORKERS, _>(|bench| benches.get(bench, Word::Done));
        let killed = Instant::now();
        victim.kill().expect("a child");
        victim.wait().expect("a child");
        let before = now(&self.benches);
        // With its successor still to come: who is left is left alone.
        self.until("the others go on", |benches| {
            let moved = |other: usize| other == bench || now(benches)[other] > before[other];
            (0..WORKERS).all(moved)
        });
        let took = killed.elapsed();
        let inside = self.benches.get(bench, Word::Inside) == 1;
        self.ledger.settle(&self.benches, bench, name, true);
        let successor = self.start(bench);
        self.workers.insert(bench, successor);
        (inside, took)
    }
}

/// Kills so many of them, then closes the queue, and says what it came to.
pub fn supervise(kills: u64, seed: u64) {
    let mut random = Random::new(seed);
    let queue = QueueOptions::new(8).capacity(4096).tick(Duration::from_millis(1)).create().expect("a queue");
    let (benches, ledger) = (Benches::new(), Ledger::default());
    let mut shift = Shift { queue, benches, ledger, workers: Vec::new(), names: 0 };
    for bench in 0..WORKERS {
        let worker = shift.start(bench);
        shift.workers.push(worker);
    }
    let (mut struck, mut longest) = ([0, 0], Duration::ZERO);
    for round in 0..kills {
        let bench = random.below(WORKERS as u64) as usize;
        // Some have hardly begun; the others are killed at any point of anything.
        if round % 4 != 0 {
            let goal = shift.benches.get(bench, Word::Done) + random.below(40);
            shift.until("the victim works", |benches| benches.get(bench, Word::Done) >= goal);
        }
        (0..random.below(4000)).for_each(|_| std::hint::spin_loop());
        let (inside, took) = shift.kill(bench);
        struck[usize::from(bench >= PUTTERS)] += u64::from(inside);
        longest = longest.max(took);
        if round % 250 == 249 {
            say("going on"); // whoever listens has a deadline
        }
    }
    shift.queue.close().expect("the queue can be closed");
    shift.until("everybody is told", |benches| (0..WORKERS).all(|bench| benches.get(bench, Word::Told) == 1));
    for (bench, (worker, name)) in std::mem::take(&mut shift.workers).into_iter().enumerate() {
        assert!(worker.wait().expect("a child").success());
        shift.ledger.settle(&shift.benches, bench, name, false);
    }
    assert!(shift.queue.is_empty());
    let [putting, getting] = struck;
    let (put, missing) = shift.ledger.close();
    say(format!("{kills} kills: {putting} while putting, {getting} while getting; {put} messages put"));
    say(format!("... {missing} gone with those who had got them; longest until all others had gone on {longest:?}"));
}
