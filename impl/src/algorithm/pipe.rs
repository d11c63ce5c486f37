//! A pipe, one direction of it: a [ring](super::ring) between one sender and one receiver, each in one process at a time.
//!
//! | end word | meaning |
//! |---|---|
//! | `0` | nobody has had this end |
//! | `id` | peer `id` has it, or had it when it died |
//!
//! Transitions: `0 → id` and, where ends may be taken over, `dead id → id` (claim, one compare-exchange).
//!
//! Invariants:
//! 1. An end's words, its side of the ring, are stored to by the peer that its end word names and by nobody else.
//! 2. Disconnected is only said after a look at the other side's word that came after its last: all that was committed has
//!    been received.

use super::message::{Incoming, Outgoing};
use super::record::Framing;
use super::ring::{Cursor, Progress, Ring, Side};
use crate::platform::{Access, Life, Ordering, Platform, Site, Wakeup};
use std::marker::PhantomData;

const HELD: Site = Site::new("pipe.held", Access::Load, Ordering::Relaxed, "a hint: pipe.claim decides");
const CLAIM: Site = Site::new(
    "pipe.claim",
    Access::Modify,
    Ordering::Relaxed,
    "only its own atomicity counts: a former holder is dead, and its death happened before we knew of it",
);
const PARTNER: Site = Site::new(
    "pipe.partner",
    Access::Load,
    Ordering::Relaxed,
    "a name to ask after: an end changes hands after a death",
);
const ASK: Site = Site::plain("pipe.ask", Access::Ask, "`Dead` happens after all that the other end's holder did");

/// The sites of this file.
pub static SITES: &[&Site] = &[&HELD, &CLAIM, &PARTNER, &ASK];

/// Nothing was sent, or received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refused {
    /// There was no room, or no message, and we were not to wait.
    WouldBlock,
    /// The same, until the deadline had passed.
    TimedOut,
    /// The other end was closed, or its holder has died; to a receiver: and there are no messages left.
    Disconnected,
    /// More bytes than can be sent at once.
    TooLarge,
    /// The other end's holder cannot be asked after, and may be dead: waiting might never end.
    Blind,
    /// A word holds what no peer writes.
    Corrupt,
}

/// An end was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Taken {
    /// This peer has it.
    By(u32),
    /// This peer had it when it died.
    ByDead(u32),
    /// It was closed.
    Closed,
}

/// How long to wait.
#[derive(Debug, Clone, Copy)]
pub enum Patience<D> {
    /// Look, and do not wait; ask after the other end's holder only if this many looks in a row have been in vain.
    Try(u32),
    /// Wait until the deadline.
    Until(D),
}

/// In place of a number of looks in vain: the next one asks after the other end's holder, whoever looks. It stays so when the
/// holder is found dead: what was said once is said again.
const SUSPICIOUS: u32 = u32::MAX;

/// What a direction of a pipe is made of, wherever that is kept.
pub trait Parts<P: Platform> {
    /// The records.
    fn ring(&self) -> Ring<'_, P>;
    /// Who has the end of that side.
    fn end(&self, side: Side) -> &P::Word<u32>;
    /// How messages are told apart.
    fn framing(&self) -> Framing;
    /// Whether the end of a dead peer waits for another one, instead of being closed by the death.
    fn survives(&self) -> bool;
    /// Whether nobody can come to have the end of that side any more. Asked now and then while nobody has it.
    fn is_abandoned(&self, side: Side) -> bool;
}

/// One direction of a pipe.
pub struct Direction<P, D> {
    /// What it is made of.
    pub parts: D,
    platform: PhantomData<fn(&P)>,
}

impl<P: Platform, D: Parts<P>> Direction<P, D> {
    /// The direction that is made of these.
    pub fn new(parts: D) -> Direction<P, D> {
        Direction { parts, platform: PhantomData }
    }

