//! All small programs: not scenarios that somebody thought of, but every one there is, up to a size, over what can be done with
//! a primitive. Each is explored in full and judged.

use super::array::{ArraySubject, Guarded};
use super::lock::LockSubject;
use super::pipe::{fixed, pipe};
use super::queue::queue;
use super::value::ValueSubject;
use crate::explorer::{Limits, Ticks, explore};
use crate::scenario::{Role, Scenario, Subject};
use crate::spec::pipe::Message;
use crate::spec::{array, lock, pipe as piped, queue as queued, value};
use crate::worlds::Violation;
use crate::worlds::is_interrupted;
use std::fmt;
use std::time::Instant;

/// What a family of programs came to.
#[derive(Debug, Clone, Default)]
pub struct Total {
    /// How many programs there are; roles are told apart by what they do, not by their order.
    pub programs: u64,
    /// How many of them were explored in full.
    pub exhausted: u64,
    /// How many states they have.
    pub states: u64,
    /// What was wrong with the first that was wrong, and its story.
    pub violation: Option<Violation>,
}

/// How large programs are, at the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// How many roles there are.
    pub roles: usize,
    /// How many things each does.
    pub each: usize,
    /// How many things they do in all.
    pub in_all: usize,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Size { roles, each, in_all } = *self;
        write!(f, "{roles} x {each}")?;
        if in_all < roles * each { write!(f, ", {in_all} in all") } else { Ok(()) }
    }
}

/// A primitive, and how all its programs up to a size are run.
pub struct Family {
    /// Its name.
    pub name: &'static str,
    run: fn(Size, &Limits) -> Total,
}

impl Family {
    /// Explores every program of at most this size.
    pub fn run(&self, size: Size, limits: &Limits) -> Total {
        (self.run)(size, limits)
    }
}

/// All of them.
pub const FAMILIES: &[Family] = &[
    Family { name: "lock", run: |size, limits| run(LockSubject { recursive: false }, LOCK, size, limits) },
    Family { name: "rlock", run: |size, limits| run(LockSubject { recursive: true }, RLOCK, size, limits) },
    Family { name: "value", run: |size, limits| run(ValueSubject { bytes: 8 }, VALUE, size, limits) },
    Family { name: "wide", run: |size, limits| run(ValueSubject { bytes: 16 }, VALUE, size, limits) },
    Family { name: "elements", run: |size, limits| run(ARRAY, ELEMENTS, size, limits) },
    Family { name: "slices", run: |size, limits| run(ARRAY, SLICES, size, limits) },
    Family { name: "queue", run: run_queue },
    Family { name: "pipe", run: |size, limits| run_ends(pipe(1), [SENDER, RECEIVER], size, limits) },
    Family { name: "pipe-fixed", run: |size, limits| run_ends(fixed(2), [FIXED_SENDER, FIXED_RECEIVER], size, limits) },
];

const ARRAY: ArraySubject = ArraySubject { guarded: Guarded::Own };

// A thing is done to its end: whoever takes a lock lets go of it, or those who wait would be right to wait for ever.
const LOCK: &[&[lock::Op]] = &[
    &[lock::Op::Lock, lock::Op::Count, lock::Op::Unlock],
    &[lock::Op::TryLock, lock::Op::Count, lock::Op::Unlock],
    &[lock::Op::LockTimeout, lock::Op::Count, lock::Op::Unlock],
    &[lock::Op::Lock, lock::Op::Lock, lock::Op::Unlock],
];
const RLOCK: &[&[lock::Op]] = &[
    &[lock::Op::Lock, lock::Op::Count, lock::Op::Unlock],
    &[lock::Op::TryLock, lock::Op::Count, lock::Op::Unlock],
    &[lock::Op::LockTimeout, lock::Op::Count, lock::Op::Unlock],
    &[lock::Op::Lock, lock::Op::Lock, lock::Op::Count, lock::Op::Unlock, lock::Op::Unlock],
];
const VALUE: &[&[value::Op]] = &[
    &[value::Op::Get(0)],
    &[value::Op::Set(0, 7)],
    &[value::Op::Add(0, 1)],
    &[value::Op::CompareExchange(0, 0, 5)],
    &[value::Op::Lock(0), value::Op::AddHeld(0, 1), value::Op::Unlock(0)],
];
const ELEMENTS: &[&[array::Op]] = &[
    &[array::Op::Get(0)],
    &[array::Op::Get(1)],
    &[array::Op::Set(0, 7)],
    &[array::Op::Set(1, 8)],
    &[array::Op::Add(0, 1)],
];
const SLICES: &[&[array::Op]] = &[
    &[array::Op::Read],
    &[array::Op::Write(7)],
    &[array::Op::Update(1)],
    &[array::Op::Lock, array::Op::AddHeld(0, 1), array::Op::AddHeld(1, 1), array::Op::Unlock],
];

const QUEUE: &[&[queued::Op]] = &[
    &[queued::Op::Put(FIRST)],
    &[queued::Op::TryPut(SECOND)],
    &[queued::Op::PutTimeout(THIRD)],
    &[queued::Op::PutTwo(FIRST, SECOND)],
    &[queued::Op::Get],
    &[queued::Op::TryGet],
    &[queued::Op::GetTimeout],
    &[queued::Op::GetTwo],
    &[queued::Op::IsEmpty, queued::Op::Len, queued::Op::IsFull(FIRST)],
    &[queued::Op::Close],
    &[queued::Op::Close, queued::Op::Discard],
];
const FIRST: queued::Message = queued::Message { id: 1, bytes: 8 };
const SECOND: queued::Message = queued::Message { id: 2, bytes: 8 };
const THIRD: queued::Message = queued::Message { id: 3, bytes: 8 };

