//! Programs on real processes: each process does its operations, all at once; what they were told is judged.
//!
//! Every call and every return takes a ticket from one shared counter, a locked instruction: so the tickets' order is an
//! order in which things happened. The events stand in shared memory and outlive a process that kills itself.

use super::processes::{Barrier, Error, Helper, Started};
use crate::check::{Order, Verdict, check};
use crate::draw;
use crate::history::{Event, History};
use crate::spec::{Actor, Spec, lock, value};
use crate::worlds::checked::Line;
use nix::sys::signal::{Signal, kill};
use nix::unistd::getpid;
use procession::{
    AccessError, Handle, Lock, LockError, LockTimeoutError, RLock, RawValue, ShareExt, TryLockError, Value, ValueGuard,
    ValueLockError,
};
use std::process::Command;
use std::time::Duration;

/// What the processes use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A `Lock` and a counter.
    Lock,
    /// An `RLock` and a counter.
    RLock,
    /// Two values of a word each.
    Value,
    /// Two values of several words each.
    Wide,
}

/// What a process does, step by step: numbers of [`LOCK_OPS`] or [`VALUE_OPS`]; one past the end kills the process.
pub type Steps = Vec<usize>;

/// What a process with a lock can do.
pub const LOCK_OPS: &[lock::Op] =
    &[lock::Op::Lock, lock::Op::TryLock, lock::Op::LockTimeout, lock::Op::Count, lock::Op::Unlock];

/// What a process with two values can do.
pub const VALUE_OPS: &[value::Op] = &[
    value::Op::Get(0),
    value::Op::Get(1),
    value::Op::Set(0, 3),
    value::Op::Set(1, 4),
    value::Op::Add(0, 1),
    value::Op::Add(1, 1),
    value::Op::CompareExchange(0, 3, 9),
    value::Op::Lock(0),
    value::Op::Lock(1),
    value::Op::Unlock(0),
    value::Op::Unlock(1),
];

/// The most steps of a process.
pub const LONGEST: usize = 7;
/// Three words an event: the ticket, which operation or none, the answer. A step has two events, and what it takes must be
/// let go of at the end.
const LOG: usize = 3 * 2 * 2 * LONGEST;
type Log = RawValue<[u64; LOG]>;

