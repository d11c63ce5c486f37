//! The scenarios of `Pipe`, named by what races with what.

use super::pipe::{PipeSubject, fixed, pipe};
use crate::scenario::Scenario;
use crate::spec::pipe::Side::{Receiver, Sender};
use crate::spec::pipe::{Message, Op};

/// One record each, and of another kind each, so that one is never taken for another.
const A: Message = Message { id: 1, bytes: 8 };
const B: Message = Message { id: 2, bytes: 8 };
const C: Message = Message { id: 3, bytes: 8 };
/// A header and nothing else.
const EMPTY: Message = Message { id: 0, bytes: 0 };
/// Two fragments, and three.
const LONG: Message = Message { id: 4, bytes: 12 };
const LONGER: Message = Message { id: 5, bytes: 20 };

const CLOSE: Op = Op::Close(Sender);
const HANG_UP: Op = Op::Close(Receiver);

/// A pipe whose ends nobody has, and that anybody may take.
const UNHELD: PipeSubject = PipeSubject { holders: [None, None], heirs: [&[0, 1], &[0, 1]], ..pipe(2) };

/// The scenarios that every world can run.
pub fn pipes() -> Vec<Scenario<PipeSubject>> {
    let (one, two) = (pipe(1), pipe(2));
    // The count passes its last number, the position its last byte, and a record the end of the ring.
    let old = PipeSubject { past: ((1 << 31) - 2, u32::MAX - 15), ..two };
    let old_many = PipeSubject { past: old.past, ..fixed(2) };
    let late = PipeSubject { holders: [None, Some(1)], heirs: [&[0], &[]], ..one };
    let heir_of_sender = PipeSubject { survives: true, heirs: [&[1], &[]], ..one };
    let heir_of_receiver = PipeSubject { survives: true, heirs: [&[], &[0]], ..two };
    const RECV: &[Op] = &[Op::Recv];
    const TWICE: &[Op] = &[Op::Recv, Op::Recv];
    const BATCH: &[Op] = &[Op::Stage(A), Op::Stage(B), Op::Stage(C), Op::Commit];
    const TWO: &[Op] = &[Op::RecvTwo, Op::RecvTwo];
    vec![
        Scenario::new("pipe-send-recv", one, [&[Op::Send(A)], RECV]),
        Scenario::new("pipe-send-recv-twice", one, [&[Op::Send(A), Op::Send(B)], TWICE]),
        Scenario::new("pipe-fragments", one, [&[Op::Send(LONG)], RECV]),
        Scenario::new("pipe-close-recv", one, [&[Op::Send(A), CLOSE], TWICE]),
        Scenario::new("pipe-recv-close", one, [&[Op::Send(A)], &[Op::Recv, HANG_UP]]),
        Scenario::new("pipe-full-close", one, [&[Op::Send(A), Op::Send(B)], &[HANG_UP]]),
        Scenario::new("pipe-try", one, [&[Op::TrySend(A), Op::TrySend(B)], &[Op::TryRecv, Op::TryRecv]]),
        Scenario::new("pipe-try-fragments", two, [&[Op::TrySend(LONG), Op::TrySend(A)], &[Op::Poll, Op::TryRecv]]),
        Scenario::new("pipe-send-timeout", one, [&[Op::SendTimeout(LONG), Op::Send(A)], RECV]),
        Scenario::new("pipe-recv-timeout-fragments", one, [&[Op::Send(LONG), CLOSE], &[Op::RecvTimeout, Op::Recv]]),
        Scenario::new("pipe-empty-message", one, [&[Op::Send(EMPTY), CLOSE], TWICE]),
        Scenario::new("pipe-wrap", old, [&[Op::Send(EMPTY), Op::Send(A)], TWICE]),
        Scenario::new("pipe-batch", one, [&[Op::Stage(A), Op::Stage(B), Op::Commit], TWICE]),
        Scenario::new("pipe-fixed", fixed(1), [&[Op::Send(A), Op::Send(B)], TWICE]),
        Scenario::new("pipe-many", fixed(2), [BATCH, TWO]),
        Scenario::new("pipe-many-room", fixed(4), [BATCH, TWO]),
        Scenario::new("pipe-many-wrap", old_many, [BATCH, TWO]),
        Scenario::new("pipe-many-close", fixed(2), [BATCH, &[Op::RecvTwo, HANG_UP]]),
        Scenario::new(
            "pipe-claim-claim",
            UNHELD,
            [&[Op::Claim(Sender), Op::Send(A)], &[Op::Claim(Sender), Op::Send(B)]],
        ),
        Scenario::new("pipe-claim-recv", late, [&[Op::Claim(Sender), Op::Send(A), CLOSE], TWICE]),
        Scenario::new(
            "pipe-take-over-sender",
            heir_of_sender,
            [&[Op::Send(LONG)], &[Op::RecvTimeout, Op::Claim(Sender), Op::TrySend(B), Op::TryRecv, HANG_UP]],
        ),
        Scenario::new(
            "pipe-take-over-receiver",
            heir_of_receiver,
            [&[Op::Send(LONG), Op::Claim(Receiver), Op::TrySend(B), Op::TryRecv], &[Op::RecvTimeout]],
        ),
    ]
}

/// Scenarios of a size that only the explorer comes to the end of.
pub fn large() -> Vec<Scenario<PipeSubject>> {
    let (one, two) = (pipe(1), pipe(2));
    const THREE: &[Op] = &[Op::Send(LONGER), Op::Send(A), Op::Send(LONG)];
    const RECV: &[Op] = &[Op::Recv, Op::Recv, Op::Recv];
    const HASTY: &[Op] = &[Op::SendTimeout(LONGER), Op::SendTimeout(A), Op::SendTimeout(LONG), CLOSE];
    const IMPATIENT: &[Op] = &[Op::RecvTimeout, Op::RecvTimeout, Op::Recv];
    const BATCH: &[Op] = &[Op::Stage(A), Op::Stage(LONG), Op::Stage(B), Op::Stage(C), Op::Commit, CLOSE];
    let survives = |heirs, records| PipeSubject { survives: true, heirs, ..pipe(records) };
    const NEXT_SENDER: &[Op] = &[Op::Claim(Sender), Op::SendTimeout(B), Op::SendTimeout(LONG), CLOSE];
    const NEXT_RECEIVER: &[Op] = &[Op::Claim(Receiver), Op::RecvTimeout, Op::RecvTimeout];
    vec![
        Scenario::new("pipe-x3", one, [THREE, RECV]),
        Scenario::new("pipe-x3-room", two, [THREE, RECV]),
        Scenario::new("pipe-x3-timeouts", one, [HASTY, IMPATIENT]),
        Scenario::new("pipe-x3-timeouts-room", two, [HASTY, IMPATIENT]),
        Scenario::new("pipe-batch-fragments", two, [BATCH, &[Op::Recv, Op::Recv, Op::Recv, Op::Recv, Op::Recv]]),
        Scenario::new(
            "pipe-next-sender",
            survives([&[2], &[]], 1),
            [
                &[Op::SendTimeout(LONGER), Op::SendTimeout(A)],
                &[Op::RecvTimeout, Op::RecvTimeout, Op::RecvTimeout],
                NEXT_SENDER,
            ],
        ),
        Scenario::new(
            "pipe-next-receiver",
            survives([&[], &[2]], 2),
            [&[Op::SendTimeout(LONGER), Op::SendTimeout(A), CLOSE], &[Op::RecvTimeout, Op::RecvTimeout], NEXT_RECEIVER],
        ),
    ]
}
