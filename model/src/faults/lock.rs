//! A lock whose word names its owner: the lock that ships, less all that is not about sleeping and dying. Also the lock of the
//! rings in this folder.
//!
//! | word | meaning |
//! |---|---|
//! | `0` | free |
//! | `id` | held; nobody sleeps |
//! | `id + CONTENDED` | held; somebody may sleep |
//!
//! Rules of the right form:
//! 1. Whoever comes to a free word at once writes `id`; whoever had to look twice writes `id + CONTENDED`.
//! 2. A tick makes suspicious. The suspicious ask whether the owner lives: if so, they are suspicious no more; if not, they
//!    exchange the word as they saw it for `id + CONTENDED`. Should that fail, they look again and stay suspicious.
//! 3. Before a sleep the word carries CONTENDED, and the sleep compares with it.
//! 4. Leaving is one swap, and then a wake, if the word carried CONTENDED.

use super::section::{Exclusive, Inside, ONCE, Patience, Section, TIMED, TRY};
use super::{Fault, site};
use crate::scenario::{ModelPlatform, Scenario};
use crate::spec::lock::Answer;
use procession::platform::{Access, Life, Platform, Site, Wakeup};

const ENTER: Site = site("lock.enter", Access::Modify);
const ENTER_SLOW: Site = site("lock.enter_slow", Access::Modify);
const TAKE_OVER: Site = site("lock.take_over", Access::Modify);
const ANNOUNCE: Site = site("lock.announce", Access::Modify);
const LOOK: Site = site("lock.look", Access::Load);
const ASK: Site = site("lock.ask", Access::Ask);
const SLEEP: Site = site("lock.sleep", Access::Wait);
const LEAVE: Site = site("lock.leave", Access::Modify);
const WAKE: Site = site("lock.wake", Access::Wake);
const HAND_ON: Site = site("lock.hand_on", Access::Wake);

const CONTENDED: u32 = 1 << 30;

/// The lock, in its right form or broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it should be.
    Right,
    /// Leaving wakes first and swaps then.
    WakesBeforeSwap,
    /// A sleeper compares with whatever the word holds by then.
    SleepsOnAnything,
    /// Held is 1, whoever holds it: there is nobody to ask after.
    Nameless,
    /// A takeover writes `id`.
    TakesOverUncontended,
    /// Whoever slept enters with `id`.
    EntersUncontended,
    /// A takeover that was lost ends the suspicion.
    ForgetsSuspicion,
    /// A tick makes nobody suspicious.
    NeverAsks,
    /// Woken, with the deadline passed in the meantime: it leaves.
    LeavesWoken,
    /// The same, but it wakes another first.
    LeavesWokenHandingOn,
}

/// How to enter.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// How long to wait.
    pub patience: Patience,
    /// Whether something was suspicious already.
    pub suspicious: bool,
    /// What the rest of the operation depends on, beside the lock.
    pub outer: u64,
}

impl Form {
    /// Enters, or says why not.
    pub fn enter<P: ModelPlatform>(self, word: &P::Word<u32>, platform: &P, me: u32, entry: Entry) -> Answer {
        let id = if self == Form::Nameless { 1 } else { me };
        let Err(mut seen) = platform.compare_exchange(word, 0, id, &ENTER) else { return Answer::Locked };
        let Entry { patience, mut suspicious, outer } = entry;
        suspicious |= patience == Patience::Try;
        let deadline = if patience == Patience::Timed { platform.deadline() } else { P::never() };
        loop {
            platform.loop_head(&[outer, seen.into(), suspicious.into()]);
            let Some(owner) = owner(seen) else {
                let held = if self == Form::EntersUncontended { id } else { id | CONTENDED };
                match platform.compare_exchange(word, seen, held, &ENTER_SLOW) {
                    Ok(_) => return Answer::Locked,
                    Err(now) => seen = now,
                }
                continue;
            };
            if suspicious && self != Form::Nameless {
                if platform.life(owner, &ASK) == Life::Dead {
                    let held = if self == Form::TakesOverUncontended { id } else { id | CONTENDED };
                    match platform.compare_exchange(word, seen, held, &TAKE_OVER) {
                        Ok(_) => return Answer::OwnerDied,
                        Err(now) => (seen, suspicious) = (now, self != Form::ForgetsSuspicion),
                    }
                    continue;
                }
                suspicious = false;
            }
            if patience == Patience::Try {
                return Answer::WouldBlock;
            }
            if seen & CONTENDED == 0 {
                if let Err(now) = platform.compare_exchange(word, seen, seen | CONTENDED, &ANNOUNCE) {
                    seen = now;
                    continue;
                }
                seen |= CONTENDED;
            }
            if self == Form::SleepsOnAnything {
                seen = platform.load(word, &LOOK);
            }
            match platform.wait(word, seen, deadline, 0, &SLEEP) {
                Wakeup::TimedOut => return Answer::TimedOut,
                Wakeup::Woken if patience == Patience::Timed && self == Form::LeavesWoken => return Answer::TimedOut,
                Wakeup::Woken if patience == Patience::Timed && self == Form::LeavesWokenHandingOn => {
                    platform.wake(word, 1, &HAND_ON);
                    return Answer::TimedOut;
                }
                Wakeup::Tick => suspicious = self != Form::NeverAsks,
                Wakeup::Woken | Wakeup::Changed => {}
            }
            seen = platform.load(word, &LOOK);
        }
    }

