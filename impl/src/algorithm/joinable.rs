//! A joinable queue: a [queue](super::queue) whose messages are tasks, of which each is to be reported done by the process
//! that got it; and whoever joins waits until all are.
//!
//! | `events` | bits | meaning |
//! |---|---|---|
//! | | 0-30 | changes when somebody who waits is to look again |
//! | | 31 | `WAITING`: somebody waits, or did once |
//!
//! Transitions: `n → n + WAITING` (whoever is about to wait) · `n + WAITING → n + 1` (whoever has finished the last task, as far
//! as it can see, has acknowledged, or has discarded).
//!
//! Invariants:
//! 1. Whoever waits says so first and looks then; whoever changes something says so first and then looks who waits; a fence
//!    on either side. So one of the two sees the other.
//! 2. A worker that has another task in hand, or sees messages that nobody has got yet, wakes nobody: another task will be
//!    finished later, and the last of all sees neither.
//! 3. Nobody sleeps without having asked whether those live who have tasks in hand, where nothing else is left; and whether
//!    somebody is left who could get what is left.

use super::Owner;
use super::ledger::{Books, Ledger, TaskParts};
use super::queue::{Parts, Queue, Receipt, Refused};
use super::redelivery::Copies;
use super::ring::Side;
use super::tally::{Blind, NoTask, unfinished};
use crate::platform::{Access, Ordering, Platform, Site, Wakeup};

const EVENTS: Site = Site::new(
    "join.events",
    Access::Load,
    Ordering::Relaxed,
    "a number that is compared and nothing else; join.heavy comes between it and the look",
);
const REGISTER: Site = Site::new(
    "join.register",
    Access::Modify,
    Ordering::Relaxed,
    "a bit that is looked at and nothing else; join.heavy comes between it and the look",
);
const HEAVY: Site = Site::new(
    "join.heavy",
    Access::HeavyFence,
    Ordering::SeqCst,
    "pairs with join.light: of join.register and what somebody finishes, somebody sees the other's",
);
const LIGHT: Site = Site::new(
    "join.light",
    Access::LightFence,
    Ordering::SeqCst,
    "pairs with join.heavy: a task is done before the look who waits",
);
const IS_WAITING: Site = Site::new(
    "join.waiting",
    Access::Load,
    Ordering::Relaxed,
    "a bit that is looked at and nothing else; join.light comes before it, and before what is looked at after it",
);
const TELL: Site = Site::new(
    "join.tell",
    Access::Modify,
    Ordering::Relaxed,
    "a number that is compared and nothing else; join.light comes before it",
);
const SLEEP: Site = Site::plain("join.sleep", Access::Wait, "compares with what stood there before the look");
const WAKE: Site = Site::plain("join.wake", Access::Wake, "what was slept on is not there any more");

/// The sites of this file.
pub static SITES: &[&Site] = &[&EVENTS, &REGISTER, &HEAVY, &LIGHT, &IS_WAITING, &TELL, &SLEEP, &WAKE];

const WAITING: u32 = 1 << 31;
/// How often to look again while others are at work.
const TRIES: u32 = 8;

/// Not all tasks are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unjoined {
    /// Some were not until the deadline had passed; or somebody was stopped in the middle of a `get` until then.
    TimedOut,
    /// So many never will be: the processes that got them have died. All others are.
    WorkerDied(u32),
    /// There are messages, and nobody is left who could get them.
    Disconnected,
    /// Whether a worker lives cannot be found out.
    Blind,
    /// A word holds what no peer writes.
    Corrupt,
}

/// What is to be waited for, as was seen inside the getters' lock.
enum Standing {
    /// Nothing: every task is finished.
    Finished,
    /// Some task is in living hands, or will be, and none in the queue.
    InHand,
    /// Some task has come into the queue since it was looked at last.
    InQueue,
}

impl<P: Platform, Q: Parts<P>, B: Books<P>> Queue<P, TaskParts<Q, B>> {
    /// Reports that one of this process's tasks is done: that of the receipt, where there are copies, or else the oldest.
    #[inline]
    pub fn task_done(&self, platform: &P, me: Owner, receipt: Option<Receipt>) -> Result<(), NoTask> {
        if receipt.is_some_and(|receipt| receipt.worker != me.peer) {
            return Err(NoTask);
        }
        let ledger = self.tasks();
        ledger.done(platform, me, receipt, || self.glance(platform, Side::Reader).own())?;
        ledger.tell(platform, || ledger.is_idle(platform, me) && self.is_empty(platform));
        Ok(())
    }

