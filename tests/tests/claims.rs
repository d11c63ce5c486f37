//! One test for each claim, of its name: the evidence that `procession verify` gathers, gathered here.

use procession_model::claims::{claims, evidence, ids_with_evidence};
use procession_model::evidence::Standing;
use procession_model::explore::{large_scenarios, scenario, scenarios};
use procession_model::worlds::jobs::jobs;
use procession_model::worlds::processes::Helper;
use procession_model::worlds::{Setting, World};
use std::fmt::Write;
use std::time::Duration;

fn holds(id: &str) {
    let helper = Helper { program: env!("CARGO_BIN_EXE_procession-world").into(), arguments: Vec::new() };
    let pieces = evidence(id, false);
    assert!(!pieces.is_empty(), "nothing stands behind {id}");
    for piece in pieces {
        let finding = piece.gather(&helper, Duration::from_secs(240));
        let story = finding.story.unwrap_or_default();
        let said = format!("{} in {}: {}\n{story}", finding.scenario, finding.world, finding.result);
        assert_eq!(finding.standing, Standing::Holds, "{said}");
        assert!(finding.executions > 0, "nothing was run: {said}");
    }
}

macro_rules! claims {
    ($($test:ident $id:literal)*) => {
        $(#[test] fn $test() { holds($id); })*
        const TESTS: &[(&str, &str)] = &[$((stringify!($test), $id)),*];
    };
}

claims! {
    m1_the_dead_are_noticed "M1"
    m2_the_stopped_are_alive "M2"
    m3_a_forked_child_owns_nothing "M3"
    m4_a_name_lasts_as_long_as_its_users "M4"
    m5_a_slot_for_every_living_peer "M5"
    m6_the_fence_pair_orders_what_it_stands_between "M6"
    m7_a_wrong_handle_is_an_error "M7"
    m8_a_child_counts_from_its_spawn "M8"
    m9_a_handle_in_flight_counts "M9"
    l1_one_holder_at_a_time "L1"
    l2_nobody_sleeps_on_a_free_lock "L2"
    l3_a_dead_holder_is_told_once "L3"
    l4_giving_up_loses_nothing "L4"
    l5_waiting_for_oneself_is_an_error "L5"
    l6_only_the_holder_lets_go "L6"
    r1_the_holder_may_enter_again "R1"
    r2_the_holder_is_a_thread_of_a_process "R2"
    r3_a_dead_holder_is_told_once "R3"
    v1_every_operation_is_one_step "V1"
    v2_a_killed_writer_leaves_the_old_value_or_the_new_one "V2"
    v3_nobody_gets_between "V3"
    v4_what_was_set_before_is_seen_after "V4"
    v5_a_death_inside_is_told_to_whoever_asks "V5"
    v6_using_a_value_inside_its_own_guard_is_an_error "V6"
    v7_without_the_lock_plus_loses_updates "V7"
    v8_without_the_lock_a_wide_value_tears "V8"
    v9_a_raw_word_is_never_torn_and_its_fetch_add_is_one_step "V9"
    v10_what_a_type_cannot_hold_is_an_error "V10"
    a1_an_element_is_one_step "A1"
    a2_a_slice_is_whole "A2"
    a3_a_death_in_the_middle_is_never_silent "A3"
    a4_an_element_beside_a_slice_is_old_or_new "A4"
    a5_what_was_set_before_is_seen_after "A5"
    a6_nobody_gets_between "A6"
    a7_a_lock_may_guard_several_and_its_holder_works_inside_it "A7"
    a8_without_the_lock_slices_tear "A8"
    a9_without_one_step_plus_on_an_element_loses_updates "A9"
    a10_a_slice_that_does_not_fit_changes_nothing "A10"
    p1_a_message_arrives_once_whole_and_in_order "P1"
    p2_nobody_sleeps_beside_a_message_or_beside_room "P2"
    p3_a_killed_process_has_sent_or_received_all_of_a_message_or_nothing "P3"
    p4_giving_up_loses_nothing "P4"
    p5_what_was_sent_comes_before_the_end "P5"
    p6_whoever_sends_to_nobody_is_told "P6"
    p7_an_end_belongs_to_one_process "P7"
    p8_the_end_of_a_dead_process_can_be_taken_over "P8"
    p9_a_batch_is_its_messages "P9"
    p10_a_pipe_does_not_grow_old "P10"
    q1_one_order "Q1"
    q2_nobody_sleeps_beside_a_message_or_beside_room "Q2"
    q3_a_killed_process_has_put_or_got_all_of_a_message_or_nothing "Q3"
    q4_giving_up_loses_nothing "Q4"
    q5_after_the_close_nothing_is_put "Q5"
    q6_what_is_discarded_is_gone "Q6"
    q7_who_waits_for_nobody_is_told "Q7"
    q8_what_is_said_of_the_queue_was_true "Q8"
    q9_what_is_done_inside_is_done_alone "Q9"
    q10_a_queue_does_not_grow_old "Q10"
    j1_every_operation_is_one_step "J1"
    j2_join_ends_when_all_is_done_and_not_before "J2"
    j3_the_tasks_of_a_killed_worker_are_told "J3"
    j4_a_living_workers_task_is_never_called_lost_and_a_done_one_never_either "J4"
    j5_a_process_reports_its_own_tasks "J5"
    j6_giving_up_loses_nothing "J6"
    j7_what_is_discarded_is_not_waited_for "J7"
    j8_a_killed_process_hangs_nobody "J8"
    j9_who_waits_for_tasks_that_nobody_can_get_is_told "J9"
    j10_what_is_said_of_tasks_was_true "J10"
    j11_a_tally_may_be_anothers "J11"
    j12_what_is_done_inside_is_done_alone "J12"
    j13_a_joinable_queue_does_not_grow_old "J13"
    j14_what_the_dead_had_in_hand_is_delivered_again "J14"
    j15_a_task_is_done_once_whoever_dies_where "J15"
}

/// Which claims there are and what stands behind them changes only by an edit that shows.
#[test]
fn coverage() {
    let claims = claims();
    let ids: Vec<&str> = claims.iter().map(|claim| claim.id).collect();
    assert_eq!(ids, ids_with_evidence(), "the claims in specs/ and the table of evidence differ");
    assert_eq!(ids, TESTS.iter().map(|(_, id)| *id).collect::<Vec<_>>(), "the claims and their tests differ");
    for (test, id) in TESTS {
        assert!(test.starts_with(&format!("{}_", id.to_lowercase())), "{test} is not named after {id}");
    }
    let mut coverage = String::new();
    for claim in &claims {
        writeln!(coverage, "{} {}", claim.id, claim.title).unwrap();
        for piece in evidence(claim.id, true) {
            let deep = if evidence(claim.id, false).contains(&piece) { "" } else { " (deep)" };
            writeln!(coverage, "    {piece:?}{deep}").unwrap();
        }
    }
    insta::assert_snapshot!(coverage);
}

/// No scenario and no job stands about without a claim that it is for.
#[test]
fn everything_is_evidence_of_something() {
    let used: Vec<String> = claims()
        .iter()
        .flat_map(|claim| evidence(claim.id, true))
        .map(|piece| piece.name().replace(" †", ""))
        .collect();
    for name in
        scenarios().iter().chain(&large_scenarios()).map(|scenario| scenario.name()).chain(jobs().map(|(name, _)| name))
    {
        assert!(used.iter().any(|known| known == name), "{name} is evidence of nothing");
    }
}

/// A search that was stopped is not called exhausted, and a claim that rests on one is not called true.
#[test]
fn a_stopped_search_is_not_exhausted() {
    let setting = Setting { limit: Duration::from_millis(1), ..Setting::new(World::LoomRmw(None)) };
    let run = scenario("lock-lock-lock").unwrap().run(&setting);
    assert_eq!(run.extent.unwrap().to_string(), "stopped");
    let dfs = Setting::new(World::ShuttleDfs(10));
    assert_eq!(scenario("lock-lock").unwrap().run(&dfs).extent.unwrap().to_string(), "stopped");
}
