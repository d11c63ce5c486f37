//! All small programs: not scenarios that somebody thought of, but every one there is, up to a size, over what can be done with
//! a primitive. Each is explored in full and judged.

use super::array::{ArraySubject, Guarded};
use super::lock::LockSubject;
use super::value::ValueSubject;
use crate::explorer::{Limits, explore};
use crate::scenario::{Role, Scenario, Subject};
use crate::spec::{array, lock, value};
use crate::worlds::Violation;
use crate::worlds::is_interrupted;
use std::time::Instant;

/// What a family of programs came to.
#[derive(Debug, Clone, Default)]
pub struct Total {
    /// How many programs there are; roles are told apart by what they do, not by their order.
    pub programs: u64,
    /// How many of them were explored in full.
    pub exhausted: u64,
    /// How many states they have.
    pub states: u64,
    /// What was wrong with the first that was wrong, and its story.
    pub violation: Option<Violation>,
}

/// A primitive, and how all its programs are run: so many roles, so many things done by each, at the most.
pub struct Family {
    /// Its name.
    pub name: &'static str,
    run: fn(usize, usize, &Limits) -> Total,
}

impl Family {
    /// Explores every program of at most so many roles that each do at most so many things.
    pub fn run(&self, roles: usize, things: usize, limits: &Limits) -> Total {
        (self.run)(roles, things, limits)
    }
}

/// All of them.
pub const FAMILIES: &[Family] = &[
    Family {
        name: "lock",
        run: |roles, things, limits| run(LockSubject { recursive: false }, LOCK, roles, things, limits),
    },
    Family {
        name: "rlock",
        run: |roles, things, limits| run(LockSubject { recursive: true }, RLOCK, roles, things, limits),
    },
    Family { name: "value", run: |roles, things, limits| run(ValueSubject { bytes: 8 }, VALUE, roles, things, limits) },
    Family { name: "wide", run: |roles, things, limits| run(ValueSubject { bytes: 16 }, VALUE, roles, things, limits) },
    Family { name: "elements", run: |roles, things, limits| run(ARRAY, ELEMENTS, roles, things, limits) },
    Family { name: "slices", run: |roles, things, limits| run(ARRAY, SLICES, roles, things, limits) },
];

const ARRAY: ArraySubject = ArraySubject { guarded: Guarded::Own };

// A thing is done to its end: whoever takes a lock lets go of it, or those who wait would be right to wait for ever.
const LOCK: &[&[lock::Op]] = &[
    &[lock::Op::Lock, lock::Op::Count, lock::Op::Unlock],
    &[lock::Op::TryLock, lock::Op::Count, lock::Op::Unlock],
    &[lock::Op::LockTimeout, lock::Op::Count, lock::Op::Unlock],
    &[lock::Op::Lock, lock::Op::Lock, lock::Op::Unlock],
];
const RLOCK: &[&[lock::Op]] = &[
    &[lock::Op::Lock, lock::Op::Count, lock::Op::Unlock],
    &[lock::Op::TryLock, lock::Op::Count, lock::Op::Unlock],
    &[lock::Op::LockTimeout, lock::Op::Count, lock::Op::Unlock],
    &[lock::Op::Lock, lock::Op::Lock, lock::Op::Count, lock::Op::Unlock, lock::Op::Unlock],
];
const VALUE: &[&[value::Op]] = &[
    &[value::Op::Get(0)],
    &[value::Op::Set(0, 7)],
    &[value::Op::Add(0, 1)],
    &[value::Op::CompareExchange(0, 0, 5)],
    &[value::Op::Lock(0), value::Op::AddHeld(0, 1), value::Op::Unlock(0)],
];
const ELEMENTS: &[&[array::Op]] = &[
    &[array::Op::Get(0)],
    &[array::Op::Get(1)],
    &[array::Op::Set(0, 7)],
    &[array::Op::Set(1, 8)],
    &[array::Op::Add(0, 1)],
];
const SLICES: &[&[array::Op]] = &[
    &[array::Op::Read],
    &[array::Op::Write(7)],
    &[array::Op::Update(1)],
    &[array::Op::Lock, array::Op::AddHeld(0, 1), array::Op::AddHeld(1, 1), array::Op::Unlock],
];

fn run<S: Subject>(subject: S, things: &[&[S::Op]], roles: usize, most: usize, limits: &Limits) -> Total {
    let lines = lines(things, most);
    let mut total = Total::default();
    let until = Instant::now() + limits.time;
    for count in 2..=roles {
        // Roles in ascending order of what they do: the same program with its roles changed about is the same program.
        let mut chosen = vec![0; count];
        loop {
            total.programs += 1;
            if total.violation.is_none() && Instant::now() < until && !is_interrupted() {
                let role = |(process, line): (usize, &usize)| Role { process, ops: lines[*line].clone() };
                let roles = chosen.iter().enumerate().map(role).collect();
                let explored =
                    explore(&Scenario { name: "small", subject: subject.clone(), roles, fails: false }, limits);
                total.exhausted += u64::from(explored.exhausted);
                total.states += explored.states;
                total.violation = explored.violation;
            }
            let Some(place) = (0..count).rev().find(|place| chosen[*place] + 1 < lines.len()) else { break };
            let next = chosen[place] + 1;
            chosen[place..].fill(next);
        }
    }
    total
}

/// Everything that a role can do: one thing or several, one after the other.
fn lines<O: Clone>(things: &[&[O]], most: usize) -> Vec<Vec<O>> {
    let mut all: Vec<Vec<O>> = Vec::new();
    let mut last: Vec<Vec<O>> = vec![Vec::new()];
    for _ in 0..most {
        last = last.iter().flat_map(|line| things.iter().map(|thing| [line.as_slice(), thing].concat())).collect();
        all.extend(last.iter().cloned());
    }
    all
}
