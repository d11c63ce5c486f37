//! The explorer itself: it sees what others see, and more; it comes to its end where it says so; it notices what is broken.

use procession::algorithm::Owner;
use procession::platform::{Access, Site};
use procession_model::explore::{scenario, scenarios};
use procession_model::explorer::{Explored, Limits, Memory, explore};
use procession_model::faults::{Expected, faults};
use procession_model::mutants::{Break, all, family};
use procession_model::scenario::{ModelPlatform, Scenario, Subject};
use procession_model::spec::{Actor, Spec};
use procession_model::worlds::{Extent, Setting, World};
use std::collections::BTreeSet;
use std::time::Duration;

fn explored(name: &str, limits: &Limits) -> Explored {
    let explored = scenario(name).unwrap().explore(limits);
    if let Some(violation) = &explored.violation {
        panic!("{name}: {}\n{}", violation.what, violation.story);
    }
    explored
}

fn with_a_kill() -> Limits {
    Limits { kills: 1, time: Duration::from_secs(300), ..Limits::default() }
}

/// Everything that can come out, with every process killed at every moment: the same as in loom-rmw and in shuttle, wherever
/// those come to their end. (Threads that die together are another matter: loom takes its kills at accesses, one by one. For
/// the same reason nobody dies there who has nothing more to do.)
#[test]
fn outcomes_are_those_of_loom_rmw_and_shuttle() {
    let (mut by_loom, mut by_shuttle) = (0, 0);
    for scenario in scenarios().iter().filter(|scenario| scenario.roles() == 2 && !scenario.fails()) {
        for kills in [false, true] {
            if kills && scenario.processes() < 2 {
                continue;
            }
            let limits =
                Limits { kills: kills.into(), idle_kills: false, outcomes: true, spurious: 0, ..Limits::default() };
            let ours = explored(scenario.name(), &limits);
            assert!(ours.exhausted, "{}", scenario.name());
            let setting =
                |world| Setting { kills, survey: true, limit: Duration::from_millis(400), ..Setting::new(world) };
            for (world, count) in [(World::LoomRmw(None), &mut by_loom), (World::ShuttleDfs(20_000), &mut by_shuttle)] {
                let run = scenario.run(&setting(world));
                let theirs: BTreeSet<String> = run.outcomes.keys().cloned().collect();
                if run.extent == Some(Extent::Exhausted) {
                    assert_eq!(ours.outcomes, theirs, "{} in {world}, kills: {kills}", scenario.name());
                    *count += 1;
                } else {
                    assert!(theirs.is_subset(&ours.outcomes), "{} in {world}, kills: {kills}", scenario.name());
                }
            }
        }
    }
    assert!(by_loom >= 30 && by_shuttle >= 10, "only {by_loom} and {by_shuttle} ended");
}

/// What an algorithm says of its loop heads is true: whoever does not believe it sees more states, and the same outcomes.
#[test]
fn loop_heads_say_the_truth() {
    for name in [
        "lock-lock",
        "lock-lock-twice",
        "lock-timeout",
        "rlock-try",
        "wide-set-get",
        "raw-add-add",
        "pipe-batch",
        "pipe-try",
        "pipe-fragments",
        "pipe-send-timeout",
        "pipe-recv-timeout-fragments",
        "queue-put-get-twice",
        "queue-both",
        "queue-try",
        "queue-put-timeout",
        "queue-close-put",
        "queue-close-discard",
        "joinable-done-join",
        "joinable-put-join",
        "joinable-join-timeout",
        "joinable-acknowledge-join",
        "joinable-unfinished",
        "joinable-threads",
    ] {
        let believing = Limits { outcomes: true, ..with_a_kill() };
        let (with, without) = (explored(name, &believing), explored(name, &Limits { loop_heads: false, ..believing }));
        assert!(with.exhausted && without.exhausted, "{name}");
        assert!(with.states <= without.states, "{name}");
        assert_eq!(with.outcomes, without.outcomes, "{name}");
    }
    let count = |loop_heads| explored("lock-lock-lock", &Limits { loop_heads, ..with_a_kill() }).states;
    assert!(2 * count(true) < count(false), "loop heads are worth something");
}

