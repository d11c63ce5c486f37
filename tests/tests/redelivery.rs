//! SIGKILL at random moments of those who work on tasks that are delivered again: every task is finished, by somebody, and whoever
//! joins waits for no dead one.

use procession_tests::{Helper, task};

/// As many kills as the environment says; so many in every run of the tests.
const KILLS: u64 = 800;

#[test]
fn kills_at_random_moments() {
    let kills = std::env::var("PROCESSION_REDELIVERY_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let helper = Helper::start(&mut task!("redelivery", &kills.to_string(), "1640531527"));
    let mut said = helper.finish();
    said.retain(|line| line != "going on");
    said.iter().for_each(|line| eprintln!("{line}"));
    assert!(said.len() == 2 && said[0].starts_with(&format!("{kills} kills: ")), "{said:?}");
    assert!(!said[0].contains(": 0 tasks"), "no kill struck: the test would show nothing");
}
