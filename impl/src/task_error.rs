//! What can go wrong with tasks, per operation.

use crate::algorithm::joinable::Unjoined;
use crate::algorithm::tally::NoTask;
use crate::error::AttachError;
use thiserror::Error;

/// No task was reported done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TaskDoneError {
    /// This process has no task in hand: it has reported all that it got; those of another process, be it its parent, are not
    /// its own.
    #[error("task_done was called more often than this process got tasks")]
    NoTask,
    /// This process could not become a peer.
    #[error(transparent)]
    Attach(#[from] AttachError),
}

/// Not all tasks are done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JoinError {
    /// All are done but these, which never will be: the processes that got them were killed, or ended. Everybody who joins is
    /// told, until somebody [acknowledges](crate::JoinableQueue::acknowledge) it.
    #[error("{tasks} tasks will never be done: the processes that got them have died")]
    WorkerDied {
        /// How many.
        tasks: usize,
    },
    /// There are tasks in the queue, and every process that could get them has dropped its handles, ended or been killed.
    /// Another one may come.
    #[error("the queue has tasks and no getter any more")]
    Disconnected,
    /// Whether somebody who has a task lives cannot be found out: the region's descriptor was closed.
    #[error("whether somebody who has a task is alive cannot be found out: the region's descriptor was closed")]
    Blind,
    /// A word of the queue holds what no peer writes: somebody is broken.
    #[error("the queue is corrupt")]
    Corrupt,
    /// This process could not become a peer.
    #[error(transparent)]
    Attach(#[from] AttachError),
}

/// Not all tasks were done in time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JoinTimeoutError {
    /// Some were not until the timeout had passed, or somebody was stopped in the middle of a `get` until then.
    #[error("some tasks were unfinished until the timeout had passed")]
    TimedOut,
    /// As for `join`.
    #[error(transparent)]
    Join(#[from] JoinError),
}

impl From<NoTask> for TaskDoneError {
    fn from(NoTask: NoTask) -> TaskDoneError {
        TaskDoneError::NoTask
    }
}

impl JoinError {
    /// A refusal that has nothing to do with a timeout.
    pub(crate) fn of(unjoined: Unjoined) -> JoinError {
        match unjoined {
            Unjoined::WorkerDied(tasks) => JoinError::WorkerDied { tasks: tasks as usize },
            Unjoined::Disconnected => JoinError::Disconnected,
            Unjoined::Blind => JoinError::Blind,
            Unjoined::TimedOut | Unjoined::Corrupt => JoinError::Corrupt,
        }
    }
}
