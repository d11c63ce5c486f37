//! The library against the specification, on random programs: one thread at a time in the sequential world, and real
//! processes all at once.

use procession_model::explore::array::{ArraySubject, Guarded};
use procession_model::explore::lock::LockSubject;
use procession_model::explore::value::ValueSubject;
use procession_model::scenario::{Role, Scenario, Subject};
use procession_model::worlds::processes::Helper;
use procession_model::worlds::programs::{self, LOCK_OPS, LONGEST, SLICE_OPS, Steps, Target, VALUE_OPS};
use procession_model::worlds::sequential::{Next, play};
use proptest::collection::vec;
use proptest::prelude::*;

const ROLES: usize = 3;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn idle<S: Subject>(subject: S) -> Scenario<S> {
    let roles = (0..ROLES).map(|process| Role { process, ops: Vec::new() }).collect();
    Scenario { name: "random", subject, roles, fails: false }
}

/// A role's operation, or now and then a death. Processes that are dead stay so.
fn plan<O: Clone + std::fmt::Debug + 'static>(ops: &'static [O]) -> impl Strategy<Value = Vec<Next<O>>> {
    let step = prop_oneof![
        12 => (0..ROLES, 0..ops.len()).prop_map(|(role, op)| Next::Do(role, ops[op].clone())),
        1 => (1..ROLES).prop_map(Next::Kill), // role 0 lives to see what is left
    ];
    vec(step, 1..60)
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn lock_one_at_a_time(plan in plan(LOCK_OPS), recursive: bool) {
        let played = play(&idle(LockSubject { recursive }), &plan);
        prop_assert!(played.is_ok(), "{played:?}");
    }

    #[test]
    fn value_one_at_a_time(plan in plan(VALUE_OPS), bytes in prop_oneof![Just(8usize), Just(16), Just(40)]) {
        let played = play(&idle(ValueSubject { bytes }), &plan);
        prop_assert!(played.is_ok(), "{played:?}");
    }

    #[test]
    fn array_one_at_a_time(
        plan in plan(SLICE_OPS),
        guarded in prop_oneof![Just(Guarded::Own), Just(Guarded::Given), Just(Guarded::GivenRecursive)],
    ) {
        let played = play(&idle(ArraySubject { guarded }), &plan);
        prop_assert!(played.is_ok(), "{played:?}");
    }
}

/// Two to four processes; a step one past the last operation kills its process.
fn program(target: Target) -> impl Strategy<Value = Vec<Steps>> {
    let steps = vec(0..target.ops(), 0..LONGEST);
    let dying = (vec(0..target.ops(), 0..LONGEST - 1), any::<bool>()).prop_map(move |(mut steps, dies)| {
        if dies {
            steps.push(target.ops());
        }
        steps
    });
    (dying, vec(steps, 1..4)).prop_map(|(first, mut rest)| {
        rest.insert(0, first);
        rest
    })
}

fn judged(target: Target, program: &[Steps]) -> Result<(), TestCaseError> {
    let helper = Helper { program: env!("CARGO_BIN_EXE_procession-world").into(), arguments: Vec::new() };
    match programs::run(&helper, target, program) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(story)) => Err(TestCaseError::fail(story)),
        Err(error) => Err(TestCaseError::fail(error.to_string())),
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn lock_between_processes(program in program(Target::Lock)) {
        judged(Target::Lock, &program)?;
    }

    #[test]
    fn rlock_between_processes(program in program(Target::RLock)) {
        judged(Target::RLock, &program)?;
    }

    #[test]
    fn value_between_processes(program in program(Target::Value)) {
        judged(Target::Value, &program)?;
    }

    #[test]
    fn wide_value_between_processes(program in program(Target::Wide)) {
        judged(Target::Wide, &program)?;
    }

    #[test]
    fn elements_between_processes(program in program(Target::Elements)) {
        judged(Target::Elements, &program)?;
    }

    #[test]
    fn queue_between_processes(program in program(Target::Queue)) {
        judged(Target::Queue, &program)?;
    }

    #[test]
    fn tasks_between_processes(program in program(Target::Tasks)) {
        judged(Target::Tasks, &program)?;
    }

    #[test]
    fn slices_between_processes(program in program(Target::Slices)) {
        judged(Target::Slices, &program)?;
    }
}
