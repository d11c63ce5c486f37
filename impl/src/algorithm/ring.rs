//! The ring: one side writes records into it, the other reads them, and each moves one word of its own.
//!
//! | word | bits | meaning |
//! |---|---|---|
//! | `tail` | 0-30 | how many records the writer has committed, modulo 2^31 |
//! | | 31 | `CLOSED`: there will be no more |
//! | | 32-63 | how many bytes they have, modulo 2^32: where the next one begins |
//! | `head` | | the same of the records that the reader has given back |
//! | `marks` | `NOBODY` | nobody has ever slept on this side's word |
//! | | `ASLEEP + count` | somebody sleeps while the count is this, or is about to, or did once |
//! | | `GONE` | in the tail's mark: the reader has closed |
//!
//! Transitions: `word → word + records` (commit, by the side it belongs to) · `word → word + CLOSED` (once) ·
//! `mark → ASLEEP + count` (by the other side, about to sleep) · `mark → GONE` (by the reader, which then sleeps no more).
//!
//! Invariants:
//! 1. Only the writer stores to `tail`, only the reader to `head`. `tail - head` is 0 to the ring's capacity, in bytes.
//! 2. The bytes between `head` and `tail` are whole records. They were stored before the `tail` that takes them in, and they
//!    are not stored to again before the reader has given them back.
//! 3. A commit is one store. Whoever dies leaves the old word or the new one: there is nothing to repair.
//! 4. Whoever is about to sleep at count t marks t, and then looks at the word once more (the sleep itself does: it compares);
//!    whoever replaces t looks at the mark afterwards; a fence on either side. So one of the two sees the other. A mark is never cleared: that of a sleeper
//!    who died expires with the next commit, and nobody can clear another's.
//!
//! Each side keeps what it last saw of the other's word ([`Cursor`]) and looks again only when that is used up: as long as it
//! is not, nobody touches a line that the other writes.

pub use super::cursor::{Cursor, Progress, Side, WORD_BYTES};
use crate::platform::{Access, Ordering, Platform, Site, Wakeup};
use zerocopy::FromBytes;

const COMMIT: Site = Site::new(
    "ring.commit",
    Access::Store,
    Ordering::Release,
    "pairs with ring.see_tail: whoever sees the tail sees the records before it",
);
const SEE_TAIL: Site = Site::new(
    "ring.see_tail",
    Access::Load,
    Ordering::Acquire,
    "pairs with ring.commit: what is read from the records is what was written",
);
const GIVE_BACK: Site = Site::new(
    "ring.give_back",
    Access::Store,
    Ordering::Release,
    "pairs with ring.see_head: the records were read before they are written over",
);
const SEE_HEAD: Site = Site::new(
    "ring.see_head",
    Access::Load,
    Ordering::Acquire,
    "pairs with ring.give_back: nothing is written over before it was read",
);
const RESUME: Site = Site::new(
    "ring.resume",
    Access::Load,
    Ordering::Relaxed,
    "one's own word; whoever stored it before us is dead, and its death happened before we knew of it",
);
const MARK: Site = Site::new(
    "ring.mark",
    Access::Store,
    Ordering::Relaxed,
    "a number that is compared and nothing else; ring.heavy comes between it and ring.sleep",
);
const HEAVY: Site = Site::new(
    "ring.heavy",
    Access::HeavyFence,
    Ordering::SeqCst,
    "pairs with ring.light: of ring.mark and the other side's commit, somebody sees the other's",
);
const SLEEP: Site = Site::plain(
    "ring.sleep",
    Access::Wait,
    "compares with the count that the mark carries, which is the last look of invariant 4",
);
const LIGHT: Site = Site::new(
    "ring.light",
    Access::LightFence,
    Ordering::SeqCst,
    "pairs with ring.heavy: a commit comes before the look at the mark",
);
const MARKED: Site = Site::new(
    "ring.marked",
    Access::Load,
    Ordering::Relaxed,
    "a number that is compared and nothing else; ring.light comes before it",
);
const WAKE: Site = Site::plain("ring.wake", Access::Wake, "the count that was slept on is not there any more");
const CLOSE: Site = Site::new(
    "ring.close",
    Access::Store,
    Ordering::Release,
    "pairs with ring.see_tail and ring.see_head: all that was committed comes before the end",
);
const GOING: Site = Site::new(
    "ring.going",
    Access::Store,
    Ordering::Release,
    "pairs with ring.gone: tells the writer to look at the head before it has to",
);
const GONE_LOOK: Site = Site::new(
    "ring.gone",
    Access::Fence,
    Ordering::Acquire,
    "pairs with ring.going: the head that is looked at next is the last",
);
const WAKE_ALL: Site = Site::plain("ring.wake_all", Access::Wake, "CLOSED stands in the word that was slept on");

