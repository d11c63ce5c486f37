//! `Pipe`, one direction: messages in order from one sender to one receiver, each whole or not at all.

pub use super::pipe_ops::{Answer, Message, Op, Side};
use super::{Actor, Spec};

/// What is known of an end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct End {
    /// The process that has it, or had it last.
    pub holder: Option<usize>,
    /// Living processes that may yet take it.
    pub heirs: Vec<usize>,
    /// Its holder is dead.
    pub dead: bool,
    /// Its holder has closed it.
    pub closed: bool,
    /// Its holder was told that the other end is gone.
    pub told: bool,
}

/// What takes up room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Record {
    /// A message that was sent. Doubtful: it may be lost.
    Sent(Message, bool),
    /// Up to so many words of a message that never was complete. The receiver may have taken them away already: it does so
    /// before it knows what they are.
    Debris(usize),
}

/// The state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pipe {
    /// Words of all records at most.
    pub capacity: usize,
    /// A message of more bytes than this comes in fragments, each with a word before it; `None`: there are no such words.
    pub fragment: Option<usize>,
    /// Whether the end of a dead process waits for another.
    pub survives: bool,
    /// The sender's end.
    pub sender: End,
    /// The receiver's end.
    pub receiver: End,
    /// What was sent and not received, in order.
    pub records: Vec<Record>,
    /// What is to be sent together with what comes next.
    pub staged: Vec<Message>,
    /// A receiver died with a piece, perhaps, of a message that is still being sent.
    pub in_doubt: bool,
}

impl Pipe {
    /// Nothing was sent yet.
    pub fn new(capacity: usize, fragment: Option<usize>, survives: bool, ends: [End; 2]) -> Pipe {
        let [sender, receiver] = ends;
        let (records, staged) = (Vec::new(), Vec::new());
        Pipe { capacity, fragment, survives, sender, receiver, records, staged, in_doubt: false }
    }

    fn changed(&self, change: impl FnOnce(&mut Pipe)) -> Pipe {
        let mut next = self.clone();
        change(&mut next);
        next
    }

    fn end(&mut self, side: Side) -> &mut End {
        match side {
            Side::Sender => &mut self.sender,
            Side::Receiver => &mut self.receiver,
        }
    }

    fn is_gone(&self, end: &End) -> bool {
        let nobody = end.holder.is_none() || end.dead;
        end.closed || nobody && end.heirs.is_empty() || end.dead && !self.survives
    }

    fn is_long(&self, message: Message) -> bool {
        self.fragment.is_some_and(|fragment| message.bytes > fragment)
    }

    fn words(&self, message: Message) -> usize {
        match self.fragment {
            None => message.bytes.div_ceil(8).max(1),
            Some(fragment) => message.bytes.div_ceil(8) + message.bytes.div_ceil(fragment).max(1),
        }
    }

    /// Words that are taken up, at the least and at the most. Of a long message at the front the receiver may have taken any
    /// part, of debris too, and of a long one that is staged all but the end.
    fn taken_up(&self) -> (usize, usize) {
        let (mut least, mut most) = (0, 0);
        for (index, record) in self.records.iter().enumerate() {
            match *record {
                Record::Debris(words) => most += words,
                Record::Sent(message, doubtful) => {
                    let words = self.words(message);
                    let is_sure = !doubtful && (index > 0 || !self.is_long(message));
                    (least, most) = (least + if is_sure { words } else { 0 }, most + words);
                }
            }
        }
        for message in &self.staged {
            most += self.words(*message);
            least += match self.fragment {
                Some(fragment) if message.bytes > fragment => 1 + (message.bytes - 1) % fragment / 8 + 1,
                _ => self.words(*message),
            };
        }
        (least, most)
    }

    /// With all that is staged sent.
    fn committed(&self) -> Pipe {
        self.changed(|next| {
            let staged = next.staged.drain(..);
            next.records.extend(staged.map(|message| Record::Sent(message, false)));
        })
    }

    fn told_the_sender(&self) -> (Answer, Pipe) {
        (Answer::Disconnected, self.changed(|next| next.sender.told = true))
    }

    /// Sends or stages; `otherwise`: the answer where there is no room.
    fn send(&self, message: Message, stage: bool, otherwise: Option<Answer>) -> Vec<(Answer, Pipe)> {
        let words = self.words(message);
        if self.sender.told {
            return vec![self.told_the_sender()];
        }
        // Whoever does not wait sends all the fragments at once.
        if otherwise == Some(Answer::WouldBlock) && words > self.capacity {
            return vec![(Answer::TooLarge, self.clone())];
        }
        if self.receiver.closed {
            return vec![self.told_the_sender()];
        }
        let mut answers = Vec::new();
        let is_gone = self.is_gone(&self.receiver);
        // As long as there is room nobody asks after the receiver: what is sent is lost with it.
        if is_gone {
            answers.push(self.told_the_sender());
        }
        let (least, most) = self.taken_up();
        // A long one goes in as its beginning comes out, which it cannot before all others are out.
        if least + words <= self.capacity || least == 0 {
            let doubtful = self.in_doubt && self.is_long(message);
            let sent = |before: Pipe| {
                before.changed(|next| {
                    next.in_doubt = false;
                    if stage {
                        next.staged.push(message);
                    } else {
                        next.records.push(Record::Sent(message, doubtful));
                    }
                })
            };
            answers.push((Answer::Done, sent(self.committed())));
            if stage {
                answers.push((Answer::Done, sent(self.clone()).committed()));
                answers.extend((!self.staged.is_empty()).then(|| (Answer::Done, sent(self.clone()))));
            }
        }
        if stage {
            // What was staged before is sent when there is no room for this one beside it.
            answers.push((Answer::Inside, self.committed()));
        }
        let is_full = most + words > self.capacity;
        match otherwise {
            Some(Answer::TimedOut) if is_full && !is_gone => {
                let begun = self.is_long(message).then_some(Record::Debris(words));
                answers.push((Answer::TimedOut, self.committed().changed(|next| next.records.extend(begun))));
            }
            // Whoever only tries does not ask after the receiver every time.
            Some(Answer::WouldBlock) if is_full => answers.push((Answer::WouldBlock, self.clone())),
            _ => {}
        }
        answers
    }

