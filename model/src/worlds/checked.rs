//! The platform of the checking worlds: the algorithms' accesses become steps of an [`Engine`], on the
//! [`kernel`](super::kernel) of one execution.

use super::engine::Engine;
use super::kernel::{ALIVE, Execution, Kill, Killed, Line, Sleeper, State, Step};
use crate::draw::shown;
use crate::mutants::Break;
use crate::scenario::{ModelPlatform, process_of};
use crate::spec::Actor;
use procession::platform::{Access, Int, Life, Ordering, Platform, Site, Wakeup};
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::sync::{Arc, MutexGuard};

/// A word in a checking world.
pub struct Word<E: Engine, V> {
    atomic: Arc<E::Atomic>,
    _value: PhantomData<fn() -> V>,
}

/// A role's view of the machine.
pub struct Checked<E: Engine, O, A> {
    /// The execution it is part of.
    pub execution: Arc<Execution<E, O, A>>,
    /// Who it is.
    pub actor: Actor,
}

impl<E: Engine, O: Clone, A: Clone> Checked<E, O, A> {
    /// Comes before every access: here a role is killed.
    fn step(&self, site: &'static Site) -> MutexGuard<'_, State<E, O, A>> {
        let process = self.actor.process;
        let mut state = self.execution.state();
        state.sites.insert(site.name);
        state.accesses[process] += 1;
        let struck = self.execution.kill == Some(Kill { process, access: state.accesses[process] });
        if struck {
            state.doomed[process] = true;
            state.kill_reached = true;
        }
        if state.doomed[process] {
            drop(state);
            resume_unwind(Box::new(Killed));
        }
        state
    }

    fn note(&self, site: &'static Site, what: impl FnOnce() -> String) {
        let step = Step { role: self.actor.role, site: site.name, what: what() };
        self.execution.state().story.push(Line::Step(step));
    }

    fn broken(&self, site: &'static Site) -> Option<Break> {
        self.execution.mutant.filter(|mutant| mutant.site == site.name).map(|mutant| mutant.how)
    }

    fn ordering(&self, site: &'static Site) -> Ordering {
        match self.broken(site) {
            Some(Break::Weaken(ordering)) => ordering,
            _ => site.ordering,
        }
    }

    fn fence_with(&self, site: &'static Site, ordering: Ordering) {
        drop(self.step(site));
        match self.broken(site) {
            Some(Break::Drop) => {}
            Some(Break::Weaken(weaker)) => E::fence(weaker),
            _ => E::fence(ordering),
        }
        self.note(site, || "fence".into());
    }
}

impl<E: Engine, O: Clone + 'static, A: Clone + 'static> Platform for Checked<E, O, A> {
    type Word<V: Int> = Word<E, V>;
    /// Whether the deadline can pass.
    type Deadline = bool;

