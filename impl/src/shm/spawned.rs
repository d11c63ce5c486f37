//! Handles for a child that [`Command`] starts: the child is entered as a peer between fork and exec.

use super::name::Name;
use super::ticket::{Given, Place, marks};
use super::{Attachment, lease};
use crate::bundle::Handles;
use crate::error::{AttachError, OpenError, SystemError};
use crate::share::Handle;
use nix::errno::Errno;
use nix::unistd::dup2_raw;
use std::ffi::{CStr, OsStr};
use std::io;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;

/// What precedes the handle's name in the environment variable that tells a child where the handle is.
const VARIABLE: &str = "PROCESSION_HANDLE_";

/// Handing handles to a child that [`Command`] starts.
pub trait Share {
    /// Gives the child `handle`, to be taken there with [`Handle::inherited`] under `name`, which may be any but one with
    /// `=` or NUL.
    ///
    /// The child is a user of the region once `spawn` has returned, without a gap: this process may drop its handle or die.
    /// A child that does not take the handle counts until it, and whoever has its descriptors, ends; one whose program
    /// cannot be started does not count. The region stays alive until this `Command` is dropped; but a pipe's end
    /// that is dropped before `spawn` is closed.
    ///
    /// `spawn` fails, beside its own reasons, with EUSERS (the region has as many peers as it can have), EOVERFLOW (it has
    /// handed out all peer ids), EBUSY (it is being swept by somebody who does not finish), ENOSYS (no `/proc`), EMFILE (no
    /// descriptor is left), EACCES (the child's user may not open the region), EUCLEAN (the region is corrupt, or its
    /// descriptor was closed by somebody), EINVAL (a bad name). [`exec`](CommandExt::exec) works, too; after one that failed
    /// the process counts once more, until it drops its handles.
    ///
    /// ```
    /// use procession::{Handle, RawValue, Share};
    /// let counter = RawValue::new(5u32)?;
    /// let mut child = std::process::Command::new("true");
    /// child.share("counter", &counter); // in the child: RawValue::<u32>::inherited("counter")
    /// assert!(child.status()?.success());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn share(&mut self, name: &str, handle: &impl Handle) -> &mut Self;

    /// Gives the child all of `handles`, each as by [`share`](Share::share).
    fn share_all(&mut self, handles: &Handles) -> &mut Self;
}

impl Share for Command {
    fn share(&mut self, name: &str, handle: &impl Handle) -> &mut Command {
        give(self, name, handle.attachment(), handle.parts());
        self
    }
    fn share_all(&mut self, handles: &Handles) -> &mut Command {
        handles.give_to(self);
        self
    }
}

/// Gives the region to the child that `command` starts.
pub(crate) fn give(command: &mut Command, name: &str, attachment: &Arc<Attachment>, parts: u32) {
    attachment.be_counted();
    let attachment = attachment.clone();
    command.env(format!("{VARIABLE}{name}"), describe(attachment.file().as_raw_fd(), &attachment, parts));
    let path = lease::path(attachment.file());
    let bad = name.contains('=');
    let enter = move || match bad {
        true => Err(Errno::EINVAL.into()),
        false => enter(&attachment, &path, parts).map_err(|error| io::Error::from(number(&error))),
    };
    // SAFETY: a child forked from a process with threads may only do what is async-signal-safe: `enter` makes system calls
    // and touches shared memory, takes no lock of this process and allocates nothing, nor do its errors.
    unsafe { command.pre_exec(enter) };
}

/// In the forked child: makes it a peer, and puts the ticket where the region's descriptor is, for the program to come.
fn enter(attachment: &Attachment, path: &CStr, parts: u32) -> Result<(), AttachError> {
    let this = std::process::id();
    // The region was given under two names: the first has left a ticket, which is both's.
    if let Some((id, process)) = marks(attachment.file())
        && process == this
    {
        attachment.grant(id, parts);
        return Ok(());
    }
    let ticket = attachment.ticket(path, this, parts)?;
    // SAFETY: the number is `attachment`'s, whose descriptor stays one of the region's; it remains `attachment`'s to close,
    // should the exec fail.
    let placed = unsafe { dup2_raw(&ticket, attachment.file().as_raw_fd()) };
    let _ = placed.map_err(|errno| AttachError::system("dup2", errno))?.into_raw_fd();
    Ok(())
}

/// The number by which a child tells its parent why it has not become a peer.
fn number(error: &AttachError) -> Errno {
    match error {
        AttachError::TooManyPeers { .. } => Errno::EUSERS,
        AttachError::IdsExhausted | AttachError::ThreadsExhausted => Errno::EOVERFLOW,
        AttachError::Busy => Errno::EBUSY,
        AttachError::NoProc => Errno::ENOSYS,
        AttachError::NoDescriptors { .. } => Errno::EMFILE,
        AttachError::Corrupt { .. } => Errno::EUCLEAN,
        AttachError::FencesRefused { errno } | AttachError::System(SystemError { errno, .. }) => *errno,
    }
}

/// How a handle's place is told: `number:region:parts:name`.
pub(super) fn describe(number: i32, attachment: &Attachment, parts: u32) -> String {
    let name = attachment.name().map(ToString::to_string).unwrap_or_default();
    format!("{number}:{:016x}:{parts}:{name}", attachment.id())
}

/// What [`describe`] said, read.
pub(super) fn described(handle: &str, place: &str) -> Option<Place> {
    let mut parts = place.splitn(4, ':');
    let number = parts.next()?.parse().ok()?;
    let region = u64::from_str_radix(parts.next()?, 16).ok()?;
    let what = parts.next()?.parse().ok()?;
    let name = parts.next().and_then(|name| Name::new(name).ok());
    Some(Place { handle: handle.to_owned(), number, region, parts: what, name })
}

/// The handle that this process was given by its parent under `name`.
pub(crate) fn inherited_region(name: &str) -> Result<Given, OpenError> {
    let place = std::env::var(format!("{VARIABLE}{name}")).ok().and_then(|place| described(name, &place));
    place.map(Given::by_parent).ok_or_else(|| OpenError::NotInherited { name: name.to_owned() })
}

/// The names of all handles that this process was given by its parent and can take.
pub(crate) fn inherited_names() -> Vec<String> {
    places().filter(Place::is_there).map(|place| place.handle).collect()
}

/// The region with that number, if this process was given it by its parent.
pub(crate) fn inherited_id(region: u64) -> Option<Given> {
    let place = places().find(|place| place.region == region && place.is_there());
    place.map(Given::by_parent)
}

/// The handle that an environment variable tells of, if it does.
pub(crate) fn handle_of(variable: &OsStr) -> Option<&str> {
    variable.to_str()?.strip_prefix(VARIABLE)
}

/// All that the environment tells of, be it there or not: it may have been meant for the process that started us.
fn places() -> impl Iterator<Item = Place> {
    std::env::vars_os().filter_map(|(variable, place)| described(handle_of(&variable)?, place.to_str()?))
}
