//! `Array` and `RawArray`: slices against slices, against single elements, and against the death of whoever copies.

use super::lock::new_lock;
use crate::scenario::{ModelPlatform, Scenario, Subject};
use crate::spec;
use crate::spec::array::{Answer, LENGTH, Op};
use procession::algorithm::Owner;
use procession::algorithm::array::Elements;
use procession::algorithm::lock::{Entered, Exclusion, Intent, Patience, Reentry, Refused, inside};
use procession::algorithm::rlock::RLock;
use procession::platform::Platform;

/// What guards an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarded {
    /// Nothing: a `RawArray`. Its specification is that of an array with a lock: it fails it, and that is the point.
    Not,
    /// Its own lock.
    Own,
    /// A lock that was given to it.
    Given,
    /// A recursive lock that was given to it.
    GivenRecursive,
}

/// An array of elements of 4 bytes.
#[derive(Debug, Clone, Copy)]
pub struct ArraySubject {
    /// What guards it.
    pub guarded: Guarded,
}

/// Its shared state.
pub struct Shared<P: Platform> {
    lock: RLock<P>,
    words: Vec<P::Word<u32>>,
}

/// Bytes of an element.
const BYTES: usize = 4;

fn bytes_of(numbers: [u64; LENGTH]) -> [u8; BYTES * LENGTH] {
    let mut bytes = [0; BYTES * LENGTH];
    for (chunk, number) in bytes.chunks_exact_mut(BYTES).zip(numbers) {
        chunk.copy_from_slice(&(number as u32).to_ne_bytes());
    }
    bytes
}

fn number_in(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(u64::MAX, |bytes| u32::from_ne_bytes(bytes).into())
}

/// The elements, as a slice of them is copied out, looked at, and copied in.
struct Held<'a, P: Platform>(Elements<'a, P, u32>, &'a P);

impl<P: Platform> Held<'_, P> {
    fn get(&self, index: usize) -> u64 {
        let mut bytes = [0; BYTES];
        self.0.get(self.1, index, &mut bytes);
        number_in(&bytes)
    }
    fn set(&self, index: usize, new: u64) {
        self.0.set(self.1, index, &(new as u32).to_ne_bytes());
    }
    fn add(&self, index: usize, more: u64) -> Answer {
        let old = self.get(index);
        self.set(index, old + more);
        Answer::Held(old)
    }
    fn read(&self) -> [u64; LENGTH] {
        let mut bytes = [0; BYTES * LENGTH];
        self.0.copy_out(self.1, 0, &mut bytes);
        std::array::from_fn(|index| number_in(&bytes[BYTES * index..][..BYTES]))
    }
    fn write(&self, numbers: [u64; LENGTH]) -> Answer {
        self.0.copy_in(self.1, 0, &bytes_of(numbers));
        Answer::Done
    }
}

impl ArraySubject {
    fn exclusion<'a, P: Platform>(&self, shared: &'a Shared<P>) -> &'a dyn Exclusion<P> {
        if self.guarded == Guarded::GivenRecursive { &shared.lock } else { shared.lock.lock() }
    }
}

impl Subject for ArraySubject {
    type Spec = spec::array::Array;
    type Op = Op;
    type Answer = Answer;
    type Shared<P: ModelPlatform> = Shared<P>;
    /// The lock, if the role holds it.
    type Local = Option<Entered>;

    fn spec(&self) -> spec::array::Array {
        let reentry = matches!(self.guarded, Guarded::Given | Guarded::GivenRecursive);
        spec::array::Array::new(reentry, self.guarded == Guarded::GivenRecursive)
    }

    fn build<P: ModelPlatform>(&self) -> Shared<P> {
        Shared { lock: RLock::new(new_lock::<P>()), words: (0..LENGTH).map(|_| P::word(0)).collect() }
    }

    fn apply<P: ModelPlatform>(
        &self,
        shared: &Shared<P>,
        platform: &P,
        me: Owner,
        held: &mut Self::Local,
        op: &Op,
    ) -> Option<Answer> {
        let elements = Held(Elements { words: &shared.words, bytes: BYTES }, platform);
        let lock = self.exclusion(shared);
        let reentry = if self.guarded == Guarded::Own { Reentry::Refused } else { Reentry::Allowed };
        let whole = |body: &dyn Fn() -> Answer| {
            if self.guarded == Guarded::Not {
                return Ok(body());
            }
            inside(platform, lock, me, (reentry, P::never()), |untold| if untold { Answer::OwnerDied } else { body() })
        };
        let answer = match *op {
            Op::Get(index) => Ok(Answer::Held(elements.get(index))),
            Op::Set(index, new) => {
                elements.set(index, new);
                Ok(Answer::Done)
            }
            Op::Add(index, more) => {
                let old = elements.0.modify(platform, index, |old: u32| Some(old.wrapping_add(more as u32)))?;
                Ok(Answer::Held(old.unwrap_or_else(|found| found).into()))
            }
            Op::Plus(index, more) | Op::AddHeld(index, more) => Ok(elements.add(index, more)),
            Op::Read => whole(&|| Answer::Slice(elements.read())),
            Op::Write(new) => whole(&|| elements.write([new; LENGTH])),
            Op::Update(more) => whole(&|| elements.write(elements.read().map(|old| old + more))),
            Op::Lock => lock.enter(platform, me, Intent::Explicit, Patience::Until(P::never())).map(|entered| {
                *held = Some(entered);
                if entered.owner_died { Answer::OwnerDied } else { Answer::Locked }
            }),
            Op::Unlock => {
                lock.leave(platform, held.take()?);
                Ok(Answer::Done)
            }
        };
        // Without deadlines, the only refusal there may be is to the thread that is inside already.
        match answer {
            Ok(answer) => Some(answer),
            Err(Refused::WouldDeadlock) => Some(Answer::WouldDeadlock),
            Err(_) => None,
        }
    }

