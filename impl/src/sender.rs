//! [`Sender`]: the end of a pipe that messages are put into.

use crate::algorithm::message::Outgoing;
use crate::algorithm::pipe::{Patience, Refused};
use crate::algorithm::record::Framing;
use crate::algorithm::run::Run;
use crate::codec::{Bytes, Codec, EncodeError, Format, Postcard, emptied};
use crate::error::OpenError;
use crate::layout::Kind;
use crate::pipe::{attach, blueprint};
use crate::pipe_end::{Direction, PipeEnd, TRY, WAIT};
use crate::pipe_error::{EndError, SendError, SendTimeoutError, TrySendError, Unsent};
use crate::share::Handle;
use crate::shm::{Attachment, Deadline, Given, Shm};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// The end of a [pipe](crate::Pipe) that messages are sent into.
///
/// It belongs to the process that uses it first, for as long as that lives; to share it with another process, share it before
/// it is used. Dropping it closes it: the receiver receives what was sent, and then learns that there is no more. A process
/// killed while it sends leaves the whole message, or nothing of it.
///
/// Of bytes, it is a [`ByteSender`], with methods of its own.
pub struct Sender<T: ?Sized, C: Format<T> = Postcard> {
    end: PipeEnd<Outgoing>,
    buffer: Vec<u8>,
    _message: PhantomData<fn(&T) -> C>,
}

/// The sender of a pipe for bytes.
pub type ByteSender = Sender<[u8], Bytes>;

/// Why a message was not sent, whatever was asked for.
enum Failure {
    End(EndError),
    Encode(EncodeError),
    Refused(Refused),
}

impl From<Refused> for Failure {
    // A call, so that whoever succeeds makes no part of it.
    #[cold]
    #[inline(never)]
    fn from(refused: Refused) -> Failure {
        Failure::Refused(refused)
    }
}

/// So many messages are let go at once, at most.
const BATCH: u32 = 32;

impl<T, C: Codec<T>> Sender<T, C> {
    /// Sends `value`. Blocks while there is no room for it; a message may be larger than the pipe's capacity, and then the
    /// receiver has to receive while it is being sent.
    ///
    /// If the receiver's end is closed, this fails at once; if its process was killed, as soon as this has to wait, and within
    /// a tick (50 ms). What was sent and not received by then is lost.
    #[inline]
    pub fn send(&mut self, value: T) -> Result<(), Unsent<T, SendError>> {
        self.push(&value, WAIT).map_err(|failure| Unsent { value, error: failure.into_send() })
    }

    /// Sends `value` if there is room for all of it now.
    ///
    /// Whether the receiver's process lives is asked only now and then, for that is a system call: when it was killed, one of the
    /// next 2^14 calls that find no room says so, or, within a tick, any call that waits.
    #[inline]
    pub fn try_send(&mut self, value: T) -> Result<(), Unsent<T, TrySendError>> {
        let capacity = self.end.capacity();
        self.push(&value, TRY).map_err(|failure| {
            let bytes = C::fixed().unwrap_or(self.buffer.len());
            Unsent { value, error: failure.into_try(bytes, capacity) }
        })
    }

    /// Sends `value`, but blocks no longer than `timeout`. What was written of it by then is never received.
    pub fn send_timeout(&mut self, value: T, timeout: Duration) -> Result<(), Unsent<T, SendTimeoutError>> {
        let patience = Patience::Until(Deadline::after(timeout));
        self.push(&value, patience).map_err(|failure| Unsent { value, error: failure.into_timeout() })
    }

    /// Sends all of `values`, in order, and many at a time: faster than one by one, and no slower to arrive. Blocks while
    /// there is no room.
    ///
    /// On an error those before the one that comes back were sent, and the others are still in the iterator, if it was given
    /// as `&mut`. If the iterator panics, what it gave before was sent.
    pub fn send_many(&mut self, values: impl IntoIterator<Item = T>) -> Result<(), Unsent<T, SendError>> {
        let (batch, mut run) = (Batch(self), Run::default());
        for value in values {
            let Sender { end, buffer, .. } = &mut *batch.0;
            let encoded = C::encode(&value, emptied(buffer)).map_err(Failure::Encode);
            if let Err(failure) = encoded.and_then(|bytes| stage(end, &mut run, bytes)) {
                return Err(Unsent { value, error: failure.into_send() });
            }
        }
        // If nobody is left to get what was written last, the next one to be sent is told.
        Ok(())
    }

    #[inline(always)]
    fn push(&mut self, value: &T, patience: Patience<Deadline>) -> Result<(), Failure> {
        let bytes = C::encode(value, emptied(&mut self.buffer)).map_err(Failure::Encode)?;
        let (direction, shm, out) = self.end.ours().map_err(Failure::End)?;
        match C::fixed() {
            // Written out, since the compiler knows this size.
            Some(fixed) if direction.framing() == Framing::Fixed(fixed) => direction.send(shm, out, bytes, patience)?,
            _ => direction.send(shm, out, bytes, patience)?,
        }
        Ok(())
    }
}

impl<T: ?Sized, C: Format<T>> Sender<T, C> {
    pub(crate) fn new(attachment: &Arc<Attachment>, index: usize) -> Result<Sender<T, C>, OpenError> {
        let end = PipeEnd::new(attachment, index, C::fixed())?;
        Ok(Sender { end, buffer: Vec::new(), _message: PhantomData })
    }

    /// Closes the end, as dropping it does.
    pub fn close(self) {}

    /// Bytes of the pipe.
    pub fn capacity(&self) -> usize {
        self.end.capacity()
    }

