//! The examples: each runs to a good end, says what it is to say, and leaves nothing behind.

use procession_tests::{Helper, until};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every example, and something that it always says.
const EXAMPLES: &[(&str, &str)] = &[
    ("array", "an element, fetch_add: 0 of 2000000 lost"),
    ("counter", "4 processes drew 10000 numbers, each of them once."),
    ("fork", "4 children, 10 000 times each: 40000"),
    ("killed_worker", "the lock is handed over, 50 were missing and are back"),
    ("matrix", "the sum of all products is 25502500"),
    ("named", "process "),
    ("pipe", "there: You say \"it pours\"? Tell me more."),
    ("pipe_bytes", "none was lost, none came twice, and the end of them was noticed."),
    ("queue", "consumed item 4"),
    ("rlock_value", "60000 transfers later the accounts are [0, 0, 30000]"),
    ("spawn", "the child says 42"),
    ("spawn_function", "4 processes, 10 000 times each: 40000"),
    ("value", "Value, lock: 0 of 400000 lost"),
    ("worker_pool", "task 7 has no result, and is put again"),
];

/// Builds the examples, as far as that was not done, and says where they are. Cargo builds nothing while it runs tests, so
/// that its lock is free, or held by another Cargo that comes to its end. Of the whole workspace, for that is how `cargo
/// test --workspace` has built them: of one package, they would be others, with fewer features of what they depend on, and
/// take the place of those that a second run of the tests is about to start.
fn built() -> PathBuf {
    // Where this test was built, and how: TARGET/PROFILE/procession-helper.
    let folder = Path::new(env!("CARGO_BIN_EXE_procession-helper")).parent().unwrap();
    let profile = match folder.file_name().and_then(|name| name.to_str()).unwrap() {
        "debug" => "dev",
        profile => profile,
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--offline", "--workspace", "--examples", "--profile", profile]);
    cargo.arg("--target-dir").arg(folder.parent().unwrap()).current_dir(env!("CARGO_MANIFEST_DIR"));
    assert!(cargo.status().unwrap().success(), "the examples were not built");
    folder.join("examples")
}

/// The files of named regions, and whatever else is there.
fn shared_memory() -> BTreeSet<PathBuf> {
    Path::new("/dev/shm").read_dir().unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_example_does_what_it_says() {
    let folder = built();
    for (name, words) in EXAMPLES {
        let before = shared_memory();
        let lines = Helper::start(&mut Command::new(folder.join(name))).finish();
        assert!(lines.iter().any(|line| line.contains(words)), "{name} does not say {words:?} but {lines:#?}");
        // Others come and go meanwhile: a name is only left behind if it stays.
        for left in shared_memory().difference(&before) {
            until(&format!("{name} leaves nothing, not {}", left.display()), || !left.exists());
        }
    }
}

#[test]
fn no_example_is_left_out() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../impl/examples").read_dir().unwrap();
    let found: BTreeSet<_> = sources.map(|entry| entry.unwrap().path().file_stem().unwrap().to_owned()).collect();
    assert_eq!(found, EXAMPLES.iter().map(|(name, _)| (*name).into()).collect());
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    for (name, _) in EXAMPLES {
        assert!(readme.contains(&format!("| `{name}` |")), "the README lacks {name}");
    }
}
