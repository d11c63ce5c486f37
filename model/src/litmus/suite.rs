//! The litmus programs that everybody knows, with and without what forbids their surprising outcome; and those of the futex.

use super::Program;
use super::interpreter::Outcomes;

/// A program, an outcome that is asked for, and who allows it.
#[derive(Debug, Clone)]
pub struct Litmus {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub program: Program,
    /// The outcome.
    pub asked: &'static str,
    /// Whether sequential consistency allows it.
    pub sc: bool,
    /// Whether total store order does.
    pub tso: bool,
    /// Whether C11 does, with the asymmetric fences as the seam promises them.
    pub c11: bool,
}

/// What is asked for where the question is whether everybody left can sleep for ever.
pub const ASLEEP: &str = "asleep";

impl Litmus {
    /// Whether the outcome asked for is among these.
    pub fn is_in(&self, outcomes: &Outcomes) -> bool {
        if self.asked == ASLEEP { outcomes.sleeps } else { outcomes.read.contains(self.asked) }
    }
}

/// Who allows what is asked for: nobody, everybody, all but sequential consistency, or C11 alone.
const NOBODY: [bool; 3] = [false; 3];
const EVERYBODY: [bool; 3] = [true; 3];
const TSO_AND_C11: [bool; 3] = [false, true, true];
const C11: [bool; 3] = [false, false, true];
/// What a modification does on the machine and not in the standard: it empties the buffer, whatever its ordering.
const NOT_TSO: [bool; 3] = C11;

