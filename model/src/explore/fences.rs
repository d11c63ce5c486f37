//! The asymmetric fence pair: each of two says something and then looks whether the other has; one of them sees it.

use crate::scenario::{ModelPlatform, Scenario, Subject};
use crate::spec::{Actor, Spec};
use procession::algorithm::Owner;
use procession::platform::{Access, Ordering, Site};

static SAY: Site = Site::new("fences.say", Access::Store, Ordering::Relaxed, "the fences order it");
static LOOK: Site = Site::new("fences.look", Access::Load, Ordering::Relaxed, "the fences order it");
static LIGHT: Site = Site::plain("fences.light", Access::LightFence, "pairs with fences.heavy");
static HEAVY: Site = Site::plain("fences.heavy", Access::HeavyFence, "pairs with fences.light");

/// The sites of this file.
pub static SITES: &[&Site] = &[&LIGHT, &HEAVY];

/// Two words, and the fences between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FencePair {
    /// A light one and a heavy one, as it should be.
    LightAndHeavy,
    /// Two light ones.
    BothLight,
}

/// The state: what has been said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Said([bool; 2]);

/// What can be done: say it and, after one's fence, look for the other. Role 0 is the hot side, role 1 the cold one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SayAndLook;

/// Whether the other had said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Saw(bool);

impl Spec for Said {
    type Op = SayAndLook;
    type Answer = Saw;
    /// Whoever comes second must see the first. Whoever comes first may see the second, who is under way.
    fn step(&self, actor: Actor, SayAndLook: &SayAndLook) -> Vec<(Saw, Said)> {
        let mut next = *self;
        next.0[actor.role] = true;
        let mut answers = vec![(Saw(true), next)];
        if !self.0[1 - actor.role] {
            answers.push((Saw(false), next));
        }
        answers
    }
    fn died(&self, _process: usize) -> Said {
        *self
    }
}

impl Subject for FencePair {
    type Spec = Said;
    type Op = SayAndLook;
    type Answer = Saw;
    type Shared<P: ModelPlatform> = [P::Word<u64>; 2];
    type Local = ();

    fn spec(&self) -> Said {
        Said::default()
    }

    fn build<P: ModelPlatform>(&self) -> [P::Word<u64>; 2] {
        [P::word(0), P::word(0)]
    }

    fn apply<P: ModelPlatform>(
        &self,
        said: &[P::Word<u64>; 2],
        platform: &P,
        me: Owner,
        (): &mut (),
        SayAndLook: &SayAndLook,
    ) -> Option<Saw> {
        let mine = me.peer as usize - 1;
        platform.store(&said[mine], 1, &SAY);
        if mine == 0 || *self == FencePair::BothLight {
            platform.light_fence(&LIGHT);
        } else {
            platform.heavy_fence(&HEAVY);
        }
        Some(Saw(platform.load(&said[1 - mine], &LOOK) == 1))
    }

    fn leaves_out(&self, (): &(), _op: &SayAndLook) -> bool {
        false
    }
}

/// The scenario of the fence pair.
pub fn pairs() -> Vec<Scenario<FencePair>> {
    vec![Scenario::new("fences-say-look", FencePair::LightAndHeavy, [&[SayAndLook], &[SayAndLook]])]
}
