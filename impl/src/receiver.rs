//! [`Receiver`]: the end of a pipe that messages come out of.

use crate::algorithm::message::{Front, Incoming};
use crate::algorithm::pipe::{Patience, Refused};
use crate::algorithm::record::Framing;
use crate::codec::{Bytes, Codec, DecodeError, Format, Postcard, emptied};
use crate::error::OpenError;
use crate::layout::Kind;
use crate::messages::Messages;
use crate::pipe::{attach, blueprint};
use crate::pipe_end::{Direction, PipeEnd, TRY, WAIT};
use crate::pipe_error::{EndError, RecvError, RecvIntoError, RecvTimeoutError, TryRecvError};
use crate::share::Handle;
use crate::shm::{Attachment, Deadline, Given, Shm};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// The end of a [pipe](crate::Pipe) that messages are received from, in the order in which they were sent.
///
/// It belongs to the process that uses it first, for as long as that lives; to share it with another process, share it before
/// it is used. Dropping it closes it: the sender is told with its next message. A process killed while it receives has
/// received the whole message or nothing of it.
///
/// When the sender's end is closed, or its process was killed, everything that was sent is received, and then comes
/// [`Disconnected`](RecvError::Disconnected): at once after a close, within a tick (50 ms) of the kernel's releasing a killed
/// process. As long as no process has used the sender's end, and one may still do so, that is waited for.
///
/// Of bytes, it is a [`ByteReceiver`], with methods of its own.
pub struct Receiver<T: ?Sized, C: Format<T> = Postcard> {
    end: PipeEnd<Incoming>,
    buffer: Vec<u8>,
    _message: PhantomData<fn(C) -> Box<T>>,
}

/// The receiver of a pipe for bytes.
pub type ByteReceiver = Receiver<[u8], Bytes>;

/// Why nothing was received, whatever was asked for.
enum Failure {
    End(EndError),
    Decode(DecodeError),
    Refused(Refused),
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Failure {
        Failure::Refused(refused)
    }
}

impl<T, C: Codec<T>> Receiver<T, C> {
    /// Receives the next message. Blocks while there is none.
    #[inline]
    pub fn recv(&mut self) -> Result<T, RecvError> {
        self.pull(WAIT).map_err(Failure::into_recv)
    }

    /// Receives the next message, if there is one now.
    ///
    /// Whether the sender's process lives is asked only now and then, for that is a system call: when it was killed, one of the
    /// next 2^14 calls that find nothing says so, or, within a tick, any call that waits. Of a close the next call knows.
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.pull(TRY).map_err(Failure::into_try)
    }

    /// Receives the next message, but blocks no longer than `timeout`. What has come of one in pieces by then is kept.
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.pull(Patience::Until(Deadline::after(timeout))).map_err(Failure::into_timeout)
    }

    /// Receives at least one message and at most `most`, as many as there are, and adds them to `messages`; answers how many.
    /// Faster than one by one. Blocks while there is none; with a `most` of 0, does nothing.
    pub fn recv_many(&mut self, messages: &mut Vec<T>, most: usize) -> Result<usize, RecvError> {
        let Receiver { end, buffer, .. } = self;
        let received = end.with(|direction, shm, incoming| {
            let mut count = 0;
            let ended = loop {
                if count == most {
                    break Ok(());
                }
                let front = match direction.front(shm, incoming, if count == 0 { WAIT } else { TRY }) {
                    Ok(front) => front,
                    Err(refused) => break Err(Failure::Refused(refused)),
                };
                match decode::<T, C>(direction, shm, incoming, front, buffer) {
                    Ok(message) => messages.push(message),
                    // The next call is told: what was received comes first.
                    Err(_) if count > 0 => break Ok(()),
                    Err(error) => {
                        direction.pass(incoming, front);
                        break Err(Failure::Decode(error));
                    }
                }
                direction.pass(incoming, front);
                count += 1 + take_run::<T, C>(direction, shm, incoming, most - count - 1, messages, buffer);
            };
            direction.give_back(shm, incoming);
            if count > 0 { Ok(count) } else { ended.map(|()| 0) }
        });
        received.map_err(Failure::End).and_then(|received| received).map_err(Failure::into_recv)
    }

    /// The messages, one after the other, until the pipe is disconnected; any other error but that of a message that is none
    /// is the last item. Blocks while there is none.
    pub fn iter(&mut self) -> Messages<'_, T, C> {
        Messages::of(self)
    }

    // In three steps: a large message moved through one error type after the other costs more than it takes to receive it.
    #[inline(always)]
    fn pull(&mut self, patience: Patience<Deadline>) -> Result<T, Failure> {
        let Receiver { end, buffer, .. } = self;
        let (direction, shm, incoming) = end.ours().map_err(Failure::End)?;
        // Written out where the compiler knows the size.
        if let Some(bytes) = C::fixed().filter(|bytes| direction.framing() == Framing::Fixed(*bytes)) {
            let front = direction.front_fixed(shm, incoming, bytes, patience)?;
            return take::<T, C>(direction, shm, incoming, front, buffer);
        }
        let front = direction.front(shm, incoming, patience)?;
        take::<T, C>(direction, shm, incoming, front, buffer)
    }
}

