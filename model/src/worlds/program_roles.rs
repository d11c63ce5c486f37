//! The helper's side of a program: one process plays its steps with the library's own handles, and writes down what it calls
//! and what it is told.

use super::processes::{Barrier, Error};
use super::program_queues::{play_queue, play_tasks};
use super::programs::{ELEMENT_OPS, LOCK_OPS, LOG, Log, SLICE_OPS, Steps, VALUE_OPS};
use crate::spec::{array, lock, value};
use nix::sys::signal::{Signal, kill};
use nix::unistd::getpid;
use procession::{
    AccessError, Array, ArrayGuard, ElementError, Handle, JoinableQueue, Lock, LockError, LockTimeoutError, Queue,
    RLock, RawValue, SliceError, TryLockError, Value, ValueGuard, ValueLockError,
};
use std::time::Duration;

/// What a process of a program does.
pub(super) fn serve(task: &str) -> Result<(), Error> {
    let mut words = task.split(' ');
    let (target, processes, steps) = (words.next(), words.next(), words.next());
    let processes: u64 = processes.unwrap_or_default().parse()?;
    let steps = steps.unwrap_or_default().split(',').filter(|step| !step.is_empty());
    let steps = steps.map(str::parse).collect::<Result<Steps, _>>()?;
    let scribe = Scribe { tickets: RawValue::inherited("tickets")?, log: Log::inherited("log")? };
    let barrier = Barrier::inherited("barrier")?;
    let second = || RawValue::inherited("second");
    match target {
        Some("lock") => {
            let (lock, counter) = (Lock::inherited("first")?, second()?);
            barrier.meet(processes)?;
            play_lock(&scribe, &steps, &counter, |op| match op {
                lock::Op::TryLock => try_answer(lock.try_lock()),
                lock::Op::LockTimeout => timeout_answer(lock.lock_timeout(Duration::from_millis(1))),
                _ => outcome(lock.lock()),
            })
        }
        Some("rlock") => {
            let (lock, counter) = (RLock::inherited("first")?, second()?);
            barrier.meet(processes)?;
            play_lock(&scribe, &steps, &counter, |op| match op {
                lock::Op::TryLock => try_answer(lock.try_lock()),
                lock::Op::LockTimeout => timeout_answer(lock.lock_timeout(Duration::from_millis(1))),
                _ => outcome(lock.lock()),
            })
        }
        Some("value") => {
            let values = [Value::inherited("first")?, Value::inherited("second")?];
            barrier.meet(processes)?;
            play_value(&scribe, &steps, &values, |number| number, Some)
        }
        Some("wide") => {
            let values = [Value::inherited("first")?, Value::inherited("second")?];
            barrier.meet(processes)?;
            let whole = |value: [u64; 4]| value.iter().all(|word| *word == value[0]).then_some(value[0]);
            play_value(&scribe, &steps, &values, |number| [number; 4], whole)
        }
        Some(target @ ("elements" | "slices")) => {
            let array = Array::inherited("first")?;
            barrier.meet(processes)?;
            play_array(&scribe, &steps, if target == "elements" { ELEMENT_OPS } else { SLICE_OPS }, &array)
        }
        Some("queue") => {
            let queue = Queue::inherited("first")?;
            barrier.meet(processes)?;
            play_queue(&scribe, &steps, &queue)
        }
        Some("tasks") => {
            let queue = JoinableQueue::inherited("first")?;
            barrier.meet(processes)?;
            play_tasks(&scribe, &steps, &queue)
        }
        _ => Err("no such target".into()),
    }
}

/// An answer that no specification knows.
pub(super) const FAILED: u64 = 99;

fn outcome<G>(told: Result<G, LockError<G>>) -> (Option<G>, u64) {
    match told {
        Ok(guard) => (Some(guard), 0),
        Err(LockError::OwnerDied(guard)) => (Some(guard), 1),
        Err(LockError::WouldDeadlock) => (None, 4),
        Err(_) => (None, FAILED),
    }
}

