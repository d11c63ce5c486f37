//! The sequential world: one thread plays all roles, an operation at a time, and every answer is compared with the
//! specification's at once. Where the specification says that an operation blocks, it is left out.

use crate::scenario::{ModelPlatform, Scenario, Subject, owner, process_of};
use crate::spec::Spec;
use procession::platform::{Int, Life, Platform, Site, Wakeup};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// A machine with one thread.
#[derive(Default)]
pub struct Sequential {
    dead: RefCell<BTreeSet<usize>>,
    slept: Cell<bool>,
}

/// A word of it.
pub struct Word<V>(Mutex<V>);

impl<V: Int> Word<V> {
    fn replace(&self, next: impl FnOnce(V) -> V) -> V {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let old = *held;
        *held = next(old);
        old
    }
}

impl Platform for Sequential {
    type Word<V: Int> = Word<V>;
    type Deadline = ();

    fn load<V: Int>(&self, word: &Word<V>, _: &'static Site) -> V {
        word.replace(|old| old)
    }
    fn store<V: Int>(&self, word: &Word<V>, value: V, _: &'static Site) {
        word.replace(|_| value);
    }
    fn swap<V: Int>(&self, word: &Word<V>, value: V, _: &'static Site) -> V {
        word.replace(|_| value)
    }
    fn compare_exchange<V: Int>(&self, word: &Word<V>, current: V, new: V, _: &'static Site) -> Result<V, V> {
        let old = word.replace(|old| if old == current { new } else { old });
        if old == current { Ok(old) } else { Err(old) }
    }
    fn fetch_add<V: Int>(&self, word: &Word<V>, value: V, _: &'static Site) -> V {
        word.replace(|old| V::from_u64(old.to_u64().wrapping_add(value.to_u64())))
    }
    fn fence(&self, _: &'static Site) {}
    fn light_fence(&self, _: &'static Site) {}
    fn heavy_fence(&self, _: &'static Site) {}
    fn wait<V: Int>(&self, word: &Word<V>, expected: u32, (): (), ticks: u32, _: &'static Site) -> Wakeup {
        self.slept.set(true);
        if word.replace(|old| old).to_u64() as u32 != expected {
            return Wakeup::Changed;
        }
        // Nobody else can run: the first sleep becomes a tick, for a dead one may be found, the next is given up.
        if ticks == 0 { Wakeup::Tick } else { Wakeup::TimedOut }
    }
    fn wake<V: Int>(&self, _: &Word<V>, _: u32, _: &'static Site) {}
    fn life(&self, peer: u32, _: &'static Site) -> Life {
        if self.dead.borrow().contains(&process_of(peer)) { Life::Dead } else { Life::Alive }
    }
}

impl ModelPlatform for Sequential {
    fn word<V: Int>(value: V) -> Word<V> {
        Word(Mutex::new(value))
    }
    fn deadline(&self) {}
    fn never() {}
}

/// What to do next: an operation of a role, or the death of its process.
#[derive(Debug, Clone)]
pub enum Next<O> {
    /// The role does this.
    Do(usize, O),
    /// The process dies.
    Kill(usize),
}

/// Plays `plan` in order. The error: which step was answered differently, and what would have been right.
pub fn play<S: Subject>(scenario: &Scenario<S>, plan: &[Next<S::Op>]) -> Result<usize, String> {
    let platform = Sequential::default();
    let shared = scenario.subject.build::<Sequential>();
    let mut spec = scenario.subject.spec();
    let mut locals: Vec<S::Local> = scenario.roles.iter().map(|_| S::Local::default()).collect();
    let mut dead = BTreeSet::new();
    let mut done = 0;
    for (index, next) in plan.iter().enumerate() {
        match next {
            Next::Kill(process) => {
                if dead.insert(*process) {
                    platform.dead.borrow_mut().insert(*process);
                    spec = spec.died(*process);
                }
            }
            Next::Do(role, op) => {
                let actor = scenario.actor(*role);
                let allowed = spec.step(actor, op);
                let local = &mut locals[*role];
                if dead.contains(&actor.process) || allowed.is_empty() || scenario.subject.leaves_out(local, op) {
                    continue;
                }
                let told = scenario.subject.apply(&shared, &platform, owner(actor), local, op);
                let right = allowed.into_iter().find(|(answer, _)| Some(answer) == told.as_ref());
                let Some((_, after)) = right else {
                    return Err(format!("step {index}, {next:?}, was answered {told:?} in {spec:?}"));
                };
                spec = after;
                done += 1;
            }
        }
    }
    Ok(done)
}
