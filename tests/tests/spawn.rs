//! Functions in processes of their own.

use procession::{Entry, Handles, Lock, Share, SpawnError, Value, spawn};
use procession_tests::{Helper, refused, task, told};

/// Has a helper spawn an entry: what they say of that, sorted, for they speak at once; and what the value is then.
fn spawned(entry: &str) -> (Vec<String>, u64) {
    let value = Value::new(0u64).unwrap();
    let mut said = Helper::start(task!("spawn", entry).share("value", &value)).finish();
    said.sort_unstable();
    (said, value.get().unwrap())
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(ToString::to_string).collect()
}

#[test]
fn an_entry_runs_in_a_child() {
    assert_eq!(spawned("add"), (lines(&["Some(0)", "ok", "value"]), 1));
}

#[test]
fn an_entry_that_fails_or_panics() {
    assert_eq!(spawned("fail"), (lines(&["Some(1)", "ok"]), 0));
    assert_eq!(spawned("panic"), (lines(&["Some(101)", "ok"]), 0));
    // Also where the error cannot be written.
    let value = Value::new(0u64).unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    assert_eq!(Helper::start(task!("spawn", "fail").stderr(full).share("value", &value)).finish(), ["ok", "Some(1)"]);
}

/// A child spawns in its turn, and what it starts otherwise is not taken for an entry.
#[test]
fn a_child_has_children_of_its_own() {
    assert_eq!(spawned("nest"), (lines(&["Some(0)", "lingering", "ok", "value"]), 2));
}

#[test]
fn what_would_go_wrong_in_the_child_is_refused_here() {
    static HERE: Entry = Entry::new("here", |_| Ok(()));
    let value = Value::new(0u64).unwrap();
    told(task!("spawn", "namesake").share("value", &value), SpawnError::UnknownEntry { name: "add" });
    told(task!("spawn-unserved", "add").share("value", &value), SpawnError::NotServing);
    // The main of a test calls no serve().
    let handles = Handles::new().with("lock", &Lock::new().unwrap());
    refused(spawn(&HERE, &handles).map(drop), SpawnError::NotServing, &["serve()", "main"]);
    // A name that no entry of the program has, as if by hand.
    assert_eq!(task!("--procession-entry", "nothing").status().unwrap().code(), Some(1));
}
