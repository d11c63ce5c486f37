//! `procession explore`: every state of a scenario.

use crate::show::{self, json, say};
use crate::{End, Failure, work};
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use procession_model::evidence::Standing;
use procession_model::explore::{Explorable, large_scenarios, scenarios};
use procession_model::explorer::{Explored, Limits, Memory, Progress};
use serde_json::json;
use std::sync::OnceLock;
use std::time::Duration;

/// What to explore, and how far.
#[derive(Args, Clone)]
pub struct Options {
    /// The scenario, by name; without one, all of them
    scenario: Option<String>,
    /// How many processes may be killed, at any moment
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=8))]
    kills: u8,
    /// What memory does
    #[arg(long, value_enum, default_value = "sc")]
    memory: Model,
    /// How many sleeps may end for no reason
    #[arg(long, value_name = "N", default_value_t = 1)]
    spurious: u8,
    /// Stop after so many seconds
    #[arg(long, value_name = "S", default_value_t = 600)]
    limit: u64,
    /// Only list the scenarios
    #[arg(long)]
    list: bool,
    /// One JSON object a line, for machines
    #[arg(long)]
    json: bool,
}

#[derive(ValueEnum, Clone, Copy)]
enum Model {
    /// Sequential consistency
    Sc,
    /// Total store order, as on x86
    Tso,
    /// Sequential consistency, and whether what claims to be ordered is
    Race,
}

impl From<Model> for Memory {
    fn from(model: Model) -> Memory {
        match model {
            Model::Sc => Memory::Sc,
            Model::Tso => Memory::Tso,
            Model::Race => Memory::Race,
        }
    }
}

/// Where the explorer says how far it is.
static BAR: OnceLock<ProgressBar> = OnceLock::new();

/// Explores, and reports.
pub fn run(options: &Options) -> Result<End, Failure> {
    let all = scenarios().into_iter().chain(large_scenarios());
    let chosen: Vec<Box<dyn Explorable>> =
        all.filter(|scenario| options.scenario.as_ref().is_none_or(|name| name == scenario.name())).collect();
    if chosen.is_empty() {
        let name = options.scenario.as_deref().unwrap_or_default();
        anstream::eprintln!("no scenario is named {name:?}: `procession explore --list` lists them");
        return Ok(End::Usage);
    }
    if options.list {
        return list(&chosen, options.json);
    }
    let limits = Limits {
        memory: options.memory.into(),
        kills: options.kills,
        spurious: options.spurious,
        time: Duration::from_secs(options.limit),
        // Several scenarios keep every processor busy as it is.
        threads: if chosen.len() == 1 { 2 } else { 1 },
        watch: |progress| {
            if let Some(bar) = BAR.get() {
                let Progress { scenario, states, frontier, per_second } = progress;
                bar.set_message(format!("{scenario}: {states} states, {per_second} a second, {frontier} ahead"));
            }
        },
        ..Limits::default()
    };
    let bar = BAR.get_or_init(|| work::progress(chosen.len(), options.json).unwrap_or_else(|_| ProgressBar::hidden()));
    let explored = work::each(&chosen, bar, |scenario| scenario.explore(&limits));
    let seen: Vec<(&dyn Explorable, Explored)> = chosen.iter().map(AsRef::as_ref).zip(explored).collect();
    if options.json {
        seen.iter().try_for_each(|(scenario, explored)| print_json(*scenario, explored, &limits))?;
    }
    if !options.json {
        print(&seen)?;
    }
    Ok(match seen.iter().map(|(scenario, explored)| standing(*scenario, explored)).max() {
        Some(Standing::Violated) => End::Violated,
        Some(Standing::Unknown) => End::Unknown,
        _ => End::Holds,
    })
}

/// A demonstration is meant to fail.
fn standing(scenario: &dyn Explorable, explored: &Explored) -> Standing {
    match (&explored.violation, explored.exhausted) {
        (Some(_), _) if scenario.fails() => Standing::Holds,
        (Some(_), _) => Standing::Violated,
        (None, true) if !scenario.fails() => Standing::Holds,
        (None, _) => Standing::Unknown,
    }
}

fn result(scenario: &dyn Explorable, explored: &Explored) -> String {
    match &explored.violation {
        Some(_) if scenario.fails() => "shown".into(),
        Some(violation) => violation.what.clone(),
        None if explored.exhausted => "exhausted".into(),
        None => "stopped".into(),
    }
}

fn list(chosen: &[Box<dyn Explorable>], as_json: bool) -> Result<End, Failure> {
    for scenario in chosen {
        if as_json {
            let line = json!({ "scenario": scenario.name(), "roles": scenario.roles(), "fails": scenario.fails() });
            json(&line)?;
        } else {
            say!("{}", scenario.name());
        }
    }
    Ok(End::Holds)
}

fn print_json(scenario: &dyn Explorable, explored: &Explored, limits: &Limits) -> Result<(), Failure> {
    let seconds = explored.took.as_secs_f64();
    json(&json!({
        "scenario": scenario.name(), "roles": scenario.roles(), "memory": limits.memory.name(), "kills": limits.kills,
        "result": result(scenario, explored), "verdict": standing(scenario, explored).name(),
        "states": explored.states, "transitions": explored.transitions, "kill_transitions": explored.kills,
        "longest": explored.longest, "state_bytes": explored.state_bytes, "seconds": seconds,
        "transitions_per_second": per_second(explored),
        "story": explored.violation.as_ref().map(|violation| &violation.story),
    }))
}

fn per_second(explored: &Explored) -> u64 {
    (explored.transitions as f64 / explored.took.as_secs_f64().max(1e-9)) as u64
}

fn print(seen: &[(&dyn Explorable, Explored)]) -> Result<(), Failure> {
    let titles = ["scenario", "result", "states", "transitions", "kills", "longest", "bytes", "seconds", "steps/s"];
    let mut table = show::table(&titles, &[2, 3, 4, 5, 6, 7, 8]);
    for (scenario, explored) in seen {
        let numbers = [
            explored.states.to_string(),
            explored.transitions.to_string(),
            explored.kills.to_string(),
            explored.longest.to_string(),
            explored.state_bytes.to_string(),
            format!("{:.2}", explored.took.as_secs_f64()),
            per_second(explored).to_string(),
        ];
        let mut row = vec![
            comfy_table::Cell::new(scenario.name()),
            show::cell(&result(*scenario, explored), standing(*scenario, explored)),
        ];
        row.extend(numbers.into_iter().map(comfy_table::Cell::new));
        table.add_row(row);
    }
    say!("{}", table.trim_fmt());
    for (scenario, explored) in seen {
        if let Some(violation) = &explored.violation {
            say!("\n{}: {}\n\n{}", scenario.name(), violation.what, violation.story);
        }
    }
    Ok(())
}
