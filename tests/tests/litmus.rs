//! The checkers checked: programs whose outcomes are known, and random ones, in every engine.

use procession::platform::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use procession_model::explorer::{self, Limits, explore};
use procession_model::litmus::engine::Engine;
use procession_model::litmus::interpreter::{Memory, Outcomes};
use procession_model::litmus::suite::{Litmus, suite};
use procession_model::litmus::{Instruction, Program, Words};
use procession_model::scenario::{Role, Scenario};
use procession_model::worlds::World;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use std::cell::Cell;
use std::fmt::Write;
use std::sync::LazyLock;

const SC: Engine = Engine::Interpreter(Memory::Sc, 0);
const TSO: Engine = Engine::Interpreter(Memory::Tso, 0);
const LOOM: Engine = Engine::World(World::Loom(None));

/// What each engine sees of each program of the suite; it takes a while, and several tests ask.
static SEEN: LazyLock<Vec<(Litmus, Vec<Option<Outcomes>>)>> = LazyLock::new(|| {
    let seen = |litmus: Litmus| {
        let outcomes = Engine::ALL.map(|engine| engine.outcomes(&litmus.program)).to_vec();
        (litmus, outcomes)
    };
    suite().into_iter().map(seen).collect()
});

fn seen_by(engine: Engine, outcomes: &[Option<Outcomes>]) -> &Option<Outcomes> {
    &outcomes[Engine::ALL.iter().position(|known| *known == engine).unwrap()]
}

/// The engines that are sequentially consistent say what is sequentially consistent, and all the same; so do those of TSO.
#[test]
fn engines_allow_what_is_allowed() {
    let mut unfinished = Vec::new();
    for (litmus, outcomes) in SEEN.iter() {
        for (index, engine) in Engine::ALL.into_iter().enumerate().filter(|(_, engine)| *engine != LOOM) {
            let is_tso = matches!(engine, TSO | Engine::Explorer(explorer::Memory::Tso, _));
            let Some(seen) = &outcomes[index] else {
                unfinished.push((litmus.name, engine.to_string()));
                continue;
            };
            let (allowed, known) = if is_tso { (litmus.tso, TSO) } else { (litmus.sc, SC) };
            assert_eq!(litmus.is_in(seen), allowed, "{} in {engine}: {}", litmus.name, litmus.program);
            assert_eq!(Some(seen), seen_by(known, outcomes).as_ref(), "{} in {engine}", litmus.name);
        }
    }
    // Its beds are locks and condition variables, each step of which it may turn anywhere.
    let shuttle = || "shuttle-dfs".to_owned();
    assert_eq!(unfinished, [("two-sleepers-two-woken", shuttle()), ("wake-handed-on", shuttle())]);
}

/// Where stock loom says something else than C11 (with the asymmetric fences as the seam promises them), and why.
const LOOM_DIFFERS: &[(&str, bool, &str)] = &[
    ("sb-seqcst", true, "a sequentially consistent access acquires and releases, and no more: rule 3 of the seam"),
    ("sb-light-light", false, "a light fence is a full one"),
    ("sb-light-light-heavy", false, "a light fence is a full one"),
    ("lb", false, "no load sees a store that comes later"),
    ("iriw-seqcst", true, "a sequentially consistent access acquires and releases, and no more: rule 3 of the seam"),
    ("swap-store", true, "a store may come between what a modification read and what it wrote"),
    ("read-then-write", false, "a thread that reads a word and writes it later does both before others read it"),
];

/// No others, and none of these has gone: an engine that was mended would let us say more.
#[test]
fn stock_loom_differs_where_it_is_known_to() {
    let differs = SEEN.iter().filter_map(|(litmus, outcomes)| {
        let sees = litmus.is_in(seen_by(LOOM, outcomes).as_ref().unwrap());
        (sees != litmus.c11).then_some((litmus.name, sees))
    });
    let known = LOOM_DIFFERS.iter().map(|(name, sees, _)| (*name, *sees));
    assert_eq!(differs.collect::<Vec<_>>(), known.collect::<Vec<_>>());
}

/// Who sees what is asked for: `?` where an engine gives up first.
#[test]
fn the_table() {
    let mut out = format!("{:24}", "");
    Engine::ALL.iter().for_each(|engine| write!(out, "{:17}", engine.to_string()).unwrap());
    out += "C11\n";
    let word = |sees| if sees { "sees" } else { "·" };
    for (litmus, outcomes) in SEEN.iter() {
        write!(out, "{:24}", litmus.name).unwrap();
        for seen in outcomes {
            let cell = seen.as_ref().map_or("?", |seen| word(litmus.is_in(seen)));
            write!(out, "{cell:17}").unwrap();
        }
        writeln!(out, "{:8}{:?} in {}", word(litmus.c11), litmus.asked, litmus.program).unwrap();
    }
    insta::assert_snapshot!(out);
}

