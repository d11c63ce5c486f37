//! Messages in a ring: one record each, or several for one that is too long.
//!
//! | framing | record |
//! |---|---|
//! | `Fixed` | the message, which always has so many bytes |
//! | `Framed` | a word, `START + bytes to come, this record's included`, and as many of them as fit a fragment |
//!
//! Invariants:
//! 1. A message that was committed is received once, in order, whole or not at all.
//! 2. The receiver keeps what it has of one in fragments. When the next message starts, or the sender is gone, what is there
//!    of one that never was completed is dropped: so a sender may give up, or die, between two fragments.
//! 3. A fragment that does not go on from what is here belongs to a message whose start a dead receiver took: it is dropped.

use super::pipe::{Direction, Patience, Refused};
use super::ring::{Cursor, Side, WORD_BYTES};
use crate::platform::{Access, Platform, Site};

const HEADER: Site = Site::guarded("message.header", Access::Load, "written before the tail that was seen");
const LABEL: Site =
    Site::guarded("message.label", Access::Store, "its words were given back before the head that was seen");
const DRAW: Site = Site::guarded("message.draw", Access::Load, "written before the tail that was seen");
const FILL: Site =
    Site::guarded("message.fill", Access::Store, "its words were given back before the head that was seen");

/// The sites of this file.
pub static SITES: &[&Site] = &[&HEADER, &LABEL, &DRAW, &FILL];

const START: u64 = 1 << 63;

/// How messages are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Every message has this many bytes, and is one record.
    Fixed(usize),
    /// Messages of any size; a record has at most this many bytes of one, a multiple of 8.
    Framed(usize),
}

