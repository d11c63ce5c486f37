//! Many messages of a [queue](super::queue) at a time: one entry into the lock and one commit for as many as there are, or as
//! there is room for. Each is there as a whole from that commit on, in order, and nobody's is between them.

use super::Owner;
use super::queue::{Parts, Patience, Queue, Receipt, Refused};
use super::ring::Side;
use crate::platform::Platform;

/// Where messages go that somebody gets.
pub trait Room {
    /// Room for one more of so many bytes, which is perhaps not got after all. `None`: there is none.
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
        let mut messages = messages.peekable();
        let Some(first) = messages.peek() else { return Ok(0) };
        let least = self.size(first.len()).ok_or(Refused::TooLarge)?;
        let mut turn = self.enter(platform, me, Side::Writer, patience, |cursor| self.has_room(cursor, least))?;
        let mut count = 0;
        for message in messages {
            let has_room = self.size(message.len()).is_some_and(|size| self.has_room(&turn.cursor, size));
            if !has_room || !self.admits(platform, &turn) {
                break;
            }
            self.write_next(platform, &mut turn, message);
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
            let adopted = self.adopt(platform, me, orphan, move |bytes| place.next(bytes));
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
        self.publish_got(platform, me, turn, count);
        Ok(count)
    }
}
