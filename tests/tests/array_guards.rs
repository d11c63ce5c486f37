//! Arrays under their lock: waiting for oneself, losing the lock on the way, panics, and guards in forked children.

use procession::{AccessError, Array, ElementError, GuardedBy, Handle, Lock, LockError, RLock, SliceError, Stat};
use procession_tests::{Helper, Name, Watchdog, refused, relock, task};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn an_array_whose_guard_this_thread_holds() {
    let _watchdog = Watchdog::new("waiting for oneself");
    let name = Name::new("deadlock");
    let array = Array::create(&name, &[1u64; 4]).unwrap();
    let again = Array::<u64>::open(&name).unwrap();
    let wide = Array::from_slice(&[[1u64; 2]; 4]).unwrap();
    let (guard, wide_guard) = (array.lock().unwrap(), wide.lock().unwrap());
    for array in [&array, &again] {
        let deadlock = |result: Result<(), SliceError>| {
            refused(result, SliceError::Access(AccessError::WouldDeadlock), &["through its guard"]);
        };
        let mut values = [7; 4];
        deadlock(array.read(..).map(drop));
        deadlock(array.read_into(.., &mut values));
        deadlock(array.write(.., &[2; 4]));
        deadlock(array.snapshot().map(drop));
        deadlock(array.iter().map(drop));
        deadlock(array.update(|_| panic!("to be run without the lock")));
        assert!(matches!(array.lock(), Err(LockError::WouldDeadlock)));
        assert_eq!(values, [7; 4]);
    }
    let deadlock = || ElementError::Access(AccessError::WouldDeadlock);
    refused(wide.get(0), deadlock(), &["through its guard"]);
    refused(wide.set(0, [2; 2]), deadlock(), &["through its guard"]);
    // One word at a time needs no lock, and is there at once.
    array.set(0, 5).unwrap();
    assert_eq!((guard.get(0), guard.set(1, 6), again.get(1)), (Ok(5), Ok(()), Ok(6)));
    wide_guard.set(0, [3; 2]).unwrap();
    drop((guard, wide_guard));
    assert_eq!(again.snapshot(), Ok(vec![5, 6, 1, 1]));
    assert_eq!(wide.get(0), Ok([3; 2]));
}

/// Inside a lock that was given to the array, the array goes on; only to take a plain one twice is refused.
#[test]
fn an_array_whose_given_lock_this_thread_holds() {
    let _watchdog = Watchdog::new("waiting for oneself");
    let (lock, rlock) = (Lock::new().unwrap(), RLock::new().unwrap());
    let plain = Array::with_lock(&[[1u64; 2]; 4], &lock).unwrap();
    let recursive = Array::with_lock(&[[1u64; 2]; 4], &rlock).unwrap();
    let (held, held_recursively) = (lock.lock().unwrap(), rlock.lock().unwrap());
    assert!(matches!(plain.lock(), Err(LockError::WouldDeadlock)));
    drop((recursive.lock().unwrap(), recursive.lock().unwrap()));
    for array in [&plain, &recursive] {
        array.set(0, [2; 2]).unwrap();
        array.write(1..2, &[[3; 2]]).unwrap();
        array.update(|all| all[2] = all[1].map(|word| word + array.get(0).unwrap()[0])).unwrap();
        assert_eq!(array.snapshot(), Ok(vec![[2; 2], [3; 2], [5; 2], [1; 2]]));
    }
    assert!(lock.is_locked() && rlock.is_locked(), "none of it has let go of what this thread holds");
    drop((held, held_recursively));
    assert!(!lock.is_locked() && !rlock.is_locked());
}

/// An array is not written under a lock that was let go while it was being changed.
#[test]
fn a_lock_that_is_let_go_in_the_middle_of_an_update() {
    let lock = Lock::new().unwrap();
    let array = Array::with_lock(&[1u8; 4], &lock).unwrap();
    let mut guard = Some(lock.lock().unwrap());
    array.update(|all| all[0] = 2).unwrap();
    let lost = array.update(|all| {
        guard = None;
        all.fill(3);
    });
    refused(lost, SliceError::Access(AccessError::LockLost), &["let go while"]);
    assert_eq!(array.snapshot(), Ok(vec![2, 1, 1, 1]));
}

#[test]
fn a_change_that_panics() {
    let _watchdog = Watchdog::new("using an array after a panic");
    let (lock, rlock) = (Lock::new().unwrap(), RLock::new().unwrap());
    for guard in [GuardedBy::Own, GuardedBy::from(&lock), GuardedBy::from(&rlock)] {
        let array = Array::with_lock(&[1u64; 4], guard).unwrap();
        let change = |all: &mut [u64]| {
            all.fill(2);
            std::panic::resume_unwind(Box::new("as if something had gone wrong"));
        };
        assert!(catch_unwind(AssertUnwindSafe(|| array.update(change))).is_err());
        assert_eq!(array.snapshot(), Ok(vec![1; 4]), "nothing is written, and the lock is free");
        let guard = array.lock().unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| guard.update(1..3, change))).is_err());
        assert_eq!(guard.read(..), Ok(vec![1; 4]));
        guard.update(1..3, |some| some.fill(3)).unwrap();
        drop(guard);
        assert_eq!(array.snapshot(), Ok(vec![1, 3, 3, 1]));
    }
    // Inside of what this thread holds anyway: that stays held.
    let array = Array::with_lock(&[1u64; 4], &rlock).unwrap();
    let held = rlock.lock().unwrap();
    let panic = || array.update(|_| std::panic::resume_unwind(Box::new("as if something had gone wrong")));
    assert!(catch_unwind(AssertUnwindSafe(panic)).is_err());
    assert!(rlock.is_locked());
    drop(held);
    assert_eq!((relock!(lock), relock!(rlock)), ("ok".to_owned(), "ok".to_owned()));
}

#[test]
fn a_guard_in_a_forked_child_changes_and_releases_nothing() {
    let _watchdog = Watchdog::new("using an array whose holder has forked");
    let name = Name::new("forked");
    let array = Array::create(&name, &[1u64; 4]).unwrap();
    let mut parent = Helper::start(&mut task!("array", "fork", &name));
    parent.expect("ok");
    (0..6).for_each(|_| parent.expect("Err(Access(LockLost))"));
    parent.expect("child dropped");
    let lock = Stat::of(&name).unwrap().lock.unwrap();
    assert!(lock.owner.is_some() && lock.owner_alive, "the child has let go of its parent's lock");
    assert_eq!([0, 1].map(|index| array.get(index)), [Ok(5), Ok(1)]);
    parent.tell("go on");
    parent.expect("Ok(5)");
    parent.expect("dropped");
    assert_eq!(array.snapshot(), Ok(vec![5, 1, 1, 1]));
    assert!(array.lock().is_ok(), "nobody died in it");
    parent.finish();
}
