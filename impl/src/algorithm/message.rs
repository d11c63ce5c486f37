//! Messages in a pipe: one [record](super::record) each, or several for one that is too long.
//!
//! Invariants:
//! 1. A message that was committed is received once, in order, whole or not at all.
//! 2. The receiver keeps what it has of one in fragments. When the next message starts, or the sender is gone, what is there
//!    of one that never was completed is dropped: so a sender may give up, or die, between two fragments.
//! 3. A fragment that does not go on from what is here belongs to a message whose start a dead receiver took: it is dropped.

use super::pipe::{Direction, Parts, Patience, Refused};
use super::record::{Framing, Label};
use super::ring::{Cursor, Side, WORD_BYTES};
use crate::platform::Platform;
use std::mem;

/// What a sender keeps between two operations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Outgoing {
    pub(super) cursor: Cursor,
    /// Looks in vain, in a row: see `Direction::wait`.
    misses: u32,
    /// The receiver has closed.
    pub(super) gone: bool,
}

/// What a receiver keeps between two operations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Incoming {
    pub(super) cursor: Cursor,
    misses: u32,
    /// A message that came in fragments, as far as it is here.
    partial: Vec<u8>,
    /// How many bytes of it are still to come.
    missing: u64,
    /// It is all here, and was not taken yet.
    complete: bool,
}

impl From<Cursor> for Outgoing {
    fn from(cursor: Cursor) -> Outgoing {
        Outgoing { cursor, ..Outgoing::default() }
    }
}

impl From<Cursor> for Incoming {
    fn from(cursor: Cursor) -> Incoming {
        Incoming { cursor, ..Incoming::default() }
    }
}

impl Outgoing {
    /// Whether records were written that are not committed yet.
    #[inline(always)]
    pub fn is_staged(&self) -> bool {
        self.cursor.is_staged()
    }
}

/// The next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// So many bytes in the ring, from this position on.
    InRing {
        /// Where they begin.
        position: u32,
        /// How many.
        bytes: usize,
    },
    /// It came in fragments, and is in [`Incoming::message`].
    Gathered,
}

impl Incoming {
    /// A message that was gathered from fragments.
    pub fn message(&self) -> &[u8] {
        &self.partial
    }
    /// The same, to be filled with something else by whoever takes it away.
    pub fn message_mut(&mut self) -> &mut Vec<u8> {
        &mut self.partial
    }
}
impl<P: Platform, D: Parts<P>> Direction<P, D> {
    /// Sends a message, all of it or nothing.
    #[inline(always)]
    pub fn send(
        &self,
        platform: &P,
        out: &mut Outgoing,
        message: &[u8],
        patience: Patience<P::Deadline>,
    ) -> Result<(), Refused> {
        self.stage(platform, out, message, patience)?;
        self.commit(platform, out)
    }

    /// Writes a message, which others know of at the next [`commit`](Direction::commit), unless there is no room for it beside
    /// what is staged already: then that is committed first. One in fragments is committed piece by piece, but for the last.
    #[inline(always)]
    pub fn stage(
        &self,
        platform: &P,
        out: &mut Outgoing,
        message: &[u8],
        patience: Patience<P::Deadline>,
    ) -> Result<(), Refused> {
        match self.framing() {
            Framing::Framed(fragment) if message.len() > fragment => {
                self.stage_fragments(platform, out, message, fragment, patience)
            }
            framing => {
                self.reserve(platform, out, framing.words(message.len()), patience)?;
                self.write(platform, out, Label::whole(message.len()), message);
                Ok(())
            }
        }
    }

    #[cold]
    fn stage_fragments(
        &self,
        platform: &P,
        out: &mut Outgoing,
        message: &[u8],
        fragment: usize,
        patience: Patience<P::Deadline>,
    ) -> Result<(), Refused> {
        let trying = matches!(patience, Patience::Try(_));
        if trying {
            // Somebody who does not wait sends everything at once.
            let last = message.len() % fragment;
            let words = message.len() / fragment * self.framing().words(fragment)
                + usize::from(last > 0) * self.framing().words(last);
            self.reserve(platform, out, words, patience)?;
        }
        for (index, part) in message.chunks(fragment).enumerate() {
            let to_come = message.len() - index * fragment;
            if !trying {
                if out.is_staged() {
                    self.commit(platform, out)?;
                }
                self.reserve(platform, out, self.framing().words(part.len()), patience)?;
            }
            self.write(platform, out, Label { starts: index == 0, to_come: to_come as u64 }, part);
        }
        Ok(())
    }

