//! The ledger of a [joinable queue](super::joinable): of the tasks that somebody has got, how many are done, and who has the
//! others in hand. It comes in two forms. [Tallies](super::tally) say how many each process has; [copies](super::redelivery) say
//! which, so that somebody else can get what a dead one had.

use super::Owner;
use super::queue_gate::Control;
use super::queue_parts::{Parts, Receipt, Refused};
use super::record::Framing;
use super::redelivery::Copies;
use super::ring::{Progress, Ring, Side};
use super::tally::{Blind, Hands, NoTask, Tallies, unfinished};
use crate::platform::Platform;

/// Wherever a ledger is kept.
pub trait Books<P: Platform> {
    /// It.
    fn ledger(&self) -> Ledger<'_, P>;
}

/// What a joinable queue is made of: a queue, and its ledger.
pub struct TaskParts<Q, B> {
    /// The queue.
    pub queue: Q,
    /// Where its ledger is.
    pub books: B,
}

impl<P: Platform, Q: Parts<P>, B: Books<P>> Parts<P> for TaskParts<Q, B> {
    #[inline(always)]
    fn control(&self) -> &Control<P> {
        self.queue.control()
    }
    #[inline(always)]
    fn ring(&self) -> Ring<'_, P> {
        self.queue.ring()
    }
    #[inline(always)]
    fn framing(&self) -> Framing {
        self.queue.framing()
    }
    #[inline(always)]
    fn most(&self) -> u32 {
        self.queue.most()
    }
    fn is_deserted(&self, side: Side) -> bool {
        self.queue.is_deserted(side)
    }
    #[inline(always)]
    fn ledger(&self) -> Option<Ledger<'_, P>> {
        Some(self.books.ledger())
    }
}

/// A ledger, as one process has it.
pub struct Ledger<'a, P: Platform> {
    /// Who has taken and done how much; where there are copies, only what all share.
    pub tallies: Tallies<'a, P>,
    /// Which of them is this process's.
    pub slot: usize,
    /// Copies of what everybody has in hand, if the tasks of the dead are to be delivered again.
    pub copies: Option<Copies<'a, P>>,
    /// What whoever joins sleeps on.
    pub events: &'a P::Word<u32>,
}

impl<P: Platform> Clone for Ledger<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Ledger<'_, P> {}

impl<P: Platform> Ledger<'_, P> {
    /// Whether the tasks of the dead are delivered again.
    pub fn redelivers(self) -> bool {
        self.copies.is_some()
    }

    /// Inside the putters' lock: whether one more message than `tail` says is allowed at all.
    #[inline(always)]
    pub fn admits(self, platform: &P, tail: Progress) -> bool {
        self.redelivers() || self.tallies.admit(platform, tail)
    }

    /// Inside the getters' lock: `me` is about to get this message, the one that comes at `head`.
    #[inline(always)]
    pub fn takes(self, platform: &P, me: Owner, head: Progress, message: &[u8]) -> Result<Receipt, Refused> {
        match self.copies {
            Some(copies) => copies.take(platform, me, head, message),
            None => Ok(Receipt { worker: me.peer, ..Receipt::default() }),
        }
    }

    /// Inside the getters' lock: `me` has got so many messages, which are not in the queue any more.
    #[inline(always)]
    pub fn took(self, platform: &P, me: Owner, messages: usize) {
        if !self.redelivers() {
            self.tallies.take(platform, me, self.slot, messages);
        }
    }

    /// Inside the getters' lock: a task that somebody got who has died since, and that `me` can get.
    pub fn orphan(self, platform: &P, me: Owner, head: Progress) -> Option<usize> {
        self.copies?.orphan(platform, me, head)
    }

    /// Inside the same: such a one, if there is no place for another before that is done.
    #[inline(always)]
    pub fn orphan_in_the_way(self, platform: &P, me: Owner, head: Progress) -> Option<usize> {
        self.copies?.orphan_in_the_way(platform, me, head)
    }

    /// Inside the same: `me` gets it.
    pub fn adopt<'b>(
        self,
        platform: &P,
        me: Owner,
        orphan: usize,
        take: impl FnOnce(usize) -> Option<&'b mut [u8]>,
    ) -> Result<Receipt, Refused> {
        self.copies.ok_or(Refused::Corrupt)?.adopt(platform, me, orphan, take)
    }

    /// Inside the getters' lock: nobody is to get what comes after `head`.
    pub fn discard(self, platform: &P, head: Progress) {
        if let Some(copies) = self.copies {
            copies.give_up(platform, head);
        }
        self.tallies.discard(platform, head);
    }

    /// Whether nobody is to get any message, though there may still be some.
    #[inline(always)]
    pub fn is_discarded(self, platform: &P) -> bool {
        self.tallies.discarded(platform).is_some()
    }

    /// `me` has done the task of the receipt, or else its oldest, where it is known which that is.
    #[inline]
    pub fn done(
        self,
        platform: &P,
        me: Owner,
        receipt: Option<Receipt>,
        head: impl FnOnce() -> Progress,
    ) -> Result<(), NoTask> {
        let Some(copies) = self.copies else { return self.tallies.done(platform, me, self.slot) };
        let copy = receipt.map(|receipt| receipt.copy).or_else(|| copies.oldest(platform, me, head()));
        copies.done(platform, me, copy.ok_or(NoTask)?)
    }

    /// Whether `me` has no task in hand.
    pub fn is_idle(self, platform: &P, me: Owner) -> bool {
        match self.copies {
            Some(copies) => copies.is_idle(platform, me),
            None => self.tallies.is_idle(platform, me, self.slot),
        }
    }

    /// Inside the getters' lock: what is finished, and what is in living hands.
    pub fn hands(self, platform: &P, me: Owner, head: impl FnOnce() -> Progress) -> Result<Hands, Blind> {
        let Some(copies) = self.copies else { return self.tallies.hands(platform, me) };
        let head = head();
        let held = copies.held(platform, me, head)?;
        let got = self.discarded_or(platform, head.count());
        Ok(Hands { finished: unfinished(got, held.in_hand + held.orphans), in_hand: held.in_hand })
    }

    /// Inside the getters' lock: the tasks whose workers have died count as finished. Answers how many they were.
    pub fn acknowledge(self, platform: &P, me: Owner, head: Progress) -> Result<u32, Blind> {
        if let Some(copies) = self.copies {
            return copies.acknowledge(platform, me, head);
        }
        let hands = self.tallies.hands(platform, me)?;
        let got = self.discarded_or(platform, head.count());
        let lost = unfinished(got, hands.finished).wrapping_sub(hands.in_hand);
        self.tallies.acknowledge(platform, lost);
        Ok(lost)
    }

    /// A count of messages that was read before; or, if they were discarded, that of those that count.
    pub fn discarded_or(self, platform: &P, count: u32) -> u32 {
        self.tallies.discarded(platform).unwrap_or(count)
    }
}
