//! Programs for queues: what a process can do with one, how it is told what came of that in a number, and how it does it with
//! the library's own handles. Everybody puts and gets, and nobody waits for ever.

use super::processes::Error;
use super::program_roles::{FAILED, Scribe};
use crate::spec::peers::Peers;
use crate::spec::queue::{Answer, Message, Op};
use crate::spec::{joinable, queue};
use procession::{
    AsIs, Content, GetError, GetTimeoutError, Getter, JoinError, JoinTimeoutError, JoinableQueue, PutError,
    PutTimeoutError, Putter, Queue, QueueError, TaskDoneError, TryGetError, TryPutError,
};
use std::time::Duration;

/// Messages at most.
pub(super) const MOST: usize = 2;
/// Everybody there can be.
const EVERYBODY: &[usize] = &[0, 1, 2, 3];
/// Short, so that it comes to an end now and then.
const SOON: Duration = Duration::from_millis(1);

const fn message(id: u8) -> Message {
    Message { id, bytes: 8 }
}

/// What a process can do with a queue.
pub const QUEUE_OPS: &[Op] = &[
    Op::TryPut(message(1)),
    Op::TryPut(message(2)),
    Op::PutTimeout(message(3)),
    Op::PutTimeout(message(4)),
    Op::TryGet,
    Op::TryGet,
    Op::GetTimeout,
    Op::GetTimeout,
    Op::Len,
    Op::IsEmpty,
    Op::IsFull(message(0)),
    Op::Close,
];

/// What a process can do with a joinable queue.
pub const TASK_OPS: &[joinable::Op] = &[
    joinable::Op::Queue(Op::TryPut(message(1))),
    joinable::Op::Queue(Op::PutTimeout(message(2))),
    joinable::Op::Queue(Op::PutTimeout(message(3))),
    joinable::Op::Queue(Op::TryGet),
    joinable::Op::Queue(Op::GetTimeout),
    joinable::Op::Queue(Op::GetTimeout),
    joinable::Op::Queue(Op::Len),
    joinable::Op::JoinTimeout,
    joinable::Op::JoinTimeout,
    joinable::Op::Unfinished,
    joinable::Op::Acknowledge,
    joinable::Op::TaskDone,
    joinable::Op::TaskDone,
];

/// The specification of a queue of these.
pub(super) fn queue_spec() -> queue::Queue {
    // There are as many words as one likes.
    queue::Queue::new(1 << 10, MOST, false, false, [EVERYBODY, EVERYBODY])
}

/// ... and of a joinable one.
pub(super) fn task_spec() -> joinable::Joinable {
    let peers = Peers { slots: EVERYBODY.iter().copied().map(Some).collect() };
    joinable::Joinable::new(queue_spec(), 0, 1 << 30, peers)
}

const DONE: u64 = 0;
const TIMED_OUT: u64 = 2;
const DISCONNECTED: u64 = 4;
const NO_TASK: u64 = 5;
const GOT: u64 = 1;
const COUNT: u64 = 2;
const IS: u64 = 3;
const DIED: u64 = 4;

/// An answer with a number in it.
fn with(kind: u64, number: u64) -> u64 {
    kind << 32 | number & 0xffff_ffff
}

/// What was got; whatever nobody has put is not cut to something that somebody has.
fn got(id: u64) -> u64 {
    with(GOT, id.min(u32::MAX.into()))
}

pub(super) fn queue_answer(code: u64) -> Option<Answer> {
    Some(match (code >> 32, code & 0xffff_ffff) {
        (0, DONE) => Answer::Done,
        (0, 1) => Answer::WouldBlock,
        (0, TIMED_OUT) => Answer::TimedOut,
        (0, 3) => Answer::Closed,
        (0, DISCONNECTED) => Answer::Disconnected,
        (GOT, id) => u8::try_from(id).map_or(Answer::Garbled, |id| Answer::Got(message(id))),
        (COUNT, count) => Answer::Count(count as usize),
        (IS, truth) => Answer::Is(truth == 1),
        _ => return None,
    })
}

/// Those of the operations that a queue has not are told apart from it by a bit.
const TASKS: u64 = 1 << 48;

