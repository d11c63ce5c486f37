//! SIGKILL in the middle of a slice: what is half done is never handed out in silence, and the lock never stays held.

use nix::sys::signal::Signal;
use procession::{Array, ElementError, LockError, RLock, Share, SliceError, Stat, Value};
use procession_tests::array_tasks::{HALF_DONE, REPAIRED, Wide};
use procession_tests::bank::{Bank, Key, TOTAL};
use procession_tests::{Helper, Name, Random, Watchdog, task, until};
use std::fmt::Debug;
use std::time::{Duration, Instant};

const OWNER_DIED: &str = "Err(OwnerDied)";

fn is_whole(values: &[u64]) -> bool {
    values.iter().all(|value| *value == values[0])
}

#[test]
fn kills_of_a_writer_at_random_moments() {
    const KILLS: u32 = 400;
    // A lock that is never let go would hold up the calls below for ever.
    let _watchdog = Watchdog::new("using an array whose writer was killed");
    let array = Array::<u64>::new(512).unwrap();
    let mut random = Random::new(0x2545_f491_4f6c_dd1d);
    let (mut struck, mut half_written, mut longest) = (0, 0, Duration::ZERO);
    for round in 0..KILLS {
        let mut writer = Helper::start(task!("array", "write").share("array", &array));
        // The writer begins with 1.
        array.write(.., &[0; 512]).unwrap();
        let goal = 1 + random.below(100);
        until("the writer writes", || array.get(0).unwrap() >= goal);
        (0..random.below(3000)).for_each(|_| std::hint::spin_loop());
        writer.kill();
        writer.expect_silence();

        let killed = Instant::now();
        let first = array.read(..);
        longest = longest.max(killed.elapsed());
        match first {
            Ok(values) => {
                assert!(is_whole(&values), "round {round}: half a slice was handed out: {values:?}");
                assert!(array.lock().is_ok(), "round {round}: nobody died in the lock");
            }
            Err(SliceError::OwnerDied) => {
                struck += 1;
                assert_eq!(array.write(.., &[0; 512]), Err(SliceError::OwnerDied), "round {round}: told once only");
                let Err(LockError::OwnerDied(guard)) = array.lock() else { panic!("round {round}: not told") };
                half_written += u32::from(!is_whole(&guard.read(..).unwrap()));
                guard.write(.., &[0; 512]).unwrap();
                drop(guard);
                assert!(array.lock().is_ok(), "round {round}: told twice");
                assert_eq!(array.snapshot(), Ok(vec![0; 512]));
            }
            Err(error) => panic!("round {round}: {error}"),
        }
    }
    eprintln!("{KILLS} kills: {struck} in the lock, {half_written} left half a slice; longest recovery {longest:?}");
    assert!(half_written > 0, "no kill struck a copy: the test would show nothing");
}

/// Asks all of the survivors the same, at once.
fn ask(survivors: &mut [Helper; 3], what: &str) -> [String; 3] {
    survivors.iter_mut().for_each(|survivor| survivor.tell(what));
    survivors.each_ref().map(Helper::line)
}

