//! One end of one direction of a pipe, without a type: the region, the ring, and whether this process has the end.

use crate::algorithm::message::{Incoming, Outgoing};
use crate::algorithm::pipe::{self, Parts, Patience, Taken};
use crate::algorithm::record::Framing;
use crate::algorithm::ring::{Control, Ring, Side, WORD_BYTES};
use crate::algorithm::run::Run;
use crate::error::{CreateError, OpenError};
use crate::layout::{LONGEST_RING, PAGE, PipeHead, SURVIVES};
use crate::pipe_error::EndError;
use crate::shm::{Attachment, Deadline, Mapped, Mirror, Shm, ShmWord};
use std::sync::Arc;

/// The part of a pipe that has `side` of direction `index`, a bit. Each by itself: half of a connection may be dropped.
pub(crate) const fn part(index: usize, side: Side) -> u32 {
    match side {
        Side::Writer => 1 << (2 * index),
        Side::Reader => 2 << (2 * index),
    }
}

/// How seldom a look in vain asks after the other process, which is a system call.
const ASK_EVERY: u32 = 1 << 14;
/// Look, and do not wait.
pub(crate) const TRY: Patience<Deadline> = Patience::Try(ASK_EVERY);
/// Wait as long as it takes.
pub(crate) const WAIT: Patience<Deadline> = Patience::Until(Deadline::NEVER);

/// One direction of a pipe in a region. What an operation needs of it is read where it stands: no operation puts it together.
pub(crate) type Direction = pipe::Direction<Shm, Place>;

/// Where a direction is.
pub(crate) struct Place {
    control: Mapped<Control<Shm>>,
    ends: Mapped<[ShmWord<u32>; 2]>,
    mirror: Mirror,
    framing: Framing,
    /// Bytes of the ring.
    capacity: usize,
    survives: bool,
    /// Which ring.
    index: usize,
}

impl Place {
    /// The records, as bytes.
    pub(crate) fn mirror(&self) -> &Mirror {
        &self.mirror
    }
    /// Which part of the pipe has `side` of this direction.
    fn part(&self, side: Side) -> u32 {
        part(self.index, side)
    }
}

impl Parts<Shm> for Place {
    #[inline(always)]
    fn ring(&self) -> Ring<'_, Shm> {
        Ring { control: &self.control, words: self.mirror.words(), capacity: self.capacity }
    }
    fn end(&self, side: Side) -> &ShmWord<u32> {
        &self.ends[usize::from(side == Side::Reader)]
    }
    #[inline(always)]
    fn framing(&self) -> Framing {
        self.framing
    }
    fn survives(&self) -> bool {
        self.survives
    }
    fn is_abandoned(&self, side: Side) -> bool {
        !self.ends.attachment().can_be_held(self.part(side))
    }
}

/// What is kept of an end between two operations.
pub(crate) trait Kept: Default {
    /// Which side of the ring it is.
    const SIDE: Side;
    fn claim(direction: &Direction, shm: &Shm, peer: u32) -> Result<Self, Taken>;
    fn close(&mut self, direction: &Direction, shm: &Shm);
}

impl Kept for Outgoing {
    const SIDE: Side = Side::Writer;
    fn claim(direction: &Direction, shm: &Shm, peer: u32) -> Result<Outgoing, Taken> {
        direction.claim_sender(shm, peer)
    }
    fn close(&mut self, direction: &Direction, shm: &Shm) {
        direction.close_sender(shm, self);
    }
}

impl Kept for Incoming {
    const SIDE: Side = Side::Reader;
    fn claim(direction: &Direction, shm: &Shm, peer: u32) -> Result<Incoming, Taken> {
        direction.claim_receiver(shm, peer)
    }
    fn close(&mut self, direction: &Direction, shm: &Shm) {
        direction.close_receiver(shm, self);
    }
}

/// An end of one direction.
pub(crate) struct PipeEnd<K: Kept> {
    direction: Direction,
    kept: K,
    /// The peer as which this process has the end; no peer, as long as it does not.
    peer: u32,
}

/// What no peer id is, not even that of a process which is no peer.
const NOBODY: u32 = u32::MAX;

