//! A side of a queue, without a type: the region, the words, and that this process is on that side.

use crate::algorithm::Owner;
use crate::algorithm::queue::{Control, Parts, Patience, Queue, Refused};
use crate::algorithm::record::Framing;
use crate::algorithm::ring::{Ring, Side, WORD_BYTES};
use crate::error::{AttachError, OpenError};
use crate::layout::QueueHead;
use crate::platform::{Access, Ordering, Platform, Site};
use crate::shm::{Attachment, Deadline, Mapped, Mirror, Shm};
use std::sync::Arc;
use std::time::Duration;

/// Those who put.
pub(crate) const PUTTERS: u32 = 1;
/// Those who get.
pub(crate) const GETTERS: u32 = 2;

const MOST: Site =
    Site::new("queue.most", Access::Load, Ordering::Relaxed, "written before anybody else had the region");

/// How seldom a look in vain asks whether anybody is left on the other side, which is a system call for each.
const ASK_EVERY: u32 = 1 << 14;

/// Where a queue is.
pub(crate) struct Place {
    head: Mapped<QueueHead>,
    mirror: Mirror,
    framing: Framing,
    capacity: usize,
    most: u32,
}

impl Parts<Shm> for Place {
    #[inline(always)]
    fn control(&self) -> &Control<Shm> {
        &self.head.control
    }
    #[inline(always)]
    fn ring(&self) -> Ring<'_, Shm> {
        Ring { control: self.head.control.ring(), words: self.mirror.words(), capacity: self.capacity }
    }
    #[inline(always)]
    fn framing(&self) -> Framing {
        self.framing
    }
    #[inline(always)]
    fn most(&self) -> u32 {
        self.most
    }
    fn is_deserted(&self, side: Side) -> bool {
        let attachment = self.head.attachment();
        attachment.has_been_held(parts(side)) && !attachment.is_held(parts(side))
    }
}

fn parts(side: Side) -> u32 {
    if side == Side::Writer { PUTTERS } else { GETTERS }
}

/// A side of a queue.
pub(crate) struct QueueEnd {
    queue: Arc<Queue<Shm, Place>>,
    side: Side,
}

impl QueueEnd {
    /// Both sides. `fixed`: how many bytes every message has, if that is always the same.
    pub(crate) fn both(attachment: &Arc<Attachment>, fixed: Option<usize>) -> Result<[QueueEnd; 2], OpenError> {
        let putters = QueueEnd::new(attachment, fixed, Side::Writer)?;
        let getters = QueueEnd::on(putters.queue.clone(), Side::Reader);
        Ok([putters, getters])
    }

    /// One side.
    pub(crate) fn new(attachment: &Arc<Attachment>, fixed: Option<usize>, side: Side) -> Result<QueueEnd, OpenError> {
        let corrupt = || OpenError::Ring { capacity: attachment.length() };
        let mirror = Mirror::new(attachment, 0)?.ok_or_else(corrupt)?;
        let head = Mapped::<QueueHead>::body(attachment.clone()).ok_or_else(corrupt)?;
        let capacity = mirror.capacity();
        let framing = match fixed {
            Some(bytes) if bytes <= capacity => Framing::Fixed(bytes),
            _ => Framing::Framed(longest(capacity)),
        };
        let most = attachment.shm().load(&head.most, &MOST);
        let queue = Queue::new(Place { head, mirror, framing, capacity, most });
        Ok(QueueEnd::on(Arc::new(queue), side))
    }

    fn on(queue: Arc<Queue<Shm, Place>>, side: Side) -> QueueEnd {
        let end = QueueEnd { queue, side };
        end.attachment().hold(parts(side));
        end
    }

    pub(crate) fn attachment(&self) -> &Arc<Attachment> {
        self.queue.parts.head.attachment()
    }
    pub(crate) fn parts(&self) -> u32 {
        parts(self.side)
    }
    /// The most messages there may be.
    pub(crate) fn most(&self) -> u32 {
        self.queue.parts.most
    }
    /// Bytes of all messages at most.
    pub(crate) fn capacity(&self) -> usize {
        self.queue.parts.capacity
    }
    /// Bytes of the longest message.
    pub(crate) fn longest(&self) -> usize {
        match self.queue.parts.framing {
            Framing::Fixed(bytes) | Framing::Framed(bytes) => bytes,
        }
    }
    /// How many bytes every message has, if that is always the same.
    pub(crate) fn fixed(&self) -> Option<usize> {
        match self.queue.parts.framing {
            Framing::Fixed(bytes) => Some(bytes),
            Framing::Framed(_) => None,
        }
    }

    /// Look, and do not wait; now and then, ask.
    pub(crate) fn at_once(&self) -> Patience<Deadline> {
        let asks = self.attachment().count_miss(ASK_EVERY);
        Patience { waits: false, asks, deadline: Deadline::NEVER }
    }

    /// The queue, to be used by the calling thread.
    #[inline]
    pub(crate) fn with<R>(
        &self,
        operation: impl FnOnce(&Queue<Shm, Place>, &Shm, Owner) -> R,
    ) -> Result<R, AttachError> {
        let attachment = self.attachment();
        let me = attachment.owner()?;
        Ok(operation(&self.queue, attachment.shm(), me))
    }

    pub(crate) fn len(&self) -> Result<Result<usize, Refused>, AttachError> {
        self.with(|queue, shm, me| Ok(queue.len(shm, me, Deadline::NEVER)? as usize))
    }
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty(self.attachment().shm())
    }
    pub(crate) fn is_full(&self) -> bool {
        self.queue.is_full(self.attachment().shm(), 0)
    }
    pub(crate) fn close(&self, discard: bool) -> Result<Result<(), Refused>, AttachError> {
        self.with(|queue, shm, me| queue.close(shm, me, discard, Deadline::NEVER))
    }
}

impl Clone for QueueEnd {
    fn clone(&self) -> QueueEnd {
        QueueEnd::on(self.queue.clone(), self.side)
    }
}

impl Drop for QueueEnd {
    /// Whoever waits on the other side looks whether anybody is left on this one.
    fn drop(&mut self) {
        let attachment = self.attachment();
        attachment.let_go(parts(self.side));
        if !attachment.is_held(parts(self.side)) {
            self.queue.rouse(attachment.shm(), self.side);
        }
    }
}

/// Says how many messages a new queue may have.
pub(crate) fn set_most(attachment: &Arc<Attachment>, most: u32) {
    if let Some(head) = Mapped::<QueueHead>::body(attachment.clone()) {
        attachment.shm().store(&head.most, most, &MOST);
    }
}

/// Wait as long as it takes.
pub(crate) const WAIT: Patience<Deadline> = Patience { waits: true, asks: false, deadline: Deadline::NEVER };

/// Wait so long.
pub(crate) fn within(timeout: Duration) -> Patience<Deadline> {
    Patience { waits: true, asks: false, deadline: Deadline::after(timeout) }
}

/// Bytes of the longest message in a ring of `capacity` bytes.
fn longest(capacity: usize) -> usize {
    capacity - WORD_BYTES
}
