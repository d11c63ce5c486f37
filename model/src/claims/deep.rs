//! What `--deep` adds.

use super::worlds::{EXPLORER, LOOM, LOOM2, LOOM3, RACE, RMW, RMW2, TSO};
use crate::evidence::Evidence::{self, Explore, Killed, Programs, Small};
use crate::worlds::World;
use crate::worlds::programs::Target;

/// What `--deep` adds: larger, for somebody with half an hour.
pub(super) const DEEP: &[(&str, &[Evidence])] = &[
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
        "P1",
        &[
            Small("pipe", 2, 3),
            Killed("pipe-x3", RACE),
            Explore("pipe-send-recv-twice", LOOM3),
            Explore("pipe-send-recv-twice", World::LoomRmw(Some(4))),
        ],
    ),
    (
        "P4",
        &[
            Killed("pipe-x3-timeouts", TSO),
            Killed("pipe-x3-timeouts-room", EXPLORER),
            Killed("pipe-x3-timeouts-room", TSO),
        ],
    ),
    ("P8", &[Killed("pipe-next-sender", EXPLORER), Killed("pipe-next-receiver", EXPLORER)]),
    (
        "V2",
        &[Small("wide", 3, 2), Killed("wide-set-set-get", LOOM), Killed("wide-add-add-get", World::LoomRmw(Some(3)))],
    ),
];
