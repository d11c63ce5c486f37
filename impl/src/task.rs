//! [`Task`]: what a worker has in hand.

use crate::algorithm::queue::Receipt;
use crate::codec::{Codec, Postcard};
use crate::joinable_queue::TaskGetter;
use crate::task_error::TaskDoneError;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

/// A task that this process got from a [`JoinableQueue`](crate::JoinableQueue): it is reported done when this is dropped, also
/// by a panic, as Python's `finally` would. Who wants it to count as undone keeps it ([`std::mem::forget`]) until the process
/// ends.
#[must_use = "a task is reported done when its guard is dropped"]
pub struct Task<'q, T, C: Codec<T> = Postcard> {
    value: T,
    report: Report<'q, T, C>,
}

struct Report<'q, T, C: Codec<T>> {
    getter: &'q TaskGetter<T, C>,
    receipt: Receipt,
}

impl<T, C: Codec<T>> Report<'_, T, C> {
    fn done(&self) -> Result<(), TaskDoneError> {
        Ok(self.getter.end.task_done(Some(self.receipt))??)
    }
}

impl<'q, T, C: Codec<T>> Task<'q, T, C> {
    pub(crate) fn new((value, receipt): (T, Receipt), getter: &'q TaskGetter<T, C>) -> Self {
        Task { value, report: Report { getter, receipt } }
    }

    /// How many had it in hand before, and died: 0, unless the queue
    /// [delivers again](crate::QueueOptions::create_redelivering).
    pub fn times(&self) -> u32 {
        self.report.receipt.times
    }

    /// Reports it done, and says so if that failed: somebody has called `task_done` once too often. Gives the value back.
    pub fn done(self) -> Result<T, TaskDoneError> {
        let Task { value, report } = self;
        let report = ManuallyDrop::new(report);
        report.done().map(|()| value)
    }
}

impl<T, C: Codec<T>> Drop for Report<'_, T, C> {
    fn drop(&mut self) {
        // Too many reports are found by whoever makes the last of them; and a forked child does not report for its parent.
        let _ = self.done();
    }
}

impl<T, C: Codec<T>> Deref for Task<'_, T, C> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T, C: Codec<T>> DerefMut for Task<'_, T, C> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug, C: Codec<T>> fmt::Debug for Task<'_, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").field(&self.value).finish()
    }
}
