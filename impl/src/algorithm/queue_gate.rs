//! What each side of a [queue](super::queue) has, and how it is entered and left.

use super::Owner;
use super::lock::{self, Entered, Exclusion, Intent, Lock};
use super::queue::{Parts, Queue, Refused};
use super::ring::{self, Cursor, Line, Progress, Side};
use crate::platform::{Access, Platform, Site};
use zerocopy::FromBytes;

const OWN: Site = Site::guarded("queue.own", Access::Load, "inside the lock of its side");
const KNOWN: Site = Site::guarded("queue.known", Access::Load, "inside the lock of its side");
const LEARN: Site = Site::guarded("queue.learn", Access::Store, "inside the lock of its side");
const ALARM: Site = Site::guarded("queue.alarm", Access::Store, "inside the lock of its side");
const ALARMED: Site = Site::guarded("queue.alarmed", Access::Load, "inside the lock of its side");
const ANSWER: Site = Site::guarded("queue.answer", Access::Store, "inside the lock of its side");

/// The sites of this file.
pub static SITES: &[&Site] = &[&OWN, &KNOWN, &LEARN, &ALARM, &ALARMED, &ANSWER];

/// What one side of a queue has: its lock, what it last saw of the other's word, and its alarm.
#[repr(C)]
#[derive(FromBytes)]
pub struct Gate<P: Platform> {
    pub(super) lock: Lock<P>,
    known: P::Word<u64>,
    alarm: P::Word<u32>,
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
    pub fn from_words(
        ring: ring::Control<P>,
        locks: [Lock<P>; 2],
        known: [P::Word<u64>; 2],
        alarms: [P::Word<u32>; 2],
    ) -> Control<P> {
        let [writers, readers] = locks;
        let ([head, tail], [puts, gets]) = (known, alarms);
        let gates = [
            Line(Gate { lock: writers, known: head, alarm: puts }),
            Line(Gate { lock: readers, known: tail, alarm: gets }),
        ];
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

/// How often a side has been alarmed, and how many of these times were answered, each modulo 2^16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alarm(u32);

impl Alarm {
    fn times(self) -> u16 {
        self.0 as u16
    }
    fn answered(self) -> u16 {
        (self.0 >> 16) as u16
    }
    fn of(times: u16, answered: u16) -> Alarm {
        Alarm(u32::from(answered) << 16 | u32::from(times))
    }
    /// Whether nobody has asked since.
    pub(super) fn is_raised(self) -> bool {
        self.times() != self.answered()
    }
    /// As it stands in memory.
    pub(super) fn to_bits(self) -> u32 {
        self.0
    }
    fn raised(self) -> Alarm {
        // Before the two would meet again, one more changes nothing: it is raised as it is.
        let times = self.times().wrapping_add(1);
        if times == self.answered() { self } else { Alarm::of(times, self.answered()) }
    }
    /// Others may have answered later ones.
    fn answered_up_to(self, seen: Alarm) -> Alarm {
        let open = self.times().wrapping_sub(self.answered());
        let left = self.times().wrapping_sub(seen.times());
        if left < open { Alarm::of(self.times(), seen.times()) } else { self }
    }
}

/// Inside the lock of a side, with something to do.
pub(super) struct Turn {
    pub(super) entered: Entered,
    pub(super) cursor: Cursor,
    /// Not a message of the queue, but one whose getter has died.
    pub(super) orphan: Option<usize>,
}

impl Turn {
    #[inline(always)]
    pub(super) fn new(entered: Entered, cursor: Cursor) -> Turn {
        Turn { entered, cursor, orphan: None }
    }
}

impl<P: Platform, Q: Parts<P>> Queue<P, Q> {
    /// Inside the lock: looks at the other side's word, for all who come after, too.
    pub(super) fn see(&self, platform: &P, side: Side, cursor: &mut Cursor) -> Result<(), Refused> {
        self.parts.ring().see(platform, side, cursor).map_err(|_| Refused::Corrupt)?;
        platform.store(&self.gate(side).known, cursor.other().to_bits(), &LEARN);
        Ok(())
    }

    /// Inside the lock: whoever next finds too little asks why.
    pub(super) fn raise_alarm(&self, platform: &P, side: Side) {
        let raised = self.alarm(platform, side).raised();
        platform.store(&self.gate(side).alarm, raised.0, &ALARM);
    }

    /// Inside the lock: what is to be answered, if anything is.
    pub(super) fn alarm(&self, platform: &P, side: Side) -> Alarm {
        Alarm(platform.load(&self.gate(side).alarm, &ALARMED))
    }

    /// Inside the lock: somebody has asked since the alarm was `seen`, and somebody is left on the other side.
    pub(super) fn answer_alarm(&self, platform: &P, side: Side, seen: Alarm) {
        let now = self.alarm(platform, side);
        let answered = now.answered_up_to(seen);
        if answered != now {
            platform.store(&self.gate(side).alarm, answered.0, &ANSWER);
        }
    }

    #[inline(always)]
    pub(super) fn gate(&self, side: Side) -> &Gate<P> {
        self.parts.control().gate(side)
    }

    /// Inside the lock of `side`: how far it has come.
    #[inline(always)]
    pub(super) fn own(&self, platform: &P, side: Side) -> Progress {
        self.parts.control().ring().peek(platform, side, &OWN)
    }

    /// Inside the same: that, and what the side knows of the other.
    #[inline(always)]
    pub(super) fn cursor(&self, platform: &P, side: Side) -> Cursor {
        let own = self.own(platform, side);
        Cursor::new(own, Progress::from_bits(platform.load(&self.gate(side).known, &KNOWN)))
    }

    /// Enters the lock of `side`. If nothing has happened for a while, whoever next finds too little inside shall ask why.
    #[inline]
    pub(super) fn lock(
        &self,
        platform: &P,
        me: Owner,
        side: Side,
        (deadline, suspicious): (P::Deadline, bool),
    ) -> Result<Entered, Refused> {
        let lock = &self.gate(side).lock;
        // Explicit, since nobody has to be told of a death: it leaves nothing half done.
        let entered =
            lock.enter_watching(platform, me, Intent::Explicit, (lock::Patience::Until(deadline), suspicious));
        let (entered, ticked) = entered.map_err(Refused::from)?;
        if suspicious || ticked {
            self.raise_alarm(platform, side);
        }
        Ok(entered)
    }

    #[inline(always)]
    pub(super) fn leave(&self, platform: &P, side: Side, entered: Entered) {
        self.gate(side).lock.leave(platform, entered);
    }

    /// Lets everybody know of what was done, and leaves. Whoever sleeps is woken afterwards: nobody wakes into a lock.
    #[inline(always)]
    pub(super) fn publish(&self, platform: &P, side: Side, turn: Turn) {
        self.publish_and(platform, side, turn, || ());
    }

    /// The same, and before it leaves, `then`.
    #[inline(always)]
    pub(super) fn publish_and(&self, platform: &P, side: Side, turn: Turn, then: impl FnOnce()) {
        let (ring, mut cursor) = (self.parts.ring(), turn.cursor);
        let old = ring.publish(platform, side, &mut cursor);
        then();
        self.leave(platform, side, turn.entered);
        ring.notify(platform, side, old);
    }
}

impl From<lock::Refused> for Refused {
    fn from(refused: lock::Refused) -> Refused {
        match refused {
            lock::Refused::TimedOut => Refused::TimedOut,
            lock::Refused::Blind => Refused::Blind,
            _ => Refused::Corrupt, // this thread is not inside: nobody stays there
        }
    }
}
