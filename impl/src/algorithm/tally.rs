//! Tallies: how many messages of a joinable queue each process has taken as tasks, and how many of those are done.
//!
//! | word | changed by | meaning |
//! |---|---|---|
//! | `owner` | the process itself, inside the getters' lock | whose tally this is; 0: nobody's yet |
//! | `taken` | its owner, inside the getters' lock | messages that were taken, by all the owners there have been |
//! | `left` | a new owner, inside the getters' lock | what earlier owners had in hand when they ended |
//! | `done` | its owner, outside all locks | tasks that are done, by all the owners there have been |
//! | `used` | whoever holds the getters' lock | how many tallies have had an owner |
//! | `acknowledged` | whoever holds the getters' lock | tasks whose workers died, and about which somebody knows |
//! | `discarded` | whoever holds the getters' lock, once | `DISCARDED` + the head's count: what comes after it nobody gets |
//! | `floor` | whoever holds the putters' lock | tasks that were finished when somebody last looked |
//!
//! Invariants:
//! 1. `taken` is raised after the head has moved, inside the same lock. Whoever dies in between has got what its tally does not
//!    tell: so of the dead counts what they have done, never what they took. And what is in hand is not in the queue any more:
//!    another thread that reports it done too soon reports what nobody else will get.
//! 2. `taken - left - done` is what the owner has in hand, if it lives. It never is less than 0: whoever sees a task done sees it
//!    taken.
//! 3. Unfinished is what was put, up to where it was discarded, without the sum of `done` and without what was acknowledged.
//! 4. Lost is what is unfinished, is in the queue no more and is in no living hand. Of whoever has something in hand, `done` is
//!    read after the question whether it lives: what the dead have done is then final.
//!
//! Counts of single tallies are modulo 2^32, sums modulo 2^31, as the queue's own; at most [`LIMIT`] tasks are unfinished.

use super::Owner;
use super::ring::{Line, Progress};
use crate::platform::{Access, Life, Ordering, Platform, Site};
use zerocopy::FromBytes;

const MINE: Site = Site::new(
    "tally.mine",
    Access::Load,
    Ordering::Acquire,
    "pairs with tally.own: what the owner before left is told from what this process has in hand",
);
const HAS_TAKEN: Site = Site::new(
    "tally.has_taken",
    Access::Load,
    Ordering::Acquire,
    "pairs with tally.take: whoever reports what another thread has just got sees that it is not in the queue any more",
);
const HAS_LEFT: Site = Site::new(
    "tally.has_left",
    Access::Load,
    Ordering::Relaxed,
    "tally.mine comes before it, and it never changes after",
);
const HAS_DONE: Site = Site::new(
    "tally.has_done",
    Access::Load,
    Ordering::Acquire,
    "pairs with tally.done: what other threads of this process have reported is not taken for what this one has in hand",
);
const DONE: Site = Site::new(
    "tally.done",
    Access::Modify,
    Ordering::Release,
    "pairs with tally.sum: whoever counts a task as done sees what was done; and with tally.has_done",
);
const SUM: Site = Site::new("tally.sum", Access::Load, Ordering::Acquire, "pairs with tally.done");
const USED: Site = Site::new(
    "tally.used",
    Access::Load,
    Ordering::Relaxed,
    "too few means too few done: nothing is taken for finished; who is to be woken is a matter of the join's fences",
);
const USE: Site = Site::guarded("tally.use", Access::Store, "inside the getters' lock");
const OWNER: Site = Site::guarded("tally.owner", Access::Load, "inside the getters' lock");
const OWN: Site = Site::new(
    "tally.own",
    Access::Store,
    Ordering::Release,
    "pairs with tally.mine: other threads of this process see what is left before they see that the tally is theirs",
);
const TAKEN: Site = Site::guarded("tally.taken", Access::Load, "inside the getters' lock");
const TAKE: Site =
    Site::new("tally.take", Access::Store, Ordering::Release, "pairs with tally.has_taken: the head has moved");
const LEFT: Site = Site::guarded("tally.left", Access::Load, "inside the getters' lock");
const LEAVE: Site = Site::guarded("tally.leave", Access::Store, "inside the getters' lock");
const FINAL: Site = Site::guarded(
    "tally.final",
    Access::Load,
    "the last that an earlier owner wrote: it did so before it left its slot, or before it was found dead",
);
const ASK: Site = Site::plain("tally.ask", Access::Ask, "`Dead` happens after all that the worker did");
const ACKNOWLEDGED: Site =
    Site::new("tally.acknowledged", Access::Load, Ordering::Acquire, "pairs with tally.acknowledge");
