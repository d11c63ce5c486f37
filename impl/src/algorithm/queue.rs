//! A queue: a [ring](super::ring) whose writer is whoever holds the putters' lock, and whose reader is whoever holds the
//! getters'.
//!
//! | what | changed by |
//! |---|---|
//! | `tail`, `CLOSED` in it, and what was last seen of `head` | whoever holds the putters' lock |
//! | `head`, `CLOSED` in it, and what was last seen of `tail` | whoever holds the getters' lock |
//! | a side's alarm: how often nothing had happened for a while, and up to which of these times somebody has asked since and found somebody left on the other side | whoever holds that side's lock |
//! | the mark beside the tail | a getter that is about to sleep, inside the getters' lock |
//! | the mark beside the head | a putter that is about to sleep, inside the putters' lock |
//!
//! Invariants:
//! 1. Inside a lock nobody waits, and nobody runs a user's code: look, copy, commit, leave. So who holds one is about to leave
//!    it, is stopped, or is dead.
//! 2. A message is in the queue from one store to the tail until one store to the head. Whoever dies inside a lock leaves the
//!    old word or the new one: whoever takes the lock over has nothing to repair, and nobody has to be told.
//! 3. All messages are in one order, that of the tail; they leave in this order.
//! 4. Nobody sleeps on a count that was left before its mark was written: marks are written inside the lock of the side that
//!    sleeps, so that an older one never comes after a newer one; and see the fourth invariant of the ring.
//! 5. A tick of those who put or get is never lost: whoever has one raises the alarm of its side, and whoever finds too little there asks before it
//!    sleeps, in whatever operation, until somebody has asked and found that somebody is left. So one tick for a death is
//!    enough, and who was told that nobody is left is told so again at once.
//! 6. CLOSED is in the words that are slept on: whoever is about to sleep when it comes does not.

use super::Owner;
use super::lock::{self, Entered, Exclusion, Intent};
pub use super::queue_gate::Control;
use super::queue_gate::Turn;
pub use super::queue_parts::{Parts, Patience, Receipt, Refused};
use super::record::Label;
use super::ring::{Cursor, Side, WORD_BYTES};
use crate::platform::{Access, Ordering, Platform, Site, Wakeup};
use std::marker::PhantomData;

const SPIN: Site =
    Site::new("queue.spin", Access::Load, Ordering::Relaxed, "a hint: what is entered is entered by the lock");
/// The sites of this file.
pub static SITES: &[&Site] = &[&SPIN];

/// A queue.
pub struct Queue<P, Q> {
    /// What it is made of.
    pub parts: Q,
    platform: PhantomData<fn(&P)>,
}

impl<P: Platform, Q: Parts<P>> Queue<P, Q> {
    /// The queue that is made of these.
    pub fn new(parts: Q) -> Queue<P, Q> {
        Queue { parts, platform: PhantomData }
    }

    /// Puts a message.
    #[inline]
    pub fn put(&self, platform: &P, me: Owner, message: &[u8], patience: Patience<P::Deadline>) -> Result<(), Refused> {
        let bytes = self.size(message.len()).ok_or(Refused::TooLarge)?;
        let has_room = |cursor: &Cursor| self.has_room(cursor, bytes);
        let mut turn = self.enter(platform, me, Side::Writer, patience, has_room)?;
        if !self.admits(platform, &turn) {
            self.leave(platform, Side::Writer, turn.entered);
            return Err(Refused::TooMany);
        }
        self.write_next(platform, &mut turn, message);
        self.publish(platform, Side::Writer, turn);
        Ok(())
    }

    /// Bytes of the ring that a message of so many bytes takes. `None`: it never has room for that.
    #[inline(always)]
    pub(super) fn size(&self, bytes: usize) -> Option<usize> {
        let framing = self.parts.framing();
        let size = framing.words(bytes) * WORD_BYTES;
        (size <= self.parts.ring().capacity && framing.is_whole(bytes)).then_some(size)
    }

    /// Whether there is room for one more message that takes so many bytes of the ring.
    #[inline(always)]
    pub(super) fn has_room(&self, cursor: &Cursor, size: usize) -> bool {
        self.parts.ring().room(cursor) >= size && cursor.records_out() < self.parts.most()
    }

    /// Inside the putters' lock: whether one more message is allowed at all.
    #[inline(always)]
    pub(super) fn admits(&self, platform: &P, turn: &Turn) -> bool {
        self.parts.ledger().is_none_or(|ledger| ledger.admits(platform, turn.cursor.own()))
    }

    /// Inside the same, where there is room: writes a message, and goes past it.
    #[inline(always)]
    pub(super) fn write_next(&self, platform: &P, turn: &mut Turn, message: &[u8]) {
        let (ring, framing) = (self.parts.ring(), self.parts.framing());
        let label = Label::whole(message.len());
        let words = ring.write(platform, framing, turn.cursor.position(), label, message);
        turn.cursor.advance(words);
    }

