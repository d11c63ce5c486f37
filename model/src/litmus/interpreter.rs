//! A second opinion: what a litmus program can answer, found by taking every step that anybody can take, one after the other.
//!
//! It is written to be checked by reading, not to be fast, and shares no code with the explorer or the worlds. Where memory is
//! [`Memory::Tso`]:
//! 1. A store waits in its thread's buffer, of `ROOM` places, and reaches memory at any later moment. The thread itself sees
//!    it at once. When a thread has ended its stores may still wait.
//! 2. A modification, a sequentially consistent store or fence, a wait and a wake come when the thread's buffer is empty.
//! 3. A heavy fence lasts: it is over when each thread's buffer was empty at some moment since it began, not all of them at the
//!    same one. A light fence does nothing.

use super::{Instruction, Program, Word};
use procession::platform::Ordering;
use std::collections::{BTreeSet, HashSet};

/// What memory does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Memory {
    /// Every access is at once everybody's.
    Sc,
    /// Stores wait in a buffer.
    Tso,
}

/// How many stores a buffer holds.
const ROOM: usize = 2;

// How a wait ends, as it is answered.
const WOKEN: u32 = 0;
const CHANGED: u32 = 1;

/// What can come of a program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// What its threads read, every way it came out: `0 1 | 1`.
    pub read: BTreeSet<String>,
    /// Whether it can come to where everybody left sleeps for ever.
    pub sleeps: bool,
}

/// Everything that can come of a program in which `spurious` sleeps may end for no reason.
pub fn outcomes(program: &Program, memory: Memory, spurious: u8) -> Outcomes {
    let thread = Thread { next: 0, phase: Phase::Ready, stores: Vec::new(), read: Vec::new() };
    let threads = vec![thread; program.threads.len()];
    let first = State { words: vec![0; program.words], threads, spurious };
    let mut walk = Walk { program, memory, seen: HashSet::new(), found: Outcomes::default() };
    walk.from(&first);
    walk.found
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    words: Vec<u32>,
    threads: Vec<Thread>,
    spurious: u8,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Thread {
    /// Which instruction it is about to do, or is doing.
    next: usize,
    phase: Phase,
    /// Its buffer, oldest first.
    stores: Vec<(Word, u32)>,
    read: Vec<u32>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Phase {
    Ready,
    /// It awaits a change, saw none, and is about to sleep.
    Looked,
    Asleep(Word),
    /// It is in a heavy fence; these threads' buffers have not been empty since it began.
    Fencing(BTreeSet<usize>),
}

impl Thread {
    fn goes_on(&mut self, read: Option<u32>) {
        self.read.extend(read);
        self.next += 1;
        self.phase = Phase::Ready;
    }
}

struct Walk<'a> {
    program: &'a Program,
    memory: Memory,
    seen: HashSet<State>,
    found: Outcomes,
}

impl Walk<'_> {
    fn from(&mut self, state: &State) {
        if !self.seen.insert(state.clone()) {
            return;
        }
        let nexts: Vec<State> = (0..state.threads.len()).flat_map(|thread| self.steps(state, thread)).collect();
        nexts.iter().for_each(|next| self.from(next));
        let has_ended = |(thread, code): (&Thread, &Vec<Instruction>)| thread.next == code.len();
        if state.threads.iter().zip(&self.program.threads).all(has_ended) {
            if nexts.is_empty() {
                let read = state.threads.iter().map(|thread| {
                    let read: Vec<String> = thread.read.iter().map(u32::to_string).collect();
                    read.join(" ")
                });
                self.found.read.insert(read.collect::<Vec<_>>().join(" | "));
            }
        } else if state
            .threads
            .iter()
            .zip(&self.program.threads)
            .all(|(thread, code)| has_ended((thread, code)) || matches!(thread.phase, Phase::Asleep(_)))
            && state.threads.iter().all(|thread| thread.stores.is_empty())
        {
            // Nobody can count on a wake-up for no reason.
            self.found.sleeps = true;
        }
    }

    /// Every state that one step of a thread, or of its buffer, leads to.
    fn steps(&self, state: &State, me: usize) -> Vec<State> {
        let mut nexts = Vec::new();
        if !state.threads[me].stores.is_empty() {
            let mut next = state.clone();
            let (word, value) = next.threads[me].stores.remove(0);
            next.words[word] = value;
            if next.threads[me].stores.is_empty() {
                next.threads.iter_mut().for_each(|thread| {
                    if let Phase::Fencing(missing) = &mut thread.phase {
                        missing.remove(&me);
                    }
                });
            }
            nexts.push(next);
        }
        let Some(instruction) = self.program.threads[me].get(state.threads[me].next) else { return nexts };
        match &state.threads[me].phase {
            Phase::Asleep(_) if state.spurious == 0 => {}
            Phase::Asleep(_) => {
                let mut next = rouse(state, me, self.program);
                next.spurious -= 1;
                nexts.push(next);
            }
            Phase::Fencing(missing) if !missing.is_empty() => {}
            Phase::Fencing(_) => nexts.push(after(state, me, None)),
            Phase::Ready | Phase::Looked => nexts.extend(self.perform(state, me, *instruction)),
        }
        nexts
    }

    fn perform(&self, state: &State, me: usize, instruction: Instruction) -> Vec<State> {
        use Instruction::{
            Await, CompareExchange, Fence, FetchAdd, HeavyFence, LightFence, Load, Store, Swap, Wait, Wake,
        };
        let thread = &state.threads[me];
        let must_be_empty = match instruction {
            Load(..) | LightFence => false,
            Await(..) => thread.phase == Phase::Looked,
            Store(_, _, how) | Fence(how) => how == Ordering::SeqCst,
            Swap(..) | CompareExchange(..) | FetchAdd(..) | HeavyFence | Wait(..) | Wake(..) => true,
        };
        if must_be_empty && !thread.stores.is_empty() {
            return Vec::new();
        }
        match instruction {
            Load(word, _) => vec![after(state, me, Some(seen(state, me, word)))],
            Store(word, value, how) if self.memory == Memory::Sc || how == Ordering::SeqCst => {
                vec![written(state, me, word, value, None)]
            }
            Store(..) if thread.stores.len() == ROOM => Vec::new(),
            Store(word, value, _) => {
                let mut next = after(state, me, None);
                next.threads[me].stores.push((word, value));
                vec![next]
            }
            Swap(word, value, _) => vec![written(state, me, word, value, Some(state.words[word]))],
            CompareExchange(word, current, new, _) => {
                let old = state.words[word];
                vec![written(state, me, word, if old == current { new } else { old }, Some(old))]
            }
            FetchAdd(word, value, _) => {
                let old = state.words[word];
                vec![written(state, me, word, old.wrapping_add(value), Some(old))]
            }
            Fence(_) | LightFence => vec![after(state, me, None)],
            HeavyFence => {
                let missing = (0..state.threads.len()).filter(|other| !state.threads[*other].stores.is_empty());
                vec![in_phase(state, me, Phase::Fencing(missing.collect()))]
            }
            Wait(word, expected) if state.words[word] != expected => vec![after(state, me, Some(CHANGED))],
            Wait(word, _) => vec![in_phase(state, me, Phase::Asleep(word))],
            Await(word, not, _) => {
                let looked = thread.phase == Phase::Looked;
                let value = if looked { state.words[word] } else { seen(state, me, word) };
                vec![match (looked, value == not) {
                    (false, false) => after(state, me, Some(value)),
                    (false, true) => in_phase(state, me, Phase::Looked),
                    (true, false) => in_phase(state, me, Phase::Ready),
                    (true, true) => in_phase(state, me, Phase::Asleep(word)),
                }]
            }
            Wake(word, count) => {
                let asleep =
                    (0..state.threads.len()).filter(|other| state.threads[*other].phase == Phase::Asleep(word));
                let woken = choices(&asleep.collect::<Vec<_>>(), count as usize);
                let wake = |chosen: Vec<usize>| {
                    let state =
                        chosen.into_iter().fold(state.clone(), |state, other| rouse(&state, other, self.program));
                    after(&state, me, None)
                };
                woken.into_iter().map(wake).collect()
            }
        }
    }
}

