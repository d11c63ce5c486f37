//! A bounded ring without locks: a place is claimed by moving a count, then filled, then published by its sequence number
//! (after Vyukov). Whoever dies between claim and publication leaves a place at which all others wait.
//!
//! | sequence of a place | meaning, at position `p` |
//! |---|---|
//! | `p` | free: to be claimed by moving the putters' count from `p` |
//! | `p + 1` | full: to be claimed by moving the getters' count from `p` |
//! | `p + capacity` | free again, one lap later |
//!
//! Whoever finds a place not ready sleeps on its sequence; whoever moves a sequence wakes all who sleep on it.

use super::bounded::{Answer, Op, Passage, Queue};
use super::{Fault, site};
use crate::scenario::{ModelPlatform, Scenario};
use procession::platform::{Access, Site};

const COUNT: Site = site("claim.count", Access::Load);
const LOOK: Site = site("claim.look", Access::Load);
const CLAIM: Site = site("claim.claim", Access::Modify);
const FILL: Site = site("claim.fill", Access::Store);
const EMPTY: Site = site("claim.empty", Access::Load);
const PUBLISH: Site = site("claim.publish", Access::Store);
const SLEEP: Site = site("claim.sleep", Access::Wait);
const WAKE: Site = site("claim.wake", Access::Wake);

const CAPACITY: u32 = 2;

/// The ring.
#[derive(Debug, Clone, Copy)]
pub struct Claiming;

/// Its words.
pub struct Words<P: ModelPlatform> {
    /// Of those who put, and of those who get.
    counts: [P::Word<u32>; 2],
    sequences: Vec<P::Word<u32>>,
    slots: Vec<P::Word<u32>>,
}

impl Queue for Claiming {
    type Words<P: ModelPlatform> = Words<P>;

    fn capacity(&self) -> usize {
        CAPACITY as usize
    }

    fn build<P: ModelPlatform>(&self) -> Words<P> {
        Words {
            counts: [P::word(0), P::word(0)],
            sequences: (0..CAPACITY).map(P::word).collect(),
            slots: (0..CAPACITY).map(|_| P::word(0)).collect(),
        }
    }

    fn apply<P: ModelPlatform>(&self, words: &Words<P>, platform: &P, _me: u32, op: &Op) -> Option<Answer> {
        let (side, item) = match op {
            Op::Put(item) => (0, *item),
            Op::Get => (1, 0),
            Op::GetTimeout | Op::Close => return None,
        };
        loop {
            platform.loop_head(&[0]);
            let position = platform.load(&words.counts[side], &COUNT);
            let place = (position % CAPACITY) as usize;
            let sequence = platform.load(&words.sequences[place], &LOOK);
            let ready = position + side as u32;
            if sequence < ready {
                platform.wait(&words.sequences[place], sequence, P::never(), 0, &SLEEP);
                continue;
            }
            if sequence > ready
                || platform.compare_exchange(&words.counts[side], position, position + 1, &CLAIM).is_err()
            {
                continue;
            }
            let (answer, next) = if side == 0 {
                platform.store(&words.slots[place], item, &FILL);
                (Answer::Done, position + 1)
            } else {
                (Answer::Got(platform.load(&words.slots[place], &EMPTY)), position + CAPACITY)
            };
            platform.store(&words.sequences[place], next, &PUBLISH);
            platform.wake(&words.sequences[place], u32::MAX, &WAKE);
            return Some(answer);
        }
    }
}

pub(super) fn faults() -> Vec<Fault> {
    let both: [&[Op]; 3] = [&[Op::Put(1), Op::Put(2)], &[Op::Put(3)], &[Op::Get, Op::Get, Op::Get]];
    let spare: [&[Op]; 3] = [&[Op::Put(1)], &[Op::Put(2)], &[Op::Get]];
    vec![
        Fault::holds(Scenario::new("claiming", Passage(Claiming), both), "as long as nobody dies"),
        Fault::asleep(
            Scenario::new("claiming-killed", Passage(Claiming), spare),
            "somebody dies between claim and publication: the item behind that place is out of reach",
        )
        .killing(1),
    ]
}