const ACKNOWLEDGE: Site = Site::new(
    "tally.acknowledge",
    Access::Store,
    Ordering::Release,
    "pairs with tally.acknowledged: what the dead had done was seen before",
);
const IS_DISCARDED: Site = Site::new(
    "tally.is_discarded",
    Access::Load,
    Ordering::Relaxed,
    "asked after the head was read: whoever sees it past what was discarded sees this, for ring.give_back comes between",
);
const DISCARD: Site = Site::guarded("tally.discard", Access::Store, "inside the getters' lock, before ring.give_back");
const FLOOR: Site = Site::guarded("tally.floor", Access::Load, "inside the putters' lock");
const RAISE_FLOOR: Site = Site::guarded("tally.raise_floor", Access::Store, "inside the putters' lock");

/// The sites of this file.
pub static SITES: &[&Site] = &[
    &MINE,
    &HAS_TAKEN,
    &HAS_LEFT,
    &HAS_DONE,
    &DONE,
    &SUM,
    &USED,
    &USE,
    &OWNER,
    &OWN,
    &TAKEN,
    &TAKE,
    &LEFT,
    &LEAVE,
    &FINAL,
    &ASK,
    &ACKNOWLEDGED,
    &ACKNOWLEDGE,
    &IS_DISCARDED,
    &DISCARD,
    &FLOOR,
    &RAISE_FLOOR,
];

/// The most tasks that may be unfinished.
pub const LIMIT: u32 = 1 << 30;
const COUNT: u32 = DISCARDED - 1;
const DISCARDED: u32 = 1 << 31;

/// What one process has taken and done: on a cache line of its own, since its owner writes it for every task.
#[repr(C, align(64))]
#[derive(FromBytes)]
pub struct Tally<P: Platform> {
    owner: P::Word<u32>,
    taken: P::Word<u32>,
    left: P::Word<u32>,
    done: P::Word<u32>,
}

impl<P: Platform> Tally<P> {
    /// For a platform whose words are not bytes in a region: nobody's.
    pub fn from_words([owner, taken, left, done]: [P::Word<u32>; 4]) -> Tally<P> {
        Tally { owner, taken, left, done }
    }
}

/// The words that all tallies share; all zero when new.
#[repr(C)]
#[derive(FromBytes)]
pub struct Totals<P: Platform> {
    of_getters: Line<[P::Word<u32>; 3]>,
    floor: Line<P::Word<u32>>,
}

impl<P: Platform> Totals<P> {
    /// For a platform whose words are not bytes in a region: `used`, `acknowledged`, `discarded`, and `floor`.
    pub fn from_words(of_getters: [P::Word<u32>; 3], floor: P::Word<u32>) -> Totals<P> {
        Totals { of_getters: Line(of_getters), floor: Line(floor) }
    }
}

/// This process has no task that it could have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoTask;

/// Whether a worker lives cannot be found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blind;

/// How things stand, at one instant inside the getters' lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hands {
    /// Tasks that are done, or acknowledged, modulo 2^31.
    pub finished: u32,
    /// Tasks that living workers have in hand.
    pub in_hand: u32,
}

/// All tallies of a queue.
pub struct Tallies<'a, P: Platform> {
    /// The words they share.
    pub totals: &'a Totals<P>,
    /// One for each process there can be at once.
    pub rows: &'a [Tally<P>],
}

impl<P: Platform> Clone for Tallies<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Tallies<'_, P> {}

impl<'a, P: Platform> Tallies<'a, P> {
    /// Inside the getters' lock, once the head has moved past so many messages: `me` has taken them, whose tally is the one at
    /// `slot`.
    #[inline]
    pub fn take(self, platform: &P, me: Owner, slot: usize, messages: usize) {
        let Some(row) = self.rows.get(slot) else { return };
        if platform.load(&row.owner, &OWNER) != me.peer {
            self.begin(platform, me, slot, row);
        }
        let taken: u32 = platform.load(&row.taken, &TAKEN);
        platform.store(&row.taken, taken.wrapping_add(messages as u32), &TAKE);
    }

    #[cold]
    fn begin(self, platform: &P, me: Owner, slot: usize, row: &Tally<P>) {
        let used = &self.totals.of_getters.0[0];
        if platform.load::<u32>(used, &USED) <= slot as u32 {
            platform.store(used, slot as u32 + 1, &USE);
        }
        // As long as the row is not ours, nobody looks at `left`, or else at what it was: whoever dies in between leaves no
        // trace.
        let done: u32 = platform.load(&row.done, &FINAL);
        let taken: u32 = platform.load(&row.taken, &TAKEN);
        platform.store(&row.left, taken.wrapping_sub(done), &LEAVE);
        platform.store(&row.owner, me.peer, &OWN);
    }