/// What a thread sees in a word: its own latest store, if that still waits.
fn seen(state: &State, me: usize, word: Word) -> u32 {
    let own = state.threads[me].stores.iter().rev().find(|store| store.0 == word);
    own.map_or(state.words[word], |store| store.1)
}

fn after(state: &State, me: usize, read: Option<u32>) -> State {
    let mut next = state.clone();
    next.threads[me].goes_on(read);
    next
}

fn written(state: &State, me: usize, word: Word, value: u32, read: Option<u32>) -> State {
    let mut next = after(state, me, read);
    next.words[word] = value;
    next
}

fn in_phase(state: &State, me: usize, phase: Phase) -> State {
    let mut next = state.clone();
    next.threads[me].phase = phase;
    next
}

/// A sleeper wakes: a wait is over, and whoever awaits a change looks again.
fn rouse(state: &State, sleeper: usize, program: &Program) -> State {
    match program.threads[sleeper][state.threads[sleeper].next] {
        Instruction::Await(..) => in_phase(state, sleeper, Phase::Ready),
        _ => after(state, sleeper, Some(WOKEN)),
    }
}

/// Every choice of `count` of these, or all of them if there are no more.
fn choices(of: &[usize], count: usize) -> Vec<Vec<usize>> {
    match of {
        _ if count == 0 => vec![Vec::new()],
        [] => vec![Vec::new()],
        [first, rest @ ..] => {
            let mut all = choices(rest, count - 1);
            all.iter_mut().for_each(|chosen| chosen.push(*first));
            if rest.len() >= count {
                all.extend(choices(rest, count));
            }
            all
        }
    }
}