/// Putters, getters and whoever closes, with room for one message and for two.
#[test]
fn queues_killed_anywhere() {
    for (name, least) in [
        ("queue-2-1", 500_000),
        ("queue-1-2", 2_000_000),
        ("queue-x3", 40_000),
        ("queue-x3-room", 40_000),
        ("queue-close-all", 100_000),
    ] {
        let explored = explored(name, &with_a_kill());
        assert!(explored.exhausted, "{name}");
        assert!(explored.states >= least, "{name}: only {} states", explored.states);
        assert!(explored.kills > 1000, "{name}: only {} kills", explored.kills);
    }
}

/// The sizes that are explored in full, said outright.
#[test]
fn four_processes_killed_anywhere() {
    for (name, least) in [
        ("lock-x4", 1_000_000),
        ("lock-x3-twice", 300_000),
        ("rlock-x3", 50_000),
        ("wide-writers-reader", 1_000_000),
        ("pipe-next-receiver", 2_000_000),
    ] {
        let explored = explored(name, &with_a_kill());
        assert!(explored.exhausted, "{name}");
        assert!(explored.states >= least, "{name}: only {} states", explored.states);
        assert!(explored.kills > 1000, "{name}: only {} kills", explored.kills);
    }
}

/// Three messages with fragments, with room for one record and for two, in every memory.
#[test]
fn a_sender_and_a_receiver_killed_anywhere() {
    for (name, least) in [("pipe-x3", 20_000), ("pipe-x3-room", 90_000), ("pipe-batch-fragments", 50_000)] {
        for memory in [Memory::Sc, Memory::Tso, Memory::Race] {
            let explored = explored(name, &Limits { memory, ..with_a_kill() });
            assert!(explored.exhausted, "{name} in {memory:?}");
            assert!(explored.states >= least, "{name} in {memory:?}: only {} states", explored.states);
            assert!(explored.kills > 1000, "{name} in {memory:?}: only {} kills", explored.kills);
        }
    }
}

/// A search that stops early says so.
#[test]
fn a_stopped_search_is_not_exhausted() {
    let few = explored("lock-x4", &Limits { states: 1000, ..with_a_kill() });
    assert!(!few.exhausted && few.states >= 1000);
    let short = explored("lock-x4", &Limits { time: Duration::ZERO, ..with_a_kill() });
    assert!(!short.exhausted && short.states > 0);
}

/// Every wake, fence and question that is left out, and every second look that is skipped, is noticed here, too. (Orderings are
/// not: to this memory they are all the same.)
#[test]
fn what_is_left_out_is_noticed() {
    // In TSO a fence of C11 costs nothing and does nothing, and a light one neither; and a heavy one does nothing beside a
    // read-modify-write, as of whoever registers to join: only loom can miss those.
    let left_to_loom = [
        "value.read_fence",
        "value.write_fence",
        "ring.gone",
        "ring.light",
        "fences.light",
        "join.heavy",
        "join.light",
    ];
    let judged = |name: &str| !left_to_loom.contains(&name);
    let mut noticed = 0;
    for mutant in all() {
        if matches!(mutant.how, Break::Weaken(_)) || !judged(mutant.site) {
            continue;
        }
        let family = family(mutant.site);
        let mut scenarios = scenarios();
        scenarios.retain(|scenario| !scenario.fails());
        scenarios.sort_by_key(|scenario| (!scenario.name().starts_with(family), scenario.roles()));
        let found = scenarios.iter().any(|scenario| {
            [Memory::Sc, Memory::Tso].into_iter().any(|memory| {
                let limits = Limits { memory, mutant: Some(mutant), ..with_a_kill() };
                scenario.explore(&limits).violation.is_some()
            })
        });
        assert!(found, "nobody noticed {mutant}");
        noticed += 1;
    }
    assert!(noticed >= 6, "only {noticed} mutants");
}

/// An ordering that is weaker than it must be leaves something unordered that claims to be ordered, whatever value comes out.
#[test]
fn a_missing_ordering_is_a_race() {
    let mut noticed = Vec::new();
    for mutant in all().into_iter().filter(|mutant| matches!(mutant.how, Break::Weaken(_))) {
        let found = ["lock-lock", "lock-lock-lock", "rlock-try", "wide-add-add", "array-guard-read", "pipe-send-recv"]
            .iter()
            .any(|name| {
                let limits = Limits { memory: Memory::Race, mutant: Some(mutant), ..with_a_kill() };
                let explored = scenario(name).unwrap().explore(&limits);
                explored.violation.is_some_and(|violation| violation.what.contains("claims to be ordered"))
            });
        noticed.extend(found.then(|| mutant.to_string()));
    }
    // The others are between words that claim nothing: loom finds those.
    let locks = ["lock.enter Relaxed", "lock.enter_slow Relaxed", "lock.leave Relaxed"];
    assert_eq!(noticed, [&locks[..], &["ring.commit Relaxed", "ring.see_tail Relaxed"]].concat());
}