    /// Leaves.
    pub fn leave<P: Platform>(self, word: &P::Word<u32>, platform: &P) {
        if self == Form::WakesBeforeSwap {
            if platform.load(word, &LOOK) & CONTENDED != 0 {
                platform.wake(word, 1, &WAKE);
            }
            platform.swap(word, 0, &LEAVE);
        } else if platform.swap(word, 0, &LEAVE) & CONTENDED != 0 {
            platform.wake(word, 1, &WAKE);
        }
    }
}

fn owner(word: u32) -> Option<u32> {
    (word != 0).then_some(word & !CONTENDED)
}

impl Exclusive for Form {
    type Words<P: ModelPlatform> = P::Word<u32>;

    fn build<P: ModelPlatform>(&self) -> P::Word<u32> {
        P::word(0)
    }

    fn enter<P: ModelPlatform>(
        &self,
        word: &P::Word<u32>,
        platform: &P,
        me: u32,
        patience: Patience,
    ) -> (Answer, Inside) {
        let entry = Entry { patience, suspicious: false, outer: 0 };
        (Form::enter(*self, word, platform, me, entry), Inside::Normally)
    }

    fn leave<P: ModelPlatform>(&self, word: &P::Word<u32>, platform: &P, _me: u32, _inside: Inside) {
        Form::leave(*self, word, platform);
    }
}

pub(super) fn faults() -> Vec<Fault> {
    use Form::*;
    let two = |name, form| Scenario::new(name, Section(form), [ONCE, ONCE]);
    let three = |name, form| Scenario::new(name, Section(form), [ONCE, ONCE, ONCE]);
    let four = |name, form| Scenario::new(name, Section(form), [ONCE, ONCE, ONCE, ONCE]);
    let tried = |name, form| Scenario::new(name, Section(form), [ONCE, ONCE, TRY]);
    let timed = |name, form| Scenario::new(name, Section(form), [ONCE, TIMED, ONCE]);
    vec![
        Fault::holds(three("lock", Right), "the lock, with any process killed").killing(2),
        Fault::holds(four("lock-one-tick", Right), "one tick of one sleeper is enough for all")
            .killing(1)
            .with_one_tick(),
        Fault::holds(tried("lock-try", Right), "whoever only tries learns of a dead owner, too").killing(1),
        Fault::holds(timed("lock-timed", Right), "a deadline that passes in a sleep owes nothing"),
        Fault::asleep(two("lock-wakes-before-swap", WakesBeforeSwap), "a wake before the swap wakes to a held lock"),
        Fault::asleep(two("lock-sleeps-on-anything", SleepsOnAnything), "a sleep must compare with what was announced"),
        Fault::asleep(two("lock-nameless", Nameless), "without a name in the word nobody can ask after a dead owner")
            .killing(1),
        Fault::holds(
            three("lock-takes-over-uncontended-ticks", TakesOverUncontended),
            "a takeover that hides sleepers is put right by their own ticks: each still has one",
        )
        .killing(2),
        Fault::asleep(three("lock-takes-over-uncontended", TakesOverUncontended), "... but by nothing else")
            .killing(1)
            .with_one_tick(),
        Fault::asleep(three("lock-enters-uncontended", EntersUncontended), "one of two sleepers hides the other"),
        Fault::holds(
            four("lock-forgets-suspicion-ticks", ForgetsSuspicion),
            "whoever forgets its suspicion has spent its tick; whoever announced meanwhile has not, and takes over",
        )
        .killing(1),
        Fault::asleep(
            four("lock-forgets-suspicion", ForgetsSuspicion),
            "a takeover that was lost to an announcement says nothing about the owner, who is still dead",
        )
        .killing(1)
        .with_one_tick(),
        Fault::asleep(two("lock-never-asks", NeverAsks), "a dead owner wakes nobody").killing(1),
        Fault::asleep(timed("lock-leaves-woken", LeavesWoken), "a wake spent on one who leaves is lost to the other"),
        Fault::holds(timed("lock-leaves-woken-handing-on", LeavesWokenHandingOn), "... unless it is handed on"),
    ]
}