fn try_answer<G>(told: Result<G, TryLockError<G>>) -> (Option<G>, u64) {
    match told {
        Ok(guard) => outcome(Ok(guard)),
        Err(TryLockError::WouldBlock) => (None, 2),
        Err(TryLockError::Lock(error)) => outcome(Err(error)),
    }
}

fn timeout_answer<G>(told: Result<G, LockTimeoutError<G>>) -> (Option<G>, u64) {
    match told {
        Ok(guard) => outcome(Ok(guard)),
        Err(LockTimeoutError::TimedOut) => (None, 3),
        Err(LockTimeoutError::Lock(error)) => outcome(Err(error)),
    }
}

fn number(number: u64) -> u64 {
    1 << 32 | number & 0xffff_ffff
}

pub(super) struct Scribe {
    tickets: RawValue<u64>,
    log: Log,
}

impl Scribe {
    fn write(&self, entries: &mut [u64; LOG], at: &mut usize, op: usize, answer: u64) -> Result<(), Error> {
        let Some(entry) = entries.get_mut(*at..*at + 3) else { return Err("the log is full".into()) };
        entry.copy_from_slice(&[self.tickets.fetch_add(1)?, op as u64, answer]);
        *at += 3;
        self.log.set(*entries);
        Ok(())
    }

    /// Notes the call and the answer of every step; at last lets go of whatever is held.
    pub(super) fn play(
        &self,
        steps: &[usize],
        ops: usize,
        leaves_out: impl Fn(usize) -> bool,
        act: impl Fn(usize) -> u64,
    ) -> Result<(), Error> {
        let (mut entries, mut at) = ([0; LOG], 0);
        for op in steps {
            if *op >= ops {
                kill(getpid(), Signal::SIGKILL)?;
            }
            if !leaves_out(*op) {
                self.write(&mut entries, &mut at, op + 1, 0)?;
                let answer = act(*op);
                self.write(&mut entries, &mut at, 0, answer)?;
            }
        }
        Ok(())
    }
}

fn play_lock<G>(
    scribe: &Scribe,
    steps: &[usize],
    counter: &RawValue<u64>,
    enter: impl Fn(lock::Op) -> (Option<G>, u64),
) -> Result<(), Error> {
    let held = std::cell::RefCell::new(Vec::new());
    // To end while it holds the lock would be a death. As many as can have been taken; what is not held is left out.
    let unlocks = std::iter::repeat_n(LOCK_OPS.len() - 1, steps.len());
    let steps: Vec<usize> = steps.iter().copied().chain(unlocks).collect();
    let leaves_out = |op: usize| matches!(LOCK_OPS[op], lock::Op::Unlock | lock::Op::Count) && held.borrow().is_empty();
    scribe.play(&steps, LOCK_OPS.len(), leaves_out, |op| match LOCK_OPS[op] {
        lock::Op::Unlock => {
            drop(held.borrow_mut().pop());
            5
        }
        lock::Op::Count => {
            let Ok(count) = counter.get() else { return FAILED };
            counter.set(count + 1);
            number(count)
        }
        op => {
            let (guard, answer) = enter(op);
            held.borrow_mut().extend(guard);
            answer
        }
    })
}

