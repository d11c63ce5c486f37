//! The way in: how a process becomes a peer of a region, by itself or through somebody who enters it beforehand.
//!
//! Both take the same steps behind the gate: an id, its lease, a slot. Who enters itself ties the lease to its memory. Who
//! enters somebody else leaves it with a description, the [ticket](super::ticket), which the other finds among its own.

use super::ticket::{self, Ticket};
use super::{Attachment, Inode, fence, lease, turn};
use crate::algorithm::{Owner, peers};
use crate::error::AttachError;
use crate::layout::PEERS;
use nix::errno::Errno;
use std::ffi::CStr;
use std::os::fd::OwnedFd;

impl Attachment {
    /// The calling thread, as a peer of this region. A forked child becomes a peer here, at first use.
    #[inline]
    pub fn owner(&self) -> Result<Owner, AttachError> {
        let mut peer = self.identity.peer();
        if peer == 0 {
            self.attach(None, || Ok(true))?;
            peer = self.identity.peer();
        }
        let serial = super::identity::thread_serial().ok_or(AttachError::ThreadsExhausted)?;
        Ok(Owner::new(peer, serial))
    }

    /// Whether this process still is `peer`: false in a child forked since.
    #[inline(always)]
    pub fn is_peer(&self, peer: u32) -> bool {
        self.identity.peer() == peer
    }

    /// Becomes a peer, if this process is not one yet: a forked child that has not used the region so far. For operations
    /// that need no identity, but make this process a user of the region; if it cannot become one, it remains a guest, and
    /// tries again ever more seldom.
    #[inline(always)]
    pub fn be_counted(&self) {
        if self.identity.peer() == 0 {
            self.try_to_count();
        }
    }

    #[cold]
    fn try_to_count(&self) {
        // At the 1st, 2nd, 4th, 8th ... time: a try can take long, and these operations are not to block.
        if self.identity.count_try().is_power_of_two() {
            let _ = self.attach(None, || Ok(true));
        }
    }

    /// Becomes a peer, if this process is not one yet, in the slot that `ticket` has kept for it if there is one.
    /// `admitted` is asked behind the gate and, if it says no, nothing has happened.
    #[cold]
    pub(super) fn attach(
        &self,
        ticket: Option<&Ticket>,
        admitted: impl FnOnce() -> Result<bool, Errno>,
    ) -> Result<bool, AttachError> {
        let _turn = turn::take();
        if self.identity.peer() != 0 {
            return Ok(true);
        }
        if self.shm.asymmetric {
            fence::register().map_err(|errno| AttachError::FencesRefused { errno })?;
        }
        let description = self.checked(lease::reopen(&self.shm.base))?;
        let seat = behind_gate(&description, || {
            let admitted = admitted().map_err(|errno| AttachError::system("stat", errno))?;
            if admitted { self.enter_table(&description, ticket).map(Some) } else { Ok(None) }
        })?;
        let Some((id, slot)) = seat else { return Ok(false) };
        match lease::anchor(&description) {
            Ok(anchor) => {
                self.enter_roles(slot, ticket.is_some());
                self.identity.set(id, slot, anchor);
            }
            Err(errno) => {
                self.leave_table(id);
                return Err(AttachError::system("mmap", errno));
            }
        }
        Ok(true)
    }

    /// Enters a peer that is to be: process `process`, or, if that is 0, whoever gets the ticket, with handles
    /// of these parts. `path` is that of our
    /// descriptor, [`lease::path`].
    ///
    /// Runs in a forked child before its exec, too: takes no lock of this process, allocates nothing, and makes system calls
    /// only.
    pub(super) fn ticket(&self, path: &CStr, process: u32, parts: u32) -> Result<OwnedFd, AttachError> {
        let description = self.checked(lease::open_at(path))?;
        let (id, slot) = behind_gate(&description, || self.enter_table(&description, None))?;
        self.write_roles(slot, parts);
        ticket::mark(&description, id, process).map_err(|errno| AttachError::system("lseek", errno))?;
        Ok(description)
    }

    /// Frees the slot of a ticket that is not needed, because this process is a peer without it. What was given with the
    /// ticket this process has from then on, without a gap.
    pub(super) fn return_ticket(&self, ticket: &Ticket) {
        if ticket.is_good(&self.shm.base) {
            self.accept_from(ticket.id());
            self.leave_table(ticket.id());
        }
    }

    /// A new description, if it is one of the region's file.
    fn checked(&self, description: Result<OwnedFd, Errno>) -> Result<OwnedFd, AttachError> {
        // Through a number of ours that somebody else's file now has, we would lock that file and write to nobody. A number
        // that is nobody's cannot be opened again, but that does not mean that there is no /proc.
        if Inode::of(&self.shm.base) != Ok(self.shm.inode) {
            return Err(AttachError::Corrupt { what: "the region's descriptor was closed" });
        }
        let description = description.map_err(AttachError::reopening)?;
        if Inode::of(&description) != Ok(self.shm.inode) {
            return Err(AttachError::Corrupt { what: "the region's descriptor was closed and its number reused" });
        }
        Ok(description)
    }

    /// Takes an id, its lease, and a slot: the ticket's, if there is one and its slot is still there.
    fn enter_table(&self, description: &OwnedFd, ticket: Option<&Ticket>) -> Result<(u32, usize), AttachError> {
        let header = self.header();
        // Asked first: ids are never used again, and who finds no slot may come back many times.
        if ticket.is_none() && !peers::has_room(&self.shm, &header.peers) {
            return Err(AttachError::TooManyPeers { limit: PEERS });
        }
        let id = peers::next_id(&self.shm, &header.next_id).map_err(|_| AttachError::IdsExhausted)?;
        if !lease::take(description, id).map_err(locking)? {
            return Err(AttachError::Corrupt { what: "the lease of a new peer is held already" });
        }
        let kept = ticket.and_then(|ticket| peers::hand_over(&self.shm, &header.peers, ticket.id(), id));
        let claim = || {
            let slot = peers::claim(&self.shm, &header.peers, id)?;
            self.write_roles(slot, 0); // whoever had the slot before is dead
            Ok(slot)
        };
        let slot: Result<usize, peers::TableFull> = kept.map_or_else(claim, Ok);
        // Without a slot the lease ends with the description.
        slot.map(|slot| (id, slot)).map_err(|_| AttachError::TooManyPeers { limit: PEERS })
    }

    pub(super) fn leave_table(&self, id: u32) {
        self.header().peers.iter().for_each(|slot| peers::release(&self.shm, slot, id));
    }
}

/// Runs `body` while no sweeper looks whether the region is in use.
fn behind_gate<R>(description: &OwnedFd, body: impl FnOnce() -> Result<R, AttachError>) -> Result<R, AttachError> {
    if !lease::pass_gate(description, false).map_err(locking)? {
        return Err(AttachError::Busy);
    }
    let result = body();
    // Not to stay held for as long as the lease, which keeps the description.
    lease::leave_gate(description).map_err(locking)?;
    result
}

fn locking(errno: Errno) -> AttachError {
    AttachError::system("fcntl F_OFD_SETLK", errno)
}