    /// The records.
    #[inline(always)]
    pub fn ring(&self) -> Ring<'_, P> {
        self.parts.ring()
    }

    #[inline(always)]
    pub(crate) fn framing(&self) -> Framing {
        self.parts.framing()
    }

    /// Takes an end for `peer`.
    fn claim(&self, platform: &P, side: Side, peer: u32) -> Result<Cursor, Taken> {
        let end = self.parts.end(side);
        // One that was closed is nobody's any more, whoever had it.
        let refused = |taken| if self.ring().resume(platform, side).own().is_closed() { Taken::Closed } else { taken };
        loop {
            let holder = platform.load(end, &HELD);
            if holder != 0 {
                if holder == peer || platform.life(holder, &ASK) != Life::Dead {
                    return Err(refused(Taken::By(holder)));
                }
                if !self.parts.survives() {
                    return Err(refused(Taken::ByDead(holder)));
                }
            }
            if platform.compare_exchange(end, holder, peer, &CLAIM).is_ok() {
                let cursor = self.ring().resume(platform, side);
                return if cursor.own().is_closed() { Err(Taken::Closed) } else { Ok(cursor) };
            }
        }
    }

    /// Takes the sender's end for `peer`.
    pub fn claim_sender(&self, platform: &P, peer: u32) -> Result<Outgoing, Taken> {
        self.claim(platform, Side::Writer, peer).map(Outgoing::from)
    }

    /// Takes the receiver's end for `peer`.
    pub fn claim_receiver(&self, platform: &P, peer: u32) -> Result<Incoming, Taken> {
        self.claim(platform, Side::Reader, peer).map(Incoming::from)
    }

    /// Closes the sender's end: what was committed can still be received.
    pub fn close_sender(&self, platform: &P, out: &mut Outgoing) {
        self.ring().close(platform, Side::Writer, &mut out.cursor);
    }

    /// Closes the receiver's end: what was not received is lost.
    pub fn close_receiver(&self, platform: &P, incoming: &mut Incoming) {
        self.ring().close(platform, Side::Reader, &mut incoming.cursor);
    }

    /// Waits until the other side has moved so far that there is `enough`. `misses` counts the looks in vain, in a row; `held`
    /// is what else the caller goes on with: what is missing of a message, and what is here.
    ///
    /// The first look, and for who only tries most often the last, takes no call: who tries over and over does nothing else.
    #[inline(always)]
    pub(super) fn wait(
        &self,
        platform: &P,
        side: Side,
        (cursor, misses): (&mut Cursor, &mut u32),
        held: (u64, &[u8]),
        patience: Patience<P::Deadline>,
        enough: impl Fn(&Cursor) -> bool,
    ) -> Result<(), Refused> {
        if self.look(platform, side, (cursor, misses), held, (false, false), &enough)? {
            return Ok(());
        }
        if let Patience::Try(every) = patience
            && *misses < every.saturating_sub(1)
            && !cursor.other_is_closed()
        {
            *misses += 1;
            return Err(Refused::WouldBlock);
        }
        self.wait_on(platform, side, (cursor, misses), held, patience, enough)
    }

    /// Looks at the other side's word; answers whether there is `enough`. `gone` and `last_look` say why there is no other look
    /// after this one, if so.
    #[inline(always)]
    fn look(
        &self,
        platform: &P,
        side: Side,
        (cursor, misses): (&mut Cursor, &mut u32),
        held: (u64, &[u8]),
        (gone, last_look): (bool, bool),
        enough: &impl Fn(&Cursor) -> bool,
    ) -> Result<bool, Refused> {
        let state = [cursor.own(), cursor.committed()].map(Progress::to_bits);
        let state = [state[0], state[1], held.0, (*misses).into(), gone.into(), last_look.into()];
        platform.loop_head_holding(&state, held.1);
        let other = self.ring().look(platform, side);
        // Most looks are in vain: what was accepted once is not judged again.
        if other != cursor.other() {
            self.ring().accept(side, cursor, other).map_err(|_| Refused::Corrupt)?;
        }
        // A reader receives what there is; to a writer, room is of no use when nobody reads.
        if side == Side::Writer && cursor.other_is_closed() {
            return Err(Refused::Disconnected);
        }
        let found = enough(cursor);
        // A tick that has found something was not answered yet: whoever dies next to what it left behind is asked after when
        // that is used up, without another tick.
        if found && *misses != SUSPICIOUS {
            *misses = 0;
        }
        Ok(found)
    }

    /// The rest of [`wait`](Direction::wait), after a first look in vain.
    #[cold]
    fn wait_on(
        &self,
        platform: &P,
        side: Side,
        (cursor, misses): (&mut Cursor, &mut u32),
        held: (u64, &[u8]),
        patience: Patience<P::Deadline>,
        enough: impl Fn(&Cursor) -> bool,
    ) -> Result<(), Refused> {
        let (mut gone, mut last_look) = (false, false);
        let (mut looks, mut ticks) = (0, 0);
        loop {
            if gone || cursor.other_is_closed() {
                return Err(Refused::Disconnected);
            }
            if let Patience::Try(_) = patience {
                // As many looks as may be were in vain already, or we would not be here.
                *misses = SUSPICIOUS;
            }
            if *misses == SUSPICIOUS {
                gone = self.is_gone(platform, side.other())?;
                if !gone {
                    *misses = 0;
                }
            }
            match patience {
                // Whatever it did before its death is to be seen: one more look.
                _ if gone => {}
                _ if last_look => return Err(Refused::TimedOut),
                Patience::Try(_) => return Err(Refused::WouldBlock),
                Patience::Until(_) if cursor.is_staged() => {
                    // Nobody is to wait for what waits here.
                    self.ring().commit(platform, side, cursor);
                }
                Patience::Until(_) if platform.look_again(looks) => looks += 1,
                Patience::Until(deadline) => {
                    self.ring().announce(platform, side, cursor);
                    match self.ring().sleep(platform, side, cursor, deadline, ticks) {
                        Wakeup::Woken | Wakeup::Changed => {}
                        Wakeup::Tick => (*misses, ticks) = (SUSPICIOUS, ticks + 1),
                        Wakeup::TimedOut => (*misses, last_look) = (SUSPICIOUS, true),
                    }
                }
            }
            if self.look(platform, side, (cursor, misses), held, (gone, last_look), &enough)? {
                return Ok(());
            }
        }
    }

    /// Whether nobody has the end any more, and nobody will.
    fn is_gone(&self, platform: &P, side: Side) -> Result<bool, Refused> {
        match platform.load(self.parts.end(side), &PARTNER) {
            0 => Ok(self.parts.is_abandoned(side)),
            holder => match platform.life(holder, &ASK) {
                Life::Alive => Ok(false),
                Life::Dead => Ok(!self.parts.survives() || self.parts.is_abandoned(side)),
                Life::Unknown => Err(Refused::Blind),
            },
        }
    }
}
