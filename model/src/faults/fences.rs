//! The asymmetric fence pair: two say something, and each looks whether the other has. One of the two fences must be heavy; only
//! store buffers can tell.

use super::{Fault, site};
use crate::explore::fences::{Said, Saw, SayAndLook};
use crate::scenario::{ModelPlatform, Scenario, Subject};
use procession::algorithm::Owner;
use procession::platform::{Access, Site};

const SAY: Site = site("fences.say", Access::Store);
const LOOK: Site = site("fences.look", Access::Load);
const LIGHT: Site = site("fences.light", Access::LightFence);
const HEAVY: Site = site("fences.heavy", Access::HeavyFence);

/// Which fences there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A light one and a heavy one.
    LightAndHeavy,
    /// Two light ones.
    BothLight,
}

impl Subject for Form {
    type Spec = Said;
    type Op = SayAndLook;
    type Answer = Saw;
    type Shared<P: ModelPlatform> = [P::Word<u32>; 2];
    type Local = ();

    fn spec(&self) -> Said {
        Said::default()
    }

    fn build<P: ModelPlatform>(&self) -> [P::Word<u32>; 2] {
        [P::word(0), P::word(0)]
    }

    fn apply<P: ModelPlatform>(
        &self,
        said: &[P::Word<u32>; 2],
        platform: &P,
        me: Owner,
        (): &mut (),
        SayAndLook: &SayAndLook,
    ) -> Option<Saw> {
        let mine = me.peer as usize - 1;
        platform.store(&said[mine], 1, &SAY);
        if mine == 0 || *self == Form::BothLight {
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

pub(super) fn faults() -> Vec<Fault> {
    let two = |name, form| Scenario::new(name, form, [&[SayAndLook], &[SayAndLook]]);
    vec![
        Fault::holds(two("fences", Form::LightAndHeavy), "one heavy fence is enough").with_store_buffers().killing(1),
        Fault::unordered(two("fences-both-light", Form::BothLight), "both stores still wait in their buffers")
            .with_store_buffers(),
        Fault::holds(two("fences-both-light-sc", Form::BothLight), "sequential consistency cannot notice"),
    ]
}
