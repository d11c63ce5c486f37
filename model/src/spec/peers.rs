//! The peer table: a slot for every living peer, and room again when one dies.

use super::{Actor, Spec};

/// The state: for every slot, whose process it names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Peers {
    /// The process in each slot.
    pub slots: Vec<Option<usize>>,
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Enter the table.
    Claim,
    /// Take over the slot that was kept for it. Left out by a role for which there is none.
    Adopt,
    /// Leave it. Left out by a role that is not in it.
    Release,
}

/// What can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// In this slot.
    Slot(usize),
    /// Every slot names a living peer.
    Full,
    /// Out.
    Released,
}

impl Spec for Peers {
    type Op = Op;
    type Answer = Answer;

    fn step(&self, actor: Actor, op: &Op) -> Vec<(Answer, Peers)> {
        let with = |slot: usize, process| {
            let mut next = self.clone();
            next.slots[slot] = process;
            next
        };
        match op {
            Op::Claim => {
                let free = (0..self.slots.len()).filter(|slot| self.slots[*slot].is_none());
                let mut answers: Vec<_> =
                    free.map(|slot| (Answer::Slot(slot), with(slot, Some(actor.process)))).collect();
                if answers.is_empty() {
                    answers.push((Answer::Full, self.clone()));
                }
                answers
            }
            Op::Adopt => {
                let mine = self.slots.iter().position(|slot| *slot == Some(actor.process));
                mine.map(|slot| (Answer::Slot(slot), self.clone())).into_iter().collect()
            }
            Op::Release => {
                let mine = self.slots.iter().position(|slot| *slot == Some(actor.process));
                mine.map(|slot| (Answer::Released, with(slot, None))).into_iter().collect()
            }
        }
    }

    fn died(&self, process: usize) -> Peers {
        let free = |slot: &Option<usize>| slot.filter(|named| *named != process);
        Peers { slots: self.slots.iter().map(free).collect() }
    }
}
