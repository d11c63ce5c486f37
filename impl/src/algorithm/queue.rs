//! A queue: a [`ring`] whose writer is whoever holds the putters' lock, and whose reader is whoever holds the
//! getters'.
//!
//! | what | changed by |
//! |---|---|
//! | `tail`, `CLOSED` in it, and what was last seen of `head` | whoever holds the putters' lock |
//! | `head`, `CLOSED` in it, and what was last seen of `tail` | whoever holds the getters' lock |
//! | the mark beside the tail | a getter that is about to sleep, inside the getters' lock |
//! | the mark beside the head | a putter that is about to sleep, inside the putters' lock |
//! | `discarded` | whoever closes the queue for good, once |
//!
//! Invariants:
//! 1. Inside a lock nobody waits, and nobody runs a user's code: look, copy, commit, leave. So who holds one is about to leave
//!    it, is stopped, or is dead.
//! 2. A message is in the queue from one store to the tail until one store to the head. Whoever dies inside a lock leaves the
//!    old word or the new one: whoever takes the lock over has nothing to repair, and nobody has to be told.
//! 3. All messages are in one order, that of the tail; they leave in this order.
//! 4. Nobody sleeps on a count that was left before its mark was written: marks are written inside the lock of the side that
//!    sleeps, so that an older one never comes after a newer one; and see the fourth invariant of the ring.
//! 5. CLOSED is in the words that are slept on: whoever is about to sleep when it comes does not.

use super::Owner;
use super::lock::{self, Entered, Exclusion, Intent, Lock};
use super::record::{Framing, Label};
use super::ring::{self, Cursor, Line, Progress, Ring, Side, WORD_BYTES};
use crate::platform::{Access, Ordering, Platform, Site, Wakeup};
use std::marker::PhantomData;
use zerocopy::FromBytes;

const OWN: Site = Site::guarded("queue.own", Access::Load, "inside the lock of its side");
const KNOWN: Site = Site::guarded("queue.known", Access::Load, "inside the lock of its side");
const LEARN: Site = Site::guarded("queue.learn", Access::Store, "inside the lock of its side");
const SPIN: Site =
    Site::new("queue.spin", Access::Load, Ordering::Relaxed, "a hint: what is entered is entered by the lock");
const LENGTH: Site = Site::new(
    "queue.length",
    Access::Load,
    Ordering::Acquire,
    "pairs with ring.commit and ring.give_back: what is read of the other side comes later",
);

/// The sites of this file.
pub static SITES: &[&Site] = &[&OWN, &KNOWN, &LEARN, &SPIN, &LENGTH];

/// What one side of a queue has: its lock, and what it last saw of the other's word.
#[repr(C)]
#[derive(FromBytes)]
pub struct Gate<P: Platform> {
    lock: Lock<P>,
    known: P::Word<u64>,
}

/// The shared words of a queue beside its records; all zero when new.
#[repr(C)]
#[derive(FromBytes)]
pub struct Control<P: Platform> {
    ring: ring::Control<P>,
    gates: [Line<Gate<P>>; 2],
}

impl<P: Platform> Control<P> {
    /// For a platform whose words are not bytes in a region. `known` are what the sides know of each other: as the ring's words.
    pub fn from_words(ring: ring::Control<P>, locks: [Lock<P>; 2], known: [P::Word<u64>; 2]) -> Control<P> {
        let [writers, readers] = locks;
        let [head, tail] = known;
        let gates = [Line(Gate { lock: writers, known: head }), Line(Gate { lock: readers, known: tail })];
        Control { ring, gates }
    }
    /// The words of the ring.
    pub fn ring(&self) -> &ring::Control<P> {
        &self.ring
    }
    #[inline(always)]
    fn gate(&self, side: Side) -> &Gate<P> {
        &self.gates[usize::from(side == Side::Reader)].0
    }
}

