//! SIGKILL at any moment: whoever is left goes on, no value is torn, no update is lost, and each death in a lock is told
//! to one locker.

use nix::sys::signal::Signal;
use procession::{
    Lock, LockError, LockTimeoutError, RLock, RawValue, Share, Stat, TryLockError, Value, ValueLockError,
};
use procession_tests::{Helper, Name, PATIENCE, Random, Watchdog, relock, task, until};
use std::time::{Duration, Instant};

// ---- at random moments ----

const WORKERS: usize = 3;
const KILLS: u64 = 1000;

/// What the workers work on, and the words in which they tell how far they are. Anonymous: handed down to each of them.
struct Workplace {
    lock: Lock,
    wide: Value<[u64; 4]>,
    told: RawValue<u64>,
    benches: Vec<Bench>,
}

/// The words that one worker alone writes. They outlast it.
struct Bench {
    /// Writes done, counted inside the lock.
    progress: RawValue<u64>,
    /// True only between two moments inside the lock.
    inside: RawValue<bool>,
}

impl Bench {
    fn writes(&self) -> u64 {
        self.progress.get().unwrap()
    }
}

impl Workplace {
    fn new() -> Workplace {
        let lock = Lock::new().unwrap();
        let bench = || Bench { progress: RawValue::new(0).unwrap(), inside: RawValue::new(false).unwrap() };
        Workplace {
            wide: Value::with_lock([0; 4], &lock).unwrap(),
            lock,
            told: RawValue::new(0).unwrap(),
            benches: (0..WORKERS).map(|_| bench()).collect(),
        }
    }

    fn start(&self, bench: usize) -> Helper {
        let Bench { progress, inside } = &self.benches[bench];
        let mut command = task!("work");
        command.share("lock", &self.lock).share("wide", &self.wide).share("told", &self.told);
        Helper::start(command.share("progress", progress).share("inside", inside))
    }

    /// Waits until so many writes have been done at a bench, while nobody complains.
    fn wait_for(&self, workers: &[Helper], bench: usize, goal: u64) {
        until("a worker goes on", || {
            workers.iter().for_each(Helper::expect_silence);
            self.benches[bench].writes() >= goal
        });
    }
}

#[test]
fn a_thousand_kills_of_workers_at_random_moments() {
    let place = Workplace::new();
    let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
    let mut workers: Vec<Helper> = (0..WORKERS).map(|bench| place.start(bench)).collect();
    (0..WORKERS).for_each(|bench| place.wait_for(&workers, bench, 1));
    let (mut struck, mut told, mut longest) = (0, 0, Duration::ZERO);
    for _ in 0..KILLS {
        let victim = random.below(WORKERS as u64) as usize;
        // It is at work. A few hundred writes later, at any point of anything:
        place.wait_for(&workers, victim, place.benches[victim].writes() + random.below(300));
        (0..random.below(4000)).for_each(|_| std::hint::spin_loop());
        let killed = Instant::now();
        workers[victim].kill();

        // If the victim was inside, somebody who writes from now on has taken the lock over; if not, it was free to take.
        let survivors: Vec<_> = (0..WORKERS).filter(|bench| *bench != victim).collect();
        let before: Vec<_> = survivors.iter().map(|bench| place.benches[*bench].writes()).collect();
        let ahead = |(bench, before): (&usize, &u64)| place.benches[*bench].writes() > *before;
        until("a survivor goes on", || survivors.iter().zip(&before).any(ahead));
        longest = longest.max(killed.elapsed());
        for (bench, before) in survivors.iter().zip(&before) {
            place.wait_for(&workers, *bench, before + 1);
        }

        // All survivors have been through the lock since, so that who was told has said so.
        let tellings = place.told.get().unwrap() - told;
        told += tellings;
        if place.benches[victim].inside.get().unwrap() {
            struck += 1;
            assert_eq!(tellings, 1, "a holder was killed, and its death is told exactly once");
        } else {
            // It may still have held the lock, a step before or after it said so.
            assert!(tellings <= 1, "one death was told {tellings} times");
        }
        place.benches[victim].inside.set(false);
        let writes = place.benches[victim].writes();
        workers[victim] = place.start(victim);
        place.wait_for(&workers, victim, writes + 1);
    }
    workers.iter().for_each(Helper::expect_silence);
    drop(workers);
    let [first, rest @ ..] = place.wide.get().unwrap();
    assert_eq!(rest, [first; 3]);
    // No update was lost; a write that was cut off from its count is the only one that is not counted.
    let counted: u64 = place.benches.iter().map(Bench::writes).sum();
    assert!((counted..=counted + KILLS + WORKERS as u64).contains(&first), "{counted} counted, {first} written");
    assert!(struck > 0, "no kill struck a holder: the test would show nothing");
    eprintln!(
        "{KILLS} kills: {struck} surely of a holder, {told} told; {counted} writes; longest recovery {longest:?}"
    );
}

// ---- at a known moment ----

