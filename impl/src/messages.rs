//! [`Messages`]: what comes out of a pipe, one after the other.

use crate::codec::{Codec, Postcard};
use crate::pipe_error::RecvError;
use crate::receiver::Receiver;

/// The messages of a pipe; ends when it is disconnected, or will not get better.
#[derive(Debug)]
pub struct Messages<'a, T, C: Codec<T> = Postcard> {
    receiver: &'a mut Receiver<T, C>,
    over: bool,
}

impl<'a, T, C: Codec<T>> Messages<'a, T, C> {
    pub(crate) fn of(receiver: &'a mut Receiver<T, C>) -> Messages<'a, T, C> {
        Messages { receiver, over: false }
    }
}

impl<T, C: Codec<T>> Iterator for Messages<'_, T, C> {
    type Item = Result<T, RecvError>;
    fn next(&mut self) -> Option<Result<T, RecvError>> {
        if self.over {
            return None;
        }
        let received = self.receiver.recv();
        self.over = !matches!(received, Ok(_) | Err(RecvError::Decode(_)));
        Some(received).filter(|received| !matches!(received, Err(RecvError::Disconnected)))
    }
}

impl<'a, T, C: Codec<T>> IntoIterator for &'a mut Receiver<T, C> {
    type Item = Result<T, RecvError>;
    type IntoIter = Messages<'a, T, C>;
    fn into_iter(self) -> Messages<'a, T, C> {
        self.iter()
    }
}
