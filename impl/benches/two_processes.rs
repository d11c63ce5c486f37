//! Pipes and queues between two processes, in one rotation with the least that does the job and with what the kernel has: on a shared
//! machine only ratios from the same minutes mean anything.
//!
//! `cargo bench -p procession --bench two_processes -- [--row PART]... [--rounds N] [--no-pin] [--json]`, of all rows or of
//! those that have one of the parts in their names.
//!
//! Each row is a message of so many bytes, one way, or there and back (`round trip`), as the median of the rounds and as the
//! median of the rounds' ratios to the peer of the same row; the goal is what the ratio should not exceed. The bare ring has
//! 1024 slots, so ours has their bytes as its capacity where it is compared with it; elsewhere it has its default.
//!
//! Asleep, ours has a timer set each time, to ask after the other process, and makes the heavy half of a fence pair, so that the
//! other half is free: in a virtual machine either takes microseconds, which the bare futex does without.
//!
//! The peers are `two_processes_peer.c`, compiled when the bench runs. Without `--bench`, which Cargo passes, it is one short
//! round, to see that it works.

mod arena;
#[path = "arena/versus.rs"]
mod versus;

use arena::{Cpus, Fallible, Peer};
use procession::{AsIs, Bytes, Pipe, PipeOptions, QueueOptions, RawValue};
use std::hint::spin_loop;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use versus::{Row, compare, together};

const PEER: &str = include_str!("two_processes_peer.c");

/// What is done with a pipe.
#[derive(Clone, Copy)]
enum Ours {
    /// Plain data, one at a time.
    One,
    /// Plain data, 32 at a time.
    Batch,
    /// Plain data of 64 bytes, in as many bytes as the bare ring has.
    Slots64,
    /// Plain data of 64 bytes.
    Plain64,
    /// No pipe at all, but the bare ring: what the machine can do.
    Bare,
    /// Bytes, `send` and `recv_into`.
    Bytes,
    /// There and back, by `try_recv`.
    Spinning,
    /// There and back, by `recv`.
    Waiting,
    /// There and back, by `recv`, and either side answers so late that the other one sleeps.
    Late,
    /// Through a queue, plain data, one at a time.
    Queue,
    /// There and back through two queues, by `get`.
    QueueWaiting,
}

