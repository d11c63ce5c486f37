//! Bundles of handles: several at once, to be given and to be received.

use crate::error::{AttachError, OpenError};
use crate::share::Handle;
use crate::shm::{Attachment, Given, give, inherited_names, inherited_region, receive, send};
use nix::errno::Errno;
use std::fmt;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Arc;
use thiserror::Error;

/// Handles to give to another process, each under a name. Keeps their regions alive. It is no user of a pipe's end: keep the
/// end itself until it was given, or it is closed.
///
/// ```
/// use procession::{Handles, Lock, Share, Value};
/// let handles = Handles::new().with("lock", &Lock::new()?).with("counter", &Value::new(0u64)?);
/// let mut child = std::process::Command::new("true").share_all(&handles).spawn()?;
/// assert!(child.wait()?.success());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Handles(Vec<(String, Arc<Attachment>, u32)>);

impl Handles {
    /// None so far.
    pub fn new() -> Handles {
        Handles::default()
    }

    /// One more. It takes the place of the one of that name, if there is one.
    #[must_use]
    pub fn with(mut self, name: &str, handle: &impl Handle) -> Handles {
        self.0.retain(|(other, ..)| other != name);
        self.0.push((name.to_owned(), handle.attachment().clone(), handle.parts()));
        self
    }

    /// Their names, in the order in which they were added.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, ..)| name.as_str())
    }

    /// Sends all of them to whoever reads the other side of `stream` with [`Inherited::receive`]: an unrelated process, a
    /// forked one, a thread. Blocks while the socket is full.
    ///
    /// The receiver is a user of the regions once this has returned, whatever becomes of this process. If the message is
    /// never received, it is one until the socket is closed. A receiver takes one place among a region's peers, also if it
    /// has the region already, until it has received the message.
    ///
    /// Errors: a name with NUL, more than 253 regions, too long names, too many peers, a closed socket. The socket is to be
    /// a blocking one: if this fails in the middle of a message, nothing more can be sent through it.
    ///
    /// ```
    /// use procession::{Handles, Inherited, Value};
    /// use std::os::unix::net::UnixStream;
    /// let (here, there) = UnixStream::pair()?;
    /// let counter = Value::new(1u64)?;
    /// Handles::new().with("counter", &counter).send(&here)?;
    /// let received: Value<u64> = Inherited::receive(&there)?.take("counter")?; // in any process that has `there`
    /// received.set(2)?;
    /// assert_eq!(counter.get()?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send(&self, stream: &UnixStream) -> Result<(), SendHandlesError> {
        send(stream, &self.0)
    }

    /// Gives all of them to the child that `command` starts.
    pub(crate) fn give_to(&self, command: &mut Command) {
        for (name, attachment, parts) in &self.0 {
            give(command, name, attachment, *parts);
        }
    }
}

/// Handles that this process was given, to be taken by their names.
#[derive(Clone)]
pub struct Inherited(Vec<(String, Given)>);

impl Inherited {
    /// What the parent gave with [`Share`](crate::Share) or [`spawn`](crate::spawn), as far as it can be taken. Empty for a
    /// process that was given nothing.
    pub fn of_parent() -> Inherited {
        let given = |name: String| inherited_region(&name).ok().map(|given| (name, given));
        Inherited(inherited_names().into_iter().filter_map(given).collect())
    }

    /// Receives what somebody [sent](Handles::send), and reads no byte beyond it. Blocks until it is there, or the socket's
    /// read timeout has passed.
    ///
    /// This process uses the regions as long as this bundle, or a handle taken from it, lives. Nothing that came is
    /// believed before it is checked; on an error, what came is closed.
    ///
    /// Errors: the socket is closed or has something else to say, too few descriptors, a region that cannot be opened.
    pub fn receive(stream: &UnixStream) -> Result<Inherited, ReceiveHandlesError> {
        receive(stream).map(Inherited)
    }

    /// Takes the handle of that name. Taking it again gives another handle of the same attachment; but of what the parent
    /// gave only while one of them lives: see [`Handle::inherited`].
    ///
    /// Errors: none of that name, another kind or type, its lock is not found.
    pub fn take<H: Handle>(&self, name: &str) -> Result<H, OpenError> {
        let given = self.0.iter().find(|(given, _)| given == name);
        let missing = || OpenError::NotInherited { name: name.to_owned() };
        H::adopt(given.ok_or_else(missing)?.1.clone())
    }

    /// The names of all that was given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl fmt::Debug for Handles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl fmt::Debug for Inherited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// Why handles were not sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SendHandlesError {
    /// A name that cannot be told.
    #[error("the name {name:?} contains NUL")]
    BadName {
        /// The name.
        name: String,
    },
    /// More regions than one message holds.
    #[error("a message holds handles of at most {most} regions, not of {regions}")]
    TooMany {
        /// How many there were.
        regions: usize,
        /// The most there may be.
        most: usize,
    },
    /// Names that are too long, all together.
    #[error("the names have {bytes} bytes, a message holds at most {longest}")]
    TooLong {
        /// Their bytes, and those of what is told beside them.
        bytes: usize,
        /// The most there may be.
        longest: usize,
    },
    /// The receiver cannot become a peer.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// Nobody will receive it.
    #[error("the other side of the socket is closed")]
    Closed,
    /// The kernel refused.
    #[error("sendmsg: {errno}")]
    Refused {
        /// What it answered.
        errno: Errno,
    },
}

/// Why no handles were received. What had come is closed again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReceiveHandlesError {
    /// The other side closed the socket before, or in the middle of a message.
    #[error("the other side of the socket is closed")]
    Closed,
    /// What came is no message of handles.
    #[error("what came through the socket is no message of handles: {what}")]
    Foreign {
        /// What is wrong with it.
        what: &'static str,
    },
    /// This process has no descriptors left for what was sent.
    #[error("recvmsg: no file descriptor is left")]
    NoDescriptors,
    /// The kernel refused; EAGAIN: nothing came within the socket's timeout.
    #[error("recvmsg: {errno}")]
    Refused {
        /// What it answered.
        errno: Errno,
    },
    /// A region that was sent could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}
