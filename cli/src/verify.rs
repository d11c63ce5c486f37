//! `procession verify` and `procession claims`.

use crate::show::{self, json, say};
use crate::{End, Failure, work};
use clap::Args;
use comfy_table::Cell;
use procession_model::claims::{Claim, claims, evidence};
use procession_model::evidence::{Evidence, Finding, Standing};
use procession_model::worlds::is_interrupted;
use procession_model::worlds::processes::Helper;
use serde_json::json;
use std::time::{Duration, Instant};

/// What to verify.
#[derive(Args, Clone)]
pub struct Options {
    /// Claims (L1), or families of them (L); all if none is named
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Only evidence from this world: loom, loom-rmw, shuttle-dfs, shuttle-pct, shuttle-random, explorer, explorer-tso, explorer-race, processes
    #[arg(long, value_name = "W")]
    world: Option<String>,
    /// Larger explorations, up to half an hour
    #[arg(long)]
    deep: bool,
    /// One JSON object a line, for machines
    #[arg(long)]
    json: bool,
}

const WORLDS: [&str; 9] = [
    "loom",
    "loom-rmw",
    "shuttle-dfs",
    "shuttle-pct",
    "shuttle-random",
    "explorer",
    "explorer-tso",
    "explorer-race",
    "processes",
];

/// Puts the chosen claims to the test.
pub fn run(options: &Options) -> Result<End, Failure> {
    let started = Instant::now();
    let Some(chosen) = choose(options) else { return Ok(End::Usage) };
    let wanted = |evidence: &Evidence| options.world.as_ref().is_none_or(|world| evidence.world() == *world);
    let plan: Vec<(Claim, Vec<Evidence>)> = chosen
        .into_iter()
        .map(|claim| (claim, evidence(claim.id, options.deep).into_iter().filter(wanted).collect()))
        .filter(|(_, evidence): &(Claim, Vec<Evidence>)| !evidence.is_empty())
        .collect();
    // What stands behind several claims is gathered once.
    let mut once: Vec<Evidence> = Vec::new();
    for evidence in plan.iter().flat_map(|(_, evidence)| evidence) {
        if !once.contains(evidence) {
            once.push(*evidence);
        }
    }
    let limit = Duration::from_secs(if options.deep { 900 } else { 180 });
    let findings = gather(&once, limit, options.json)?;
    if is_interrupted() {
        return Ok(End::Unknown);
    }
    let of = |evidence: &[Evidence]| -> Vec<&Finding> {
        let place = |evidence| once.iter().position(|known| known == evidence);
        evidence.iter().filter_map(place).filter_map(|place| findings.get(place)).collect()
    };
    let verdicts: Vec<(Claim, Vec<&Finding>)> = plan.iter().map(|(claim, evidence)| (*claim, of(evidence))).collect();
    report(&verdicts, options.json, started.elapsed())
}

/// The claims with these ids or in these families. `None`: there is no such thing, and the person has been told.
fn choose(options: &Options) -> Option<Vec<Claim>> {
    if let Some(world) = options.world.as_ref().filter(|world| !WORLDS.contains(&world.as_str())) {
        anstream::eprintln!("{}: no world {world:?}; there are {}", show::bad("error"), WORLDS.join(", "));
        return None;
    }
    let all = claims();
    let matches = |claim: &Claim, id: &str| {
        claim.id.eq_ignore_ascii_case(id)
            || claim.id.trim_end_matches(|c: char| c.is_ascii_digit()).eq_ignore_ascii_case(id)
    };
    if let Some(id) = options.ids.iter().find(|id| !all.iter().any(|claim| matches(claim, id))) {
        anstream::eprintln!("{}: no claim {id:?}; `procession claims` lists them", show::bad("error"));
        return None;
    }
    let chosen = |claim: &Claim| options.ids.is_empty() || options.ids.iter().any(|id| matches(claim, id));
    Some(all.into_iter().filter(chosen).collect())
}

/// Gathers all the evidence.
fn gather(evidence: &[Evidence], limit: Duration, quiet: bool) -> Result<Vec<Finding>, Failure> {
    let helper = Helper::this("__helper")?;
    let bar = work::progress(evidence.len(), quiet)?;
    Ok(work::each(evidence, &bar, |piece| {
        bar.set_message(format!("{} in {}", piece.name(), piece.world()));
        piece.gather(&helper, limit)
    }))
}