    /// Receives, or only looks; `otherwise`: the answer where there is nothing.
    fn receive(&self, look: bool, otherwise: Option<Answer>) -> Vec<(Answer, Pipe)> {
        let mut answers = Vec::new();
        for (index, record) in self.records.iter().enumerate() {
            let Record::Sent(message, doubtful) = *record else { continue };
            if look {
                let mut left = self.records[index..].to_vec();
                left[0] = Record::Sent(message, false);
                answers.push((Answer::Ready, self.changed(|next| next.records = left)));
            } else {
                let left = self.records[index + 1..].to_vec();
                answers.push((Answer::Got(message), self.changed(|next| next.records = left)));
            }
            if !doubtful {
                return answers;
            }
        }
        // What is staged may have been sent in the midst of the next call.
        if !self.staged.is_empty() {
            let sent = self.committed().changed(|next| next.records = next.records.split_off(self.records.len()));
            answers.extend(sent.receive(look, None));
        }
        let empty = self.changed(|next| next.records.clear());
        let is_gone = self.is_gone(&self.sender);
        if is_gone {
            answers.push((Answer::Disconnected, empty.changed(|next| next.receiver.told = true)));
        }
        match otherwise {
            Some(Answer::TimedOut) if !is_gone => answers.push((Answer::TimedOut, empty)),
            // Whoever only tries does not ask after the sender every time; but what was told once stays true.
            Some(Answer::WouldBlock) if !(self.sender.closed || is_gone && self.receiver.told) => {
                answers.push((Answer::WouldBlock, empty));
            }
            _ => {}
        }
        answers
    }

    /// Receives one, and perhaps the one behind it.
    fn receive_two(&self) -> Vec<(Answer, Pipe)> {
        let mut answers = self.receive(false, None);
        for index in 0..answers.len() {
            let (Answer::Got(first), next) = answers[index].clone() else { continue };
            answers.extend(next.receive(false, None).into_iter().filter_map(|(answer, next)| match answer {
                Answer::Got(second) => Some((Answer::GotTwo(first, second), next)),
                _ => None,
            }));
        }
        answers
    }

    fn claim(&self, process: usize, side: Side) -> (Answer, Pipe) {
        let mut next = self.clone();
        let survives = self.survives;
        let end = next.end(side);
        if end.closed || end.holder.is_some() && !(end.dead && survives) {
            return (Answer::Taken, self.clone());
        }
        *end = End { holder: Some(process), heirs: end.heirs.clone(), ..End::default() };
        (Answer::Done, next)
    }
}

impl Spec for Pipe {
    type Op = Op;
    type Answer = Answer;

    fn step(&self, actor: Actor, op: &Op) -> Vec<(Answer, Pipe)> {
        match *op {
            Op::Send(message) => self.send(message, false, None),
            Op::TrySend(message) => self.send(message, false, Some(Answer::WouldBlock)),
            Op::SendTimeout(message) => self.send(message, false, Some(Answer::TimedOut)),
            Op::Stage(message) => self.send(message, true, None),
            // Nobody is owed an error for nothing, but whoever knows that the receiver has closed may say so.
            Op::Commit if self.staged.is_empty() && !self.sender.told => {
                let told = self.receiver.closed.then(|| self.told_the_sender());
                [(Answer::Done, self.clone())].into_iter().chain(told).collect()
            }
            Op::Commit if self.sender.told || self.receiver.closed => vec![self.told_the_sender()],
            Op::Commit => vec![(Answer::Done, self.committed())],
            Op::Recv => self.receive(false, None),
            Op::RecvTwo => self.receive_two(),
            Op::TryRecv => self.receive(false, Some(Answer::WouldBlock)),
            Op::RecvTimeout => self.receive(false, Some(Answer::TimedOut)),
            Op::Poll => self.receive(true, Some(Answer::WouldBlock)),
            Op::Close(side) => {
                let mut next = self.clone();
                next.end(side).closed = true;
                if side == Side::Sender {
                    next.staged.clear();
                }
                vec![(Answer::Done, next)]
            }
            Op::Claim(side) => vec![self.claim(actor.process, side)],
        }
    }

    fn died(&self, process: usize) -> Pipe {
        let mut next = self.clone();
        let lost = |end: &End| end.holder == Some(process) && !end.dead;
        // The next one's records come after what is left of the last one's; and what that received in part is nobody's.
        if lost(&self.sender) {
            next.staged.clear();
            next.records.extend(self.survives.then_some(Record::Debris(self.capacity)));
        }
        if lost(&self.receiver) && self.survives {
            let front = next.records.iter_mut().find_map(|record| match record {
                Record::Sent(message, doubtful) => Some((*message, doubtful)),
                Record::Debris(_) => None,
            });
            match front {
                Some((message, doubtful)) => *doubtful |= self.is_long(message),
                None => next.in_doubt = true,
            }
            next.records.insert(0, Record::Debris(self.capacity));
        }
        for end in [&mut next.sender, &mut next.receiver] {
            end.dead |= end.holder == Some(process);
            end.heirs.retain(|heir| *heir != process);
        }
        next
    }
}
