//! Regions: a name lasts as long as its users, a peer as long as its process, and nothing else ends either of them.

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use procession::{
    Handle, Lock, LockError, LockTimeoutError, OpenError, RLock, RawValue, Share, Stat, Swept, TryLockError, Value,
    sweep,
};
use procession_tests::{Helper, Name, Random, relock, task, until};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

/// What [`Stat`] says of the lock's owner: whether there is one, and whether it lives.
fn owner(name: &Name) -> Option<bool> {
    let lock = Stat::of(name).expect("a region in use").lock.expect("a region with a lock");
    lock.owner.map(|_| lock.owner_alive)
}

fn not_found(name: &Name) -> Result<(), OpenError> {
    Err(OpenError::NotFound { name: name.to_string() })
}

// ---- names ----

#[test]
fn a_name_goes_with_its_last_user() {
    let name = Name::new("users");
    let first = Helper::start(&mut task!("create", &name));
    first.expect("ok");
    let second = Helper::start(&mut task!("open", &name));
    second.expect("ok");
    first.finish();
    assert!(name.exists(), "its creator has left, but not its last user");
    second.finish();
    assert!(!name.exists());
    assert_eq!(Lock::open(&name).map(drop), not_found(&name));
}

#[test]
fn of_two_that_leave_at_once_one_takes_the_name_along() {
    for _ in 0..100 {
        let name = Name::new("leave");
        let go = RawValue::new(false).unwrap();
        let creator = Helper::start(&mut task!("create", &name));
        creator.expect("ok");
        let both = [(); 2].map(|()| Helper::start(task!("leave", &name).share("go", &go)));
        both.iter().for_each(|helper| helper.expect("ready"));
        creator.finish();
        go.set(true);
        both.into_iter().for_each(|helper| drop(helper.finish()));
        assert!(!name.exists());
    }
}

#[test]
fn a_name_goes_with_its_last_user_also_if_that_one_inherited_it() {
    let name = Name::new("heir");
    let lock = Lock::create(&name).unwrap();
    let heir = Helper::start(task!("inherit", "gift").share("gift", &lock));
    heir.expect("ok");
    drop(lock);
    assert!(name.exists());
    heir.finish();
    assert!(!name.exists());
}

#[test]
fn a_name_stays_while_a_forked_child_uses_the_region() {
    let name = Name::new("child");
    let value = RawValue::create(&name, 0u64).unwrap();
    let mut parent = Helper::start(&mut task!("fork-leave", &name));
    parent.expect("child uses it");
    drop(value);
    parent.tell("leave");
    parent.expect("parent left");
    sweep().unwrap();
    assert!(name.exists(), "a region in use lost its name");
    parent.finish();
}

#[test]
fn a_name_whose_only_user_was_killed_is_stale() {
    let name = Name::new("stale");
    let mut user = Helper::start(&mut task!("create", &name));
    user.expect("ok");
    assert!(Stat::of(&name).is_ok());
    user.kill();
    assert_eq!(Lock::open(&name).map(drop), not_found(&name));
    assert!(!name.exists(), "whoever finds a stale name removes it");
}

#[test]
fn a_stale_name_is_free_to_be_created() {
    let name = Name::new("again");
    let mut user = Helper::start(&mut task!("create", &name));
    user.expect("ok");
    let old = Stat::of(&name).unwrap().id;
    user.kill();
    // As something else, even.
    let value = Value::create(&name, 7u8).unwrap();
    assert_eq!(value.get(), Ok(7));
    assert_ne!(Stat::of(&name).unwrap().id, old);
}

#[test]
fn a_sweep_removes_what_is_stale_and_nothing_else() {
    let (stale, used, foreign) = (Name::new("swept"), Name::new("used"), Name::new("foreign"));
    let mut killed = Helper::start(&mut task!("create", &stale));
    let user = Helper::start(&mut task!("create", &used));
    killed.expect("ok");
    user.expect("ok");
    std::fs::write(foreign.path(), [b'x'; 5000]).unwrap();
    killed.kill();
    let swept = sweep().unwrap();
    // Another test's sweep may be removing it at this moment; then ours leaves it to that one.
    until("the stale name goes", || !stale.exists());
    let of = |name: &Name| swept.iter().find(|swept| swept.name == **name).cloned();
    let left = |name: &Name, removed| Some(Swept { name: name.to_string(), removed });
    assert_eq!(of(&used), left(&used, Ok(false)));
    assert_eq!(of(&foreign), left(&foreign, Err(OpenError::Foreign)));
    assert!(used.exists());
    assert_eq!(std::fs::read(foreign.path()).unwrap(), [b'x'; 5000]);
    user.finish();
}

