//! Many messages at a time, for both sides of a queue.

use crate::algorithm::queue::Receipt;
use crate::algorithm::queue_many::Room;
use crate::codec::{Codec, EncodeError};
use crate::pipe_error::Unsent;
use crate::queue_end::{Raw, WAIT};
use crate::queue_error::{GetError, PutError};
use crate::queue_place::Content;
use crate::queue_sides::{Failed, Getter, Missed, Putter, get_error};

/// The most messages of one entry into a lock: beyond it there is little to gain, and others wait.
const BATCH: usize = 64;

/// Messages one after the other in one buffer.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    /// Of those that were got.
    receipts: Vec<Receipt>,
}

impl Batch {
    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let start = |index: usize| index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.ends.iter().enumerate().map(move |(index, end)| &self.bytes[start(index)..*end])
    }
}

impl Room for Batch {
    fn next(&mut self, bytes: usize) -> Option<&mut [u8]> {
        let start = self.bytes.len();
        self.bytes.try_reserve(bytes).ok()?;
        self.bytes.resize(start + bytes, 0);
        self.ends.push(self.bytes.len());
        self.bytes.get_mut(start..)
    }
    fn got(&mut self, receipt: Receipt) {
        self.receipts.push(receipt);
    }
}

impl<T, C: Codec<T>, Q: Content> Putter<T, C, Q> {
    /// Puts all of `values`, in order, and many at a time: faster than one by one. Blocks while the queue is full.
    ///
    /// On an error some have been put; those that were taken from the iterator and not put come back, in order, and the
    /// others are still in it, if it was given as `&mut`. What others put may come between any two.
    pub fn put_many(&self, values: impl IntoIterator<Item = T>) -> Result<(), Unsent<Vec<T>, PutError>> {
        let mut values = values.into_iter();
        loop {
            let mut taken: Vec<T> = values.by_ref().take(BATCH).collect();
            if taken.is_empty() {
                return Ok(());
            }
            if let Err((put, failed)) = self.put_batch(&taken) {
                taken.drain(..put);
                return Err(Unsent { value: taken, error: self.put_error(failed) });
            }
        }
    }

    /// Answers how many were put before it failed, if it did.
    fn put_batch(&self, values: &[T]) -> Result<(), (usize, Failed)> {
        let mut batch = Batch::default();
        let mut scratch = Vec::new();
        let mut failed = None;
        for value in values {
            if let Err(error) = encode::<T, C>(value, &mut scratch, &mut batch) {
                failed = Some(Failed::Encode(error));
                break;
            }
        }
        let mut put = 0;
        while put < batch.ends.len() {
            let rest = || batch.iter().skip(put);
            let result = self.end.with(|queue, shm, me| queue.put_many(shm, me, rest(), WAIT));
            match result {
                Ok(Ok(count)) => put += count,
                Ok(Err(refused)) => {
                    return Err((put, Failed::Refused(refused, rest().next().map_or(0, <[u8]>::len))));
                }
                Err(error) => return Err((put, Failed::Attach(error))),
            }
        }
        failed.map_or(Ok(()), |failed| Err((put, failed)))
    }
}

fn encode<T, C: Codec<T>>(value: &T, scratch: &mut Vec<u8>, batch: &mut Batch) -> Result<(), EncodeError> {
    scratch.clear();
    batch.bytes.extend_from_slice(C::encode(value, scratch)?);
    batch.ends.push(batch.bytes.len());
    Ok(())
}

impl<T, C: Codec<T>, Q: Content> Getter<T, C, Q> {
    /// Gets at least one message and at most `most`, of those that are there, and adds them to `messages`; answers how many:
    /// never more than 64, since nobody else gets anything meanwhile. Faster than one by one. Blocks while there is none;
    /// with a `most` of 0, does nothing.
    ///
    /// If one is no value of the type, that is told; those that were got with it are in `messages` nevertheless.
    pub fn get_many(&self, messages: &mut Vec<T>, most: usize) -> Result<usize, GetError> {
        let mut batch = Batch::default();
        let most = most.min(BATCH);
        let got = self.end.with(|queue, shm, me| queue.get_many(shm, me, WAIT, (most, &mut batch)));
        let count = got.map_err(Missed::Attach).and_then(|got| got.map_err(Missed::Refused)).map_err(get_error)?;
        let raw: Vec<_> = batch.receipts.iter().map(|receipt| Raw { end: &self.end, receipt: *receipt }).collect();
        let mut failed = None;
        for (bytes, raw) in batch.iter().zip(raw) {
            match C::decode_from(bytes) {
                Ok(message) => {
                    messages.push(message);
                    raw.keep();
                }
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(count), |error| Err(error.into()))
    }
}
