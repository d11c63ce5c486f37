//! [`JoinableQueue`]: messages that are tasks, and whoever waits until all are done.

use crate::algorithm::joinable::Unjoined;
use crate::codec::{Codec, Postcard};
use crate::error::CreateError;
use crate::queue_end::{WAIT, within};
use crate::queue_error::{GetError, GetTimeoutError, QueueError, TryGetError};
use crate::queue_options::QueueOptions;
use crate::queue_place::Tasks;
use crate::queue_sides::{Getter, Putter, get_error, get_timeout_error, try_get_error};
use crate::shm::Deadline;
use crate::task::Task;
use crate::task_error::{JoinError, JoinTimeoutError, TaskDoneError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The side of a [`JoinableQueue`] that puts, and may [join](TaskPutter::join).
pub type TaskPutter<T, C = Postcard> = Putter<T, C, Tasks>;

/// The side of a [`JoinableQueue`] that gets, and reports what is done.
pub type TaskGetter<T, C = Postcard> = Getter<T, C, Tasks>;

/// A [`Queue`](crate::Queue) of tasks: whoever got one reports it [done](JoinableQueue::task_done), and whoever
/// [joins](JoinableQueue::join) waits until all that were ever put are.
///
/// A process that is killed between the two leaves tasks that nobody will ever report. `join` says so,
/// [`JoinError::WorkerDied`], as soon as all others are done, to all who join; until somebody has
/// [acknowledged](JoinableQueue::acknowledge) it. A task of a process that lives is never taken for lost, however long it
/// takes, and a task that was reported done never either. A process that drops its last handle while it has tasks in hand has
/// left them as if it had died.
///
/// What is counted is what a process has in hand, not a thread: any thread may report what another one got, and a thread that
/// ends with a task that it got by [`get`](JoinableQueue::get) leaves it to its process. A forked child is another process,
/// and cannot report what its parent got. And a process that lives is waited for, be it that it has dropped its getter and
/// kept a putter, or that it is the one that joins.
///
/// ```
/// let queue = procession::JoinableQueue::bounded(10)?;
/// queue.put("one".to_owned())?;
/// queue.put("two".to_owned())?;
/// assert_eq!(queue.get()?, "one");
/// queue.task_done()?;                       // as in Python,
/// let task = queue.task()?;                 // or as a guard, which reports when it is dropped
/// assert_eq!((task.as_str(), queue.unfinished()?), ("two", 1));
/// drop(task);
/// queue.join()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct JoinableQueue<T, C: Codec<T> = Postcard> {
    pub(crate) putter: TaskPutter<T, C>,
    pub(crate) getter: TaskGetter<T, C>,
}

impl<T: Serialize + DeserializeOwned> JoinableQueue<T> {
    /// A queue for at most `most` tasks at a time, 1 to 2^30, of any type that [`serde`](https://serde.rs) can write and read.
    pub fn bounded(most: usize) -> Result<JoinableQueue<T>, CreateError> {
        QueueOptions::new(most).create_joinable::<T, Postcard>()
    }
}

impl<T, C: Codec<T>> JoinableQueue<T, C> {
    /// Gets the next task, as a guard that reports it done when it is dropped. Blocks while there is none.
    pub fn task(&self) -> Result<Task<'_, T, C>, GetError> {
        self.getter.task()
    }
    /// Gets the next task if there is one now.
    pub fn try_task(&self) -> Result<Task<'_, T, C>, TryGetError> {
        self.getter.try_task()
    }
    /// Gets the next task, but blocks no longer than `timeout`.
    pub fn task_timeout(&self, timeout: Duration) -> Result<Task<'_, T, C>, GetTimeoutError> {
        self.getter.task_timeout(timeout)
    }
    /// Reports a task done that this process got. One that it has not got is an error, and changes nothing.
    ///
    /// Where tasks are [delivered again](QueueOptions::create_redelivering), it is the oldest that this thread got and has not
    /// reported, or else the oldest of the process; a [`Task`] reports itself.
    pub fn task_done(&self) -> Result<(), TaskDoneError> {
        self.getter.task_done()
    }
    /// Blocks until every task that was ever put has been got and reported done; also by those who put more meanwhile.
    ///
    /// As long as there are tasks in the queue, it waits for somebody to get them: this process could. If those who could
    /// get them are to be found missing, let the queue be a [`TaskPutter`] here ([`into_putter`](Self::into_putter)).
    pub fn join(&self) -> Result<(), JoinError> {
        self.putter.join()
    }
    /// As [`join`](Self::join), but blocks no longer than `timeout`.
    pub fn join_timeout(&self, timeout: Duration) -> Result<(), JoinTimeoutError> {
        self.putter.join_timeout(timeout)
    }
    /// How many tasks were put and are not done, at some instant of this call: in the queue, in hand, or lost.
    pub fn unfinished(&self) -> Result<usize, QueueError> {
        self.putter.unfinished()
    }
    /// Takes note of the tasks whose workers have died, as [`JoinError::WorkerDied`] says: they count as done from now on.
    /// Answers how many they were. Blocks while somebody is stopped in the middle of a `get`.
    pub fn acknowledge(&self) -> Result<usize, QueueError> {
        self.putter.acknowledge()
    }
}

impl<T, C: Codec<T>> TaskPutter<T, C> {
    /// As [`JoinableQueue::join`]. If nobody is left who could get what is in the queue, it says so.
    pub fn join(&self) -> Result<(), JoinError> {
        self.end.join(Deadline::NEVER)?.map_err(JoinError::of)
    }
    /// As [`JoinableQueue::join_timeout`].
    pub fn join_timeout(&self, timeout: Duration) -> Result<(), JoinTimeoutError> {
        let joined = self.end.join(Deadline::after(timeout)).map_err(JoinError::from)?;
        joined.map_err(|unjoined| match unjoined {
            Unjoined::TimedOut => JoinTimeoutError::TimedOut,
            unjoined => JoinError::of(unjoined).into(),
        })
    }
    /// As [`JoinableQueue::unfinished`].
    pub fn unfinished(&self) -> Result<usize, QueueError> {
        Ok(self.end.unfinished()??)
    }
    /// As [`JoinableQueue::acknowledge`].
    pub fn acknowledge(&self) -> Result<usize, QueueError> {
        Ok(self.end.acknowledge()??)
    }
}

impl<T, C: Codec<T>> TaskGetter<T, C> {
    /// As [`JoinableQueue::task`].
    pub fn task(&self) -> Result<Task<'_, T, C>, GetError> {
        self.pull(WAIT).map(|got| Task::new(got, self)).map_err(get_error)
    }
    /// As [`JoinableQueue::try_task`].
    pub fn try_task(&self) -> Result<Task<'_, T, C>, TryGetError> {
        self.pull(self.end.at_once()).map(|got| Task::new(got, self)).map_err(try_get_error)
    }
    /// As [`JoinableQueue::task_timeout`].
    pub fn task_timeout(&self, timeout: Duration) -> Result<Task<'_, T, C>, GetTimeoutError> {
        self.pull(within(timeout)).map(|got| Task::new(got, self)).map_err(get_timeout_error)
    }
    /// As [`JoinableQueue::task_done`].
    pub fn task_done(&self) -> Result<(), TaskDoneError> {
        Ok(self.end.task_done(None)??)
    }
}
