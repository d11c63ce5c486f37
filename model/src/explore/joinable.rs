//! `JoinableQueue`: tasks done against whoever waits for all of them, and both against whoever puts, closes, acknowledges or
//! dies; and the tally of one process taken over by another.

use super::queue::{self, Here, QueueSubject};
use crate::scenario::{ModelPlatform, Subject, peer};
use crate::spec;
use crate::spec::joinable::{Answer, Op};
use crate::spec::peers;
use procession::algorithm::Owner;
use procession::algorithm::joinable::Unjoined;
use procession::algorithm::ledger::{Books, Ledger, TaskParts};
use procession::algorithm::peers::{claim, release};
use procession::algorithm::queue::{Queue, Refused};
use procession::algorithm::tally::{LIMIT, NoTask, Tallies, Tally, Totals};
use procession::platform::Platform;

/// A joinable queue. Processes that get tasks come first: the first has the first tally, and so on.
#[derive(Debug, Clone, Copy)]
pub struct JoinableSubject {
    /// The queue that it is.
    pub queue: QueueSubject,
    /// How many tallies there are.
    pub tallies: usize,
    /// How many of them belong to a process from the beginning; the others are to be claimed.
    pub kept: usize,
    /// How many tasks each tally has seen taken and done.
    pub past: u32,
    /// How many tasks were lost before.
    pub lost: u32,
    /// How many of them each tally still tells of. Only where nobody asks after their owners, for there are none.
    pub left: u32,
}

/// A joinable queue that nothing has happened to, with a tally for each process that gets tasks.
pub const fn joinable(queue: QueueSubject) -> JoinableSubject {
    let tallies = queue.roles[1].len();
    JoinableSubject { queue, tallies, kept: tallies, past: 0, lost: 0, left: 0 }
}

/// Its shared state.
pub struct Shared<P: Platform> {
    queue: queue::Shared<P>,
    totals: Totals<P>,
    rows: Vec<Tally<P>>,
    events: P::Word<u32>,
    peers: Vec<P::Word<u32>>,
}

/// A role's place among the peers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Place {
    /// The one that it has from the beginning, if any.
    #[default]
    AtFirst,
    /// One that it has claimed.
    Claimed(usize),
    /// None: it was refused, or has left.
    Nowhere,
}

/// The ledger, for as long as an operation takes.
struct Tallied<'a, P: Platform> {
    shared: &'a Shared<P>,
    slot: usize,
}

impl<P: Platform> Books<P> for Tallied<'_, P> {
    fn ledger(&self) -> Ledger<'_, P> {
        Ledger {
            tallies: Tallies { totals: &self.shared.totals, rows: &self.shared.rows },
            slot: self.slot,
            copies: None,
            events: &self.shared.events,
        }
    }
}

impl JoinableSubject {
    /// The tasks that count as acknowledged at first: what was put, without what tallies say is done, and what is lost.
    fn acknowledged(&self) -> u32 {
        let done = self.past.wrapping_mul(self.tallies as u32); // modulo 2^32, and so modulo 2^31, too
        self.queue.past.0.wrapping_sub(done).wrapping_sub(self.lost) & (u32::MAX >> 1)
    }

    fn peer<P: Platform>(shared: &Shared<P>, platform: &P, me: Owner, place: &mut Place, op: peers::Op) -> Answer {
        Answer::Peer(match op {
            peers::Op::Claim | peers::Op::Adopt => match claim(platform, &shared.peers, me.peer) {
                Ok(slot) => {
                    *place = Place::Claimed(slot);
                    peers::Answer::Slot(slot)
                }
                Err(_) => {
                    *place = Place::Nowhere;
                    peers::Answer::Full
                }
            },
            peers::Op::Release => {
                let slot = slot(me, *place);
                shared.peers.get(slot).iter().for_each(|word| release(platform, word, me.peer));
                *place = Place::Nowhere;
                peers::Answer::Released
            }
        })
    }
}

/// Which tally is a role's.
fn slot(me: Owner, place: Place) -> usize {
    match place {
        Place::AtFirst => me.peer as usize - 1,
        Place::Claimed(slot) => slot,
        Place::Nowhere => usize::MAX,
    }
}

