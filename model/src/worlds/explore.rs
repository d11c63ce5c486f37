//! Running a scenario in a checking world: every schedule the world chooses, without a kill and with each kill in turn.

use super::checked::Checked;
use super::engine::{Engine, Loom, LoomRmw, Shuttle};
use super::kernel::{Execution, Kill, Killed, Trace};
use super::{Extent, Run, Setting, Violation, World, is_interrupted};
use crate::check::{Order, Verdict, check};
use crate::draw;
use crate::explorer::{self, Limits, Memory};
use crate::history::{Event, History, outcome};
use crate::scenario::{Scenario, Subject, owner};
use std::cell::Cell;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Instant;

/// The most states the judge may look at for one history.
const BUDGET: usize = 1_000_000;

/// Ends a run from within an execution.
struct Stop;

/// Asks an execution of whatever engine what has happened so far.
type Tracer<S> = Box<dyn Fn() -> Trace<<S as Subject>::Op, <S as Subject>::Answer> + Send>;

/// What all executions of a run share.
struct Shared<S: Subject> {
    scenario: Scenario<S>,
    setting: Setting,
    order: Order,
    kill: Option<Kill>,
    until: Instant,
    seen: Mutex<Seen<S>>,
}

struct Seen<S: Subject> {
    run: Run,
    /// Histories judged already: many executions differ only in what nobody outside can tell.
    judged: HashSet<History<S::Op, S::Answer>>,
    kill_reached: bool,
    /// The trace of the execution under way, for when the engine gives up on it.
    trace: Option<Tracer<S>>,
}

/// Runs the scenario.
pub fn run<S: Subject>(scenario: &Scenario<S>, setting: &Setting) -> Run
where
    S::Op: Eq + std::hash::Hash,
{
    if let World::Explorer(memory) = setting.world {
        return explored(scenario, setting, memory);
    }
    let started = Instant::now();
    let mut total = Run { extent: Some(Extent::Exhausted), ..Run::default() };
    let kills = scenario.processes().into_iter().filter(|_| setting.kills);
    let mut plans = vec![None];
    plans.extend(kills.map(|process| Some(Kill { process, access: 1 })));
    for plan in plans {
        let mut kill = plan;
        loop {
            let (run, reached) = run_with(scenario, setting, kill, started + setting.limit);
            let Some(next) = kill else {
                merge(&mut total, run);
                break;
            };
            if !reached && (run.holds() || setting.survey) {
                break; // the process never gets that far: what was explored is the run without a kill again
            }
            merge(&mut total, run);
            total.kill_points += 1;
            kill = Some(Kill { access: next.access + 1, ..next });
            if total.violation.is_some() && !setting.survey
                || Instant::now() > started + setting.limit
                || is_interrupted()
            {
                break;
            }
        }
        if total.violation.is_some() && !setting.survey {
            total.extent = None;
            break;
        }
    }
    if total.violation.is_none() && (Instant::now() > started + setting.limit || is_interrupted()) {
        total.extent = Some(Extent::Stopped);
    }
    total.took = started.elapsed();
    total
}

fn explored<S: Subject>(scenario: &Scenario<S>, setting: &Setting, memory: Memory) -> Run {
    let limits = Limits {
        memory,
        kills: setting.kills.into(),
        outcomes: setting.survey,
        mutant: setting.mutant,
        time: setting.limit,
        ..Limits::default()
    };
    let seen = explorer::explore(scenario, &limits);
    let extent = match (&seen.violation, seen.exhausted) {
        (Some(_), _) => None,
        (None, true) => Some(Extent::Exhausted),
        (None, false) => Some(Extent::Stopped),
    };
    Run {
        extent,
        executions: seen.states,
        kill_points: seen.kills,
        outcomes: seen.outcomes.into_iter().map(|outcome| (outcome, 1)).collect(),
        sites: seen.sites,
        violation: seen.violation,
        took: seen.took,
    }
}

fn merge(total: &mut Run, run: Run) {
    total.extent = total.extent.zip(run.extent).map(|(all, one)| all.and(one));
    total.executions += run.executions;
    total.sites.extend(run.sites);
    for (outcome, times) in run.outcomes {
        *total.outcomes.entry(outcome).or_default() += times;
    }
    total.violation = total.violation.take().or(run.violation);
}