/// Name, program, outcome asked for, who allows it.
type Row = (&'static str, &'static str, &'static str, [bool; 3]);

/// Each says something and then looks whether the other has: can both see nothing?
const STORE_BUFFERING: &[Row] = &[
    ("sb", "x = 1; y | y = 1; x", "0 | 0", TSO_AND_C11),
    ("sb-release-acquire", "x.release = 1; y.acquire | y.release = 1; x.acquire", "0 | 0", TSO_AND_C11),
    ("sb-seqcst", "x.seqcst = 1; y.seqcst | y.seqcst = 1; x.seqcst", "0 | 0", NOBODY),
    ("sb-fences-acqrel", "x = 1; fence.acqrel; y | y = 1; fence.acqrel; x", "0 | 0", TSO_AND_C11),
    ("sb-fences", "x = 1; fence.seqcst; y | y = 1; fence.seqcst; x", "0 | 0", NOBODY),
    ("sb-one-fence", "x = 1; fence.seqcst; y | y = 1; x", "0 | 0", TSO_AND_C11),
    ("sb-light-heavy", "x = 1; light; y | y = 1; heavy; x", "0 | 0", NOBODY),
    ("sb-light-light", "x = 1; light; y | y = 1; light; x", "0 | 0", TSO_AND_C11),
    ("sb-light-none", "x = 1; light; y | y = 1; x", "0 | 0", TSO_AND_C11),
    ("sb-swaps", "swap(x, 1); y | swap(y, 1); x", "0 0 | 0 0", NOT_TSO),
    ("sb-forwarding", "x = 1; x; y | y = 1; y; x", "1 0 | 1 0", TSO_AND_C11),
    // One heavy fence for two light ones is one too few: it reaches them one after the other.
    ("sb-light-light-heavy", "x = 1; light; y | y = 1; light; z | z = 1; heavy; x", "0 | 0 | 0", TSO_AND_C11),
    ("sb-light-heavy-heavy", "x = 1; light; y | y = 1; heavy; z | z = 1; heavy; x", "0 | 0 | 0", NOBODY),
];

/// One writes and then says so: does whoever hears it see what was written?
const MESSAGE_PASSING: &[Row] = &[
    ("mp", "x = 1; y = 1 | y; x", " | 1 0", C11),
    ("mp-release-acquire", "x = 1; y.release = 1 | y.acquire; x", " | 1 0", NOBODY),
    ("mp-release", "x = 1; y.release = 1 | y; x", " | 1 0", C11),
    ("mp-acquire", "x = 1; y = 1 | y.acquire; x", " | 1 0", C11),
    ("mp-fences", "x = 1; fence.release; y = 1 | y; fence.acquire; x", " | 1 0", NOBODY),
    ("mp-add", "x = 1; add(y.release, 1) | add(y.acquire, 0); x", "0 | 1 0", NOBODY),
    ("mp-release-sequence", "x = 1; y.release = 1 | add(y, 1) | y.acquire; x", " | 1 | 2 0", NOBODY),
    ("wrc", "x = 1 | x; y = 1 | y; x", " | 1 | 1 0", C11),
    ("wrc-release-acquire", "x.release = 1 | x.acquire; y.release = 1 | y.acquire; x.acquire", " | 1 | 1 0", NOBODY),
];

/// Each reads what the other writes only afterwards: can both have read it?
const LOAD_BUFFERING: &[Row] = &[
    ("lb", "y; x = 1 | x; y = 1", "1 | 1", C11),
    ("lb-release-acquire", "y.acquire; x.release = 1 | x.acquire; y.release = 1", "1 | 1", NOBODY),
];

/// Two write, two look: can they disagree about who was first?
const INDEPENDENT_READS: &[Row] = &[
    ("iriw", "x = 1 | y = 1 | x; y | y; x", " |  | 1 0 | 1 0", C11),
    (
        "iriw-acquire",
        "x.release = 1 | y.release = 1 | x.acquire; y.acquire | y.acquire; x.acquire",
        " |  | 1 0 | 1 0",
        C11,
    ),
    ("iriw-seqcst", "x.seqcst = 1 | y.seqcst = 1 | x.seqcst; y.seqcst | y.seqcst; x.seqcst", " |  | 1 0 | 1 0", NOBODY),
    ("iriw-fences", "x = 1 | y = 1 | x; fence.seqcst; y | y; fence.seqcst; x", " |  | 1 0 | 1 0", NOBODY),
];

/// One word alone has one order.
const COHERENCE: &[Row] = &[
    ("corr", "x = 1 | x; x", " | 1 0", NOBODY),
    ("coww", "x = 1; x = 2 | x; x", " | 2 1", NOBODY),
    ("corw", "x; x = 1 | x = 2", "1 | ", NOBODY),
    ("corw-seen", "x; x = 1 | x = 2 | x; x", "2 |  | 1 2", NOBODY),
    ("cowr", "x = 1; x | x = 2 | x; x", "2 |  | 2 1", NOBODY),
];

/// A modification is one step, a load and a store are two.
const MODIFICATIONS: &[Row] = &[
    ("add-add", "add(x, 1) | add(x, 1)", "0 | 0", NOBODY),
    ("swap-swap", "swap(x, 1) | swap(x, 2)", "0 | 0", NOBODY),
    ("exchange-exchange", "exchange(x, 0, 1) | exchange(x, 0, 2)", "0 | 0", NOBODY),
    ("add-store", "add(x, 1); x | x = 5", "0 6 | ", NOBODY),
    ("store-add", "add(x, 1); x | x = 5", "5 6 | ", EVERYBODY),
    // No store comes between what a modification read and what it wrote: loom does not hold itself to that.
    ("swap-store", "swap(x, 1) | x = 2; x", "0 | 1", NOBODY),
    ("lost-update", "x; x = 1 | x; x = 1", "0 | 0", EVERYBODY),
    // The simplest interleaving that stock loom does not take.
    ("read-then-write", "x | x; x = 1", "1 | 0", EVERYBODY),
    ("write", "x | x = 1", "1 | ", EVERYBODY),
];

/// Sleeping: lost wakes, wakes that go round, and what may be believed after a sleep.
const FUTEX: &[Row] = &[
    ("wake-after-store", "x = 1; wake(x, 1) | wait(x, 0)", ASLEEP, NOBODY),
    ("wake-before-store", "wake(x, 1); x = 1 | wait(x, 0)", ASLEEP, EVERYBODY),
    ("two-sleepers-one-wake", "x = 1; wake(x, 1) | await(x, 0) | await(x, 0)", ASLEEP, EVERYBODY),
    ("two-sleepers-two-woken", "x = 1; wake(x, 2) | await(x, 0) | await(x, 0)", ASLEEP, NOBODY),
    ("wake-handed-on", "x = 1; wake(x, 1) | await(x, 0); wake(x, 1) | await(x, 0); wake(x, 1)", ASLEEP, NOBODY),
    ("wake-another-word", "x = 1; wake(y, 1) | wait(x, 0) | y", ASLEEP, EVERYBODY),
    ("hand-off-no-look", "x = 1; y.release = 1; wake(y, 1) | wait(y, 0); x", " | 1 0", C11),
    ("hand-off-relaxed-look", "x = 1; y.release = 1; wake(y, 1) | await(y, 0); x", " | 1 0", C11),
    ("hand-off-look", "x = 1; y.release = 1; wake(y, 1) | await(y.acquire, 0); x", " | 1 0", NOBODY),
];

/// All of them.
pub fn suite() -> Vec<Litmus> {
    let rows = [STORE_BUFFERING, MESSAGE_PASSING, LOAD_BUFFERING, INDEPENDENT_READS, COHERENCE, MODIFICATIONS, FUTEX];
    let litmus = |(name, text, asked, [sc, tso, c11]): &Row| {
        let program = text.parse().unwrap_or_else(|error| panic!("{name}: {error:?}"));
        Litmus { name, program, asked, sc: *sc, tso: *tso, c11: *c11 }
    };
    rows.into_iter().flatten().map(litmus).collect()
}
