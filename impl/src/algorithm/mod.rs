//! The algorithms, each generic over [`Platform`](crate::platform::Platform) and without a word of `unsafe`, system calls
//! or configuration: what is checked is what ships.

pub mod array;
pub mod cursor;
pub mod exclusion;
pub mod joinable;
pub mod ledger;
pub mod lock;
pub mod message;
pub mod peers;
pub mod pipe;
pub mod queue;
pub mod queue_gate;
pub mod queue_many;
pub mod queue_parts;
pub mod queue_whole;
pub mod raw_value;
pub mod record;
pub mod redelivery;
pub mod ring;
pub mod rlock;
pub mod run;
pub mod tally;
pub mod value;

use crate::platform::Site;

/// A thread of a process: who holds what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The process, as a peer id of the region: 1 to [`peers::LAST_ID`], never reused.
    pub peer: u32,
    /// The thread, as a number that no other thread of any process ever has in this region.
    pub thread: u64,
}

impl Owner {
    /// The `serial`-th thread of `peer`. Serials start at 1, so no thread is 0.
    pub fn new(peer: u32, serial: u32) -> Owner {
        Owner { peer, thread: u64::from(peer) << 32 | u64::from(serial) }
    }
}

/// Every site of every algorithm.
pub fn sites() -> impl Iterator<Item = &'static Site> {
    [
        lock::SITES,
        rlock::SITES,
        value::SITES,
        raw_value::SITES,
        array::SITES,
        ring::SITES,
        record::SITES,
        pipe::SITES,
        queue::SITES,
        queue_gate::SITES,
        queue_whole::SITES,
        joinable::SITES,
        tally::SITES,
        redelivery::SITES,
        peers::SITES,
    ]
    .into_iter()
    .flatten()
    .copied()
}
