//! `procession race`: lock against no lock.

use crate::show::{self, json, say};
use crate::{End, Failure};
use clap::Args;
use comfy_table::Cell;
use procession_model::evidence::Standing;
use procession_model::race::{Form, Measured, Modelled, measure, model};
use procession_model::tearing::{Torn, Wide, tearing};
use procession_model::worlds::processes::Helper;
use serde_json::json;
use std::time::Duration;

/// How large a race.
#[derive(Args, Clone, Copy)]
pub struct Options {
    /// How many processes add
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=64))]
    roles: u64,
    /// How often each adds one
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    increments: u64,
    /// How many seconds the unlocked forms are repeated until they fail
    #[arg(long, value_name = "S", default_value_t = 10)]
    budget: u64,
    /// One JSON object a line, for machines
    #[arg(long)]
    json: bool,
}

const READS: u64 = 1_000_000;

/// Runs the race.
pub fn run(options: &Options) -> Result<End, Failure> {
    let modelled = Form::ALL.into_iter().filter_map(|form| Some((form, model(form)?))).collect::<Vec<_>>();
    let helper = Helper::this("__helper")?;
    let budget = Duration::from_secs(options.budget);
    let measured = Form::ALL
        .into_iter()
        .map(|form| Ok((form, measure(&helper, form, options.roles, options.increments, budget)?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let torn = tearing(&helper, Wide::Value, READS, budget)?;
    if options.json {
        print_json(&modelled, &measured, torn)?
    } else {
        print(&modelled, &measured, torn)?
    }
    Ok(judge(&modelled, &measured, torn))
}

/// Holds if the unlocked form was seen to lose updates and to tear, and no other form did.
fn judge(modelled: &[(Form, Modelled)], measured: &[(Form, Measured)], torn: Torn) -> End {
    let right = |seen: &Modelled| seen.outcomes.iter().eq([&2]) && seen.run.holds();
    let locked_fails = modelled.iter().any(|(form, seen)| *form != Form::Unlocked && !right(seen))
        || measured.iter().any(|(form, seen)| *form != Form::Unlocked && seen.lost > 0)
        || torn.locked > 0;
    let not_shown = modelled.iter().any(|(form, seen)| *form == Form::Unlocked && seen.outcomes.len() < 2)
        || modelled.iter().any(|(_, seen)| !seen.is_exhausted())
        || measured.iter().any(|(form, seen)| *form == Form::Unlocked && seen.lost == 0)
        || torn.raw == 0;
    match (locked_fails, not_shown) {
        (true, _) => End::Violated,
        (false, true) => End::Unknown,
        (false, false) => End::Holds,
    }
}

/// What a form's loss says of it: the unlocked form is meant to lose, the others are not.
fn result(form: Form, lost: bool) -> &'static str {
    match (form, lost) {
        (Form::Unlocked, true) => "loses updates",
        (Form::Unlocked, false) => "unknown",
        (_, true) => "violated",
        (_, false) => "holds",
    }
}

fn print_json(modelled: &[(Form, Modelled)], measured: &[(Form, Measured)], torn: Torn) -> Result<(), Failure> {
    for (form, seen) in modelled {
        let lost = seen.outcomes.iter().map(|outcome| 2 - outcome.min(&2)).max().unwrap_or(0);
        json(&json!({
            "world": "loom-rmw", "form": form.name(), "roles": 2, "increments": 1, "lost": lost,
            "outcomes": seen.outcomes, "result": if seen.is_exhausted() { result(*form, lost > 0) } else { "unknown" }, "seconds": seen.run.took.as_secs_f64(),
            "extent": seen.run.extent, "executions": seen.run.executions, "story": seen.story,
        }))?;
    }
    for (form, seen) in measured {
        json(&json!({
            "world": "processes", "form": form.name(), "roles": seen.roles, "increments": seen.increments,
            "lost": seen.lost, "outcomes": [seen.roles * seen.increments - seen.lost],
            "result": result(*form, seen.lost > 0), "seconds": seen.took.as_secs_f64(), "rounds": seen.rounds,
        }))?;
    }
    json(&json!({ "tearing": {
        "world": "processes", "bytes": 64, "reads": READS, "reads_unlocked": torn.raw_reads,
        "torn_unlocked": torn.raw, "torn_locked": torn.locked,
    }}))
}

fn print(modelled: &[(Form, Modelled)], measured: &[(Form, Measured)], torn: Torn) -> Result<(), Failure> {
    say!("Two roles add one each. Every way it can come out, in the model (loom-rmw):\n");
    let mut table = show::table(&["form", "ends with", "search", "executions"], &[3]);
    for (form, seen) in modelled {
        let outcomes: Vec<String> = seen.outcomes.iter().map(u64::to_string).collect();
        let extent = seen.run.extent.map_or_else(|| "stopped".into(), |extent| extent.to_string());
        table.add_row([form.name().to_owned(), outcomes.join(" or "), extent, seen.run.executions.to_string()]);
    }
    say!("{table}\n");
    if let Some(story) = modelled.iter().find_map(|(_, seen)| seen.story.as_ref()) {
        say!("Without the lock, how an update is lost with the fewest switches:\n\n{story}");
    }
    say!("Real processes, from a common start:\n");
    let titles = ["form", "processes", "increments", "lost", "result", "rounds", "seconds", "ns each"];
    let mut table = show::table(&titles, &[1, 2, 3, 5, 6, 7]);
    for (form, seen) in measured {
        let (lost, total) = (seen.lost > 0, seen.roles * seen.increments);
        let said = result(*form, lost);
        let standing = match said {
            "unknown" => Standing::Unknown,
            "violated" => Standing::Violated,
            _ => Standing::Holds,
        };
        table.add_row([
            Cell::new(form.name()),
            Cell::new(seen.roles),
            Cell::new(seen.increments),
            Cell::new(seen.lost),
            show::cell(said, standing),
            Cell::new(seen.rounds),
            Cell::new(format!("{:.3}", seen.took.as_secs_f64())),
            Cell::new(format!("{:.1}", seen.took.as_nanos() as f64 / total as f64)),
        ]);
    }
    say!("{table}\n");
    say!(
        "A value of 64 bytes, read beside a writer: {} of {} reads torn without the lock, {} of {READS} with it.",
        torn.raw,
        torn.raw_reads,
        torn.locked
    );
    Ok(())
}
