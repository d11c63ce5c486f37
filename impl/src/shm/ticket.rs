//! Tickets: a place among the peers that somebody took for a process that is still to come.
//!
//! A ticket is a description that holds the lease of an id that is in the table; its file position says which id, and for
//! which process. The kernel ends it with the last descriptor of it: a child that dies, a message that is never read.
//!
//! Whoever takes the handle attaches with a lease of its own and takes over the ticket's slot. The ticket itself cannot be
//! its lease: descriptors are passed on (to a shell's child, say, or a process that was spawned before the handle was
//! taken), and a lease must end with the process that it stands for.

use super::name::Name;
use super::region::View;
use super::{Attachment, Inode, lease, registry, turn};
use crate::algorithm::peers::LAST_ID;
use crate::error::{AttachError, OpenError};
use crate::platform::Ordering;
use crate::shm::Blueprint;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::{Whence, lseek};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

/// Where the id ends and the process begins in the file position.
const PROCESS: u32 = 32;

/// Makes a description that holds the lease of `id` a ticket for `process`, 0 for whoever gets it.
pub(super) fn mark(description: &OwnedFd, id: u32, process: u32) -> Result<(), Errno> {
    lseek(description, i64::from(process) << PROCESS | i64::from(id), Whence::SeekSet).map(drop)
}

/// The id and the process, if the description is a ticket. Nothing else in this library moves a file position.
pub(super) fn marks(description: impl AsFd) -> Option<(u32, u32)> {
    let position = lseek(description, 0, Whence::SeekCur).ok()?;
    let (id, process) = (position as u32, u32::try_from(position >> PROCESS).ok()?);
    (1..=LAST_ID).contains(&id).then_some((id, process))
}

/// A descriptor of a ticket, and what its position said.
pub(super) struct Ticket {
    file: OwnedFd,
    id: u32,
    process: u32,
}

impl Ticket {
    /// Reads a ticket for the region with this number; `None` if `file` is none. Errors: it is no region at all.
    pub(super) fn read(file: OwnedFd, region: u64) -> Result<Option<Ticket>, OpenError> {
        let view = View::of(&file)?;
        let same = view.header().id.load(Ordering::Relaxed) == region;
        Ok(marks(&file).filter(|_| same).map(|(id, process)| Ticket { file, id, process }))
    }

    /// The peer id that it keeps.
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// Whether it is for this process, and really is what holds the lease: the lock is seen through `base`, another
    /// description, and not through its own.
    pub(super) fn is_good(&self, base: &OwnedFd) -> bool {
        (self.process == 0 || self.process == std::process::id())
            && lease::is_held(base, self.id) == Ok(true)
            && lease::is_held(&self.file, self.id) == Ok(false)
    }
}

/// A handle as this process was given it.
#[derive(Clone)]
pub struct Given {
    pub(super) source: Source,
    /// Which parts of the primitive it stands for.
    pub(super) parts: u32,
}

impl Given {
    pub(super) fn by_parent(place: Place) -> Given {
        Given { parts: place.parts, source: Source::Parent(place) }
    }
    /// Which parts of the primitive it stands for, a bit each.
    pub(crate) fn parts(&self) -> u32 {
        self.parts
    }
}

#[derive(Clone)]
pub(super) enum Source {
    /// By the parent: a ticket among the descriptors.
    Parent(Place),
    /// By a sender; received and attached already.
    Attached(Arc<Attachment>),
}

/// Where a parent has put a handle.
#[derive(Clone)]
pub(super) struct Place {
    /// What the handle is called.
    pub(super) handle: String,
    /// The number of its descriptor.
    pub(super) number: RawFd,
    /// The region's random number.
    pub(super) region: u64,
    /// Which parts of the primitive it stands for.
    pub(super) parts: u32,
    /// The region's own name, if it has one: the last user removes it.
    pub(super) name: Option<Name>,
}

impl Place {
    /// The ticket, through a descriptor of our own: other threads may be closing the one that was inherited.
    fn ticket(&self) -> Result<Option<Ticket>, OpenError> {
        let Some(inherited) = self.borrow() else { return Ok(None) };
        match fcntl(inherited, FcntlArg::F_DUPFD_CLOEXEC(3)) {
            // SAFETY: a descriptor made just now, which nobody else knows of.
            Ok(copy) => Ok(Ticket::read(unsafe { OwnedFd::from_raw_fd(copy) }, self.region).unwrap_or(None)),
            Err(Errno::EBADF) => Ok(None),
            Err(errno) => Err(OpenError::system("fcntl F_DUPFD_CLOEXEC", errno)),
        }
    }