/// Nothing was put, or got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refused {
    /// It was full, or empty, and we were not to wait.
    WouldBlock,
    /// The same, until the deadline had passed; or somebody was stopped in the middle of an operation until then.
    TimedOut,
    /// It was closed; to a getter: and there are no messages left.
    Closed,
    /// Nobody is left on the other side; to a getter: and there are no messages left.
    Disconnected,
    /// More bytes than the queue has room for.
    TooLarge,
    /// Whoever is inside cannot be asked after, and may be dead: waiting might never end.
    Blind,
    /// A word holds what no peer writes.
    Corrupt,
}

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub struct Patience<D> {
    /// Whether to wait for a message, or for room.
    pub waits: bool,
    /// Whether to ask at once whether anybody is left on the other side, and not only when nothing happens for a while.
    pub asks: bool,
    /// When to give up. Whoever does not wait for a message may still have to wait for somebody who is inside.
    pub deadline: D,
}

/// What a queue is made of, wherever that is kept.
pub trait Parts<P: Platform> {
    /// The words beside the records.
    fn control(&self) -> &Control<P>;
    /// The records.
    fn ring(&self) -> Ring<'_, P>;
    /// How messages are told apart.
    fn framing(&self) -> Framing;
    /// The most messages there may be.
    fn most(&self) -> u32;
    /// Whether nobody is on that side, who could put or get, and somebody has been.
    fn is_deserted(&self, side: Side) -> bool;
}

/// A queue.
pub struct Queue<P, Q> {
    /// What it is made of.
    pub parts: Q,
    platform: PhantomData<fn(&P)>,
}

/// Inside the lock of a side, with something to do.
struct Turn {
    entered: Entered,
    cursor: Cursor,
}

impl<P: Platform, Q: Parts<P>> Queue<P, Q> {
    /// The queue that is made of these.
    pub fn new(parts: Q) -> Queue<P, Q> {
        Queue { parts, platform: PhantomData }
    }

    /// Puts a message.
    #[inline]
    pub fn put(&self, platform: &P, me: Owner, message: &[u8], patience: Patience<P::Deadline>) -> Result<(), Refused> {
        let (ring, framing, most) = (self.parts.ring(), self.parts.framing(), self.parts.most());
        let bytes = framing.words(message.len()) * WORD_BYTES;
        if bytes > ring.capacity || !framing.is_whole(message.len()) {
            return Err(Refused::TooLarge);
        }
        let has_room = |cursor: &Cursor| ring.room(cursor) >= bytes && cursor.records_out() < most;
        let mut turn = self.enter(platform, me, Side::Writer, patience, has_room)?;
        let label = Label::whole(message.len());
        let words = ring.write(platform, framing, turn.cursor.position(), label, message);
        turn.cursor.advance(words);
        self.publish(platform, Side::Writer, turn);
        Ok(())
    }