/// A victim, a region and three survivors; `element` does to single elements what goes on in spite of the death.
fn killed_halfway<T: procession::Plain + Debug + PartialEq>(
    (victim, survivor): (&str, &str),
    [old, half_done, repaired]: [T; 3],
    element: impl Fn(&Array<T>, &mut [Helper; 3]),
) {
    let _watchdog = Watchdog::new("using an array whose holder was killed");
    let name = Name::new(victim);
    let array = Array::create(&name, &[old; 4]).unwrap();
    let mut survivors = [(); 3].map(|()| Helper::start(&mut task!("array", survivor, &name)));
    survivors.iter().for_each(|survivor| survivor.expect("ready"));
    for round in 0..20 {
        let dying = Helper::start(&mut task!("array", victim, &name));
        dying.expect("ok");
        // Some already wait for the lock when its holder dies, and some come later.
        let waiting = round % 2 == 0;
        if waiting {
            survivors.iter_mut().for_each(|survivor| survivor.tell("read"));
        }
        dying.end_by(Signal::SIGKILL);
        if waiting {
            assert_eq!(survivors.each_ref().map(Helper::line), [OWNER_DIED; 3]);
        }
        for what in ["read", "write", "update", "read"] {
            assert_eq!(ask(&mut survivors, what), [OWNER_DIED; 3], "{what} in round {round}");
        }
        let died = |result: Result<(), SliceError>| assert_eq!(result, Err(SliceError::OwnerDied));
        died(array.read_into(.., &mut [old; 4]));
        died(array.read(..0).map(drop));
        died(array.iter().map(drop));
        died(array.update(|_| panic!("to be given half of a slice")));
        assert!(Stat::of(&name).unwrap().lock.is_some_and(|lock| lock.died && lock.owner.is_none()));
        element(&array, &mut survivors);

        let mut answers = ask(&mut survivors, "lock");
        answers.sort();
        assert_eq!(answers, ["ok", "ok", "owner died"], "round {round}");
        assert_eq!(array.snapshot(), Ok(vec![repaired; 4]), "what the one that was told has made of it");
        assert!(array.lock().is_ok());
        assert_eq!(ask(&mut survivors, "read"), [(); 3].map(|()| format!("{:?}", array.read(..))));
        array.write(.., &[old; 4]).unwrap();
    }
    // Whoever is told finds what the dead one left, and may keep it.
    let dying = Helper::start(&mut task!("array", victim, &name));
    dying.expect("ok");
    dying.end_by(Signal::SIGKILL);
    let Err(LockError::OwnerDied(guard)) = array.lock() else { panic!("not told") };
    assert_eq!(guard.read(..), Ok(vec![half_done, half_done, old, old]));
    drop(guard);
    assert_eq!(array.snapshot(), Ok(vec![half_done, half_done, old, old]));
    survivors.into_iter().for_each(|survivor| drop(survivor.finish()));
}

#[test]
fn killed_with_half_of_the_elements_set() {
    killed_halfway(("half", "survive"), [1, HALF_DONE, REPAIRED], |array, survivors| {
        assert_eq!(array.get(0), Ok(HALF_DONE));
        assert_eq!(array.swap(0, 3), Ok(HALF_DONE));
        assert_eq!(array.compare_exchange(0, 3, 4), Ok(Ok(3)));
        assert_eq!(ask(survivors, "set"), ["Ok(())"; 3]);
        assert_eq!(ask(survivors, "get"), ["Ok(5)"; 3]);
        let mut before = ask(survivors, "fetch_add");
        before.sort();
        assert_eq!(before, ["Ok(5)", "Ok(6)", "Ok(7)"]);
        assert_eq!(array.get(0), Ok(8));
    });
}

/// A wide element may itself be half written.
#[test]
fn killed_with_half_of_the_wide_elements_set() {
    let [old, half_done, repaired]: [Wide; 3] = [[1; 5], [HALF_DONE; 5], [REPAIRED; 5]];
    killed_halfway(("half-wide", "survive-wide"), [old, half_done, repaired], |array, survivors| {
        assert_eq!(array.get(0), Err(ElementError::OwnerDied));
        assert_eq!(array.set(0, [2; 5]), Err(ElementError::OwnerDied));
        assert_eq!(ask(survivors, "get"), [OWNER_DIED; 3]);
        assert_eq!(ask(survivors, "set"), [OWNER_DIED; 3]);
    });
}

// ---- several under one lock ----

