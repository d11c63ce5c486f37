//! What stands behind the claims about `Pipe`.

use super::worlds::{EXPLORER, LOOM, LOOM2, PCT, RACE, RMW, RMW2, TSO, TWO_BY_TWO};
use crate::evidence::Evidence::{self, Explore, Killed, Small};

pub(super) const PIPE: &[(&str, &[Evidence])] = &[
    (
        "P1",
        &[
            Small("pipe", TWO_BY_TWO),
            Killed("pipe-x3", EXPLORER),
            Killed("pipe-x3-room", RACE),
            Killed("pipe-fixed", EXPLORER),
            Explore("pipe-send-recv", LOOM),
            Explore("pipe-send-recv", RMW),
            Explore("pipe-send-recv-twice", LOOM2),
            Explore("pipe-fragments", LOOM2),
            Explore("pipe-fixed", LOOM2),
            Explore("pipe-empty-message", LOOM2),
        ],
    ),
    (
        "P2",
        &[
            Killed("pipe-x3", TSO),
            Killed("pipe-x3-room", TSO),
            Killed("pipe-x3-room", EXPLORER),
            Explore("pipe-send-recv-twice", RMW2),
            Explore("pipe-fragments", RMW2),
        ],
    ),
    (
        "P3",
        &[
            Killed("pipe-x3", EXPLORER),
            Killed("pipe-x3-room", EXPLORER),
            Killed("pipe-send-recv", LOOM),
            Killed("pipe-send-recv", RMW),
            Killed("pipe-fragments", LOOM2),
            Killed("pipe-fragments", RMW2),
            Killed("pipe-send-recv-twice", PCT),
        ],
    ),
    (
        "P4",
        &[
            Killed("pipe-x3-timeouts", EXPLORER),
            Killed("pipe-send-timeout", TSO),
            Killed("pipe-recv-timeout-fragments", TSO),
            Killed("pipe-try", LOOM),
            Killed("pipe-try", RMW),
            Killed("pipe-try-fragments", LOOM2),
            Killed("pipe-try-fragments", EXPLORER),
            Explore("pipe-send-timeout", LOOM2),
            Explore("pipe-recv-timeout-fragments", RMW2),
        ],
    ),
    (
        "P5",
        &[
            Killed("pipe-close-recv", EXPLORER),
            Killed("pipe-close-recv", TSO),
            Explore("pipe-close-recv", LOOM),
            Killed("pipe-close-recv", RMW2),
            Killed("pipe-empty-message", RMW2),
        ],
    ),
    (
        "P6",
        &[
            Killed("pipe-full-close", EXPLORER),
            Killed("pipe-full-close", TSO),
            Killed("pipe-recv-close", EXPLORER),
            Killed("pipe-full-close", LOOM),
            Killed("pipe-full-close", RMW),
            Explore("pipe-recv-close", LOOM),
            Killed("pipe-recv-close", RMW2),
        ],
    ),
    (
        "P7",
        &[
            Killed("pipe-claim-claim", EXPLORER),
            Killed("pipe-claim-recv", TSO),
            Killed("pipe-claim-claim", LOOM),
            Killed("pipe-claim-claim", RMW),
            Killed("pipe-claim-recv", LOOM2),
            Killed("pipe-claim-recv", RMW2),
        ],
    ),
    (
        "P8",
        &[
            Killed("pipe-take-over-sender", RACE),
            Killed("pipe-take-over-receiver", RACE),
            Killed("pipe-take-over-sender", TSO),
            Killed("pipe-take-over-receiver", TSO),
            Killed("pipe-take-over-receiver", RMW2),
        ],
    ),
    (
        "P9",
        &[
            Killed("pipe-batch-fragments", TSO),
            Killed("pipe-batch", EXPLORER),
            Explore("pipe-batch", LOOM2),
            Killed("pipe-many", RACE),
            Killed("pipe-many", TSO),
            Killed("pipe-many-room", TSO),
            Killed("pipe-many-close", EXPLORER),
            Small("pipe-fixed", TWO_BY_TWO),
            Explore("pipe-many", LOOM2),
        ],
    ),
    (
        "P10",
        &[
            Killed("pipe-wrap", EXPLORER),
            Killed("pipe-wrap", TSO),
            Killed("pipe-many-wrap", EXPLORER),
            Explore("pipe-wrap", LOOM2),
            Killed("pipe-wrap", RMW2),
        ],
    ),
];
