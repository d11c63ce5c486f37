//! Which evidence stands behind which claim: the one table behind `procession verify`, the tests and the README.
//!
//! The claims themselves are in `specs/`, and read from there.

use crate::evidence::Evidence::{self, Explore, Job, Killed, Loses, Programs, Shows, Small, Tears};
use crate::explorer::Memory;
use crate::tearing::Wide;
use crate::worlds::World;
use crate::worlds::programs::Target;

/// The specifications, as they stand in `specs/`.
pub const SPECS: [(&str, &str); 5] = [
    ("memory", include_str!("../../specs/memory.md")),
    ("lock", include_str!("../../specs/lock.md")),
    ("rlock", include_str!("../../specs/rlock.md")),
    ("value", include_str!("../../specs/value.md")),
    ("array", include_str!("../../specs/array.md")),
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

const LOOM: World = World::Loom(None);
const LOOM2: World = World::Loom(Some(2));
const LOOM3: World = World::Loom(Some(3));
const RMW: World = World::LoomRmw(None);
const RMW2: World = World::LoomRmw(Some(2));
const PCT: World = World::ShuttlePct(3, 200);
const RANDOM: World = World::ShuttleRandom(2000);
const EXPLORER: World = World::Explorer(Memory::Sc);
const TSO: World = World::Explorer(Memory::Tso);
const RACE: World = World::Explorer(Memory::Race);
const DFS: World = World::ShuttleDfs(20_000);

const TABLE: &[(&str, &[Evidence])] = &[
    (
        "M1",
        &[Killed("lock-x3-twice", EXPLORER), Killed("lock-lock", LOOM), Killed("lock-lock", RMW), Job("killed-holder")],
    ),
    ("M2", &[Job("stopped-holder")]),
    ("M3", &[Job("forked-child")]),
    ("M4", &[Job("stale-name")]),
    (
        "M5",
        &[
            Killed("peers-claim-claim-claim", EXPLORER),
            Killed("peers-release-claim", EXPLORER),
            Killed("peers-claim-claim", LOOM),
            Killed("peers-claim-full", RMW),
            Killed("peers-release-claim", LOOM),
            Killed("peers-claim-claim-claim", RMW2),
        ],
    ),
    ("M6", &[Killed("fences-say-look", TSO), Explore("fences-say-look", LOOM), Job("fence-pair")]),
    ("M7", &[Job("wrong-handle")]),
    (
        "M8",
        &[
            Killed("peers-adopt-claim-claim", EXPLORER),
            Killed("peers-adopt-claim", LOOM),
            Killed("peers-adopt-claim", RMW),
            Killed("peers-adopt-claim-claim", RMW2),
            Job("spawned-child"),
        ],
    ),
    ("M9", &[Job("sent-handle")]),
    (
        "L1",
        &[
            Small("lock", 2, 2),
            Killed("lock-x3-twice", RACE),
            Killed("lock-x4", EXPLORER),
            Killed("lock-lock-lock", TSO),
            Explore("lock-lock", LOOM),
            Explore("lock-lock", RMW),
            Explore("lock-lock", DFS),
            Explore("lock-lock-twice", LOOM),
            Explore("lock-lock-twice", RMW),
            Explore("lock-lock-lock", LOOM2),
            Explore("lock-lock-lock", RMW2),
            Explore("lock-lock-lock", RANDOM),
            Programs(Target::Lock, 100),
        ],
    ),
    (
        "L2",
        &[
            Killed("lock-x4", EXPLORER),
            Killed("lock-x3-twice", EXPLORER),
            Killed("lock-x3-twice", TSO),
            Killed("lock-lock-twice", LOOM2),
            Killed("lock-lock-twice", RMW2),
            Killed("lock-lock-lock", LOOM2),
            Killed("lock-lock-lock", RMW2),
            Killed("lock-lock-lock", PCT),
        ],
    ),
    (
        "L3",
        &[
            Killed("lock-x3-twice", EXPLORER),
            Killed("lock-try", EXPLORER),
            Killed("lock-lock", LOOM),
            Killed("lock-lock", RMW),
            Killed("lock-lock-twice", PCT),
            Killed("lock-try", LOOM),
            Job("killed-holder"),
        ],
    ),
    (
        "L4",
        &[
            Killed("lock-timeout-timeout", EXPLORER),
            Killed("lock-timeout-lock", EXPLORER),
            Killed("lock-timeout-timeout", TSO),
            Killed("lock-try", RMW),
            Killed("lock-timeout", RMW),
            Killed("lock-timeout", LOOM3),
            Explore("lock-timeout-timeout", LOOM2),
            Explore("lock-timeout-lock", LOOM2),
            Killed("lock-timeout-lock", RMW2),
            Killed("lock-timeout-timeout", PCT),
            Job("stopped-holder"),
        ],
    ),
    (
        "L5",
        &[
            Killed("lock-itself", EXPLORER),
            Explore("lock-itself", LOOM),
            Explore("lock-itself", RMW),
            Programs(Target::Lock, 50),
        ],
    ),
    (
        "L6",
        &[
            Killed("lock-threads-process", EXPLORER),
            Killed("lock-threads", EXPLORER),
            Explore("lock-threads", LOOM),
            Killed("lock-threads", RMW),
            Killed("lock-threads-process", LOOM2),
            Job("forked-child"),
        ],
    ),
    (
        "R1",
        &[
            Small("rlock", 2, 2),
            Killed("rlock-x3", RACE),
            Killed("rlock-x3", EXPLORER),
            Explore("rlock-rlock", LOOM),
            Explore("rlock-rlock", RMW),
            Explore("rlock-rlock-deep", RMW),
            Explore("rlock-rlock-rlock", LOOM2),
            Programs(Target::RLock, 100),
        ],
    ),
    (
        "R2",
        &[
            Killed("rlock-threads-process", EXPLORER),
            Killed("rlock-threads", EXPLORER),
            Killed("rlock-try", RMW),
            Explore("rlock-threads", LOOM),
            Killed("rlock-threads", RMW2),
            Explore("rlock-threads-process", LOOM2),
        ],
    ),
    (
        "R3",
        &[
            Killed("rlock-rlock-rlock", EXPLORER),
            Killed("rlock-rlock-deep", TSO),
            Killed("rlock-rlock", LOOM),
            Killed("rlock-rlock", RMW),
            Killed("rlock-rlock-rlock", LOOM2),
            Killed("rlock-rlock-deep", PCT),
        ],
    ),
    (
        "V1",
        &[
            Small("value", 2, 2),
            Killed("value-x3", EXPLORER),
            Killed("wide-writers-reader", EXPLORER),
            Explore("value-add-add", LOOM),
            Explore("value-set-exchange", RMW),
            Explore("value-set-get", RMW),
            Explore("value-add-add-get", RMW),
            Explore("wide-add-add", LOOM),
            Explore("wide-add-add-get", RMW2),
            Programs(Target::Value, 100),
            Programs(Target::Wide, 100),
        ],
    ),
    (
        "V2",
        &[
            Small("wide", 2, 2),
            Killed("wide-writers-reader", EXPLORER),
            Killed("wide-set-set-get", TSO),
            Killed("wide-busy-reader", EXPLORER),
            Killed("wide-set-get", LOOM),
            Killed("wide-set-get", RMW),
            Killed("wide-set-set-get", LOOM2),
            Killed("wide-set-set-get", RMW),
            Killed("wide-add-add-get", LOOM2),
            Job("killed-holder"),
            Tears(Wide::Value),
        ],
    ),
    (
        "V3",
        &[
            Killed("value-x3", RACE),
            Killed("value-x3", EXPLORER),
            Explore("value-guard-guard", LOOM),
            Explore("value-guard-guard", RMW),
            Explore("value-add-guard", LOOM),
            Explore("value-add-guard", RMW),
            Explore("wide-add-add", RMW),
        ],
    ),
    (
        "V4",
        &[
            Killed("wide-tell-hear", TSO),
            Explore("value-tell-hear", LOOM),
            Explore("value-tell-hear", RMW),
            Explore("wide-tell-hear", LOOM),
        ],
    ),
    (
        "V5",
        &[
            Killed("value-add-guard", EXPLORER),
            Killed("value-x3", EXPLORER),
            Killed("value-add-guard", LOOM),
            Killed("value-add-guard", RMW),
            Killed("value-guard-guard", RMW),
        ],
    ),
    (
        "V6",
        &[
            Killed("value-guard-itself", EXPLORER),
            Explore("value-guard-itself", LOOM),
            Explore("value-guard-itself", RMW),
            Job("wrong-handle"),
        ],
    ),
    ("V7", &[Shows("raw-plus-plus", EXPLORER), Shows("raw-plus-plus", LOOM), Shows("raw-plus-plus", RMW), Loses]),
    (
        "V8",
        &[
            Shows("raw-wide-set-get", EXPLORER),
            Shows("raw-wide-set-get", LOOM),
            Shows("raw-wide-set-get", RMW),
            Tears(Wide::Value),
        ],
    ),
    (
        "V9",
        &[
            Killed("raw-add-add", EXPLORER),
            Killed("raw-tell-hear", TSO),
            Explore("raw-set-get", RMW),
            Killed("raw-add-add", LOOM),
            Killed("raw-add-add", RMW),
            Explore("raw-tell-hear", LOOM),
        ],
    ),
    ("V10", &[Job("type-codes")]),
    (
        "A1",
        &[
            Small("elements", 2, 2),
            Killed("array-add-add", EXPLORER),
            Explore("array-set-get", LOOM),
            Explore("array-set-get", RMW),
            Killed("array-add-add", LOOM),
            Killed("array-add-add", RMW),
            Programs(Target::Elements, 100),
        ],
    ),
    (
        "A2",
        &[
            Small("slices", 2, 2),
            Killed("array-x3", EXPLORER),
            Killed("array-write-write-read", TSO),
            Explore("array-write-read", LOOM),
            Explore("array-write-read", RMW),
            Explore("array-update-update", LOOM),
            Explore("array-update-update", RMW),
            Explore("array-write-write-read", LOOM2),
            Explore("array-write-write-read", RMW2),
            Explore("array-update-update-read", RANDOM),
            Programs(Target::Slices, 100),
            Tears(Wide::Array),
        ],
    ),
    (
        "A3",
        &[
            Killed("array-x3", EXPLORER),
            Killed("array-write-repair", EXPLORER),
            Killed("array-write-read", LOOM),
            Killed("array-write-read", RMW),
            Killed("array-update-update", RMW),
            Killed("array-write-repair", RMW2),
            Killed("array-write-write-read", LOOM2),
            Killed("array-write-write-read", RMW2),
            Killed("array-update-update-read", PCT),
            Job("killed-copier"),
        ],
    ),
    ("A4", &[Killed("array-write-get", EXPLORER), Killed("array-write-get", LOOM), Killed("array-write-get", RMW)]),
    (
        "A5",
        &[
            Killed("array-tell-hear", TSO),
            Explore("array-tell-hear", LOOM),
            Explore("array-tell-hear", RMW),
            Explore("array-add-tell-hear", LOOM),
            Explore("array-tell-add-hear", LOOM),
        ],
    ),
    (
        "A6",
        &[
            Killed("array-x3", RACE),
            Killed("array-guard-update", EXPLORER),
            Killed("array-guard-read", LOOM),
            Killed("array-guard-read", RMW),
            Killed("array-guard-update", LOOM),
            Killed("array-guard-update", RMW),
        ],
    ),
    (
        "A7",
        &[
            Killed("array-given-x3", EXPLORER),
            Explore("array-guard-itself", RMW),
            Killed("array-given-lock", LOOM),
            Killed("array-given-lock", RMW),
            Killed("array-given-rlock", LOOM),
            Killed("array-given-rlock", RMW),
        ],
    ),
    (
        "A8",
        &[
            Shows("raw-array-write-read", EXPLORER),
            Shows("raw-array-write-read", LOOM),
            Shows("raw-array-write-read", RMW),
            Tears(Wide::Array),
        ],
    ),
    (
        "A9",
        &[
            Shows("raw-array-plus-plus", EXPLORER),
            Shows("raw-array-plus-plus", LOOM),
            Shows("raw-array-plus-plus", RMW),
        ],
    ),
    ("A10", &[Job("wrong-slice")]),
];

/// What `--deep` adds: larger, for somebody with half an hour.
const DEEP: &[(&str, &[Evidence])] = &[
    ("M5", &[Killed("peers-claim-claim-claim", RMW)]),
    (
        "L1",
        &[Small("lock", 3, 2), Explore("lock-lock-lock", LOOM3), Explore("lock-lock-lock", World::LoomRmw(Some(4)))],
    ),
    (
        "L2",
        &[
            Killed("lock-lock-twice", LOOM),
            Killed("lock-lock-twice", RMW),
            Killed("lock-lock-lock", LOOM3),
            Killed("lock-lock-lock", World::LoomRmw(Some(3))),
        ],
    ),
    (
        "L4",
        &[
            Killed("lock-x3-timeout", EXPLORER),
            Killed("lock-timeout", LOOM),
            Killed("lock-timeout-timeout", LOOM2),
            Killed("lock-timeout-lock", LOOM2),
        ],
    ),
    ("L6", &[Killed("lock-threads-process", World::LoomRmw(Some(3)))]),
    ("R2", &[Killed("rlock-threads", RMW), Killed("rlock-threads-process", RMW2)]),
    ("R3", &[Killed("rlock-rlock-rlock", World::LoomRmw(Some(3)))]),
    (
        "V1",
        &[
            Small("value", 3, 2),
            Explore("wide-add-add-get", World::LoomRmw(Some(3))),
            Programs(Target::Wide, 2000),
            Programs(Target::Value, 2000),
        ],
    ),
    (
        "A2",
        &[
            Small("slices", 3, 2),
            Explore("array-write-write-read", World::LoomRmw(Some(4))),
            Programs(Target::Slices, 2000),
            Programs(Target::Elements, 2000),
        ],
    ),
    (
        "A3",
        &[
            Killed("array-write-repair", LOOM),
            Killed("array-write-repair", RMW),
            Killed("array-update-update-read", World::LoomRmw(Some(3))),
        ],
    ),
    (
        "V2",
        &[Small("wide", 3, 2), Killed("wide-set-set-get", LOOM), Killed("wide-add-add-get", World::LoomRmw(Some(3)))],
    ),
];

/// The evidence behind a claim.
pub fn evidence(id: &str, deep: bool) -> Vec<Evidence> {
    let of =
        |table: &'static [(&str, &[Evidence])]| table.iter().filter(|(claim, _)| *claim == id).flat_map(|(_, e)| *e);
    of(TABLE).chain(of(if deep { DEEP } else { &[] })).copied().collect()
}

/// The ids that the table knows, to be compared with the claims.
pub fn ids_with_evidence() -> Vec<&'static str> {
    TABLE.iter().map(|(id, _)| *id).collect()
}
