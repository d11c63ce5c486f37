//! The scenarios of `JoinableQueue`, named by what races with what. Workers come first: theirs are the tallies.

use super::joinable::{JoinableSubject, tasks};
use super::queue::QueueSubject;
use crate::scenario::Scenario;
use crate::spec::joinable::Op;
use crate::spec::peers::Op::{Claim, Release};
use crate::spec::queue::Message;
use crate::spec::queue::Op::{Close, Discard, Get, GetTwo, Put, PutTwo, TryGet};
use procession::algorithm::tally::LIMIT;

/// One word each, and of another kind each, so that one is never taken for another.
const A: Op = Op::Queue(Put(Message { id: 1, bytes: 8 }));
const B: Op = Op::Queue(Put(Message { id: 2, bytes: 8 }));
const BOTH: Op = Op::Queue(PutTwo(Message { id: 1, bytes: 8 }, Message { id: 2, bytes: 8 }));
const GET: Op = Op::Queue(Get);
const GET_TWO: Op = Op::Queue(GetTwo);
const TRY_GET: Op = Op::Queue(TryGet);
const DONE: Op = Op::TaskDone;
const UNFINISHED: Op = Op::Unfinished;
const ACKNOWLEDGE: Op = Op::Acknowledge;
const END: [Op; 2] = [Op::Queue(Close), Op::Queue(Discard)];

const WORK: &[Op] = &[GET, DONE];
const PUT_AND_WORK: &[Op] = &[A, GET, DONE];
const JOIN: &[Op] = &[Op::Join];
const PUT: &[Op] = &[A];
const PUT_TWICE: &[Op] = &[A, B];

/// A process that does all by itself, and others that look on.
const fn alone(most: usize) -> JoinableSubject {
    tasks(most, &[0], &[0])
}

/// The scenarios that every world can run.
pub fn joinables() -> Vec<Scenario<JoinableSubject>> {
    let one = tasks(1, &[1], &[0]);
    let pair = tasks(2, &[0, 1], &[0, 1]);
    // Every count passes its last number: of messages, of what a tally has seen, and the sum of all.
    let past = QueueSubject { past: ((1 << 31) - 1, u32::MAX - 7), ..alone(2).queue };
    let old = JoinableSubject { queue: past, past: u32::MAX, ..alone(2) };
    let full = JoinableSubject { lost: LIMIT - 1, ..alone(2) };
    let left = JoinableSubject { lost: 2, left: 2, ..alone(1) };
    let heir = JoinableSubject { kept: 1, tallies: 1, ..pair };
    vec![
        Scenario::new("joinable-done-join", alone(1), [PUT_AND_WORK, JOIN]),
        Scenario::new("joinable-put-join", one, [WORK, &[A, Op::Join]]),
        Scenario::new("joinable-put-work-join", tasks(1, &[1], &[0]), [WORK, PUT, JOIN]),
        Scenario::new("joinable-work-work", pair, [&[A, GET, DONE], &[B, GET, DONE, UNFINISHED]]),
        Scenario::new("joinable-threads", alone(2), [PUT_AND_WORK, &[B, GET, DONE]]).in_one_process(),
        Scenario::new("joinable-done-done", alone(2), [&[A, B, GET, GET, DONE], &[DONE, DONE]]).in_one_process(),
        Scenario::new("joinable-done-early", alone(2), [&[A, B, GET, GET, DONE, DONE], &[DONE, DONE], JOIN])
            .first_together(2),
        Scenario::new("joinable-done-left", left, [&[A, GET], &[DONE, DONE]]).in_one_process(),
        Scenario::new("joinable-done-too-often", pair, [&[DONE, A, GET, DONE, DONE], &[DONE, UNFINISHED]]),
        Scenario::new("joinable-join-timeout", alone(1), [PUT_AND_WORK, &[Op::JoinTimeout]]),
        Scenario::new("joinable-acknowledge-join", alone(1), [PUT_AND_WORK, &[Op::Join, ACKNOWLEDGE, Op::Join]]),
        Scenario::new("joinable-acknowledge-done", alone(1), [PUT_AND_WORK, &[ACKNOWLEDGE, UNFINISHED]]),
        Scenario::new("joinable-unfinished", alone(1), [PUT_AND_WORK, &[UNFINISHED, UNFINISHED]]),
        Scenario::new("joinable-discard-join", alone(2), [&[A, B, GET, END[0], END[1], DONE], JOIN]),
        Scenario::new("joinable-discard-get", one, [WORK, &[A, END[0], END[1], Op::Join]]),
        Scenario::new(
            "joinable-next-worker",
            heir,
            [&[A, B, GET, DONE, Op::Peer(Release)], &[Op::Peer(Claim), TRY_GET, DONE, UNFINISHED]],
        ),
        Scenario::new("joinable-wrap", old, [&[A, B, GET, DONE, GET, DONE], JOIN]),
        Scenario::new("joinable-limit", full, [&[A, B, ACKNOWLEDGE, B], &[UNFINISHED]]),
    ]
}

/// Scenarios of a size that only the explorer comes to the end of.
pub fn large() -> Vec<Scenario<JoinableSubject>> {
    let one = tasks(1, &[1], &[0]);
    let workers = |most| tasks(most, &[2], &[0, 1]);
    let next = JoinableSubject { tallies: 1, kept: 1, ..tasks(2, &[0], &[0, 1]) };
    const WORK_TWICE: &[Op] = &[GET, DONE, GET, DONE];
    const CLAIM_AND_WORK: &[Op] = &[Op::Peer(Claim), GET, DONE];
    vec![
        Scenario::new("joinable-2-1-1", workers(1), [WORK, WORK, PUT, JOIN]),
        Scenario::new("joinable-2-1", workers(2), [WORK, WORK, &[A, B, Op::Join]]),
        Scenario::new("joinable-many", tasks(2, &[1], &[0]), [&[GET_TWO, DONE, DONE], &[BOTH, Op::Join]]),
        Scenario::new("joinable-join-join", alone(1), [PUT_AND_WORK, JOIN, JOIN]),
        Scenario::new("joinable-work-twice-join", one, [WORK_TWICE, PUT_TWICE, JOIN]),
        Scenario::new("joinable-acknowledge-all", alone(1), [PUT_AND_WORK, JOIN, &[ACKNOWLEDGE]]),
        Scenario::new("joinable-discard-all", tasks(2, &[1], &[0]), [WORK, &[A, B, END[0], END[1]], JOIN]),
        Scenario::new("joinable-next-worker-join", next, [&[A, B, GET, DONE], CLAIM_AND_WORK, JOIN]),
        Scenario::new("joinable-threads-join", alone(2), [&[A, B, GET, DONE], WORK, JOIN]).first_together(2),
        Scenario::new("joinable-threads-2", alone(2), [PUT_AND_WORK, &[B, GET, DONE, DONE], JOIN]).first_together(2),
    ]
}
