//! Roles: which parts of a primitive, the ends of a pipe, each peer has handles of. One word beside each slot of the peer
//! table, written by the peer in that slot alone; so a part that no living peer has is one that nobody uses any more.
//!
//! A ticket's word is written by whoever makes it. The process that it is for begins with those parts, as if it had a handle
//! of each already, and its first handle of a part is that one.

use super::{Attachment, ShmWord, lease, turn};
use crate::layout::PEERS;
use crate::platform::Ordering;
use std::sync::atomic::AtomicU32;

/// The most parts that a primitive has: the ends of a pipe of two directions.
const PARTS: usize = 4;

/// What this process has of a region: inherited by a forked child, together with the handles themselves.
#[derive(Default)]
pub(super) struct Holdings {
    /// Handles, by part.
    handles: [AtomicU32; PARTS],
    /// Parts whose first handle was counted beforehand.
    granted: AtomicU32,
}

impl Holdings {
    /// The parts of which there are handles. Whoever changes anything has the turn: relaxed is enough.
    fn parts(&self) -> u32 {
        let has = |(part, count): (usize, &AtomicU32)| u32::from(count.load(Ordering::Relaxed) > 0) << part;
        self.handles.iter().enumerate().map(has).sum()
    }
    fn change(&self, parts: u32, change: impl Fn(u32) -> u32) {
        for (part, count) in self.handles.iter().enumerate().filter(|(part, _)| parts >> part & 1 == 1) {
            debug_assert!(part < PARTS);
            count.store(change(count.load(Ordering::Relaxed)), Ordering::Relaxed);
        }
    }
}

impl Attachment {
    /// Counts a handle of these parts.
    pub(crate) fn hold(&self, parts: u32) {
        let _turn = turn::take();
        let granted = self.holdings.granted.load(Ordering::Relaxed);
        self.holdings.granted.store(granted & !parts, Ordering::Relaxed);
        self.holdings.change(parts & !granted, |count| count.saturating_add(1));
        self.tell_ever(parts);
        self.tell_roles();
    }

    /// Was given these parts and does not want them: as if it had had a handle of each, and dropped it.
    pub(crate) fn renounce(&self, parts: u32) {
        let _turn = turn::take();
        let granted = self.holdings.granted.load(Ordering::Relaxed);
        self.holdings.granted.store(granted & !parts, Ordering::Relaxed);
        self.holdings.change(granted & parts, |count| count.saturating_sub(1));
        self.tell_roles();
    }

    /// Whether some process may still come to have a handle of one of these parts: from a peer that lives and has one, or by
    /// the region's name.
    pub(crate) fn can_be_held(&self, parts: u32) -> bool {
        self.name.is_some() || self.is_held(parts)
    }

    /// Whether some peer has had a handle of one of these parts.
    pub(crate) fn has_been_held(&self, parts: u32) -> bool {
        self.header().ever.load(Ordering::Relaxed) & parts != 0
    }

    /// Counts a handle of these parts no more.
    pub(crate) fn let_go(&self, parts: u32) {
        let _turn = turn::take();
        self.holdings.change(parts, |count| count.saturating_sub(1));
        self.tell_roles();
    }

    /// Whether a peer that lives has a handle of one of these parts, or is about to have one.
    ///
    /// A part is handed on while we look, so that we may have seen neither who gave it nor who got it. Whoever gets it is a
    /// new peer, or was one with a ticket: if there was none and the table is the same as before, nobody has it, and nobody
    /// will. If not, whoever asks is to ask again.
    pub(crate) fn is_held(&self, parts: u32) -> bool {
        let header = self.header();
        // Acquire pairs with the release of whoever gave it away: what that one did before is seen by the second look.
        let look = || {
            let slot = |slot: usize| (&header.peers[slot], &header.roles[slot]);
            let load = |(peer, role): (&ShmWord<u32>, &ShmWord<u32>)| {
                (peer.load(Ordering::Acquire), role.load(Ordering::Acquire))
            };
            (header.next_id.load(Ordering::Acquire), std::array::from_fn::<_, PEERS, _>(|index| load(slot(index))))
        };
        let holds = |(peer, role): &(u32, u32)| {
            *peer != 0 && role & parts != 0 && lease::is_held(&self.shm.base, *peer) != Ok(false)
        };
        if self.holdings.parts() & parts != 0 {
            return true;
        }
        let seen = look();
        seen.1.iter().any(holds) || look() != seen
    }

    /// This process's place in the peer table, if it is a peer.
    #[inline(always)]
    pub(crate) fn slot(&self) -> Option<usize> {
        self.identity.slot()
    }

    fn tell_ever(&self, parts: u32) {
        let ever = &self.header().ever;
        let mut known = ever.load(Ordering::Relaxed);
        while known & parts != parts {
            match ever.compare_exchange(known, known | parts, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => known = now,
            }
        }
    }

    fn tell_roles(&self) {
        if let Some(slot) = self.identity.slot() {
            self.write_roles(slot, self.holdings.parts());
        }
    }

    /// Enters the parts of the peer in a slot of ours.
    pub(super) fn write_roles(&self, slot: usize, parts: u32) {
        if let Some(role) = self.header().roles.get(slot) {
            role.store(parts, Ordering::Release);
        }
    }

    /// Enters what this process has, as it becomes a peer; in a slot that was `kept` for it, it is given what stands there.
    /// Callers have the turn.
    pub(super) fn enter_roles(&self, slot: usize, kept: bool) {
        if kept {
            self.accept(slot);
        }
        self.write_roles(slot, self.holdings.parts());
    }

    /// Has what was given to a ticket, as which this process does not become a peer because it is one already.
    pub(super) fn accept_from(&self, ticket: u32) {
        let _turn = turn::take();
        if let Some(slot) = self.slot_of(ticket) {
            self.accept(slot);
            self.tell_roles();
        }
    }

    /// Counts what stands in a slot as handles, of which none has been made so far.
    fn accept(&self, slot: usize) {
        let granted = self.holdings.granted.load(Ordering::Relaxed);
        let more = self.header().roles[slot].load(Ordering::Relaxed) & !granted;
        self.holdings.granted.store(granted | more, Ordering::Relaxed);
        self.holdings.change(more, |count| count.saturating_add(1));
    }

    fn slot_of(&self, id: u32) -> Option<usize> {
        self.header().peers.iter().position(|peer| peer.load(Ordering::Relaxed) == id)
    }

    /// Gives more parts to the peer that a ticket of ours keeps a place for.
    pub(super) fn grant(&self, id: u32, parts: u32) {
        if let Some(slot) = self.slot_of(id) {
            self.write_roles(slot, parts | self.header().roles[slot].load(Ordering::Relaxed));
        }
    }
}
