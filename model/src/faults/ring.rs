//! A bounded ring. Its putters move one count and sleep on the other's, and its getters likewise; each side has a lock, and a
//! mark that says at which count its sleepers fell asleep.
//!
//! | word | who writes it | meaning |
//! |---|---|---|
//! | `counts[PUT]`, `counts[GET]` | its side, under its lock | how many were put, or got; perhaps with CLOSED |
//! | `marks[side]` | `side`, under its lock | the other side's count at which its sleepers sleep |
//!
//! Rules of the right form, for either side:
//! 1. Under its lock it reads both counts. If it can go on, it moves the item, stores its count plus one, unlocks, and after a
//!    light fence compares the other side's mark with its count as it was: if they are the same, it wakes all who sleep there.
//! 2. If not, it stores the other side's count as its mark, still under its lock; unlocks; and after a heavy fence sleeps while
//!    that count is what it was. Then it starts again, and takes the suspicion of a tick along to its lock.
//! 3. Nobody ever clears a mark, and nobody modifies a word: there is nothing to be left behind.
//! 4. Closing sets CLOSED in one count after the other, each under its side's lock, and wakes all who sleep on it.

use super::bounded::{Answer, Op, Queue};
use super::lock::{Entry, Form as Lock};
use super::section::Patience;
use super::site;
use crate::scenario::ModelPlatform;
use procession::platform::{Access, Site, Wakeup};

const COUNT: Site = site("ring.count", Access::Load);
const SLOT: Site = site("ring.slot", Access::Load);
const FILL: Site = site("ring.fill", Access::Store);
const MOVE: Site = site("ring.move", Access::Store);
const LIGHT: Site = site("ring.light_fence", Access::LightFence);
const HEAVY: Site = site("ring.heavy_fence", Access::HeavyFence);
const MARK: Site = site("mark.store", Access::Store);
const CLEAR: Site = site("mark.clear", Access::Store);
const LOOK: Site = site("mark.look", Access::Load);
const RECHECK: Site = site("ring.recheck", Access::Recheck);
const SLEEP: Site = site("ring.sleep", Access::Wait);
const WAKE: Site = site("ring.wake", Access::Wake);
const PASS_ON: Site = site("ring.pass_on", Access::Wake);
const CLOSE: Site = site("ring.close", Access::Store);
const IS_CLOSED: Site = site("ring.is_closed", Access::Load);

const CLOSED: u32 = 1 << 27;
/// A mark of nobody: more than any scenario counts.
const NEVER: u32 = 99;
const PUT: usize = 0;
const GET: usize = 1;

/// The ring, in a right form or broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it should be.
    Right,
    /// As it should be where each side is one role: without locks.
    Unlocked,
    /// The same, with a light fence in the place of the heavy one.
    UnlockedLight,
    /// The mark is a flag: set by the sleeper, cleared by the waker.
    FlagClearedByWaker,
    /// The mark is stored after unlocking.
    MarkOutside,
    /// A wake wakes one, and whoever slept passes it on if there is more to do.
    WakesOne,
    /// The same; but whoever is woken finds that its deadline has passed, and leaves without a look.
    WakesOneLeavesWoken,
    /// Closing sets a flag beside the counts.
    ClosedBeside,
    /// A tick only makes it sleep again, on whatever the other side's count is by then.
    TicksBlindly,
}

/// The ring.
#[derive(Debug, Clone, Copy)]
pub struct Ring {
    /// Its form.
    pub form: Form,
    /// How many items it holds.
    pub capacity: u32,
}

/// Its words.
pub struct Words<P: ModelPlatform> {
    counts: [P::Word<u32>; 2],
    marks: [P::Word<u32>; 2],
    locks: [P::Word<u32>; 2],
    closed: P::Word<u32>,
    slots: Vec<P::Word<u32>>,
}

/// Where a step of an operation stands: its platform, its peer, its side.
struct Turn<'a, P: ModelPlatform> {
    words: &'a Words<P>,
    platform: &'a P,
    me: u32,
    side: usize,
}

