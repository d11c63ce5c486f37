//! Redelivery: copies of the tasks that somebody has in hand, so that another one can get what a dead one had.
//!
//! | word of a copy | bits | meaning |
//! |---|---|---|
//! | `state` | 0-31 | who has it in hand: a peer id; 0: nobody, the copy is free |
//! | | 32-63 | how many have had it before, and died |
//! | `number` | 0-30 | which message it is: the head's count before it was got |
//! | | 32-63 | its bytes |
//! | `thread` | | which thread of the holder's got it |
//! | the others | | the message |
//!
//! Before them all stands `last`, the copy that was begun last.
//!
//! Transitions of `state`: `0 → holder` (a message is got, before the head moves) · `holder → 0` (it is done; or its holder is dead
//! and somebody acknowledged that) · `dead holder → holder`, one more (it is got again). All but the first half of the second
//! inside the getters' lock.
//!
//! Invariants:
//! 1. A task is in the queue until the head moves past it, and from then on in one copy until it is done: one store is what
//!    makes it done, or somebody else's. So it is counted once, whoever dies where.
//! 2. The copy that was begun last and whose number is the head's count is of a message that is in the queue still: whoever
//!    began it died before the head moved. It counts as free, and the next one to get a message begins the same.
//! 3. Nothing but `state` is read of a copy that is free; and of one that is not, nothing else changes, but the thread.
//! 4. Unfinished is what is in the queue, and the copies that are not free.

use super::Owner;
use super::queue_parts::{Receipt, Refused};
use super::ring::{Progress, WORD_BYTES};
use super::tally::{Blind, NoTask};
use crate::platform::{Access, Life, Ordering, Platform, Site};

const LAST: Site = Site::guarded("copy.last", Access::Load, "inside the getters' lock");
const BEGIN: Site = Site::guarded("copy.begin", Access::Store, "inside the getters' lock");
const NUMBER: Site = Site::guarded("copy.number", Access::Load, "inside the getters' lock");
const NAME: Site = Site::guarded("copy.name", Access::Store, "inside the getters' lock");
const KEEP: Site = Site::guarded("copy.keep", Access::Store, "inside the getters' lock");
const DRAW: Site = Site::guarded("copy.draw", Access::Load, "inside the getters' lock");
const SIGN: Site = Site::new(
    "copy.sign",
    Access::Store,
    Ordering::Relaxed,
    "read by threads of the same process, about tasks of their own, or that they were handed",
);
const SIGNED: Site = Site::new("copy.signed", Access::Load, Ordering::Relaxed, "as copy.sign");
const FREE: Site = Site::new(
    "copy.free",
    Access::Load,
    Ordering::Acquire,
    "pairs with copy.done: nothing is written into a copy before whoever had it is done with it, and what it did is seen",
);
const HOLD: Site = Site::new(
    "copy.hold",
    Access::Store,
    Ordering::Relaxed,
    "the lock orders it for all who get; the holder's own threads saw it, or were handed the task",
);
const MINE: Site = Site::new("copy.mine", Access::Load, Ordering::Relaxed, "a hint: copy.done decides");
const DONE: Site = Site::new(
    "copy.done",
    Access::Modify,
    Ordering::Release,
    "pairs with copy.free: what was done is seen by whoever finds it done",
);
const ASK: Site = Site::plain("copy.ask", Access::Ask, "`Dead` happens after all that the holder did");

/// The sites of this file.
pub static SITES: &[&Site] =
    &[&LAST, &BEGIN, &NUMBER, &NAME, &KEEP, &DRAW, &SIGN, &SIGNED, &FREE, &HOLD, &MINE, &DONE, &ASK];

/// Words of a copy before the message's own.
const AHEAD: usize = 3;
const COUNT: u32 = (1 << 31) - 1;

/// A copy's `state`, decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State(u64);

impl State {
    const FREE: State = State(0);

    fn held(holder: u32, times: u32) -> State {
        State(u64::from(times) << 32 | u64::from(holder))
    }
    fn holder(self) -> u32 {
        self.0 as u32
    }
    fn times(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// What became of the tasks that somebody got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// So many are in living hands.
    pub in_hand: u32,
    /// Of so many the holder is dead.
    pub orphans: u32,
}

/// The copies of a queue.
pub struct Copies<'a, P: Platform> {
    /// All their words.
    pub words: &'a [P::Word<u64>],
    /// The most bytes of a message.
    pub bytes: usize,
}

