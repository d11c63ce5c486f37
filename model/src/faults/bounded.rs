//! What the rings of this folder should do: a bounded first-in-first-out queue that can be closed. And any of them before that
//! specification.

use crate::scenario::{ModelPlatform, Subject};
use crate::spec::{Actor, Spec};
use procession::algorithm::Owner;
use std::collections::VecDeque;

/// The state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Bounded {
    /// How many items there may be.
    pub capacity: usize,
    /// The items, oldest first.
    pub items: VecDeque<u32>,
    /// Whether no more may come.
    pub closed: bool,
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Put this item, when there is room.
    Put(u32),
    /// Take the oldest item, when there is one.
    Get,
    /// The same, but not for ever.
    GetTimeout,
    /// Let no more come.
    Close,
}

/// What can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Done.
    Done,
    /// The oldest item.
    Got(u32),
    /// There was none for too long.
    TimedOut,
    /// There is none, or no room, and it will stay so.
    Closed,
}

impl Bounded {
    /// An empty one.
    pub fn new(capacity: usize) -> Bounded {
        Bounded { capacity, items: VecDeque::new(), closed: false }
    }
}

impl Spec for Bounded {
    type Op = Op;
    type Answer = Answer;

    fn step(&self, _actor: Actor, op: &Op) -> Vec<(Answer, Bounded)> {
        let mut next = self.clone();
        let answer = match op {
            Op::Put(_) if self.closed => Answer::Closed,
            Op::Put(_) if self.items.len() == self.capacity => return Vec::new(),
            Op::Put(item) => {
                next.items.push_back(*item);
                Answer::Done
            }
            Op::Get | Op::GetTimeout => match (next.items.pop_front(), self.closed, op) {
                (Some(item), ..) => Answer::Got(item),
                (None, true, _) => Answer::Closed,
                (None, false, Op::GetTimeout) => Answer::TimedOut,
                (None, false, _) => return Vec::new(),
            },
            Op::Close => {
                next.closed = true;
                Answer::Done
            }
        };
        vec![(answer, next)]
    }

    fn died(&self, _process: usize) -> Bounded {
        self.clone()
    }
}

/// A ring.
pub trait Queue: Clone + Send + Sync + 'static {
    /// Its words.
    type Words<P: ModelPlatform>: Send + Sync + 'static;
    /// How many items it holds.
    fn capacity(&self) -> usize;
    /// Its words at first.
    fn build<P: ModelPlatform>(&self) -> Self::Words<P>;
    /// Does `op`; nothing, if there is no such thing here.
    fn apply<P: ModelPlatform>(&self, words: &Self::Words<P>, platform: &P, me: u32, op: &Op) -> Option<Answer>;
}

/// Items on their way through it.
#[derive(Debug, Clone, Copy)]
pub struct Passage<Q>(pub Q);

impl<Q: Queue> Subject for Passage<Q> {
    type Spec = Bounded;
    type Op = Op;
    type Answer = Answer;
    type Shared<P: ModelPlatform> = Q::Words<P>;
    type Local = ();

    fn spec(&self) -> Bounded {
        Bounded::new(self.0.capacity())
    }

    fn build<P: ModelPlatform>(&self) -> Q::Words<P> {
        self.0.build()
    }

    fn apply<P: ModelPlatform>(
        &self,
        words: &Q::Words<P>,
        platform: &P,
        me: Owner,
        (): &mut (),
        op: &Op,
    ) -> Option<Answer> {
        self.0.apply(words, platform, me.peer, op)
    }

    fn leaves_out(&self, (): &(), _op: &Op) -> bool {
        false
    }

    fn is_timed(&self, op: &Op) -> bool {
        matches!(op, Op::GetTimeout)
    }
}