#[test]
fn the_death_of_a_holder_is_told_to_exactly_one_of_those_who_contend() {
    let name = Name::new("told");
    let lock = Lock::create(&name).unwrap();
    let mut contenders = [(); 3].map(|()| Helper::start(&mut task!("contend", &name)));
    contenders.iter().for_each(|contender| contender.expect("ready"));
    let mut longest = Duration::ZERO;
    for round in 0..200 {
        let mut victim = Helper::start(&mut task!("hold", &name));
        victim.expect("ok"); // and not "owner died": that has been told
        let contend = |contenders: &mut [Helper; 3]| contenders.iter_mut().for_each(|each| each.tell("lock"));
        // Contenders that wait already, and contenders that come later.
        if round % 2 == 0 {
            contend(&mut contenders);
        }
        let killed = Instant::now();
        victim.kill();
        if round % 2 == 1 {
            contend(&mut contenders);
        }
        let mut answers = contenders.each_ref().map(Helper::line);
        longest = longest.max(killed.elapsed());
        answers.sort();
        assert_eq!(answers, ["ok", "ok", "owner died"], "round {round}");
    }
    assert_eq!(relock!(lock), "ok");
    contenders.into_iter().for_each(|contender| drop(contender.finish()));
    eprintln!("200 deaths told; the longest until all three contenders had had the lock: {longest:?}");
}

#[test]
fn whoever_looks_once_finds_a_dead_holder_too() {
    let name = Name::new("once");
    let lock = Lock::create(&name).unwrap();
    for zero in [false, true] {
        let mut holder = Helper::start(&mut task!("hold", &name));
        holder.expect("ok");
        holder.kill();
        let told = if zero {
            matches!(lock.lock_timeout(Duration::ZERO), Err(LockTimeoutError::Lock(LockError::OwnerDied(_))))
        } else {
            matches!(lock.try_lock(), Err(TryLockError::Lock(LockError::OwnerDied(_))))
        };
        assert!(told && lock.try_lock().is_ok());
    }
}

#[test]
fn the_death_of_one_who_waits_is_not_told() {
    let name = Name::new("waiter");
    let lock = Lock::create(&name).unwrap();
    let guard = lock.lock().unwrap();
    let mut waiter = Helper::start(&mut task!("hold", &name));
    until("the waiter waits", || Stat::of(&name).unwrap().lock.unwrap().contended);
    waiter.kill();
    drop(guard);
    assert_eq!(relock!(lock), "ok");
}

#[test]
fn a_death_is_told_although_the_value_is_corrupt() {
    let _watchdog = Watchdog::new("locking a value whose holder died");
    let (name, flag) = (Name::new("death"), Name::new("corrupt"));
    let lock = Lock::create(&name).unwrap();
    let value = Value::create_with_lock(&flag, true, &lock).unwrap();
    let mut holder = Helper::start(&mut task!("hold", &name));
    holder.expect("ok");
    holder.kill();
    flag.patch(4096 + 24, &[2]);
    assert!(matches!(value.lock(), Err(ValueLockError::Corrupt { .. })));
    assert_eq!(relock!(lock), "owner died", "nobody was told");
}

#[test]
fn a_recursive_lock_whose_holder_died_deep_inside_starts_anew() {
    let name = Name::new("deep");
    let lock = RLock::create(&name).unwrap();
    let mut holder = Helper::start(&mut task!("hold-deep", &name, "3"));
    holder.expect("ok");
    holder.kill();
    let Err(LockTimeoutError::Lock(LockError::OwnerDied(outer))) = lock.lock_timeout(PATIENCE) else {
        panic!("the death is told");
    };
    // Told once, also to one who enters again; and one depth for each guard of ours, none for the dead one's.
    let inner = lock.lock().unwrap();
    drop(outer);
    assert!(lock.is_locked());
    drop(inner);
    assert!(!lock.is_locked());
    assert_eq!(relock!(lock), "ok");
}

/// An internal entry that found a death may be left before an explicit one that it enclosed: the death is told all the same.
#[test]
fn a_death_is_told_although_an_update_took_the_lock_first() {
    let name = Name::new("enclosed");
    let lock = RLock::create(&name).unwrap();
    let value = Value::with_lock(1u8, &lock).unwrap();
    let mut holder = Helper::start(&mut task!("hold-deep", &name, "1"));
    holder.expect("ok");
    holder.kill();
    let mut kept = None;
    value.update(|_| kept = lock.lock().ok()).unwrap();
    assert!(kept.is_some() && lock.is_locked());
    drop(kept);
    assert!(matches!(lock.lock(), Err(LockError::OwnerDied(_))), "the death is told");
    assert_eq!(relock!(lock), "ok");
}

/// Kills a helper that holds a value and has changed its own copy; then the old value is there, writers go on without a
/// word, and still the next explicit locker is told.
fn killed_while_changing(task: &str) {
    let _watchdog = Watchdog::new("using a value whose holder died");
    let name = Name::new(task);
    let value = Value::create(&name, [1u64, 2, 3, 4]).unwrap();
    let helper = Helper::start(&mut task!(task, &name));
    helper.expect("ok");
    assert_eq!(value.get(), Ok([1, 2, 3, 4]), "readers do not wait, and see nothing of what is under way");
    helper.end_by(Signal::SIGKILL);
    assert_eq!(value.get(), Ok([1, 2, 3, 4]));
    assert_eq!(value.update(|value| value[0] = 5), Ok([1, 2, 3, 4]));
    assert_eq!(value.set([6; 4]), Ok(()));
    match value.lock() {
        Err(ValueLockError::Lock(LockError::OwnerDied(guard))) => assert_eq!(*guard, [6; 4]),
        other => panic!("the death is to be told: {other:?}"),
    }
    assert!(value.lock().is_ok(), "it is told once");
}

#[test]
fn killed_in_the_middle_of_an_update() {
    killed_while_changing("hold-update");
}

#[test]
fn killed_with_a_changed_guard() {
    killed_while_changing("hold-value");
}