// The sender's end and the receiver's: each is closed after all.
const SENDER: [&[&[piped::Op]]; 2] = [
    &[
        &[piped::Op::Send(LONG)],
        &[piped::Op::TrySend(SHORT)],
        &[piped::Op::SendTimeout(SHORT)],
        &[piped::Op::Stage(SHORT), piped::Op::Stage(EMPTY), piped::Op::Commit],
    ],
    &[&[piped::Op::Close(piped::Side::Sender)]],
];
const RECEIVER: [&[&[piped::Op]]; 2] = [
    &[&[piped::Op::Recv], &[piped::Op::TryRecv], &[piped::Op::RecvTimeout], &[piped::Op::Poll, piped::Op::TryRecv]],
    &[&[piped::Op::Close(piped::Side::Receiver)]],
];
const FIXED_SENDER: [&[&[piped::Op]]; 2] = [
    &[
        &[piped::Op::Send(SHORT)],
        &[piped::Op::TrySend(OTHER)],
        &[piped::Op::SendTimeout(SHORT)],
        &[piped::Op::Stage(SHORT), piped::Op::Stage(OTHER), piped::Op::Commit],
    ],
    SENDER[1],
];
const FIXED_RECEIVER: [&[&[piped::Op]]; 2] =
    [&[&[piped::Op::Recv], &[piped::Op::TryRecv], &[piped::Op::RecvTimeout], &[piped::Op::RecvTwo]], RECEIVER[1]];
const SHORT: Message = Message { id: 1, bytes: 8 };
const OTHER: Message = Message { id: 3, bytes: 8 };
const LONG: Message = Message { id: 2, bytes: 12 };
const EMPTY: Message = Message { id: 0, bytes: 0 };

/// Explores one program after the other, until something is wrong or the time is over.
struct Explorer<'a, S> {
    subject: S,
    limits: &'a Limits,
    until: Instant,
    total: Total,
}

impl<'a, S: Subject> Explorer<'a, S> {
    fn new(subject: S, limits: &'a Limits) -> Explorer<'a, S> {
        Explorer { subject, limits, until: Instant::now() + limits.time, total: Total::default() }
    }

    fn explore<'o>(&mut self, roles: impl Iterator<Item = &'o Vec<S::Op>>) {
        self.total.programs += 1;
        if self.total.violation.is_some() || Instant::now() >= self.until || is_interrupted() {
            return;
        }
        let role = |(process, ops): (usize, &Vec<S::Op>)| Role { process, ops: ops.clone() };
        let roles = roles.enumerate().map(role).collect();
        let scenario = Scenario { name: "small", subject: self.subject.clone(), roles, fails: false };
        let explored = explore(&scenario, self.limits);
        self.total.exhausted += u64::from(explored.exhausted);
        self.total.states += explored.states;
        self.total.violation = explored.violation;
    }
}

fn run<S: Subject>(subject: S, things: &[&[S::Op]], size: Size, limits: &Limits) -> Total {
    let lines = lines(things, size.each);
    let mut explorer = Explorer::new(subject, limits);
    for count in 2..=size.roles {
        // Roles in ascending order of what they do: the same program with its roles changed about is the same program.
        let mut chosen = vec![0; count];
        loop {
            let in_all: usize = chosen.iter().map(|line: &usize| lines[*line].0).sum();
            if in_all <= size.in_all {
                explorer.explore(chosen.iter().map(|line| &lines[*line].1));
            }
            let Some(place) = (0..count).rev().find(|place| chosen[*place] + 1 < lines.len()) else { break };
            let next = chosen[place] + 1;
            chosen[place..].fill(next);
        }
    }
    explorer.total
}

/// Everybody puts and gets. A queue has two locks: who has found out about a death at one of them may find out again at the
/// other, in an operation that comes later.
fn run_queue(size: Size, limits: &Limits) -> Total {
    let everybody: &[usize] = if size.roles == 2 { &[0, 1] } else { &[0, 1, 2] };
    run(queue(1, everybody, everybody), QUEUE, size, &Limits { ticks: Ticks::EachOperation, ..*limits })
}

/// Two roles that do different things, and each one thing at last.
fn run_ends<S: Subject>(subject: S, ends: [[&[&[S::Op]]; 2]; 2], size: Size, limits: &Limits) -> Total {
    let [senders, receivers] = ends.map(|[things, last]| {
        let mut lines = lines(things, size.each);
        lines.iter_mut().for_each(|(_, line)| line.extend(last.concat()));
        lines
    });
    let mut explorer = Explorer::new(subject, limits);
    for sender in &senders {
        receivers.iter().for_each(|receiver| explorer.explore([&sender.1, &receiver.1].into_iter()));
    }
    explorer.total
}

/// Everything that a role can do, one thing or several, one after the other: how many things, and their operations.
fn lines<O: Clone>(things: &[&[O]], most: usize) -> Vec<(usize, Vec<O>)> {
    let mut all = Vec::new();
    let mut last: Vec<Vec<O>> = vec![Vec::new()];
    for count in 1..=most {
        last = last.iter().flat_map(|line| things.iter().map(|thing| [line.as_slice(), thing].concat())).collect();
        all.extend(last.iter().map(|line| (count, line.clone())));
    }
    all
}
