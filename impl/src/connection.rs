//! [`Connection`]: an end of a pipe of two directions.

use crate::algorithm::ring::Side;
use crate::codec::{Bytes, Codec, Format, Postcard};
use crate::error::OpenError;
use crate::layout::Kind;
use crate::pipe::{attach, blueprint};
use crate::pipe_end::part;
use crate::pipe_error::{RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError, Unsent};
use crate::receiver::Receiver;
use crate::sender::Sender;
use crate::share::Handle;
use crate::shm::{Attachment, Given};
use std::sync::Arc;
use std::time::Duration;

/// An end of a duplex [pipe](crate::Pipe): what it sends, the other end receives, and the other way round. The directions know
/// nothing of each other; each is a [`Sender`] and a [`Receiver`] with all their methods, which two threads may have apart.
///
/// `open` opens the second end: the first is the creator's. Taken from a parent or out of a socket, it is the end that was
/// given.
///
/// ```
/// let (mut here, mut there) = procession::Pipe::duplex::<String>()?;
/// here.send("ping".into())?;
/// assert_eq!(there.recv()?, "ping");
/// there.send("pong".into())?;
/// assert_eq!(here.recv()?, "pong");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Connection<T: ?Sized, C: Format<T> = Postcard> {
    /// What is sent into it, the other end receives.
    pub sender: Sender<T, C>,
    /// What comes out of it, the other end has sent.
    pub receiver: Receiver<T, C>,
}

/// An end of a duplex pipe for bytes.
pub type ByteConnection = Connection<[u8], Bytes>;

impl<T: ?Sized, C: Format<T>> Connection<T, C> {
    /// The end that sends in direction `index` and receives in the other one.
    pub(crate) fn new(attachment: &Arc<Attachment>, index: usize) -> Result<Connection<T, C>, OpenError> {
        Ok(Connection { sender: Sender::new(attachment, index)?, receiver: Receiver::new(attachment, 1 - index)? })
    }

    /// As [`Receiver::poll`].
    pub fn poll(&mut self, timeout: Duration) -> Result<bool, RecvError> {
        self.receiver.poll(timeout)
    }

    /// The two directions, to be used apart.
    pub fn split(self) -> (Sender<T, C>, Receiver<T, C>) {
        (self.sender, self.receiver)
    }

    /// Closes both directions, as dropping it does.
    pub fn close(self) {}
}

impl<T, C: Codec<T>> Connection<T, C> {
    /// As [`Sender::send`].
    pub fn send(&mut self, value: T) -> Result<(), Unsent<T, SendError>> {
        self.sender.send(value)
    }
    /// As [`Sender::try_send`].
    pub fn try_send(&mut self, value: T) -> Result<(), Unsent<T, TrySendError>> {
        self.sender.try_send(value)
    }
    /// As [`Sender::send_timeout`].
    pub fn send_timeout(&mut self, value: T, timeout: Duration) -> Result<(), Unsent<T, SendTimeoutError>> {
        self.sender.send_timeout(value, timeout)
    }
    /// As [`Receiver::recv`].
    pub fn recv(&mut self) -> Result<T, RecvError> {
        self.receiver.recv()
    }
    /// As [`Receiver::try_recv`].
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.receiver.try_recv()
    }
    /// As [`Receiver::recv_timeout`].
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.receiver.recv_timeout(timeout)
    }
}

impl<T: ?Sized, C: Format<T>> Handle for Connection<T, C> {
    fn open(name: &str) -> Result<Self, OpenError> {
        Connection::new(&Attachment::open(name, Some(&blueprint::<T, C>(Kind::Duplex)))?, 1)
    }
    fn adopt(given: Given) -> Result<Self, OpenError> {
        let is_first = given.parts() & part(0, Side::Writer) != 0;
        Connection::new(&attach::<T, C>(given, Kind::Duplex)?, usize::from(!is_first))
    }
    fn attachment(&self) -> &Arc<Attachment> {
        self.sender.attachment()
    }
    fn parts(&self) -> u32 {
        self.sender.parts() | self.receiver.parts()
    }
}
