//! `Lock` and `RLock`: lockers against lockers, against timeouts, against themselves.
//!
//! Beside the lock stands a counter, an ordinary word that only a holder touches, read and written in two relaxed steps:
//! if ever two are inside at once, or one enters without seeing what the last one did, a count comes twice.

use crate::scenario::{ModelPlatform, Scenario, Subject};
use crate::spec;
use crate::spec::lock::{Answer, Op};
use procession::algorithm::Owner;
use procession::algorithm::lock::{Entered, Exclusion, Intent, Lock, Patience, Refused};
use procession::algorithm::rlock::RLock;
use procession::platform::{Access, Platform, Site};

static COUNTER_READ: Site = Site::guarded("counter.read", Access::Load, "the lock orders it");
static COUNTER_WRITE: Site = Site::guarded("counter.write", Access::Store, "the lock orders it");

/// A lock and what it guards.
#[derive(Debug, Clone, Copy)]
pub struct LockSubject {
    /// An `RLock` or a `Lock`.
    pub recursive: bool,
}

/// The shared state.
pub struct Shared<P: Platform> {
    lock: RLock<P>,
    counter: P::Word<u64>,
}

/// Makes a lock of zero words.
pub fn new_lock<P: ModelPlatform>() -> Lock<P> {
    Lock::from_words(P::word(0), P::word(0), P::word(0))
}

impl LockSubject {
    fn exclusion<'a, P: Platform>(&self, shared: &'a Shared<P>) -> &'a dyn Exclusion<P> {
        if self.recursive { &shared.lock } else { shared.lock.lock() }
    }
}

impl Subject for LockSubject {
    type Spec = spec::lock::Lock;
    type Op = Op;
    type Answer = Answer;
    type Shared<P: ModelPlatform> = Shared<P>;
    /// The entries not yet left.
    type Local = Vec<Entered>;

    fn spec(&self) -> spec::lock::Lock {
        if self.recursive { spec::lock::Lock::recursive() } else { spec::lock::Lock::default() }
    }

    fn build<P: ModelPlatform>(&self) -> Shared<P> {
        Shared { lock: RLock::new(new_lock()), counter: P::word(0) }
    }

    fn apply<P: ModelPlatform>(
        &self,
        shared: &Shared<P>,
        platform: &P,
        me: Owner,
        held: &mut Vec<Entered>,
        op: &Op,
    ) -> Option<Answer> {
        let lock = self.exclusion(shared);
        let patience = match op {
            Op::Lock => Patience::Until(P::never()),
            Op::TryLock => Patience::Try,
            Op::LockTimeout => Patience::Until(platform.deadline()),
            Op::Unlock => {
                lock.leave(platform, held.pop()?);
                return Some(Answer::Unlocked);
            }
            Op::Count => {
                let count: u64 = platform.load(&shared.counter, &COUNTER_READ);
                platform.store(&shared.counter, count + 1, &COUNTER_WRITE);
                return Some(Answer::Counted(count));
            }
        };
        Some(match lock.enter(platform, me, Intent::Explicit, patience) {
            Ok(entered) => {
                held.push(entered);
                if entered.owner_died { Answer::OwnerDied } else { Answer::Locked }
            }
            Err(Refused::WouldBlock) => Answer::WouldBlock,
            Err(Refused::TimedOut) => Answer::TimedOut,
            Err(Refused::WouldDeadlock) => Answer::WouldDeadlock,
            // Neither may happen in a model: an operation without an answer is a violation.
            Err(Refused::TooDeep | Refused::Blind) => return None,
        })
    }

    fn leaves_out(&self, held: &Vec<Entered>, op: &Op) -> bool {
        matches!(op, Op::Unlock | Op::Count) && held.is_empty()
    }

    fn is_timed(&self, op: &Op) -> bool {
        matches!(op, Op::LockTimeout)
    }
}

const ONCE: &[Op] = &[Op::Lock, Op::Count, Op::Unlock];
const TWICE: &[Op] = &[Op::Lock, Op::Count, Op::Unlock, Op::Lock, Op::Count, Op::Unlock];
const TRY: &[Op] = &[Op::TryLock, Op::Count, Op::Unlock];
const TIMED: &[Op] = &[Op::LockTimeout, Op::Count, Op::Unlock];
const AGAIN: &[Op] = &[Op::Lock, Op::Lock, Op::Count, Op::Unlock, Op::Unlock];

/// The scenarios of `Lock`.
pub fn locks() -> Vec<Scenario<LockSubject>> {
    let lock = LockSubject { recursive: false };
    vec![
        Scenario::new("lock-lock", lock, [ONCE, ONCE]),
        Scenario::new("lock-lock-twice", lock, [TWICE, TWICE]),
        Scenario::new("lock-lock-lock", lock, [ONCE, ONCE, ONCE]),
        Scenario::new("lock-try", lock, [ONCE, TRY]),
        Scenario::new("lock-timeout", lock, [ONCE, TIMED]),
        Scenario::new("lock-timeout-timeout", lock, [ONCE, TIMED, TIMED]),
        Scenario::new("lock-timeout-lock", lock, [ONCE, TIMED, ONCE]),
        Scenario::new("lock-itself", lock, [AGAIN, ONCE]),
        Scenario::new("lock-threads", lock, [ONCE, ONCE]).in_one_process(),
        Scenario::new("lock-threads-process", lock, [ONCE, ONCE, ONCE]).first_together(2),
    ]
}

/// Scenarios of a size that only the explorer comes to the end of.
pub fn large() -> Vec<Scenario<LockSubject>> {
    let (lock, rlock) = (LockSubject { recursive: false }, LockSubject { recursive: true });
    vec![
        Scenario::new("lock-x4", lock, [ONCE, ONCE, ONCE, ONCE]),
        Scenario::new("lock-x3-twice", lock, [TWICE, TWICE, TWICE]),
        Scenario::new("lock-x3-timeout", lock, [ONCE, TIMED, TIMED, TIMED]),
        Scenario::new("rlock-x3", rlock, [AGAIN, AGAIN, AGAIN]),
    ]
}

/// The scenarios of `RLock`.
pub fn rlocks() -> Vec<Scenario<LockSubject>> {
    let rlock = LockSubject { recursive: true };
    vec![
        Scenario::new("rlock-rlock", rlock, [AGAIN, ONCE]),
        Scenario::new("rlock-rlock-deep", rlock, [AGAIN, AGAIN]),
        Scenario::new("rlock-rlock-rlock", rlock, [AGAIN, ONCE, ONCE]),
        Scenario::new("rlock-try", rlock, [AGAIN, TRY]),
        Scenario::new("rlock-threads", rlock, [AGAIN, ONCE]).in_one_process(),
        Scenario::new("rlock-threads-process", rlock, [AGAIN, ONCE, ONCE]).first_together(2),
    ]
}
