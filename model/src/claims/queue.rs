//! What stands behind the claims about queues.

use super::worlds::{EXPLORER, LOOM2, PCT, RACE, RMW, RMW2, TSO, TWO_BY_ONE};
use crate::evidence::Evidence::{self, Explore, Killed, Programs, Small};
use crate::worlds::programs::Target;

pub(super) const QUEUE: &[(&str, &[Evidence])] = &[
    (
        "Q1",
        &[
            Killed("queue-2-1", EXPLORER),
            Killed("queue-x3-room", EXPLORER),
            Killed("queue-put-put", EXPLORER),
            Killed("queue-many-2-1", EXPLORER),
            Small("queue", TWO_BY_ONE),
            Explore("queue-both", RMW2),
            Explore("queue-put-get-twice", RMW2),
            Explore("queue-put-put", LOOM2),
            Explore("queue-put-put", RMW2),
            Programs(Target::Queue, 60),
        ],
    ),
    (
        "Q2",
        &[
            Killed("queue-x3", EXPLORER),
            Killed("queue-x3", TSO),
            Killed("queue-x3-room", TSO),
            Explore("queue-put-put-get", RMW2),
            Explore("queue-get-get", RMW2),
            Explore("queue-many", RMW2),
            Explore("queue-put-get", LOOM2),
        ],
    ),
    (
        "Q3",
        &[
            Killed("queue-2-1", EXPLORER),
            Killed("queue-put-put-get", TSO),
            Killed("queue-both", EXPLORER),
            Killed("queue-many", EXPLORER),
            Killed("queue-many-room", TSO),
            Killed("queue-put-get", LOOM2),
            Killed("queue-put-get", RMW),
            Killed("queue-put-put", RMW2),
            Killed("queue-put-get-twice", PCT),
        ],
    ),
    (
        "Q4",
        &[
            Killed("queue-try", EXPLORER),
            Killed("queue-put-timeout", EXPLORER),
            Killed("queue-get-timeout", EXPLORER),
            Killed("queue-get-timeout", TSO),
            Explore("queue-try", RMW2),
            Explore("queue-put-timeout", RMW2),
            Explore("queue-get-timeout", RMW2),
        ],
    ),
    (
        "Q5",
        &[
            Killed("queue-close-all", EXPLORER),
            Killed("queue-close-get", EXPLORER),
            Killed("queue-close-put", EXPLORER),
            Killed("queue-close-put", TSO),
            Explore("queue-close-get", RMW2),
            Explore("queue-close-put", LOOM2),
        ],
    ),
    (
        "Q6",
        &[
            Killed("queue-close-discard", EXPLORER),
            Killed("queue-close-now-put", EXPLORER),
            Killed("queue-close-now-put", TSO),
            Explore("queue-close-discard", RMW2),
        ],
    ),
    (
        "Q7",
        &[
            Killed("queue-x3", EXPLORER),
            Killed("queue-put-get-twice", EXPLORER),
            Killed("queue-put-get-twice", RMW2),
            Killed("queue-try", RMW2),
        ],
    ),
    (
        "Q8",
        &[
            Killed("queue-put-is-empty", EXPLORER),
            Killed("queue-put-is-full", EXPLORER),
            Killed("queue-put-len", EXPLORER),
            Killed("queue-busy-len", EXPLORER),
            Explore("queue-through-len", LOOM2),
            Explore("queue-put-is-empty", LOOM2),
            Explore("queue-put-is-full", RMW2),
            Explore("queue-put-len", RMW2),
        ],
    ),
    ("Q9", &[Killed("queue-x3", RACE), Killed("queue-put-put", RACE), Killed("queue-both", RACE)]),
    (
        "Q10",
        &[
            Killed("queue-wrap", EXPLORER),
            Killed("queue-wrap", TSO),
            Killed("queue-wrap", RACE),
            Explore("queue-wrap", RMW2),
        ],
    ),
];