    /// Closes the inherited descriptor, if that is still what the number stands for: our own children get the handle only if
    /// we share it with them.
    fn close(&self, inode: Inode) {
        let _turn = turn::take();
        if let Some(inherited) = self.borrow()
            && Inode::of(inherited) == Ok(inode)
            && marks(inherited).is_some()
        {
            // SAFETY: it came through exec, since what is opened here is closed by exec; it is a ticket, which only this
            // library makes; and whoever closes it has the turn. So it is ours, and nobody else closes it.
            drop(unsafe { OwnedFd::from_raw_fd(self.number) });
        }
    }

    /// The descriptor, if there is one that came through exec. What this process opened itself does not survive one.
    fn borrow(&self) -> Option<BorrowedFd<'_>> {
        if self.number < 0 {
            return None;
        }
        // SAFETY: only borrowed for a few calls, and any answer of theirs is acceptable: if the number is not open, or is
        // somebody else's file, they fail or what they say does not match.
        let inherited = unsafe { BorrowedFd::borrow_raw(self.number) };
        let flags = FdFlag::from_bits_retain(fcntl(inherited, FcntlArg::F_GETFD).ok()?);
        (!flags.contains(FdFlag::FD_CLOEXEC)).then_some(inherited)
    }

    /// Whether the handle can be taken.
    pub(super) fn is_there(&self) -> bool {
        registry::find_region(self.region).is_some() || self.ticket().is_ok_and(|ticket| ticket.is_some())
    }
}

impl Attachment {
    /// Attaches to a region that this process was given.
    pub fn adopt(given: Given, blueprint: &Blueprint) -> Result<Arc<Attachment>, OpenError> {
        Attachment::adopt_if(given, |found| found.require(Some(blueprint))).map(|(attachment, ())| attachment)
    }

    /// Attaches to a region that this process was given if `check` finds that it is what it should be; else the handle can
    /// still be taken.
    pub(crate) fn adopt_if<R>(
        given: Given,
        check: impl FnOnce(&Attachment) -> Result<R, OpenError>,
    ) -> Result<(Arc<Attachment>, R), OpenError> {
        let place = match given.source {
            Source::Parent(place) => place,
            Source::Attached(known) => return known.again(check),
        };
        // In this order: a thread that takes the ticket away meanwhile has entered the attachment before.
        let adopted = match (place.ticket()?, registry::find_region(place.region)) {
            (Some(ticket), _) => Attachment::redeem(&ticket, place.name.clone(), check)?,
            (None, Some(known)) => known.again(check)?,
            (None, None) => return Err(OpenError::NotInherited { name: place.handle }),
        };
        // Not our own descriptor: it may have the number that was inherited once, and be a ticket after an exec that failed.
        if adopted.0.file().as_raw_fd() != place.number {
            place.close(adopted.0.shm().inode);
        }
        Ok(adopted)
    }

    /// Attaches in the place that the ticket has kept.
    pub(super) fn redeem<R>(
        ticket: &Ticket,
        name: Option<Name>,
        check: impl FnOnce(&Attachment) -> Result<R, OpenError>,
    ) -> Result<(Arc<Attachment>, R), OpenError> {
        let inode = Inode::of(&ticket.file).map_err(|errno| OpenError::system("fstat", errno))?;
        let (attachment, checked) = match registry::find(inode) {
            Some(known) => known.again(check)?,
            None => {
                // Through a description that never locks, as the ticket does.
                let base = lease::reopen(&ticket.file).map_err(AttachError::reopening)?;
                let mut attachment = Attachment::of(base)?;
                let checked = check(&attachment)?;
                let good = ticket.is_good(&attachment.shm().base).then_some(ticket);
                attachment.attach(good, || Ok(true))?;
                attachment.name = name;
                (registry::enter(&Arc::new(attachment)), checked)
            }
        };
        attachment.return_ticket(ticket);
        Ok((attachment, checked))
    }

    /// Another handle of a region that this process has.
    fn again<R>(
        self: Arc<Attachment>,
        check: impl FnOnce(&Attachment) -> Result<R, OpenError>,
    ) -> Result<(Arc<Attachment>, R), OpenError> {
        let checked = check(&self)?;
        self.attach(None, || Ok(true))?;
        Ok((self, checked))
    }
}
