//! A side of a queue, without a type: the queue, and that this process is on that side.

use crate::algorithm::Owner;
use crate::algorithm::joinable::Unjoined;
use crate::algorithm::queue::{Patience, Queue, Receipt, Refused};
use crate::algorithm::record::Framing;
use crate::algorithm::ring::Side;
use crate::algorithm::tally::NoTask;
use crate::error::{AttachError, OpenError};
use crate::queue_place::{Located, Place, TaskPlace, parts};
use crate::shm::{Attachment, Deadline, Shm};
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::Duration;

/// How seldom a look in vain asks whether anybody is left on the other side, which is a system call for each.
const ASK_EVERY: u32 = 1 << 14;

/// Wait as long as it takes.
pub(crate) const WAIT: Patience<Deadline> = Patience { waits: true, asks: false, deadline: Deadline::NEVER };

/// Wait so long.
pub(crate) fn within(timeout: Duration) -> Patience<Deadline> {
    Patience { waits: true, asks: false, deadline: Deadline::after(timeout) }
}

/// A side of a queue.
pub(crate) struct QueueEnd<L: Located = Place> {
    queue: Arc<Queue<Shm, L>>,
    side: Side,
}

impl<L: Located> QueueEnd<L> {
    /// Both sides. `fixed`: how many bytes every message has, if that is always the same.
    pub(crate) fn both(attachment: &Arc<Attachment>, fixed: Option<usize>) -> Result<[QueueEnd<L>; 2], OpenError> {
        let putters = QueueEnd::new(attachment, fixed, Side::Writer)?;
        let getters = QueueEnd::on(putters.queue.clone(), Side::Reader);
        Ok([putters, getters])
    }

    /// One side.
    pub(crate) fn new(
        attachment: &Arc<Attachment>,
        fixed: Option<usize>,
        side: Side,
    ) -> Result<QueueEnd<L>, OpenError> {
        Ok(QueueEnd::on(Arc::new(Queue::new(L::find(attachment, fixed)?)), side))
    }

    fn on(queue: Arc<Queue<Shm, L>>, side: Side) -> QueueEnd<L> {
        let end = QueueEnd { queue, side };
        end.attachment().hold(parts(side));
        end
    }

    /// This process was given these parts, and takes but this side: it does not count on the other.
    pub(crate) fn leave_rest(&self, given: u32) {
        let rest = given & !parts(self.side);
        if rest != 0 {
            self.attachment().renounce(rest);
            self.has_left(self.side.other());
        }
    }

    fn has_left(&self, side: Side) {
        let attachment = self.attachment();
        if !attachment.is_held(parts(side)) {
            L::has_left(&self.queue, attachment.shm(), side);
        }
    }

    pub(crate) fn attachment(&self) -> &Arc<Attachment> {
        self.queue.parts.place().attachment()
    }
    pub(crate) fn parts(&self) -> u32 {
        parts(self.side)
    }
    /// The most messages there may be.
    pub(crate) fn most(&self) -> u32 {
        self.queue.parts.most()
    }
    /// Bytes of all messages at most.
    pub(crate) fn capacity(&self) -> usize {
        self.queue.parts.place().capacity()
    }
    /// Bytes of the longest message.
    pub(crate) fn longest(&self) -> usize {
        match self.queue.parts.framing() {
            Framing::Fixed(bytes) | Framing::Framed(bytes) => bytes,
        }
    }
    /// How many bytes every message has, if that is always the same.
    pub(crate) fn fixed(&self) -> Option<usize> {
        match self.queue.parts.framing() {
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
    pub(crate) fn with<R>(&self, operation: impl FnOnce(&Queue<Shm, L>, &Shm, Owner) -> R) -> Result<R, AttachError> {
        let attachment = self.attachment();
        let me = attachment.owner()?;
        Ok(operation(&self.queue, attachment.shm(), me))
    }

    /// A message that was got is no value of the type, and is done with.
    #[cold]
    fn forget(&self, receipt: Receipt) {
        // Whoever has just got it is a peer.
        let _ = self.with(|queue, shm, me| L::forget(queue, shm, me, receipt));
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

impl QueueEnd<TaskPlace> {
    #[inline]
    pub(crate) fn task_done(&self, receipt: Option<Receipt>) -> Result<Result<(), NoTask>, AttachError> {
        self.with(|queue, shm, me| queue.task_done(shm, me, receipt))
    }
    pub(crate) fn join(&self, deadline: Deadline) -> Result<Result<(), Unjoined>, AttachError> {
        self.with(|queue, shm, me| queue.join(shm, me, deadline))
    }
    pub(crate) fn unfinished(&self) -> Result<Result<usize, Refused>, AttachError> {
        self.with(|queue, shm, me| Ok(queue.unfinished(shm, me, Deadline::NEVER)? as usize))
    }
    pub(crate) fn acknowledge(&self) -> Result<Result<usize, Refused>, AttachError> {
        self.with(|queue, shm, me| Ok(queue.acknowledge(shm, me, Deadline::NEVER)? as usize))
    }
}

/// A message that was got and has not become a value so far: if it is none, or its codec panics, it is done with.
pub(crate) struct Raw<'q, L: Located> {
    pub(crate) end: &'q QueueEnd<L>,
    pub(crate) receipt: Receipt,
}

impl<L: Located> Raw<'_, L> {
    /// It has become one.
    #[inline]
    pub(crate) fn keep(self) -> Receipt {
        ManuallyDrop::new(self).receipt
    }
}

impl<L: Located> Drop for Raw<'_, L> {
    fn drop(&mut self) {
        self.end.forget(self.receipt);
    }
}

impl<L: Located> Clone for QueueEnd<L> {
    fn clone(&self) -> QueueEnd<L> {
        QueueEnd::on(self.queue.clone(), self.side)
    }
}

impl<L: Located> Drop for QueueEnd<L> {
    /// Whoever waits on the other side looks whether anybody is left on this one.
    fn drop(&mut self) {
        self.attachment().let_go(parts(self.side));
        self.has_left(self.side);
    }
}
