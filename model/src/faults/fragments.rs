//! Messages in fragments, through a bounded ring that several send to and several receive from. Here a message has two.
//!
//! | word | who writes it | meaning |
//! |---|---|---|
//! | `counts[side]` | its side, under its lock | how many fragments were sent, or received |
//! | `turns[side]` | its side, under its lock | 0, or who is in the middle of a message |
//!
//! Rules of the right form, for either side:
//! 1. It is somebody's turn from before the count moves past its first fragment until after it has moved past its last.
//! 2. Whoever finds that it is another's turn asks whether the other lives, suspicious or not: its tick may have been spent on
//!    the lock. It ends the turn of the dead; that of the living it sleeps on, outside the lock.
//! 3. A first fragment begins a message, whatever came before it: that is the part of a dead sender. A last one whose first
//!    somebody else has taken is dropped: it was that of a dead receiver.

use super::bounded::{Answer, Op, Passage, Queue};
use super::lock::{Entry, Form as Lock};
use super::section::Patience;
use super::{Fault, site};
use crate::scenario::{ModelPlatform, Scenario};
use procession::platform::{Access, Life, Site, Wakeup};

const COUNT: Site = site("fragment.count", Access::Load);
const FILL: Site = site("fragment.fill", Access::Store);
const SLOT: Site = site("fragment.slot", Access::Load);
const MOVE: Site = site("fragment.move", Access::Store);
const SLEEP: Site = site("fragment.sleep", Access::Wait);
const WAKE: Site = site("fragment.wake", Access::Wake);
const WHOSE: Site = site("turn.whose", Access::Load);
const BEGIN: Site = site("turn.begin", Access::Store);
const END: Site = site("turn.end", Access::Store);
const ASK: Site = site("turn.ask", Access::Ask);
const SLEEP_TURN: Site = site("turn.sleep", Access::Wait);
const WAKE_TURN: Site = site("turn.wake", Access::Wake);

const SEND: usize = 0;
const RECEIVE: usize = 1;
/// How many fragments the ring holds: one message.
const CAPACITY: u32 = 2;

/// The protocol, in its right form or broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it should be.
    Right,
    /// Senders take no turns.
    NoTurns,
    /// The turn of the dead is never ended.
    NeverAsks,
    /// The turn of the dead is ended by whoever has been woken from it by a tick.
    AsksIfSuspicious,
    /// A receiver in the middle of a message keeps the first fragment that it has.
    KeepsFirst,
    /// A receiver's turn begins when the count has moved and the lock is left.
    BeginsLate,
}

/// The words.
pub struct Words<P: ModelPlatform> {
    counts: [P::Word<u32>; 2],
    turns: [P::Word<u32>; 2],
    locks: [P::Word<u32>; 2],
    slots: [P::Word<u32>; CAPACITY as usize],
}

/// One of a side.
struct Party<'a, P: ModelPlatform> {
    words: &'a Words<P>,
    platform: &'a P,
    me: u32,
    side: usize,
}

impl Form {
    /// Comes to where there is a fragment for it to send or receive: under its lock, in its turn. Answers its side's count.
    fn enter<P: ModelPlatform>(self, party: &Party<'_, P>, progress: u32) -> u32 {
        let Party { words, platform, me, side } = *party;
        let turn = &words.turns[side];
        let mut suspicious = false;
        loop {
            // The lock's loop heads begin with this number: none of ours may look like one of those.
            let entry = Entry { patience: Patience::Endless, suspicious, outer: 16 + u64::from(progress) };
            Lock::Right.enter(&words.locks[side], platform, me, entry);
            platform.loop_head(&[0, suspicious.into(), progress.into()]);
            let whose: u32 = platform.load(turn, &WHOSE);
            if whose != 0 && whose != me {
                let asks = match self {
                    Form::NeverAsks => false,
                    Form::AsksIfSuspicious => suspicious,
                    _ => true,
                };
                if !asks || platform.life(whose, &ASK) == Life::Alive {
                    self.leave(party);
                    suspicious = platform.wait(turn, whose, P::never(), 0, &SLEEP_TURN) == Wakeup::Tick;
                    platform.loop_head(&[1, suspicious.into(), progress.into()]);
                    continue;
                }
                platform.store(turn, 0, &END);
            }
            let mine: u32 = platform.load(&words.counts[side], &COUNT);
            let theirs: u32 = platform.load(&words.counts[1 - side], &COUNT);
            let can_go_on = if side == SEND { mine - theirs < CAPACITY } else { mine != theirs };
            if can_go_on {
                platform.loop_head(&[2, mine.into(), progress.into()]);
                return mine;
            }
            self.leave(party);
            suspicious = platform.wait(&words.counts[1 - side], theirs, P::never(), 0, &SLEEP) == Wakeup::Tick;
            platform.loop_head(&[1, suspicious.into(), progress.into()]);
        }
    }

    fn leave<P: ModelPlatform>(self, party: &Party<'_, P>) {
        Lock::Right.leave(&party.words.locks[party.side], party.platform);
    }