/// The sites of this file.
pub static SITES: &[&Site] = &[
    &COMMIT, &SEE_TAIL, &GIVE_BACK, &SEE_HEAD, &RESUME, &MARK, &HEAVY, &SLEEP, &LIGHT, &MARKED, &WAKE, &CLOSE, &GOING,
    &GONE_LOOK, &WAKE_ALL,
];

const ASLEEP: u32 = 1 << 31;
const GONE: u32 = 1;

/// Something alone on its cache lines: two, for the processor fetches them in pairs.
#[repr(C, align(128))]
#[derive(FromBytes)]
pub struct Line<W>(pub W);

/// The shared words of a ring beside its records; all zero when new.
#[repr(C)]
#[derive(FromBytes)]
pub struct Control<P: Platform> {
    tail: Line<P::Word<u64>>,
    head: Line<P::Word<u64>>,
    /// Of the tail and of the head. They have a line of their own because they are looked at with every commit and hardly
    /// ever change, while the words beside which they belong are the other side's half of the time.
    marks: Line<[P::Word<u32>; 2]>,
}

impl<P: Platform> Control<P> {
    /// The words of a ring, for a platform whose words are not bytes in a region: `tail` and `head` equal, `marks` 0.
    pub fn from_words(tail: P::Word<u64>, head: P::Word<u64>, marks: [P::Word<u32>; 2]) -> Control<P> {
        Control { tail: Line(tail), head: Line(head), marks: Line(marks) }
    }
    /// A side's word at this instant.
    #[inline(always)]
    pub fn peek(&self, platform: &P, side: Side, site: &'static Site) -> Progress {
        Progress::from_bits(platform.load(self.word(side), site))
    }
    #[inline(always)]
    fn word(&self, side: Side) -> &P::Word<u64> {
        match side {
            Side::Writer => &self.tail.0,
            Side::Reader => &self.head.0,
        }
    }
    #[inline(always)]
    fn mark(&self, side: Side) -> &P::Word<u32> {
        match side {
            Side::Writer => &self.marks.0[0],
            Side::Reader => &self.marks.0[1],
        }
    }
}

/// The other side's word is not one that a side leaves: somebody is broken, or hostile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corrupt;

/// A ring. `words` are its records: `capacity` bytes, or twice that if the same memory is mapped twice in a row, which makes
/// every record one piece.
pub struct Ring<'a, P: Platform> {
    /// The words beside the records.
    pub control: &'a Control<P>,
    /// The records.
    pub words: &'a [P::Word<u64>],
    /// Bytes of all records at most: a power of two, up to 2^31.
    pub capacity: usize,
}

// By hand, for `derive` would ask the platform to be the same.
impl<P: Platform> Clone for Ring<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Ring<'_, P> {}

impl<'a, P: Platform> Ring<'a, P> {
    /// The cursor of a side that was not ours before.
    pub fn resume(self, platform: &P, side: Side) -> Cursor {
        let own = self.control.peek(platform, side, &RESUME);
        // As if nothing had been seen: the writer finds no room in its cursor and the reader no records.
        let other = match side {
            Side::Writer => own.after(0, (self.capacity as u32).wrapping_neg()),
            Side::Reader => own,
        };
        Cursor::new(own, other)
    }

    /// Bytes that a writer can still write, as far as was seen. None, if what was seen cannot be: a queue's side remembers it
    /// where a hostile peer can write.
    #[inline(always)]
    pub fn room(self, cursor: &Cursor) -> usize {
        self.capacity.saturating_sub(cursor.own.bytes_since(cursor.other))
    }

    /// Where the byte at `position` is among the records.
    #[inline(always)]
    pub fn offset(self, position: u32) -> usize {
        position as usize & (self.capacity - 1)
    }

