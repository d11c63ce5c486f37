//! The rules of the house, as tests: what must not stand where.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(under: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("target") && !path.ends_with(".git") {
                    walk(&path, found);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(under), &mut found);
    assert!(!found.is_empty(), "no sources under {under}");
    found
}

/// A line's code, without its comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

#[test]
fn unsafe_lives_in_shm_alone() {
    for (path, text) in ["impl", "model", "cli", "tests"].iter().flat_map(|room| sources(room)) {
        if path.to_string_lossy().contains("impl/src/shm") || path.ends_with("house.rs") {
            continue;
        }
        let words =
            |line: &str| code(line).split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe");
        assert!(!text.lines().any(words), "unsafe code in {}", path.display());
    }
}

#[test]
fn an_algorithm_has_no_configuration_and_knows_no_machine() {
    for (path, text) in sources("impl/src/algorithm") {
        for banned in ["cfg", "std::sync", "libc", "nix", "crate::shm", "std::time", "std::thread"] {
            let found = text.lines().any(|line| code(line).contains(banned));
            assert!(!found, "{banned} in {}", path.display());
        }
    }
}

#[test]
fn specification_and_judge_import_nothing_but_std_and_themselves() {
    for (path, text) in sources("model/src/spec").into_iter().chain(
        sources("model/src").into_iter().filter(|(path, _)| path.ends_with("check.rs") || path.ends_with("history.rs")),
    ) {
        for line in text.lines().map(code).filter(|line| line.trim_start().starts_with("use ")) {
            let allowed = ["use std::", "use super::", "use crate::spec", "use crate::history"];
            assert!(allowed.iter().any(|start| line.trim_start().starts_with(start)), "{line} in {}", path.display());
        }
    }
}

#[test]
fn a_file_is_one_idea() {
    for (path, text) in ["impl/src", "model/src", "cli/src"].iter().flat_map(|room| sources(room)) {
        let lines = text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines", path.display());
    }
}

/// The README's table of claims is the specification's.
#[test]
fn the_readme_lists_the_claims() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for claim in procession_model::claims::claims() {
        assert!(readme.contains(&format!("| {} | {} |", claim.id, claim.title)), "the README lacks {}", claim.id);
    }
}
