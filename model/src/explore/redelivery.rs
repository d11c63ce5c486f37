//! A joinable queue that delivers again what the dead had in hand: whoever gets a task against whoever gets it next.

use super::queue::{self, Here, QueueSubject, queue};
use crate::scenario::{ModelPlatform, Scenario, Subject};
use crate::spec;
use crate::spec::queue::Message;
use crate::spec::queue::Op::{Close, Discard, Get, GetTwo, Put, PutTwo, TryGet};
use crate::spec::redelivery::{Answer, Op, Task};
use procession::algorithm::Owner;
use procession::algorithm::joinable::Unjoined;
use procession::algorithm::ledger::{Books, Ledger, TaskParts};
use procession::algorithm::queue::{Patience, Queue, Receipt, Refused};
use procession::algorithm::redelivery::{Copies, words_for};
use procession::algorithm::ring::WORD_BYTES;
use procession::algorithm::tally::{NoTask, Tallies, Totals};
use procession::platform::Platform;

/// A joinable queue of messages of one word, that keeps so many copies.
#[derive(Debug, Clone, Copy)]
pub struct RedeliverySubject {
    /// The queue that it is.
    pub queue: QueueSubject,
    /// The most tasks in hand.
    pub copies: usize,
}

/// Its shared state.
pub struct Shared<P: Platform> {
    queue: queue::Shared<P>,
    totals: Totals<P>,
    events: P::Word<u32>,
    copies: Vec<P::Word<u64>>,
}

/// What a role has in hand: each task with its receipt.
pub type Hand = Vec<(Task, Receipt)>;

impl<P: Platform> Books<P> for &Shared<P> {
    fn ledger(&self) -> Ledger<'_, P> {
        Ledger {
            tallies: Tallies { totals: &self.totals, rows: &[] },
            slot: usize::MAX,
            copies: Some(Copies { words: &self.copies, bytes: WORD_BYTES }),
            events: &self.events,
        }
    }
}

impl RedeliverySubject {
    fn get<P: ModelPlatform>(
        &self,
        queue: &Queue<P, TaskParts<Here<'_, P>, &Shared<P>>>,
        (platform, me): (&P, Owner),
        hand: &mut Hand,
        op: &spec::queue::Op,
    ) -> Result<Answer, Refused> {
        let mut bytes = [0; WORD_BYTES];
        let place = &mut bytes[..];
        let receipt = queue.get(platform, me, self.queue.patience(platform, op), |length| place.get_mut(..length))?;
        let got = queue::got(&bytes);
        let spec::queue::Answer::Got(message) = got else { return Ok(Answer::Queue(got)) };
        let task = Task { message, times: receipt.times };
        hand.push((task, receipt));
        Ok(if task.times == 0 { Answer::Queue(got) } else { Answer::Again(task) })
    }
}

/// Two at once: in hand in the order in which they were got.
fn get_two<P: ModelPlatform>(
    queue: &Queue<P, TaskParts<Here<'_, P>, &Shared<P>>>,
    (platform, me): (&P, Owner),
    hand: &mut Hand,
) -> Result<Answer, Refused> {
    let mut several = queue::Several::default();
    let patience = Patience { waits: true, asks: false, deadline: P::never() };
    let count = queue.get_many(platform, me, patience, (2, &mut several))?;
    let got = several.answer(count);
    let messages = match got {
        spec::queue::Answer::Got(message) => vec![message],
        spec::queue::Answer::GotTwo(first, second) => vec![first, second],
        _ => vec![],
    };
    let tasks = messages.into_iter().zip(several.receipts);
    let tasks = tasks.map(|(message, receipt)| (Task { message, times: receipt.times }, receipt));
    let first = hand.len();
    hand.extend(tasks);
    Ok(match hand.get(first) {
        Some((task, _)) if task.times > 0 => Answer::Again(*task),
        _ => Answer::Queue(got),
    })
}

fn joined(result: Result<(), Unjoined>) -> Option<Answer> {
    Some(match result {
        Ok(()) => Answer::Done,
        Err(Unjoined::WorkerDied(tasks)) => Answer::WorkerDied(tasks as usize),
        Err(Unjoined::Disconnected) => Answer::Disconnected,
        // Nobody here has a deadline; everybody can be asked after, and nobody writes what no side leaves.
        Err(Unjoined::TimedOut | Unjoined::Blind | Unjoined::Corrupt) => return None,
    })
}

impl Subject for RedeliverySubject {
    type Spec = spec::redelivery::Redelivery;
    type Op = Op;
    type Answer = Answer;
    type Shared<P: ModelPlatform> = Shared<P>;
    type Local = Hand;

    fn spec(&self) -> spec::redelivery::Redelivery {
        spec::redelivery::Redelivery::new(self.queue.spec(), self.copies)
    }

    fn build<P: ModelPlatform>(&self) -> Shared<P> {
        let words = words_for(self.copies, WORD_BYTES).unwrap_or(0);
        // The copy that was begun last is of the last message there was.
        let number = |place: usize| if place == FIRST_NUMBER { self.queue.past.0.saturating_sub(1).into() } else { 0 };
        Shared {
            queue: self.queue.build(),
            totals: Totals::from_words([P::word(0), P::word(0), P::word(0)], P::word(0)),
            events: P::word(0),
            copies: (0..words).map(|place| P::word(number(place))).collect(),
        }
    }