    /// `me` has done one of its tasks.
    #[inline]
    pub fn done(self, platform: &P, me: Owner, slot: usize) -> Result<(), NoTask> {
        let row = self.rows.get(slot).ok_or(NoTask)?;
        loop {
            platform.loop_head(&[]);
            let done: u32 = platform.load(&row.done, &HAS_DONE);
            if self.in_hand_of(platform, me, row, done) == 0 {
                return Err(NoTask);
            }
            // Other threads of this process do the same.
            if platform.compare_exchange(&row.done, done, done.wrapping_add(1), &DONE).is_ok() {
                return Ok(());
            }
        }
    }

    /// Whether `me` has no task in hand.
    pub fn is_idle(self, platform: &P, me: Owner, slot: usize) -> bool {
        let in_hand = |row: &Tally<P>| self.in_hand_of(platform, me, row, platform.load(&row.done, &HAS_DONE));
        self.rows.get(slot).is_none_or(|row| in_hand(row) == 0)
    }

    fn in_hand_of(self, platform: &P, me: Owner, row: &Tally<P>, done: u32) -> u32 {
        if platform.load::<u32>(&row.owner, &MINE) != me.peer {
            return 0;
        }
        let left: u32 = platform.load(&row.left, &HAS_LEFT);
        let taken: u32 = platform.load(&row.taken, &HAS_TAKEN);
        taken.wrapping_sub(left).wrapping_sub(done)
    }

    /// How many tasks are finished, modulo 2^31: so many were at the beginning of this call at most, and at its end at least.
    pub fn finished(self, platform: &P) -> u32 {
        let acknowledged = self.acknowledged(platform);
        self.used(platform).iter().fold(acknowledged, |sum, row| {
            let done: u32 = platform.load(&row.done, &SUM);
            sum.wrapping_add(done) & COUNT
        })
    }

    /// Inside the getters' lock: what is finished, and what is in living hands.
    pub fn hands(self, platform: &P, me: Owner) -> Result<Hands, Blind> {
        let mut hands = Hands { finished: self.acknowledged(platform), in_hand: 0 };
        for row in self.used(platform) {
            let owner: u32 = platform.load(&row.owner, &OWNER);
            let had: u32 =
                platform.load::<u32>(&row.taken, &TAKEN).wrapping_sub(platform.load::<u32>(&row.left, &LEFT));
            let done = || platform.load::<u32>(&row.done, &SUM);
            let mut done_here = done();
            if had != done_here && owner != me.peer {
                let life = platform.life(owner, &ASK);
                done_here = done();
                match life {
                    Life::Alive => hands.in_hand = hands.in_hand.wrapping_add(had.wrapping_sub(done_here)),
                    Life::Dead => {}
                    Life::Unknown => return Err(Blind),
                }
            } else {
                hands.in_hand = hands.in_hand.wrapping_add(had.wrapping_sub(done_here));
            }
            hands.finished = hands.finished.wrapping_add(done_here) & COUNT;
        }
        Ok(hands)
    }

    fn used(self, platform: &P) -> &'a [Tally<P>] {
        let used = platform.load::<u32>(&self.totals.of_getters.0[0], &USED) as usize;
        self.rows.get(..used).unwrap_or(self.rows)
    }

    /// How many tasks of the dead count as done, modulo 2^31.
    pub fn acknowledged(self, platform: &P) -> u32 {
        platform.load(&self.totals.of_getters.0[1], &ACKNOWLEDGED)
    }

    /// Inside the getters' lock: so many more.
    pub fn acknowledge(self, platform: &P, tasks: u32) {
        let acknowledged = self.acknowledged(platform).wrapping_add(tasks) & COUNT;
        platform.store(&self.totals.of_getters.0[1], acknowledged, &ACKNOWLEDGE);
    }

    /// Inside the getters' lock, before the head moves: what comes after it nobody gets.
    pub fn discard(self, platform: &P, head: Progress) {
        if self.discarded(platform).is_none() {
            platform.store(&self.totals.of_getters.0[2], DISCARDED | head.count(), &DISCARD);
        }
    }

    /// The head's count when all that came after it was discarded.
    pub fn discarded(self, platform: &P) -> Option<u32> {
        let discarded: u32 = platform.load(&self.totals.of_getters.0[2], &IS_DISCARDED);
        (discarded & DISCARDED != 0).then_some(discarded & COUNT)
    }

    /// Inside the putters' lock: whether there may be one more message than `tail` says.
    #[inline]
    pub fn admit(self, platform: &P, tail: Progress) -> bool {
        let unfinished = |finished: u32| tail.count().wrapping_sub(finished) & COUNT;
        let floor = &self.totals.floor.0;
        if unfinished(platform.load(floor, &FLOOR)) < LIMIT {
            return true;
        }
        let finished = self.finished(platform);
        platform.store(floor, finished, &RAISE_FLOOR);
        unfinished(finished) < LIMIT
    }
}

/// How many tasks are unfinished, if so many were put and so many are finished, each modulo 2^31.
pub fn unfinished(put: u32, finished: u32) -> u32 {
    put.wrapping_sub(finished) & COUNT
}