#[test]
fn a_death_in_a_lock_bars_all_that_is_under_it_and_is_told_once() {
    let _watchdog = Watchdog::new("using what is under the lock of a dead holder");
    for key in Key::both() {
        let bank = Bank::new(&key);
        let start = |what| Helper::start(bank.share(&mut task!("array", what, key.kind())));
        let mut auditors = [(); 3].map(|()| start("audit"));
        auditors.iter().for_each(|auditor| auditor.expect("ready"));
        for ways in [["here", "there", "cash"], ["lock", "there", "lock"], ["cash", "here", "cash"]] {
            let robber = start("rob");
            robber.expect("ok");
            robber.end_by(Signal::SIGKILL);
            assert_eq!(bank.here.snapshot(), Err(SliceError::OwnerDied));
            assert_eq!(bank.there.snapshot(), Err(SliceError::OwnerDied));
            assert_eq!(bank.there.get(7), Err(ElementError::OwnerDied));
            // What is never half done goes on without a word.
            assert_eq!((bank.cash.fetch_add(1), bank.cash.set(0)), (Ok(0), Ok(())));
            assert_eq!(bank.there.snapshot(), Err(SliceError::OwnerDied), "a value's write has told nobody");
            assert_eq!(bank.here.fetch_add(0, 1), Ok(999), "what the dead one took is given back");

            auditors.iter_mut().zip(ways).for_each(|(auditor, way)| auditor.tell(way));
            let mut answers = auditors.each_ref().map(Helper::line);
            answers.sort();
            assert_eq!(answers, ["ok", "ok", "owner died"], "{ways:?}");
            assert_eq!(bank.total().unwrap(), TOTAL);
            assert_eq!(key.relock(), "ok");
        }
        auditors.into_iter().for_each(|auditor| drop(auditor.finish()));
    }
}

/// A value goes on in spite of a death, without a word. An array that is used in the middle of that must not.
#[test]
fn a_death_bars_arrays_also_inside_of_a_values_update() {
    let _watchdog = Watchdog::new("using what is under the lock of a dead holder");
    for key in Key::both() {
        let bank = Bank::new(&key);
        let robber = Helper::start(bank.share(&mut task!("array", "rob", key.kind())));
        robber.expect("ok");
        robber.end_by(Signal::SIGKILL);
        let died = Err(SliceError::OwnerDied);
        let update = bank.cash.update(|_| {
            assert_eq!(bank.here.read(..).map(drop), died, "{}: half of a trade was handed out", key.kind());
            assert_eq!(bank.here.write(.., &[0; 8]), died);
            assert_eq!(bank.here.update(|_| ()), died);
            assert_eq!(bank.there.get(0), Err(ElementError::OwnerDied));
        });
        assert_eq!(update, Ok(0));
        assert_eq!(key.relock(), "owner died");
        let update = bank.cash.update(|_| assert!(bank.here.read(..).is_ok() && bank.here.update(|_| ()).is_ok()));
        assert_eq!(update, Ok(0));
    }
}

/// Whoever takes the guard in there is told: through it half of a slice could be read.
#[test]
fn a_death_is_told_also_inside_of_a_values_update() {
    let _watchdog = Watchdog::new("using what is under the lock of a dead holder");
    let key = Key::both().into_iter().find(|key| key.kind() == "rlock").unwrap();
    let bank = Bank::new(&key);
    let robber = Helper::start(bank.share(&mut task!("array", "rob", key.kind())));
    robber.expect("ok");
    robber.end_by(Signal::SIGKILL);
    let update = bank.cash.update(|_| match bank.here.lock() {
        Err(LockError::OwnerDied(guard)) => assert_ne!(guard.get(0), Ok(1000), "what the dead one left"),
        answer => panic!("half of a trade could be read: {answer:?}"),
    });
    assert_eq!(update, Ok(0));
    // The update that surrounds it has told nobody: whoever comes next is told, too.
    assert_eq!(bank.here.snapshot(), Err(SliceError::OwnerDied));
    assert_eq!(key.relock(), "owner died");
    assert_eq!(bank.cash.update(|_| assert!(bank.here.lock().is_ok())), Ok(0));
}

/// Those who hold the lock after having been told go on, however deep they are in it.
#[test]
fn a_death_that_was_told_bars_nobody() {
    let _watchdog = Watchdog::new("using an array whose holder was killed");
    let name = Name::new("told");
    let lock = RLock::create(&name).unwrap();
    let array = Array::with_lock(&[1u8; 4], &lock).unwrap();
    let value = Value::with_lock(0u8, &lock).unwrap();
    let holder = Helper::start(&mut task!("hold-deep", &name, "2"));
    holder.expect("ok");
    holder.end_by(Signal::SIGKILL);
    let Err(LockError::OwnerDied(outer)) = array.lock() else { panic!("not told") };
    let inner = lock.lock().unwrap();
    value.update(|_| array.update(|all| all.fill(2)).unwrap()).unwrap();
    drop((inner, outer));
    assert_eq!(array.snapshot(), Ok(vec![2; 4]));
}