    /// Moves the count past a fragment, and leaves; with the last fragment, the turn ends.
    fn pass<P: ModelPlatform>(self, party: &Party<'_, P>, count: u32, is_last: bool) {
        let Party { words, platform, side, .. } = *party;
        platform.store(&words.counts[side], count + 1, &MOVE);
        if is_last {
            platform.store(&words.turns[side], 0, &END);
        }
        self.leave(party);
        platform.wake(&words.counts[side], u32::MAX, &WAKE);
        if is_last {
            platform.wake(&words.turns[side], u32::MAX, &WAKE_TURN);
        }
    }

    fn send<P: ModelPlatform>(self, party: &Party<'_, P>, message: u32) {
        let Party { words, platform, me, side } = *party;
        for is_last in [false, true] {
            let count = self.enter(party, u32::from(is_last));
            if !is_last && self != Form::NoTurns {
                platform.store(&words.turns[side], me, &BEGIN);
            }
            platform.store(&words.slots[(count % CAPACITY) as usize], fragment(message, is_last), &FILL);
            self.pass(party, count, is_last);
        }
    }

    /// Receives a message: its number; or that of its first fragment with that of its last, should they differ.
    fn receive<P: ModelPlatform>(self, party: &Party<'_, P>) -> u32 {
        let Party { words, platform, me, side } = *party;
        let mut first = 0;
        loop {
            let count = self.enter(party, first);
            let got: u32 = platform.load(&words.slots[(count % CAPACITY) as usize], &SLOT);
            let (message, is_last) = (got / 2, got % 2 == 1);
            let is_mine = first == message || self == Form::KeepsFirst && first != 0;
            if !is_last && self != Form::BeginsLate {
                platform.store(&words.turns[side], me, &BEGIN);
            }
            platform.loop_head(&[3, got.into(), first.into(), count.into()]);
            self.pass(party, count, is_last && is_mine);
            if !is_last && self == Form::BeginsLate {
                platform.store(&words.turns[side], me, &BEGIN);
            }
            if is_last && is_mine {
                return if first == message { message } else { 10 * first + message };
            }
            if !is_last && (self != Form::KeepsFirst || first == 0) {
                first = message;
            }
            platform.loop_head(&[4, first.into()]);
        }
    }
}

fn fragment(message: u32, is_last: bool) -> u32 {
    2 * message + u32::from(is_last)
}

impl Queue for Form {
    type Words<P: ModelPlatform> = Words<P>;

    fn capacity(&self) -> usize {
        1
    }

    fn build<P: ModelPlatform>(&self) -> Words<P> {
        let words = || [P::word(0), P::word(0)];
        Words { counts: words(), turns: words(), locks: words(), slots: words() }
    }

    fn apply<P: ModelPlatform>(&self, words: &Words<P>, platform: &P, me: u32, op: &Op) -> Option<Answer> {
        let party = |side| Party { words, platform, me, side };
        match op {
            Op::Put(message) => {
                self.send(&party(SEND), *message);
                Some(Answer::Done)
            }
            Op::Get => Some(Answer::Got(self.receive(&party(RECEIVE)))),
            Op::GetTimeout | Op::Close => None,
        }
    }
}

pub(super) fn faults() -> Vec<Fault> {
    use Form::*;
    const SENDS: &[Op] = &[Op::Put(1)];
    const SENDS_OTHER: &[Op] = &[Op::Put(2)];
    const SENDS_TWO: &[Op] = &[Op::Put(1), Op::Put(2)];
    const RECEIVES: &[Op] = &[Op::Get];
    const RECEIVES_TWO: &[Op] = &[Op::Get, Op::Get];
    // Two on each side, with a kill, are more than twenty million states: too many to be seen here.
    let one = |name, form| Scenario::new(name, Passage(form), [SENDS, RECEIVES]);
    let senders = |name, form| Scenario::new(name, Passage(form), [SENDS, SENDS_OTHER, RECEIVES_TWO]);
    let receivers = |name, form| Scenario::new(name, Passage(form), [SENDS_TWO, RECEIVES, RECEIVES]);
    vec![
        Fault::holds(one("fragments", Right), "one to a side: who is left alone waits lawfully").killing(1),
        Fault::holds(senders("fragments-senders", Right), "two senders: the part of a dead one is passed over")
            .killing(1),
        Fault::holds(receivers("fragments-receivers", Right), "two receivers: the rest for a dead one is passed over")
            .killing(1),
        Fault::asleep(
            senders("fragments-no-turns", NoTurns),
            "two senders at once: the first fragment of one falls between those of the other, whose message is dropped",
        ),
        Fault::asleep(
            senders("fragments-never-asks", NeverAsks),
            "a sender dies in the middle of its message, and for ever it is its turn",
        )
        .killing(1),
        Fault::asleep(
            senders("fragments-asks-if-suspicious", AsksIfSuspicious),
            "the dead sender had the lock, too: taking that over spends the tick, and then nobody asks after the turn",
        )
        .killing(1),
        Fault::unordered(
            senders("fragments-keeps-first", KeepsFirst),
            "a message from the first fragment of a dead sender and the last of a living one",
        )
        .killing(1),
        Fault::asleep(
            receivers("fragments-begins-late", BeginsLate),
            "between count and turn another comes, and drops the last fragment as that of a dead receiver",
        ),
    ]
}
