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

/// Two words.
#[derive(Debug, Clone, Copy)]
pub struct FencePair;

/// The state: what has been said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Said([bool; 2]);

/// What can be done. Role 0 is the hot side, role 1 the cold one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Say it.
    Say,
    /// After one's fence, look for the other.
    Look,
}

/// What can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It is said.
    Said,
    /// The other has, or has not.
    Saw(bool),
}

impl Spec for Said {
    type Op = Op;
    type Answer = Answer;
    fn step(&self, actor: Actor, op: &Op) -> Vec<(Answer, Said)> {
        match op {
            Op::Say => {
                let mut next = *self;
                next.0[actor.role] = true;
                vec![(Answer::Said, next)]
            }
            Op::Look => vec![(Answer::Saw(self.0[1 - actor.role]), *self)],
        }
    }
    fn died(&self, _process: usize) -> Said {
        *self
    }
}

impl Subject for FencePair {
    type Spec = Said;
    type Op = Op;
    type Answer = Answer;
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
        op: &Op,
    ) -> Option<Answer> {
        let mine = me.peer as usize - 1;
        Some(match op {
            Op::Say => {
                platform.store(&said[mine], 1, &SAY);
                Answer::Said
            }
            Op::Look => {
                if mine == 0 {
                    platform.light_fence(&LIGHT);
                } else {
                    platform.heavy_fence(&HEAVY);
                }
                Answer::Saw(platform.load(&said[1 - mine], &LOOK) == 1)
            }
        })
    }

    fn leaves_out(&self, (): &(), _op: &Op) -> bool {
        false
    }
}

/// The scenario of the fence pair.
pub fn pairs() -> Vec<Scenario<FencePair>> {
    const BOTH: &[Op] = &[Op::Say, Op::Look];
    vec![Scenario::new("fences-say-look", FencePair, [BOTH, BOTH])]
}
