//! A lock that its first owner enters without a modification, until somebody else comes.
//!
//! `word` is BIASED (fresh), `o + BIASED`, `o + BIASED + REVOKING`, and from then on 0 or `id + CONTENDED`. `inside` is 0 or
//! `o`, and only the owner `o` of the bias ever stores it.
//!
//! | who | sees in `word` | does |
//! |---|---|---|
//! | any | fresh | exchanges it for its own bias |
//! | owner | its bias | `inside := o`, light fence, looks again: still its bias, so it is in; else `inside := 0`, wakes all, goes on below |
//! | owner | its bias, being revoked | is not in; exchanges it for `o + CONTENDED`, and is |
//! | other | a bias | exchanges it for the same, being revoked |
//! | other | a bias being revoked | heavy fence; if suspicious, asks whether `o` lives; then looks at `inside`. Not `o`: exchanges the word for `id + CONTENDED`. `o`, who is dead: the same, and tells of the death. Else sleeps on `inside` |
//! | any | 0, `id + CONTENDED` | the ordinary lock, always contended |
//! | owner, leaving | - | `inside := 0`, light fence; if the word is not its bare bias, wakes all on `inside` |
//!
//! Revoking ends with the same exchange that acquires; and the bias never comes back.

use super::section::{Exclusive, Inside, ONCE, Patience, Section, TWICE};
use super::{Fault, site};
use crate::scenario::{ModelPlatform, Scenario};
use crate::spec::lock::Answer;
use procession::platform::{Access, Life, Site, Wakeup};

const LOOK: Site = site("bias.look", Access::Load);
const TAKE: Site = site("bias.take", Access::Modify);
const COME_IN: Site = site("inside.come_in", Access::Store);
const GO_OUT: Site = site("inside.go_out", Access::Store);
const IS_INSIDE: Site = site("inside.look", Access::Load);
const LIGHT: Site = site("bias.light_fence", Access::LightFence);
const HEAVY: Site = site("bias.heavy_fence", Access::HeavyFence);
const RECHECK: Site = site("bias.recheck", Access::Recheck);
const REVOKE: Site = site("bias.revoke", Access::Modify);
const ENTER: Site = site("lock.enter", Access::Modify);
const TAKE_OVER: Site = site("lock.take_over", Access::Modify);
const LEAVE: Site = site("lock.leave", Access::Modify);
const ASK: Site = site("lock.ask", Access::Ask);
const SLEEP: Site = site("lock.sleep", Access::Wait);
const SLEEP_INSIDE: Site = site("inside.sleep", Access::Wait);
const WAKE: Site = site("lock.wake", Access::Wake);
const WAKE_INSIDE: Site = site("inside.wake", Access::Wake);

const CONTENDED: u32 = 1 << 30;
const BIASED: u32 = 1 << 29;
const REVOKING: u32 = 1 << 28;
const ID: u32 = REVOKING - 1;

/// The lock, in its right form or broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it should be.
    Right,
    /// An owner that finds itself revoked goes out without a wake.
    BacksOutQuietly,
    /// An owner's death inside is found and told to nobody.
    TellsNobody,
    /// Revoking makes the lock free; acquiring comes after.
    RevokesThenAcquires,
    /// Revoking puts the revoker's name in the place of the owner's, before it has looked.
    NamesRevoker,
    /// Leaving looks for REVOKING alone.
    LeavesByRevoking,
    /// Everybody tries the owner's way first, and stores `inside`.
    EverybodyStoresInside,
    /// Looks at `inside` first, and asks then whether the owner lives.
    LooksThenAsks,
    /// Only whoever set REVOKING makes the heavy fence.
    OnlyFirstFences,
}

/// The two words.
pub struct Words<P: ModelPlatform> {
    word: P::Word<u32>,
    inside: P::Word<u32>,
}

impl Exclusive for Form {
    type Words<P: ModelPlatform> = Words<P>;

    fn build<P: ModelPlatform>(&self) -> Words<P> {
        Words { word: P::word(BIASED), inside: P::word(0) }
    }

