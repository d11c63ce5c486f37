//! Which evidence stands behind which claim: the one table behind `procession verify`, the tests and the README.
//!
//! The claims themselves are in `specs/`, and read from there.

mod deep;
mod joinable;
mod pipe;
mod queue;
mod table;
mod worlds;

use crate::evidence::Evidence;
use deep::DEEP;
use joinable::JOINABLE;
use pipe::PIPE;
use queue::QUEUE;
use table::TABLE;

/// The specifications, as they stand in `specs/`.
pub const SPECS: [(&str, &str); 8] = [
    ("memory", include_str!("../../specs/memory.md")),
    ("lock", include_str!("../../specs/lock.md")),
    ("rlock", include_str!("../../specs/rlock.md")),
    ("value", include_str!("../../specs/value.md")),
    ("array", include_str!("../../specs/array.md")),
    ("pipe", include_str!("../../specs/pipe.md")),
    ("queue", include_str!("../../specs/queue.md")),
    ("joinable", include_str!("../../specs/joinable.md")),
];

/// A claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// `L1`.
    pub id: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// The claim.
    pub statement: &'static str,
    /// How it relates to CPython's `multiprocessing`.
    pub python: &'static str,
}

/// Every claim, in order.
pub fn claims() -> Vec<Claim> {
    SPECS.iter().flat_map(|(_, text)| text.split("\n## ").skip(1).filter_map(read_claim)).collect()
}

fn read_claim(text: &'static str) -> Option<Claim> {
    let (heading, body) = text.split_once('\n')?;
    let (id, title) = heading.split_once(' ')?;
    let mut paragraphs = body.split("\n\n");
    let statement = paragraphs.next()?.trim();
    let python = paragraphs.find_map(|paragraph| paragraph.trim().strip_prefix("Python: "))?;
    Some(Claim { id, title, statement, python })
}

/// The evidence behind a claim.
pub fn evidence(id: &str, deep: bool) -> Vec<Evidence> {
    let of =
        |table: &'static [(&str, &[Evidence])]| table.iter().filter(|(claim, _)| *claim == id).flat_map(|(_, e)| *e);
    let tables = of(TABLE).chain(of(PIPE)).chain(of(QUEUE)).chain(of(JOINABLE));
    tables.chain(of(if deep { DEEP } else { &[] })).copied().collect()
}

/// The ids that the table knows, to be compared with the claims.
pub fn ids_with_evidence() -> Vec<&'static str> {
    TABLE.iter().chain(PIPE).chain(QUEUE).chain(JOINABLE).map(|(id, _)| *id).collect()
}
