//! `Pipe`, one direction: the sender against the receiver, and against whoever takes over from a dead one.

use crate::scenario::{ModelPlatform, Subject, peer};
use crate::spec;
use crate::spec::pipe::{Answer, End, Message, Op, Side};
use procession::algorithm::Owner;
use procession::algorithm::message::{Front, Incoming, Outgoing};
use procession::algorithm::pipe::{Direction, Parts, Patience, Refused};
use procession::algorithm::record::Framing;
use procession::algorithm::ring::{self, Control, Ring, WORD_BYTES};
use procession::algorithm::run::Run;
use procession::platform::{Access, Life, Platform, Site};

/// One direction of a pipe.
#[derive(Debug, Clone, Copy)]
pub struct PipeSubject {
    /// Bytes of all records at most.
    pub capacity: usize,
    /// How messages are told apart.
    pub framing: Framing,
    /// How many records there have been, and how many bytes they had.
    pub past: (u32, u32),
    /// The processes that have the sender's end and the receiver's at first.
    pub holders: [Option<usize>; 2],
    /// The processes that may take an end that nobody has.
    pub heirs: [&'static [usize]; 2],
    /// Whether the end of a dead process waits for another.
    pub survives: bool,
}

/// Bytes of a message that are sent in one record, where they are not all of the same size.
const FRAGMENT: usize = 8;

/// A pipe with room for so many full records, between process 0, who sends, and process 1.
pub const fn pipe(records: usize) -> PipeSubject {
    PipeSubject {
        capacity: records * (WORD_BYTES + FRAGMENT),
        framing: Framing::Framed(FRAGMENT),
        past: (0, 0),
        holders: [Some(0), Some(1)],
        heirs: [&[], &[]],
        survives: false,
    }
}

/// The same, where all messages have 8 bytes.
pub const fn fixed(records: usize) -> PipeSubject {
    PipeSubject { capacity: records * WORD_BYTES, framing: Framing::Fixed(WORD_BYTES), ..pipe(records) }
}

/// Its shared state.
pub struct Shared<P: Platform> {
    control: Control<P>,
    words: Vec<P::Word<u64>>,
    ends: [P::Word<u32>; 2],
}

/// An end, as a role has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Hold<T> {
    /// If it is the role's at first, it has not been used yet.
    #[default]
    AtFirst,
    /// Here it is.
    Here(T),
    /// It was refused, or closed.
    Not,
}

impl<T> Hold<T> {
    fn get(&mut self, first: impl FnOnce() -> T) -> Option<&mut T> {
        if matches!(self, Hold::AtFirst) {
            *self = Hold::Here(first());
        }
        match self {
            Hold::Here(end) => Some(end),
            _ => None,
        }
    }
}

/// What a role keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Ends {
    sender: Hold<Outgoing>,
    run: Run,
    receiver: Hold<Incoming>,
}

/// What was staged is committed after so many messages, at the latest.
const BATCH: u32 = 3;

/// Those who only try ask after the other end every second time.
const TRIES: u32 = 2;

static HEIR: Site = Site::plain("pipe.heir", Access::Ask, "whoever may take an end lives in the peer table, not here");

/// Every byte says which message it is of, and where it stands in it.
fn bytes_of(message: Message) -> Vec<u8> {
    (0..message.bytes as u8).map(|place| message.id << 5 | place).collect()
}

fn received(bytes: &[u8]) -> Answer {
    let message = Message { id: bytes.first().map_or(0, |first| first >> 5), bytes: bytes.len() };
    if bytes == bytes_of(message) { Answer::Got(message) } else { Answer::Garbled }
}

/// One direction, for as long as an operation takes.
struct Place<'a, P: Platform> {
    subject: &'a PipeSubject,
    shared: &'a Shared<P>,
    platform: &'a P,
}

