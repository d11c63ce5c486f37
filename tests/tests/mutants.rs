//! Every ordering a step weaker, every wake dropped, every second look skipped: somebody notices each.

use procession::algorithm::sites;
use procession::platform::Ordering;
use procession_model::mutants::{EQUIVALENT, all, hunt};
use std::fmt::Write;

/// The kill matrix: which scenario notices which mutant, in which world.
#[test]
fn every_mutant_is_noticed() {
    let mut matrix = String::new();
    for mutant in all() {
        if EQUIVALENT.iter().any(|(name, _)| *name == mutant.to_string()) {
            continue;
        }
        let caught = hunt(mutant).unwrap_or_else(|missed| panic!("nobody noticed {mutant}: {missed:?}"));
        let kills = if caught.kills { " with kills" } else { "" };
        writeln!(matrix, "{mutant}: {} in {}{kills}: {}", caught.scenario, caught.world, caught.what).unwrap();
    }
    for (name, why) in EQUIVALENT {
        writeln!(matrix, "{name}: equivalent: {why}").unwrap();
    }
    insta::assert_snapshot!(matrix);
}

/// Every site says why it is ordered as it is: which access it pairs with, or why relaxed is enough. Names are unique, and
/// a partner that is named exists.
#[test]
fn every_site_has_its_reason() {
    let mut table = String::new();
    let names: Vec<&str> = sites().map(|site| site.name).collect();
    for site in sites() {
        assert!(site.why.len() > 10, "{} gives no reason", site.name);
        assert_eq!(names.iter().filter(|name| **name == site.name).count(), 1, "{} is not unique", site.name);
        if site.ordering != Ordering::Relaxed {
            assert!(site.why.contains("pairs with"), "{} is {:?} and names no partner", site.name, site.ordering);
        }
        writeln!(table, "{} {:?} {:?}: {}", site.name, site.access, site.ordering, site.why).unwrap();
    }
    insta::assert_snapshot!(table);
}