fn play_value<T: procession::Plain + PartialEq>(
    scribe: &Scribe,
    steps: &[usize],
    values: &[Value<T>; 2],
    make: impl Fn(u64) -> T + Copy,
    whole: impl Fn(T) -> Option<u64> + Copy,
) -> Result<(), Error> {
    let held: std::cell::RefCell<Option<(usize, ValueGuard<'_, T>)>> = std::cell::RefCell::new(None);
    let told = move |old: Result<T, AccessError>| match old {
        Ok(old) => whole(old).map_or(5, number),
        Err(AccessError::WouldDeadlock) => 4,
        Err(_) => FAILED,
    };
    let steps: Vec<usize> = steps.iter().copied().chain([VALUE_OPS.len() - 2, VALUE_OPS.len() - 1]).collect();
    let leaves_out = |op: usize| {
        let holds = held.borrow().as_ref().map(|(value, _)| *value);
        match VALUE_OPS[op] {
            value::Op::Get(_) => false,
            value::Op::Unlock(value) | value::Op::AddHeld(value, _) => holds != Some(value),
            // Two locks in two orders would be a deadlock of the program's own making.
            value::Op::Set(value, _)
            | value::Op::Add(value, _)
            | value::Op::Plus(value, _)
            | value::Op::Lock(value)
            | value::Op::CompareExchange(value, ..) => holds.is_some_and(|held| held != value),
        }
    };
    scribe.play(&steps, VALUE_OPS.len(), leaves_out, |op| match VALUE_OPS[op] {
        value::Op::Get(value) => told(values[value].get()),
        value::Op::Set(value, new) => match values[value].set(make(new)) {
            Ok(()) => 2,
            Err(AccessError::WouldDeadlock) => 4,
            Err(_) => FAILED,
        },
        value::Op::Add(value, more) | value::Op::Plus(value, more) => {
            told(values[value].update(|old| *old = make(whole(*old).unwrap_or(FAILED) + more)))
        }
        value::Op::CompareExchange(value, current, new) => told(values[value].update(|old| {
            if *old == make(current) {
                *old = make(new);
            }
        })),
        value::Op::Lock(value) => {
            let (guard, answer) = match values[value].lock() {
                Ok(guard) => (guard, 0),
                Err(ValueLockError::Lock(LockError::OwnerDied(guard))) => (guard, 1),
                Err(ValueLockError::Lock(LockError::WouldDeadlock)) => return 4,
                Err(_) => return FAILED,
            };
            *held.borrow_mut() = Some((value, guard));
            answer
        }
        value::Op::Unlock(_) | value::Op::AddHeld(..) => {
            drop(held.borrow_mut().take());
            2
        }
    })
}

fn play_array(scribe: &Scribe, steps: &[usize], ops: &[array::Op], array: &Array<u32>) -> Result<(), Error> {
    let held: std::cell::RefCell<Option<ArrayGuard<'_, u32>>> = std::cell::RefCell::new(None);
    let element = |told: Result<u32, ElementError>| told.map_or(FAILED, |old| number(old.into()));
    let slice = |told: Result<u64, SliceError>| match told {
        Ok(code) => code,
        Err(SliceError::OwnerDied) => 1,
        Err(SliceError::Access(AccessError::WouldDeadlock)) => 4,
        Err(_) => FAILED,
    };
    let pair = |values: &[u32]| values.iter().fold(1, |code: u64, value| code << 31 | u64::from(*value));
    // At last lets go, if it can.
    let steps: Vec<usize> = steps.iter().copied().chain([ops.len() - 1]).collect();
    let leaves_out =
        |op: usize| matches!(ops[op], array::Op::Unlock | array::Op::AddHeld(..)) && held.borrow().is_none();
    scribe.play(&steps, ops.len(), leaves_out, |op| match ops[op] {
        array::Op::Get(index) => element(array.get(index)),
        array::Op::Set(index, new) => array.set(index, new as u32).map_or(FAILED, |()| 2),
        array::Op::Add(index, more) | array::Op::Plus(index, more) => element(array.fetch_add(index, more as u32)),
        array::Op::Read => slice(array.snapshot().map(|values| pair(&values))),
        array::Op::Write(new) => slice(array.write(.., &[new as u32; array::LENGTH]).map(|()| 2)),
        array::Op::Update(more) => {
            slice(array.update(|values| values.iter_mut().for_each(|value| *value += more as u32)).map(|()| 2))
        }
        array::Op::Lock => {
            let (guard, answer) = outcome(array.lock());
            if guard.is_some() {
                *held.borrow_mut() = guard;
            }
            answer
        }
        array::Op::AddHeld(index, more) => match &*held.borrow() {
            Some(guard) => element(guard.get(index).and_then(|old| guard.set(index, old + more as u32).map(|()| old))),
            None => FAILED,
        },
        array::Op::Unlock => {
            drop(held.borrow_mut().take());
            2
        }
    })
}