impl Ring {
    fn is_locked(self) -> bool {
        !matches!(self.form, Form::Unlocked | Form::UnlockedLight)
    }

    fn wakes_one(self) -> bool {
        matches!(self.form, Form::WakesOne | Form::WakesOneLeavesWoken)
    }

    fn lock<P: ModelPlatform>(self, turn: &Turn<'_, P>, suspicious: bool, outer: u64) {
        if self.is_locked() {
            let entry = Entry { patience: Patience::Endless, suspicious, outer };
            Lock::Right.enter(&turn.words.locks[turn.side], turn.platform, turn.me, entry);
        }
    }

    fn unlock<P: ModelPlatform>(self, turn: &Turn<'_, P>) {
        if self.is_locked() {
            Lock::Right.leave(&turn.words.locks[turn.side], turn.platform);
        }
    }

    fn can_go_on(self, side: usize, own: u32, other: u32) -> bool {
        let (own, other) = (own & !CLOSED, other & !CLOSED);
        if side == PUT { own - other < self.capacity } else { own != other }
    }

    /// Whether the flag beside the counts is set, in the form that has one.
    fn is_flagged<P: ModelPlatform>(self, turn: &Turn<'_, P>) -> bool {
        self.form == Form::ClosedBeside && turn.platform.load(&turn.words.closed, &IS_CLOSED) == 1
    }

    /// Puts `item`, or takes one.
    fn pass<P: ModelPlatform>(self, turn: &Turn<'_, P>, item: Option<u32>, timed: bool) -> Answer {
        let Turn { words, platform, side, .. } = *turn;
        let (own, other) = (&words.counts[side], &words.counts[1 - side]);
        let (mut suspicious, mut slept) = (false, false);
        loop {
            self.lock(turn, suspicious, 2 + u64::from(slept));
            platform.loop_head(&[6, slept.into()]); // how it came in is history
            let is_flagged = self.is_flagged(turn); // first: what was put before it was set is then counted below
            let mine: u32 = platform.load(own, &COUNT);
            let theirs: u32 = platform.load(other, &COUNT);
            let can_go_on = self.can_go_on(side, mine, theirs);
            let puts = if side == PUT { mine } else { theirs };
            if (side == PUT || !can_go_on) && (is_flagged || puts & CLOSED != 0) {
                self.unlock(turn);
                return Answer::Closed;
            }
            if can_go_on {
                return self.go_on(turn, item, (mine, theirs), slept);
            }
            match self.sleep(turn, theirs, timed, slept) {
                Some(Wakeup::TimedOut) => return Answer::TimedOut,
                Some(Wakeup::Woken) if timed && self.form == Form::WakesOneLeavesWoken => return Answer::TimedOut,
                Some(wakeup) => (suspicious, slept) = (wakeup == Wakeup::Tick, self.wakes_one()),
                None => (suspicious, slept) = (false, slept),
            }
            // The replies of this turn are history; the lock begins a loop of its own, with these two.
            platform.loop_head(&[1, suspicious.into(), slept.into()]);
        }
    }

    /// Rule 1.
    fn go_on<P: ModelPlatform>(
        self,
        turn: &Turn<'_, P>,
        item: Option<u32>,
        (mine, theirs): (u32, u32),
        slept: bool,
    ) -> Answer {
        let Turn { words, platform, side, .. } = *turn;
        let (own, other) = (&words.counts[side], &words.counts[1 - side]);
        let slot = &words.slots[((mine & !CLOSED) % self.capacity) as usize];
        let answer = match item {
            Some(item) => {
                platform.store(slot, item, &FILL);
                Answer::Done
            }
            None => Answer::Got(platform.load(slot, &SLOT)),
        };
        platform.store(own, mine + 1, &MOVE);
        let known = if self.wakes_one() && slept { [1, theirs] } else { [0, 0] };
        let got = if let Answer::Got(item) = answer { item } else { 0 };
        platform.loop_head(&[7, mine, got, known[0], known[1]].map(u64::from));
        let is_more = self.wakes_one() && slept && self.can_go_on(side, mine + 1, platform.load(other, &COUNT));
        if self.wakes_one() && slept && !is_more {
            platform.store(&words.marks[side], theirs, &MARK);
        }
        self.unlock(turn);
        if self.wakes_one() && slept {
            platform.heavy_fence(&HEAVY);
            if is_more || platform.load(other, &RECHECK) != theirs {
                platform.wake(other, 1, &PASS_ON);
            }
        }
        platform.light_fence(&LIGHT);
        let marked = platform.load(&words.marks[1 - side], &LOOK);
        if self.form == Form::FlagClearedByWaker {
            if marked == 1 {
                platform.store(&words.marks[1 - side], 0, &CLEAR);
                platform.wake(own, u32::MAX, &WAKE);
            }
        } else if marked == mine {
            platform.wake(own, if self.wakes_one() { 1 } else { u32::MAX }, &WAKE);
        }
        answer
    }

