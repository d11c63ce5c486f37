//! Many messages of a [queue](super::queue) at a time: one entry into the lock and one commit for as many as there are, or as
//! there is room for. Each is there as a whole from that commit on, in order, and nobody's is between them.

use super::Owner;
use super::queue::{Parts, Patience, Queue, Receipt, Refused};
use super::record::Label;
use super::ring::{Cursor, Side, WORD_BYTES};
use crate::platform::Platform;

/// Where messages go that somebody gets.
pub trait Room {
    /// Room for one more of so many bytes. `None`: there is none.
    fn next(&mut self, bytes: usize) -> Option<&mut [u8]>;
    /// It is there.
    fn got(&mut self, receipt: Receipt);
}

impl<P: Platform, Q: Parts<P>> Queue<P, Q> {
    /// Puts as many of `messages` as there is room for, but at least the first; answers how many. They are whole, as `put`
    /// has them.
    pub fn put_many<'m>(
        &self,
        platform: &P,
        me: Owner,
        messages: impl Iterator<Item = &'m [u8]>,
        patience: Patience<P::Deadline>,
    ) -> Result<usize, Refused> {
        let (ring, framing, most) = (self.parts.ring(), self.parts.framing(), self.parts.most());
        let mut messages = messages.peekable();
        let Some(first) = messages.peek() else { return Ok(0) };
        let bytes = |message: &[u8]| framing.words(message.len()) * WORD_BYTES;
        let fits = |message: &[u8]| bytes(message) <= ring.capacity && framing.is_whole(message.len());
        if !fits(first) {
            return Err(Refused::TooLarge);
        }
        let has_room = |cursor: &Cursor, bytes| ring.room(cursor) >= bytes && cursor.records_out() < most;
        let least = bytes(first);
        let mut turn = self.enter(platform, me, Side::Writer, patience, |cursor| has_room(cursor, least))?;
        let mut count = 0;
        for message in messages {
            let may_be = fits(message) && has_room(&turn.cursor, bytes(message));
            if !may_be || !self.parts.admits(platform, turn.cursor.own()) {
                break;
            }
            let words = ring.write(platform, framing, turn.cursor.position(), Label::whole(message.len()), message);
            turn.cursor.advance(words);
            count += 1;
        }
        if count == 0 {
            self.leave(platform, Side::Writer, turn.entered);
            return Err(Refused::TooMany);
        }
        self.publish(platform, Side::Writer, turn);
        Ok(count)
    }

    /// Gets as many messages as there are, but at least one and at most `most`; answers how many. They go to `room`.
    pub fn get_many(
        &self,
        platform: &P,
        me: Owner,
        patience: Patience<P::Deadline>,
        (most, room): (usize, &mut impl Room),
    ) -> Result<usize, Refused> {
        if most == 0 {
            return Ok(0);
        }
        let mut turn = self.enter_to_get(platform, me, patience)?;
        if let Some(orphan) = turn.orphan {
            let place = &mut *room;
            let adopted = self.parts.adopt(platform, me, orphan, move |bytes| place.next(bytes));
            self.leave(platform, Side::Reader, turn.entered);
            return adopted.map(|receipt| {
                room.got(receipt);
                1
            });
        }
        let mut count = 0;
        // What has come since somebody last looked is for the next time.
        while count < most && turn.cursor.records() > 0 {
            let place = &mut *room;
            match self.read_next(platform, me, &mut turn, move |bytes| place.next(bytes)) {
                Ok(receipt) => room.got(receipt),
                Err(_) if count > 0 => break, // the next one to get is told
                Err(refused) => {
                    self.leave(platform, Side::Reader, turn.entered);
                    return Err(refused);
                }
            }
            count += 1;
        }
        self.publish_and(platform, Side::Reader, turn, || self.parts.took(platform, me, count));
        Ok(count)
    }
}
