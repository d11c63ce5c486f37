//! [`QueueOptions`]: how a queue is to be.

use crate::codec::Codec;
use crate::error::{CreateError, OpenError};
use crate::joinable_queue::JoinableQueue;
use crate::layout::Kind;
use crate::pipe::blueprint;
use crate::pipe_end::capacity_of;
use crate::queue::Queue;
use crate::queue_place::set_most;
use crate::shm::{Attachment, Blueprint};
use std::sync::Arc;
use std::time::Duration;

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
        self.make::<T, C, _>(Kind::Queue, Queue::of)
    }

    /// Makes a queue of tasks.
    ///
    /// ```
    /// use procession::{AsIs, QueueOptions};
    /// let queue = QueueOptions::new(1000).create_joinable::<u64, AsIs>()?;
    /// queue.put(1)?;
    /// assert_eq!(queue.get()?, 1);
    /// queue.task_done()?;
    /// queue.join()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn create_joinable<T, C: Codec<T>>(self) -> Result<JoinableQueue<T, C>, CreateError> {
        self.make::<T, C, _>(Kind::JoinableQueue, JoinableQueue::of)
    }

    fn make<T, C: Codec<T>, H>(
        self,
        kind: Kind,
        of: impl Fn(&Arc<Attachment>) -> Result<H, OpenError>,
    ) -> Result<H, CreateError> {
        let most = u32::try_from(self.most).ok().filter(|most| (1..=Self::MAX_LEN as u32).contains(most));
        let longest = Self::MAX_LEN;
        let most = most.ok_or(CreateError::MaxLen { most: self.most, longest })?;
        let capacity = capacity_of(self.capacity.unwrap_or_else(|| default_capacity(self.most, size_of::<T>())))?;
        let tick = self.tick.as_millis().try_into().unwrap_or(u32::MAX);
        let blueprint = Blueprint { length: Some(capacity), tick, ..blueprint::<T, C>(kind) };
        let mut made = None;
        Attachment::create(&blueprint, self.name.as_deref(), |attachment| {
            set_most(&attachment, most);
            made = Some(of(&attachment));
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
