//! Arrays between processes: slices are whole, no addition is lost, and what is under one lock changes together.

use procession::{Array, ElementError, GuardedBy, Lock, RLock, RawArray, RawValue, Share, SliceError};
use procession_tests::bank::{Bank, Key, TOTAL};
use procession_tests::{Helper, Name, Random, Watchdog, task, until};
use std::time::Instant;

// ---- slices ----

/// Reads slices that another process makes all ones, all twos and so on; counts those that are torn and those that differ
/// from the one before. `enough` says when to stop, of how many there were and how many of either sort.
fn reads_beside_a_writer(
    length: usize,
    read: impl Fn(&mut [u64]) -> Result<(), SliceError>,
    enough: impl Fn(u64, u64, u64) -> bool,
) -> (u64, u64, u64) {
    let (mut values, mut last, mut reads, mut torn, mut changes) = (vec![0; length], 0, 0, 0, 0);
    until("enough slices are read", || {
        // A thousand at a time: the clock is not to be the greater part of it.
        for _ in 0..1000 {
            read(&mut values).unwrap();
            reads += 1;
            torn += u64::from(values.iter().any(|value| *value != values[0]));
            changes += u64::from(values[0] != last);
            last = values[0];
        }
        enough(reads, torn, changes)
    });
    (reads, torn, changes)
}

#[test]
fn of_a_million_slices_none_is_torn() {
    for length in [16, 64] {
        let array = Array::<u64>::new(length).unwrap();
        let writer = Helper::start(task!("array", "write").share("array", &array));
        until("the writer writes", || array.get(0).unwrap() > 0);
        let started = Instant::now();
        let read = |values: &mut [u64]| array.read_into(.., values);
        // Processes that share a core take turns: it must have been the writer's often enough.
        let seen = reads_beside_a_writer(length, read, |reads, _, changes| reads >= 1_000_000 && changes >= 10);
        let (reads, torn, changes) = seen;
        writer.expect_silence();
        eprintln!("{length} elements: {reads} reads, {changes} of something new, {torn} torn; {:?}", started.elapsed());
        assert_eq!(torn, 0);
    }
}

/// The test above is one that an array without a lock fails. A long slice is torn soon, also on a single core.
#[test]
fn without_a_lock_slices_are_torn() {
    let array = RawArray::<u64>::new(4096).unwrap();
    let writer = Helper::start(task!("array", "write-raw").share("array", &array));
    let started = Instant::now();
    let read = |values: &mut [u64]| array.read_into(.., values);
    let (reads, torn, _) = reads_beside_a_writer(array.len(), read, |_, torn, _| torn > 0);
    writer.expect_silence();
    eprintln!("without a lock: {torn} of {reads} torn, after {:?}", started.elapsed());
}

// ---- nothing is lost ----

#[test]
fn no_addition_is_lost() {
    const PROCESSES: u64 = 4;
    const TIMES: u64 = 5000;
    let name = Name::new("add");
    let array = Array::create(&name, &[0u64; 6]).unwrap();
    let mut helpers = [(); PROCESSES as usize].map(|()| Helper::start(&mut task!("array", "add", &name, "5000")));
    helpers.iter_mut().for_each(|helper| helper.tell("go"));
    for helper in helpers {
        assert_eq!(helper.finish(), [""; 0], "a helper complains");
    }
    assert_eq!(array.snapshot(), Ok(vec![PROCESSES * TIMES; 6]));
}

/// Elements of a byte are neighbours in one machine word: to add to one must not touch the others.
#[test]
fn no_addition_to_a_neighbour_is_lost() {
    let name = Name::new("bytes");
    let array = Array::create(&name, &[0u8; 4]).unwrap();
    let helpers =
        ["0", "1", "2", "3"].map(|index| Helper::start(&mut task!("array", "add-bytes", &name, index, "100003")));
    helpers.into_iter().for_each(|helper| drop(helper.finish()));
    assert_eq!(array.snapshot(), Ok(vec![(100_003 % 256) as u8; 4]));
}