    fn leaves_out(&self, held: &Self::Local, op: &Op) -> bool {
        match op {
            Op::AddHeld(..) | Op::Unlock => held.is_none(),
            Op::Lock => self.guarded == Guarded::Not,
            _ => false,
        }
    }
}

/// Both elements through the guard.
const GUARDED: &[Op] = &[Op::Lock, Op::AddHeld(0, 1), Op::AddHeld(1, 1), Op::Unlock];

/// The scenarios of `Array`.
pub fn arrays() -> Vec<Scenario<ArraySubject>> {
    let subject = |guarded| ArraySubject { guarded };
    let own = subject(Guarded::Own);
    const ADD: &[Op] = &[Op::Add(0, 1)];
    const WRITE: &[Op] = &[Op::Write(7)];
    const UPDATE: &[Op] = &[Op::Update(1)];
    const READ: &[Op] = &[Op::Read];
    const TELL: &[Op] = &[Op::Set(0, 1), Op::Set(1, 1)];
    const HEAR: &[Op] = &[Op::Get(1), Op::Get(0)];
    const TELL_ADD: &[Op] = &[Op::Set(0, 1), Op::Add(1, 1)];
    const HEAR_ADD: &[Op] = &[Op::Add(1, 0), Op::Get(0)];
    const REPAIR: &[Op] = &[Op::Read, Op::Lock, Op::Unlock, Op::Read];
    const AGAIN: &[Op] = &[Op::Lock, Op::Read, Op::Write(3), Op::AddHeld(0, 1), Op::Unlock];
    vec![
        Scenario::new("array-set-get", own, [&[Op::Set(0, 7)], &[Op::Get(0), Op::Get(0)]]),
        Scenario::new("array-add-add", own, [ADD, ADD]),
        Scenario::new("array-tell-hear", own, [TELL, HEAR]),
        Scenario::new("array-add-tell-hear", own, [TELL_ADD, HEAR]),
        Scenario::new("array-tell-add-hear", own, [TELL, HEAR_ADD]),
        Scenario::new("array-write-get", own, [WRITE, &[Op::Get(1)]]),
        Scenario::new("array-write-read", own, [WRITE, READ]),
        Scenario::new("array-write-write-read", own, [WRITE, &[Op::Write(8)], READ]),
        Scenario::new("array-update-update", own, [UPDATE, UPDATE]),
        Scenario::new("array-update-update-read", own, [UPDATE, UPDATE, READ]),
        Scenario::new("array-guard-read", own, [GUARDED, READ]),
        Scenario::new("array-guard-update", own, [GUARDED, UPDATE]),
        Scenario::new("array-write-repair", own, [WRITE, REPAIR]),
        Scenario::new("array-guard-itself", own, [AGAIN, READ]),
        Scenario::new("array-given-lock", subject(Guarded::Given), [AGAIN, READ]),
        Scenario::new("array-given-rlock", subject(Guarded::GivenRecursive), [AGAIN, READ]),
    ]
}

/// Scenarios of a size that only the explorer comes to the end of.
pub fn large() -> Vec<Scenario<ArraySubject>> {
    let (own, rlock) = (ArraySubject { guarded: Guarded::Own }, ArraySubject { guarded: Guarded::GivenRecursive });
    const WRITE: &[Op] = &[Op::Write(7)];
    const UPDATES: &[Op] = &[Op::Update(1), Op::Update(1)];
    const READS: &[Op] = &[Op::Read, Op::Lock, Op::Unlock, Op::Read];
    const AGAIN: &[Op] = &[Op::Lock, Op::Read, Op::Write(3), Op::AddHeld(0, 1), Op::Unlock];
    vec![
        Scenario::new("array-x3", own, [WRITE, UPDATES, READS]),
        Scenario::new("array-given-x3", rlock, [AGAIN, UPDATES, READS]),
    ]
}

/// The scenarios of `RawArray`.
pub fn raw_arrays() -> Vec<Scenario<ArraySubject>> {
    let raw = ArraySubject { guarded: Guarded::Not };
    vec![
        Scenario::new("raw-array-write-read", raw, [&[Op::Write(7)], &[Op::Read]]).that_fails(),
        Scenario::new("raw-array-plus-plus", raw, [&[Op::Plus(0, 1)], &[Op::Plus(0, 1)]]).that_fails(),
    ]
}