    /// Lets the receiver have what was written. If it has closed, and had not received all of it by then, that is an error, and
    /// it never will.
    #[inline(always)]
    pub fn commit(&self, platform: &P, out: &mut Outgoing) -> Result<(), Refused> {
        if !out.gone && !self.ring().commit(platform, Side::Writer, &mut out.cursor) {
            return Ok(());
        }
        self.commit_to_nobody(platform, out)
    }

    #[cold]
    fn commit_to_nobody(&self, platform: &P, out: &mut Outgoing) -> Result<(), Refused> {
        let was_gone = mem::replace(&mut out.gone, true);
        if !was_gone && self.ring().was_read(platform, &mut out.cursor) { Ok(()) } else { Err(Refused::Disconnected) }
    }

    /// Waits until there is room for so many words.
    #[inline(always)]
    fn reserve(
        &self,
        platform: &P,
        out: &mut Outgoing,
        words: usize,
        patience: Patience<P::Deadline>,
    ) -> Result<(), Refused> {
        let bytes = words * WORD_BYTES;
        if out.gone {
            return Err(Refused::Disconnected);
        }
        if self.ring().room(&out.cursor) >= bytes {
            return Ok(());
        }
        self.wait_for_room(platform, out, bytes, patience)
    }

    // Apart from its caller, which seldom comes here: a call would cost that more than it takes to write a small message.
    #[cold]
    fn wait_for_room(
        &self,
        platform: &P,
        out: &mut Outgoing,
        bytes: usize,
        patience: Patience<P::Deadline>,
    ) -> Result<(), Refused> {
        if bytes > self.ring().capacity {
            return Err(Refused::TooLarge);
        }
        let Outgoing { cursor, misses, gone } = out;
        let result = self.wait(platform, Side::Writer, (cursor, misses), (0, &[]), patience, |cursor| {
            self.ring().room(cursor) >= bytes
        });
        *gone |= result == Err(Refused::Disconnected);
        result
    }

    /// Waits until there is room for a [whole](Framing::is_whole) message of so many bytes; answers where in the ring they
    /// are to be written, by whoever then [labels](Direction::label) them.
    pub fn reserve_message(
        &self,
        platform: &P,
        out: &mut Outgoing,
        bytes: usize,
        patience: Patience<P::Deadline>,
    ) -> Result<usize, Refused> {
        self.reserve(platform, out, self.framing().words(bytes), patience)?;
        Ok(self.ring().offset(out.cursor.position().wrapping_add(self.framing().ahead())))
    }

    /// Writes a record, for which there is room.
    #[inline(always)]
    fn write(&self, platform: &P, out: &mut Outgoing, label: Label, bytes: &[u8]) {
        let words = self.ring().write(platform, self.framing(), out.cursor.position(), label, bytes);
        out.cursor.advance(words);
    }

    /// Says what a record is and goes past it: its bytes stand where [`reserve_message`](Direction::reserve_message) said.
    pub fn label(&self, platform: &P, out: &mut Outgoing, bytes: usize) {
        self.ring().label(platform, self.framing(), out.cursor.position(), Label::whole(bytes));
        out.cursor.advance(self.framing().words(bytes));
    }