/// The end of an operation is a fence to the explorer: what one does of a thread's operations, it does not do across two.
#[test]
fn two_operations_are_ordered_in_the_explorer() {
    let program: Program = "x = 1; y | y = 1; x".parse().unwrap();
    let role = |(process, thread): (usize, &Vec<Instruction>)| Role {
        process,
        ops: thread.iter().map(|instruction| vec![*instruction]).collect(),
    };
    let roles = program.threads.iter().enumerate().map(role).collect();
    let split = Scenario { name: "sb-split", subject: Words(2), roles, fails: false };
    let limits = Limits { memory: explorer::Memory::Tso, outcomes: true, ..Limits::default() };
    let weak = |outcome: &String| outcome.split_whitespace().collect::<Vec<_>>() == ["0", "|", "0"];
    assert!(!explore(&split, &limits).outcomes.iter().any(weak));
    assert!(explore(&program.scenario("sb"), &limits).outcomes.iter().any(weak));
}

/// Who does not look again after a sleep believes a wake-up that meant nothing.
#[test]
fn a_wake_up_for_no_reason() {
    let told = |text: &str, spurious| {
        let program: Program = text.parse().unwrap();
        let engines = [Engine::Explorer(explorer::Memory::Tso, spurious), Engine::Interpreter(Memory::Tso, spurious)];
        let [ours, known] = engines.map(|engine| engine.outcomes(&program).unwrap());
        assert_eq!(ours, known, "{text}");
        ours.read
    };
    let (look, no_look) = ("x = 1; y = 1; wake(y, 1) | await(y, 0); x", "x = 1; y = 1; wake(y, 1) | wait(y, 0); x");
    assert!(told(no_look, 1).contains(" | 0 0") && !told(no_look, 0).contains(" | 0 0"));
    assert_eq!(told(look, 1), told(look, 0));
}

/// How often there is a load, a store, a modification, a fence, and something of the futex.
type Weights = [u32; 5];

const PLAIN: Weights = [8, 8, 0, 1, 0];
const MIXED: Weights = [8, 8, 2, 2, 0];
const FUTEX: Weights = [5, 5, 1, 1, 5];

fn instruction(words: usize, weights: Weights) -> impl Strategy<Value = Instruction> {
    let of = |orderings: &'static [Ordering]| prop::sample::select(orderings);
    let load = (0..words, of(&[Relaxed, Relaxed, Acquire])).prop_map(|(word, how)| Instruction::Load(word, how));
    let store = (0..words, 1..3u32, of(&[Relaxed, Relaxed, Relaxed, Release, SeqCst]));
    let store = store.prop_map(|(word, value, how)| Instruction::Store(word, value, how));
    let modify = (0..words, 0..3u32, 1..3u32, of(&[Relaxed, AcqRel]), 0..3);
    let modify = modify.prop_map(|(word, current, new, how, kind)| match kind {
        0 => Instruction::Swap(word, new, how),
        1 => Instruction::CompareExchange(word, current, new, how),
        _ => Instruction::FetchAdd(word, new, how),
    });
    let fence = prop_oneof![
        of(&[Acquire, Release, AcqRel, SeqCst, SeqCst]).prop_map(Instruction::Fence),
        Just(Instruction::LightFence),
        Just(Instruction::HeavyFence),
    ];
    let sleep = (0..words, 0..2u32, 1..3u32, 0..5).prop_map(|(word, expected, count, kind)| match kind {
        0 => Instruction::Wait(word, expected),
        1 => Instruction::Await(word, expected, Relaxed),
        _ => Instruction::Wake(word, count),
    });
    let [loads, stores, modifications, fences, sleeps] = weights;
    prop_oneof![loads => load, stores => store, modifications => modify, fences => fence, sleeps => sleep]
}

/// A program of some threads, each with up to `longest` instructions, on one or two words. Where there is sleep, half of the
/// programs end with something that ends most sleeps.
fn program(threads: usize, longest: usize, weights: Weights) -> impl Strategy<Value = Program> {
    let words = prop_oneof![1 => Just(1usize), 3 => Just(2)];
    words.prop_flat_map(move |words| {
        let least = if weights == PLAIN { 2 } else { 1 };
        let thread = vec(instruction(words, weights), least..=longest);
        (vec(thread, threads), any::<bool>()).prop_map(move |(mut threads, ends)| {
            if ends && weights == FUTEX {
                let end = |word| [Instruction::Store(word, 2, Relaxed), Instruction::Wake(word, 2)];
                threads[0].extend((0..words).flat_map(end));
            }
            Program { words, threads }
        })
    })
}