/// Two that are too polite: each raises its flag, sees the other's, and lowers its own again.
#[derive(Clone, Copy)]
enum Waiting {
    /// Until the other does not want to; both may go round for ever.
    Politely,
    /// Until the other has come, which it will.
    ForTheOther,
    /// Until somebody comes, whom there is not.
    ForNobody,
}

static FLAG: Site = Site::plain("test.flag", Access::Modify, "a test's");

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Nothing;

impl Spec for Nothing {
    type Op = ();
    type Answer = ();
    fn step(&self, _actor: Actor, (): &()) -> Vec<((), Nothing)> {
        vec![((), Nothing)]
    }
    fn died(&self, _process: usize) -> Nothing {
        Nothing
    }
}

impl Subject for Waiting {
    type Spec = Nothing;
    type Op = ();
    type Answer = ();
    type Shared<P: ModelPlatform> = [P::Word<u32>; 3];
    type Local = ();

    fn spec(&self) -> Nothing {
        Nothing
    }
    fn build<P: ModelPlatform>(&self) -> Self::Shared<P> {
        [P::word(0), P::word(0), P::word(0)]
    }
    fn apply<P: ModelPlatform>(
        &self,
        flags: &Self::Shared<P>,
        platform: &P,
        me: Owner,
        (): &mut (),
        (): &(),
    ) -> Option<()> {
        let mine = me.peer as usize - 1;
        let other = match self {
            Waiting::ForNobody => 2,
            _ => 1 - mine,
        };
        loop {
            platform.loop_head(&[]);
            platform.swap(&flags[mine], 1, &FLAG);
            let raised = platform.fetch_add(&flags[other], 0, &FLAG) == 1;
            let goes_on = match self {
                Waiting::Politely => platform.swap(&flags[mine], 0, &FLAG) == 1 && raised,
                Waiting::ForTheOther | Waiting::ForNobody => !raised,
            };
            if !goes_on {
                return Some(());
            }
        }
    }
    fn leaves_out(&self, (): &(), (): &()) -> bool {
        false
    }
}

/// A search that has seen every state also knows who can run for ever: the circle is drawn. Whoever waits for somebody who
/// will come is not stuck, however long others may let him wait.
#[test]
fn running_for_ever_is_seen() {
    let explored = |waiting| explore(&Scenario::new("waiting", waiting, [&[()], &[()]]), &Limits::default());
    let polite = explored(Waiting::Politely).violation.expect("a circle");
    assert_eq!(polite.what, "from here everybody can run for ever and nobody gets on");
    assert!(polite.story.contains("round again"), "{}", polite.story);
    let alone = explored(Waiting::ForNobody).violation.expect("a dead end");
    assert_eq!(alone.what, "from here nobody can ever come to an end");
    let patient = explored(Waiting::ForTheOther);
    assert!(patient.exhausted && patient.violation.is_none());
}

/// Two threads see what one sees, in the same order: every count and every story, also where something is wrong, or the search
/// stops.
#[test]
fn two_threads_see_what_one_sees() {
    let said = |explored: Explored| {
        let story = explored.violation.map(|violation| violation.story);
        (explored.exhausted, explored.states, explored.transitions, explored.kills, explored.longest, story)
    };
    for limits in [with_a_kill(), Limits { states: 123_456, ..with_a_kill() }] {
        for name in ["lock-x3-twice", "value-x3", "array-x3"] {
            let with = |threads| said(explored(name, &Limits { threads, ..limits }));
            assert_eq!(with(1), with(2), "{name}");
        }
    }
    let is_large = |explored: &Explored| explored.states > 60_000;
    let mut found = 0;
    for fault in faults().iter().filter(|fault| fault.expected != Expected::Holds) {
        let with = |threads| fault.explore_with(|limits| Limits { threads, ..limits });
        let one = with(1);
        found += u32::from(is_large(&one));
        assert_eq!(said(one), said(with(2)), "{}", fault.name);
    }
    assert!(found > 0, "nothing is wrong in a large search");
}
