//! The lock: one word that names its owner, so that whoever waits can ask whether the owner still lives.
//!
//! | word | meaning |
//! |---|---|
//! | `0` | free |
//! | `DIED` | free; an owner died in it and no explicit locker has been told yet |
//! | `id` | held by peer `id` |
//! | `id + CONTENDED` | held, and somebody may be asleep: the unlock must wake |
//! | `… + DIED` | held by an internal operation that came after a death and leaves the telling to somebody else |
//!
//! Transitions: `0 → id` (fast path) · `free → id+CONTENDED` (slow path: others may sleep that we cannot see) ·
//! `x → x+CONTENDED` (about to sleep) · `x of a dead owner → id+CONTENDED` (takeover, one compare-exchange) ·
//! `id… → 0 or DIED` (unlock, one swap).
//!
//! Invariants:
//! 1. Only the peer named in the word leaves the lock, and only by the swap; a dead owner's word is changed by takeover alone.
//! 2. If anybody sleeps on the word, the word has CONTENDED, or a wake is owed by somebody: an unlocker between its swap
//!    and its wake, a woken waiter that has not looked yet, or a dead process (which a tick replaces).
//! 3. DIED is cleared only by an explicit locker, which then answers "the owner died". Each death is told, to one locker;
//!    deaths that come before anybody could be told are told together.
//! 4. `thread` holds a thread's number only while that thread holds the lock; only that thread ever writes its number. So
//!    a thread that reads its own number there is the holder, whatever else it reads or fails to see.
//! 5. A waiter gives up only on a word that carries CONTENDED, so that the next unlock wakes somebody else: nobody needs
//!    to hand on a wake that was spent on it.
//! 6. A waiter gives up only after asking whether the owner lives, so that somebody who polls with short timeouts finds
//!    a dead owner too.
//!
//! A death between any two steps leaves one of the words of the table, so a takeover needs no repair.

use super::Owner;
pub use super::exclusion::{Entered, Exclusion, Intent, Patience, Reentry, Refused, inside};
use crate::platform::{Access, Life, Ordering, Platform, Site, Wakeup};
use zerocopy::FromBytes;

const ENTER: Site = Site::new(
    "lock.enter",
    Access::Modify,
    Ordering::Acquire,
    "pairs with lock.leave: sees everything the last holder did",
);
const ENTER_SLOW: Site =
    Site::new("lock.enter_slow", Access::Modify, Ordering::Acquire, "pairs with lock.leave, as lock.enter does");
const TAKE_OVER: Site = Site::new(
    "lock.take_over",
    Access::Modify,
    Ordering::Relaxed,
    "the dead owner's writes happened before the answer `Dead`; the owners before it were acquired by it",
);
const LEAVE: Site = Site::new(
    "lock.leave",
    Access::Modify,
    Ordering::Release,
    "pairs with lock.enter and lock.enter_slow: hands over everything done inside",
);
const LOOK: Site = Site::new(
    "lock.look",
    Access::Load,
    Ordering::Relaxed,
    "a hint: whatever follows is decided by a compare-exchange",
);
const ANNOUNCE: Site = Site::new(
    "lock.announce",
    Access::Modify,
    Ordering::Relaxed,
    "only the word itself matters: the swap of lock.leave reads it",
);
const SLEEP: Site = Site::plain("lock.sleep", Access::Wait, "compares with the word that carries CONTENDED");
const WAKE: Site = Site::plain("lock.wake", Access::Wake, "one waiter may look again: the lock is free");
const ASK: Site = Site::plain("lock.ask", Access::Ask, "the owner's life; `Dead` happens after all that it did");
const CLAIM: Site = Site::new(
    "lock.claim",
    Access::Store,
    Ordering::Relaxed,
    "read for equality by its own thread alone (invariant 4): coherence of one word is enough",
);
const DISCLAIM: Site = Site::new(
    "lock.disclaim",
    Access::Store,
    Ordering::Relaxed,
    "sequenced before lock.leave, which releases it; read for equality by its own thread alone",
);
const MINE: Site = Site::new(
    "lock.mine",
    Access::Load,
    Ordering::Relaxed,
    "compared with this thread's own number only (invariant 4)",
);

