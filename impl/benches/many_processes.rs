//! A queue between several processes, in one rotation with what else there is for that: on a shared machine only ratios from
//! the same minutes mean anything.
//!
//! `cargo bench -p procession --bench many_processes -- [--row PART]... [--rounds N] [--no-pin] [--json]`, of all rows or of
//! those that have one of the parts in their names.
//!
//! Two who put and two who get (or one and one), the two CPUs by turns, numbers of 8 bytes, at most 1024 in the queue. Each getter
//! gets as many as each putter puts, and checks that those of a putter come in order; in the end the sum must be right. A row is
//! the nanoseconds of a message, from when all are ready until the last getter has ended: as the median of the rounds, and as the
//! median of the rounds' ratios to the peer; the goal is what the ratio should not exceed.
//!
//! `many_processes_peer.c` is Boost's `message_queue`, compiled when the bench runs, where that is installed, and else a
//! stand-in for it, which was the faster one where both were tried, by a fifth or more. `many_processes_peer.py` is CPython's
//! `multiprocessing.Queue`. Neither has batches: ours are measured against their single messages. Without `--bench`, which
//! Cargo passes, it is one short round, to see that it works.

mod arena;
#[path = "arena/versus.rs"]
mod versus;

use arena::{C, Cpus, Fallible, Peer, said};
use procession::{AsIs, Queue, QueueOptions, RawValue};
use std::io::ErrorKind;
use std::process::{Command, ExitCode};
use std::time::Instant;
use versus::{Row, compare, together};

const BOOST: &str = include_str!("many_processes_peer.c");
const CPYTHON: &str = include_str!("many_processes_peer.py");

/// Who puts is the upper half of a number, which one of its the lower half.
const PLACE: u64 = u32::MAX as u64;
const BATCH: usize = 32;
/// In place of the moment when all began.
const NEVER: u64 = u64::MAX;

#[derive(Clone, Copy, PartialEq)]
enum Against {
    Boost,
    CPython,
}

struct What {
    /// How many put, and how many get.
    pairs: u64,
    /// Whether ours are put and got 32 at a time.
    batch: bool,
    against: Against,
    /// How many each puts and gets: of ours, of the peer's.
    counts: (u64, u64),
}

fn rows() -> Vec<Row<What>> {
    let row = |name, pairs, batch, (against, goal, theirs)| {
        Row::new(name, What { pairs, batch, against, counts: (2_000_000, theirs) }, goal)
    };
    let (boost, cpython) = ((Against::Boost, 1.0, 1_000_000), (Against::CPython, 1.0 / 20.0, 50_000));
    vec![
        row("2 + 2, 8 B against Boost", 2, false, boost),
        row("2 + 2, 8 B, 32 at a time, against the same", 2, true, boost),
        row("1 + 1, 8 B against Boost", 1, false, boost),
        row("1 + 1, 8 B, 32 at a time, against the same", 1, true, boost),
        row("2 + 2, 8 B against CPython", 2, false, cpython),
        row("2 + 2, 8 B, 32 at a time, against CPython", 2, true, cpython),
    ]
}

impl What {
    fn run(&self, boost: &Peer, cpus: Cpus, part: u64) -> Fallible<(f64, f64)> {
        let count = |count: u64| (count / part).max(64);
        let arguments = [cpus.argument(0), cpus.argument(1), self.pairs.to_string(), count(self.counts.1).to_string()];
        let arguments = arguments.each_ref().map(String::as_str);
        let peers = match self.against {
            Against::Boost => boost.run(&arguments)?,
            Against::CPython => said(Command::new("python3").args(["-c", CPYTHON]).args(arguments))?,
        };
        Ok((Course::new(self, count(self.counts.0))?.run(cpus)?, peers.parse()?))
    }
}

/// Ours: the queue, and what all processes share beside it.
struct Course<'w> {
    what: &'w What,
    count: u64,
    queue: Queue<u64, AsIs>,
    epoch: Instant,
    /// How many are ready, and how many getters have ended.
    ready: RawValue<u64>,
    ended: RawValue<u64>,
    /// Nanoseconds since the epoch: when the last was ready, and when the last had ended.
    began: RawValue<u64>,
    end: RawValue<u64>,
    /// Of all that was got.
    sum: RawValue<u64>,
}

