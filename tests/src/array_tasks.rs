//! What a helper does with arrays: `procession-helper array TASK [ARGUMENT...]`.

use crate::Random;
use crate::bank::Bank;
use crate::talk::{complain, hear, locked, outcome, say};
use procession::{Array, ElementError, Handle, LockError, Plain, RawArray, RawValue, SliceError, fork};
use std::fmt::Debug;

/// An element of more than one word.
pub type Wide = [u64; 5];
/// What a victim leaves behind.
pub const HALF_DONE: u64 = 9;
/// What a survivor writes.
pub const REPAIRED: u64 = 7;

/// Does one task.
pub fn run(task: &[&str]) {
    match task {
        ["open", name] => drop(outcome(Array::<u64>::open(name))),
        ["write"] => {
            let array = Array::<u64>::inherited("array").expect("an array");
            write_for_ever(array.len(), |values| array.write(.., values));
        }
        ["write-raw"] => {
            let array = RawArray::<u64>::inherited("array").expect("an array");
            write_for_ever(array.len(), |values| array.write(.., values));
        }
        ["half", name] => half(&Array::open(name).expect("an array"), HALF_DONE),
        ["half-wide", name] => half(&Array::open(name).expect("an array"), [HALF_DONE; 5]),
        ["survive", name] => survive(&Array::open(name).expect("an array"), REPAIRED, |array, what| match what {
            "get" => say(format!("{:?}", array.get(0))),
            "set" => say(format!("{:?}", array.set(0, 5))),
            _ => say(format!("{:?}", array.fetch_add(0, 1))),
        }),
        ["survive-wide", name] => {
            let array = Array::<Wide>::open(name).expect("an array");
            survive(&array, [REPAIRED; 5], |array, what| match what {
                "get" => say(format!("{:?}", array.get(0))),
                _ => say(format!("{:?}", array.set(0, [5; 5]))),
            });
        }
        ["add", name, times] => add(&Array::open(name).expect("an array"), times.parse().expect("a number")),
        ["add-bytes", name, index, times] => {
            let (index, array) = (index.parse().expect("an index"), Array::<u8>::open(name).expect("an array"));
            for _ in 0..times.parse().expect("a number") {
                array.fetch_add(index, 1).expect("an element");
            }
        }
        ["set-alone"] => set_alone(&Array::inherited("array").expect("an array")),
        ["fork", name] => fork_holding(&Array::open(name).expect("an array")),
        ["trade", lock, seed] => {
            let (bank, mut random) = (Bank::inherited(lock), Random::new(seed.parse().expect("a seed")));
            until_stopped(|| bank.trade(&mut random).unwrap_or_else(|error| complain(error)));
        }
        ["rob", lock] => {
            let bank = Bank::inherited(lock);
            let guard = bank.here.lock().expect("a guard");
            guard.set(0, guard.get(0).expect("an element") - 1).expect("an element");
            say("ok");
            hear();
        }
        ["audit", lock] => Bank::inherited(lock).audit(),
        _ => panic!("no such array task: {task:?}"),
    }
}

/// Makes all elements 1, all elements 2, and so on, until killed.
fn write_for_ever(length: usize, write: impl Fn(&[u64]) -> Result<(), SliceError>) -> ! {
    let mut values = vec![0; length];
    loop {
        values.iter_mut().for_each(|value| *value += 1);
        write(&values).unwrap_or_else(|error| complain(error));
    }
}

/// Changes half of the elements, and holds the lock until told to go on.
fn half<T: Plain>(array: &Array<T>, value: T) {
    let guard = array.lock().expect("a guard");
    (0..array.len() / 2).for_each(|index| guard.set(index, value).expect("an element"));
    say("ok");
    hear();
}

/// Does to an array what the test says, and says how it went.
fn survive<T: Plain + Debug>(array: &Array<T>, repaired: T, element: impl Fn(&Array<T>, &str)) {
    say("ready");
    loop {
        match hear().as_str() {
            "read" => say(format!("{:?}", array.read(..))),
            "write" => say(format!("{:?}", array.write(.., &vec![repaired; array.len()]))),
            "update" => say(format!("{:?}", array.update(|all| all.fill(repaired)))),
            "lock" => match array.lock() {
                Err(LockError::OwnerDied(guard)) => {
                    guard.update(.., |all| all.fill(repaired)).expect("the lock is held");
                    say("owner died");
                }
                result => drop(outcome(result)),
            },
            "" => break,
            what => element(array, what),
        }
    }
}

/// Adds to the elements in every way that loses nothing: a way of its own for each of the elements.
fn add(array: &Array<u64>, times: u64) {
    hear();
    let done = |done: Result<(), SliceError>| done.unwrap_or_else(|error| complain(error));
    let whole = |element: Result<u64, ElementError>| element.unwrap_or_else(|error| complain(error));
    for _ in 0..times {
        whole(array.fetch_add(0, 1));
        done(array.update(|all| all[1] += 1));
        let guard = array.lock().unwrap_or_else(|error| complain(error));
        guard.set(2, whole(guard.get(2)) + 1).expect("the lock is held");
        done(guard.update(3..4, |one| one[0] += 1));
        drop(guard);
        let mut old = whole(array.get(4));
        while let Err(now) = array.compare_exchange(4, old, old + 1).expect("an element") {
            old = now;
        }
        // A thousand tokens go round through `swap`: what one takes out is nowhere else, until it puts it back.
        let token = whole(array.swap(5, 0));
        whole(array.fetch_add(5, token + 1));
    }
}

/// Does it again and again until the test says that it is enough.
fn until_stopped(mut act: impl FnMut()) {
    let stop = RawValue::<bool>::inherited("stop").expect("a flag");
    while !stop.get().expect("a bool") {
        act();
    }
}

/// Sets element 1, which nobody else sets, to 1, 2, 3 and so on.
fn set_alone(array: &Array<u64>) {
    let mut now = 0;
    until_stopped(|| {
        now += 1;
        array.set(1, now).expect("an element");
        let found = array.get(1).expect("an element");
        if found != now {
            complain(format!("{now} was undone: {found}"));
        }
    });
}

/// Has a forked child use and drop the guard that we hold, and drops it itself when told to.
fn fork_holding(array: &Array<u64>) {
    let mut guard = locked(array.lock());
    guard.as_ref().expect("a guard").set(0, 5).expect("the lock is held");
    let child = fork(|| {
        let guard = guard.take().expect("a guard");
        say(format!("{:?}", guard.get(0)));
        say(format!("{:?}", guard.set(0, 6)));
        say(format!("{:?}", guard.read(..)));
        say(format!("{:?}", guard.read_into(..1, &mut [0])));
        say(format!("{:?}", guard.write(..1, &[6])));
        say(format!("{:?}", guard.update(.., |all| all.fill(6))));
        drop(guard);
        0
    });
    let status = child.expect("a child").wait().expect("a child");
    say(if status.success() { "child dropped" } else { "child failed" });
    hear();
    say(format!("{:?}", guard.as_ref().expect("a guard").get(0)));
    drop(guard);
    say("dropped");
    hear();
}
