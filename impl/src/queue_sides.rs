//! [`Putter`] and [`Getter`]: the two sides of a queue.

use crate::algorithm::queue::{Patience, Receipt, Refused};
use crate::algorithm::ring::Side;
use crate::codec::{Codec, DecodeError, EncodeError, Format, Postcard};
use crate::error::{AttachError, OpenError};
use crate::pipe::{attach, blueprint};
use crate::pipe_error::Unsent;
use crate::queue_end::{QueueEnd, Raw, WAIT, within};
use crate::queue_error::{GetError, GetTimeoutError, PutError, PutTimeoutError, QueueError, TryGetError, TryPutError};
use crate::queue_place::{Content, Items};
use crate::share::Handle;
use crate::shm::{Attachment, Deadline, Given};
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// The side of a [`Queue`](crate::Queue) that puts. As long as any process has one, or a `Queue`, whoever gets waits. That of
/// a [`JoinableQueue`](crate::JoinableQueue) is a [`TaskPutter`](crate::TaskPutter).
pub struct Putter<T, C: Codec<T> = Postcard, Q: Content = Items> {
    pub(crate) end: QueueEnd<Q::Place>,
    _message: PhantomData<fn(&T) -> C>,
}

/// The side of a [`Queue`](crate::Queue) that gets. When no process has a [`Putter`] or a `Queue` any more, be it that they
/// were dropped or that their processes were killed, it gets what is there, and is told then. Another putter may come. That
/// of a [`JoinableQueue`](crate::JoinableQueue) is a [`TaskGetter`](crate::TaskGetter).
pub struct Getter<T, C: Codec<T> = Postcard, Q: Content = Items> {
    pub(crate) end: QueueEnd<Q::Place>,
    _message: PhantomData<fn(C) -> T>,
}

/// Runs `body` with an empty buffer of this thread's, which is kept for the next time.
pub(crate) fn with_buffer<R>(body: impl FnOnce(&mut Vec<u8>) -> R) -> R {
    thread_local!(static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) });
    // Taken out, not borrowed: what encodes a message may use a queue itself. At the end of a thread it is gone already.
    let mut buffer = BUFFER.try_with(Cell::take).unwrap_or_default();
    buffer.clear();
    let result = body(&mut buffer);
    let _ = BUFFER.try_with(|kept| kept.set(buffer));
    result
}

/// Why a message was not put, whatever was asked for.
pub(crate) enum Failed {
    Attach(AttachError),
    Encode(EncodeError),
    Refused(Refused, usize),
}

impl<T, C: Codec<T>, Q: Content> Putter<T, C, Q> {
    /// As [`Queue::put`](crate::Queue::put).
    pub fn put(&self, value: T) -> Result<(), Unsent<T, PutError>> {
        self.push(&value, WAIT).map_err(|failed| Unsent { value, error: self.put_error(failed) })
    }
    /// As [`Queue::try_put`](crate::Queue::try_put).
    pub fn try_put(&self, value: T) -> Result<(), Unsent<T, TryPutError>> {
        self.push(&value, self.end.at_once()).map_err(|failed| {
            let error = match failed {
                Failed::Refused(Refused::WouldBlock | Refused::TimedOut, _) => TryPutError::Full,
                failed => self.put_error(failed).into(),
            };
            Unsent { value, error }
        })
    }
    /// As [`Queue::put_timeout`](crate::Queue::put_timeout).
    pub fn put_timeout(&self, value: T, timeout: Duration) -> Result<(), Unsent<T, PutTimeoutError>> {
        self.push(&value, within(timeout)).map_err(|failed| {
            let error = match failed {
                Failed::Refused(Refused::TimedOut, _) => PutTimeoutError::TimedOut,
                failed => self.put_error(failed).into(),
            };
            Unsent { value, error }
        })
    }

    #[inline]
    fn push(&self, value: &T, patience: Patience<Deadline>) -> Result<(), Failed> {
        with_buffer(|buffer| {
            let bytes = C::encode(value, buffer).map_err(Failed::Encode)?;
            let put = self.end.with(|queue, shm, me| queue.put(shm, me, bytes, patience)).map_err(Failed::Attach)?;
            put.map_err(|refused| Failed::Refused(refused, bytes.len()))
        })
    }

    #[cold]
    pub(crate) fn put_error(&self, failed: Failed) -> PutError {
        match failed {
            Failed::Attach(error) => error.into(),
            Failed::Encode(error) => error.into(),
            Failed::Refused(refused, bytes) => PutError::of(refused, bytes, self.end.longest()),
        }
    }
}

/// Why no message was got, whatever was asked for.
pub(crate) enum Missed {
    Attach(AttachError),
    Decode(DecodeError),
    Refused(Refused),
}

impl<T, C: Codec<T>, Q: Content> Getter<T, C, Q> {
    /// As [`Queue::get`](crate::Queue::get).
    pub fn get(&self) -> Result<T, GetError> {
        self.pull(WAIT).map(|(value, _)| value).map_err(get_error)
    }
    /// As [`Queue::try_get`](crate::Queue::try_get).
    pub fn try_get(&self) -> Result<T, TryGetError> {
        self.pull(self.end.at_once()).map(|(value, _)| value).map_err(try_get_error)
    }
    /// As [`Queue::get_timeout`](crate::Queue::get_timeout).
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, GetTimeoutError> {
        self.pull(within(timeout)).map(|(value, _)| value).map_err(get_timeout_error)
    }
    /// The messages, one after the other, until the queue is closed or nobody is left who puts; any other error but that of a
    /// message that is no value is the last item. Blocks while there is none.
    pub fn iter(&self) -> impl Iterator<Item = Result<T, GetError>> {
        let mut over = false;
        std::iter::from_fn(move || {
            let got = (!over).then(|| self.get())?;
            over = !matches!(got, Ok(_) | Err(GetError::Decode(_)));
            Some(got).filter(|got| !matches!(got, Err(GetError::Closed | GetError::Disconnected)))
        })
    }

