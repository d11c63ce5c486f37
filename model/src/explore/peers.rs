//! The peer table: claimers against claimers, for free slots and for a dead one's.

use crate::scenario::{ModelPlatform, Scenario, Subject, peer, process_of, second_peer};
use crate::spec;
use crate::spec::peers::{Answer, Op};
use procession::algorithm::Owner;
use procession::algorithm::peers::{claim, hand_over, release};
use procession::platform::Platform;

/// A table.
#[derive(Debug, Clone, Copy)]
pub struct PeersSubject {
    /// How many slots it has.
    pub slots: usize,
    /// How many of them are kept for a process each, from the first process on, as for a child between its spawn and its
    /// first use of the region.
    pub kept: usize,
}

impl Subject for PeersSubject {
    type Spec = spec::peers::Peers;
    type Op = Op;
    type Answer = Answer;
    type Shared<P: ModelPlatform> = Vec<<P as Platform>::Word<u32>>;
    /// The slot the role is in.
    type Local = Option<usize>;

    fn spec(&self) -> spec::peers::Peers {
        spec::peers::Peers { slots: (0..self.slots).map(|slot| (slot < self.kept).then_some(slot)).collect() }
    }

    fn build<P: ModelPlatform>(&self) -> Vec<P::Word<u32>> {
        (0..self.slots).map(|slot| P::word(if slot < self.kept { peer(slot) } else { 0 })).collect()
    }

    fn apply<P: ModelPlatform>(
        &self,
        slots: &Vec<P::Word<u32>>,
        platform: &P,
        me: Owner,
        held: &mut Option<usize>,
        op: &Op,
    ) -> Option<Answer> {
        match op {
            Op::Claim => Some(match claim(platform, slots, me.peer) {
                Ok(slot) => {
                    *held = Some(slot);
                    Answer::Slot(slot)
                }
                Err(_) => Answer::Full,
            }),
            Op::Adopt => {
                let slot = hand_over(platform, slots, me.peer, second_peer(process_of(me.peer)))?;
                *held = Some(slot);
                Some(Answer::Slot(slot))
            }
            Op::Release => {
                release(platform, &slots[held.take()?], me.peer);
                Some(Answer::Released)
            }
        }
    }

    fn leaves_out(&self, held: &Option<usize>, op: &Op) -> bool {
        matches!(op, Op::Release) && held.is_none()
    }
}

/// The scenarios of the peer table.
pub fn tables() -> Vec<Scenario<PeersSubject>> {
    let free = |slots| PeersSubject { slots, kept: 0 };
    const CLAIM: &[Op] = &[Op::Claim];
    const ADOPT: &[Op] = &[Op::Adopt];
    vec![
        Scenario::new("peers-claim-claim", free(2), [CLAIM, CLAIM]),
        Scenario::new("peers-claim-full", free(1), [CLAIM, CLAIM]),
        Scenario::new("peers-release-claim", free(1), [&[Op::Claim, Op::Release], CLAIM]),
        Scenario::new("peers-claim-claim-claim", free(2), [CLAIM, CLAIM, CLAIM]),
        Scenario::new("peers-adopt-claim", PeersSubject { slots: 1, kept: 1 }, [ADOPT, CLAIM]),
        Scenario::new("peers-adopt-claim-claim", PeersSubject { slots: 2, kept: 1 }, [ADOPT, CLAIM, CLAIM]),
    ]
}