    fn apply<P: ModelPlatform>(
        &self,
        shared: &Shared<P>,
        platform: &P,
        me: Owner,
        hand: &mut Hand,
        op: &Op,
    ) -> Option<Answer> {
        let queue = Queue::<P, _>::new(TaskParts { queue: Here(&self.queue, &shared.queue, platform), books: shared });
        match *op {
            Op::Queue(op @ (Get | TryGet | GetTwo)) => {
                let got = match op {
                    GetTwo => get_two(&queue, (platform, me), hand),
                    _ => self.get(&queue, (platform, me), hand, &op),
                };
                match got {
                    Ok(answer) => Some(answer),
                    Err(Refused::TooMany) => Some(Answer::TooMany),
                    Err(refused) => queue::told(refused).map(Answer::Queue).ok(),
                }
            }
            Op::Queue(op) => {
                let answer = self.queue.apply_to(&queue, platform, me, &op);
                answer.or_else(queue::told).map(Answer::Queue).ok()
            }
            Op::Done => {
                let last = hand.pop();
                Some(match (queue.task_done(platform, me, last.map(|(_, receipt)| receipt)), last) {
                    (Ok(()), Some((task, _))) => Answer::Reported(task),
                    (Err(NoTask), _) => Answer::NoTask,
                    (Ok(()), None) => return None, // it has reported what it has not got
                })
            }
            Op::Join => joined(queue.join(platform, me, P::never())),
            Op::Unfinished => {
                queue.unfinished(platform, me, P::never()).map(|count| Answer::Count(count as usize)).ok()
            }
            Op::Acknowledge => {
                queue.acknowledge(platform, me, P::never()).map(|count| Answer::Count(count as usize)).ok()
            }
        }
    }

    fn leaves_out(&self, _hand: &Hand, _op: &Op) -> bool {
        false
    }

    fn is_timed(&self, _op: &Op) -> bool {
        false
    }
}

/// Where the first copy says which message it is of.
const FIRST_NUMBER: usize = 2;

const A: Op = Op::Queue(Put(Message { id: 1, bytes: 8 }));
const B: Op = Op::Queue(Put(Message { id: 2, bytes: 8 }));
const BOTH: Op = Op::Queue(PutTwo(Message { id: 1, bytes: 8 }, Message { id: 2, bytes: 8 }));
const GET: Op = Op::Queue(Get);
const GET_TWO: Op = Op::Queue(GetTwo);
const TRY_GET: Op = Op::Queue(TryGet);
const CLOSE: Op = Op::Queue(Close);
const DISCARD: Op = Op::Queue(Discard);
const WORK: &[Op] = &[GET, Op::Done];

const fn copies(copies: usize, most: usize, roles: [&'static [usize]; 2]) -> RedeliverySubject {
    RedeliverySubject { queue: queue(most, roles[0], roles[1]), copies }
}

/// The scenarios, named by what races with what.
pub fn redeliveries() -> Vec<Scenario<RedeliverySubject>> {
    let alone = copies(2, 2, [&[0], &[0]]);
    let pair = copies(2, 1, [&[0, 1], &[0, 1]]);
    // The count passes its last number, and the position its last byte.
    let old = RedeliverySubject { queue: QueueSubject { past: ((1 << 31) - 1, u32::MAX - 7), ..pair.queue }, ..pair };
    vec![
        Scenario::new("again-work", copies(1, 1, [&[0], &[1]]), [&[A], WORK]),
        Scenario::new("again-get-get", pair, [&[A, TRY_GET, Op::Done], &[TRY_GET, Op::Done]]),
        Scenario::new(
            "again-full",
            copies(1, 2, [&[0], &[0, 1]]),
            [&[A, B, GET, TRY_GET, Op::Done], &[TRY_GET, Op::Done]],
        ),
        Scenario::new("again-discard", alone, [&[A, B, GET, CLOSE, DISCARD, Op::Done], &[Op::Unfinished]]),
        Scenario::new("again-acknowledge", pair, [&[A, GET, Op::Done], &[Op::Acknowledge, Op::Unfinished]]),
        Scenario::new("again-wrap", old, [&[A, TRY_GET, Op::Done, B], &[TRY_GET, Op::Done]]),
        Scenario::new("again-threads", alone, [&[A, GET, Op::Done], &[B, GET, Op::Done]]).in_one_process(),
    ]
}

/// Scenarios of a size that only the explorer comes to the end of, or in which somebody lawfully waits for ever, once another
/// is dead: only the explorer knows that.
pub fn large() -> Vec<Scenario<RedeliverySubject>> {
    let pair = copies(2, 1, [&[0, 1], &[0, 1]]);
    let two = copies(2, 2, [&[2], &[0, 1]]);
    let lone = copies(2, 1, [&[0], &[0, 1, 2]]);
    let (full, one) = (copies(2, 2, [&[0], &[0, 1]]), copies(1, 2, [&[0], &[0, 1]]));
    vec![
        Scenario::new("again-join", pair, [&[A, GET, Op::Done], &[Op::Join]]),
        Scenario::new("again-close", pair, [&[A, TRY_GET, CLOSE, Op::Done], &[GET, Op::Done, Op::Join]]),
        Scenario::new("again-try-try", lone, [&[A, GET], &[TRY_GET, Op::Done], &[TRY_GET]]),
        Scenario::new("again-close-try", lone, [&[A, GET, CLOSE], &[TRY_GET, Op::Done], &[TRY_GET]]),
        Scenario::new("again-many", full, [&[BOTH, GET_TWO, Op::Done, Op::Done], &[TRY_GET, Op::Done]]),
        Scenario::new("again-many-full", one, [&[BOTH, GET_TWO, Op::Done, GET_TWO, Op::Done], &[TRY_GET, Op::Done]]),
        Scenario::new("again-1-2", two, [WORK, WORK, &[A]]),
        Scenario::new("again-2-2", two, [&[GET, Op::Done, GET, Op::Done], WORK, &[A, B]]),
    ]
}
