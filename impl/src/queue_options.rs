//! [`QueueOptions`]: how a queue is to be.

use crate::algorithm::redelivery::words_for;
use crate::algorithm::ring::WORD_BYTES;
use crate::codec::Codec;
use crate::error::{CreateError, OpenError};
use crate::joinable_queue::JoinableQueue;
use crate::layout::Kind;
use crate::pipe::blueprint;
use crate::pipe_end::capacity_of;
use crate::queue::Queue;
use crate::queue_place::{set_copies, set_most};
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
    /// The most tasks that may be in hand at a time, where those of the dead are delivered again.
    pub const MOST_IN_HAND: usize = 1 << 16;

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
        self.make::<T, C, _>(Kind::Queue, (0, 0), Queue::of)
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
        self.make::<T, C, _>(Kind::JoinableQueue, (0, 0), JoinableQueue::of)
    }

    /// Makes a queue of tasks of which none is lost: what a worker that died had in hand somebody else gets, as soon as the
    /// queue has nothing newer, and within a tick. A task may thus be worked on twice, and is done once; [`Task::times`] says
    /// how often it was begun before.
    ///
    /// At most `in_hand` tasks, 1 to 2^16, are worked on at a time: as many as there are workers who take one at a time. Whoever
    /// gets one more is [told so](crate::GetError::TooManyTasks). Each has at most `bytes` bytes, which are copied once more when it is got.
    ///
    /// ```
    /// use procession::{Postcard, QueueOptions};
    /// let queue = QueueOptions::new(1000).create_redelivering::<String, Postcard>(8, 256)?;
    /// queue.put("sweep".to_owned())?;
    /// let task = queue.task()?; // if this process dies now, another one gets the task
    /// assert_eq!((task.as_str(), task.times()), ("sweep", 0));
    /// task.done()?;
    /// queue.join()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// [`Task::times`]: crate::Task::times
    pub fn create_redelivering<T, C: Codec<T>>(
        self,
        in_hand: usize,
        bytes: usize,
    ) -> Result<JoinableQueue<T, C>, CreateError> {
        let fits = (1..=Self::MOST_IN_HAND).contains(&in_hand);
        let holds = C::fixed().unwrap_or(1).max(1) <= bytes && u32::try_from(bytes).is_ok();
        if !fits || !holds {
            return Err(CreateError::InHand { tasks: in_hand, bytes, most: Self::MOST_IN_HAND });
        }
        self.make::<T, C, _>(Kind::JoinableQueue, (in_hand as u32, bytes as u32), JoinableQueue::of)
    }

    fn make<T, C: Codec<T>, H>(
        self,
        kind: Kind,
        copies: (u32, u32),
        of: impl Fn(&Arc<Attachment>) -> Result<H, OpenError>,
    ) -> Result<H, CreateError> {
        let most = u32::try_from(self.most).ok().filter(|most| (1..=Self::MAX_LEN as u32).contains(most));
        let longest = Self::MAX_LEN;
        let most = most.ok_or(CreateError::MaxLen { most: self.most, longest })?;
        let capacity = capacity_of(self.capacity.unwrap_or_else(|| default_capacity(self.most, size_of::<T>())))?;
        let tick = self.tick.as_millis().try_into().unwrap_or(u32::MAX);
        let words = words_for(copies.0 as usize, copies.1 as usize).unwrap_or(usize::MAX / WORD_BYTES);
        let behind = if copies.0 == 0 { 0 } else { words * WORD_BYTES };
        let blueprint = Blueprint { length: Some(capacity), tick, behind, ..blueprint::<T, C>(kind) };
        let mut made = None;
        Attachment::create(&blueprint, self.name.as_deref(), |attachment| {
            set_most(&attachment, most);
            set_copies(&attachment, copies);
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