    fn commit(&mut self) -> Result<(), Failure> {
        self.with(|direction, shm, out| direction.commit_staged(shm, out))
    }

    #[inline(always)]
    fn with(
        &mut self,
        operation: impl FnOnce(&Direction, &Shm, &mut Outgoing) -> Result<(), Refused>,
    ) -> Result<(), Failure> {
        let done = self.end.with(|direction, shm, out| operation(direction, shm, out));
        Ok(done.map_err(Failure::End)??)
    }
}

impl ByteSender {
    /// As [`Sender::send`].
    ///
    /// ```
    /// let (mut sender, mut receiver) = procession::Pipe::bytes()?;
    /// sender.send(b"as it is")?;
    /// assert_eq!(receiver.recv()?, b"as it is");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        self.with(|direction, shm, out| direction.send(shm, out, bytes, WAIT)).map_err(Failure::into_send)
    }

    /// As [`Sender::try_send`].
    #[inline]
    pub fn try_send(&mut self, bytes: &[u8]) -> Result<(), TrySendError> {
        let capacity = self.capacity();
        let sent = self.with(|direction, shm, out| direction.send(shm, out, bytes, TRY));
        sent.map_err(|failure| failure.into_try(bytes.len(), capacity))
    }

    /// As [`Sender::send_timeout`].
    pub fn send_timeout(&mut self, bytes: &[u8], timeout: Duration) -> Result<(), SendTimeoutError> {
        let patience = Patience::Until(Deadline::after(timeout));
        self.with(|direction, shm, out| direction.send(shm, out, bytes, patience)).map_err(Failure::into_timeout)
    }

    /// As [`Sender::send_many`]; answers how many were sent, and why not all, if so.
    pub fn send_many<B: AsRef<[u8]>>(
        &mut self,
        messages: impl IntoIterator<Item = B>,
    ) -> (usize, Result<(), SendError>) {
        let (batch, mut run, mut count) = (Batch(self), Run::default(), 0);
        for message in messages {
            if let Err(failure) = stage(&mut batch.0.end, &mut run, message.as_ref()) {
                return (count, Err(failure.into_send()));
            }
            count += 1;
        }
        (count, batch.0.commit().map_err(Failure::into_send))
    }

    /// Sends a message of `length` bytes that `write` writes where they are to be read, if it is at most a quarter of the
    /// capacity: nothing is copied. A longer one is written elsewhere first. The bytes hold anything before; if `write`
    /// panics, nothing is sent.
    ///
    /// ```
    /// let (mut sender, mut receiver) = procession::Pipe::bytes()?;
    /// sender.send_with(4, |bytes| bytes.fill(7))?;
    /// assert_eq!(receiver.recv_with(|bytes| bytes.len())?, 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send_with(&mut self, length: usize, write: impl FnOnce(&mut [u8])) -> Result<(), SendError> {
        let Sender { end, buffer, .. } = self;
        let sent = end.with(|direction, shm, out| {
            if direction.framing().is_whole(length) {
                let offset = direction.reserve_message(shm, out, length, WAIT)?;
                if let Some(place) = direction.parts.mirror().view_mut(offset, length) {
                    write(place);
                    direction.label(shm, out, length);
                    return direction.commit(shm, out);
                }
            }
            buffer.clear();
            buffer.resize(length, 0);
            write(buffer);
            direction.send(shm, out, buffer, WAIT)
        });
        sent.map_err(SendError::End)?.map_err(SendError::of)
    }
}

#[inline(always)]
fn stage(end: &mut PipeEnd<Outgoing>, run: &mut Run, bytes: &[u8]) -> Result<(), Failure> {
    let (direction, shm, out) = end.ours_in(run).map_err(Failure::End)?;
    Ok(direction.stage_in(shm, (out, run), bytes, BATCH, &WAIT)?)
}

/// Lets go what was written, whatever ends the writing: also a panic of whoever gives the messages.
struct Batch<'a, T: ?Sized, C: Format<T>>(&'a mut Sender<T, C>);

impl<T: ?Sized, C: Format<T>> Drop for Batch<'_, T, C> {
    fn drop(&mut self) {
        let _ = self.0.commit();
    }
}

impl Failure {
    #[cold]
    fn into_send(self) -> SendError {
        match self {
            Failure::End(error) => error.into(),
            Failure::Encode(error) => error.into(),
            Failure::Refused(refused) => SendError::of(refused),
        }
    }
    #[cold]
    fn into_try(self, bytes: usize, capacity: usize) -> TrySendError {
        match self {
            Failure::Refused(Refused::WouldBlock) => TrySendError::Full,
            Failure::Refused(Refused::TooLarge) => TrySendError::TooLarge { bytes, capacity },
            failure => failure.into_send().into(),
        }
    }
    #[cold]
    fn into_timeout(self) -> SendTimeoutError {
        match self {
            Failure::Refused(Refused::TimedOut) => SendTimeoutError::TimedOut,
            failure => failure.into_send().into(),
        }
    }
}

impl<T: ?Sized, C: Format<T>> Handle for Sender<T, C> {
    fn open(name: &str) -> Result<Self, OpenError> {
        Sender::new(&Attachment::open(name, Some(&blueprint::<T, C>(Kind::Simplex)))?, 0)
    }
    fn adopt(given: Given) -> Result<Self, OpenError> {
        Sender::new(&attach::<T, C>(given, Kind::Simplex)?, 0)
    }
    fn attachment(&self) -> &Arc<Attachment> {
        self.end.attachment()
    }
    fn parts(&self) -> u32 {
        self.end.part()
    }
}

impl<T: ?Sized, C: Format<T>> fmt::Debug for Sender<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}