fn run_with<S: Subject>(scenario: &Scenario<S>, setting: &Setting, kill: Option<Kill>, until: Instant) -> (Run, bool)
where
    S::Op: Eq + std::hash::Hash,
{
    silence_panics();
    // loom's loads may be stale, so that real time means nothing there.
    let order = if matches!(setting.world, World::Loom(_)) { Order::Program } else { Order::RealTime };
    let seen = Seen { run: Run::default(), judged: HashSet::new(), kill_reached: false, trace: None };
    let (scenario, setting) = (scenario.clone(), *setting);
    let shared = Arc::new(Shared { scenario, setting, order, kill, until, seen: Mutex::new(seen) });
    let result = {
        let shared = shared.clone();
        QUIET.with(|quiet| quiet.set(true));
        let result = catch_unwind(AssertUnwindSafe(move || engine_run(&shared)));
        QUIET.with(|quiet| quiet.set(false));
        result
    };
    let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
    let mut run = std::mem::take(&mut seen.run);
    match result {
        _ if run.violation.is_some() && !shared.setting.survey => run.extent = None,
        Ok(extent) => run.extent = Some(extent),
        Err(payload) if payload.is::<Stop>() => run.extent = Some(Extent::Stopped),
        Err(payload) if ran_out(&message(payload.as_ref())) => run.extent = Some(Extent::Stopped),
        Err(payload) => {
            let story = seen.trace.take().map(|trace| draw::story(&trace().story, shared.scenario.roles.len()));
            let what = message(payload.as_ref());
            run.violation = Some(Violation { what, story: story.unwrap_or_default(), switches: 0 });
            run.extent = None;
        }
    }
    (run, seen.kill_reached)
}

/// Whether an engine gave up for lack of room, not because anything is wrong.
fn ran_out(message: &str) -> bool {
    message.contains("maximum number of branches") || message.contains("max_steps")
}

/// What an engine says when it gives up: its first line.
fn message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("panicked");
    let line = text.lines().next().unwrap_or_default();
    if line.to_lowercase().contains("deadlock") { "everybody left sleeps for ever".into() } else { line.to_owned() }
}

fn engine_run<S: Subject>(shared: &Arc<Shared<S>>) -> Extent
where
    S::Op: Eq + std::hash::Hash,
{
    match shared.setting.world {
        World::Loom(bound) => loom_run::<Loom, S>(shared, bound),
        World::LoomRmw(bound) => loom_run::<LoomRmw, S>(shared, bound),
        World::ShuttleDfs(most) => {
            let ran = shuttle_run(shared, shuttle::scheduler::DfsScheduler::new(Some(most), false));
            if ran < most { Extent::Exhausted } else { Extent::Stopped }
        }
        World::ShuttlePct(depth, schedules) => {
            shuttle_run(shared, shuttle::scheduler::PctScheduler::new_from_seed(SEED, depth, schedules));
            Extent::Sampled
        }
        // It has no executions, and is asked elsewhere.
        World::Explorer(_) => Extent::Stopped,
        World::ShuttleRandom(schedules) => {
            shuttle_run(shared, shuttle::scheduler::RandomScheduler::new_from_seed(SEED, schedules));
            Extent::Sampled
        }
    }
}

/// A sample must be the same every time.
const SEED: u64 = 0x5eed;

fn loom_run<E: Engine, S: Subject>(shared: &Arc<Shared<S>>, bound: Option<usize>) -> Extent
where
    S::Op: Eq + std::hash::Hash,
{
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = bound;
    builder.max_branches = 10_000;
    builder.max_permutations = None;
    builder.max_duration = None; // it would return as if it had finished; we stop by unwinding instead
    builder.checkpoint_interval = usize::MAX;
    builder.checkpoint_file = None;
    builder.log = false;
    builder.location = false;
    let shared = shared.clone();
    builder.check(move || execute::<E, S>(&shared));
    bound.map_or(Extent::Exhausted, Extent::Bounded)
}

