//! Where the words of a queue are: what the algorithm is given, in a region.

use crate::algorithm::Owner;
use crate::algorithm::ledger::{Books, Ledger, TaskParts};
use crate::algorithm::queue::{Control, Parts, Queue, Receipt};
use crate::algorithm::record::Framing;
use crate::algorithm::redelivery::{Copies, words_for};
use crate::algorithm::ring::{Ring, Side, WORD_BYTES};
use crate::algorithm::tally::Tallies;
use crate::error::{AttachError, OpenError};
use crate::layout::{JoinableHead, Kind, QueueHead};
use crate::platform::{Access, Ordering, Platform, Site};
use crate::queue_options::QueueOptions;
use crate::shm::{Attachment, Mapped, MappedSlice, Mirror, Shm, ShmWord};
use std::sync::Arc;

/// Those who put.
pub(crate) const PUTTERS: u32 = 1;
/// Those who get.
pub(crate) const GETTERS: u32 = 2;

const MOST: Site =
    Site::new("queue.most", Access::Load, Ordering::Relaxed, "written before anybody else had the region");

const COPIES: Site =
    Site::new("queue.copies", Access::Load, Ordering::Relaxed, "written before anybody else had the region");

/// What a queue carries: [`Items`], or [`Tasks`].
pub trait Content: 'static {
    #[doc(hidden)]
    type Place: Located;
    #[doc(hidden)]
    const KIND: Kind;
}

/// Messages, of which nothing more is known when they were got: a [`Queue`](crate::Queue).
#[derive(Debug)]
pub enum Items {}

/// Messages that are to be reported done: a [`JoinableQueue`](crate::JoinableQueue).
#[derive(Debug)]
pub enum Tasks {}

impl Content for Items {
    type Place = Place;
    const KIND: Kind = Kind::Queue;
}

impl Content for Tasks {
    type Place = TaskPlace;
    const KIND: Kind = Kind::JoinableQueue;
}

/// The words of a queue in a region.
pub trait Located: Parts<Shm> + Sized {
    /// Finds them. `fixed`: how many bytes every message has, if that is always the same.
    fn find(attachment: &Arc<Attachment>, fixed: Option<usize>) -> Result<Self, OpenError>;
    /// Those that every queue has.
    fn place(&self) -> &Place;
    /// This process has left a side: whoever waits for it looks who is left.
    fn has_left(queue: &Queue<Shm, Self>, shm: &Shm, side: Side) {
        queue.rouse(shm, side);
    }
    /// This process got a message that is none.
    fn forget(_queue: &Queue<Shm, Self>, _shm: &Shm, _me: Owner, _receipt: Receipt) {}
}

/// Where a queue is.
pub struct Place {
    head: Mapped<QueueHead>,
    mirror: Mirror,
    framing: Framing,
    capacity: usize,
    most: u32,
}

impl Place {
    fn new(
        attachment: &Arc<Attachment>,
        head: Option<Mapped<QueueHead>>,
        fixed: Option<usize>,
    ) -> Result<Place, OpenError> {
        let corrupt = || OpenError::Ring { capacity: attachment.length() };
        let mirror = Mirror::new(attachment, 0)?.ok_or_else(corrupt)?;
        let head = head.ok_or_else(corrupt)?;
        let capacity = mirror.capacity();
        let framing = match fixed {
            Some(bytes) if bytes <= capacity => Framing::Fixed(bytes),
            _ => Framing::Framed(longest(capacity)),
        };
        let most = attachment.shm().load(&head.most, &MOST);
        if !(1..=QueueOptions::MAX_LEN as u32).contains(&most) {
            return Err(AttachError::Corrupt { what: "the most messages that the queue may have" }.into());
        }
        Ok(Place { head, mirror, framing, capacity, most })
    }

    pub(crate) fn attachment(&self) -> &Arc<Attachment> {
        self.head.attachment()
    }
    /// Bytes of all messages at most.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }
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
        let attachment = self.attachment();
        attachment.has_been_held(parts(side)) && !attachment.is_held(parts(side))
    }
}

