//! What stands behind the claims about joinable queues.

use super::worlds::{EXPLORER, LOOM2, RACE, RMW2, TSO};
use crate::evidence::Evidence::{self, Explore, Killed, Programs};
use crate::worlds::programs::Target;

pub(super) const JOINABLE: &[(&str, &[Evidence])] = &[
    (
        "J1",
        &[
            Killed("joinable-work-work", EXPLORER),
            Killed("joinable-put-join", EXPLORER),
            Killed("joinable-work-work", TSO),
            Explore("joinable-work-work", RMW2),
            Explore("joinable-work-work", LOOM2),
            Programs(Target::Tasks, 60),
        ],
    ),
    (
        "J2",
        &[
            Killed("joinable-put-work-join", EXPLORER),
            Killed("joinable-done-join", TSO),
            Killed("joinable-put-join", TSO),
            Explore("joinable-done-join", LOOM2),
            Explore("joinable-done-join", RMW2),
            Explore("joinable-put-join", RMW2),
        ],
    ),
    (
        "J3",
        &[
            Killed("joinable-put-work-join", EXPLORER),
            Killed("joinable-acknowledge-join", EXPLORER),
            Killed("joinable-acknowledge-join", TSO),
            Killed("joinable-done-join", RMW2),
        ],
    ),
    (
        "J4",
        &[
            Killed("joinable-put-work-join", EXPLORER),
            Killed("joinable-acknowledge-done", EXPLORER),
            Killed("joinable-acknowledge-done", TSO),
            Killed("joinable-acknowledge-done", RMW2),
        ],
    ),
    (
        "J5",
        &[
            Killed("joinable-threads", EXPLORER),
            Killed("joinable-threads", TSO),
            Killed("joinable-done-done", EXPLORER),
            Killed("joinable-done-left", EXPLORER),
            Killed("joinable-done-too-often", EXPLORER),
            Explore("joinable-threads", LOOM2),
            Explore("joinable-threads", RMW2),
            Explore("joinable-done-done", LOOM2),
            Explore("joinable-done-left", LOOM2),
            Explore("joinable-done-early", RMW2),
            Explore("joinable-done-too-often", LOOM2),
            Explore("joinable-done-too-often", RMW2),
        ],
    ),
    (
        "J6",
        &[
            Killed("joinable-join-timeout", EXPLORER),
            Killed("joinable-join-timeout", TSO),
            Explore("joinable-join-timeout", RMW2),
        ],
    ),
    (
        "J7",
        &[
            Killed("joinable-discard-join", EXPLORER),
            Killed("joinable-discard-join", TSO),
            Killed("joinable-discard-get", EXPLORER),
            Explore("joinable-discard-get", RMW2),
        ],
    ),
    (
        "J8",
        &[
            Killed("joinable-put-work-join", EXPLORER),
            Killed("joinable-put-join", EXPLORER),
            Killed("joinable-acknowledge-join", EXPLORER),
            Killed("joinable-done-join", RMW2),
        ],
    ),
    ("J9", &[Killed("joinable-done-join", EXPLORER), Killed("joinable-put-work-join", EXPLORER)]),
    (
        "J10",
        &[
            Killed("joinable-unfinished", EXPLORER),
            Killed("joinable-unfinished", TSO),
            Explore("joinable-unfinished", LOOM2),
            Explore("joinable-unfinished", RMW2),
        ],
    ),
    (
        "J11",
        &[
            Killed("joinable-next-worker", EXPLORER),
            Killed("joinable-next-worker", RACE),
            Explore("joinable-next-worker", LOOM2),
            Explore("joinable-next-worker", RMW2),
        ],
    ),
    (
        "J12",
        &[
            Killed("joinable-done-join", RACE),
            Killed("joinable-acknowledge-done", RACE),
            Killed("joinable-discard-join", RACE),
            Killed("joinable-threads", RACE),
            Killed("joinable-work-work", RACE),
        ],
    ),
    (
        "J13",
        &[
            Killed("joinable-wrap", EXPLORER),
            Killed("again-wrap", EXPLORER),
            Killed("again-wrap", TSO),
            Killed("joinable-limit", EXPLORER),
            Killed("joinable-limit", RACE),
            Explore("joinable-wrap", RMW2),
        ],
    ),
    (
        "J14",
        &[
            Killed("again-get-get", EXPLORER),
            Killed("again-work", TSO),
            Killed("again-1-2", EXPLORER),
            Killed("again-join", EXPLORER),
            Killed("again-join", TSO),
            Killed("again-close", EXPLORER),
            Killed("again-work", RMW2),
        ],
    ),
    (
        "J15",
        &[
            Killed("again-full", EXPLORER),
            Killed("again-threads", EXPLORER),
            Killed("again-threads", TSO),
            Killed("again-discard", EXPLORER),
            Killed("again-acknowledge", EXPLORER),
            Killed("again-get-get", RACE),
            Killed("again-full", RACE),
            Explore("again-threads", RMW2),
            Explore("again-threads", LOOM2),
        ],
    ),
];