impl<K: Kept> PipeEnd<K> {
    /// The end of direction `index`. `fixed`: how many bytes every message has, if that is always the same.
    pub(crate) fn new(
        attachment: &Arc<Attachment>,
        index: usize,
        fixed: Option<usize>,
    ) -> Result<PipeEnd<K>, OpenError> {
        let corrupt = || OpenError::Ring { capacity: attachment.length() };
        let mirror = Mirror::new(attachment, index)?.ok_or_else(corrupt)?;
        let head = Mapped::<PipeHead>::body(attachment.clone()).ok_or_else(corrupt)?;
        let (control, ends) = (head.part(|head| &head.rings[index]), head.part(|head| &head.ends[index]));
        let (capacity, survives) = (mirror.capacity(), attachment.has_option(SURVIVES));
        let place = Place { control, ends, mirror, framing: framing(capacity, fixed), capacity, survives, index };
        attachment.hold(place.part(K::SIDE));
        Ok(PipeEnd { direction: Direction::new(place), kept: K::default(), peer: NOBODY })
    }

    #[inline(always)]
    pub(crate) fn attachment(&self) -> &Arc<Attachment> {
        self.direction.parts.control.attachment()
    }

    /// Bytes of the ring.
    pub(crate) fn capacity(&self) -> usize {
        self.direction.parts.capacity
    }

    /// The part of the pipe that this is.
    pub(crate) fn part(&self) -> u32 {
        self.direction.parts.part(K::SIDE)
    }

    /// Runs `operation` on the direction, of which this process then has the end.
    #[inline(always)]
    pub(crate) fn with<R>(&mut self, operation: impl FnOnce(&Direction, &Shm, &mut K) -> R) -> Result<R, EndError> {
        let (direction, shm, kept) = self.ours()?;
        Ok(operation(direction, shm, kept))
    }

    /// The direction, of which this process then has the end, and what is kept of it.
    #[inline(always)]
    pub(crate) fn ours(&mut self) -> Result<(&Direction, &Shm, &mut K), EndError> {
        self.ours_in(&mut Run::default())
    }

    /// The same in the midst of a run, which is over if the process that began it was another: a child may be forked in a run.
    #[inline(always)]
    pub(crate) fn ours_in(&mut self, run: &mut Run) -> Result<(&Direction, &Shm, &mut K), EndError> {
        if !self.attachment().is_peer(self.peer) {
            *run = Run::default();
            self.claim()?;
        }
        let PipeEnd { direction, kept, .. } = self;
        Ok((direction, direction.parts.control.attachment().shm(), kept))
    }

    /// Takes the end for this process: at its first use, and in a forked child once more.
    #[cold]
    fn claim(&mut self) -> Result<(), EndError> {
        let peer = self.attachment().owner()?.peer;
        let kept = K::claim(&self.direction, self.attachment().shm(), peer);
        self.kept = kept.map_err(|taken| match taken {
            Taken::By(peer) => EndError::Taken { peer },
            Taken::ByDead(peer) => EndError::HolderDied { peer },
            Taken::Closed => EndError::Closed,
        })?;
        self.peer = peer;
        Ok(())
    }
}

impl<K: Kept> Drop for PipeEnd<K> {
    /// Closes the end, if this process has it; or if nobody has had it, and nobody is left who could take it.
    fn drop(&mut self) {
        let attachment = self.attachment().clone();
        let part = self.part();
        attachment.let_go(part);
        if attachment.is_peer(self.peer) || (!attachment.can_be_held(part) && self.claim().is_ok()) {
            self.kept.close(&self.direction, attachment.shm());
        }
    }
}

/// How messages stand in a ring of `capacity` bytes. Both sides come to the same answer, from the type and the header.
fn framing(capacity: usize, fixed: Option<usize>) -> Framing {
    // A message in pieces has several of them on the way at any time: both sides copy at once.
    const PIECES: usize = 4;
    match fixed {
        Some(bytes) if bytes <= capacity / PIECES => Framing::Fixed(bytes),
        _ => Framing::Framed(capacity / PIECES - WORD_BYTES),
    }
}

/// Why a ring cannot have this capacity, if it cannot; else the capacity in full pages.
pub(crate) fn capacity_of(bytes: usize) -> Result<usize, CreateError> {
    match bytes {
        1..=LONGEST_RING => Ok(bytes.next_power_of_two().max(PAGE)),
        _ => Err(CreateError::Capacity { bytes, longest: LONGEST_RING }),
    }
}