impl<P: Platform> Parts<P> for Place<'_, P> {
    fn ring(&self) -> Ring<'_, P> {
        Ring { control: &self.shared.control, words: &self.shared.words, capacity: self.subject.capacity }
    }
    fn end(&self, side: ring::Side) -> &P::Word<u32> {
        &self.shared.ends[side as usize]
    }
    fn framing(&self) -> Framing {
        self.subject.framing
    }
    fn survives(&self) -> bool {
        self.subject.survives
    }
    fn is_abandoned(&self, side: ring::Side) -> bool {
        let mut heirs = self.subject.heirs[side as usize].iter();
        heirs.all(|heir| self.platform.life(peer(*heir), &HEIR) == Life::Dead)
    }
}

impl PipeSubject {
    fn recv<P: ModelPlatform>(
        direction: &Direction<P, Place<'_, P>>,
        platform: &P,
        incoming: &mut Incoming,
        patience: Patience<P::Deadline>,
    ) -> Result<Answer, Refused> {
        let front = direction.front(platform, incoming, patience)?;
        let answer = received(&Self::read(direction, platform, incoming, front));
        direction.pass(incoming, front);
        direction.give_back(platform, incoming);
        Ok(answer)
    }

    /// As the receiver's `recv_many`, of two.
    fn recv_two<P: ModelPlatform>(
        direction: &Direction<P, Place<'_, P>>,
        platform: &P,
        incoming: &mut Incoming,
    ) -> Result<Answer, Refused> {
        let front = direction.front(platform, incoming, Patience::Until(P::never()))?;
        let first = received(&Self::read(direction, platform, incoming, front));
        direction.pass(incoming, front);
        let mut run = direction.run(incoming, 1);
        let second = run.front().map(|front| {
            let message = received(&Self::read(direction, platform, incoming, front));
            direction.pass_in((incoming, &mut run));
            message
        });
        direction.give_back(platform, incoming);
        Ok(match (first, second) {
            (Answer::Got(first), Some(Answer::Got(second))) => Answer::GotTwo(first, second),
            (first, None) => first,
            _ => Answer::Garbled,
        })
    }

    fn read<P: ModelPlatform>(
        direction: &Direction<P, Place<'_, P>>,
        platform: &P,
        incoming: &Incoming,
        front: Front,
    ) -> Vec<u8> {
        match front {
            Front::InRing { position, bytes } => {
                let mut here = vec![0; bytes];
                direction.ring().read(platform, position, &mut here);
                here
            }
            Front::Gathered => incoming.message().to_vec(),
        }
    }
}

impl Subject for PipeSubject {
    type Spec = spec::pipe::Pipe;
    type Op = Op;
    type Answer = Answer;
    type Shared<P: ModelPlatform> = Shared<P>;
    type Local = Ends;

    fn spec(&self) -> spec::pipe::Pipe {
        let fragment = match self.framing {
            Framing::Framed(fragment) => Some(fragment),
            Framing::Fixed(_) => None,
        };
        let end = |side: usize| End { holder: self.holders[side], heirs: self.heirs[side].to_vec(), ..End::default() };
        spec::pipe::Pipe::new(self.capacity / WORD_BYTES, fragment, self.survives, [end(0), end(1)])
    }

    fn build<P: ModelPlatform>(&self) -> Shared<P> {
        let past = u64::from(self.past.1) << 32 | u64::from(self.past.0);
        Shared {
            control: Control::from_words(P::word(past), P::word(past), [P::word(0), P::word(0)]),
            words: (0..self.capacity / WORD_BYTES).map(|_| P::word(0)).collect(),
            ends: self.holders.map(|holder| P::word(holder.map_or(0, peer))),
        }
    }

