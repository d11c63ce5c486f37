//! Roles: which parts of a primitive, the ends of a pipe, each peer has handles of. One word beside each slot of the peer
//! table, written by the peer in that slot alone; so a part that no living peer has is one that nobody uses any more.
//!
//! A ticket's word is written by whoever makes it. The process that it is for begins with those parts, as if it had a handle
//! of each already, and its first handle of a part is that one.

use super::{Attachment, lease, turn};
use crate::platform::Ordering;
use std::sync::atomic::AtomicU32;

/// The most parts that a primitive has.
const PARTS: usize = 2;

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
        self.tell_roles();
    }

    /// Counts a handle of these parts no more.
    pub(crate) fn let_go(&self, parts: u32) {
        let _turn = turn::take();
        self.holdings.change(parts, |count| count.saturating_sub(1));
        self.tell_roles();
    }

    /// Whether some process may still have, or come to have, a handle of one of these parts: a peer that lives, or whoever
    /// learns the region's name.
    pub(crate) fn is_held(&self, parts: u32) -> bool {
        let header = self.header();
        let holds = |(peer, role): (u32, u32)| {
            peer != 0 && role & parts != 0 && lease::is_held(&self.shm.base, peer) != Ok(false)
        };
        let all = header.peers.iter().zip(&header.roles);
        self.name.is_some()
            || self.holdings.parts() & parts != 0
            || all.map(|(peer, role)| (peer.load(Ordering::Relaxed), role.load(Ordering::Relaxed))).any(holds)
    }

    fn tell_roles(&self) {
        if let Some(slot) = self.identity.slot() {
            self.write_roles(slot, self.holdings.parts());
        }
    }

    /// Enters the parts of the peer in a slot of ours.
    pub(super) fn write_roles(&self, slot: usize, parts: u32) {
        if let Some(role) = self.header().roles.get(slot) {
            role.store(parts, Ordering::Relaxed);
        }
    }

    /// Enters what this process has, as it becomes a peer; in a slot that was `kept` for it, it is given what stands there.
    /// Callers have the turn.
    pub(super) fn enter_roles(&self, slot: usize, kept: bool) {
        if kept && let Some(role) = self.header().roles.get(slot) {
            let granted = role.load(Ordering::Relaxed);
            self.holdings.granted.store(granted, Ordering::Relaxed);
            self.holdings.change(granted, |count| count.saturating_add(1));
        }
        self.write_roles(slot, self.holdings.parts());
    }

    /// Gives more parts to the peer that a ticket of ours keeps a place for.
    pub(super) fn grant(&self, id: u32, parts: u32) {
        let header = self.header();
        if let Some(slot) = header.peers.iter().position(|peer| peer.load(Ordering::Relaxed) == id) {
            self.write_roles(slot, parts | header.roles[slot].load(Ordering::Relaxed));
        }
    }
}