impl<P: Platform> Clone for Copies<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Copies<'_, P> {}

/// Words of a table of so many copies of messages of at most so many bytes. `None`: more than can be counted.
pub fn words_for(copies: usize, bytes: usize) -> Option<usize> {
    width(bytes).checked_mul(copies)?.checked_add(1)
}

fn width(bytes: usize) -> usize {
    AHEAD + bytes.div_ceil(WORD_BYTES)
}

/// One copy.
struct Slot<'a, P: Platform> {
    state: &'a P::Word<u64>,
    number: &'a P::Word<u64>,
    thread: &'a P::Word<u64>,
    message: &'a [P::Word<u64>],
}

impl<'a, P: Platform> Copies<'a, P> {
    fn all(self) -> impl Iterator<Item = Slot<'a, P>> {
        self.words.get(1..).unwrap_or_default().chunks_exact(width(self.bytes)).filter_map(|words| match words {
            [state, number, thread, message @ ..] => Some(Slot { state, number, thread, message }),
            _ => None,
        })
    }

    fn slot(self, index: usize) -> Option<Slot<'a, P>> {
        self.all().nth(index)
    }

    fn len(self) -> usize {
        self.words.len().saturating_sub(1) / width(self.bytes)
    }

    /// Inside the getters' lock: the copy that its maker did not live to make valid, if there is one (invariant 2).
    fn begun(self, platform: &P, head: Progress) -> Option<usize> {
        let last = usize::try_from(platform.load(self.words.first()?, &LAST)).ok()?;
        let slot = self.slot(last)?;
        (platform.load(slot.number, &NUMBER) as u32 == head.count()).then_some(last)
    }

    /// Inside the getters' lock, before the head moves from `head`: keeps a copy of the message that `me` gets.
    pub fn take(self, platform: &P, me: Owner, head: Progress, message: &[u8]) -> Result<Receipt, Refused> {
        if message.len() > self.bytes {
            return Err(Refused::Corrupt);
        }
        let copy = self.place(platform, head).ok_or(Refused::TooMany)?;
        let (Some(slot), Some(last)) = (self.slot(copy), self.words.first()) else { return Err(Refused::Corrupt) };
        platform.store(last, copy as u64, &BEGIN);
        platform.store(slot.number, (message.len() as u64) << 32 | u64::from(head.count()), &NAME);
        platform.copy_in(slot.message, message, &KEEP);
        self.hold(platform, &slot, me, 0);
        Ok(Receipt { worker: me.peer, copy, times: 0 })
    }

    /// A copy for the message at `head`.
    fn place(self, platform: &P, head: Progress) -> Option<usize> {
        let is_free = |slot: &Slot<'a, P>| platform.load(slot.state, &FREE) == State::FREE.0;
        let begun = self.begun(platform, head);
        begun.or_else(|| {
            let after = 1 + platform.load(self.words.first()?, &LAST) as usize;
            let count = self.len();
            let index = |step: usize| after.wrapping_add(step) % count;
            (0..count).map(index).find(|index| self.slot(*index).is_some_and(|slot| is_free(&slot)))
        })
    }

    /// Inside the getters' lock, before the head moves on without a message having been got: frees the copy that was begun.
    pub fn give_up(self, platform: &P, head: Progress) {
        if let Some(slot) = self.begun(platform, head).and_then(|begun| self.slot(begun)) {
            platform.store(slot.state, State::FREE.0, &HOLD);
        }
    }

    fn hold(self, platform: &P, slot: &Slot<'a, P>, me: Owner, times: u32) {
        platform.store(slot.thread, me.thread, &SIGN);
        platform.store(slot.state, State::held(me.peer, times).0, &HOLD);
    }

    /// Inside the getters' lock: a task whose holder is dead.
    pub fn orphan(self, platform: &P, me: Owner, head: Progress) -> Option<usize> {
        let begun = self.begun(platform, head);
        let is_orphan = |(index, slot): &(usize, Slot<'a, P>)| {
            let holder = State(platform.load(slot.state, &FREE)).holder();
            let is_others = holder != 0 && holder != me.peer && begun != Some(*index);
            is_others && platform.life(holder, &ASK) == Life::Dead
        };
        self.all().enumerate().find(is_orphan).map(|(index, _)| index)
    }

    /// Inside the getters' lock: such a task, if no copy is free.
    pub fn orphan_in_the_way(self, platform: &P, me: Owner, head: Progress) -> Option<usize> {
        if self.place(platform, head).is_some() { None } else { self.orphan(platform, me, head) }
    }

    /// Inside the same: `me` gets it.
    pub fn adopt<'b>(
        self,
        platform: &P,
        me: Owner,
        copy: usize,
        take: impl FnOnce(usize) -> Option<&'b mut [u8]>,
    ) -> Result<Receipt, Refused> {
        let slot = self.slot(copy).ok_or(Refused::Corrupt)?;
        let times = State(platform.load(slot.state, &FREE)).times().saturating_add(1);
        let bytes = (platform.load(slot.number, &NUMBER) >> 32) as usize;
        let place = (bytes <= self.bytes).then(|| take(bytes)).flatten().ok_or(Refused::Corrupt)?;
        platform.copy_out(slot.message, place, &DRAW);
        self.hold(platform, &slot, me, times);
        Ok(Receipt { worker: me.peer, copy, times })
    }

    /// `me` has done the task of this copy.
    pub fn done(self, platform: &P, me: Owner, copy: usize) -> Result<(), NoTask> {
        let slot = self.slot(copy).ok_or(NoTask)?;
        let state = State(platform.load(slot.state, &MINE));
        let mine = state.holder() == me.peer;
        // Another thread of this process may report the same, once too often.
        let freed = mine && platform.compare_exchange(slot.state, state.0, State::FREE.0, &DONE).is_ok();
        freed.then_some(()).ok_or(NoTask)
    }

    /// The task that `me` would mean: of those this thread got the oldest, or else of all its process's.
    pub fn oldest(self, platform: &P, me: Owner, head: Progress) -> Option<usize> {
        let age = |(index, slot): (usize, Slot<'a, P>)| {
            let holder = State(platform.load(slot.state, &MINE)).holder();
            let number = platform.load(slot.number, &SIGNED) as u32;
            let others = platform.load(slot.thread, &SIGNED) != me.thread;
            (holder == me.peer).then(|| (others, u32::MAX - (head.count().wrapping_sub(number) & COUNT), index))
        };
        self.all().enumerate().filter_map(age).min().map(|(_, _, index)| index)
    }

    /// Whether `me` has no task in hand.
    pub fn is_idle(self, platform: &P, me: Owner) -> bool {
        self.all().all(|slot| State(platform.load(slot.state, &MINE)).holder() != me.peer)
    }

    /// Inside the getters' lock: how many tasks are not done, and who has them. Those that are done meanwhile count either way.
    pub fn held(self, platform: &P, me: Owner, head: Progress) -> Result<Held, Blind> {
        let mut held = Held::default();
        for life in self.holders(platform, me, head).map(|(_, life)| life) {
            match life {
                Life::Alive => held.in_hand += 1,
                Life::Dead => held.orphans += 1,
                Life::Unknown => return Err(Blind),
            }
        }
        Ok(held)
    }

    /// Inside the getters' lock: how many tasks are not done.
    pub fn count(self, platform: &P, head: Progress) -> u32 {
        let begun = self.begun(platform, head);
        let is_held = |(index, slot): &(usize, Slot<'a, P>)| {
            begun != Some(*index) && platform.load(slot.state, &FREE) != State::FREE.0
        };
        self.all().enumerate().filter(is_held).count() as u32
    }

    /// Inside the getters' lock: frees the copies whose holders are dead; answers how many they were.
    pub fn acknowledge(self, platform: &P, me: Owner, head: Progress) -> Result<u32, Blind> {
        let mut count = 0;
        for (slot, life) in self.holders(platform, me, head) {
            match life {
                Life::Alive => {}
                Life::Dead => {
                    platform.store(slot.state, State::FREE.0, &HOLD);
                    count += 1;
                }
                Life::Unknown => return Err(Blind),
            }
        }
        Ok(count)
    }

    fn holders(self, platform: &'a P, me: Owner, head: Progress) -> impl Iterator<Item = (Slot<'a, P>, Life)> {
        let begun = self.begun(platform, head);
        self.all().enumerate().filter_map(move |(index, slot)| {
            let holder = State(platform.load(slot.state, &FREE)).holder();
            let life = || if holder == me.peer { Life::Alive } else { platform.life(holder, &ASK) };
            (holder != 0 && begun != Some(index)).then(life).map(|life| (slot, life))
        })
    }
}