#[test]
fn an_update_leaves_alone_what_it_did_not_change() {
    let (own, lock, rlock) = (GuardedBy::Own, Lock::new().unwrap(), RLock::new().unwrap());
    for guard in [own, GuardedBy::from(&lock), GuardedBy::from(&rlock)] {
        let array = Array::with_lock(&[0u64; 5], guard).unwrap();
        let changed = array.update(|all| {
            // Somebody else sets these meanwhile; it takes no lock.
            [0, 2, 4].into_iter().for_each(|index| array.set(index, 7).unwrap());
            assert_eq!(all, [0; 5]);
            [1, 2, 3].into_iter().for_each(|index| all[index] = 1);
        });
        assert_eq!(changed, Ok(()));
        assert_eq!(array.snapshot(), Ok(vec![7, 1, 1, 1, 7]));
    }
}

#[test]
fn no_update_undoes_what_another_process_sets() {
    let (array, stop) = (Array::<u64>::new(3).unwrap(), RawValue::new(false).unwrap());
    let setter = Helper::start(task!("array", "set-alone").share("array", &array).share("stop", &stop));
    let (mut updates, mut last, mut beside) = (0, 0, 0);
    until("updates and settings have met", || {
        setter.expect_silence();
        // Many at a time: after each turn another process has the core, if there are not enough of them.
        for _ in 0..1000 {
            // The elements on both sides of the one that is set.
            array.update(|all| [0, 2].into_iter().for_each(|index| all[index] += 1)).unwrap();
            updates += 1;
            let set = array.get(1).unwrap();
            beside += u32::from(set != last);
            last = set;
        }
        updates >= 100_000 && beside >= 10
    });
    stop.set(true);
    assert_eq!(setter.finish(), [""; 0], "the setter complains");
    assert_eq!([0, 2].map(|index| array.get(index).unwrap()), [updates; 2]);
    eprintln!("{updates} updates beside {} settings", array.get(1).unwrap());
}

// ---- several under one lock ----

#[test]
fn what_is_under_one_lock_changes_together() {
    for key in Key::both() {
        let _watchdog = Watchdog::new("trading under one lock");
        let (bank, stop) = (Bank::new(&key), RawValue::new(false).unwrap());
        let start =
            |seed| Helper::start(bank.share(&mut task!("array", "trade", key.kind(), seed)).share("stop", &stop));
        let traders = ["11", "22", "33"].map(start);
        let (mut random, mut trades, mut beside) = (Random::new(44), 0, 0);
        until("traders have met", || {
            traders.iter().for_each(Helper::expect_silence);
            for _ in 0..20 {
                let before = bank.here.snapshot().unwrap();
                bank.trade(&mut random).unwrap();
                trades += 1;
                // Ours alone changes two accounts here at the most.
                let after = bank.here.snapshot().unwrap();
                beside += u32::from(before.iter().zip(&after).filter(|(before, after)| before != after).count() > 2);
            }
            trades >= 5000 && beside >= 5
        });
        stop.set(true);
        for trader in traders {
            assert_eq!(trader.finish(), [""; 0], "a trader complains");
        }
        assert_eq!(bank.total().unwrap(), TOTAL);
        eprintln!("{}: {trades} trades, {beside} beside another's", key.kind());
    }
}

// ---- iterating ----

#[test]
fn an_iterator_goes_over_a_moment() {
    let array = Array::from_slice(&[1u32, 2, 3]).unwrap();
    let mut elements = array.iter().unwrap();
    array.write(.., &[4, 5, 6]).unwrap();
    assert_eq!(elements.next(), Some(1));
    assert_eq!(elements.len(), 2);
    assert_eq!(elements.rev().collect::<Vec<_>>(), [3, 2]);
    assert_eq!(array.get(0), Ok::<_, ElementError>(4));
}
