//! Handles on their way to another process: who is given one counts from that moment, and until its own end.

use nix::errno::Errno;
use procession::{Handle, Handles, Lock, OpenError, Share, Stat, TryLockError, Value, sweep};
use procession_tests::{Helper, Name, relock, task, told, until};
use std::io::ErrorKind;
use std::process::{Command, Stdio};

/// How many peers live, and how many slots name a dead one.
fn peers(name: &Name) -> (usize, usize) {
    let stat = Stat::of(name).expect("a region in use");
    (stat.alive.len(), stat.dead.len())
}

// ---- a child that was spawned ----

#[test]
fn a_spawned_child_counts_before_it_has_done_anything() {
    let name = Name::new("spawned");
    let lock = Lock::create(&name).unwrap();
    // A program that knows nothing of us.
    let mut child = Command::new("cat").stdin(Stdio::piped()).share("gift", &lock).spawn().unwrap();
    assert_eq!(peers(&name), (2, 0));
    drop(lock);
    assert!(name.exists());
    sweep().unwrap();
    assert!(name.exists(), "a region in use lost its name");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(Lock::open(&name).map(drop), Err(OpenError::NotFound { name: name.to_string() }));
    assert!(!name.exists());
}

#[test]
fn a_child_that_takes_its_handle_keeps_its_place() {
    let name = Name::new("taken");
    let lock = Lock::create(&name).unwrap();
    let before = Stat::of(&name).unwrap().alive;
    let child = Helper::start(task!("hold", "@gift").share("gift", &lock));
    child.expect("ok");
    let (alive, dead) = peers(&name);
    assert_eq!((alive, dead), (2, 0), "one place for the child, before and after");
    assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    child.finish();
    assert_eq!(Stat::of(&name).unwrap().alive, before);
}

#[test]
fn a_parent_may_go_once_it_has_spawned() {
    // The heir takes the value when its parent has gone, and tells what is in it.
    let parent = Helper::start(&mut task!("bequeath"));
    parent.expect("42");
    drop(parent);

    let name = Name::new("bequeathed");
    let mut parent = Helper::start(&mut task!("bequeath", &name));
    parent.expect("42");
    sweep().unwrap();
    assert_eq!(peers(&name), (2, 1), "the heir and we who look; the parent");
    parent.tell("go");
    until("the name goes with the heir", || !name.exists());
}

#[test]
fn every_child_of_one_command_counts_by_itself() {
    let name = Name::new("several");
    let lock = Lock::create(&name).unwrap();
    let mut command = task!("inherit", "gift");
    command.share("gift", &lock);
    let mut children = [(); 3].map(|()| Helper::start(&mut command));
    assert_eq!(peers(&name), (4, 0));
    children.iter().for_each(|child| child.expect("ok"));
    assert_eq!(peers(&name), (4, 0));
    children[1].kill();
    assert_eq!(peers(&name), (3, 1));
    drop(children);
    assert_eq!(peers(&name).0, 1);
}

#[test]
fn a_program_that_cannot_be_started_leaves_nothing() {
    let name = Name::new("no-program");
    let lock = Lock::create(&name).unwrap();
    let mut missing = Command::new("/nonexistent/program");
    missing.share("gift", &lock);
    let mut brief = Command::new("true");
    brief.share("gift", &lock);
    // More often than there are slots, so that they have to be used again.
    for _ in 0..300 {
        assert_eq!(missing.spawn().unwrap_err().kind(), ErrorKind::NotFound);
        assert!(brief.status().unwrap().success());
    }
    assert_eq!(peers(&name).0, 1);
    drop((missing, brief));
    drop(lock);
    assert!(!name.exists());
}

#[test]
fn a_region_given_twice_is_one_place() {
    let name = Name::new("twice");
    let lock = Lock::create(&name).unwrap();
    let again = Lock::open(&name).unwrap();
    let mut child = Helper::start(task!("take-both", "one", "other").share("one", &lock).share("other", &again));
    child.expect("ready");
    assert_eq!(peers(&name), (2, 0));
    child.tell("take");
    child.expect("same");
    assert_eq!(peers(&name), (2, 0));
    child.tell("drop");
    child.expect(&format!("{:?}", OpenError::NotInherited { name: "one".to_owned() }));
    assert_eq!(peers(&name), (1, 0));
    child.finish();
}

#[test]
fn a_region_that_was_opened_before_its_handle_is_taken() {
    let name = Name::new("opened");
    let lock = Lock::create(&name).unwrap();
    let mut child = Helper::start(task!("open-and-take", &name, "gift").share("gift", &lock));
    child.expect("opened");
    assert_eq!(peers(&name), (3, 0), "the place that was kept for it, and its own");
    child.tell("take");
    child.expect("same");
    assert_eq!(peers(&name), (2, 0));
    child.finish();
}

