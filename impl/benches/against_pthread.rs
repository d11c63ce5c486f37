//! Our locks against pthread's, in one rotation: on a shared machine only ratios from the same minutes mean anything.
//!
//! `cargo bench -p procession --bench against_pthread -- [--rounds N] [--no-pin] [--json]`
//!
//! Three questions, each answered by every contender in turn, several rounds over, as medians:
//!
//! | mode | what is done | figures |
//! |---|---|---|
//! | `uncontended` | one process, lock and unlock | ns per pair |
//! | `count` | two processes, `lock; v += 1; unlock`, so many each | ns per increment, until the slower has ended |
//! | `time` | the same for 200 ms, so that both run all the time | also the smaller process's share: median, worst round |
//!
//! The ratio is the median of the rounds' ratios to pthread's normal mutex of the same mode. "near": the value is in the
//! lock's cache line, as it is in a [`Value`]; "apart": in a page of its own, as with a [`Lock`] and a [`RawValue`].
//!
//! pthread's side is `pthread_peer.c`, compiled when the bench runs. Without `--bench`, which Cargo passes, it is one
//! short round, to see that it works (as criterion does).

mod arena;

use arena::{Cpus, Fallible, Peer, median};
use procession::{Lock, RawValue, Value, fork};
use std::fmt;
use std::hint::{black_box, spin_loop};
use std::process::ExitCode;
use std::time::{Duration, Instant};

const PEER: &str = include_str!("pthread_peer.c");

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Uncontended,
    Count,
    Time,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Mode::Uncontended => "uncontended",
            Mode::Count => "count",
            Mode::Time => "time",
        })
    }
}

#[derive(Clone, Copy)]
enum Contender {
    /// A [`Lock`]; contended, around a [`RawValue`], apart.
    Lock,
    /// `*value.lock()? += 1`, near.
    Guard,
    /// [`Value::fetch_add`], near.
    FetchAdd,
    /// Its arguments.
    Pthread(&'static str, &'static str),
}

impl Contender {
    fn name(self) -> &'static str {
        match self {
            Contender::Lock => "ours: Lock, value apart",
            Contender::Guard => "ours: Value guard, near",
            Contender::FetchAdd => "ours: Value::fetch_add, near",
            Contender::Pthread("normal", "near") => "pthread normal, near",
            Contender::Pthread("normal", _) => "pthread normal, value apart",
            Contender::Pthread(..) => "pthread robust, near",
        }
    }
}

/// The order of the rotation; the first of each mode is what the others are compared with.
const NORMAL: Contender = Contender::Pthread("normal", "near");
const ROBUST: Contender = Contender::Pthread("robust", "near");
const APART: Contender = Contender::Pthread("normal", "apart");
const ALONE: &[Contender] = &[NORMAL, Contender::Lock, ROBUST];
const CONTENDED: &[Contender] = &[NORMAL, Contender::FetchAdd, Contender::Guard, Contender::Lock, APART, ROBUST];
const MODES: [(Mode, &[Contender]); 3] =
    [(Mode::Uncontended, ALONE), (Mode::Count, CONTENDED), (Mode::Time, CONTENDED)];

/// What one run of one contender says.
#[derive(Clone, Copy)]
struct Figure {
    ns: f64,
    /// The smaller process's part of all increments.
    share: f64,
}

/// The setting, alike for all contenders.
struct Arena {
    peer: Peer,
    cpus: Cpus,
    iterations: u64,
    increments: u64,
    time: Duration,
}

impl Arena {
    fn run(&self, mode: Mode, contender: Contender) -> Fallible<Figure> {
        if let Contender::Pthread(kind, place) = contender {
            return self.pthread(mode, kind, place);
        }
        if mode == Mode::Uncontended {
            return self.alone();
        }
        match contender {
            Contender::FetchAdd => {
                let value = Value::new(0u64)?;
                self.duel(mode, || value.fetch_add(1).is_ok(), || value.get().unwrap_or(0))
            }
            Contender::Guard => {
                let value = Value::new(0u64)?;
                let step = || value.lock().map(|mut guard| *guard += 1).is_ok();
                self.duel(mode, step, || value.get().unwrap_or(0))
            }
            _ => {
                let (lock, value) = (Lock::new()?, RawValue::new(0u64)?);
                let step = || lock.lock().is_ok_and(|_guard| value.get().map(|old| value.set(old + 1)).is_ok());
                self.duel(mode, step, || value.get().unwrap_or(0))
            }
        }
    }

    fn pthread(&self, mode: Mode, kind: &str, place: &str) -> Fallible<Figure> {
        let amount = match mode {
            Mode::Uncontended => self.iterations.into(),
            Mode::Count => self.increments.into(),
            Mode::Time => self.time.as_millis(),
        };
        let cpus = [self.cpus.argument(0), self.cpus.argument(1)];
        let said = self.peer.run(&[&cpus[0], &cpus[1], &mode.to_string(), kind, place, &amount.to_string()])?;
        let (ns, share) = said.split_once(' ').ok_or_else(|| format!("pthread_peer said {said:?}"))?;
        Ok(Figure { ns: ns.parse()?, share: share.parse()? })
    }

    /// Lock and unlock, in a child as pthread's.
    fn alone(&self) -> Fallible<Figure> {
        let (lock, ns) = (Lock::new()?, RawValue::new(0f64)?);
        let pairs = |count| (0..count).all(|_| black_box(&lock).lock().is_ok());
        let child = fork(|| {
            self.cpus.pin(0);
            let warm = pairs(self.iterations / 8);
            let start = Instant::now();
            let fine = pairs(self.iterations);
            ns.set(start.elapsed().as_nanos() as f64 / self.iterations as f64);
            i32::from(!(warm && fine))
        })?;
        if !child.wait()?.success() {
            return Err("the lock failed".into());
        }
        Ok(Figure { ns: ns.get()?, share: 1.0 })
    }

