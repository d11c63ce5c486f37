//! `Queue`: messages in one order, from whoever puts to whoever gets, each whole or not at all.

use super::{Actor, Spec};
use std::collections::VecDeque;

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Message {
    /// What it says.
    pub id: u8,
    /// How long it is.
    pub bytes: usize,
}

/// The processes that have a role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Members {
    /// Those who live.
    pub living: Vec<usize>,
    /// Whether any has died.
    pub some_died: bool,
}

impl Members {
    /// These processes, all alive.
    pub fn new(processes: &[usize]) -> Members {
        Members { living: processes.to_vec(), some_died: false }
    }

    /// Whether nobody is left. Where nobody ever was, somebody may still come.
    pub fn are_gone(&self) -> bool {
        self.living.is_empty() && self.some_died
    }

    fn died(&mut self, process: usize) {
        self.some_died |= self.living.contains(&process);
        self.living.retain(|member| *member != process);
    }
}

/// The state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Queue {
    /// Words of all messages at most.
    pub capacity: usize,
    /// Messages at most.
    pub most: usize,
    /// Whether there is a word before each message, which says how long it is.
    pub labelled: bool,
    /// Whether those who do not wait ask after the other side every time.
    pub asks: bool,
    /// The messages, oldest first.
    pub messages: VecDeque<Message>,
    /// Whether no more may come.
    pub closed: bool,
    /// Who puts.
    pub putters: Members,
    /// Who gets.
    pub getters: Members,
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Put, and wait for room.
    Put(Message),
    /// Put if there is room.
    TryPut(Message),
    /// Put, but do not wait for ever.
    PutTimeout(Message),
    /// Wait for a message.
    Get,
    /// Take one if there is one.
    TryGet,
    /// Wait for one, but not for ever.
    GetTimeout,
    /// Put as many of these as there is room for, but at least the first, and wait for that.
    PutTwo(Message, Message),
    /// Get as many as there are, but at least one and at most two, and wait for that.
    GetTwo,
    /// How many messages there are.
    Len,
    /// Whether there is none.
    IsEmpty,
    /// Whether there is no room for one like this.
    IsFull(Message),
    /// Let no more come.
    Close,
    /// Take out all there are, to nobody.
    Discard,
}

/// What can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Done.
    Done,
    /// The oldest message.
    Got(Message),
    /// The oldest two.
    GotTwo(Message, Message),
    /// Something that nobody put. No specification allows it.
    Garbled,
    /// There was no room, or no message.
    WouldBlock,
    /// The same, for too long.
    TimedOut,
    /// No more can come; to a getter: and there are no messages left.
    Closed,
    /// Nobody is left on the other side; to a getter: and there are no messages left.
    Disconnected,
    /// More than ever fits.
    TooLarge,
    /// So many.
    Count(usize),
    /// Yes or no.
    Is(bool),
}

/// How somebody waits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    Waits,
    Tries,
    IsTimed,
}

impl Queue {
    /// An empty one.
    pub fn new(capacity: usize, most: usize, labelled: bool, asks: bool, roles: [&[usize]; 2]) -> Queue {
        let [putters, getters] = roles.map(Members::new);
        Queue { capacity, most, labelled, asks, messages: VecDeque::new(), closed: false, putters, getters }
    }

    fn words(&self, message: Message) -> usize {
        let words = message.bytes.div_ceil(8);
        if self.labelled { 1 + words } else { words.max(1) }
    }

    fn has_room(&self, message: Message) -> bool {
        let taken: usize = self.messages.iter().map(|message| self.words(*message)).sum();
        self.messages.len() < self.most && taken + self.words(message) <= self.capacity
    }

    fn with(&self, change: impl FnOnce(&mut Queue)) -> Queue {
        let mut next = self.clone();
        change(&mut next);
        next
    }

    /// Puts or gets, if that can be done: `done`.
    fn pass(&self, done: Option<(Answer, Queue)>, others: &Members, patience: Patience) -> Vec<(Answer, Queue)> {
        let unchanged = |answer| (answer, self.clone());
        if let Some(done) = done {
            return vec![done];
        }
        if self.closed {
            return vec![unchanged(Answer::Closed)];
        }
        let tries = patience == Patience::Tries;
        let mut answers = Vec::new();
        if others.are_gone() {
            answers.push(unchanged(Answer::Disconnected));
        }
        if tries && !(others.are_gone() && self.asks) {
            answers.push(unchanged(Answer::WouldBlock));
        }
        if patience == Patience::IsTimed && !others.are_gone() {
            answers.push(unchanged(Answer::TimedOut));
        }
        answers
    }

