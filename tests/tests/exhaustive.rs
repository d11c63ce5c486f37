//! The sizes that are explored in full, said outright: a search that stops early fails here, whatever the claims' verdicts.

use procession_model::explore::scenario;
use procession_model::worlds::{Extent, Setting, World};
use std::time::Duration;

fn explored(name: &str, world: World, least: u64) {
    let mut setting = Setting::new(world).with_kills();
    setting.limit = Duration::from_secs(400);
    let run = scenario(name).unwrap().run(&setting);
    assert!(run.violation.is_none(), "{name} in {world}: {:?}", run.violation);
    let (World::Loom(bound) | World::LoomRmw(bound)) = world else { panic!("not a world that can be exhausted") };
    assert_eq!(run.extent, Some(bound.map_or(Extent::Exhausted, Extent::Bounded)), "{name} in {world}");
    assert!(run.executions >= least, "{name} in {world}: only {} executions", run.executions);
    assert!(run.kill_points >= 20, "{name} in {world}: only {} places to be killed", run.kill_points);
}

#[test]
fn two_processes_one_section_each_killed_anywhere() {
    explored("lock-lock", World::Loom(None), 400);
    explored("lock-lock", World::LoomRmw(None), 400);
}

#[test]
fn two_processes_two_sections_each_killed_anywhere_loom() {
    explored("lock-lock-twice", World::Loom(None), 100_000);
}

#[test]
fn two_processes_two_sections_each_killed_anywhere_loom_rmw() {
    explored("lock-lock-twice", World::LoomRmw(None), 50_000);
}

#[test]
fn three_processes_killed_anywhere_two_preemptions() {
    explored("lock-lock-lock", World::Loom(Some(2)), 3_000);
    explored("lock-lock-lock", World::LoomRmw(Some(2)), 2_000);
}

#[test]
fn a_message_killed_anywhere() {
    explored("pipe-recv-close", World::Loom(None), 300);
    explored("pipe-recv-close", World::LoomRmw(None), 1_000);
}

#[test]
fn two_messages_and_one_in_fragments_killed_anywhere_two_preemptions() {
    for name in ["pipe-send-recv-twice", "pipe-fragments"] {
        explored(name, World::Loom(Some(2)), 4_000);
        explored(name, World::LoomRmw(Some(2)), 1_500);
    }
}

#[test]
fn two_messages_and_one_in_fragments() {
    for name in ["pipe-send-recv-twice", "pipe-fragments"] {
        let run = scenario(name).unwrap().run(&Setting::new(World::Loom(None)));
        assert!(run.violation.is_none(), "{name}: {:?}", run.violation);
        assert_eq!(run.extent, Some(Extent::Exhausted), "{name}");
        assert!(run.executions >= 80_000, "{name}: only {} executions", run.executions);
    }
}