fn report(verdicts: &[(Claim, Vec<&Finding>)], as_json: bool, took: Duration) -> Result<End, Failure> {
    let count = |wanted| verdicts.iter().filter(|(_, found)| Standing::of(found.iter().copied()) == wanted).count();
    let (holds, violated, unknown) = (count(Standing::Holds), count(Standing::Violated), count(Standing::Unknown));
    let end = match (violated, unknown) {
        (1.., _) => End::Violated,
        (0, 1..) => End::Unknown,
        // Nothing was put to the test: that is not "holds".
        (0, 0) if verdicts.is_empty() => End::Unknown,
        (0, 0) => End::Holds,
    };
    if as_json {
        for (claim, findings) in verdicts {
            let verdict = Standing::of(findings.iter().copied()).name();
            json(&json!({
                "claim": claim.id, "statement": claim.statement, "verdict": verdict, "evidence": findings,
            }))?;
        }
        json(&json!({ "summary": {
            "claims": verdicts.len(), "holds": holds, "violated": violated, "unknown": unknown,
            "seconds": took.as_secs_f64(),
        }}))?;
        return Ok(end);
    }
    let mut table = show::table(&["claim", "verdict", "world", "bound", "executions", "seconds"], &[4, 5]);
    for (claim, findings) in verdicts {
        let mut title = format!("{} {}", claim.id, claim.title);
        let verdict = Standing::of(findings.iter().copied());
        for (world, found) in by_world(findings) {
            let executions: u64 = found.iter().map(|finding| finding.executions).sum();
            let seconds: f64 = found.iter().map(|finding| finding.seconds).sum();
            let shown = if title.is_empty() { "" } else { verdict.name() };
            table.add_row([
                Cell::new(std::mem::take(&mut title)),
                show::cell(shown, verdict),
                Cell::new(world),
                Cell::new(bounds(&found)),
                Cell::new(executions),
                Cell::new(format!("{seconds:.2}")),
            ]);
        }
    }
    say!("{table}");
    for (claim, findings) in verdicts {
        for finding in findings.iter().filter(|finding| finding.standing != Standing::Holds) {
            let Finding { scenario, world, result, .. } = finding;
            say!("\n{} {}: {scenario} in {world}: {result}", show::standing(finding.standing), claim.id);
            if let Some(story) = &finding.story {
                say!("{story}");
            }
        }
    }
    say!(
        "\n{holds} of {} claims hold, {violated} violated, {unknown} unknown; {:.1} s",
        verdicts.len(),
        took.as_secs_f64()
    );
    Ok(end)
}

fn by_world<'a>(findings: &[&'a Finding]) -> Vec<(&'a str, Vec<&'a Finding>)> {
    let mut worlds: Vec<(&str, Vec<&Finding>)> = Vec::new();
    for finding in findings {
        match worlds.iter_mut().find(|(world, _)| *world == finding.world) {
            Some((_, found)) => found.push(finding),
            None => worlds.push((&finding.world, vec![finding])),
        }
    }
    worlds
}

/// The results of a world, each once.
fn bounds(findings: &[&Finding]) -> String {
    let mut results: Vec<&str> = Vec::new();
    for finding in findings {
        // What a job saw is a sentence; here it is one of several.
        let result =
            if finding.world == "processes" && finding.standing == Standing::Holds { "seen" } else { &finding.result };
        if !results.contains(&result) {
            results.push(result);
        }
    }
    results.join(", ")
}

/// Lists the claims.
pub fn list(as_json: bool) -> Result<End, Failure> {
    for claim in claims() {
        let pieces = evidence(claim.id, false);
        let evidence: Vec<String> =
            pieces.iter().map(|piece| format!("{} in {}", piece.name(), piece.world())).collect();
        if as_json {
            json(&json!({
                "claim": claim.id, "title": claim.title, "statement": claim.statement,
                "python": claim.python, "evidence": evidence,
            }))?;
        } else {
            say!("{} {}", show::good(claim.id), claim.title);
            say!("   {}\n   Python: {}\n   Evidence: {}\n", claim.statement, claim.python, evidence.join(", "));
        }
    }
    Ok(End::Holds)
}
