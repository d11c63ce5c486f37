//! Many messages of a [pipe](super::pipe) in a row, all of one size, without a look at the ring between them: a stretch of it that
//! a side has seen to be its own.
//!
//! The [cursor](super::cursor) goes along, for whoever is interrupted; but it is only written. What the next message needs is here,
//! where a processor has it in registers.
//!
//! Invariants:
//! 1. A run is a part of what the cursor has before it: of the room that a writer saw, or of the records that a reader saw.
//! 2. It stands where the cursor does. Whoever moves the cursor otherwise ends the run.
//! 3. It ends before the count of records is 0 again.

use super::cursor::{Cursor, Progress, WORD_BYTES};
use super::message::{Front, Incoming, Outgoing};
use super::pipe::{Direction, Parts, Patience, Refused};
use super::record::{Framing, Label};
use crate::platform::Platform;

/// What is left of a stretch of the ring. Empty by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Run {
    /// Where the next message begins, and how many there were.
    own: Progress,
    /// Bytes of a message, and of its record.
    bytes: usize,
    record: u32,
    /// Messages from there on.
    left: u32,
}

impl Run {
    /// The next message of a run of those that are to be received.
    #[inline(always)]
    pub fn front(&self) -> Option<Front> {
        (self.left > 0).then_some(Front::InRing { position: self.own.position(), bytes: self.bytes })
    }

    /// Goes past a message.
    #[inline(always)]
    fn advance(&mut self, cursor: &mut Cursor) {
        self.own = self.own.after_one(self.record);
        self.left -= 1;
        cursor.own = self.own;
    }
}

impl<P: Platform, D: Parts<P>> Direction<P, D> {
    /// As [`stage`](Direction::stage), in a run, and commits whenever `most` messages were staged, or as many as there was room
    /// for as far as was seen.
    #[inline(always)]
    pub fn stage_in(
        &self,
        platform: &P,
        (out, run): (&mut Outgoing, &mut Run),
        message: &[u8],
        most: u32,
        patience: &Patience<P::Deadline>,
    ) -> Result<(), Refused> {
        // One of another size is not of this run, whatever its codec promised.
        if run.left == 0 || message.len() != run.bytes {
            *run = self.stage_anew(platform, out, message, most, *patience)?;
            return Ok(());
        }
        self.ring().write(platform, self.framing(), run.own.position(), Label::whole(message.len()), message);
        run.advance(&mut out.cursor);
        if run.left == 0 { self.commit(platform, out) } else { Ok(()) }
    }

    /// The first message of a run; if messages are of many sizes, the only one.
    // Apart from its caller, which is small enough then to stand in the loop of whoever stages many.
    #[inline(never)]
    fn stage_anew(
        &self,
        platform: &P,
        out: &mut Outgoing,
        message: &[u8],
        most: u32,
        patience: Patience<P::Deadline>,
    ) -> Result<Run, Refused> {
        self.stage(platform, out, message, patience)?;
        let framing = self.framing();
        let room = match framing {
            Framing::Fixed(bytes) => self.ring().room(&out.cursor) / (framing.words(bytes) * WORD_BYTES),
            Framing::Framed(_) => usize::MAX,
        };
        let staged = out.cursor.own().records_since(out.cursor.committed());
        let left = room.min(most.saturating_sub(staged) as usize) as u32;
        if left == 0 {
            self.commit(platform, out)?;
        }
        Ok(match framing {
            Framing::Fixed(bytes) => self.run_of(&out.cursor, bytes, left),
            Framing::Framed(_) => Run::default(),
        })
    }

    /// Commits what was staged, if anything was.
    #[inline]
    pub fn commit_staged(&self, platform: &P, out: &mut Outgoing) -> Result<(), Refused> {
        if out.is_staged() || out.gone { self.commit(platform, out) } else { Ok(()) }
    }

    /// The messages that the reader has seen and not gone past, but at most so many; none, if they are of many sizes.
    #[inline(always)]
    pub fn run(&self, incoming: &Incoming, most: usize) -> Run {
        let Framing::Fixed(bytes) = self.framing() else { return Run::default() };
        let records = incoming.cursor.records() as usize;
        // Else somebody is broken: whoever looks at the front is told.
        let fits = records * self.framing().words(bytes) * WORD_BYTES <= incoming.cursor.filled();
        self.run_of(&incoming.cursor, bytes, if fits { records.min(most) as u32 } else { 0 })
    }

    /// Goes past the [front](Run::front) message of a run, as [`pass`](Direction::pass).
    #[inline(always)]
    pub fn pass_in(&self, (incoming, run): (&mut Incoming, &mut Run)) {
        run.advance(&mut incoming.cursor);
    }

    #[inline(always)]
    fn run_of(&self, cursor: &Cursor, bytes: usize, left: u32) -> Run {
        let record = (self.framing().words(bytes) * WORD_BYTES) as u32;
        Run { own: cursor.own(), bytes, record, left: left.min(cursor.own().records_to_last()) }
    }
}
