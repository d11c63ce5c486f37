//! `Value` and `RawValue`: writers against writers, against readers that take no lock, and one value that tells of another.

use super::lock::new_lock;
use crate::scenario::{ModelPlatform, Scenario, Subject};
use crate::spec;
use crate::spec::value::{Answer, Op, VALUES};
use procession::algorithm::Owner;
use procession::algorithm::lock::{Entered, Exclusion, Intent, Lock, Patience, Reentry, Refused, inside};
use procession::algorithm::raw_value;
use procession::algorithm::value::{Cell, words_for};
use procession::platform::Platform;

/// Two values, each with its own lock.
#[derive(Debug, Clone, Copy)]
pub struct ValueSubject {
    /// Bytes of each: 8 is one word, more is two copies and a version.
    pub bytes: usize,
}

/// One value's shared state.
pub struct Shared<P: Platform> {
    lock: Lock<P>,
    version: P::Word<u64>,
    words: Vec<P::Word<u64>>,
}

impl<P: Platform> Shared<P> {
    fn cell(&self) -> Cell<'_, P> {
        Cell { version: &self.version, words: &self.words }
    }
}

/// A number as a value's bytes: the same word over and over, so that a torn one shows.
fn bytes_of(number: u64, bytes: usize) -> Vec<u8> {
    number.to_ne_bytes().into_iter().cycle().take(bytes).collect()
}

/// The number a value's bytes say, or two of them.
fn number_in(bytes: &[u8]) -> Answer {
    let words: Vec<u64> =
        bytes.chunks_exact(8).map(|word| u64::from_ne_bytes(word.try_into().unwrap_or_default())).collect();
    match words.iter().find(|word| **word != words[0]) {
        None => Answer::Held(words[0]),
        Some(other) => Answer::Torn(words[0], *other),
    }
}

impl ValueSubject {
    /// Reads and writes inside the lock; answers what was there.
    fn change<P: ModelPlatform>(&self, platform: &P, cell: &Cell<'_, P>, next: impl FnOnce(u64) -> u64) -> Answer {
        let mut bytes = vec![0; self.bytes];
        cell.read_held(platform, &mut bytes);
        let old = number_in(&bytes);
        if let Answer::Held(old) = old {
            let new = next(old);
            if new != old {
                cell.write_held(platform, &bytes_of(new, self.bytes));
            }
        }
        old
    }
}

impl Subject for ValueSubject {
    type Spec = spec::value::Values;
    type Op = Op;
    type Answer = Answer;
    type Shared<P: ModelPlatform> = [Shared<P>; VALUES];
    /// The value whose lock the role holds.
    type Local = Option<(usize, Entered)>;

    fn spec(&self) -> spec::value::Values {
        spec::value::Values::default()
    }

    fn build<P: ModelPlatform>(&self) -> [Shared<P>; VALUES] {
        let words = || (0..words_for(self.bytes)).map(|_| P::word(0)).collect();
        std::array::from_fn(|_| Shared { lock: new_lock(), version: P::word(0), words: words() })
    }