    /// Two children that do `step` from a common start; `value` must be the number of steps in the end.
    fn duel(&self, mode: Mode, step: impl Fn() -> bool, value: impl Fn() -> u64) -> Fallible<Figure> {
        let word = || RawValue::new(0u64);
        let (go, stop) = (word()?, word()?);
        let (ready, done, ns) = ([word()?, word()?], [word()?, word()?], [word()?, word()?]);
        let is_set = |flag: &RawValue<u64>| flag.get().is_ok_and(|flag| flag != 0);
        let limit = if mode == Mode::Count { self.increments } else { u64::MAX };
        let side = |me: usize| {
            self.cpus.pin(me);
            ready[me].set(1);
            while !is_set(&go) {
                spin_loop();
            }
            let (start, mut steps) = (Instant::now(), 0);
            while steps < limit && !is_set(&stop) {
                if !step() {
                    return 1;
                }
                steps += 1;
            }
            ns[me].set(start.elapsed().as_nanos() as u64);
            done[me].set(steps);
            0
        };
        let children: Result<Vec<_>, _> = (0..2).map(|me| fork(|| side(me))).collect();
        if children.is_err() {
            stop.set(1); // the first child must not wait for ever
        } else {
            while !ready.iter().all(is_set) {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
        go.set(1);
        if mode == Mode::Time {
            std::thread::sleep(self.time);
            stop.set(1);
        }
        for child in children? {
            if !child.wait()?.success() {
                return Err("an operation failed".into());
            }
        }
        let (here, there) = (done[0].get()?, done[1].get()?);
        if value() != here + there {
            return Err(format!("the value is {}, not {here} + {there}", value()).into());
        }
        let all = (here + there) as f64;
        Ok(Figure { ns: ns[0].get()?.max(ns[1].get()?) as f64 / all, share: here.min(there) as f64 / all })
    }
}

/// The rounds of one contender in one mode.
struct Row {
    mode: Mode,
    contender: Contender,
    figures: Vec<Figure>,
    ratios: Vec<f64>,
}

impl Row {
    fn medians(&self) -> (f64, f64, f64) {
        let of = |what: fn(&Figure) -> f64| median(self.figures.iter().map(what).collect());
        (of(|figure| figure.ns), median(self.ratios.clone()), of(|figure| figure.share))
    }
    /// The smallest and the largest figure of all rounds.
    fn range(&self, what: fn(&Figure) -> f64) -> (f64, f64) {
        self.figures.iter().map(what).fold((f64::MAX, 0.0), |(low, high), it| (low.min(it), high.max(it)))
    }
    fn json(&self) -> String {
        let ((ns, ratio, share), contender, mode) = (self.medians(), self.contender.name(), self.mode);
        let worst = self.range(|figure| figure.share).0;
        let head = format!(r#"{{"mode":"{mode}","contender":"{contender}","ns":{ns:.2},"ratio":{ratio:.3}"#);
        if mode == Mode::Time { format!(r#"{head},"share":{share:.3},"worst_share":{worst:.3}}}"#) } else { head + "}" }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((ns, ratio, share), name) = (self.medians(), self.contender.name());
        let (low, high) = self.range(|figure| figure.ns);
        write!(f, "{:<12} {name:<29} {ns:>8.1} {ratio:>6.2} {:>17}", self.mode, format!("{low:.1} to {high:.1}"))?;
        if self.mode == Mode::Time {
            write!(f, " {share:>6.2} {:>6.2}", self.range(|figure| figure.share).0)?;
        }
        Ok(())
    }
}

fn measure(arena: &Arena, rounds: usize) -> Fallible<Vec<Row>> {
    let row = |mode, contender| Row { mode, contender, figures: Vec::new(), ratios: Vec::new() };
    let mut table: Vec<Vec<Row>> =
        MODES.iter().map(|(mode, all)| all.iter().map(|contender| row(*mode, *contender)).collect()).collect();
    for _ in 0..rounds {
        for rows in &mut table {
            let mut normal = None;
            for row in rows {
                let figure = arena.run(row.mode, row.contender)?;
                row.ratios.push(figure.ns / *normal.get_or_insert(figure.ns));
                row.figures.push(figure);
            }
        }
    }
    Ok(table.into_iter().flatten().collect())
}

fn run(arguments: &[String]) -> Fallible<()> {
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let rounds = arena::rounds(arguments, 9)?;
    let Some(peer) = Peer::compile("pthread_peer", PEER, &[arena::C])? else {
        println!("no C compiler (`cc`): nothing to compare with");
        return Ok(());
    };
    let cpus = Cpus::asked_for(arguments);
    let (rounds, iterations, increments, time) = match has("--bench") {
        true => (rounds, 4_000_000, 1_000_000, Duration::from_millis(200)),
        false => (1, 10_000, 1_000, Duration::from_millis(5)),
    };
    let rows = measure(&Arena { peer, cpus, iterations, increments, time }, rounds)?;
    if has("--json") {
        println!("[{}]", rows.iter().map(Row::json).collect::<Vec<_>>().join(",\n "));
        return Ok(());
    }
    println!("{rounds} rounds, medians; two CPUs: {}", cpus.0.map_or("not pinned".into(), |cpus| format!("{cpus:?}")));
    println!(
        "{:<12} {:<29} {:>8} {:>6} {:>17} {:>6} {:>6}",
        "mode", "contender", "ns", "ratio", "range", "share", "worst"
    );
    for row in &rows {
        println!("{row}");
    }
    Ok(())
}

fn main() -> ExitCode {
    arena::main(run)
}
