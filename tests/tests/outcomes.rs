//! Every way a scenario can come out, and what it reached: a change here is a change of behaviour, or of what is looked at.

use procession_model::explore::{Explorable, scenarios};
use procession_model::race::{Form, model};
use procession_model::worlds::{Extent, Setting, World};
use std::fmt::Write;

fn drawn(scenario: &dyn Explorable, kills: bool) -> String {
    let setting = Setting { kills, ..Setting::new(World::LoomRmw(Some(2))) };
    let run = scenario.run(&setting);
    assert!(run.holds(), "{}: {:?}", scenario.name(), run.violation);
    assert_eq!(run.extent, Some(Extent::Bounded(2)), "{}", scenario.name());
    // A floor for the effort: the number of digits.
    let mut out = format!("{} digits of executions", run.executions.to_string().len());
    if kills {
        write!(out, ", {} places to be killed", run.kill_points).unwrap();
    }
    out.push('\n');
    run.outcomes.keys().for_each(|outcome| writeln!(out, "{outcome}").unwrap());
    let sites: Vec<&str> = run.sites.into_iter().collect();
    writeln!(out, "reached: {}", sites.join(" ")).unwrap();
    out
}

#[test]
fn without_kills() {
    for scenario in scenarios().iter().filter(|scenario| !scenario.fails()) {
        insta::assert_snapshot!(scenario.name(), drawn(scenario.as_ref(), false));
    }
}

/// Three roles with kills come out in too many ways to read.
#[test]
fn with_kills() {
    for scenario in scenarios().iter().filter(|scenario| !scenario.fails() && scenario.roles() == 2) {
        insta::assert_snapshot!(format!("{}-killed", scenario.name()), drawn(scenario.as_ref(), true));
    }
}

/// Every site of every algorithm is reached by some scenario: no ordering goes unlooked at.
#[test]
fn every_site_is_reached() {
    let mut reached = std::collections::BTreeSet::new();
    for scenario in scenarios() {
        // Without a bound to stop at: a sample reaches what can be reached, and is short.
        let setting = Setting { kills: true, survey: true, ..Setting::new(World::ShuttlePct(2, 30)) };
        reached.extend(scenario.run(&setting).sites);
    }
    // Handing out ids is one atomic addition, used by every test on real processes.
    let unmodelled = ["peers.next", "peers.spent"];
    let missed: Vec<&str> = procession::algorithm::sites()
        .map(|site| site.name)
        .filter(|name| !reached.contains(name) && !unmodelled.contains(name))
        .collect();
    assert!(missed.is_empty(), "no scenario reaches {missed:?}");
}

/// The race's own: outcomes of every form, and the shortest story of a lost update.
#[test]
fn the_race() {
    let mut out = String::new();
    for form in Form::ALL {
        let seen = model(form).unwrap();
        assert!(seen.is_exhausted());
        writeln!(out, "{}: {:?}", form.name(), seen.outcomes).unwrap();
        if let Some(story) = seen.story {
            writeln!(out, "{story}").unwrap();
        }
    }
    insta::assert_snapshot!(out);
}

/// The layout of a region: another layout is another version.
#[test]
fn layout() {
    insta::assert_snapshot!(procession::layout::drawing());
}
