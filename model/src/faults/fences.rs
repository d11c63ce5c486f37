//! The asymmetric fence pair: two say something, and each looks whether the other has. One of the two fences must be heavy; only
//! store buffers can tell.

use super::Fault;
use crate::explore::fences::{FencePair, SayAndLook};
use crate::scenario::Scenario;

pub(super) fn faults() -> Vec<Fault> {
    let two = |name, pair| Scenario::new(name, pair, [&[SayAndLook], &[SayAndLook]]);
    vec![
        Fault::holds(two("fences", FencePair::LightAndHeavy), "one heavy fence is enough")
            .with_store_buffers()
            .killing(1),
        Fault::unordered(two("fences-both-light", FencePair::BothLight), "both stores still wait in their buffers")
            .with_store_buffers(),
        Fault::holds(two("fences-both-light-sc", FencePair::BothLight), "sequential consistency cannot notice"),
    ]
}
