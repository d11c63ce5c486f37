//! Protocols broken on purpose, each found by the explorer, and drawn; and their right forms, of which every state is seen.

use procession_model::explorer::Limits;
use procession_model::faults::{Expected, Fault, faults};
use std::fmt::Write;

fn found(fault: &Fault) -> String {
    let name = fault.name;
    let explored = fault.explore();
    let wrong = explored.violation.as_ref().map(|violation| violation.what.as_str());
    let story = explored.violation.as_ref().map_or("", |violation| violation.story.as_str());
    println!("{name}: {:?}, {} states, {:?}", fault.expected, explored.states, explored.took);
    assert_eq!(wrong, fault.expected.violation(), "{name}, after {} states:\n{story}", explored.states);
    match wrong {
        None => {
            assert!(explored.exhausted, "{name}: gave up after {} states, {:?}", explored.states, explored.took);
            let waiting = match explored.waiting {
                0 => String::new(),
                waiting => format!(", a lawful wait in {waiting}"),
            };
            format!("{} states{waiting}: {}", explored.states, fault.shows)
        }
        Some(wrong) => {
            let (memory, kills) = (fault.memory.name(), fault.kills);
            format!("{}\n{memory}, kills: {kills}: {wrong}\n\n{story}", fault.shows)
        }
    }
}

fn list(holds: bool) -> impl Iterator<Item = Fault> {
    faults().into_iter().filter(move |fault| (fault.expected == Expected::Holds) == holds)
}

#[test]
fn every_broken_form_is_found() {
    for fault in list(false) {
        insta::assert_snapshot!(fault.name, found(&fault));
    }
}

#[test]
fn every_right_form_holds_in_every_state() {
    let mut table = String::new();
    for fault in list(true) {
        let (name, memory, kills) = (fault.name, fault.memory.name(), fault.kills);
        writeln!(table, "{name}, {memory}, kills {kills}: {}", found(&fault)).unwrap();
    }
    insta::assert_snapshot!(table);
}

/// What the fixtures say of their loop heads is true: whoever does not believe it sees more states, and finds the same.
#[test]
fn loop_heads_say_the_truth() {
    let mut compared = 0;
    for fault in faults() {
        let believing = fault.explore();
        if believing.states > 35_000 {
            continue; // without loop heads it would be millions
        }
        let explored = fault.explore_with(|limits| Limits { loop_heads: false, ..limits });
        let wrong = explored.violation.as_ref().map(|violation| violation.what.as_str());
        assert_eq!(wrong, fault.expected.violation(), "{}, after {} states", fault.name, explored.states);
        // Where something is found, the search ends early, and at which state of that depth is chance.
        assert!(wrong.is_some() || believing.states <= explored.states, "{}", fault.name);
        compared += 1;
    }
    assert!(compared >= 30, "only {compared}");
}
