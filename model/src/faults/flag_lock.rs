//! A lock that is left by a plain store. So the word cannot say whether somebody sleeps: a second word does.
//!
//! | word | meaning |
//! |---|---|
//! | `word` | 0, or the owner |
//! | `sleepers` | a flag that says whether to wake, or a count of those who may sleep |
//!
//! Rules: whoever finds the word held raises `sleepers`, and sleeps while the word still names the same owner. Whoever leaves
//! stores 0, and wakes one if `sleepers` is not 0. Nothing is done here about deaths.

use super::section::{Exclusive, Inside, Patience, Section, TWICE};
use super::{Fault, site};
use crate::scenario::{ModelPlatform, Scenario};
use crate::spec::lock::Answer;
use procession::platform::{Access, Site};

const ENTER: Site = site("lock.enter", Access::Modify);
const RAISE: Site = site("sleepers.raise", Access::Modify);
const LOWER: Site = site("sleepers.lower", Access::Modify);
const CLEAR: Site = site("sleepers.clear", Access::Store);
const LOOK: Site = site("sleepers.look", Access::Load);
const SLEEP: Site = site("lock.sleep", Access::Wait);
const LEAVE: Site = site("lock.leave", Access::Store);
const WAKE: Site = site("lock.wake", Access::Wake);

/// What stands beside the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A count, that each sleeper raises and lowers itself.
    Count,
    /// A flag, that the sleeper sets and the waker clears.
    FlagClearedByWaker,
}

/// The two words.
pub struct Words<P: ModelPlatform> {
    word: P::Word<u32>,
    sleepers: P::Word<u32>,
}

impl Exclusive for Form {
    type Words<P: ModelPlatform> = Words<P>;

    fn build<P: ModelPlatform>(&self) -> Words<P> {
        Words { word: P::word(0), sleepers: P::word(0) }
    }

    fn enter<P: ModelPlatform>(
        &self,
        words: &Words<P>,
        platform: &P,
        me: u32,
        _patience: Patience,
    ) -> (Answer, Inside) {
        loop {
            platform.loop_head(&[0]);
            let Err(owner) = platform.compare_exchange(&words.word, 0, me, &ENTER) else {
                return (Answer::Locked, Inside::Normally);
            };
            if *self == Form::Count {
                platform.fetch_add(&words.sleepers, 1, &RAISE);
            } else {
                platform.swap(&words.sleepers, 1, &RAISE);
            }
            platform.wait(&words.word, owner, P::never(), 0, &SLEEP);
            if *self == Form::Count {
                platform.fetch_add(&words.sleepers, u32::MAX, &LOWER);
            }
        }
    }

    fn leave<P: ModelPlatform>(&self, words: &Words<P>, platform: &P, _me: u32, _inside: Inside) {
        platform.store(&words.word, 0, &LEAVE);
        if platform.load(&words.sleepers, &LOOK) != 0 {
            if *self == Form::FlagClearedByWaker {
                platform.store(&words.sleepers, 0, &CLEAR);
            }
            platform.wake(&words.word, 1, &WAKE);
        }
    }
}

pub(super) fn faults() -> Vec<Fault> {
    let two = |name, form| Scenario::new(name, Section(form), [TWICE, TWICE]);
    vec![
        Fault::holds(two("flag-lock-count", Form::Count), "a count that only sleepers change misses none of them"),
        Fault::asleep(
            two("flag-lock-cleared-by-waker", Form::FlagClearedByWaker),
            "between flag and sleep the owner leaves, clears the flag and comes back: the word looks as it did",
        ),
    ]
}
