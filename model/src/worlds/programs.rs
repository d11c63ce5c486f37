//! Programs on real processes: each process does its operations, all at once; what they were told is judged.
//!
//! Every call and every return takes a ticket from one shared counter, a locked instruction: so the tickets' order is an
//! order in which things happened. The events stand in shared memory and outlive a process that kills itself.

use super::processes::{Barrier, Error, Helper, Started};
use super::program_queues::{MOST, QUEUE_OPS, TASK_OPS, queue_answer, queue_spec, task_answer, task_spec};
use crate::check::{Order, Verdict, check};
use crate::draw;
use crate::history::{Event, History};
use crate::spec::{Actor, Spec, array, lock, value};
use crate::worlds::kernel::Line;
use procession::{Array, AsIs, JoinableQueue, Lock, Queue, QueueOptions, RLock, RawValue, Share, Value};
use std::process::Command;

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
    /// An array, by single elements.
    Elements,
    /// An array, by slices, and one element of it.
    Slices,
    /// A queue.
    Queue,
    /// A queue of tasks.
    Tasks,
}

/// What a process does, step by step: numbers of [`LOCK_OPS`], [`VALUE_OPS`], [`QUEUE_OPS`] and so on; one past the end kills the process.
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

/// What a process can do with single elements.
pub const ELEMENT_OPS: &[array::Op] = &[
    array::Op::Get(0),
    array::Op::Get(1),
    array::Op::Set(0, 3),
    array::Op::Set(1, 4),
    array::Op::Add(0, 1),
    array::Op::Add(1, 1),
];

/// What a process can do with slices. One element may be read, not more: of two, nobody promises that they were so at once.
pub const SLICE_OPS: &[array::Op] = &[
    array::Op::Get(1),
    array::Op::Read,
    array::Op::Write(3),
    array::Op::Write(4),
    array::Op::Update(1),
    array::Op::Lock,
    array::Op::AddHeld(0, 1),
    array::Op::AddHeld(1, 1),
    array::Op::Unlock,
];

/// The most steps of a process.
pub const LONGEST: usize = 7;
/// Three words an event: the ticket, which operation or none, the answer. A step has two events, and what it takes must be
/// let go of at the end.
pub(super) const LOG: usize = 3 * 2 * 2 * LONGEST;
pub(super) type Log = RawValue<[u64; LOG]>;

impl Target {
    /// How many different steps there are, dying not among them.
    pub fn ops(self) -> usize {
        match self {
            Target::Lock | Target::RLock => LOCK_OPS.len(),
            Target::Value | Target::Wide => VALUE_OPS.len(),
            Target::Elements => ELEMENT_OPS.len(),
            Target::Slices => SLICE_OPS.len(),
            Target::Queue => QUEUE_OPS.len(),
            Target::Tasks => TASK_OPS.len(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Target::Lock => "lock",
            Target::RLock => "rlock",
            Target::Value => "value",
            Target::Wide => "wide",
            Target::Elements => "elements",
            Target::Slices => "slices",
            Target::Queue => "queue",
            Target::Tasks => "tasks",
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
        Target::Elements => {
            run_on(helper, target, program, &array::Array::new(false, false), ELEMENT_OPS, array_answer)
        }
        Target::Slices => run_on(helper, target, program, &array::Array::new(false, false), SLICE_OPS, array_answer),
        Target::Queue => run_on(helper, target, program, &queue_spec(), QUEUE_OPS, queue_answer),
        Target::Tasks => run_on(helper, target, program, &task_spec(), TASK_OPS, task_answer),
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
    Array(Array<u32>),
    Queue(Queue<u64, AsIs>),
    Tasks(JoinableQueue<u64, AsIs>),
}

impl Shared {
    fn new(target: Target) -> Result<Shared, Error> {
        Ok(match target {
            Target::Lock => Shared::Lock(Lock::new()?, RawValue::new(0)?),
            Target::RLock => Shared::RLock(RLock::new()?, RawValue::new(0)?),
            Target::Value => Shared::Value([Value::new(0)?, Value::new(0)?]),
            Target::Wide => Shared::Wide([Value::new([0; 4])?, Value::new([0; 4])?]),
            Target::Elements | Target::Slices => Shared::Array(Array::new(array::LENGTH)?),
            Target::Queue => Shared::Queue(QueueOptions::new(MOST).create()?),
            Target::Tasks => Shared::Tasks(QueueOptions::new(MOST).create_joinable()?),
        })
    }

    fn share(&self, command: &mut Command) {
        match self {
            Shared::Lock(lock, counter) => command.share("first", lock).share("second", counter),
            Shared::RLock(lock, counter) => command.share("first", lock).share("second", counter),
            Shared::Value([first, second]) => command.share("first", first).share("second", second),
            Shared::Wide([first, second]) => command.share("first", first).share("second", second),
            Shared::Array(array) => command.share("first", array),
            Shared::Queue(queue) => command.share("first", queue),
            Shared::Tasks(queue) => command.share("first", queue),
        };
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

fn array_answer(code: u64) -> Option<array::Answer> {
    Some(match code {
        0 => array::Answer::Locked,
        1 => array::Answer::OwnerDied,
        2 => array::Answer::Done,
        4 => array::Answer::WouldDeadlock,
        held if held >> 62 == 1 => array::Answer::Slice([held >> 31 & 0x7fff_ffff, held & 0x7fff_ffff]),
        held if held >> 32 == 1 => array::Answer::Held(held & 0xffff_ffff),
        _ => return None,
    })
}