#[test]
fn an_interrupted_process_leaves_nothing_once_swept() {
    let name = Name::new("interrupted");
    let user = Helper::start(&mut task!("create", &name));
    user.expect("ok");
    // As SIGINT would end it; but a shell makes its background jobs ignore that one, and this test may be one of them.
    assert_eq!(user.end_by(Signal::SIGTERM).signal(), Some(Signal::SIGTERM as i32));
    sweep().unwrap();
    until("the stale name goes", || !name.exists());
}

#[test]
fn all_who_open_or_create_at_once_meet_in_one_region() {
    let name = Name::new("meet");
    let mut helpers = [(); 8].map(|()| Helper::start(&mut task!("add", &name, "1000")));
    helpers.iter().for_each(|helper| helper.expect("ready"));
    helpers.iter_mut().for_each(|helper| helper.tell("go"));
    let regions = helpers.each_ref().map(Helper::line);
    let sum = Value::<u64>::open(&name).unwrap();
    assert_eq!(regions, [(); 8].map(|()| sum.attachment().id().to_string()));
    assert_eq!(sum.get(), Ok(8000));
    helpers.into_iter().for_each(|helper| drop(helper.finish()));
}

#[test]
fn in_a_storm_of_comers_goers_and_kills_a_name_leads_to_the_region_in_use() {
    let name = Name::new("storm");
    let mut random = Random::new(0x5707_3a11);
    let turns: Vec<RawValue<u64>> = (0..4).map(|_| RawValue::new(0).unwrap()).collect();
    let start = |turns| Helper::start(task!("storm", &name).share("turns", turns));
    let mut helpers: Vec<Helper> = turns.iter().map(start).collect();
    for _ in 0..200 {
        // Some turns later, at any point of a turn. The helpers check; see `storm` there.
        let victim = random.below(4) as usize;
        let goal = turns[victim].get().unwrap() + 1 + random.below(20);
        until("a helper comes and goes", || {
            helpers.iter().for_each(Helper::expect_silence);
            turns[victim].get().unwrap() >= goal
        });
        (0..random.below(20_000)).for_each(|_| std::hint::spin_loop());
        helpers[victim].kill();
        helpers[victim] = start(&turns[victim]);
    }
    drop(helpers); // killed, all of them
    sweep().unwrap();
    until("the stale name goes", || !name.exists());
}

/// of the descriptor that another thread just then takes its lease through, and the lease outlives the peer.
#[test]
fn a_name_goes_although_another_thread_spawns_meanwhile() {
    let mut left = 0;
    std::thread::scope(|threads| {
        let spawner = threads.spawn(|| (0..500).for_each(|_| drop(Command::new("true").status())));
        while !spawner.is_finished() {
            let name = Name::new("spawning");
            drop(Lock::create(&name).unwrap());
            left += u32::from(name.exists());
        }
    });
    assert_eq!(left, 0, "names that outlived their only user");
}

// ---- peers ----

#[test]
fn a_spawned_child_inherits_an_anonymous_region() {
    let lock = Lock::new().unwrap();
    let mut child = Helper::start(task!("hold", "@gift").share("gift", &lock));
    child.expect("ok");
    assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    child.tell("let go");
    child.expect("released");
    assert_eq!(relock!(lock), "ok");
    child.finish();
}

#[test]
fn a_forked_child_is_a_peer_of_its_own() {
    let name = Name::new("forked");
    let _lock = Lock::create(&name).unwrap();
    let mut parent = Helper::start(&mut task!("fork-peer", &name));
    parent.expect("ok");
    parent.expect("child holds");
    assert_eq!(Stat::of(&name).unwrap().alive.len(), 3, "this process, the parent and its child");
    parent.tell("try");
    parent.expect("Err(WouldBlock)");
    parent.expect("owner died"); // the child was killed
    parent.finish();
}

#[test]
fn a_forked_child_keeps_no_lease_of_its_parents_alive() {
    let name = Name::new("orphan");
    let lock = Lock::create(&name).unwrap();
    let mut parent = Helper::start(&mut task!("fork-outlive", &name));
    parent.expect("ok");
    parent.expect("child lives");
    parent.kill();
    assert_eq!(relock!(lock), "owner died");
    parent.tell("who is there?"); // the child has the same pipes, and ends when they are closed
    parent.expect("child still lives");
}

#[test]
fn a_child_forked_while_its_parent_holds_a_lock_releases_nothing() {
    let name = Name::new("fork-lock");
    let lock = Lock::create(&name).unwrap();
    let mut parent = Helper::start(&mut task!("fork-holding", "lock", &name));
    parent.expect("child dropped");
    assert_eq!(owner(&name), Some(true));
    assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    parent.tell("drop");
    parent.expect("dropped");
    assert!(lock.try_lock().is_ok());
    parent.finish();
}