    fn put(&self, message: Message, patience: Patience) -> Vec<(Answer, Queue)> {
        if self.words(message) > self.capacity {
            return vec![(Answer::TooLarge, self.clone())];
        }
        let put = || (Answer::Done, self.with(|next| next.messages.push_back(message)));
        self.pass((!self.closed && self.has_room(message)).then(put), &self.getters, patience)
    }

    /// Two in place of one, if it can be: what others have just made room for, whoever puts need not have seen.
    fn put_two(&self, first: Message, second: Message) -> Vec<(Answer, Queue)> {
        let after = |(answer, next): (Answer, Queue)| {
            if answer != Answer::Done {
                return vec![(answer, next)];
            }
            let both = next.has_room(second).then(|| next.with(|both| both.messages.push_back(second)));
            let both = both.map(|both| (Answer::Count(2), both));
            both.into_iter().chain([(Answer::Count(1), next)]).collect()
        };
        self.put(first, Patience::Waits).into_iter().flat_map(after).collect()
    }

    /// The same: what others have just put, whoever gets need not have seen.
    fn get_two(&self) -> Vec<(Answer, Queue)> {
        let after = |(answer, next): (Answer, Queue)| {
            let Answer::Got(first) = answer else { return vec![(answer, next)] };
            let second = next.messages.front().copied();
            let both =
                second.map(|second| (Answer::GotTwo(first, second), next.with(|both| _ = both.messages.pop_front())));
            both.into_iter().chain([(answer, next)]).collect()
        };
        self.get(Patience::Waits).into_iter().flat_map(after).collect()
    }

    fn get(&self, patience: Patience) -> Vec<(Answer, Queue)> {
        let mut left = self.messages.clone();
        let got = left.pop_front().map(|first| (Answer::Got(first), self.with(|next| next.messages = left)));
        self.pass(got, &self.putters, patience)
    }
}

impl Spec for Queue {
    type Op = Op;
    type Answer = Answer;

    fn step(&self, _actor: Actor, op: &Op) -> Vec<(Answer, Queue)> {
        let is = |answer| vec![(answer, self.clone())];
        match *op {
            Op::Put(message) => self.put(message, Patience::Waits),
            Op::TryPut(message) => self.put(message, Patience::Tries),
            Op::PutTimeout(message) => self.put(message, Patience::IsTimed),
            Op::Get => self.get(Patience::Waits),
            Op::TryGet => self.get(Patience::Tries),
            Op::GetTimeout => self.get(Patience::IsTimed),
            Op::PutTwo(first, second) => self.put_two(first, second),
            Op::GetTwo => self.get_two(),
            Op::Len => is(Answer::Count(self.messages.len())),
            Op::IsEmpty => is(Answer::Is(self.messages.is_empty())),
            Op::IsFull(message) => is(Answer::Is(!self.has_room(message))),
            Op::Close => vec![(Answer::Done, self.with(|next| next.closed = true))],
            Op::Discard => vec![(Answer::Done, self.with(|next| next.messages.clear()))],
        }
    }

    /// Somebody who is in the midst of an operation may be inside a lock, and be stopped there: whoever does not wait for ever
    /// may then give up, whatever the queue holds.
    fn step_beside(&self, actor: Actor, op: &Op, others: bool) -> Vec<(Answer, Queue)> {
        let mut answers = self.step(actor, op);
        let is_timed = matches!(op, Op::PutTimeout(_) | Op::GetTimeout);
        if others && is_timed && !answers.iter().any(|(answer, _)| *answer == Answer::TimedOut) {
            answers.push((Answer::TimedOut, self.clone()));
        }
        answers
    }

    fn died(&self, process: usize) -> Queue {
        self.with(|next| [&mut next.putters, &mut next.getters].into_iter().for_each(|members| members.died(process)))
    }
}