    fn load<V: Int>(&self, word: &Word<E, V>, site: &'static Site) -> V {
        drop(self.step(site));
        let believed = (self.actor.role, Arc::as_ptr(&word.atomic).addr());
        if self.broken(site) == Some(Break::Recheck) {
            return V::from_u64(self.execution.state().believed.get(&believed).copied().unwrap_or_default());
        }
        let value = E::load(&word.atomic, self.ordering(site));
        // Only a broken second look ever asks for it.
        if self.execution.mutant.is_some() {
            self.execution.state().believed.insert(believed, value);
        }
        self.note(site, || shown(value));
        V::from_u64(value)
    }
    fn store<V: Int>(&self, word: &Word<E, V>, value: V, site: &'static Site) {
        drop(self.step(site));
        E::store(&word.atomic, value.to_u64(), self.ordering(site));
        self.note(site, || format!(":= {}", shown(value.to_u64())));
    }
    fn swap<V: Int>(&self, word: &Word<E, V>, value: V, site: &'static Site) -> V {
        drop(self.step(site));
        let old = E::swap(&word.atomic, value.to_u64(), self.ordering(site));
        self.note(site, || format!("{} → {}", shown(old), shown(value.to_u64())));
        V::from_u64(old)
    }
    fn compare_exchange<V: Int>(&self, word: &Word<E, V>, current: V, new: V, site: &'static Site) -> Result<V, V> {
        drop(self.step(site));
        let result = E::compare_exchange(&word.atomic, current.to_u64(), new.to_u64(), self.ordering(site));
        self.note(site, || match result {
            Ok(old) => format!("{} → {}", shown(old), shown(new.to_u64())),
            Err(now) => format!("{}, not {}", shown(now), shown(current.to_u64())),
        });
        result.map(V::from_u64).map_err(V::from_u64)
    }
    fn fetch_add<V: Int>(&self, word: &Word<E, V>, value: V, site: &'static Site) -> V {
        drop(self.step(site));
        let old = E::fetch_add(&word.atomic, value.to_u64(), self.ordering(site));
        self.note(site, || format!("{} + {}", shown(old), shown(value.to_u64())));
        V::from_u64(old)
    }
    fn fence(&self, site: &'static Site) {
        self.fence_with(site, site.ordering);
    }
    // Both halves of the pair are full fences here. That makes light against light look ordered, which it is not: this
    // world can miss a light fence where a heavy one is needed, and says nothing about it.
    fn light_fence(&self, site: &'static Site) {
        self.fence_with(site, Ordering::SeqCst);
    }
    fn heavy_fence(&self, site: &'static Site) {
        self.fence_with(site, Ordering::SeqCst);
    }
    fn wait<V: Int>(&self, word: &Word<E, V>, expected: u32, timed: bool, _ticks: u32, site: &'static Site) -> Wakeup {
        let role = self.actor.role;
        drop(self.step(site));
        if timed {
            E::latest(&self.execution.clocks[role], Ordering::Acquire);
        }
        let bed = E::bed();
        let now = E::latest(&word.atomic, Ordering::Relaxed);
        let wakeup = {
            let mut state = self.execution.state();
            if state.doomed[self.actor.process] {
                Some(Wakeup::Woken) // killed by another of its threads on the way: it stops at its next access
            } else if now as u32 != expected && self.broken(site) != Some(Break::Recheck) {
                Some(Wakeup::Changed)
            } else if timed && state.expired[role] {
                Some(Wakeup::TimedOut)
            } else if state.ticks[role] < state.deaths {
                state.ticks[role] += 1;
                Some(Wakeup::Tick)
            } else {
                state.sleepers.push(Sleeper {
                    role,
                    process: self.actor.process,
                    word: word.atomic.clone(),
                    timed,
                    bed: bed.clone(),
                });
                None
            }
        };
        if wakeup.is_none() {
            self.note(site, || "asleep".into());
        }
        let wakeup = wakeup.unwrap_or_else(|| {
            loop {
                E::sleep(&bed);
                if let Some(wakeup) = self.execution.state().delivered[role].take() {
                    break wakeup;
                }
            }
        });
        self.note(site, || format!("{wakeup:?}"));
        wakeup
    }
    fn wake<V: Int>(&self, word: &Word<E, V>, count: u32, site: &'static Site) {
        drop(self.step(site));
        if self.broken(site) == Some(Break::Drop) {
            return;
        }
        E::touch(&word.atomic);
        let here = |sleeper: &&Sleeper<E>| Arc::ptr_eq(&sleeper.word, &word.atomic);
        // All of them at once: whoever is roused first may run before the next is.
        let (woken, beds): (Vec<String>, Vec<E::Bed>) = {
            let mut state = self.execution.state();
            let here = state.sleepers.iter().filter(here).take(count as usize);
            let roles: Vec<usize> = here.map(|sleeper| sleeper.role).collect();
            let deliver = |role| Some((format!("role {role}"), state.deliver(role, Wakeup::Woken)?));
            roles.into_iter().filter_map(deliver).unzip()
        };
        beds.iter().for_each(E::rouse);
        self.note(site, || if woken.is_empty() { "nobody".into() } else { format!("wakes {}", woken.join(", ")) });
    }
    fn life(&self, asked: u32, site: &'static Site) -> Life {
        drop(self.step(site));
        debug_assert_eq!(site.access, Access::Ask);
        let alive = self.broken(site) == Some(Break::Drop) || {
            let process = self.execution.alive.get(process_of(asked));
            process.is_some_and(|alive| E::latest(alive, Ordering::Acquire) & ALIVE != 0)
        };
        let life = if alive { Life::Alive } else { Life::Dead };
        self.note(site, || format!("peer {asked}: {life:?}"));
        life
    }
}

impl<E: Engine, O: Clone + 'static, A: Clone + 'static> ModelPlatform for Checked<E, O, A> {
    fn word<V: Int>(value: V) -> Word<E, V> {
        Word { atomic: Arc::new(E::word(value.to_u64())), _value: PhantomData }
    }
    fn deadline(&self) -> bool {
        true
    }
    fn never() -> bool {
        false
    }
}