    fn enter<P: ModelPlatform>(
        &self,
        words: &Words<P>,
        platform: &P,
        me: u32,
        _patience: Patience,
    ) -> (Answer, Inside) {
        let form = *self;
        let (word, inside) = (&words.word, &words.inside);
        if form == Form::EverybodyStoresInside && self.comes_in(words, platform, me) {
            return (Answer::Locked, Inside::Biased);
        }
        let (mut suspicious, mut fenced, mut died, mut revoked) = (false, false, false, 0);
        let told = |died| (if died { Answer::OwnerDied } else { Answer::Locked }, Inside::Normally);
        loop {
            platform.loop_head(&[suspicious.into(), fenced.into(), died.into(), revoked.into()]);
            let seen: u32 = platform.load(word, &LOOK);
            let owner = seen & ID;
            let exchange = |new, site| platform.compare_exchange(word, seen, new, site).is_ok();
            if seen == BIASED {
                exchange(BIASED | me, &TAKE);
            } else if seen == BIASED | me {
                if self.comes_in(words, platform, me) {
                    return (Answer::Locked, Inside::Biased);
                }
            } else if seen == BIASED | REVOKING | me {
                if exchange(me | CONTENDED, &ENTER) {
                    return told(false);
                }
            } else if seen == BIASED | owner {
                let revoking = if form == Form::NamesRevoker { me | REVOKING } else { seen | REVOKING };
                if exchange(revoking, &REVOKE) {
                    platform.heavy_fence(&HEAVY);
                    fenced = true;
                    revoked = if form == Form::NamesRevoker { owner } else { 0 };
                }
            } else if seen == me | REVOKING || seen & (BIASED | REVOKING) == BIASED | REVOKING {
                let owner = if form == Form::NamesRevoker { revoked } else { owner };
                if !fenced && form != Form::OnlyFirstFences {
                    platform.heavy_fence(&HEAVY);
                    fenced = true;
                }
                let looks = || platform.load(inside, &IS_INSIDE) == owner;
                let asks = || suspicious && platform.life(owner, &ASK) == Life::Dead;
                let (is_inside, died_there) = if form == Form::LooksThenAsks {
                    let is_inside = looks();
                    (is_inside, is_inside && asks())
                } else {
                    let is_dead = asks();
                    let is_inside = looks(); // what the dead have stored is final
                    (is_inside, is_inside && is_dead)
                };
                if is_inside && !died_there {
                    suspicious = platform.wait(inside, owner, P::never(), 0, &SLEEP_INSIDE) == Wakeup::Tick;
                } else if form == Form::RevokesThenAcquires {
                    died |= exchange(0, &TAKE_OVER) && died_there;
                } else if exchange(me | CONTENDED, if died_there { &TAKE_OVER } else { &ENTER }) {
                    return told(died_there && form != Form::TellsNobody);
                }
            } else if seen == 0 {
                if exchange(me | CONTENDED, &ENTER) {
                    return told(died);
                }
            } else if suspicious && platform.life(owner, &ASK) == Life::Dead {
                if exchange(me | CONTENDED, &TAKE_OVER) {
                    return told(true);
                }
            } else {
                suspicious = platform.wait(word, seen, P::never(), 0, &SLEEP) == Wakeup::Tick;
            }
        }
    }

    fn leave<P: ModelPlatform>(&self, words: &Words<P>, platform: &P, me: u32, how: Inside) {
        if how == Inside::Normally {
            platform.swap(&words.word, 0, &LEAVE);
            platform.wake(&words.word, 1, &WAKE);
            return;
        }
        platform.store(&words.inside, 0, &GO_OUT);
        platform.light_fence(&LIGHT);
        let now = platform.load(&words.word, &RECHECK);
        let is_awaited = if *self == Form::LeavesByRevoking { now & REVOKING != 0 } else { now != BIASED | me };
        if is_awaited {
            platform.wake(&words.inside, u32::MAX, &WAKE_INSIDE);
        }
    }
}

impl Form {
    /// The owner's way in.
    fn comes_in<P: ModelPlatform>(self, words: &Words<P>, platform: &P, me: u32) -> bool {
        platform.store(&words.inside, me, &COME_IN);
        platform.light_fence(&LIGHT);
        if platform.load(&words.word, &RECHECK) == BIASED | me {
            return true;
        }
        platform.store(&words.inside, 0, &GO_OUT);
        if self != Form::BacksOutQuietly {
            platform.wake(&words.inside, u32::MAX, &WAKE_INSIDE);
        }
        false
    }
}

pub(super) fn faults() -> Vec<Fault> {
    use Form::*;
    let two = |name, form| Scenario::new(name, Section(form), [ONCE, ONCE]);
    let twice = |name, form| Scenario::new(name, Section(form), [TWICE, ONCE]);
    let three = |name, form| Scenario::new(name, Section(form), [ONCE, ONCE, ONCE]);
    let owner_twice = |name, form| Scenario::new(name, Section(form), [TWICE, ONCE, ONCE]);
    vec![
        Fault::holds(owner_twice("biased", Right), "anybody may be the first, and any two killed").killing(2),
        Fault::holds(twice("biased-killed", Right), "both may be killed, one after the other").killing(2),
        Fault::holds(three("biased-buffers", Right), "the fences are enough, with store buffers")
            .with_store_buffers()
            .killing(1),
        Fault::asleep(
            twice("biased-backs-out-quietly", BacksOutQuietly),
            "the revoker sleeps on an owner that was only on its way in",
        ),
        Fault::unordered(two("biased-tells-nobody", TellsNobody), "an owner died inside, and nobody is told")
            .killing(1),
        Fault::unordered(
            three("biased-revokes-then-acquires", RevokesThenAcquires),
            "between revoking and acquiring somebody else comes first, and is told nothing of the death",
        )
        .killing(1),
        Fault::unordered(
            three("biased-names-revoker", NamesRevoker),
            "the revoker dies while it waits, and nobody knows any more that the owner may be inside",
        )
        .killing(1),
        Fault::asleep(
            three("biased-leaves-by-revoking", LeavesByRevoking),
            "the first of two revokers is in already, so the word says REVOKING no more: the second sleeps on",
        ),
        Fault::unordered(
            two("biased-everybody-stores-inside", EverybodyStoresInside),
            "somebody else's store hides that the owner is inside",
        ),
        Fault::unordered(
            three("biased-looks-then-asks", LooksThenAsks),
            "between look and question the owner goes out and, idle, dies: a death is told that did not happen inside",
        )
        .killing(2),
        Fault::unordered(
            three("biased-only-first-fences", OnlyFirstFences),
            "the second revoker looks before the first has made its fence: the owner's store is still in its buffer",
        )
        .with_store_buffers(),
        Fault::holds(three("biased-only-first-fences-sc", OnlyFirstFences), "sequential consistency cannot notice"),
    ]
}
