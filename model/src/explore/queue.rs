//! `Queue`: putters against putters, getters against getters, and both against whoever closes, looks, gives up or dies.

use super::lock::new_lock;
use crate::scenario::{ModelPlatform, Subject, peer};
use crate::spec;
use crate::spec::queue::{Answer, Message, Op};
use procession::algorithm::Owner;
use procession::algorithm::queue::{Control, Parts, Patience, Queue, Receipt, Refused};
use procession::algorithm::queue_many::Room;
use procession::algorithm::record::Framing;
use procession::algorithm::ring::{self, Ring, Side, WORD_BYTES};
use procession::platform::{Access, Life, Platform, Site};

/// A queue.
#[derive(Debug, Clone, Copy)]
pub struct QueueSubject {
    /// Bytes of all messages at most.
    pub capacity: usize,
    /// Messages at most.
    pub most: u32,
    /// How messages are told apart.
    pub framing: Framing,
    /// How many messages there have been, and how many bytes they had.
    pub past: (u32, u32),
    /// The processes that put, and those that get.
    pub roles: [&'static [usize]; 2],
    /// Whether those who do not wait ask after the other side every time.
    pub asks: bool,
}

/// Bytes of a message, where they are not all of the same size, at most.
const FRAGMENT: usize = 8;

/// A queue of messages of one word each, between these processes, with room for so many.
pub const fn queue(messages: usize, putters: &'static [usize], getters: &'static [usize]) -> QueueSubject {
    QueueSubject {
        capacity: messages * WORD_BYTES,
        most: messages as u32,
        framing: Framing::Fixed(WORD_BYTES),
        past: (0, 0),
        roles: [putters, getters],
        asks: true,
    }
}

/// A queue of messages of up to a word, with room for so many words.
pub const fn framed(words: usize, putters: &'static [usize], getters: &'static [usize]) -> QueueSubject {
    QueueSubject { capacity: words * WORD_BYTES, framing: Framing::Framed(FRAGMENT), ..queue(words, putters, getters) }
}

/// Its shared state.
pub struct Shared<P: Platform> {
    control: Control<P>,
    words: Vec<P::Word<u64>>,
}

static ROLE: Site = Site::plain("roles.ask", Access::Ask, "whoever has a role stands in the peer table, not here");

/// A queue, and whoever is there to be asked after.
pub(super) struct Here<'a, P: Platform>(pub(super) &'a QueueSubject, pub(super) &'a Shared<P>, pub(super) &'a P);

impl<P: Platform> Parts<P> for Here<'_, P> {
    fn control(&self) -> &Control<P> {
        &self.1.control
    }
    fn ring(&self) -> Ring<'_, P> {
        Ring { control: self.1.control.ring(), words: &self.1.words, capacity: self.0.capacity }
    }
    fn framing(&self) -> Framing {
        self.0.framing
    }
    fn most(&self) -> u32 {
        self.0.most
    }
    fn is_deserted(&self, side: Side) -> bool {
        let members = self.0.roles[usize::from(side == Side::Reader)];
        !members.is_empty() && members.iter().all(|process| self.2.life(peer(*process), &ROLE) == Life::Dead)
    }
}

/// Every byte says which message it is of, and where it stands in it.
fn bytes_of(message: Message) -> Vec<u8> {
    (0..message.bytes as u8).map(|place| message.id << 5 | place).collect()
}

/// What whoever got these bytes has got.
pub(super) fn got(bytes: &[u8]) -> Answer {
    let message = Message { id: bytes.first().map_or(0, |first| first >> 5), bytes: bytes.len() };
    if bytes == bytes_of(message) { Answer::Got(message) } else { Answer::Garbled }
}

/// Messages that were got together.
#[derive(Default)]
pub(super) struct Several {
    bytes: Vec<Vec<u8>>,
    pub(super) receipts: Vec<Receipt>,
}

impl Room for Several {
    fn next(&mut self, bytes: usize) -> Option<&mut [u8]> {
        self.bytes.push(vec![0; bytes]);
        self.bytes.last_mut().map(Vec::as_mut_slice)
    }
    fn got(&mut self, receipt: Receipt) {
        self.receipts.push(receipt);
    }
}

impl Several {
    /// There may have been room for one that was not got.
    pub(super) fn answer(&self, count: usize) -> Answer {
        let all: Vec<Answer> = self.bytes.iter().take(self.receipts.len()).map(|bytes| got(bytes)).collect();
        match all[..] {
            [answer] if count == 1 => answer,
            [Answer::Got(first), Answer::Got(second)] if count == 2 => Answer::GotTwo(first, second),
            _ => Answer::Garbled,
        }
    }
}