struct What {
    ours: Ours,
    /// What the peer does, with messages of how many bytes; or how late it answers, in nanoseconds.
    peer: (&'static str, usize),
    count: u64,
}

fn rows() -> Vec<Row<What>> {
    let row = |name, ours, peer, goal, count| Row::new(name, What { ours, peer, count }, goal);
    vec![
        row("8 B against the bare ring", Ours::One, ("ring", 8), 1.5, 10_000_000),
        row("8 B, 32 at a time, against the same", Ours::Batch, ("batch", 8), 1.5, 10_000_000),
        row("64 B against the bare ring", Ours::Slots64, ("ring", 64), 1.5, 3_000_000),
        row("64 B against pipe(2)", Ours::Plain64, ("pipe", 64), 1.0 / 20.0, 1_000_000),
        row("64 B: the bare ring itself against pipe(2)", Ours::Bare, ("pipe", 64), 1.0 / 20.0, 1_000_000),
        row("64 KiB against pipe(2)", Ours::Bytes, ("pipe", 1 << 16), 1.0 / 4.0, 20_000),
        row("1 MiB against pipe(2)", Ours::Bytes, ("pipe", 1 << 20), 1.0 / 3.0, 1_000),
        row("round trip, spinning, against two bare rings", Ours::Spinning, ("spinning", 8), 1.3, 500_000),
        row("round trip, recv, against futex(2)", Ours::Waiting, ("sleeping", 4), 1.15, 50_000),
        row("round trip, asleep, against futex(2)", Ours::Late, ("late", 20_000), 1.15, 20_000),
        row("queue, 8 B against pipe(2)", Ours::Queue, ("pipe", 8), 1.0 / 4.0, 1_000_000),
        row("queue, round trip, get, against pipe(2)", Ours::QueueWaiting, ("answer", 64), 1.2, 50_000),
    ]
}

impl What {
    fn run(&self, peer: &Peer, cpus: Cpus, part: u64) -> Fallible<(f64, f64)> {
        let count = (self.count / part).max(64);
        let (what, bytes) = self.peer;
        let theirs = |what: &str| -> Fallible<f64> {
            let arguments = [cpus.argument(0), cpus.argument(1), what.to_owned(), bytes.to_string(), count.to_string()];
            Ok(peer.run(&arguments.each_ref().map(String::as_str))?.parse()?)
        };
        let peers = theirs(what)?;
        let ours = if let Ours::Bare = self.ours { theirs("ring")? } else { measure(self.ours, bytes, count, cpus)? };
        Ok((ours, peers))
    }
}

fn measure(ours: Ours, bytes: usize, count: u64, cpus: Cpus) -> Fallible<f64> {
    let ns = RawValue::new(0f64)?;
    // From the first message on: who was started when is nobody's business.
    let since = |start: Instant, messages: u64| ns.set(start.elapsed().as_nanos() as f64 / messages as f64);
    let as_slots = || PipeOptions::new().capacity(1024 * bytes);
    let fine = match ours {
        Ours::Bare => Err("the bare ring is the peer's".into()),
        Ours::One => {
            let (mut sender, mut receiver) = as_slots().simplex::<u64, AsIs>()?;
            let send = || (0..count).all(|number| sender.send(number).is_ok());
            two(cpus, send, || {
                let first = receiver.recv().is_ok();
                let start = Instant::now();
                let rest = (1..count).all(|number| receiver.recv() == Ok(number));
                since(start, count - 1);
                first && rest
            })
        }
        Ours::Batch => {
            let (mut sender, mut receiver) = as_slots().simplex::<u64, AsIs>()?;
            let send = || sender.send_many(0..count).is_ok();
            two(cpus, send, || {
                let mut batch = Vec::with_capacity(32);
                let first = receiver.recv().is_ok();
                let (start, mut received) = (Instant::now(), 1);
                while received < count {
                    batch.clear();
                    match receiver.recv_many(&mut batch, 32) {
                        Ok(more) => received += more as u64,
                        Err(_) => return false,
                    }
                }
                since(start, count - 1);
                first && batch.last() == Some(&(count - 1))
            })
        }
        Ours::Slots64 | Ours::Plain64 => {
            let options = if matches!(ours, Ours::Slots64) { as_slots() } else { PipeOptions::new() };
            let (mut sender, mut receiver) = options.simplex::<[u64; 8], AsIs>()?;
            let send = || (0..count).all(|number| sender.send([number; 8]).is_ok());
            two(cpus, send, || {
                let first = receiver.recv().is_ok();
                let start = Instant::now();
                // Word by word: what compares the whole reads more at a time than was written, and waits for it.
                let same = |words: [u64; 8], number| words.iter().all(|word| *word == number);
                let rest = (1..count).all(|number| receiver.recv().is_ok_and(|words| same(words, number)));
                since(start, count - 1);
                first && rest
            })
        }
        Ours::Bytes => {
            let (mut sender, mut receiver) = PipeOptions::new().simplex::<[u8], Bytes>()?;
            let (message, mut buffer) = (vec![1; bytes], vec![0; bytes]);
            let send = || (0..count).all(|_| sender.send(&message).is_ok());
            two(cpus, send, || {
                let first = receiver.recv_into(&mut buffer) == Ok(bytes);
                let start = Instant::now();
                let rest = (1..count).all(|_| receiver.recv_into(&mut buffer) == Ok(bytes));
                since(start, count - 1);
                first && rest
            })
        }
        Ours::Spinning => {
            let (mut there, mut here) = as_slots().simplex::<u64, AsIs>()?;
            let (mut back, mut home) = as_slots().simplex::<u64, AsIs>()?;
            let answer = || (0..count).all(|_| spin(|| here.try_recv().ok()).is_some_and(|it| back.send(it).is_ok()));
            two(cpus, answer, || {
                let mut ask = |number| there.send(number).is_ok() && spin(|| home.try_recv().ok()) == Some(number);
                let first = ask(0);
                let start = Instant::now();
                let rest = (1..count).all(ask);
                since(start, count - 1);
                first && rest
            })
        }
        Ours::Waiting | Ours::Late => {
            let (mut there, mut here) = Pipe::plain::<u64>()?;
            let (mut back, mut home) = Pipe::plain::<u64>()?;
            let work = Duration::from_nanos(if matches!(ours, Ours::Late) { bytes as u64 } else { 0 });
            let late = || {
                let start = Instant::now();
                while start.elapsed() < work {}
            };
            let mut reply = |it| {
                late();
                back.send(it).is_ok()
            };
            let answer = || (0..count).all(|_| here.recv().is_ok_and(&mut reply));
            two(cpus, answer, || {
                let mut ask = |number| {
                    late();
                    there.send(number).is_ok() && home.recv() == Ok(number)
                };
                let first = ask(0);
                let start = Instant::now();
                let rest = (1..count).all(ask);
                since(start + 2 * work * (count as u32 - 1), count - 1);
                first && rest
            })
        }
        Ours::Queue => {
            let queue = QueueOptions::new(1024).create::<u64, AsIs>()?;
            let put = || (0..count).all(|number| queue.put(number).is_ok());
            two(cpus, put, || {
                let first = queue.get().is_ok();
                let start = Instant::now();
                let rest = (1..count).all(|number| queue.get() == Ok(number));
                since(start, count - 1);
                first && rest
            })
        }
        Ours::QueueWaiting => {
            let there = QueueOptions::new(1024).create::<[u64; 8], AsIs>()?;
            let back = QueueOptions::new(1024).create::<[u64; 8], AsIs>()?;
            let answer = || (0..count).all(|_| there.get().is_ok_and(|it| back.put(it).is_ok()));
            two(cpus, answer, || {
                let ask = |number| there.put([number; 8]).is_ok() && back.get() == Ok([number; 8]);
                let first = ask(0);
                let start = Instant::now();
                let rest = (1..count).all(ask);
                since(start, count - 1);
                first && rest
            })
        }
    };
    if fine? { Ok(ns.get()?) } else { Err("an operation failed".into()) }
}

/// Looks until there is something, as the bare ring does; not for ever.
fn spin<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    const PATIENCE: u64 = 1 << 34;
    (0..PATIENCE).find_map(|_| {
        let found = look();
        if found.is_none() {
            spin_loop();
        }
        found
    })
}

/// Runs the two in a process each; whether both say that all went well.
fn two(cpus: Cpus, mut one: impl FnMut() -> bool, mut other: impl FnMut() -> bool) -> Fallible<bool> {
    together(cpus, [&mut one, &mut other])
}

fn run(arguments: &[String]) -> Fallible<()> {
    let Some(peer) = Peer::compile("two_processes_peer", PEER, &[arena::C])? else {
        println!("no C compiler (`cc`): nothing to compare with");
        return Ok(());
    };
    let cpus = Cpus::asked_for(arguments);
    compare(arguments, cpus, rows(), |what, part| what.run(&peer, cpus, part))
}

fn main() -> ExitCode {
    arena::main(run)
}