    /// The `count` words at `position`. `None`: the ring begins anew on the way.
    #[inline(always)]
    pub fn words_at(self, position: u32, count: usize) -> Option<&'a [P::Word<u64>]> {
        let start = self.offset(position) / WORD_BYTES;
        self.words.get(start..start + count)
    }

    /// The word at `position`.
    #[inline(always)]
    pub fn word_at(self, position: u32) -> Option<&'a P::Word<u64>> {
        self.words.get(self.offset(position) / WORD_BYTES)
    }

    /// The other side's word at this instant.
    #[inline(always)]
    pub fn look(self, platform: &P, side: Side) -> Progress {
        self.control.peek(platform, side.other(), if side == Side::Writer { &SEE_HEAD } else { &SEE_TAIL })
    }

    /// Remembers the other side's word. What no side leaves there is refused: everything that is computed from it stays inside
    /// the ring.
    #[inline(always)]
    pub fn accept(self, side: Side, cursor: &mut Cursor, other: Progress) -> Result<(), Corrupt> {
        let (tail, head) = if side == Side::Writer { (cursor.own, other) } else { (other, cursor.own) };
        if !self.can_be(tail, head) {
            return Err(Corrupt);
        }
        cursor.other = other;
        Ok(())
    }

    /// [Looks](Ring::look) at the other side's word and [remembers](Ring::accept) it.
    #[inline(always)]
    pub fn see(self, platform: &P, side: Side, cursor: &mut Cursor) -> Result<(), Corrupt> {
        self.accept(side, cursor, self.look(platform, side))
    }

    /// Whether the two words can be such at one moment.
    #[inline(always)]
    pub(super) fn can_be(self, tail: Progress, head: Progress) -> bool {
        let bytes = tail.bytes_since(head);
        let records = tail.records_since(head) as usize;
        let whole = bytes.is_multiple_of(WORD_BYTES) && records <= bytes / WORD_BYTES && (bytes == 0) == (records == 0);
        bytes <= self.capacity && whole
    }

    /// Lets the other side know how far this one has come. Answers whether the reader has closed, if that can be known for
    /// nothing.
    #[inline(always)]
    pub fn commit(self, platform: &P, side: Side, cursor: &mut Cursor) -> bool {
        let old = self.publish(platform, side, cursor);
        self.notify(platform, side, old)
    }

    /// The first half of a [commit](Ring::commit): everybody can see how far this side has come. Answers from where.
    #[inline(always)]
    pub fn publish(self, platform: &P, side: Side, cursor: &mut Cursor) -> Progress {
        let old = cursor.committed;
        cursor.committed = cursor.own;
        let site = if side == Side::Writer { &COMMIT } else { &GIVE_BACK };
        platform.store(self.control.word(side), cursor.own.to_bits(), site);
        old
    }

    /// The second half: wakes whoever sleeps on what was there before.
    #[inline(always)]
    pub fn notify(self, platform: &P, side: Side, old: Progress) -> bool {
        platform.light_fence(&LIGHT);
        let mark: u32 = platform.load(self.control.mark(side), &MARKED);
        if mark == ASLEEP | old.low() {
            platform.wake(self.control.word(side), u32::MAX, &WAKE);
        }
        mark == GONE
    }

    /// Once a [commit](Ring::commit) has answered that the reader has closed: whether it had read all that was committed. If
    /// not, nobody ever will.
    #[cold]
    pub fn was_read(self, platform: &P, cursor: &mut Cursor) -> bool {
        platform.fence(&GONE_LOOK);
        self.see(platform, Side::Writer, cursor).is_ok() && self.room(cursor) == self.capacity
    }

    /// Whether the other side has moved on from what was seen last.
    #[inline]
    pub fn has_moved(self, platform: &P, side: Side, cursor: &Cursor, site: &'static Site) -> bool {
        platform.load(self.control.word(side.other()), site) != cursor.other.to_bits()
    }

    /// Says that this side is about to sleep until the other one moves on from what was seen last.
    pub fn announce(self, platform: &P, side: Side, cursor: &Cursor) {
        platform.store(self.control.mark(side.other()), ASLEEP | cursor.other.low(), &MARK);
    }

    /// Sleeps as [announced](Ring::announce), unless the other side has moved on already.
    pub fn sleep(self, platform: &P, side: Side, cursor: &Cursor, deadline: P::Deadline, ticks: u32) -> Wakeup {
        platform.heavy_fence(&HEAVY);
        platform.wait(self.control.word(side.other()), cursor.other.low(), deadline, ticks, &SLEEP)
    }

    /// This side is done for good. What it has not committed is lost.
    pub fn close(self, platform: &P, side: Side, cursor: &mut Cursor) {
        cursor.own = cursor.committed;
        self.seal(platform, side, cursor);
        if side == Side::Reader {
            platform.store(self.control.mark(Side::Writer), GONE, &GOING);
        }
        self.rouse(platform, side);
    }

    /// Commits, and says that it was the last time.
    pub fn seal(self, platform: &P, side: Side, cursor: &mut Cursor) {
        cursor.own = cursor.own.closed();
        cursor.committed = cursor.own;
        platform.store(self.control.word(side), cursor.own.to_bits(), &CLOSE);
    }

    /// Wakes everybody who sleeps on what this side has come to.
    pub fn rouse(self, platform: &P, side: Side) {
        platform.wake(self.control.word(side), u32::MAX, &WAKE_ALL);
    }
}