fn joined(result: Result<(), Unjoined>) -> Option<Answer> {
    Some(match result {
        Ok(()) => Answer::Done,
        Err(Unjoined::TimedOut) => Answer::TimedOut,
        Err(Unjoined::WorkerDied(tasks)) => Answer::WorkerDied(tasks as usize),
        Err(Unjoined::Disconnected) => Answer::Disconnected,
        // Here everybody can be asked after, and nobody writes what no side leaves.
        Err(Unjoined::Blind | Unjoined::Corrupt) => return None,
    })
}

impl Subject for JoinableSubject {
    type Spec = spec::joinable::Joinable;
    type Op = Op;
    type Answer = Answer;
    type Shared<P: ModelPlatform> = Shared<P>;
    type Local = Place;

    fn spec(&self) -> spec::joinable::Joinable {
        let place = |slot: usize| (slot < self.kept).then_some(slot);
        let peers = peers::Peers { slots: (0..self.tallies).map(place).collect() };
        spec::joinable::Joinable::new(self.queue.spec(), self.lost as usize, LIMIT as usize, peers)
    }

    fn build<P: ModelPlatform>(&self) -> Shared<P> {
        let used = if self.past > 0 { self.tallies as u32 } else { 0 };
        let of_getters = [P::word(used), P::word(self.acknowledged()), P::word(0)];
        let floor = self.queue.past.0.wrapping_sub(self.lost) & (u32::MAX >> 1);
        let taken = self.past.wrapping_add(self.left);
        let tally = || Tally::from_words([P::word(0), P::word(taken), P::word(0), P::word(self.past)]);
        let place = |slot: usize| P::word(if slot < self.kept { peer(slot) } else { 0 });
        Shared {
            queue: self.queue.build(),
            totals: Totals::from_words(of_getters, P::word(floor)),
            rows: (0..self.tallies).map(|_| tally()).collect(),
            events: P::word(0),
            peers: (0..self.tallies).map(place).collect(),
        }
    }

    fn apply<P: ModelPlatform>(
        &self,
        shared: &Shared<P>,
        platform: &P,
        me: Owner,
        place: &mut Place,
        op: &Op,
    ) -> Option<Answer> {
        let slot = slot(me, *place);
        let queue = Here(&self.queue, &shared.queue, platform);
        let queue = Queue::<P, _>::new(TaskParts { queue, books: Tallied { shared, slot } });
        let never = P::never();
        match *op {
            Op::Queue(op) => {
                let answer = self.queue.apply_to(&queue, platform, me, &op);
                match answer.or_else(queue::told) {
                    Ok(answer) => Some(Answer::Queue(answer)),
                    Err(Refused::TooMany) => Some(Answer::TooMany),
                    Err(_) => None,
                }
            }
            Op::TaskDone => Some(match queue.task_done(platform, me, None) {
                Ok(()) => Answer::Done,
                Err(NoTask) => Answer::NoTask,
            }),
            Op::Join => joined(queue.join(platform, me, never)),
            Op::JoinTimeout => joined(queue.join(platform, me, platform.deadline())),
            Op::Unfinished => queue.unfinished(platform, me, never).map(|count| Answer::Count(count as usize)).ok(),
            Op::Acknowledge => queue.acknowledge(platform, me, never).map(|count| Answer::Count(count as usize)).ok(),
            Op::Peer(op) => Some(Self::peer(shared, platform, me, place, op)),
        }
    }

    fn leaves_out(&self, place: &Place, op: &Op) -> bool {
        use spec::queue::Op::{Get, GetTimeout, TryGet};
        let needs_one =
            matches!(op, Op::TaskDone | Op::Queue(Get | TryGet | GetTimeout) | Op::Peer(peers::Op::Release));
        needs_one && *place == Place::Nowhere
    }

    fn is_timed(&self, op: &Op) -> bool {
        match op {
            Op::Queue(op) => self.queue.is_timed(op),
            Op::JoinTimeout => true,
            _ => false,
        }
    }
}

/// Room for so many tasks of one word each, between these processes.
pub const fn tasks(most: usize, putters: &'static [usize], workers: &'static [usize]) -> JoinableSubject {
    joinable(queue::queue(most, putters, workers))
}