    /// Waits until every message that was ever put has been got and reported done.
    pub fn join(&self, platform: &P, me: Owner, deadline: P::Deadline) -> Result<(), Unjoined> {
        let events = self.tasks().events;
        let (mut suspicious, mut last_look, mut ticks) = (false, false, 0);
        if self.survey(platform).0 == Some(0) {
            return Ok(());
        }
        loop {
            platform.outer_loop_head(&[suspicious, last_look].map(u64::from));
            let seen: u32 = platform.load(events, &EVENTS);
            let waiting = seen | WAITING;
            if seen != waiting && platform.compare_exchange(events, seen, waiting, &REGISTER).is_err() {
                continue; // somebody else has, or there is news
            }
            platform.heavy_fence(&HEAVY);
            // Before the look at what there is: whatever they got before they went is seen.
            let deserted = self.parts.is_deserted(Side::Reader);
            match self.survey(platform) {
                (Some(0), _) => return Ok(()),
                (_, false) if deserted => return Err(Unjoined::Disconnected),
                // Nobody would ever get what nobody puts.
                (_, false) if suspicious && !self.can_be(platform) => return Err(Unjoined::Corrupt),
                (_, false) => {}
                (_, true) => {
                    // What was slept on is compared with, once the lock has been waited for.
                    platform.outer_loop_head(&[suspicious.into(), last_look.into(), deserted.into(), waiting.into()]);
                    match self.judge(platform, me, (deadline, suspicious), deserted)? {
                        Standing::Finished => return Ok(()),
                        Standing::InHand => {}
                        // Who could get it was asked too early, and a tick that came since was perhaps spent on the lock.
                        Standing::InQueue => continue,
                    }
                }
            }
            if last_look {
                return Err(Unjoined::TimedOut);
            }
            suspicious = false;
            platform.outer_loop_head(&[waiting.into()]);
            match platform.wait(events, waiting, deadline, ticks, &SLEEP) {
                Wakeup::Woken | Wakeup::Changed => {}
                Wakeup::Tick => (suspicious, ticks) = (true, ticks + 1),
                Wakeup::TimedOut => (suspicious, last_look) = (true, true),
            }
        }
    }

    /// Whether the queue's words are such as can be, as far as can be seen from outside the locks.
    fn can_be(&self, platform: &P) -> bool {
        let cursor = self.glance(platform, Side::Reader);
        // If not, the head must have moved between the two looks.
        self.parts.ring().can_be(cursor.other(), cursor.own())
            || self.glance(platform, Side::Reader).own() != cursor.own()
    }