/// What somebody who was refused is told; not if that is for other specifications to know.
pub(super) fn told(refused: Refused) -> Result<Answer, Refused> {
    match refused {
        Refused::WouldBlock => Ok(Answer::WouldBlock),
        Refused::TimedOut => Ok(Answer::TimedOut),
        Refused::Closed => Ok(Answer::Closed),
        Refused::Disconnected => Ok(Answer::Disconnected),
        Refused::TooLarge => Ok(Answer::TooLarge),
        Refused::TooMany | Refused::Blind | Refused::Corrupt => Err(refused),
    }
}

impl QueueSubject {
    /// How somebody who is asked for `op` waits.
    pub(super) fn patience<P: ModelPlatform>(&self, platform: &P, op: &Op) -> Patience<P::Deadline> {
        let never = P::never();
        match op {
            Op::TryPut(_) | Op::TryGet => Patience { waits: false, asks: self.asks, deadline: never },
            Op::PutTimeout(_) | Op::GetTimeout => Patience { waits: true, asks: false, deadline: platform.deadline() },
            _ => Patience { waits: true, asks: false, deadline: never },
        }
    }

    /// Does `op` with a queue, whatever it is a part of.
    pub(super) fn apply_to<P: ModelPlatform, Q: Parts<P>>(
        &self,
        queue: &Queue<P, Q>,
        platform: &P,
        me: Owner,
        op: &Op,
    ) -> Result<Answer, Refused> {
        let patience = self.patience(platform, op);
        let get = || {
            let mut bytes = vec![0; self.capacity];
            let (place, mut length) = (&mut bytes[..], 0);
            let result = queue.get(platform, me, patience, |bytes| {
                length = bytes;
                place.get_mut(..bytes)
            });
            result.map(|_| got(&bytes[..length]))
        };
        let put = |message| queue.put(platform, me, &bytes_of(message), patience).map(|()| Answer::Done);
        match *op {
            Op::Put(message) | Op::TryPut(message) | Op::PutTimeout(message) => put(message),
            Op::Get | Op::TryGet | Op::GetTimeout => get(),
            Op::PutTwo(first, second) => {
                let messages = [bytes_of(first), bytes_of(second)];
                let messages = messages.iter().map(Vec::as_slice);
                queue.put_many(platform, me, messages, patience).map(Answer::Count)
            }
            Op::GetTwo => {
                let mut several = Several::default();
                queue.get_many(platform, me, patience, (2, &mut several)).map(|count| several.answer(count))
            }
            Op::Len => queue.len(platform, me, P::never()).map(|count| Answer::Count(count as usize)),
            Op::IsEmpty => Ok(Answer::Is(queue.is_empty(platform))),
            Op::IsFull(message) => Ok(Answer::Is(queue.is_full(platform, message.bytes))),
            Op::Close => queue.close(platform, me, false, P::never()).map(|()| Answer::Done),
            Op::Discard => queue.discard(platform, me, P::never()).map(|()| Answer::Done),
        }
    }
}

impl Subject for QueueSubject {
    type Spec = spec::queue::Queue;
    type Op = Op;
    type Answer = Answer;
    type Shared<P: ModelPlatform> = Shared<P>;
    type Local = ();

    fn spec(&self) -> spec::queue::Queue {
        let labelled = matches!(self.framing, Framing::Framed(_));
        spec::queue::Queue::new(self.capacity / WORD_BYTES, self.most as usize, labelled, self.asks, self.roles)
    }

    fn build<P: ModelPlatform>(&self) -> Shared<P> {
        let past = || P::word(u64::from(self.past.1) << 32 | u64::from(self.past.0));
        let ring = ring::Control::from_words(past(), past(), [P::word(0), P::word(0)]);
        Shared {
            control: Control::from_words(ring, [new_lock(), new_lock()], [past(), past()], [P::word(0), P::word(0)]),
            words: (0..self.capacity / WORD_BYTES).map(|_| P::word(0)).collect(),
        }
    }

    fn apply<P: ModelPlatform>(
        &self,
        shared: &Shared<P>,
        platform: &P,
        me: Owner,
        (): &mut (),
        op: &Op,
    ) -> Option<Answer> {
        let queue = Queue::<P, _>::new(Here(self, shared, platform));
        // Here everybody can be asked after, nobody writes what no side leaves, and there may be as many messages as fit.
        self.apply_to(&queue, platform, me, op).or_else(told).ok()
    }

    fn leaves_out(&self, (): &(), _op: &Op) -> bool {
        false
    }

    fn is_timed(&self, op: &Op) -> bool {
        matches!(op, Op::PutTimeout(_) | Op::GetTimeout)
    }
}