/// The same programs every time; of one that is wrong, the smallest.
fn of_many(programs: u32, strategy: impl Strategy<Value = Program>, wrong: impl Fn(&Program) -> Result<(), String>) {
    let config = ProptestConfig { cases: programs, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let result = runner
        .run(&strategy, |program| wrong(&program).map_err(|what| TestCaseError::fail(format!("{program}\n{what}"))));
    result.unwrap_or_else(|error| panic!("{error}"));
}

fn same(program: &Program, engine: Engine, known: &Outcomes) -> Result<bool, String> {
    let Some(seen) = engine.outcomes(program) else { return Ok(false) };
    if seen == *known { Ok(true) } else { Err(format!("{engine}: {seen:?}\nknown: {known:?}")) }
}

fn count(counter: &Cell<u32>, counts: bool) {
    counter.set(counter.get() + u32::from(counts));
}

/// The explorer sees what the interpreter sees: in both memories, with and without loop heads and spurious wake-ups.
#[test]
fn the_explorer_is_the_interpreter() {
    let (sleeping, weak, unforced) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let families = [(2, 4, PLAIN), (3, 3, PLAIN), (2, 4, MIXED), (3, 3, MIXED), (2, 3, FUTEX), (3, 2, FUTEX)];
    for (threads, longest, weights) in families {
        of_many(1000, program(threads, longest, weights), |program| {
            let read: Program = program.to_string().parse().map_err(|error| format!("{error:?}"))?;
            if read.threads != program.threads {
                return Err(format!("reads as {read}"));
            }
            let memories = [
                (Memory::Sc, explorer::Memory::Sc),
                (Memory::Sc, explorer::Memory::Race), // which only adds its clocks
                (Memory::Tso, explorer::Memory::Tso),
            ];
            for (theirs, ours) in memories {
                let known = Engine::Interpreter(theirs, 0).outcomes(program).ok_or("?")?;
                same(program, Engine::Explorer(ours, 0), &known)?;
                same(program, Engine::ExplorerWithoutHeads(ours), &known)?;
                count(&sleeping, known.sleeps);
                count(&weak, theirs == Memory::Tso && SC.outcomes(program).ok_or("?")? != known);
                let spurious = Engine::Interpreter(theirs, 1).outcomes(program).ok_or("?")?;
                same(program, Engine::Explorer(ours, 1), &spurious)?;
                count(&unforced, spurious != known);
            }
            Ok(())
        });
    }
    let [sleeping, weak, unforced] = [sleeping, weak, unforced].map(Cell::into_inner);
    println!("{sleeping} can sleep for ever, {weak} are weak, {unforced} heed a wake-up for no reason");
    assert!(sleeping > 500 && weak > 50 && unforced > 20, "these programs ask too little");
}

/// loom-rmw and shuttle, wherever they end, see what the interpreter sees.
#[test]
fn loom_rmw_and_shuttle_are_the_interpreter() {
    for world in [World::LoomRmw(None), World::ShuttleDfs(3_000)] {
        let (ended, all) = (Cell::new(0), Cell::new(0));
        let started = std::time::Instant::now();
        let families = [(400, 2, 3, MIXED), (60, 3, 2, MIXED), (400, 2, 3, FUTEX), (50, 3, 1, FUTEX)];
        for (programs, threads, longest, weights) in families {
            of_many(programs, program(threads, longest, weights), |program| {
                let known = SC.outcomes(program).ok_or("?")?;
                count(&ended, same(program, Engine::World(world), &known)?);
                count(&all, true);
                Ok(())
            });
        }
        let (ended, all) = (ended.into_inner(), all.into_inner());
        println!("{world}: {ended} of {all} programs in {:?}", started.elapsed());
        assert!(10 * ended > 9 * all, "{world} ended {ended} of {all} programs");
    }
}

/// Whether a word is both modified and stored to.
fn modifies_and_stores(program: &Program) -> bool {
    use Instruction::{CompareExchange, FetchAdd, Store, Swap};
    let instructions = || program.threads.iter().flatten();
    (0..program.words).any(|word| {
        let on_word = || instructions().filter(|instruction| instruction.word() == Some(word));
        on_word().any(|instruction| matches!(instruction, Store(..)))
            && on_word().any(|instruction| matches!(instruction, Swap(..) | CompareExchange(..) | FetchAdd(..)))
    })
}

/// Stock loom loses outcomes that any machine shows. With a full fence between every two instructions it invents none, but
/// where it lets a store come into the middle of a modification.
#[test]
fn stock_loom_loses_outcomes_and_invents_few() {
    let [lost, more, fenced_lost, fenced_more] = [const { Cell::new(0) }; 4];
    for (programs, threads, longest, weights) in [(300, 2, 3, PLAIN), (200, 2, 3, MIXED), (15, 3, 2, MIXED)] {
        of_many(programs, program(threads, longest, weights), |program| {
            let known = SC.outcomes(program).ok_or("?")?;
            let seen = LOOM.outcomes(program).ok_or("?")?;
            count(&lost, !known.read.is_subset(&seen.read));
            count(&more, !seen.read.is_subset(&known.read));
            let fenced = program.with_between(Instruction::Fence(SeqCst));
            let seen = LOOM.outcomes(&fenced).ok_or("?")?;
            count(&fenced_lost, !known.read.is_subset(&seen.read));
            let invented = !seen.read.is_subset(&known.read);
            count(&fenced_more, invented);
            if !invented || modifies_and_stores(program) { Ok(()) } else { Err(format!("{seen:?}\nknown: {known:?}")) }
        });
    }
    let [lost, more, fenced_lost, fenced_more] = [lost, more, fenced_lost, fenced_more].map(Cell::into_inner);
    println!("without fences {lost} lose and {more} gain, with fences {fenced_lost} lose and {fenced_more} gain");
    assert!(lost > 0 && fenced_lost > 0, "stock loom has been mended: say so");
    assert!(more > 0 && fenced_more > 0);
}