    #[inline]
    pub(crate) fn pull(&self, patience: Patience<Deadline>) -> Result<(T, Receipt), Missed> {
        with_buffer(|buffer| match self.end.fixed() {
            Some(bytes) => {
                let (mut got, mut raw) = (Ok(Ok(())), None);
                let value = C::decode(bytes, buffer, |place| {
                    got = self.end.with(|queue, shm, me| {
                        let receipt = queue.get(shm, me, patience, |_| Some(place))?;
                        raw = Some(Raw { end: &self.end, receipt });
                        Ok(())
                    });
                });
                got.map_err(Missed::Attach)?.map_err(Missed::Refused)?;
                let value = value.map_err(Missed::Decode)?;
                Ok((value, raw.map_or_else(Receipt::default, Raw::keep)))
            }
            None => {
                // It is decoded when the message is ours: nobody else runs a codec's code inside a queue.
                let place = &mut *buffer;
                let got = self.end.with(|queue, shm, me| {
                    queue.get(shm, me, patience, move |bytes| {
                        place.try_reserve(bytes).ok()?;
                        place.resize(bytes, 0);
                        Some(Vec::as_mut_slice(place))
                    })
                });
                let receipt = got.map_err(Missed::Attach)?.map_err(Missed::Refused)?;
                let raw = Raw { end: &self.end, receipt };
                let value = C::decode_from(buffer).map_err(Missed::Decode)?;
                Ok((value, raw.keep()))
            }
        })
    }
}

#[cold]
pub(crate) fn try_get_error(missed: Missed) -> TryGetError {
    match missed {
        Missed::Refused(Refused::WouldBlock | Refused::TimedOut) => TryGetError::Empty,
        missed => get_error(missed).into(),
    }
}

#[cold]
pub(crate) fn get_timeout_error(missed: Missed) -> GetTimeoutError {
    match missed {
        Missed::Refused(Refused::TimedOut) => GetTimeoutError::TimedOut,
        missed => get_error(missed).into(),
    }
}

#[cold]
pub(crate) fn get_error(missed: Missed) -> GetError {
    match missed {
        Missed::Attach(error) => error.into(),
        Missed::Decode(error) => error.into(),
        Missed::Refused(refused) => GetError::of(refused),
    }
}

macro_rules! side {
    ($Side:ident, $side:expr) => {
        impl<T, C: Codec<T>, Q: Content> $Side<T, C, Q> {
            pub(crate) fn of(end: QueueEnd<Q::Place>) -> Self {
                $Side { end, _message: PhantomData }
            }
            /// As [`Queue::len`](crate::Queue::len).
            pub fn len(&self) -> Result<usize, QueueError> {
                Ok(self.end.len()??)
            }
            /// As [`Queue::is_empty`](crate::Queue::is_empty).
            pub fn is_empty(&self) -> bool {
                self.end.is_empty()
            }
            /// As [`Queue::is_full`](crate::Queue::is_full).
            pub fn is_full(&self) -> bool {
                self.end.is_full()
            }
            /// As [`Queue::max_len`](crate::Queue::max_len).
            pub fn max_len(&self) -> usize {
                self.end.most() as usize
            }
            /// Bytes of all messages at most, with what stands between them.
            pub fn capacity(&self) -> usize {
                self.end.capacity()
            }
            /// As [`Queue::close`](crate::Queue::close).
            pub fn close(&self) -> Result<(), QueueError> {
                Ok(self.end.close(false)??)
            }
            /// As [`Queue::close_now`](crate::Queue::close_now).
            pub fn close_now(&self) -> Result<(), QueueError> {
                Ok(self.end.close(true)??)
            }
        }

        impl<T, C: Codec<T>, Q: Content> Clone for $Side<T, C, Q> {
            fn clone(&self) -> Self {
                $Side::of(self.end.clone())
            }
        }

        impl<T, C: Codec<T>, Q: Content> Handle for $Side<T, C, Q> {
            fn open(name: &str) -> Result<Self, OpenError> {
                let attachment = Attachment::open(name, Some(&blueprint::<T, C>(Q::KIND)))?;
                Ok($Side::of(QueueEnd::new(&attachment, <C as Format<T>>::fixed(), $side)?))
            }
            fn adopt(given: Given) -> Result<Self, OpenError> {
                let parts = given.parts();
                let attachment = attach::<T, C>(given, Q::KIND)?;
                let end = QueueEnd::new(&attachment, <C as Format<T>>::fixed(), $side)?;
                end.leave_rest(parts);
                Ok($Side::of(end))
            }
            fn attachment(&self) -> &Arc<Attachment> {
                self.end.attachment()
            }
            fn parts(&self) -> u32 {
                self.end.parts()
            }
        }

        impl<T, C: Codec<T>, Q: Content> fmt::Debug for $Side<T, C, Q> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Side)).field("max_len", &self.max_len()).finish_non_exhaustive()
            }
        }
    };
}
side!(Putter, Side::Writer);
side!(Getter, Side::Reader);