impl Target {
    /// How many different steps there are, dying not among them.
    pub fn ops(self) -> usize {
        match self {
            Target::Lock | Target::RLock => LOCK_OPS.len(),
            Target::Value | Target::Wide => VALUE_OPS.len(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Target::Lock => "lock",
            Target::RLock => "rlock",
            Target::Value => "value",
            Target::Wide => "wide",
        }
    }
}

/// Runs a program, one process for each list of steps, and judges it. `Ok(Err(_))`: the story that no specification allows.
pub fn run(helper: &Helper, target: Target, program: &[Steps]) -> Result<Result<(), String>, Error> {
    match target {
        Target::Lock => run_on(helper, target, program, &lock::Lock::default(), LOCK_OPS, lock_answer),
        Target::RLock => run_on(helper, target, program, &lock::Lock::recursive(), LOCK_OPS, lock_answer),
        Target::Value | Target::Wide => {
            run_on(helper, target, program, &value::Values::default(), VALUE_OPS, value_answer)
        }
    }
}

fn run_on<S: Spec>(
    helper: &Helper,
    target: Target,
    program: &[Steps],
    spec: &S,
    ops: &[S::Op],
    answer: fn(u64) -> Option<S::Answer>,
) -> Result<Result<(), String>, Error> {
    let shared = Shared::new(target)?;
    let (tickets, barrier) = (RawValue::new(1u64)?, Barrier::new()?);
    let logs = program.iter().map(|_| Log::new([0; LOG])).collect::<Result<Vec<Log>, _>>()?;
    let mut helpers = Vec::new();
    for (process, steps) in program.iter().enumerate() {
        let steps: Vec<String> = steps.iter().take(LONGEST).map(usize::to_string).collect();
        let task = format!("program {} {} {}", target.name(), program.len(), steps.join(","));
        let mut command = helper.task(&task);
        command.share("tickets", &tickets).share("log", &logs[process]);
        barrier.share("barrier", &mut command);
        shared.share(&mut command);
        helpers.push(Started::new(&mut command)?);
    }
    for (started, steps) in helpers.iter_mut().zip(program) {
        let kills_itself = steps.iter().take(LONGEST).any(|step| *step >= ops.len());
        let status = started.wait()?;
        if !(status.success() || kills_itself && status.code().is_none()) {
            return Err(format!("a helper ended with {status}").into());
        }
    }
    let mut events = Vec::new();
    let mut deaths = Vec::new();
    for (process, log) in logs.iter().enumerate() {
        let actor = Actor { process, role: process };
        let log = log.get()?;
        for entry in log.chunks_exact(3).take_while(|entry| entry[0] != 0) {
            let event = match ops.get(usize::try_from(entry[1])?.wrapping_sub(1)) {
                Some(op) => Event::Call(actor, op.clone()),
                None => Event::Return(actor, answer(entry[2]).ok_or("an answer that does not exist")?),
            };
            events.push((entry[0], event));
        }
        if program[process].iter().take(LONGEST).any(|step| *step >= ops.len()) {
            deaths.push(process);
        }
    }
    events.sort_by_key(|(ticket, _)| *ticket);
    let history: History<S::Op, S::Answer> = events.into_iter().map(|(_, event)| event).collect();
    if possible_deaths(&history, &deaths)
        .any(|history| matches!(check(spec, &history, Order::RealTime, 1_000_000), Verdict::Ok(_)))
    {
        return Ok(Ok(()));
    }
    let lines: Vec<Line<S::Op, S::Answer>> = history.into_iter().map(Line::Event).collect();
    Ok(Err(draw::story(&lines, program.len())))
}

/// The history with each death at every place where it may have been: nobody saw the moment. Some place must do.
fn possible_deaths<'a, O: Clone, A: Clone>(
    history: &'a History<O, A>,
    deaths: &'a [usize],
) -> Box<dyn Iterator<Item = History<O, A>> + 'a> {
    let Some((first, rest)) = deaths.split_first() else { return Box::new(std::iter::once(history.clone())) };
    let actor_of = |event: &Event<O, A>| match event {
        Event::Call(actor, _) | Event::Return(actor, _) => actor.process,
        Event::Died(process) => *process,
    };
    Box::new(possible_deaths(history, rest).flat_map(move |history| {
        let last = history.iter().rposition(|event| actor_of(event) == *first).map_or(0, |last| last + 1);
        (last..=history.len()).map(move |place| {
            let mut history = history.clone();
            history.insert(place, Event::Died(*first));
            history
        })
    }))
}

/// What all processes of a program use.
enum Shared {
    Lock(Lock, RawValue<u64>),
    RLock(RLock, RawValue<u64>),
    Value([Value<u64>; 2]),
    Wide([Value<[u64; 4]>; 2]),
}

impl Shared {
    fn new(target: Target) -> Result<Shared, Error> {
        Ok(match target {
            Target::Lock => Shared::Lock(Lock::new()?, RawValue::new(0)?),
            Target::RLock => Shared::RLock(RLock::new()?, RawValue::new(0)?),
            Target::Value => Shared::Value([Value::new(0)?, Value::new(0)?]),
            Target::Wide => Shared::Wide([Value::new([0; 4])?, Value::new([0; 4])?]),
        })
    }

    fn share(&self, command: &mut Command) {
        match self {
            Shared::Lock(lock, counter) => command.share("first", lock).share("second", counter),
            Shared::RLock(lock, counter) => command.share("first", lock).share("second", counter),
            Shared::Value([first, second]) => command.share("first", first).share("second", second),
            Shared::Wide([first, second]) => command.share("first", first).share("second", second),
        };
    }
}

