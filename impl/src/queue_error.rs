//! What can go wrong with a queue, per operation. A value that was not put comes back, in [`Unsent`](crate::Unsent).

use crate::algorithm::queue::Refused;
use crate::algorithm::tally::LIMIT;
use crate::codec::{DecodeError, EncodeError};
use crate::error::AttachError;
use thiserror::Error;

/// A message was not put.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PutError {
    /// Somebody closed the queue.
    #[error("the queue is closed")]
    Closed,
    /// The queue is full, and every process that could get something from it has dropped its handles, ended or been killed.
    #[error("the queue is full and has no getter any more")]
    Disconnected,
    /// The message never fits.
    #[error("a message of {bytes} bytes does not fit the queue, which has room for {most}")]
    TooLarge {
        /// Bytes of the message.
        bytes: usize,
        /// The most there may be.
        most: usize,
    },
    /// So many messages of a [`JoinableQueue`](crate::JoinableQueue) were got and never reported done, or wait to be got.
    #[error("{limit} tasks are unfinished, and there may be no more: was `task_done` forgotten?")]
    TooManyTasks {
        /// The most there may be.
        limit: usize,
    },
    /// The value cannot be written as bytes. The queue is as it was.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Whether somebody who is inside lives cannot be found out: the region's descriptor was closed.
    #[error("whether somebody inside the queue is alive cannot be found out: the region's descriptor was closed")]
    Blind,
    /// A word of the queue holds what no peer writes: somebody is broken.
    #[error("the queue is corrupt")]
    Corrupt,
    /// This process could not become a peer (it is a forked child that attaches at first use).
    #[error(transparent)]
    Attach(#[from] AttachError),
}

/// A message was not put at once.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TryPutError {
    /// There is no room for it now.
    #[error("the queue is full")]
    Full,
    /// As for `put`.
    #[error(transparent)]
    Put(#[from] PutError),
}

/// A message was not put in time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PutTimeoutError {
    /// There was no room for it until the timeout had passed, or somebody was stopped in the middle of a `put` until then.
    #[error("the queue was full until the timeout had passed")]
    TimedOut,
    /// As for `put`.
    #[error(transparent)]
    Put(#[from] PutError),
}

/// No message was got.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GetError {
    /// Somebody closed the queue, and everything that had been put was got, or discarded.
    #[error("the queue is closed, and empty")]
    Closed,
    /// The queue is empty, and every process that could put something into it has dropped its handles, ended or been killed.
    /// Another one may come.
    #[error("the queue is empty and has no putter any more")]
    Disconnected,
    /// A queue that [delivers again](crate::QueueOptions::create_redelivering) what dead workers had in hand has no place to
    /// keep one more.
    #[error("as many tasks are in hand as the queue can keep for others")]
    TooManyTasks,
    /// There was a message, and it is no value of the type. It is consumed, the next one is intact.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// As [`PutError::Blind`].
    #[error("whether somebody inside the queue is alive cannot be found out: the region's descriptor was closed")]
    Blind,
    /// As [`PutError::Corrupt`].
    #[error("the queue is corrupt")]
    Corrupt,
    /// As [`PutError::Attach`].
    #[error(transparent)]
    Attach(#[from] AttachError),
}

/// No message was got at once.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TryGetError {
    /// There is none now.
    #[error("the queue is empty")]
    Empty,
    /// As for `get`.
    #[error(transparent)]
    Get(#[from] GetError),
}

/// No message was got in time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GetTimeoutError {
    /// There was none until the timeout had passed, or somebody was stopped in the middle of a `get` until then.
    #[error("the queue was empty until the timeout had passed")]
    TimedOut,
    /// As for `get`.
    #[error(transparent)]
    Get(#[from] GetError),
}

/// The queue was not closed, or its length not found out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueueError {
    /// As [`PutError::Blind`].
    #[error("whether somebody inside the queue is alive cannot be found out: the region's descriptor was closed")]
    Blind,
    /// As [`PutError::Corrupt`].
    #[error("the queue is corrupt")]
    Corrupt,
    /// As [`PutError::Attach`].
    #[error(transparent)]
    Attach(#[from] AttachError),
}

impl PutError {
    /// A refusal that has nothing to do with waiting.
    pub(crate) fn of(refused: Refused, bytes: usize, most: usize) -> PutError {
        match refused {
            Refused::Closed => PutError::Closed,
            Refused::Disconnected => PutError::Disconnected,
            Refused::TooLarge => PutError::TooLarge { bytes, most },
            Refused::Blind => PutError::Blind,
            Refused::TooMany => PutError::TooManyTasks { limit: LIMIT as usize },
            Refused::WouldBlock | Refused::TimedOut | Refused::Corrupt => PutError::Corrupt,
        }
    }
}

impl GetError {
    /// A refusal that has nothing to do with waiting.
    pub(crate) fn of(refused: Refused) -> GetError {
        match refused {
            Refused::Closed => GetError::Closed,
            Refused::Disconnected => GetError::Disconnected,
            Refused::Blind => GetError::Blind,
            Refused::TooMany => GetError::TooManyTasks,
            Refused::WouldBlock | Refused::TimedOut | Refused::TooLarge | Refused::Corrupt => GetError::Corrupt,
        }
    }
}

impl From<Refused> for QueueError {
    fn from(refused: Refused) -> QueueError {
        match refused {
            Refused::Blind => QueueError::Blind,
            _ => QueueError::Corrupt,
        }
    }
}
