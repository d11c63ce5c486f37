//! [`Queue`]: messages between any number of processes.

use crate::codec::{Codec, Postcard};
use crate::error::{CreateError, OpenError};
use crate::joinable_queue::JoinableQueue;
use crate::pipe::{attach, blueprint};
use crate::pipe_error::Unsent;
use crate::queue_end::QueueEnd;
use crate::queue_error::{GetError, GetTimeoutError, PutError, PutTimeoutError, QueueError, TryGetError, TryPutError};
use crate::queue_options::QueueOptions;
use crate::queue_place::{Content, Items, Tasks};
use crate::queue_sides::{Getter, Putter};
use crate::share::Handle;
use crate::shm::{Attachment, Given};
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
/// nobody is left on the other side. Give it [that](Queue::getter), or let it take only that of the queue it is given: until it
/// does, it might do both.
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

/// What every queue can do, as its two sides do it.
macro_rules! whole {
    ($Queue:ident, $Content:ty) => {
        impl<T, C: Codec<T>> $Queue<T, C> {
            /// Puts `value`. Blocks while the queue is full.
            pub fn put(&self, value: T) -> Result<(), Unsent<T, PutError>> {
                self.putter.put(value)
            }
            /// Puts `value` if there is room for it now. Waits for nobody but a process that is in the middle of a `put` when
            /// there may be room; one that is stopped there, until it goes on or is killed.
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
            /// Gets the next message if there is one now. Waits for nobody but a process that is in the middle of a `get` when
            /// there may be one; one that is stopped there, until it goes on or is killed. That nobody is left who puts, it
            /// finds out every 2^14th time that there is none.
            pub fn try_get(&self) -> Result<T, TryGetError> {
                self.getter.try_get()
            }
            /// Gets the next message, but blocks no longer than `timeout`.
            pub fn get_timeout(&self, timeout: Duration) -> Result<T, GetTimeoutError> {
                self.getter.get_timeout(timeout)
            }
            /// Puts all of `values`: [`Putter::put_many`].
            pub fn put_many(&self, values: impl IntoIterator<Item = T>) -> Result<(), Unsent<Vec<T>, PutError>> {
                self.putter.put_many(values)
            }
            /// Gets at most `most` messages at a time: [`Getter::get_many`].
            pub fn get_many(&self, messages: &mut Vec<T>, most: usize) -> Result<usize, GetError> {
                self.getter.get_many(messages, most)
            }
            /// The messages, one after the other: [`Getter::iter`].
            pub fn iter(&self) -> impl Iterator<Item = Result<T, GetError>> {
                self.getter.iter()
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
            /// Everybody who waits wakes up. Waits for whoever is in the middle of an operation, also one that is stopped there.
            pub fn close(&self) -> Result<(), QueueError> {
                self.putter.close()
            }
            /// As [`close`](Self::close), and discards what is there.
            pub fn close_now(&self) -> Result<(), QueueError> {
                self.putter.close_now()
            }
            /// Another handle that only puts.
            pub fn putter(&self) -> Putter<T, C, $Content> {
                self.putter.clone()
            }
            /// Another handle that only gets.
            pub fn getter(&self) -> Getter<T, C, $Content> {
                self.getter.clone()
            }
            /// From now on this handle only puts: whoever else puts is not waited for by those who get.
            pub fn into_putter(self) -> Putter<T, C, $Content> {
                self.putter
            }
            /// From now on this handle only gets; when nobody is left who puts, it is told.
            pub fn into_getter(self) -> Getter<T, C, $Content> {
                self.getter
            }

            pub(crate) fn of(attachment: &Arc<Attachment>) -> Result<Self, OpenError> {
                let [putter, getter] = QueueEnd::both(attachment, C::fixed())?;
                Ok($Queue { putter: Putter::of(putter), getter: Getter::of(getter) })
            }
        }

        impl<T, C: Codec<T>> Clone for $Queue<T, C> {
            fn clone(&self) -> Self {
                $Queue { putter: self.putter.clone(), getter: self.getter.clone() }
            }
        }

        impl<T, C: Codec<T>> Handle for $Queue<T, C> {
            fn open(name: &str) -> Result<Self, OpenError> {
                $Queue::of(&Attachment::open(name, Some(&blueprint::<T, C>(<$Content>::KIND)))?)
            }
            fn adopt(given: Given) -> Result<Self, OpenError> {
                $Queue::of(&attach::<T, C>(given, <$Content>::KIND)?)
            }
            fn attachment(&self) -> &Arc<Attachment> {
                self.putter.attachment()
            }
            fn parts(&self) -> u32 {
                self.putter.parts() | self.getter.parts()
            }
        }

        impl<T, C: Codec<T>> fmt::Debug for $Queue<T, C> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Queue))
                    .field("max_len", &self.max_len())
                    .field("is_empty", &self.is_empty())
                    .finish()
            }
        }
    };
}
whole!(Queue, Items);
whole!(JoinableQueue, Tasks);