impl Course<'_> {
    fn new(what: &What, count: u64) -> Fallible<Course<'_>> {
        let (queue, epoch) = (QueueOptions::new(1024).create::<u64, AsIs>()?, Instant::now());
        let [ready, ended, began, end, sum] = [(); 5].map(|()| RawValue::new(0u64));
        Ok(Course { what, count, queue, epoch, ready: ready?, ended: ended?, began: began?, end: end?, sum: sum? })
    }

    /// Answers the nanoseconds of a message.
    fn run(&self, cpus: Cpus) -> Fallible<f64> {
        let putter = |name| move || self.side(|| self.put(name));
        let getter = || || self.side(|| self.get());
        let fine = match self.what.pairs {
            1 => together(cpus, [&mut putter(0), &mut getter()]),
            _ => together(cpus, [&mut putter(0), &mut putter(1), &mut getter(), &mut getter()]),
        };
        if !fine? {
            return Err("a process failed".into());
        }
        let (all, triangle) = (self.what.pairs * self.count, self.count * (self.count - 1) / 2);
        let expected: u64 = (0..self.what.pairs).map(|name| (name << 32) * self.count + triangle).sum();
        match self.sum.get()? {
            sum if sum == expected => Ok((self.end.get()? - self.began.get()?) as f64 / all as f64),
            sum => Err(format!("the sum of all that was got is {sum}, not {expected}").into()),
        }
    }

    /// A process does its part when all are ready; whether all went well.
    fn side(&self, part: impl Fn() -> Fallible<()>) -> bool {
        let begin = || {
            if self.ready.fetch_add(1)? + 1 == 2 * self.what.pairs {
                self.began.set(self.now());
            }
            while self.began.get()? == 0 {
                std::thread::yield_now(); // the others may be on this CPU
            }
            if self.began.get()? == NEVER { Err("another process failed".into()) } else { Ok(()) }
        };
        let done: Fallible<()> = begin().and_then(|()| part());
        if let Err(error) = &done {
            eprintln!("{error}");
            // The others would wait for it for ever.
            self.began.set(NEVER);
            let _ = self.queue.close_now();
        }
        done.is_ok()
    }

    fn now(&self) -> u64 {
        self.epoch.elapsed().as_nanos() as u64
    }

    fn put(&self, name: u64) -> Fallible<()> {
        let mut numbers = (0..self.count).map(|place| name << 32 | place);
        if !self.what.batch {
            return Ok(numbers.try_for_each(|number| self.queue.put(number))?);
        }
        for _ in 0..self.count.div_ceil(BATCH as u64) {
            self.queue.put_many(numbers.by_ref().take(BATCH))?;
        }
        Ok(())
    }

    fn get(&self) -> Fallible<()> {
        let (mut next, mut sum, mut left) = ([0; 2], 0, self.count);
        let mut check = |number: u64| {
            let next = next.get_mut((number >> 32) as usize).ok_or("a number that nobody has put")?;
            if number & PLACE < *next {
                return Err("out of order");
            }
            *next = (number & PLACE) + 1;
            sum += number;
            Ok(())
        };
        if self.what.batch {
            let mut batch = Vec::with_capacity(BATCH);
            while left > 0 {
                left -= self.queue.get_many(&mut batch, BATCH.min(left as usize))? as u64;
                batch.drain(..).try_for_each(&mut check)?;
            }
        } else {
            (0..left).try_for_each(|_| Fallible::Ok(check(self.queue.get()?)?))?;
        }
        self.sum.fetch_add(sum)?;
        if self.ended.fetch_add(1)? + 1 == self.what.pairs {
            self.end.set(self.now());
        }
        Ok(())
    }
}

fn run(arguments: &[String]) -> Fallible<()> {
    let Some(boost) = Peer::compile("many_processes_peer", BOOST, &[("c++", "c++"), C])? else {
        println!("no C compiler (`c++` or `cc`): nothing to compare with");
        return Ok(());
    };
    let mut rows = rows();
    // Beside the figures, and not among them: those may be for a program.
    eprintln!("Boost: {}", boost.run(&[])?);
    if Command::new("python3").arg("--version").output().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        eprintln!("no `python3`: nothing is compared with CPython");
        rows.retain(|row| row.what.against != Against::CPython);
    }
    let cpus = Cpus::asked_for(arguments);
    compare(arguments, cpus, rows, |what, part| what.run(&boost, cpus, part))
}

fn main() -> ExitCode {
    arena::main(run)
}