/// Takes the message that is the front one.
#[inline(always)]
fn take<T, C: Codec<T>>(
    direction: &Direction,
    shm: &Shm,
    incoming: &mut Incoming,
    front: Front,
    buffer: &mut Vec<u8>,
) -> Result<T, Failure> {
    let message = decode::<T, C>(direction, shm, incoming, front, buffer);
    direction.pass(incoming, front);
    direction.give_back(shm, incoming);
    message.map_err(Failure::Decode)
}

/// Takes those messages that stand behind the one that was received, in a run, if they can be: at most so many, and up to one
/// that does not decode. Answers how many.
fn take_run<T, C: Codec<T>>(
    direction: &Direction,
    shm: &Shm,
    incoming: &mut Incoming,
    most: usize,
    messages: &mut Vec<T>,
    buffer: &mut Vec<u8>,
) -> usize {
    let before = messages.len();
    let mut run = direction.run(incoming, most);
    while let Some(front) = run.front()
        && let Ok(message) = decode::<T, C>(direction, shm, incoming, front, buffer)
    {
        messages.push(message);
        direction.pass_in((incoming, &mut run));
    }
    messages.len() - before
}

#[inline(always)]
fn decode<T, C: Codec<T>>(
    direction: &Direction,
    shm: &Shm,
    incoming: &Incoming,
    front: Front,
    buffer: &mut Vec<u8>,
) -> Result<T, DecodeError> {
    let buffer = emptied(buffer);
    match front {
        Front::InRing { position, bytes } => C::decode(
            bytes,
            buffer,
            #[inline(always)]
            |place| direction.ring().read(shm, position, place),
        ),
        Front::Gathered => C::decode_from(incoming.message()),
    }
}

impl<T: ?Sized, C: Format<T>> Receiver<T, C> {
    pub(crate) fn new(attachment: &Arc<Attachment>, index: usize) -> Result<Receiver<T, C>, OpenError> {
        let end = PipeEnd::new(attachment, index, C::fixed())?;
        Ok(Receiver { end, buffer: Vec::new(), _message: PhantomData })
    }

    /// Waits until [`recv`](Receiver::recv) would not block, but no longer than `timeout`; answers whether it would not. A
    /// pipe that is disconnected does not block: it answers so. Without a timeout it learns of a kill as
    /// [`try_recv`](Receiver::try_recv) does.
    pub fn poll(&mut self, timeout: Duration) -> Result<bool, RecvError> {
        let patience = if timeout.is_zero() { TRY } else { Patience::Until(Deadline::after(timeout)) };
        match self.end.with(|direction, shm, incoming| direction.front(shm, incoming, patience)) {
            Ok(Ok(_) | Err(Refused::Disconnected)) => Ok(true),
            Ok(Err(Refused::WouldBlock | Refused::TimedOut)) => Ok(false),
            Ok(Err(refused)) => Err(RecvError::of(refused)),
            Err(error) => Err(error.into()),
        }
    }

    /// Closes the end, as dropping it does.
    pub fn close(self) {}

    /// Bytes of the pipe.
    pub fn capacity(&self) -> usize {
        self.end.capacity()
    }
}

impl ByteReceiver {
    /// As [`Receiver::recv`].
    pub fn recv(&mut self) -> Result<Vec<u8>, RecvError> {
        self.take(WAIT).map_err(Failure::into_recv)
    }

    /// As [`Receiver::try_recv`].
    pub fn try_recv(&mut self) -> Result<Vec<u8>, TryRecvError> {
        self.take(TRY).map_err(Failure::into_try)
    }

    /// As [`Receiver::recv_timeout`].
    pub fn recv_timeout(&mut self, timeout: Duration) -> Result<Vec<u8>, RecvTimeoutError> {
        self.take(Patience::Until(Deadline::after(timeout))).map_err(Failure::into_timeout)
    }