    fn apply<P: ModelPlatform>(
        &self,
        shared: &Shared<P>,
        platform: &P,
        me: Owner,
        ends: &mut Ends,
        op: &Op,
    ) -> Option<Answer> {
        let direction = Direction::new(Place { subject: self, shared, platform });
        if let Op::Claim(side) = op {
            let taken = match side {
                Side::Sender => {
                    let claimed = direction.claim_sender(platform, me.peer);
                    ends.sender = claimed.map_or(Hold::Not, Hold::Here);
                    ends.sender != Hold::Not
                }
                Side::Receiver => {
                    let claimed = direction.claim_receiver(platform, me.peer);
                    ends.receiver = claimed.map_or(Hold::Not, Hold::Here);
                    ends.receiver != Hold::Not
                }
            };
            return Some(if taken { Answer::Done } else { Answer::Taken });
        }
        let done = |()| Answer::Done;
        let (never, deadline) = (Patience::Until(P::never()), Patience::Until(platform.deadline()));
        let answer = match *op {
            Op::Send(message) | Op::TrySend(message) | Op::SendTimeout(message) | Op::Stage(message) => {
                let out = ends.sender.get(|| direction.ring().resume(platform, ring::Side::Writer).into())?;
                let message = bytes_of(message);
                match op {
                    Op::TrySend(_) => direction.send(platform, out, &message, Patience::Try(TRIES)),
                    Op::SendTimeout(_) => direction.send(platform, out, &message, deadline),
                    Op::Stage(_) => direction.stage_in(platform, (out, &mut ends.run), &message, BATCH, &never),
                    _ => direction.send(platform, out, &message, never),
                }
                .map(done)
            }
            Op::Commit => {
                let out = ends.sender.get(|| direction.ring().resume(platform, ring::Side::Writer).into())?;
                direction.commit_staged(platform, out).map(done)
            }
            Op::Recv | Op::RecvTwo | Op::TryRecv | Op::RecvTimeout | Op::Poll => {
                let incoming = ends.receiver.get(|| direction.ring().resume(platform, ring::Side::Reader).into())?;
                match op {
                    Op::Poll => direction.front(platform, incoming, Patience::Try(TRIES)).map(|_| Answer::Ready),
                    Op::TryRecv => Self::recv(&direction, platform, incoming, Patience::Try(TRIES)),
                    Op::RecvTwo => Self::recv_two(&direction, platform, incoming),
                    Op::RecvTimeout => Self::recv(&direction, platform, incoming, deadline),
                    _ => Self::recv(&direction, platform, incoming, never),
                }
            }
            Op::Close(Side::Sender) => {
                direction.close_sender(
                    platform,
                    ends.sender.get(|| direction.ring().resume(platform, ring::Side::Writer).into())?,
                );
                ends.sender = Hold::Not;
                Ok(Answer::Done)
            }
            Op::Close(Side::Receiver) => {
                direction.close_receiver(
                    platform,
                    ends.receiver.get(|| direction.ring().resume(platform, ring::Side::Reader).into())?,
                );
                ends.receiver = Hold::Not;
                Ok(Answer::Done)
            }
            Op::Claim(_) => return None,
        };
        match answer {
            Ok(answer) => Some(answer),
            Err(Refused::WouldBlock) => Some(Answer::WouldBlock),
            Err(Refused::TimedOut) => Some(Answer::TimedOut),
            Err(Refused::Disconnected) => Some(Answer::Disconnected),
            Err(Refused::TooLarge) => Some(Answer::TooLarge),
            // Here everybody can be asked after, and nobody writes what no side leaves.
            Err(Refused::Blind | Refused::Corrupt) => None,
        }
    }

    fn leaves_out(&self, ends: &Ends, op: &Op) -> bool {
        match op {
            Op::Claim(_) => false,
            Op::Recv | Op::RecvTwo | Op::TryRecv | Op::RecvTimeout | Op::Poll | Op::Close(Side::Receiver) => {
                ends.receiver == Hold::Not
            }
            _ => ends.sender == Hold::Not,
        }
    }

    fn is_timed(&self, op: &Op) -> bool {
        matches!(op, Op::SendTimeout(_) | Op::RecvTimeout)
    }
}
