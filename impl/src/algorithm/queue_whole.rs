//! A [queue](super::queue) as a whole: how many messages it has, and its end.
//!
//! Whoever only looks takes no lock, and so nobody who is stopped inside one is in its way. What it reads first has moved on,
//! perhaps, when it reads the second word; each of the following says why its answer was true at some instant nevertheless.

use super::Owner;
use super::queue::{Parts, Queue, Refused};
use super::queue_gate::Turn;
use super::ring::{Cursor, Progress, Side, WORD_BYTES};
use crate::platform::{Access, Ordering, Platform, Site};

const LENGTH: Site = Site::new(
    "queue.length",
    Access::Load,
    Ordering::Acquire,
    "pairs with ring.commit and ring.give_back: what is read of the other side comes later",
);

/// The sites of this file.
pub static SITES: &[&Site] = &[&LENGTH];

/// How often to look again while others are at work.
const TRIES: u32 = 8;

impl<P: Platform, Q: Parts<P>> Queue<P, Q> {
    /// Closes the queue: nothing can be put any more. What is there can still be got, unless it is then discarded. Whoever is
    /// killed in the middle of this leaves a queue that can be closed again.
    pub fn close(&self, platform: &P, me: Owner, discard: bool, deadline: P::Deadline) -> Result<(), Refused> {
        for side in [Side::Writer, Side::Reader] {
            platform.outer_loop_head(&[u64::from(side == Side::Reader)]);
            // A tick may have come while the first lock was waited for, and it was perhaps the second whose holder had died.
            let entered = self.lock(platform, me, side, (deadline, side == Side::Reader))?;
            let mut cursor = self.cursor(platform, side);
            self.parts.ring().seal(platform, side, &mut cursor);
            self.leave(platform, side, entered);
            self.rouse(platform, side);
        }
        self.tell_of_the_end(platform);
        if discard { self.discard(platform, me, deadline) } else { Ok(()) }
    }

    /// Takes out all the messages there are, to nobody.
    pub fn discard(&self, platform: &P, me: Owner, deadline: P::Deadline) -> Result<(), Refused> {
        platform.outer_loop_head(&[2]);
        let side = Side::Reader;
        let entered = self.lock(platform, me, side, (deadline, true))?; // as in `close`
        let mut cursor = self.cursor(platform, side);
        if let Err(refused) = self.see(platform, side, &mut cursor) {
            self.leave(platform, side, entered);
            return Err(refused);
        }
        if let Some(ledger) = self.parts.ledger() {
            ledger.discard(platform, cursor.own());
        }
        self.skip(platform, Turn::new(entered, cursor));
        self.tell_of_the_end(platform);
        Ok(())
    }

    fn tell_of_the_end(&self, platform: &P) {
        if let Some(ledger) = self.parts.ledger() {
            ledger.tell(platform, || true);
        }
    }

    /// Whether nobody is to get any message, though there may still be some.
    #[inline(always)]
    pub(super) fn is_discarded(&self, platform: &P) -> bool {
        self.parts.ledger().is_some_and(|ledger| ledger.is_discarded(platform))
    }

    /// Inside the getters' lock: goes past all messages there are, as far as was seen.
    pub(super) fn skip(&self, platform: &P, mut turn: Turn) {
        turn.cursor.skip();
        self.publish(platform, Side::Reader, turn);
    }

    /// Wakes everybody who waits for `side`: somebody has left it.
    pub fn rouse(&self, platform: &P, side: Side) {
        self.parts.ring().rouse(platform, side);
    }

    /// Whether there is no message, at some instant of this call.
    pub fn is_empty(&self, platform: &P) -> bool {
        // If they are the same, the head had not moved when the tail was read: it cannot pass it. If not, there was a message
        // when the head was read, or it was put since.
        self.glance(platform, Side::Reader).records() == 0 || self.is_discarded(platform)
    }

    /// Whether there is no room for a message of so many bytes, at some instant of this call.
    pub fn is_full(&self, platform: &P, bytes: usize) -> bool {
        let words = self.parts.framing().words(bytes);
        let is_full = |cursor: &Cursor| {
            self.parts.ring().room(cursor) < words * WORD_BYTES || cursor.records_out() >= self.parts.most()
        };
        let mut cursor = self.glance(platform, Side::Writer);
        for _ in 0..TRIES {
            platform.loop_head(&[cursor.own().to_bits(), cursor.other().to_bits()]);
            // The tail can only have gone further from the head that was read after it.
            if !self.is_behind(Side::Writer, &cursor) && is_full(&cursor) {
                return !self.is_discarded(platform);
            }
            // And the head only nearer to a tail that is read after it.
            let tail = self.peek(platform, Side::Writer);
            if !is_full(&Cursor::new(tail, cursor.other())) {
                return false;
            }
            cursor = Cursor::new(tail, self.peek(platform, Side::Reader));
        }
        // Somebody has put and somebody has got in between, each time: there was room for what was put.
        false
    }

    /// How many messages there are, at some instant of this call.
    pub fn len(&self, platform: &P, me: Owner, deadline: P::Deadline) -> Result<u32, Refused> {
        let mut cursor = self.glance(platform, Side::Reader);
        for _ in 0..TRIES {
            platform.loop_head(&[cursor.own().to_bits(), cursor.other().to_bits()]);
            let head = self.peek(platform, Side::Reader);
            if head == cursor.own() {
                return Ok(if self.is_discarded(platform) { 0 } else { cursor.records() });
            }
            cursor = Cursor::new(head, self.peek(platform, Side::Writer));
        }
        // They are too busy: nobody gets anything while we look.
        platform.outer_loop_head(&[1]);
        let entered = self.lock(platform, me, Side::Reader, (deadline, false))?;
        let count = self.glance(platform, Side::Reader).records();
        let discarded = self.is_discarded(platform); // and whoever did that died before the head had moved
        self.leave(platform, Side::Reader, entered);
        Ok(if discarded { 0 } else { count })
    }

    /// From outside the locks: how far a side has come, and then the other.
    pub(super) fn glance(&self, platform: &P, side: Side) -> Cursor {
        let own = self.peek(platform, side);
        Cursor::new(own, self.peek(platform, side.other()))
    }

    /// Whether getters have gone past the tail that was read before the head: then there was more room than can be said.
    pub(super) fn is_behind(&self, side: Side, cursor: &Cursor) -> bool {
        side == Side::Writer && cursor.own().bytes_since(cursor.other()) > self.parts.ring().capacity
    }

    fn peek(&self, platform: &P, side: Side) -> Progress {
        self.parts.control().ring().peek(platform, side, &LENGTH)
    }
}
