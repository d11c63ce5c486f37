//! [`Queue`]: messages between any number of processes.

use crate::codec::{Codec, Postcard};
use crate::error::{CreateError, OpenError};
use crate::layout::Kind;
use crate::pipe::{attach, blueprint};
use crate::pipe_end::capacity_of;
use crate::pipe_error::Unsent;
use crate::queue_end::{QueueEnd, set_most};
use crate::queue_error::{GetError, GetTimeoutError, PutError, PutTimeoutError, QueueError, TryGetError, TryPutError};
use crate::queue_sides::{Getter, Putter};
use crate::share::Handle;
use crate::shm::{Attachment, Blueprint, Given};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Messages between any number of processes and threads: each is got once, in the order in which they were put.
///
/// What [`put`](Queue::put) has put is in the queue when it returns, in shared memory: nobody can lose it, and the process
/// that put it may end. A process killed in the middle of a `put` has put the message or not; one killed in the middle of a
/// `get` has got it or not; everybody else goes on, within a tick (50 ms, or [less](QueueOptions::tick)).
///
/// A handle can be used by any number of threads, cloned, inherited by a forked child, and given to other processes as every
/// [`Handle`]. It both puts and gets; a process that should only do one has a [`Putter`] or a [`Getter`], which know when
/// nobody is left on the other side. Give it [that](Queue::getter): whoever is given a whole queue may put and get as long as
/// it lives, whatever it takes of it.
///
/// ```
/// let queue = procession::Queue::bounded(10)?;
/// queue.put("one".to_owned())?;
/// queue.put("two".to_owned())?;
/// assert_eq!(queue.len()?, 2);
/// assert_eq!(queue.get()?, "one");
/// assert_eq!(queue.get()?, "two");
/// assert!(queue.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Queue<T, C: Codec<T> = Postcard> {
    putter: Putter<T, C>,
    getter: Getter<T, C>,
}

impl<T: Serialize + DeserializeOwned> Queue<T> {
    /// A queue for at most `most` messages, 1 to 2^30, of any type that [`serde`](https://serde.rs) can write and read.
    pub fn bounded(most: usize) -> Result<Queue<T>, CreateError> {
        QueueOptions::new(most).create::<T, Postcard>()
    }
}

impl<T, C: Codec<T>> Queue<T, C> {
    /// Puts `value`. Blocks while the queue is full.
    pub fn put(&self, value: T) -> Result<(), Unsent<T, PutError>> {
        self.putter.put(value)
    }
    /// Puts `value` if there is room for it now.
    pub fn try_put(&self, value: T) -> Result<(), Unsent<T, TryPutError>> {
        self.putter.try_put(value)
    }
    /// Puts `value`, but blocks no longer than `timeout`.
    pub fn put_timeout(&self, value: T, timeout: Duration) -> Result<(), Unsent<T, PutTimeoutError>> {
        self.putter.put_timeout(value, timeout)
    }
    /// Gets the next message. Blocks while there is none.
    pub fn get(&self) -> Result<T, GetError> {
        self.getter.get()
    }
    /// Gets the next message if there is one now.
    pub fn try_get(&self) -> Result<T, TryGetError> {
        self.getter.try_get()
    }
    /// Gets the next message, but blocks no longer than `timeout`.
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, GetTimeoutError> {
        self.getter.get_timeout(timeout)
    }
    /// How many messages there are, at some instant of this call; others may have put and got some since.
    #[doc(alias = "qsize")]
    pub fn len(&self) -> Result<usize, QueueError> {
        self.putter.len()
    }
    /// Whether there are none, at some instant of this call: never after a `put` has returned, until somebody gets what it put.
    #[doc(alias = "empty")]
    pub fn is_empty(&self) -> bool {
        self.putter.is_empty()
    }
    /// Whether there is no room, at some instant of this call.
    #[doc(alias = "full")]
    pub fn is_full(&self) -> bool {
        self.putter.is_full()
    }
    /// The most messages there may be.
    #[doc(alias = "maxsize")]
    pub fn max_len(&self) -> usize {
        self.putter.max_len()
    }
    /// Closes the queue for all processes: whoever puts is told at once, whoever gets gets what is there and is told then.
    /// Everybody who waits wakes up.
    pub fn close(&self) -> Result<(), QueueError> {
        self.putter.close()
    }
    /// As [`close`](Queue::close), and discards what is there.
    pub fn close_now(&self) -> Result<(), QueueError> {
        self.putter.close_now()
    }
    /// Another handle that only puts.
    pub fn putter(&self) -> Putter<T, C> {
        self.putter.clone()
    }
    /// Another handle that only gets.
    pub fn getter(&self) -> Getter<T, C> {
        self.getter.clone()
    }
    /// From now on this handle only puts: whoever else puts is not waited for by those who get.
    pub fn into_putter(self) -> Putter<T, C> {
        self.putter
    }
    /// From now on this handle only gets; when nobody is left who puts, it is told.
    pub fn into_getter(self) -> Getter<T, C> {
        self.getter
    }