fn shuttle_run<S: Subject>(shared: &Arc<Shared<S>>, scheduler: impl shuttle::scheduler::Scheduler + 'static) -> usize
where
    S::Op: Eq + std::hash::Hash,
{
    let config = shuttle_config();
    let shared = shared.clone();
    shuttle::Runner::new(scheduler, config).run(move || execute::<Shuttle, S>(&shared))
}

fn shuttle_config() -> shuttle::Config {
    let mut config = shuttle::Config::new();
    config.failure_persistence = shuttle::FailurePersistence::None;
    config.silence_warnings = true;
    config.stack_size = 0x2_0000;
    config
}

/// One execution.
fn execute<E: Engine, S: Subject>(shared: &Arc<Shared<S>>)
where
    S::Op: Eq + std::hash::Hash,
{
    type Platform<E, S> = Checked<E, <S as Subject>::Op, <S as Subject>::Answer>;
    let scenario = &shared.scenario;
    let roles = scenario.roles.len();
    let execution =
        Arc::new(Execution::<E, S::Op, S::Answer>::new(roles, scenario.threads(), shared.kill, shared.setting.mutant));
    {
        let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.run.violation.is_some() && !shared.setting.survey {
            return; // the rest of a sample, after its end
        }
        if Instant::now() > shared.until || is_interrupted() {
            drop(seen);
            resume_unwind(Box::new(Stop));
        }
        seen.run.executions += 1;
        let execution = execution.clone();
        seen.trace = Some(Box::new(move || execution.trace()));
    }
    let state = Arc::new(scenario.subject.build::<Platform<E, S>>());
    let role = |role: usize| {
        let (scenario, execution, state) = (scenario.clone(), execution.clone(), state.clone());
        move || play::<E, S>(&scenario, &execution, &state, role)
    };
    let timed: Vec<usize> =
        (0..roles).filter(|role| scenario.roles[*role].ops.iter().any(|op| scenario.subject.is_timed(op))).collect();
    let mut handles: Vec<E::Handle> = (1..roles).map(|other| E::spawn(role(other))).collect();
    if !timed.is_empty() {
        let execution = execution.clone();
        handles.push(E::spawn(move || timed.into_iter().for_each(|role| execution.expire(role))));
    }
    role(0)();
    handles.into_iter().for_each(E::join);
    judge(shared, &execution.trace());
}

/// Plays one role to its end, or to its death.
fn play<E: Engine, S: Subject>(
    scenario: &Scenario<S>,
    execution: &Arc<Execution<E, S::Op, S::Answer>>,
    state: &S::Shared<Checked<E, S::Op, S::Answer>>,
    role: usize,
) {
    let actor = scenario.actor(role);
    let platform = Checked { execution: execution.clone(), actor };
    let played = catch_unwind(AssertUnwindSafe(|| {
        let mut local = S::Local::default();
        for op in &scenario.roles[role].ops {
            if scenario.subject.leaves_out(&local, op) {
                continue;
            }
            execution.record(actor, Event::Call(actor, op.clone()));
            let Some(answer) = scenario.subject.apply(state, &platform, owner(actor), &mut local, op) else {
                panic!("{op:?} was refused as no specification allows");
            };
            execution.record(actor, Event::Return(actor, answer));
        }
    }));
    match played {
        Err(payload) if !payload.is::<Killed>() => resume_unwind(payload),
        _ => execution.leave(actor.process),
    }
}

/// Judges an execution that has come to its end.
fn judge<S: Subject>(shared: &Shared<S>, trace: &Trace<S::Op, S::Answer>)
where
    S::Op: Eq + std::hash::Hash,
{
    let roles = shared.scenario.roles.len();
    let history = trace.history();
    let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.kill_reached |= trace.kill_reached;
    seen.run.sites.extend(&trace.sites);
    // An execution that ended before its kill came is one of the run without a kill.
    if shared.kill.is_none() || trace.kill_reached {
        *seen.run.outcomes.entry(outcome(&history, roles)).or_default() += 1;
    }
    if seen.judged.contains(&history) {
        return;
    }
    let what = match check(&shared.scenario.subject.spec(), &history, shared.order, BUDGET) {
        Verdict::Ok(_) => {
            seen.judged.insert(history);
            return;
        }
        Verdict::Illegal(_) => "no order of the operations explains the answers",
        Verdict::Unknown => {
            drop(seen);
            resume_unwind(Box::new(Stop)); // nothing is known to be wrong
        }
    };
    let switches = draw::switches(&trace.story);
    if seen.run.violation.as_ref().is_none_or(|known| switches < known.switches) {
        let story = draw::story(&trace.story, roles);
        seen.run.violation = Some(Violation { what: what.into(), story, switches });
    }
    drop(seen);
    if shared.setting.survey {
        return;
    }
    // shuttle reports every unwinding to the terminal: the rest of a sample is skipped instead.
    if !matches!(shared.setting.world, World::ShuttlePct(..) | World::ShuttleRandom(_)) {
        resume_unwind(Box::new(Stop));
    }
}

thread_local!(static QUIET: Cell<bool> = const { Cell::new(false) });

/// A panic inside a run is an answer, not news for the terminal.
fn silence_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // shuttle puts in a hook of its own at its first run, which must come below ours.
        let scheduler = shuttle::scheduler::RandomScheduler::new(1);
        shuttle::Runner::new(scheduler, shuttle_config()).run(|| ());
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.with(Cell::get) {
                before(info);
            }
        }));
    });
}
