//! The story of a path: the steps again, one after the other, with what each did.

use super::machine::{self, Machine, Move};
use super::replay::What;
use super::roles::Told;
use super::state::State;
use crate::draw;
use crate::history::Event;
use crate::scenario::Subject;
use crate::worlds::Violation;
use crate::worlds::kernel::{Line, Step};

/// A way round, state by state, by their numbers; and the numbers of states.
pub(super) type Circle<'a> = (&'a [u32], &'a dyn Fn(&State) -> Option<u32>);

/// Draws what went wrong at the end of a path; where it goes round in circles from there, the circle, too.
pub(super) fn violation<S: Subject>(
    machine: &mut Machine<S>,
    first: &State,
    path: &[Move],
    (circle, number): Circle<'_>,
    what: &str,
) -> Violation {
    let mut lines = Vec::new();
    let mut state = first.clone();
    let mut steps = Vec::new();
    for how in path {
        machine.steps(&state, &mut steps);
        let Some(step) = steps.drain(..).find(|step| step.how == *how) else { break };
        tell(machine, &state, &step, &mut lines);
        state = step.to;
    }
    for (index, to) in circle.iter().enumerate() {
        machine.steps(&state, &mut steps);
        let Some(step) = steps.drain(..).find(|step| number(&step.to) == Some(*to)) else { break };
        if index == 0 {
            lines.push(Line::Note("from here, and round again:".into()));
        }
        tell(machine, &state, &step, &mut lines);
        state = step.to;
    }
    let roles = machine.roles.scenario().roles.len();
    Violation { what: what.into(), story: draw::story(&lines, roles), switches: draw::switches(&lines) }
}

type Lines<S> = Vec<Line<<S as Subject>::Op, <S as Subject>::Answer>>;

fn tell<S: Subject>(machine: &Machine<S>, state: &State, step: &machine::Step, lines: &mut Lines<S>) {
    let (role, said) = match step.how {
        Move::Kill(process) => {
            lines.push(Line::Event(Event::Died(process)));
            return;
        }
        Move::Access(role, _) => (role, None),
        Move::Tick(role) => (role, Some("tick")),
        Move::TimeOut(role) => (role, Some("times out")),
        Move::Spurious(role) => (role, Some("wakes for no reason")),
        Move::Flush(role) => {
            let step = Step { role, site: "buffer", what: "a store reaches memory".into() };
            lines.push(Line::Step(step));
            return;
        }
    };
    let Some(request) = machine.roles.request(machine.place(state, role)) else { return };
    let told = machine.log[step.log.clone()].iter();
    let told: Vec<&Told<S::Answer>> = told.flat_map(|(_, number)| machine.roles.told(*number)).collect();
    // The call of the operation whose access this is comes before the access, all else after.
    let begins = usize::from(matches!(told.first(), Some(Told::Call(caller, _)) if *caller == role));
    push(machine, &told[..begins], lines);
    let what = said.map_or_else(|| described(machine, state, &step.to, role, request.what), str::to_owned);
    if request.what != What::End {
        lines.push(Line::Step(Step { role, site: request.site.name, what }));
    }
    push(machine, &told[begins..], lines);
}

fn push<S: Subject>(machine: &Machine<S>, told: &[&Told<S::Answer>], lines: &mut Lines<S>) {
    let scenario = machine.roles.scenario();
    for told in told {
        let event = match told {
            Told::Call(role, op) => Event::Call(scenario.actor(*role), scenario.roles[*role].ops[*op].clone()),
            Told::Return(role, answer) => Event::Return(scenario.actor(*role), answer.clone()),
            Told::Refused(_) => continue,
        };
        lines.push(Line::Event(event));
    }
}

fn described<S: Subject>(machine: &Machine<S>, state: &State, next: &State, role: usize, what: What) -> String {
    let shown = draw::shown;
    match what {
        What::Load(word) => shown(machine.seen(state, role, word)),
        What::Store(_, value) => format!(":= {}", shown(value)),
        What::Swap(word, value) => format!("{} → {}", shown(state[word]), shown(value)),
        What::CompareExchange(word, current, new) if next[word] == new && state[word] == current => {
            format!("{} → {}", shown(current), shown(new))
        }
        What::CompareExchange(word, current, _) => format!("{}, not {}", shown(state[word]), shown(current)),
        What::FetchAdd(word, value, _) => format!("{} + {}", shown(state[word]), shown(value)),
        What::Fence | What::LightFence | What::HeavyFence => "fence".into(),
        What::End => String::new(),
        What::Wait { .. } if machine.is_asleep(next, role) => "asleep".into(),
        What::Wait { word, .. } => format!("{}: goes on", shown(state[word])),
        What::Wake(..) => {
            let roles = machine.roles.scenario().roles.len();
            let woken = (0..roles).filter(|other| machine.is_asleep(state, *other) && !machine.is_asleep(next, *other));
            let woken: Vec<String> = woken.map(|other| format!("role {other}")).collect();
            if woken.is_empty() { "nobody".into() } else { format!("wakes {}", woken.join(", ")) }
        }
        What::Life(process) => format!("asks after process {process}"),
    }
}

/// What each role was told, in one line, as [`outcome`](crate::history::outcome) says it.
pub(super) fn outcome<S: Subject>(machine: &Machine<S>, state: &[u64]) -> String {
    let roles = &machine.roles.scenario().roles;
    let told: Vec<String> = (0..roles.len())
        .map(|role| {
            let answers = machine.roles.answers(machine.place(state, role)).iter();
            answers.map(|answer| format!("{answer:?}")).collect::<Vec<_>>().join(" ")
        })
        .collect();
    let dead: Vec<String> = (0..roles.len())
        .filter(|process| machine.is_dead(state, *process))
        .map(|process| process.to_string())
        .collect();
    let dead = if dead.is_empty() { String::new() } else { format!(" † process {}", dead.join(", ")) };
    told.join(" | ") + &dead
}
