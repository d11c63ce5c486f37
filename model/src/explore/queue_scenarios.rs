//! The scenarios of `Queue`, named by what races with what.

use super::queue::{QueueSubject, framed, queue};
use crate::scenario::Scenario;
use crate::spec::queue::{Message, Op};

/// One word each, and of another kind each, so that one is never taken for another.
const A: Message = Message { id: 1, bytes: 8 };
const B: Message = Message { id: 2, bytes: 8 };
const C: Message = Message { id: 3, bytes: 8 };
/// A label and nothing else, where there are labels.
const EMPTY: Message = Message { id: 0, bytes: 0 };

const PUT_A: &[Op] = &[Op::Put(A)];
const PUT_B: &[Op] = &[Op::Put(B)];
const PUT_TWICE: &[Op] = &[Op::Put(A), Op::Put(B)];
const PUT_THREE: &[Op] = &[Op::Put(A), Op::Put(B), Op::Put(C)];
const PUT_TOGETHER: &[Op] = &[Op::PutTwo(A, B)];
const GET: &[Op] = &[Op::Get];
const GET_TWICE: &[Op] = &[Op::Get, Op::Get];
const GET_THREE: &[Op] = &[Op::Get, Op::Get, Op::Get];
const CLOSE: &[Op] = &[Op::Close];

/// The scenarios that every world can run.
pub fn queues() -> Vec<Scenario<QueueSubject>> {
    let one = queue(1, &[0], &[1]);
    let two = queue(2, &[0], &[1]);
    let putters = |messages| queue(messages, &[0, 1], &[2]);
    let getters = |messages| queue(messages, &[0], &[1, 2]);
    // The count passes its last number, the position its last byte, and a message the end of the ring.
    let old = QueueSubject { past: ((1 << 31) - 1, u32::MAX - 7), ..framed(4, &[0], &[1]) };
    let both = queue(1, &[0, 1], &[0, 1]);
    vec![
        Scenario::new("queue-put-get", one, [PUT_A, GET]),
        Scenario::new("queue-put-get-twice", one, [PUT_TWICE, GET_TWICE]),
        Scenario::new("queue-put-put", queue(2, &[0, 1], &[]), [PUT_A, PUT_B]),
        Scenario::new("queue-put-put-get", putters(1), [PUT_A, PUT_B, &[Op::Get, Op::TryGet]]),
        Scenario::new("queue-get-get", getters(2), [PUT_TWICE, GET, GET]),
        Scenario::new("queue-both", both, [&[Op::TryPut(A), Op::TryGet], &[Op::TryGet, Op::TryPut(B)]]),
        Scenario::new("queue-try", one, [&[Op::TryPut(A), Op::TryPut(B)], &[Op::TryGet, Op::TryGet]]),
        Scenario::new("queue-put-timeout", one, [&[Op::PutTimeout(A), Op::PutTimeout(B)], GET]),
        Scenario::new("queue-get-timeout", one, [PUT_A, &[Op::GetTimeout, Op::TryGet]]),
        Scenario::new("queue-close-get", one, [&[Op::Put(A), Op::Close], GET_TWICE]),
        Scenario::new("queue-close-put", one, [PUT_TWICE, CLOSE]),
        Scenario::new("queue-close-discard", two, [&[Op::Put(A), Op::Close, Op::Discard], GET]),
        Scenario::new("queue-close-now-put", one, [PUT_TWICE, &[Op::Close, Op::Discard]]),
        Scenario::new("queue-many", two, [PUT_TOGETHER, &[Op::GetTwo, Op::TryGet]]),
        Scenario::new("queue-put-is-empty", two, [&[Op::Put(A), Op::IsEmpty], &[Op::IsEmpty, Op::TryGet]]),
        Scenario::new("queue-put-is-full", one, [&[Op::TryPut(A), Op::TryPut(B)], &[Op::IsFull(A), Op::Get]]),
        Scenario::new("queue-put-len", two, [PUT_TWICE, &[Op::Len, Op::Get, Op::Len]]),
        // Nobody tells whoever counts what has happened: it finds out by itself.
        Scenario::new("queue-through-len", queue(1, &[0], &[0]), [&[Op::Put(A), Op::Get], &[Op::Len]]),
        Scenario::new("queue-wrap", old, [&[Op::Put(EMPTY), Op::Put(A)], GET_TWICE]),
    ]
}

/// Scenarios of a size that only the explorer comes to the end of.
pub fn large() -> Vec<Scenario<QueueSubject>> {
    let one = |messages| queue(messages, &[0], &[1]);
    let (putters, getters) = (queue(2, &[0, 1], &[2]), queue(2, &[0], &[1, 2]));
    let busy: Vec<Op> = [Op::Put(A), Op::Get].repeat(9);
    vec![
        Scenario::new("queue-x3", one(1), [PUT_THREE, GET_THREE]),
        Scenario::new("queue-x3-room", one(2), [PUT_THREE, GET_THREE]),
        Scenario::new("queue-2-1", queue(1, &[0, 1], &[2]), [PUT_A, PUT_B, GET_TWICE]),
        Scenario::new("queue-1-2", queue(1, &[0], &[1, 2]), [PUT_TWICE, GET, GET]),
        Scenario::new("queue-2-2", queue(1, &[0, 1], &[2, 3]), [PUT_A, PUT_B, GET, GET]),
        Scenario::new("queue-many-room", one(1), [PUT_TOGETHER, &[Op::GetTwo]]),
        Scenario::new("queue-many-2-1", putters, [PUT_TOGETHER, &[Op::PutTwo(C, A)], &[Op::GetTwo, Op::GetTwo]]),
        Scenario::new("queue-many-1-2", getters, [PUT_TOGETHER, &[Op::GetTwo], &[Op::GetTwo]]),
        Scenario::new("queue-close-all", one(1), [PUT_TWICE, GET_TWICE, CLOSE]),
        Scenario::new("queue-busy-len", queue(1, &[0], &[0]), [&busy, &[Op::Len]]),
    ]
}