    /// Waits for a message. It stays the next one until it is [gone past](Direction::pass).
    #[inline(always)]
    pub fn front(
        &self,
        platform: &P,
        incoming: &mut Incoming,
        patience: Patience<P::Deadline>,
    ) -> Result<Front, Refused> {
        if incoming.complete {
            return Ok(Front::Gathered);
        }
        let fragment = match self.framing() {
            Framing::Fixed(bytes) => return self.front_fixed(platform, incoming, bytes, patience),
            Framing::Framed(fragment) => fragment,
        };
        loop {
            self.wait_for_record(platform, incoming, patience)?;
            let position = incoming.cursor.position();
            let Label { starts, to_come } = self.ring().label_at(platform, self.framing(), position);
            let bytes = to_come.min(fragment as u64) as usize;
            if self.framing().words(bytes) * WORD_BYTES > incoming.cursor.filled() {
                return Err(Refused::Corrupt);
            }
            if starts {
                incoming.drop_partial();
                if to_come == bytes as u64 {
                    return Ok(Front::InRing { position: position.wrapping_add(self.framing().ahead()), bytes });
                }
                incoming.missing = to_come;
            }
            self.gather(platform, incoming, to_come, bytes)?;
            if incoming.complete {
                return Ok(Front::Gathered);
            }
        }
    }

    /// As [`front`](Direction::front), where all messages have the same size.
    #[inline(always)]
    pub fn front_fixed(
        &self,
        platform: &P,
        incoming: &mut Incoming,
        bytes: usize,
        patience: Patience<P::Deadline>,
    ) -> Result<Front, Refused> {
        self.wait_for_record(platform, incoming, patience)?;
        let enough = incoming.cursor.filled() >= self.framing().words(bytes) * WORD_BYTES;
        if enough { Ok(Front::InRing { position: incoming.cursor.position(), bytes }) } else { Err(Refused::Corrupt) }
    }

    /// Waits until a record is there.
    #[inline(always)]
    fn wait_for_record(
        &self,
        platform: &P,
        incoming: &mut Incoming,
        patience: Patience<P::Deadline>,
    ) -> Result<(), Refused> {
        if incoming.cursor.records() > 0 {
            return Ok(());
        }
        // Bytes that no record has: what the records said of themselves was not true.
        if incoming.cursor.filled() > 0 {
            return Err(Refused::Corrupt);
        }
        let Incoming { cursor, misses, partial, missing, .. } = incoming;
        let found = self.wait(platform, Side::Reader, (cursor, misses), (*missing, partial), patience, |cursor| {
            cursor.records() > 0
        });
        if found == Err(Refused::Disconnected) {
            incoming.drop_partial();
        }
        found
    }

    /// Takes a fragment out of the ring. One that does not go on from what is here was meant for a receiver that has died.
    #[cold]
    fn gather(&self, platform: &P, incoming: &mut Incoming, to_come: u64, bytes: usize) -> Result<(), Refused> {
        // What a broken sender announces is not asked of the allocator.
        const AT_ONCE: u64 = 64 << 20;
        if incoming.missing == to_come && to_come > 0 {
            let here = incoming.partial.len();
            let more = if here == 0 { to_come.min(AT_ONCE) as usize } else { bytes };
            incoming.partial.try_reserve(more).map_err(|_| Refused::TooLarge)?;
            incoming.partial.resize(here + bytes, 0);
            let position = incoming.cursor.position().wrapping_add(self.framing().ahead());
            self.ring().read(platform, position, &mut incoming.partial[here..]);
            incoming.missing -= bytes as u64;
            incoming.complete = incoming.missing == 0;
        }
        incoming.cursor.advance(self.framing().words(bytes));
        self.ring().commit(platform, Side::Reader, &mut incoming.cursor);
        Ok(())
    }

    /// Goes past the message that [`front`](Direction::front) has found; its bytes are given back at the next
    /// [`give_back`](Direction::give_back).
    #[inline(always)]
    pub fn pass(&self, incoming: &mut Incoming, front: Front) {
        match front {
            Front::InRing { bytes, .. } => incoming.cursor.advance(self.framing().words(bytes)),
            Front::Gathered => incoming.drop_partial(),
        }
    }

    /// Gives back what was gone past.
    #[inline(always)]
    pub fn give_back(&self, platform: &P, incoming: &mut Incoming) {
        if incoming.cursor.is_staged() {
            self.ring().commit(platform, Side::Reader, &mut incoming.cursor);
        }
    }
}

impl Incoming {
    fn drop_partial(&mut self) {
        self.partial.clear();
        (self.missing, self.complete) = (0, false);
    }
}