/// The sites of this file.
pub static SITES: &[&Site] =
    &[&ENTER, &ENTER_SLOW, &TAKE_OVER, &LEAVE, &LOOK, &ANNOUNCE, &SLEEP, &WAKE, &ASK, &CLAIM, &DISCLAIM, &MINE];

const CONTENDED: u32 = 1 << 30;
const DIED: u32 = 1 << 31;
const ID: u32 = CONTENDED - 1;

/// The lock word, decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockWord(u32);

impl LockWord {
    const FREE: LockWord = LockWord(0);

    /// The word as it stands in memory.
    pub fn from_bits(bits: u32) -> LockWord {
        LockWord(bits)
    }
    fn held_by(peer: u32) -> LockWord {
        LockWord(peer & ID)
    }
    /// The peer that holds the lock, if any.
    pub fn owner(self) -> Option<u32> {
        (self.0 & ID != 0).then_some(self.0 & ID)
    }
    /// Whether somebody may be asleep.
    pub fn is_contended(self) -> bool {
        self.0 & CONTENDED != 0
    }
    /// Whether a death waits to be told.
    pub fn has_died(self) -> bool {
        self.0 & DIED != 0
    }
    fn contended(self) -> LockWord {
        LockWord(self.0 | CONTENDED)
    }
    fn died_if(self, died: bool) -> LockWord {
        LockWord(if died { self.0 | DIED } else { self.0 & !DIED })
    }
}

/// The shared state of a lock: 16 bytes, all zero when new.
#[repr(C)]
#[derive(FromBytes)]
pub struct Lock<P: Platform> {
    pub(super) word: P::Word<u32>,
    /// How often the holder entered; touched by the holder of an [`RLock`](super::rlock::RLock) alone.
    pub(super) depth: P::Word<u32>,
    pub(super) thread: P::Word<u64>,
}

impl<P: Platform> Lock<P> {
    /// A lock made of three zero words, for a platform whose words are not bytes in a region.
    pub fn from_words(word: P::Word<u32>, depth: P::Word<u32>, thread: P::Word<u64>) -> Lock<P> {
        Lock { word, depth, thread }
    }

    /// The word at this instant, for a person who looks.
    pub fn peek(&self, platform: &P) -> LockWord {
        LockWord(platform.load(&self.word, &LOOK))
    }

    /// Whether the calling thread, whose peer the word names, is the holder (invariant 4).
    #[inline]
    fn is_mine(&self, platform: &P, me: Owner) -> bool {
        platform.load(&self.thread, &MINE) == me.thread
    }

    /// As [`enter`](Exclusion::enter), for somebody who keeps account of ticks: answers also whether one has come while it
    /// waited. If one has come before, whether the holder lives is asked before it is waited for.
    #[inline]
    pub(super) fn enter_watching(
        &self,
        platform: &P,
        me: Owner,
        intent: Intent,
        (patience, suspicious): (Patience<P::Deadline>, bool),
    ) -> Result<(Entered, bool), Refused> {
        let word = match suspicious {
            true => self.peek(platform),
            false => match platform.compare_exchange(&self.word, 0, LockWord::held_by(me.peer).0, &ENTER) {
                Ok(_) => return Ok((self.entered(platform, me, false, false), false)),
                Err(now) => LockWord(now),
            },
        };
        self.enter_slow(platform, me, (intent, patience), (word, suspicious))
    }

    /// Leaves as the last of several entries, which need not be the one that found a death untold.
    #[inline]
    pub(super) fn leave_last(&self, platform: &P, entered: Entered) {
        let untold = entered.untold || self.peek(platform).has_died();
        self.leave(platform, Entered { owner_died: false, untold });
    }

    /// Whether `me` holds the lock (invariant 4).
    pub fn is_held_by(&self, platform: &P, me: Owner) -> bool {
        self.is_mine(platform, me)
    }

