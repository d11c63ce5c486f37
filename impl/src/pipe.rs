//! [`Pipe`]: messages between two processes.

use crate::codec::{AsIs, Bytes, Format, Postcard};
use crate::connection::Connection;
use crate::error::{CreateError, OpenError};
use crate::layout::{Kind, SURVIVES};
use crate::pipe_end::capacity_of;
use crate::plain::Plain;
use crate::receiver::Receiver;
use crate::sender::Sender;
use crate::shm::{Attachment, Blueprint, Given};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Messages between two processes, in order, one sender and one receiver in each direction. The fastest way there is: nobody
/// takes a lock, and nobody calls the kernel unless one has to wait for the other.
///
/// Both ends are made here; each belongs to the process that uses it first. Give the other one away before: to a child forked
/// or [spawned](crate::Share), [through a socket](crate::Handles::send), or by a [name](PipeOptions::named).
///
/// A message of any size is received whole or not at all, also if either process is killed in the middle of it. What was sent
/// is in shared memory: it is received though the sender has ended since.
///
/// ```
/// use procession::{Pipe, fork};
/// let (mut sender, mut receiver) = Pipe::simplex::<String>()?;
/// let child = fork(move || sender.send("from a child".into()).map_or(1, |()| 0));
/// # let Ok(child) = child else { return Ok(()) }; // documentation tests have more than one thread
/// assert_eq!(receiver.recv()?, "from a child");
/// assert!(receiver.recv().is_err(), "the child has ended: there is no more");
/// assert!(child.wait()?.success());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub enum Pipe {}

/// The two ends of a pipe of one direction.
pub type Ends<T, C = Postcard> = (Sender<T, C>, Receiver<T, C>);

/// The two ends of a pipe of two directions.
pub type Connections<T, C = Postcard> = (Connection<T, C>, Connection<T, C>);

impl Pipe {
    /// A pipe of one direction, of the default [capacity](PipeOptions::DEFAULT_CAPACITY), for any type that [`serde`](https://serde.rs) can
    /// write and read.
    pub fn simplex<T: Serialize + DeserializeOwned>() -> Result<Ends<T>, CreateError> {
        PipeOptions::new().simplex::<T, Postcard>()
    }

    /// A pipe of two directions, as `multiprocessing.Pipe()` makes it.
    pub fn duplex<T: Serialize + DeserializeOwned>() -> Result<Connections<T>, CreateError> {
        PipeOptions::new().duplex::<T, Postcard>()
    }

    /// A pipe of one direction for [plain](Plain) data, which is copied as it is.
    ///
    /// ```
    /// let (mut sender, mut receiver) = procession::Pipe::plain::<[u32; 2]>()?;
    /// sender.send_many([[1, 2], [3, 4]])?;
    /// let mut received = Vec::new();
    /// assert_eq!(receiver.recv_many(&mut received, 10)?, 2);
    /// assert_eq!(received, [[1, 2], [3, 4]]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plain<T: Plain>() -> Result<Ends<T, AsIs>, CreateError> {
        PipeOptions::new().simplex::<T, AsIs>()
    }

    /// A pipe of one direction for bytes.
    pub fn bytes() -> Result<Ends<[u8], Bytes>, CreateError> {
        PipeOptions::new().simplex::<[u8], Bytes>()
    }

    /// A pipe of two directions for bytes.
    pub fn duplex_bytes() -> Result<Connections<[u8], Bytes>, CreateError> {
        PipeOptions::new().duplex::<[u8], Bytes>()
    }
}

/// How a pipe is to be.
///
/// ```
/// use procession::{Handle, PipeOptions, Postcard, Receiver};
/// let name = format!("doc-pipe-{}", std::process::id());
/// let (mut sender, mine) = PipeOptions::new().capacity(1 << 20).named(&name).simplex::<u32, Postcard>()?;
/// drop(mine); // it was not used: whoever opens the pipe may have it
/// let mut receiver = Receiver::<u32>::open(&name)?; // in any process
/// sender.send(5)?;
/// assert_eq!(receiver.recv()?, 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct PipeOptions {
    capacity: usize,
    name: Option<String>,
    survive: bool,
}