    /// Receives the next message into `buffer` and answers how long it is; allocates nothing, unless the message came in
    /// pieces. Blocks while there is none. One that is longer than the buffer stays the next.
    pub fn recv_into(&mut self, buffer: &mut [u8]) -> Result<usize, RecvIntoError> {
        let room = buffer.len();
        let received = self.end.with(|direction, shm, incoming| {
            let front = direction.front(shm, incoming, WAIT).map_err(RecvError::of)?;
            let bytes = length(front, incoming);
            let Some(place) = buffer.get_mut(..bytes) else { return Err(RecvIntoError::TooSmall { bytes, room }) };
            match front {
                Front::InRing { position, .. } => direction.ring().read(shm, position, place),
                Front::Gathered => place.copy_from_slice(incoming.message()),
            }
            direction.pass(incoming, front);
            direction.give_back(shm, incoming);
            Ok(bytes)
        });
        received.map_err(RecvError::End)?
    }

    /// Lets `read` have the next message where it is, in shared memory: nothing is copied, unless it came in pieces. Blocks
    /// while there is none. If `read` panics, the message stays the next one.
    ///
    /// As long as the sender's process keeps to the protocol nobody changes the bytes meanwhile. A broken or hostile one can:
    /// copy what is looked at more than once, or use [`recv_into`](ByteReceiver::recv_into) where the sender is not trusted.
    pub fn recv_with<R>(&mut self, read: impl FnOnce(&[u8]) -> R) -> Result<R, RecvError> {
        let Receiver { end, buffer, .. } = self;
        let received = end.with(|direction, shm, incoming| {
            let front = direction.front(shm, incoming, WAIT).map_err(RecvError::of)?;
            let result = match view(direction, front, incoming) {
                Some(bytes) => read(bytes),
                None => {
                    buffer.resize(length(front, incoming), 0);
                    if let Front::InRing { position, .. } = front {
                        direction.ring().read(shm, position, buffer);
                    }
                    read(buffer)
                }
            };
            direction.pass(incoming, front);
            direction.give_back(shm, incoming);
            Ok(result)
        });
        received.map_err(RecvError::End)?
    }

    fn take(&mut self, patience: Patience<Deadline>) -> Result<Vec<u8>, Failure> {
        let received = self.end.with(|direction, shm, incoming| {
            let front = direction.front(shm, incoming, patience)?;
            let message = match front {
                Front::InRing { position, bytes } => {
                    let mut message = vec![0; bytes];
                    direction.ring().read(shm, position, &mut message);
                    message
                }
                Front::Gathered => std::mem::take(incoming.message_mut()),
            };
            direction.pass(incoming, front);
            direction.give_back(shm, incoming);
            Ok(message)
        });
        received.map_err(Failure::End)?
    }
}

/// Bytes of the message.
fn length(front: Front, incoming: &Incoming) -> usize {
    match front {
        Front::InRing { bytes, .. } => bytes,
        Front::Gathered => incoming.message().len(),
    }
}

/// The message where it is, if it is in one piece.
fn view<'a>(direction: &'a Direction, front: Front, incoming: &'a Incoming) -> Option<&'a [u8]> {
    match front {
        Front::InRing { position, bytes } => direction.parts.mirror().view(direction.ring().offset(position), bytes),
        Front::Gathered => Some(incoming.message()),
    }
}

impl Failure {
    #[cold]
    fn into_recv(self) -> RecvError {
        match self {
            Failure::End(error) => error.into(),
            Failure::Decode(error) => error.into(),
            Failure::Refused(refused) => RecvError::of(refused),
        }
    }
    // Not cold: who tries over and over comes here most of the time.
    #[inline(always)]
    fn into_try(self) -> TryRecvError {
        match self {
            Failure::Refused(Refused::WouldBlock) => TryRecvError::Empty,
            failure => failure.into_recv().into(),
        }
    }
    #[cold]
    fn into_timeout(self) -> RecvTimeoutError {
        match self {
            Failure::Refused(Refused::TimedOut) => RecvTimeoutError::TimedOut,
            failure => failure.into_recv().into(),
        }
    }
}

impl<T: ?Sized, C: Format<T>> Handle for Receiver<T, C> {
    fn open(name: &str) -> Result<Self, OpenError> {
        Receiver::new(&Attachment::open(name, Some(&blueprint::<T, C>(Kind::Simplex)))?, 0)
    }
    fn adopt(given: Given) -> Result<Self, OpenError> {
        Receiver::new(&attach::<T, C>(given, Kind::Simplex)?, 0)
    }
    fn attachment(&self) -> &Arc<Attachment> {
        self.end.attachment()
    }
    fn parts(&self) -> u32 {
        self.end.part()
    }
}

impl<T: ?Sized, C: Format<T>> fmt::Debug for Receiver<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}