#[test]
fn a_child_forked_while_its_parent_holds_a_recursive_lock_releases_nothing() {
    let name = Name::new("fork-rlock");
    let lock = RLock::create(&name).unwrap();
    let mut parent = Helper::start(&mut task!("fork-holding", "rlock", &name));
    parent.expect("child dropped");
    assert_eq!(owner(&name), Some(true));
    assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    parent.tell("drop");
    parent.expect("dropped"); // both of its guards: the child has not counted any of them down
    assert!(lock.try_lock().is_ok());
    parent.finish();
}

#[test]
fn a_child_forked_while_its_parent_holds_a_value_changes_and_releases_nothing() {
    let name = Name::new("fork-value");
    let value = Value::create(&name, 1u64).unwrap();
    let mut parent = Helper::start(&mut task!("fork-holding", "value", &name));
    parent.expect("child dropped");
    assert_eq!(owner(&name), Some(true));
    assert_eq!(value.get(), Ok(1), "the child has published what its parent wrote into the guard");
    parent.tell("drop");
    parent.expect("dropped");
    assert_eq!(owner(&name), None);
    assert_eq!(value.get(), Ok(5));
    parent.finish();
}

/// Has a helper that holds a lock close all its descriptors, and then wait for another.
fn closes_all_descriptors(and: &str) {
    let (mine, theirs) = (Name::new("mine"), Name::new("theirs"));
    let (held_there, held_here) = (Lock::create(&mine).unwrap(), Lock::create(&theirs).unwrap());
    let guard = held_here.lock().unwrap();
    let mut closer = Helper::start(&mut task!("close-all", and, &mine, &theirs));
    closer.expect("ok");
    closer.tell("close and wait");
    closer.expect(&format!("{:?}", LockError::<()>::Blind));
    // Long enough to have asked after the holder: its lease does not hang on a descriptor.
    let second = held_there.lock_timeout(Duration::from_millis(200));
    assert!(matches!(second, Err(LockTimeoutError::TimedOut)), "{second:?}");
    closer.kill();
    assert_eq!(relock!(held_there), "owner died");
    drop(guard);
}

#[test]
fn who_closes_all_descriptors_keeps_its_locks_and_waits_for_nobody_in_vain() {
    closes_all_descriptors("nothing");
}

/// Now the region's number is somebody else's file, on which nobody holds a lease: that must not look like death.
#[test]
fn who_reuses_all_descriptors_takes_nobody_for_dead() {
    closes_all_descriptors("open-others");
}

/// Nor like a machine without /proc, or a socket that cannot be opened.
#[test]
fn who_closes_all_descriptors_is_told_so_when_it_shares() {
    let helper = Helper::start(&mut task!("close-and-share"));
    let closed = format!("Err(Some({}))", Errno::EUCLEAN as i32);
    assert_eq!(helper.finish(), [closed.as_str(); 2]);
}

/// The region does not come in its place, where a child's own would be put over it, or lead into it.
#[test]
fn who_has_no_stdin_can_share() {
    assert_eq!(Helper::start(&mut task!("close-stdin")).finish(), ["Ok(Some(0))"]);
}

#[test]
fn exec_ends_a_peer() {
    let name = Name::new("exec");
    let lock = Lock::create(&name).unwrap();
    let mut holder = Helper::start(&mut task!("exec", &name));
    holder.expect("ok");
    holder.tell("exec");
    holder.expect("lingering");
    assert_eq!(relock!(lock), "owner died", "the process lives, but cannot write any more");
    holder.finish();
}

#[test]
fn an_exec_that_failed_leaves_nothing() {
    let name = Name::new("fail-exec");
    let helper = Helper::start(&mut task!("fail-exec", &name));
    assert_eq!(helper.finish(), ["entity not found"]);
    assert!(!name.exists(), "the last user has dropped its handle");
}

#[test]
fn a_stopped_holder_keeps_its_lock() {
    let name = Name::new("stopped");
    let lock = Lock::create(&name).unwrap();
    let mut holder = Helper::start(&mut task!("hold", &name));
    holder.expect("ok");
    holder.signal(Signal::SIGSTOP);
    let stopped = waitpid(holder.id(), Some(WaitPidFlag::WUNTRACED));
    assert_eq!(stopped, Ok(WaitStatus::Stopped(holder.id(), Signal::SIGSTOP)));
    let second = lock.lock_timeout(Duration::from_millis(300));
    assert!(matches!(second, Err(LockTimeoutError::TimedOut)), "{second:?}");
    assert_eq!(owner(&name), Some(true));
    holder.signal(Signal::SIGCONT);
    holder.tell("let go");
    holder.expect("released");
    assert_eq!(relock!(lock), "ok");
    holder.finish();
}