#[test]
fn a_handle_of_another_kind_is_not_taken_away() {
    let value = Value::new(7u64).unwrap();
    let child = Helper::start(task!("take-wrong", "gift").share("gift", &value));
    child.expect("Kind");
    child.expect("Type");
    child.expect("7");
    child.finish();
}

#[test]
fn a_forked_child_may_give_what_it_has_not_used() {
    let name = Name::new("by-fork");
    let value = Value::create(&name, 42u64).unwrap();
    let parent = Helper::start(task!("fork-spawn").share("gift", &value));
    parent.expect("42");
    parent.finish();
    assert_eq!(peers(&name).0, 1);
}

// ---- descriptors that went further than they should ----

/// The shell has the ticket as long as it lives, the program in it has the lock.
#[test]
fn a_program_in_a_shell_dies_by_itself() {
    let lock = Lock::new().unwrap();
    let helper = task!("die-holding", "@gift");
    let mut shell = Command::new("sh");
    shell.args(["-c", "\"$0\" die-holding @gift; read line"]).arg(helper.get_program()).share("gift", &lock);
    let mut shell = Helper::start(&mut shell);
    shell.expect("ok");
    assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    shell.tell("die");
    assert_eq!(relock!(lock), "owner died");
    drop(shell);
}

#[test]
fn a_child_that_spawned_another_before_it_took_its_handle_dies_by_itself() {
    let lock = Lock::new().unwrap();
    let mut child = Helper::start(task!("spawn-and-hold", "@gift").share("gift", &lock));
    child.expect("ok");
    assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
    child.kill();
    assert_eq!(relock!(lock), "owner died");
}

// ---- several at once ----

#[test]
fn a_bundle_is_given_as_a_whole() {
    let (lock, value, other) = (Lock::new().unwrap(), Value::new(7u64).unwrap(), Value::new(8u64).unwrap());
    let handles = Handles::new().with("value", &other).with("lock", &lock).with("value", &value);
    assert_eq!(handles.names().collect::<Vec<_>>(), ["lock", "value"]);
    let mut command = task!("bundle");
    // As left by a parent of our own: told of, and not there.
    command.env("PROCESSION_HANDLE_stale", "99:0000000000000001:0:").share_all(&handles);
    drop(handles);
    let child = Helper::start(&mut command);
    child.expect("lock value");
    child.expect("7");
    child.expect(&format!("{:?}", OpenError::NotInherited { name: "nothing".to_owned() }));
    child.finish();
}

#[test]
fn a_name_that_no_child_could_find() {
    let lock = Lock::new().unwrap();
    let refused = Command::new("true").share("a=b", &lock).status().unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(Errno::EINVAL as i32));
    assert_eq!(Command::new("true").share("a\0b", &lock).status().unwrap_err().kind(), ErrorKind::InvalidInput);
}

// ---- the lock of a value ----

/// Has a child, which holds nothing so far, add one to a value while we hold the lock that guards it.
fn adds_under(lock: &Lock, value: &Value<u64>, child: &mut Command) {
    let mut child = Helper::start(child);
    child.expect("ok");
    let guard = lock.lock().unwrap();
    child.tell("add");
    assert_eq!(value.get(), Ok(0));
    value.set(10).unwrap();
    drop(guard);
    child.expect("added");
    assert_eq!(value.get(), Ok(11));
    child.finish();
}

#[test]
fn a_lock_is_found_by_the_name_that_the_value_knows() {
    let (name, long) = (Name::new("guarded"), Name::new(&"x".repeat(160)));
    let lock = Lock::create(&long).unwrap();
    let value = Value::create_with_lock(&name, 0u64, &lock).unwrap();
    adds_under(&lock, &value, &mut task!("guarded", &name));
}

#[test]
fn a_lock_is_found_among_what_was_given() {
    let name = Name::new("guarded");
    let lock = Lock::new().unwrap();
    let value = Value::create_with_lock(&name, 0u64, &lock).unwrap();
    adds_under(&lock, &value, task!("guarded", "@value").share("value", &value).share("lock", &lock));
    value.set(0).unwrap();
    adds_under(&lock, &value, task!("guarded", &name).share("lock", &lock));
}

#[test]
fn a_lock_that_is_not_to_be_found() {
    let name = Name::new("guarded");
    let lock = Lock::new().unwrap();
    let value = Value::create_with_lock(&name, 0u64, &lock).unwrap();
    let missing = OpenError::LockNotFound { id: value.lock_region() };
    told(&mut task!("guarded", &name), &missing);
    told(task!("guarded", "@value").share("value", &value), &missing);
    // A name that leads to another lock by now.
    let (stranger, other) = (Name::new("stranger"), Name::new("other"));
    let _stranger = Lock::create(&stranger).unwrap();
    let value = Value::create_with_lock(&other, 0u64, &lock).unwrap();
    other.patch(64 + 4 * 256, stranger.as_bytes());
    told(&mut task!("guarded", &other), OpenError::LockNotFound { id: value.lock_region() });
}