impl Framing {
    /// Words of a record with `bytes` bytes of a message.
    #[inline(always)]
    fn words(self, bytes: usize) -> usize {
        match self {
            Framing::Fixed(_) => bytes.div_ceil(WORD_BYTES).max(1),
            Framing::Framed(_) => 1 + bytes.div_ceil(WORD_BYTES),
        }
    }
}
/// What a sender keeps between two operations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Outgoing {
    pub(super) cursor: Cursor,
    /// Looks in vain, in a row: see `Direction::wait`.
    misses: u32,
    /// The receiver has closed.
    gone: bool,
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
    /// Where the next record begins in the ring.
    pub fn position(&self) -> u32 {
        self.cursor.position()
    }
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
impl<P: Platform> Direction<'_, P> {
    /// Sends a message, all of it or nothing.
    #[inline]
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
    #[inline]
    pub fn stage(
        &self,
        platform: &P,
        out: &mut Outgoing,
        message: &[u8],
        patience: Patience<P::Deadline>,
    ) -> Result<(), Refused> {
        match self.framing {
            Framing::Framed(fragment) if message.len() > fragment => {
                self.stage_fragments(platform, out, message, fragment, patience)
            }
            framing => {
                self.reserve(platform, out, framing.words(message.len()), patience)?;
                self.write(platform, out, START | message.len() as u64, message);
                Ok(())
            }
        }
    }

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
            let words = message.len() / fragment * self.framing.words(fragment)
                + usize::from(last > 0) * self.framing.words(last);
            self.reserve(platform, out, words, patience)?;
        }
        for (index, part) in message.chunks(fragment).enumerate() {
            let to_come = message.len() - index * fragment;
            if !trying {
                if out.is_staged() {
                    self.commit(platform, out)?;
                }
                self.reserve(platform, out, self.framing.words(part.len()), patience)?;
            }
            let start = if index == 0 { START } else { 0 };
            self.write(platform, out, start | to_come as u64, part);
        }
        Ok(())
    }

    /// Lets the receiver have what was written. If it has closed, and had not received all of it by then, that is an error, and
    /// it never will.
    #[inline(always)]
    pub fn commit(&self, platform: &P, out: &mut Outgoing) -> Result<(), Refused> {
        if !out.gone {
            out.gone = self.ring.commit(platform, Side::Writer, &mut out.cursor);
            if !out.gone || self.ring.was_read(platform, &mut out.cursor) {
                return Ok(());
            }
        }
        Err(Refused::Disconnected)
    }

    /// Waits until there is room for a record of so many words, whose place is then [`Outgoing::position`].
    #[inline]
    pub fn reserve(
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
        if self.ring.room(&out.cursor) >= bytes {
            return Ok(());
        }
        if bytes > self.ring.capacity {
            return Err(Refused::TooLarge);
        }
        let Outgoing { cursor, misses, gone } = out;
        let result = self.wait(platform, Side::Writer, (cursor, misses), (0, &[]), patience, |cursor| {
            self.ring.room(cursor) >= bytes
        });
        *gone |= result == Err(Refused::Disconnected);
        result
    }

    /// Writes a record, for which there is room.
    #[inline]
    fn write(&self, platform: &P, out: &mut Outgoing, label: u64, bytes: &[u8]) {
        let words = self.framing.words(bytes.len());
        let (mut first, second) = self.ring.words_at(out.cursor.position(), words);
        if let (Framing::Framed(_), Some((header, rest))) = (self.framing, first.split_first()) {
            platform.store(header, label, &LABEL);
            first = rest;
        }
        let (here, there) = bytes.split_at(bytes.len().min(size_of_val(first)));
        platform.copy_in(first, here, &FILL);
        if !there.is_empty() {
            platform.copy_in(second, there, &FILL);
        }
        out.cursor.advance(words);
    }

    /// Gives a record its header and goes past it: its bytes were written by somebody else.
    pub fn label(&self, platform: &P, out: &mut Outgoing, bytes: usize) {
        let words = self.framing.words(bytes);
        if let (Framing::Framed(_), Some(header)) =
            (self.framing, self.ring.words_at(out.cursor.position(), 1).0.first())
        {
            platform.store(header, START | bytes as u64, &LABEL);
        }
        out.cursor.advance(words);
    }

    /// Waits for a message. It stays the next one until it is [gone past](Direction::pass).
    #[inline]
    pub fn front(
        &self,
        platform: &P,
        incoming: &mut Incoming,
        patience: Patience<P::Deadline>,
    ) -> Result<Front, Refused> {
        if incoming.complete {
            return Ok(Front::Gathered);
        }
        loop {
            if incoming.cursor.records() == 0 {
                let Incoming { cursor, misses, partial, missing, .. } = incoming;
                let found =
                    self.wait(platform, Side::Reader, (cursor, misses), (*missing, partial), patience, |cursor| {
                        cursor.records() > 0
                    });
                if found == Err(Refused::Disconnected) {
                    incoming.drop_partial();
                }
                found?;
            }
            let (position, fragment) = match self.framing {
                Framing::Fixed(bytes) => {
                    let enough = incoming.cursor.filled() >= self.framing.words(bytes) * WORD_BYTES;
                    let position = incoming.cursor.position();
                    return if enough { Ok(Front::InRing { position, bytes }) } else { Err(Refused::Corrupt) };
                }
                Framing::Framed(fragment) => (incoming.cursor.position(), fragment),
            };
            let (header, _) = self.ring.words_at(position, 1);
            let header: u64 = header.first().map_or(0, |header| platform.load(header, &HEADER));
            let to_come = header & !START;
            let bytes = to_come.min(fragment as u64) as usize;
            if self.framing.words(bytes) * WORD_BYTES > incoming.cursor.filled() {
                return Err(Refused::Corrupt);
            }
            if header & START != 0 {
                incoming.drop_partial();
                if to_come == bytes as u64 {
                    return Ok(Front::InRing { position: position.wrapping_add(WORD_BYTES as u32), bytes });
                }
                incoming.missing = to_come;
            }
            self.gather(platform, incoming, to_come, bytes)?;
            if incoming.complete {
                return Ok(Front::Gathered);
            }
        }
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
            let position = incoming.cursor.position().wrapping_add(WORD_BYTES as u32);
            self.read(platform, position, &mut incoming.partial[here..]);
            incoming.missing -= bytes as u64;
            incoming.complete = incoming.missing == 0;
        }
        incoming.cursor.advance(self.framing.words(bytes));
        self.ring.commit(platform, Side::Reader, &mut incoming.cursor);
        Ok(())
    }

    /// Reads the bytes at `position` of the ring.
    #[inline]
    pub fn read(&self, platform: &P, position: u32, bytes: &mut [u8]) {
        let (first, second) = self.ring.words_at(position, bytes.len().div_ceil(WORD_BYTES));
        let (here, there) = bytes.split_at_mut(bytes.len().min(size_of_val(first)));
        platform.copy_out(first, here, &DRAW);
        if !there.is_empty() {
            platform.copy_out(second, there, &DRAW);
        }
    }

    /// Goes past the message that [`front`](Direction::front) has found; its bytes are given back at the next
    /// [`give_back`](Direction::give_back).
    #[inline(always)]
    pub fn pass(&self, incoming: &mut Incoming, front: Front) {
        match front {
            Front::InRing { bytes, .. } => incoming.cursor.advance(self.framing.words(bytes)),
            Front::Gathered => incoming.drop_partial(),
        }
    }

    /// Gives back what was gone past.
    #[inline(always)]
    pub fn give_back(&self, platform: &P, incoming: &mut Incoming) {
        if incoming.cursor.is_staged() {
            self.ring.commit(platform, Side::Reader, &mut incoming.cursor);
        }
    }
}

impl Incoming {
    fn drop_partial(&mut self) {
        self.partial.clear();
        (self.missing, self.complete) = (0, false);
    }
}