impl Located for Place {
    fn find(attachment: &Arc<Attachment>, fixed: Option<usize>) -> Result<Place, OpenError> {
        Place::new(attachment, Mapped::body(attachment.clone()), fixed)
    }
    fn place(&self) -> &Place {
        self
    }
}

/// Where the ledger of a joinable queue is.
pub struct TaskBooks {
    head: Mapped<JoinableHead>,
    /// Copies of what is in hand, and the most bytes of each.
    copies: Option<(MappedSlice, usize)>,
}

impl Books<Shm> for TaskBooks {
    #[inline(always)]
    fn ledger(&self) -> Ledger<'_, Shm> {
        Ledger {
            tallies: Tallies { totals: &self.head.totals, rows: &self.head.tallies },
            slot: self.head.attachment().slot().unwrap_or(usize::MAX),
            copies: self.copies.as_ref().map(|(words, bytes)| Copies { words, bytes: *bytes }),
            events: &self.head.events.0,
        }
    }
}

/// Where a joinable queue is.
pub type TaskPlace = TaskParts<Place, TaskBooks>;

impl Located for TaskPlace {
    fn find(attachment: &Arc<Attachment>, fixed: Option<usize>) -> Result<TaskPlace, OpenError> {
        let head = Mapped::<JoinableHead>::body(attachment.clone());
        let head = head.ok_or_else(|| OpenError::Ring { capacity: attachment.length() })?;
        let mut place = Place::new(attachment, Some(head.part(|head| &head.queue)), fixed)?;
        let shm = attachment.shm();
        let load = |word: &ShmWord<u32>| shm.load(word, &COPIES) as usize;
        let copies = match (load(&head.copies), load(&head.copy_bytes)) {
            (0, _) => None,
            (count, bytes) => {
                let corrupt = || AttachError::Corrupt { what: "the table of the tasks in hand" };
                let words = words_for(count, bytes).and_then(|words| {
                    MappedSlice::words(attachment.clone(), Kind::JoinableQueue.words_at() + place.capacity, words)
                });
                place.framing = match place.framing {
                    Framing::Fixed(fixed) if fixed > bytes => return Err(corrupt().into()),
                    Framing::Fixed(fixed) => Framing::Fixed(fixed),
                    Framing::Framed(longest) => Framing::Framed(longest.min(bytes)),
                };
                Some((words.ok_or_else(corrupt)?, bytes))
            }
        };
        Ok(TaskPlace { queue: place, books: TaskBooks { head, copies } })
    }
    fn place(&self) -> &Place {
        &self.queue
    }
    fn has_left(queue: &Queue<Shm, TaskPlace>, shm: &Shm, side: Side) {
        queue.rouse(shm, side);
        if side == Side::Reader {
            queue.parts.books.ledger().tell(shm, || true);
        }
    }
    fn forget(queue: &Queue<Shm, TaskPlace>, shm: &Shm, me: Owner, receipt: Receipt) {
        // It was taken a moment ago, if no other thread of this process has reported more than there was.
        let _ = queue.task_done(shm, me, Some(receipt));
    }
}

/// The part of a queue that this side is.
pub(crate) fn parts(side: Side) -> u32 {
    if side == Side::Writer { PUTTERS } else { GETTERS }
}

/// Says how many messages a new queue may have.
pub(crate) fn set_most(attachment: &Arc<Attachment>, most: u32) {
    if let Some(head) = Mapped::<QueueHead>::body(attachment.clone()) {
        attachment.shm().store(&head.most, most, &MOST);
    }
}

/// Says how many copies of what is in hand a new joinable queue has, and the most bytes of each.
pub(crate) fn set_copies(attachment: &Arc<Attachment>, (copies, bytes): (u32, u32)) {
    if let Some(head) = Mapped::<JoinableHead>::body(attachment.clone()) {
        attachment.shm().store(&head.copies, copies, &COPIES);
        attachment.shm().store(&head.copy_bytes, bytes, &COPIES);
    }
}

/// Bytes of the longest message in a ring of `capacity` bytes.
fn longest(capacity: usize) -> usize {
    capacity - WORD_BYTES
}