/// What a process of a program does.
pub(super) fn serve(task: &str) -> Result<(), Error> {
    let mut words = task.split(' ');
    let (target, processes, steps) = (words.next(), words.next(), words.next());
    let processes: u64 = processes.unwrap_or_default().parse()?;
    let steps = steps.unwrap_or_default().split(',').filter(|step| !step.is_empty());
    let steps = steps.map(str::parse).collect::<Result<Steps, _>>()?;
    let scribe = Scribe { tickets: RawValue::inherited("tickets")?, log: Log::inherited("log")? };
    let barrier = Barrier::inherited("barrier")?;
    let second = || RawValue::inherited("second");
    match target {
        Some("lock") => {
            let (lock, counter) = (Lock::inherited("first")?, second()?);
            barrier.meet(processes)?;
            play_lock(&scribe, &steps, &counter, |op| match op {
                lock::Op::TryLock => try_answer(lock.try_lock()),
                lock::Op::LockTimeout => timeout_answer(lock.lock_timeout(Duration::from_millis(1))),
                _ => outcome(lock.lock()),
            })
        }
        Some("rlock") => {
            let (lock, counter) = (RLock::inherited("first")?, second()?);
            barrier.meet(processes)?;
            play_lock(&scribe, &steps, &counter, |op| match op {
                lock::Op::TryLock => try_answer(lock.try_lock()),
                lock::Op::LockTimeout => timeout_answer(lock.lock_timeout(Duration::from_millis(1))),
                _ => outcome(lock.lock()),
            })
        }
        Some("value") => {
            let values = [Value::inherited("first")?, Value::inherited("second")?];
            barrier.meet(processes)?;
            play_value(&scribe, &steps, &values, |number| number, Some)
        }
        Some("wide") => {
            let values = [Value::inherited("first")?, Value::inherited("second")?];
            barrier.meet(processes)?;
            let whole = |value: [u64; 4]| value.iter().all(|word| *word == value[0]).then_some(value[0]);
            play_value(&scribe, &steps, &values, |number| [number; 4], whole)
        }
        _ => Err("no such target".into()),
    }
}

/// An answer that no specification knows.
const FAILED: u64 = 99;

fn outcome<G>(told: Result<G, LockError<G>>) -> (Option<G>, u64) {
    match told {
        Ok(guard) => (Some(guard), 0),
        Err(LockError::OwnerDied(guard)) => (Some(guard), 1),
        Err(LockError::WouldDeadlock) => (None, 4),
        Err(_) => (None, FAILED),
    }
}

fn try_answer<G>(told: Result<G, TryLockError<G>>) -> (Option<G>, u64) {
    match told {
        Ok(guard) => outcome(Ok(guard)),
        Err(TryLockError::WouldBlock) => (None, 2),
        Err(TryLockError::Lock(error)) => outcome(Err(error)),
    }
}

fn timeout_answer<G>(told: Result<G, LockTimeoutError<G>>) -> (Option<G>, u64) {
    match told {
        Ok(guard) => outcome(Ok(guard)),
        Err(LockTimeoutError::TimedOut) => (None, 3),
        Err(LockTimeoutError::Lock(error)) => outcome(Err(error)),
    }
}

fn lock_answer(code: u64) -> Option<lock::Answer> {
    Some(match code {
        0 => lock::Answer::Locked,
        1 => lock::Answer::OwnerDied,
        2 => lock::Answer::WouldBlock,
        3 => lock::Answer::TimedOut,
        4 => lock::Answer::WouldDeadlock,
        5 => lock::Answer::Unlocked,
        count if count >> 32 == 1 => lock::Answer::Counted(count & 0xffff_ffff),
        _ => return None,
    })
}

fn value_answer(code: u64) -> Option<value::Answer> {
    Some(match code {
        0 => value::Answer::Locked,
        1 => value::Answer::OwnerDied,
        2 => value::Answer::Done,
        4 => value::Answer::WouldDeadlock,
        5 => value::Answer::Torn(0, 0),
        held if held >> 32 == 1 => value::Answer::Held(held & 0xffff_ffff),
        _ => return None,
    })
}

fn number(number: u64) -> u64 {
    1 << 32 | number & 0xffff_ffff
}

struct Scribe {
    tickets: RawValue<u64>,
    log: Log,
}

impl Scribe {
    fn write(&self, entries: &mut [u64; LOG], at: &mut usize, op: usize, answer: u64) -> Result<(), Error> {
        let Some(entry) = entries.get_mut(*at..*at + 3) else { return Err("the log is full".into()) };
        entry.copy_from_slice(&[self.tickets.fetch_add(1)?, op as u64, answer]);
        *at += 3;
        self.log.set(*entries);
        Ok(())
    }