pub(super) fn task_answer(code: u64) -> Option<joinable::Answer> {
    if code & TASKS == 0 {
        return queue_answer(code).map(joinable::Answer::Queue);
    }
    let code = code & !TASKS;
    Some(match (code >> 32, code & 0xffff_ffff) {
        (0, DONE) => joinable::Answer::Done,
        (0, TIMED_OUT) => joinable::Answer::TimedOut,
        (0, DISCONNECTED) => joinable::Answer::Disconnected,
        (0, NO_TASK) => joinable::Answer::NoTask,
        (COUNT, count) => joinable::Answer::Count(count as usize),
        (DIED, tasks) => joinable::Answer::WorkerDied(tasks as usize),
        _ => return None,
    })
}

/// Plays a program.
pub(super) fn play_queue(scribe: &Scribe, steps: &[usize], queue: &Queue<u64, AsIs>) -> Result<(), Error> {
    let (putter, getter) = (queue.putter(), queue.getter());
    scribe.play(steps, QUEUE_OPS.len(), |_| false, |op| act(&putter, &getter, &QUEUE_OPS[op]))
}

/// ... with tasks. At last all are reported that are in hand: to end with one is a death.
pub(super) fn play_tasks(scribe: &Scribe, steps: &[usize], queue: &JoinableQueue<u64, AsIs>) -> Result<(), Error> {
    let (putter, getter) = (queue.putter(), queue.getter());
    let reports = std::iter::repeat_n(TASK_OPS.len() - 1, steps.len());
    let steps: Vec<usize> = steps.iter().copied().chain(reports).collect();
    let counted = |told: Result<usize, QueueError>| told.map_or(FAILED, |count| TASKS | with(COUNT, count as u64));
    let act = |op: usize| match TASK_OPS[op] {
        joinable::Op::Queue(op) => act(&putter, &getter, &op),
        joinable::Op::Unfinished => counted(queue.unfinished()),
        joinable::Op::Acknowledge => counted(queue.acknowledge()),
        joinable::Op::TaskDone => match queue.task_done() {
            Ok(()) => TASKS | DONE,
            Err(TaskDoneError::NoTask) => TASKS | NO_TASK,
            Err(_) => FAILED,
        },
        joinable::Op::JoinTimeout => match queue.join_timeout(SOON) {
            Ok(()) => TASKS | DONE,
            Err(JoinTimeoutError::TimedOut) => TASKS | TIMED_OUT,
            Err(JoinTimeoutError::Join(JoinError::Disconnected)) => TASKS | DISCONNECTED,
            Err(JoinTimeoutError::Join(JoinError::WorkerDied { tasks })) => TASKS | with(DIED, tasks as u64),
            Err(_) => FAILED,
        },
        joinable::Op::Join | joinable::Op::Peer(_) => FAILED,
    };
    scribe.play(&steps, TASK_OPS.len(), |_| false, act)
}

fn act<Q: Content>(putter: &Putter<u64, AsIs, Q>, getter: &Getter<u64, AsIs, Q>, op: &Op) -> u64 {
    let put = |error: &PutError| match error {
        PutError::Closed => 3,
        PutError::Disconnected => DISCONNECTED,
        _ => FAILED,
    };
    let get = |error: &GetError| match error {
        GetError::Closed => 3,
        GetError::Disconnected => DISCONNECTED,
        _ => FAILED,
    };
    match *op {
        Op::TryPut(message) => match putter.try_put(message.id.into()).map_err(|unsent| unsent.error) {
            Ok(()) => DONE,
            Err(TryPutError::Full) => 1,
            Err(TryPutError::Put(error)) => put(&error),
        },
        Op::PutTimeout(message) => match putter.put_timeout(message.id.into(), SOON).map_err(|unsent| unsent.error) {
            Ok(()) => DONE,
            Err(PutTimeoutError::TimedOut) => TIMED_OUT,
            Err(PutTimeoutError::Put(error)) => put(&error),
        },
        Op::TryGet => match getter.try_get() {
            Ok(id) => got(id),
            Err(TryGetError::Empty) => 1,
            Err(TryGetError::Get(error)) => get(&error),
        },
        Op::GetTimeout => match getter.get_timeout(SOON) {
            Ok(id) => got(id),
            Err(GetTimeoutError::TimedOut) => TIMED_OUT,
            Err(GetTimeoutError::Get(error)) => get(&error),
        },
        Op::Len => getter.len().map_or(FAILED, |count| with(COUNT, count as u64)),
        Op::IsEmpty => with(IS, getter.is_empty().into()),
        Op::IsFull(_) => with(IS, putter.is_full().into()),
        Op::Close => putter.close().map_or(FAILED, |()| DONE),
        Op::Put(_) | Op::Get | Op::PutTwo(..) | Op::GetTwo | Op::Discard => FAILED,
    }
}
