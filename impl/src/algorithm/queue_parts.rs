//! What a [queue](super::queue) is made of, what it is asked, and why it refuses.

use super::ledger::Ledger;
use super::queue_gate::Control;
use super::record::Framing;
use super::ring::{Ring, Side};
use crate::platform::Platform;

/// Nothing was put, or got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refused {
    /// It was full, or empty, and we were not to wait.
    WouldBlock,
    /// The same, until the deadline had passed; or somebody was stopped in the middle of an operation until then.
    TimedOut,
    /// It was closed; to a getter: and there are no messages left.
    Closed,
    /// Nobody is left on the other side; to a getter: and there are no messages left.
    Disconnected,
    /// More bytes than the queue has room for.
    TooLarge,
    /// There are as many messages that were got and are not done with as there may be.
    TooMany,
    /// Whoever is inside cannot be asked after, and may be dead: waiting might never end.
    Blind,
    /// A word holds what no peer writes.
    Corrupt,
}

/// What whoever got a message needs to say that it is done, where somebody keeps account of that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Receipt {
    /// The peer that got it: a forked child that has a copy of this is another one.
    pub worker: u32,
    /// Where it is kept until then.
    pub copy: usize,
    /// How many have got it before, and died.
    pub times: u32,
}

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Patience<D> {
    /// Whether to wait for a message, or for room.
    pub waits: bool,
    /// Whether to ask at once whether anybody is left on the other side, and not only when nothing happens for a while.
    pub asks: bool,
    /// When to give up. Whoever does not wait for a message may still have to wait for somebody who is inside.
    pub deadline: D,
}

/// What a queue is made of, wherever that is kept.
pub trait Parts<P: Platform> {
    /// The words beside the records.
    fn control(&self) -> &Control<P>;
    /// The records.
    fn ring(&self) -> Ring<'_, P>;
    /// How messages are told apart.
    fn framing(&self) -> Framing;
    /// The most messages there may be.
    fn most(&self) -> u32;
    /// Whether nobody is on that side, who could put or get, and somebody has been.
    fn is_deserted(&self, side: Side) -> bool;
    /// Who has got what and is not done with it, where somebody keeps account of that.
    #[inline(always)]
    fn ledger(&self) -> Option<Ledger<'_, P>> {
        None
    }
}