    /// Notes the call and the answer of every step; at last lets go of whatever is held.
    fn play(
        &self,
        steps: &[usize],
        ops: usize,
        leaves_out: impl Fn(usize) -> bool,
        act: impl Fn(usize) -> u64,
    ) -> Result<(), Error> {
        let (mut entries, mut at) = ([0; LOG], 0);
        for op in steps {
            if *op >= ops {
                kill(getpid(), Signal::SIGKILL)?;
            }
            if !leaves_out(*op) {
                self.write(&mut entries, &mut at, op + 1, 0)?;
                let answer = act(*op);
                self.write(&mut entries, &mut at, 0, answer)?;
            }
        }
        Ok(())
    }
}

fn play_lock<G>(
    scribe: &Scribe,
    steps: &[usize],
    counter: &RawValue<u64>,
    enter: impl Fn(lock::Op) -> (Option<G>, u64),
) -> Result<(), Error> {
    let held = std::cell::RefCell::new(Vec::new());
    // To end while it holds the lock would be a death. As many as can have been taken; what is not held is left out.
    let unlocks = std::iter::repeat_n(LOCK_OPS.len() - 1, steps.len());
    let steps: Vec<usize> = steps.iter().copied().chain(unlocks).collect();
    let leaves_out = |op: usize| matches!(LOCK_OPS[op], lock::Op::Unlock | lock::Op::Count) && held.borrow().is_empty();
    scribe.play(&steps, LOCK_OPS.len(), leaves_out, |op| match LOCK_OPS[op] {
        lock::Op::Unlock => {
            drop(held.borrow_mut().pop());
            5
        }
        lock::Op::Count => {
            let Ok(count) = counter.get() else { return FAILED };
            counter.set(count + 1);
            number(count)
        }
        op => {
            let (guard, answer) = enter(op);
            held.borrow_mut().extend(guard);
            answer
        }
    })
}

fn play_value<T: procession::Plain + PartialEq>(
    scribe: &Scribe,
    steps: &[usize],
    values: &[Value<T>; 2],
    make: impl Fn(u64) -> T + Copy,
    whole: impl Fn(T) -> Option<u64> + Copy,
) -> Result<(), Error> {
    let held: std::cell::RefCell<Option<(usize, ValueGuard<'_, T>)>> = std::cell::RefCell::new(None);
    let told = move |old: Result<T, AccessError>| match old {
        Ok(old) => whole(old).map_or(5, number),
        Err(AccessError::WouldDeadlock) => 4,
        Err(_) => FAILED,
    };
    let steps: Vec<usize> = steps.iter().copied().chain([VALUE_OPS.len() - 2, VALUE_OPS.len() - 1]).collect();
    let leaves_out = |op: usize| {
        let holds = held.borrow().as_ref().map(|(value, _)| *value);
        match VALUE_OPS[op] {
            value::Op::Get(_) => false,
            value::Op::Unlock(value) | value::Op::AddHeld(value, _) => holds != Some(value),
            // Two locks in two orders would be a deadlock of the program's own making.
            value::Op::Set(value, _)
            | value::Op::Add(value, _)
            | value::Op::Plus(value, _)
            | value::Op::Lock(value)
            | value::Op::CompareExchange(value, ..) => holds.is_some_and(|held| held != value),
        }
    };
    scribe.play(&steps, VALUE_OPS.len(), leaves_out, |op| match VALUE_OPS[op] {
        value::Op::Get(value) => told(values[value].get()),
        value::Op::Set(value, new) => match values[value].set(make(new)) {
            Ok(()) => 2,
            Err(AccessError::WouldDeadlock) => 4,
            Err(_) => FAILED,
        },
        value::Op::Add(value, more) | value::Op::Plus(value, more) => {
            told(values[value].update(|old| *old = make(whole(*old).unwrap_or(FAILED) + more)))
        }
        value::Op::CompareExchange(value, current, new) => told(values[value].update(|old| {
            if *old == make(current) {
                *old = make(new);
            }
        })),
        value::Op::Lock(value) => {
            let (guard, answer) = match values[value].lock() {
                Ok(guard) => (guard, 0),
                Err(ValueLockError::Lock(LockError::OwnerDied(guard))) => (guard, 1),
                Err(ValueLockError::Lock(LockError::WouldDeadlock)) => return 4,
                Err(_) => return FAILED,
            };
            *held.borrow_mut() = Some((value, guard));
            answer
        }
        value::Op::Unlock(_) | value::Op::AddHeld(..) => {
            drop(held.borrow_mut().take());
            2
        }
    })
}
