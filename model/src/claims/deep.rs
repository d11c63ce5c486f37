//! What `--deep` adds.
//!
//! Of the small programs of three, those of up to five things in all, or of four where one thing takes many steps: with six a
//! family has some 0.7 to 3 billion states (by a sample of every sixtieth program), and all of them would take hours. Only
//! elements are seen with six: there each thing is one step.

use super::worlds::{
    EXPLORER, LOOM, LOOM2, LOOM3, RACE, RMW, RMW2, THREE_BY_TWO, THREE_FIVE, THREE_FOUR, TSO, TWO_BY_THREE, TWO_THREE,
};
use crate::evidence::Evidence::{self, Calm, Explore, Killed, Programs, Small};
use crate::worlds::World;
use crate::worlds::programs::Target;

/// What `--deep` adds: larger, for somebody with half an hour.
pub(super) const DEEP: &[(&str, &[Evidence])] = &[
    ("M5", &[Killed("peers-claim-claim-claim", RMW)]),
    (
        "L1",
        &[
            Small("lock", THREE_FIVE),
            Explore("lock-lock-lock", LOOM3),
            Explore("lock-lock-lock", World::LoomRmw(Some(4))),
        ],
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
            Killed("lock-timeout", RMW),
            Killed("lock-timeout-timeout", LOOM2),
            Killed("lock-timeout-lock", LOOM2),
            Killed("lock-timeout-lock", RMW2),
        ],
    ),
    ("L6", &[Killed("lock-threads-process", World::LoomRmw(Some(3)))]),
    ("R1", &[Small("rlock", THREE_FOUR)]),
    ("R2", &[Killed("rlock-threads", RMW), Killed("rlock-threads-process", RMW2)]),
    ("R3", &[Killed("rlock-rlock-rlock", World::LoomRmw(Some(3)))]),
    (
        "V1",
        &[
            Small("value", THREE_FIVE),
            Explore("wide-add-add-get", World::LoomRmw(Some(3))),
            Programs(Target::Wide, 2000),
            Programs(Target::Value, 2000),
        ],
    ),
    ("A1", &[Small("elements", THREE_BY_TWO)]),
    (
        "A2",
        &[
            Small("slices", THREE_FOUR),
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
    ("A7", &[Killed("array-given-rlock", LOOM)]),
    (
        "P1",
        &[
            Small("pipe", TWO_BY_THREE),
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
    (
        "Q1",
        &[
            Small("queue", TWO_THREE),
            Calm("queue-2-2"),
            Killed("queue-1-2", EXPLORER),
            Killed("queue-1-2", TSO),
            Killed("queue-many-1-2", EXPLORER),
            Explore("queue-put-get-twice", RMW),
            Programs(Target::Queue, 1000),
        ],
    ),
    ("Q5", &[Killed("queue-close-all", TSO)]),
    ("Q9", &[Killed("queue-get-get", RACE)]),
    ("J1", &[Killed("joinable-2-1", EXPLORER), Killed("joinable-many", EXPLORER), Programs(Target::Tasks, 1000)]),
    (
        "J2",
        &[Calm("joinable-2-1-1"), Killed("joinable-work-twice-join", EXPLORER), Killed("joinable-put-work-join", TSO)],
    ),
    (
        "J3",
        &[
            Killed("joinable-join-join", EXPLORER),
            Killed("joinable-acknowledge-all", EXPLORER),
            Killed("joinable-done-join", LOOM2),
            Killed("joinable-acknowledge-join", RMW2),
        ],
    ),
    (
        "J5",
        &[
            Killed("joinable-threads-join", EXPLORER),
            Killed("joinable-threads-2", EXPLORER),
            Killed("joinable-done-early", EXPLORER),
            Explore("joinable-done-early", LOOM2),
        ],
    ),
    ("J7", &[Killed("joinable-discard-all", EXPLORER)]),
    ("J8", &[Killed("joinable-put-join", RMW2)]),
    ("J11", &[Killed("joinable-next-worker-join", EXPLORER)]),
    ("J12", &[Killed("joinable-put-work-join", RACE)]),
    ("J13", &[Killed("joinable-wrap", RACE)]),
    (
        "J14",
        &[
            Killed("again-2-2", EXPLORER),
            Killed("again-many", EXPLORER),
            Killed("again-many-full", EXPLORER),
            Killed("again-try-try", EXPLORER),
            Killed("again-close-try", EXPLORER),
        ],
    ),
    (
        "P8",
        &[
            Killed("pipe-next-sender", EXPLORER),
            Killed("pipe-next-receiver", EXPLORER),
            Killed("pipe-take-over-sender", RMW2),
        ],
    ),
    (
        "V2",
        &[
            Small("wide", THREE_FOUR),
            Killed("wide-set-set-get", LOOM),
            Killed("wide-add-add-get", LOOM2),
            Killed("wide-add-add-get", World::LoomRmw(Some(3))),
        ],
    ),
];