    fn of(attachment: &Arc<Attachment>) -> Result<Queue<T, C>, OpenError> {
        let [putter, getter] = QueueEnd::both(attachment, C::fixed())?;
        Ok(Queue { putter: Putter::of(putter), getter: Getter::of(getter) })
    }
}

impl<T, C: Codec<T>> Clone for Queue<T, C> {
    fn clone(&self) -> Queue<T, C> {
        Queue { putter: self.putter.clone(), getter: self.getter.clone() }
    }
}

impl<T, C: Codec<T>> Handle for Queue<T, C> {
    fn open(name: &str) -> Result<Self, OpenError> {
        Queue::of(&Attachment::open(name, Some(&blueprint::<T, C>(Kind::Queue)))?)
    }
    fn adopt(given: Given) -> Result<Self, OpenError> {
        Queue::of(&attach::<T, C>(given, Kind::Queue)?)
    }
    fn attachment(&self) -> &Arc<Attachment> {
        self.putter.attachment()
    }
    fn parts(&self) -> u32 {
        self.putter.parts() | self.getter.parts()
    }
}

impl<T, C: Codec<T>> fmt::Debug for Queue<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("max_len", &self.max_len()).field("is_empty", &self.is_empty()).finish()
    }
}

/// How a queue is to be.
#[derive(Debug, Clone)]
pub struct QueueOptions {
    most: usize,
    capacity: Option<usize>,
    name: Option<String>,
    tick: Duration,
}

impl QueueOptions {
    /// The most messages that a queue can be asked to hold.
    pub const MAX_LEN: usize = 1 << 30;

    /// At most `most` messages, 1 to [`MAX_LEN`](QueueOptions::MAX_LEN); the default capacity; no name.
    pub fn new(most: usize) -> QueueOptions {
        QueueOptions { most, capacity: None, name: None, tick: Duration::ZERO }
    }

    /// Room for so many bytes, rounded up to a power of two and to 4 KiB; at most 2^31. A message takes 8 bytes beside its
    /// own, of which there are full 8s; plain data takes its own alone. A message that is longer cannot be put.
    ///
    /// Unless you say so, there is room for `most` messages of the size of `T` and at least 1 MiB, if that is not more than
    /// 64 MiB; memory that was never used is not taken.
    #[must_use]
    pub fn capacity(mut self, bytes: usize) -> QueueOptions {
        self.capacity = Some(bytes);
        self
    }

    /// Unrelated processes can open it under this name.
    #[must_use]
    pub fn named(mut self, name: &str) -> QueueOptions {
        self.name = Some(name.to_owned());
        self
    }

    /// The longest time that anybody waits without looking whether those it waits for live: 1 to 50 ms, in full ms. The
    /// shorter, the sooner a killed process is noticed, and the more often whoever waits wakes up for nothing.
    #[must_use]
    pub fn tick(mut self, tick: Duration) -> QueueOptions {
        self.tick = tick;
        self
    }

    /// Makes the queue.
    ///
    /// ```
    /// use procession::{AsIs, QueueOptions};
    /// let queue = QueueOptions::new(1000).create::<(f64), AsIs>()?;
    /// queue.put(0.5)?;
    /// assert_eq!(queue.get()?, 0.5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn create<T, C: Codec<T>>(self) -> Result<Queue<T, C>, CreateError> {
        let most = u32::try_from(self.most).ok().filter(|most| (1..=Self::MAX_LEN as u32).contains(most));
        let longest = Self::MAX_LEN;
        let most = most.ok_or(CreateError::MaxLen { most: self.most, longest })?;
        let capacity = capacity_of(self.capacity.unwrap_or_else(|| default_capacity(self.most, size_of::<T>())))?;
        let tick = self.tick.as_millis().try_into().unwrap_or(u32::MAX);
        let blueprint = Blueprint { length: Some(capacity), tick, ..blueprint::<T, C>(Kind::Queue) };
        let mut made = None;
        Attachment::create(&blueprint, self.name.as_deref(), |attachment| {
            set_most(&attachment, most);
            made = Some(Queue::of(&attachment));
        })?;
        match made {
            Some(Ok(queue)) => Ok(queue),
            Some(Err(OpenError::Attach(error))) => Err(error.into()),
            _ => Err(CreateError::NoSpace { bytes: capacity }),
        }
    }
}

fn default_capacity(most: usize, size: usize) -> usize {
    const LEAST: usize = 1 << 20;
    const MOST: usize = 1 << 26;
    most.saturating_mul(size.next_multiple_of(8) + 8).clamp(LEAST, MOST)
}