    /// Gets a message. `take` is told how long it is, and gives room for it.
    #[inline]
    pub fn get<'b>(
        &self,
        platform: &P,
        me: Owner,
        patience: Patience<P::Deadline>,
        take: impl FnOnce(usize) -> Option<&'b mut [u8]>,
    ) -> Result<(), Refused> {
        let (ring, framing) = (self.parts.ring(), self.parts.framing());
        let mut turn = self.enter(platform, me, Side::Reader, patience, |cursor| cursor.records() > 0)?;
        let position = turn.cursor.position();
        let bytes = usize::try_from(ring.label_at(platform, framing, position).to_come).unwrap_or(usize::MAX);
        // Whatever the record says, nothing is looked for outside what was put.
        let fits = bytes <= ring.capacity && framing.words(bytes) * WORD_BYTES <= turn.cursor.filled();
        let Some(place) = fits.then(|| take(bytes)).flatten() else {
            self.leave(platform, Side::Reader, turn.entered);
            return Err(Refused::Corrupt);
        };
        ring.read(platform, position.wrapping_add(framing.ahead()), place);
        turn.cursor.advance(framing.words(bytes));
        self.publish(platform, Side::Reader, turn);
        Ok(())
    }

    /// Closes the queue: nothing can be put any more. What is there can still be got, unless it is to be discarded. Whoever
    /// is killed in the middle of this leaves a queue that can be closed again.
    pub fn close(&self, platform: &P, me: Owner, discard: bool, deadline: P::Deadline) -> Result<(), Refused> {
        let ring = self.parts.ring();
        for side in [Side::Writer, Side::Reader] {
            let entered = self.lock(platform, me, side, (Patience { waits: true, asks: false, deadline }, false))?;
            let mut cursor = self.cursor(platform, side);
            if side == Side::Reader && discard && ring.see(platform, side, &mut cursor).is_ok() {
                cursor.skip();
            }
            ring.seal(platform, side, &mut cursor);
            self.leave(platform, side, entered);
            ring.rouse(platform, side);
        }
        Ok(())
    }

    /// Whether there is no message, at some instant of this call.
    pub fn is_empty(&self, platform: &P) -> bool {
        // The head can only come closer to the tail that is read after it, and not pass it.
        let ring = self.parts.ring();
        let head = ring.control.peek(platform, Side::Reader, &LENGTH);
        ring.control.peek(platform, Side::Writer, &LENGTH).records_since(head) == 0
    }

    /// Whether there is no room for a message of so many bytes, at some instant of this call.
    pub fn is_full(&self, platform: &P, bytes: usize) -> bool {
        // The tail can only go further away from the head that is read after it.
        let ring = self.parts.ring();
        let tail = ring.control.peek(platform, Side::Writer, &LENGTH);
        let head = ring.control.peek(platform, Side::Reader, &LENGTH);
        // Getters may have gone past the tail that was read: then there is all the room there is.
        let (records, used) = (tail.records_since(head), tail.bytes_since(head));
        let behind = used > ring.capacity;
        !behind
            && (records >= self.parts.most() || ring.capacity - used < self.parts.framing().words(bytes) * WORD_BYTES)
    }

    /// How many messages there are, at some instant of this call.
    pub fn len(&self, platform: &P, me: Owner, deadline: P::Deadline) -> Result<u32, Refused> {
        const TRIES: u32 = 64;
        let ring = self.parts.ring();
        let look = |side| ring.control.peek(platform, side, &LENGTH);
        let mut head = look(Side::Reader);
        for _ in 0..TRIES {
            platform.loop_head(&[head.to_bits()]);
            let tail = look(Side::Writer);
            let again = look(Side::Reader);
            if again == head {
                return Ok(tail.records_since(head));
            }
            head = again;
        }
        // They are too busy: nobody gets anything while we look.
        let entered =
            self.lock(platform, me, Side::Reader, (Patience { waits: true, asks: false, deadline }, false))?;
        let count = look(Side::Writer).records_since(look(Side::Reader));
        self.leave(platform, Side::Reader, entered);
        Ok(count)
    }

    /// Enters the lock of `side` at a moment when there is `enough` for it.
    #[inline]
    fn enter(
        &self,
        platform: &P,
        me: Owner,
        side: Side,
        patience: Patience<P::Deadline>,
        enough: impl Fn(&Cursor) -> bool,
    ) -> Result<Turn, Refused> {
        let entered = self.lock(platform, me, side, (patience, false))?;
        let cursor = self.cursor(platform, side);
        let closed = side == Side::Writer && cursor.own().is_closed();
        if !closed && enough(&cursor) {
            return Ok(Turn { entered, cursor });
        }
        self.enter_slow(platform, me, (side, patience), Turn { entered, cursor }, enough)
    }

    /// As `enter`, having found that there is not enough, as far as was known.
    #[cold]
    fn enter_slow(
        &self,
        platform: &P,
        me: Owner,
        (side, patience): (Side, Patience<P::Deadline>),
        mut turn: Turn,
        enough: impl Fn(&Cursor) -> bool,
    ) -> Result<Turn, Refused> {
        let ring = self.parts.ring();
        let (mut suspicious, mut deserted, mut last_look) = (patience.asks, false, false);
        let (mut ticks, mut looks) = (0, 0);
        loop {
            let Turn { entered, cursor } = &mut turn;
            let refused = self.look(platform, side, cursor, &enough);
            let refused = match refused {
                Ok(true) => return Ok(turn),
                Ok(false) if side == Side::Reader && cursor.other_is_closed() => Some(Refused::Closed),
                Ok(false) if deserted => Some(Refused::Disconnected),
                Ok(false) if suspicious => None,
                Ok(false) if last_look => Some(Refused::TimedOut),
                Ok(false) if !patience.waits => Some(Refused::WouldBlock),
                Ok(false) => None,
                Err(refused) => Some(refused),
            };
            let looks_on = platform.look_again(looks);
            let sleeps = refused.is_none() && !suspicious && !looks_on;
            if sleeps {
                ring.announce(platform, side, cursor);
            }
            self.leave(platform, side, *entered);
            if let Some(refused) = refused {
                return Err(refused);
            }
            if suspicious {
                // Whatever they did before they went is to be seen: one more look.
                (suspicious, deserted) = (false, self.parts.is_deserted(side.other()));
            } else if looks_on {
                while platform.look_again(looks) && !ring.has_moved(platform, side, cursor, &SPIN) {
                    looks += 1;
                }
            } else {
                match ring.sleep(platform, side, cursor, patience.deadline, ticks) {
                    Wakeup::Woken | Wakeup::Changed => {}
                    Wakeup::Tick => (suspicious, ticks) = (true, ticks + 1),
                    Wakeup::TimedOut => (suspicious, last_look) = (true, true),
                }
            }
            platform.outer_loop_head(&[suspicious.into(), deserted.into(), last_look.into()]);
            let entered = self.lock(platform, me, side, (patience, suspicious))?;
            turn = Turn { entered, cursor: self.cursor(platform, side) };
        }
    }

    /// Whether there is enough, as far as is known or can be seen.
    fn look(
        &self,
        platform: &P,
        side: Side,
        cursor: &mut Cursor,
        enough: impl Fn(&Cursor) -> bool,
    ) -> Result<bool, Refused> {
        if side == Side::Writer && cursor.own().is_closed() {
            return Err(Refused::Closed);
        }
        if enough(cursor) {
            return Ok(true);
        }
        self.parts.ring().see(platform, side, cursor).map_err(|_| Refused::Corrupt)?;
        platform.store(&self.gate(side).known, cursor.other().to_bits(), &LEARN);
        Ok(enough(cursor))
    }

    #[inline(always)]
    fn gate(&self, side: Side) -> &Gate<P> {
        self.parts.control().gate(side)
    }

    /// Inside the lock of `side`: how far it has come, and what it knows.
    #[inline(always)]
    fn cursor(&self, platform: &P, side: Side) -> Cursor {
        let own = self.parts.control().ring.peek(platform, side, &OWN);
        Cursor::new(own, Progress::from_bits(platform.load(&self.gate(side).known, &KNOWN)))
    }

    #[inline]
    fn lock(
        &self,
        platform: &P,
        me: Owner,
        side: Side,
        (patience, suspicious): (Patience<P::Deadline>, bool),
    ) -> Result<Entered, Refused> {
        let lock = &self.gate(side).lock;
        // Explicit, since nobody has to be told of a death: it leaves nothing half done.
        let until = lock::Patience::Until(patience.deadline);
        let entered = match suspicious {
            true => lock.enter_suspecting(platform, me, Intent::Explicit, until),
            false => lock.enter(platform, me, Intent::Explicit, until),
        };
        entered.map_err(|refused| match refused {
            lock::Refused::TimedOut => Refused::TimedOut,
            lock::Refused::Blind => Refused::Blind,
            _ => Refused::Corrupt, // this thread is not inside: nobody stays there
        })
    }

    #[inline(always)]
    fn leave(&self, platform: &P, side: Side, entered: Entered) {
        self.gate(side).lock.leave(platform, entered);
    }

    /// Lets everybody know of what was done, and leaves. Whoever sleeps is woken afterwards: nobody wakes into a lock.
    #[inline(always)]
    fn publish(&self, platform: &P, side: Side, turn: Turn) {
        let (ring, mut cursor) = (self.parts.ring(), turn.cursor);
        let old = ring.publish(platform, side, &mut cursor);
        self.leave(platform, side, turn.entered);
        ring.notify(platform, side, old);
    }
}
