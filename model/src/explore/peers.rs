//! The peer table: claimers against claimers, for free slots and for a dead one's.

use crate::scenario::{ModelPlatform, Scenario, Subject};
use crate::spec;
use crate::spec::peers::{Answer, Op};
use procession::algorithm::Owner;
use procession::algorithm::peers::{claim, release};
use procession::platform::Platform;

/// A table.
#[derive(Debug, Clone, Copy)]
pub struct PeersSubject {
    /// How many slots it has.
    pub slots: usize,
}

impl Subject for PeersSubject {
    type Spec = spec::peers::Peers;
    type Op = Op;
    type Answer = Answer;
    type Shared<P: ModelPlatform> = Vec<<P as Platform>::Word<u32>>;
    /// The slot the role is in.
    type Local = Option<usize>;

    fn spec(&self) -> spec::peers::Peers {
        spec::peers::Peers { slots: vec![None; self.slots] }
    }

    fn build<P: ModelPlatform>(&self) -> Vec<P::Word<u32>> {
        (0..self.slots).map(|_| P::word(0)).collect()
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
    vec![
        Scenario::new("peers-claim-claim", PeersSubject { slots: 2 }, [&[Op::Claim], &[Op::Claim]]),
        Scenario::new("peers-claim-full", PeersSubject { slots: 1 }, [&[Op::Claim], &[Op::Claim]]),
        Scenario::new("peers-release-claim", PeersSubject { slots: 1 }, [&[Op::Claim, Op::Release], &[Op::Claim]]),
        Scenario::new("peers-claim-claim-claim", PeersSubject { slots: 2 }, [&[Op::Claim], &[Op::Claim], &[Op::Claim]]),
    ]
}
