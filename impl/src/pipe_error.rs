//! What can go wrong with a pipe, per operation. A value that was not sent comes back.

use crate::algorithm::pipe::Refused;
use crate::codec::{DecodeError, EncodeError};
use crate::error::AttachError;
use std::fmt;
use thiserror::Error;

/// What was to be sent, back, and why.
#[derive(Clone, PartialEq, Eq)]
pub struct Unsent<T, E> {
    /// The value.
    pub value: T,
    /// Why it was not sent.
    pub error: E,
}

impl<T, E: fmt::Debug> fmt::Debug for Unsent<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsent").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<T, E: fmt::Display> fmt::Display for Unsent<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T, E: std::error::Error> std::error::Error for Unsent<T, E> {}

/// This process does not have the end, and cannot get it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndError {
    /// Another process has it, or another handle in this one.
    #[error("peer {peer} has this end of the pipe")]
    Taken {
        /// The peer.
        peer: u32,
    },
    /// The process that had it is dead, and the pipe was not made to [survive](crate::PipeOptions::survive) that.
    #[error("peer {peer}, which is dead, had this end of the pipe")]
    HolderDied {
        /// The peer.
        peer: u32,
    },
    /// It was closed.
    #[error("this end of the pipe was closed")]
    Closed,
    /// This process could not become a peer.
    #[error(transparent)]
    Attach(Box<AttachError>),
}

impl From<AttachError> for EndError {
    fn from(error: AttachError) -> EndError {
        EndError::Attach(Box::new(error))
    }
}

/// A message was not sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SendError {
    /// The receiver's end was closed, or its process has died: nobody will receive anything.
    #[error("the pipe has no receiver any more")]
    Disconnected,
    /// The value cannot be written as bytes. The pipe is as it was.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// This process does not have the sender's end.
    #[error(transparent)]
    End(#[from] EndError),
    /// Whether the receiver's process lives cannot be found out: the region's descriptor was closed.
    #[error("whether the receiver is alive cannot be found out: the region's descriptor was closed")]
    Blind,
    /// A word of the pipe holds what no peer writes: somebody is broken.
    #[error("the pipe is corrupt")]
    Corrupt,
}

/// A message was not sent at once.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TrySendError {
    /// There is no room for it now.
    #[error("the pipe is full")]
    Full,
    /// There never is room for all of it at once: [`send`](crate::Sender::send) it piece by piece.
    #[error("a message of {bytes} bytes does not fit the pipe's {capacity} bytes at once")]
    TooLarge {
        /// Bytes of the message.
        bytes: usize,
        /// Bytes of the pipe, of which every message takes some more than its own.
        capacity: usize,
    },
    /// As for `send`.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// A message was not sent in time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SendTimeoutError {
    /// There was no room for all of it until the timeout had passed. Nobody will see a part of it.
    #[error("the pipe was full until the timeout had passed")]
    TimedOut,
    /// As for `send`.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// No message was received.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecvError {
    /// The sender's end was closed, or its process has died, and everything that it had sent has been received.
    #[error("the pipe has no sender any more, and no messages")]
    Disconnected,
    /// There was a message, and it is no value of the type. It is consumed, the next one is intact.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// This process does not have the receiver's end.
    #[error(transparent)]
    End(#[from] EndError),
    /// Whether the sender's process lives cannot be found out: the region's descriptor was closed.
    #[error("whether the sender is alive cannot be found out: the region's descriptor was closed")]
    Blind,
    /// A word of the pipe holds what no peer writes: somebody is broken.
    #[error("the pipe is corrupt")]
    Corrupt,
    /// A message that came in pieces is larger than this process has memory for.
    #[error("there is no memory for a message")]
    NoMemory,
}

/// No message was received at once.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TryRecvError {
    /// There is none now.
    #[error("the pipe is empty")]
    Empty,
    /// As for `recv`.
    #[error(transparent)]
    Recv(#[from] RecvError),
}

/// No message was received in time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecvTimeoutError {
    /// There was none until the timeout had passed. What had come of one in pieces is kept.
    #[error("the pipe was empty until the timeout had passed")]
    TimedOut,
    /// As for `recv`.
    #[error(transparent)]
    Recv(#[from] RecvError),
}

/// A message was not received into a buffer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecvIntoError {
    /// The message is longer than the buffer. It stays the next one.
    #[error("a message of {bytes} bytes does not fit a buffer of {room}")]
    TooSmall {
        /// Bytes of the message.
        bytes: usize,
        /// Bytes of the buffer.
        room: usize,
    },
    /// As for `recv`.
    #[error(transparent)]
    Recv(#[from] RecvError),
}

impl SendError {
    /// A refusal that has nothing to do with waiting.
    pub(crate) fn of(refused: Refused) -> SendError {
        match refused {
            Refused::Disconnected => SendError::Disconnected,
            Refused::Blind => SendError::Blind,
            _ => SendError::Corrupt,
        }
    }
}

impl RecvError {
    /// A refusal that has nothing to do with waiting.
    pub(crate) fn of(refused: Refused) -> RecvError {
        match refused {
            Refused::Disconnected => RecvError::Disconnected,
            Refused::Blind => RecvError::Blind,
            Refused::TooLarge => RecvError::NoMemory,
            _ => RecvError::Corrupt,
        }
    }
}