    #[cold]
    fn enter_slow(
        &self,
        platform: &P,
        me: Owner,
        (intent, patience): (Intent, Patience<P::Deadline>),
        (mut word, suspicious): (LockWord, bool),
    ) -> Result<(Entered, bool), Refused> {
        // If we held the lock, the word would name us: nobody but us takes us out of it (invariant 1).
        if word.owner() == Some(me.peer) && self.is_mine(platform, me) {
            return Err(Refused::WouldDeadlock);
        }
        let explicit = intent == Intent::Explicit;
        // Whoever was here before us may have left sleepers that no word shows: we hold as if contended.
        let held = |untold: bool| LockWord::held_by(me.peer).contended().died_if(untold);
        let trying = matches!(patience, Patience::Try);
        let (mut suspicious, mut last_look, mut ticks) = (suspicious || trying, false, 0);
        loop {
            let ticked = ticks > 0; // how many only makes them longer
            platform.loop_head(&[word.0.into(), suspicious.into(), last_look.into(), ticked.into()]);
            let Some(owner) = word.owner() else {
                let died = word.has_died();
                let untold = died && !explicit;
                match platform.compare_exchange(&self.word, word.0, held(untold).0, &ENTER_SLOW) {
                    Ok(_) => return Ok((self.entered(platform, me, died && explicit, untold), ticked)),
                    Err(now) => word = LockWord(now),
                }
                continue;
            };
            if !trying && !word.is_contended() {
                if let Err(now) = platform.compare_exchange(&self.word, word.0, word.contended().0, &ANNOUNCE) {
                    word = LockWord(now);
                    continue;
                }
                word = word.contended();
            }
            if suspicious {
                match platform.life(owner, &ASK) {
                    Life::Dead => {
                        match platform.compare_exchange(&self.word, word.0, held(!explicit).0, &TAKE_OVER) {
                            Ok(_) => return Ok((self.entered(platform, me, explicit, !explicit), ticked)),
                            // Somebody moved first. Their word may be another dead owner's: the suspicion stays.
                            Err(now) => word = LockWord(now),
                        }
                        continue;
                    }
                    Life::Alive => suspicious = false,
                    Life::Unknown => return Err(Refused::Blind),
                }
            }
            let Patience::Until(deadline) = patience else { return Err(Refused::WouldBlock) };
            match platform.wait(&self.word, word.0, deadline, ticks, &SLEEP) {
                Wakeup::Woken | Wakeup::Changed => {}
                Wakeup::Tick => (suspicious, ticks) = (true, ticks + 1),
                Wakeup::TimedOut if last_look => return Err(Refused::TimedOut),
                Wakeup::TimedOut => (suspicious, last_look) = (true, true),
            }
            word = LockWord(platform.load(&self.word, &LOOK));
        }
    }

    #[inline]
    fn entered(&self, platform: &P, me: Owner, owner_died: bool, untold: bool) -> Entered {
        platform.store(&self.thread, me.thread, &CLAIM);
        Entered { owner_died, untold }
    }
}

impl<P: Platform> Exclusion<P> for Lock<P> {
    #[inline]
    fn enter(
        &self,
        platform: &P,
        me: Owner,
        intent: Intent,
        patience: Patience<P::Deadline>,
    ) -> Result<Entered, Refused> {
        let held = LockWord::held_by(me.peer);
        match platform.compare_exchange(&self.word, LockWord::FREE.0, held.0, &ENTER) {
            Ok(_) => Ok(self.entered(platform, me, false, false)),
            Err(now) => {
                let entered = self.enter_slow(platform, me, (intent, patience), (LockWord(now), false));
                entered.map(|(entered, _)| entered)
            }
        }
    }

    #[inline]
    fn leave(&self, platform: &P, entered: Entered) {
        platform.store(&self.thread, 0, &DISCLAIM);
        let left = LockWord(platform.swap(&self.word, LockWord::FREE.died_if(entered.untold).0, &LEAVE));
        if left.is_contended() {
            platform.wake(&self.word, 1, &WAKE);
        }
    }

    #[inline]
    fn death_is_untold(&self, platform: &P) -> bool {
        self.peek(platform).has_died()
    }
}