    /// Rule 2.
    fn sleep<P: ModelPlatform>(self, turn: &Turn<'_, P>, theirs: u32, timed: bool, slept: bool) -> Option<Wakeup> {
        let Turn { words, platform, side, .. } = *turn;
        platform.loop_head(&[8, theirs.into(), slept.into()]);
        let mark = if self.form == Form::FlagClearedByWaker { 1 } else { theirs };
        if self.form == Form::MarkOutside {
            self.unlock(turn);
            platform.store(&words.marks[side], mark, &MARK);
        } else {
            platform.store(&words.marks[side], mark, &MARK);
            self.unlock(turn);
        }
        if self.form == Form::UnlockedLight {
            platform.light_fence(&LIGHT);
        } else {
            platform.heavy_fence(&HEAVY);
        }
        let other = &words.counts[1 - side];
        if platform.load(other, &RECHECK) != theirs || self.is_flagged(turn) {
            return None;
        }
        let deadline = if timed { platform.deadline() } else { P::never() };
        let mut slept_on = theirs;
        loop {
            match platform.wait(other, slept_on, deadline, 0, &SLEEP) {
                Wakeup::Tick if self.form == Form::TicksBlindly => slept_on = platform.load(other, &RECHECK),
                wakeup => return Some(wakeup),
            }
        }
    }

    /// Rule 4.
    fn close<P: ModelPlatform>(self, words: &Words<P>, platform: &P, me: u32) {
        for side in [PUT, GET] {
            let turn = Turn { words, platform, me, side };
            self.lock(&turn, false, 4 + side as u64);
            if self.form == Form::ClosedBeside {
                platform.store(&words.closed, 1, &CLOSE);
            } else {
                let count: u32 = platform.load(&words.counts[side], &COUNT);
                platform.store(&words.counts[side], count | CLOSED, &CLOSE);
            }
            self.unlock(&turn);
            platform.wake(&words.counts[side], u32::MAX, &WAKE);
        }
    }
}

impl Queue for Ring {
    type Words<P: ModelPlatform> = Words<P>;

    fn capacity(&self) -> usize {
        self.capacity as usize
    }

    fn build<P: ModelPlatform>(&self) -> Words<P> {
        let mark = if self.form == Form::FlagClearedByWaker { 0 } else { NEVER };
        let words = |value| [P::word(value), P::word(value)];
        let slots = (0..self.capacity).map(|_| P::word(0)).collect();
        Words { counts: words(0), marks: words(mark), locks: words(0), closed: P::word(0), slots }
    }

    fn apply<P: ModelPlatform>(&self, words: &Words<P>, platform: &P, me: u32, op: &Op) -> Option<Answer> {
        let turn = |side| Turn { words, platform, me, side };
        Some(match op {
            Op::Put(item) => self.pass(&turn(PUT), Some(*item), false),
            Op::Get => self.pass(&turn(GET), None, false),
            Op::GetTimeout => self.pass(&turn(GET), None, true),
            Op::Close => {
                self.close(words, platform, me);
                Answer::Done
            }
        })
    }
}