impl Default for PipeOptions {
    fn default() -> PipeOptions {
        PipeOptions::new()
    }
}

impl PipeOptions {
    /// Bytes of each direction, unless you say otherwise.
    pub const DEFAULT_CAPACITY: usize = 1 << 18;

    /// The default capacity, no name, and no end survives its process.
    pub fn new() -> PipeOptions {
        PipeOptions { capacity: PipeOptions::DEFAULT_CAPACITY, name: None, survive: false }
    }

    /// Room for so many bytes in each direction, rounded up to a power of two and to 4 KiB; at most 2^31. A message takes 8 bytes beside
    /// its own, of which there are full 8s; plain data takes its own alone. A message may be larger than the capacity.
    #[must_use]
    pub fn capacity(mut self, bytes: usize) -> PipeOptions {
        self.capacity = bytes;
        self
    }

    /// Unrelated processes can open the ends under this name: [`Sender::open`](crate::Handle::open), `Receiver::open`,
    /// `Connection::open`.
    #[must_use]
    pub fn named(mut self, name: &str) -> PipeOptions {
        self.name = Some(name.to_owned());
        self
    }

    /// When a process with an end is killed, the other one waits: another process may take the end over and go on. A receiver
    /// that takes over receives what its predecessor had not received, a sender continues after what its predecessor had sent;
    /// of a message in pieces that one of them was in the middle of, nothing is received.
    ///
    /// A process that closes its end closes it for good nevertheless.
    #[must_use]
    pub fn survive(mut self) -> PipeOptions {
        self.survive = true;
        self
    }

    /// Makes a pipe of one direction.
    pub fn simplex<T: ?Sized, C: Format<T>>(self) -> Result<Ends<T, C>, CreateError> {
        self.make::<T, C, _>(Kind::Simplex, |attachment| {
            Ok((Sender::new(attachment, 0)?, Receiver::new(attachment, 0)?))
        })
    }

    /// Makes a pipe of two directions.
    pub fn duplex<T: ?Sized, C: Format<T>>(self) -> Result<Connections<T, C>, CreateError> {
        self.make::<T, C, _>(Kind::Duplex, |attachment| {
            Ok((Connection::new(attachment, 0)?, Connection::new(attachment, 1)?))
        })
    }

    fn make<T: ?Sized, C: Format<T>, R>(
        self,
        kind: Kind,
        ends: impl FnOnce(&Arc<Attachment>) -> Result<R, OpenError>,
    ) -> Result<R, CreateError> {
        let options = if self.survive { SURVIVES } else { 0 };
        let length = Some(capacity_of(self.capacity)?);
        let blueprint = Blueprint { length, options, ..blueprint::<T, C>(kind) };
        let mut made = None;
        Attachment::create(&blueprint, self.name.as_deref(), |attachment| made = Some(ends(&attachment)))?;
        match made {
            Some(Ok(ends)) => Ok(ends),
            Some(Err(OpenError::Attach(error))) => Err(error.into()),
            _ => Err(CreateError::NoSpace { bytes: self.capacity }),
        }
    }
}

/// What a pipe for these messages has in its header.
pub(crate) fn blueprint<T: ?Sized, C: Format<T>>(kind: Kind) -> Blueprint {
    Blueprint { kind, element: C::print(), length: None, lock_id: 0, codec: C::NUMBER, options: 0 }
}

/// Attaches to a pipe that this process was given.
pub(crate) fn attach<T: ?Sized, C: Format<T>>(given: Given, kind: Kind) -> Result<Arc<Attachment>, OpenError> {
    Attachment::adopt(given, &blueprint::<T, C>(kind))
}