    fn tasks(&self) -> Ledger<'_, P> {
        self.parts.books.ledger()
    }

    /// Where nothing was left in the queue: whether all is done, or will never be.
    fn judge(
        &self,
        platform: &P,
        me: Owner,
        patience: (P::Deadline, bool),
        deserted: bool,
    ) -> Result<Standing, Unjoined> {
        let entered = self.lock(platform, me, Side::Reader, patience)?;
        let ledger = self.tasks();
        let hands = ledger.hands(platform, me, || self.own(platform, Side::Reader));
        let (put, got) = self.passed(platform);
        // It is said in the tail first, and whoever gets is told so from then on.
        let closed = || self.glance(platform, Side::Reader).other_is_closed();
        // What is to be delivered again, somebody will get, as long as there is somebody.
        let is_final = !ledger.redelivers() || deserted || closed();
        self.leave(platform, Side::Reader, entered);
        let hands = hands.map_err(|Blind| Unjoined::Blind)?;
        match unfinished(put, hands.finished) {
            0 => Ok(Standing::Finished),
            _ if put != got => Ok(Standing::InQueue),
            tasks if hands.in_hand == 0 && is_final => Err(Unjoined::WorkerDied(tasks)),
            _ => Ok(Standing::InHand),
        }
    }

    /// Takes note of all tasks whose workers have died: they count as finished. Answers how many they were.
    pub fn acknowledge(&self, platform: &P, me: Owner, deadline: P::Deadline) -> Result<u32, Refused> {
        // Whoever died inside may have done so while this process waited for something else.
        let entered = self.lock(platform, me, Side::Reader, (deadline, true))?;
        let ledger = self.tasks();
        let lost = ledger.acknowledge(platform, me, self.own(platform, Side::Reader));
        self.leave(platform, Side::Reader, entered);
        ledger.tell(platform, || true);
        lost.map_err(|Blind| Refused::Blind)
    }

    /// How many tasks are unfinished, at some instant of this call.
    pub fn unfinished(&self, platform: &P, me: Owner, deadline: P::Deadline) -> Result<u32, Refused> {
        if let Some(copies) = self.tasks().copies {
            return self.unfinished_copies(platform, me, deadline, copies);
        }
        if let Some(count) = (0..TRIES).find_map(|_| self.count(platform)) {
            return Ok(count);
        }
        loop {
            // They are too busy: nobody puts anything while we look. What is left to disturb us is an acknowledgement.
            platform.outer_loop_head(&[1]);
            let entered = self.lock(platform, me, Side::Writer, (deadline, false))?;
            let count = (0..TRIES).find_map(|_| self.count(platform));
            self.leave(platform, Side::Writer, entered);
            if let Some(count) = count {
                return Ok(count);
            }
        }
    }

    fn unfinished_copies(
        &self,
        platform: &P,
        me: Owner,
        deadline: P::Deadline,
        copies: Copies<'_, P>,
    ) -> Result<u32, Refused> {
        loop {
            platform.outer_loop_head(&[2]);
            let entered = self.lock(platform, me, Side::Reader, (deadline, false))?;
            let (put, got) = self.passed(platform);
            let held = copies.count(platform, self.own(platform, Side::Reader));
            let same = self.passed(platform).0 == put;
            self.leave(platform, Side::Reader, entered);
            if same {
                return Ok(unfinished(put, got) + held);
            }
            // Somebody has put something.
        }
    }

    /// The same, if nothing but the number of finished tasks changed meanwhile: that goes up by one at a time, so that it was
    /// every number between what it was before and what it is afterwards.
    fn count(&self, platform: &P) -> Option<u32> {
        let tallies = self.tasks().tallies;
        let (put, acknowledged) = (self.passed(platform).0, tallies.acknowledged(platform));
        let finished = tallies.finished(platform);
        let same = tallies.acknowledged(platform) == acknowledged && self.passed(platform).0 == put;
        same.then(|| unfinished(put, finished))
    }

    /// How many tasks are unfinished, or fewer by now, for what is finished is looked at first; and whether none is in the queue.
    /// `None`: that is not to be seen from outside the lock, where there are copies of what is in hand.
    fn survey(&self, platform: &P) -> (Option<u32>, bool) {
        let ledger = self.tasks();
        let finished = (!ledger.redelivers()).then(|| ledger.tallies.finished(platform));
        let (put, got) = self.passed(platform);
        (finished.map(|finished| unfinished(put, finished)), put == got)
    }

    /// How many messages have been put, and how many of them have been got; those that were discarded count as neither.
    fn passed(&self, platform: &P) -> (u32, u32) {
        let cursor = self.glance(platform, Side::Reader);
        let (put, got) = (cursor.other().count(), cursor.own().count());
        // Asked last: until it is discarded, nothing is.
        self.tasks().tallies.discarded(platform).map_or((put, got), |at| (at, at))
    }
}

impl<P: Platform> Ledger<'_, P> {
    /// Wakes everybody who joins, if it is `worth` it.
    pub fn tell(self, platform: &P, worth: impl FnOnce() -> bool) {
        platform.light_fence(&LIGHT);
        let seen: u32 = platform.load(self.events, &IS_WAITING);
        if seen & WAITING == 0 || !worth() {
            return;
        }
        let next = seen.wrapping_add(1) & !WAITING;
        // If this fails, somebody else has told them, after we did what there is to tell.
        if platform.compare_exchange(self.events, seen, next, &TELL).is_ok() {
            platform.wake(self.events, u32::MAX, &WAKE);
        }
    }
}

impl From<Refused> for Unjoined {
    fn from(refused: Refused) -> Unjoined {
        match refused {
            Refused::TimedOut => Unjoined::TimedOut,
            Refused::Blind => Unjoined::Blind,
            _ => Unjoined::Corrupt,
        }
    }
}