    /// Gets a message. `take` is told how long it is, and gives room for it.
    #[inline]
    pub fn get<'b>(
        &self,
        platform: &P,
        me: Owner,
        patience: Patience<P::Deadline>,
        take: impl FnOnce(usize) -> Option<&'b mut [u8]>,
    ) -> Result<Receipt, Refused> {
        let mut turn = self.enter_to_get(platform, me, patience)?;
        let receipt = match turn.orphan {
            Some(orphan) => self.adopt(platform, me, orphan, take),
            None => self.read_next(platform, me, &mut turn, take),
        };
        if turn.orphan.is_none() && receipt.is_ok() {
            self.publish_got(platform, me, turn, 1);
        } else {
            self.leave(platform, Side::Reader, turn.entered);
        }
        receipt
    }

    /// Enters the getters' lock when there is a message to be got.
    #[inline]
    pub(super) fn enter_to_get(
        &self,
        platform: &P,
        me: Owner,
        patience: Patience<P::Deadline>,
    ) -> Result<Turn, Refused> {
        let mut turn = self.enter(platform, me, Side::Reader, patience, |cursor| cursor.records() > 0)?;
        if turn.cursor.own().is_closed() && self.is_discarded(platform) {
            // Somebody died before it was done with that.
            self.skip(platform, turn);
            return Err(Refused::Closed);
        }
        if turn.orphan.is_none() {
            let ledger = self.parts.ledger();
            turn.orphan = ledger.and_then(|ledger| ledger.orphan_in_the_way(platform, me, turn.cursor.own()));
        }
        Ok(turn)
    }

    /// Inside the getters' lock: reads the next message, and goes past it.
    #[inline(always)]
    pub(super) fn read_next<'b>(
        &self,
        platform: &P,
        me: Owner,
        turn: &mut Turn,
        take: impl FnOnce(usize) -> Option<&'b mut [u8]>,
    ) -> Result<Receipt, Refused> {
        let (ring, framing) = (self.parts.ring(), self.parts.framing());
        let position = turn.cursor.position();
        let bytes = usize::try_from(ring.label_at(platform, framing, position).to_come).unwrap_or(usize::MAX);
        // Whatever the record says, nothing is looked for outside what was put.
        let fits = bytes <= ring.capacity && framing.words(bytes) * WORD_BYTES <= turn.cursor.filled();
        let place = fits.then(|| take(bytes)).flatten().ok_or(Refused::Corrupt)?;
        ring.read(platform, position.wrapping_add(framing.ahead()), place);
        let receipt = match self.parts.ledger() {
            Some(ledger) => ledger.takes(platform, me, turn.cursor.own(), place)?,
            None => Receipt::default(),
        };
        turn.cursor.advance(framing.words(bytes));
        Ok(receipt)
    }

    /// Inside the same: gets a message that somebody else got who has died since.
    pub(super) fn adopt<'b>(
        &self,
        platform: &P,
        me: Owner,
        orphan: usize,
        take: impl FnOnce(usize) -> Option<&'b mut [u8]>,
    ) -> Result<Receipt, Refused> {
        self.parts.ledger().ok_or(Refused::Corrupt)?.adopt(platform, me, orphan, take)
    }

    /// Inside the same: where no message is left, one that could be adopted.
    fn orphan(&self, platform: &P, me: Owner, cursor: &Cursor) -> Option<usize> {
        self.parts.ledger()?.orphan(platform, me, cursor.own())
    }

    /// Lets everybody know that so many messages were got, and leaves.
    #[inline(always)]
    pub(super) fn publish_got(&self, platform: &P, me: Owner, turn: Turn, messages: usize) {
        self.publish_and(platform, Side::Reader, turn, || {
            if let Some(ledger) = self.parts.ledger() {
                ledger.took(platform, me, messages);
            }
        });
    }

    /// Enters the lock of `side` at a moment when there is `enough` for it.
    #[inline]
    pub(super) fn enter(
        &self,
        platform: &P,
        me: Owner,
        side: Side,
        patience: Patience<P::Deadline>,
        enough: impl Fn(&Cursor) -> bool,
    ) -> Result<Turn, Refused> {
        let entered = match patience.waits {
            true => self.lock(platform, me, side, (patience.deadline, false))?,
            false => self.lock_or_refuse(platform, me, side, patience, &enough)?,
        };
        let cursor = self.cursor(platform, side);
        let closed = side == Side::Writer && cursor.own().is_closed();
        if !closed && enough(&cursor) {
            return Ok(Turn::new(entered, cursor));
        }
        self.enter_slow(platform, me, (side, patience), Turn::new(entered, cursor), enough)
    }

    /// As `enter`, having found that there is not enough, as far as was known.
    #[cold]
    fn enter_slow(
        &self,
        platform: &P,
        me: Owner,
        (side, patience): (Side, Patience<P::Deadline>),
        mut turn: Turn,
        enough: impl Fn(&Cursor) -> bool,
    ) -> Result<Turn, Refused> {
        let ring = self.parts.ring();
        let (mut asks, mut deserted, mut last_look) = (patience.asks, false, false);
        let (mut asked, mut ticks, mut looks) = (None, 0, 0);
        loop {
            let Turn { entered, cursor, orphan } = &mut turn;
            if let Some(alarm) = asked.take().filter(|_| !deserted) {
                self.answer_alarm(platform, side, alarm);
            }
            let refused = match self.look(platform, side, cursor, &enough) {
                Ok(true) => return Ok(turn),
                // Whoever has died since may have had something in hand.
                Ok(false) if side == Side::Reader && (deserted || cursor.other_is_closed()) => {
                    *orphan = self.orphan(platform, me, cursor);
                    Some(if cursor.other_is_closed() { Refused::Closed } else { Refused::Disconnected })
                }
                Ok(false) if deserted => Some(Refused::Disconnected),
                Ok(false) if asks || self.alarm(platform, side).is_raised() => {
                    asks = true;
                    asked = Some(self.alarm(platform, side));
                    if side == Side::Reader {
                        *orphan = self.orphan(platform, me, cursor);
                    }
                    None
                }
                Ok(false) if last_look => Some(Refused::TimedOut),
                Ok(false) if !patience.waits => Some(Refused::WouldBlock),
                Ok(false) => None,
                Err(refused) => Some(refused),
            };
            let told = orphan.is_some() || refused == Some(Refused::Disconnected);
            if told && !self.alarm(platform, side).is_raised() {
                // Whoever comes next need not wait for a tick to be told the same; and there may be another orphan.
                self.raise_alarm(platform, side);
            }
            if orphan.is_some() {
                return Ok(turn);
            }
            let looks_on = platform.look_again(looks);
            if refused.is_none() && !asks && !looks_on {
                ring.announce(platform, side, cursor);
            }
            self.leave(platform, side, *entered);
            if let Some(refused) = refused {
                return Err(refused);
            }
            let mut suspicious = false;
            if asks {
                // Whatever they did before they went is to be seen: one more look.
                (asks, deserted) = (false, self.parts.is_deserted(side.other()));
            } else if looks_on {
                while platform.look_again(looks) && !ring.has_moved(platform, side, cursor, &SPIN) {
                    looks += 1;
                }
            } else {
                match ring.sleep(platform, side, cursor, patience.deadline, ticks) {
                    // Who wakes without a message wakes to see who is left.
                    Wakeup::Woken => asks = !ring.has_moved(platform, side, cursor, &SPIN),
                    Wakeup::Changed => {}
                    Wakeup::Tick => (suspicious, ticks) = (true, ticks + 1),
                    Wakeup::TimedOut => (suspicious, last_look) = (true, true),
                }
            }
            let alarm = asked.map_or(u64::MAX, |alarm| alarm.to_bits().into());
            platform.outer_loop_head(&[suspicious.into(), deserted.into(), last_look.into(), asks.into(), alarm]);
            let entered = self.lock(platform, me, side, (patience.deadline, suspicious))?;
            turn = Turn::new(entered, self.cursor(platform, side));
        }
    }

    /// Whether there is enough, as far as is known or can be seen.
    fn look(
        &self,
        platform: &P,
        side: Side,
        cursor: &mut Cursor,
        enough: impl Fn(&Cursor) -> bool,
    ) -> Result<bool, Refused> {
        if side == Side::Writer && cursor.own().is_closed() {
            return Err(Refused::Closed);
        }
        if enough(cursor) {
            return Ok(true);
        }
        self.see(platform, side, cursor)?;
        Ok(enough(cursor))
    }

    /// The same for somebody who does not wait for a message, or for room: if somebody is inside, who may be stopped there, and
    /// it can be seen from here that there is not enough, that is the answer.
    fn lock_or_refuse(
        &self,
        platform: &P,
        me: Owner,
        side: Side,
        patience: Patience<P::Deadline>,
        enough: impl Fn(&Cursor) -> bool,
    ) -> Result<Entered, Refused> {
        match self.gate(side).lock.enter(platform, me, Intent::Explicit, lock::Patience::Try) {
            Err(lock::Refused::WouldBlock) => {}
            entered => return entered.map_err(Refused::from),
        }
        let deserted = patience.asks && self.parts.is_deserted(side.other());
        let cursor = self.glance(platform, side);
        let closed = if side == Side::Writer { cursor.own().is_closed() } else { cursor.other_is_closed() };
        let lacks = !self.is_behind(side, &cursor) && !enough(&cursor);
        // That nothing will come is not the end where the dead had something in hand: who did is to be seen from inside only.
        let is_hidden = (closed || deserted) && self.parts.ledger().is_some_and(|ledger| ledger.redelivers());
        match (closed, lacks) {
            (true, _) if side == Side::Writer => return Err(Refused::Closed),
            (_, true) if side == Side::Reader && is_hidden => {}
            (true, true) => return Err(Refused::Closed),
            (false, true) => return Err(if deserted { Refused::Disconnected } else { Refused::WouldBlock }),
            (_, false) => {}
        }
        platform.outer_loop_head(&[1]); // entering waits from here on
        self.lock(platform, me, side, (patience.deadline, false))
    }
}