    fn apply<P: ModelPlatform>(
        &self,
        shared: &[Shared<P>; VALUES],
        platform: &P,
        me: Owner,
        held: &mut Self::Local,
        op: &Op,
    ) -> Option<Answer> {
        let (Op::Get(value)
        | Op::Set(value, _)
        | Op::Add(value, _)
        | Op::Plus(value, _)
        | Op::CompareExchange(value, ..)
        | Op::Lock(value)
        | Op::AddHeld(value, _)
        | Op::Unlock(value)) = *op;
        let Shared { lock, .. } = &shared[value];
        let cell = shared[value].cell();
        let how = (Reentry::Refused, P::never());
        let answer = match *op {
            Op::Get(_) => {
                let mut bytes = vec![0; self.bytes];
                match cell.read(platform, &mut bytes) {
                    Some(()) => Ok(()),
                    None => inside(platform, lock, me, how, |_| cell.read_held(platform, &mut bytes)),
                }
                .map(|()| number_in(&bytes))
            }
            Op::Set(_, new) => inside(platform, lock, me, how, |_| {
                cell.write_held(platform, &bytes_of(new, self.bytes));
                Answer::Done
            }),
            Op::Add(_, more) | Op::Plus(_, more) => {
                inside(platform, lock, me, how, |_| self.change(platform, &cell, |old| old.wrapping_add(more)))
            }
            Op::CompareExchange(_, current, new) => inside(platform, lock, me, how, |_| {
                self.change(platform, &cell, |old| if old == current { new } else { old })
            }),
            Op::Lock(_) => lock.enter(platform, me, Intent::Explicit, Patience::Until(P::never())).map(|entered| {
                *held = Some((value, entered));
                if entered.owner_died { Answer::OwnerDied } else { Answer::Locked }
            }),
            Op::AddHeld(_, more) => Ok(self.change(platform, &cell, |old| old.wrapping_add(more))),
            Op::Unlock(_) => {
                lock.leave(platform, held.take()?.1);
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
        let holds = |value: usize| held.is_some_and(|(locked, _)| locked == value);
        match *op {
            Op::AddHeld(value, _) | Op::Unlock(value) => !holds(value),
            _ => false,
        }
    }
}

/// Two values without locks. Its specification is that of values with locks: it fails it, and that is the point.
#[derive(Debug, Clone, Copy)]
pub struct RawSubject {
    /// Bytes of each.
    pub bytes: usize,
}

impl Subject for RawSubject {
    type Spec = spec::value::Values;
    type Op = Op;
    type Answer = Answer;
    type Shared<P: ModelPlatform> = [Vec<P::Word<u64>>; VALUES];
    type Local = ();

    fn spec(&self) -> spec::value::Values {
        spec::value::Values::default()
    }

    fn build<P: ModelPlatform>(&self) -> Self::Shared<P> {
        std::array::from_fn(|_| (0..self.bytes.div_ceil(8)).map(|_| P::word(0)).collect())
    }

    fn apply<P: ModelPlatform>(
        &self,
        shared: &Self::Shared<P>,
        platform: &P,
        _me: Owner,
        (): &mut (),
        op: &Op,
    ) -> Option<Answer> {
        let get = |value: usize| {
            let mut bytes = vec![0; self.bytes];
            raw_value::get(platform, &shared[value], &mut bytes);
            number_in(&bytes)
        };
        let set = |value: usize, new| raw_value::set(platform, &shared[value], &bytes_of(new, self.bytes));
        match *op {
            Op::Get(value) => Some(get(value)),
            Op::Set(value, new) => {
                set(value, new);
                Some(Answer::Done)
            }
            // As one would write it: two steps.
            Op::Plus(value, more) => {
                let old = get(value);
                if let Answer::Held(old) = old {
                    set(value, old + more);
                }
                Some(old)
            }
            // `fetch_add`: one step.
            Op::Add(value, more) => {
                let old = raw_value::modify(platform, &shared[value][0], |old| Some(old.wrapping_add(more)));
                Some(Answer::Held(old.unwrap_or_else(|found| found)))
            }
            Op::CompareExchange(value, current, new) => {
                let old = raw_value::modify(platform, &shared[value][0], |old| (old == current).then_some(new));
                Some(Answer::Held(old.unwrap_or_else(|found| found)))
            }
            Op::Lock(_) | Op::AddHeld(..) | Op::Unlock(_) => None,
        }
    }

    /// There is no lock to take.
    fn leaves_out(&self, (): &(), op: &Op) -> bool {
        matches!(op, Op::Lock(_) | Op::AddHeld(..) | Op::Unlock(_))
    }
}

/// `+= 1` on the guard.
const GUARDED: &[Op] = &[Op::Lock(0), Op::AddHeld(0, 1), Op::Unlock(0)];

/// The scenarios of `Value`.
pub fn values() -> Vec<Scenario<ValueSubject>> {
    let (word, wide) = (ValueSubject { bytes: 8 }, ValueSubject { bytes: 16 });
    const ADD: &[Op] = &[Op::Add(0, 1)];
    const SET: &[Op] = &[Op::Set(0, 7)];
    const GET: &[Op] = &[Op::Get(0), Op::Get(0)];
    const SWAP: &[Op] = &[Op::CompareExchange(0, 0, 5)];
    const TELL: &[Op] = &[Op::Set(0, 1), Op::Set(1, 1)];
    const HEAR: &[Op] = &[Op::Get(1), Op::Get(0)];
    const AGAIN: &[Op] = &[Op::Lock(0), Op::Add(0, 1), Op::AddHeld(0, 1), Op::Unlock(0)];
    vec![
        Scenario::new("value-add-add", word, [ADD, ADD]),
        Scenario::new("value-add-guard", word, [ADD, GUARDED]),
        Scenario::new("value-guard-guard", word, [GUARDED, GUARDED]),
        Scenario::new("value-add-add-get", word, [ADD, ADD, &[Op::Get(0)]]),
        Scenario::new("value-set-exchange", word, [SET, SWAP]),
        Scenario::new("value-set-get", word, [SET, GET]),
        Scenario::new("value-tell-hear", word, [TELL, HEAR]),
        Scenario::new("value-guard-itself", word, [AGAIN, ADD]),
        Scenario::new("wide-set-get", wide, [SET, GET]),
        Scenario::new("wide-set-set-get", wide, [&[Op::Set(0, 7), Op::Set(0, 8)], &[Op::Get(0)]]),
        Scenario::new("wide-add-add", wide, [ADD, ADD]),
        Scenario::new("wide-add-add-get", wide, [ADD, ADD, &[Op::Get(0)]]),
        Scenario::new("wide-tell-hear", wide, [TELL, HEAR]),
    ]
}

/// Scenarios of a size that only the explorer comes to the end of.
pub fn large() -> Vec<Scenario<ValueSubject>> {
    let (word, wide) = (ValueSubject { bytes: 8 }, ValueSubject { bytes: 16 });
    const SET: &[Op] = &[Op::Set(0, 7), Op::Set(0, 8)];
    const ADD: &[Op] = &[Op::Add(0, 1), Op::Add(0, 1)];
    const GET: &[Op] = &[Op::Get(0), Op::Get(0)];
    vec![
        Scenario::new("value-x3", word, [ADD, SET, GUARDED]),
        Scenario::new("wide-writers-reader", wide, [ADD, SET, GET]),
        // Eight tries are never enough: this one is in the reader's way all the time.
        Scenario::new("wide-busy-reader", wide, [&[Op::Set(0, 1); 9], &[Op::Get(0)]]),
    ]
}

/// The scenarios of `RawValue`.
pub fn raws() -> Vec<Scenario<RawSubject>> {
    let (word, wide) = (RawSubject { bytes: 8 }, RawSubject { bytes: 16 });
    const ADD: &[Op] = &[Op::Add(0, 1)];
    const PLUS: &[Op] = &[Op::Plus(0, 1)];
    const TELL: &[Op] = &[Op::Set(0, 1), Op::Add(1, 1)];
    const HEAR: &[Op] = &[Op::Add(1, 0), Op::Get(0)];
    vec![
        Scenario::new("raw-plus-plus", word, [PLUS, PLUS]).that_fails(),
        Scenario::new("raw-add-add", word, [ADD, ADD]),
        Scenario::new("raw-set-get", word, [&[Op::Set(0, 7)], &[Op::Get(0), Op::Get(0)]]),
        Scenario::new("raw-tell-hear", word, [TELL, HEAR]),
        Scenario::new("raw-wide-set-get", wide, [&[Op::Set(0, 7)], &[Op::Get(0)]]).that_fails(),
    ]
}
