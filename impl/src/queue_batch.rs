//! Many messages at a time, for both sides of a queue.

use crate::algorithm::queue::Receipt;
use crate::algorithm::queue_many::Room;
use crate::codec::{Codec, EncodeError};
use crate::pipe_error::Unsent;
use crate::queue_end::{QueueEnd, Raw, WAIT};
use crate::queue_error::{GetError, PutError};
use crate::queue_place::{Content, Located};
use crate::queue_sides::{Failed, Getter, Missed, Putter, get_error};

/// The most messages of one entry into a lock: beyond it there is little to gain, and others wait.
const BATCH: usize = 64;

/// Messages one after the other in one buffer.
struct Batch {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    /// Of those that were got.
    receipts: Vec<Receipt>,
}

impl Batch {
    /// None, and memory for so many, if every message has so many bytes: for no more than fit into the queue.
    fn of(most: usize, fixed: Option<usize>, capacity: usize) -> Batch {
        let bytes = fixed.map_or(0, |fixed| most.saturating_mul(fixed).min(capacity));
        Batch { bytes: Vec::with_capacity(bytes), ends: Vec::with_capacity(most), receipts: Vec::new() }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

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
        let likely = values.size_hint().0.min(BATCH);
        let mut taken = Vec::with_capacity(likely);
        let mut batch = Batch::of(likely, C::fixed(), self.end.capacity());
        loop {
            taken.extend(values.by_ref().take(BATCH));
            if taken.is_empty() {
                return Ok(());
            }
            if let Err((put, failed)) = self.put_batch(&taken, &mut batch) {
                taken.drain(..put);
                return Err(Unsent { value: taken, error: self.put_error(failed) });
            }
            taken.clear();
            batch.clear();
        }
    }

    /// Answers how many were put before it failed, if it did.
    fn put_batch(&self, values: &[T], batch: &mut Batch) -> Result<(), (usize, Failed)> {
        let mut scratch = Vec::new();
        let mut failed = None;
        for value in values {
            if let Err(error) = encode::<T, C>(value, &mut scratch, batch) {
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

/// Of messages that were got together, those that have not become values so far.
struct Left<'q, L: Located> {
    end: &'q QueueEnd<L>,
    receipts: std::slice::Iter<'q, Receipt>,
}

impl<'q, L: Located> Left<'q, L> {
    #[inline]
    fn next(&mut self) -> Option<Raw<'q, L>> {
        self.receipts.next().map(|receipt| Raw { end: self.end, receipt: *receipt })
    }
}

impl<L: Located> Drop for Left<'_, L> {
    /// A codec has panicked: they are done with, as the one that it was at.
    fn drop(&mut self) {
        while self.next().is_some() {}
    }
}

impl<T, C: Codec<T>, Q: Content> Getter<T, C, Q> {
    /// Gets at least one message and at most `most`, of those that are there, and adds them to `messages`; answers how many:
    /// never more than 64, since nobody else gets anything meanwhile. Faster than one by one. Blocks while there is none;
    /// with a `most` of 0, does nothing.
    ///
    /// If one is no value of the type, that is told; those that were got with it are in `messages` nevertheless.
    pub fn get_many(&self, messages: &mut Vec<T>, most: usize) -> Result<usize, GetError> {
        let most = most.min(BATCH).min(self.end.most() as usize);
        let mut batch = Batch::of(most, C::fixed(), self.end.capacity());
        batch.receipts.reserve(most);
        let got = self.end.with(|queue, shm, me| queue.get_many(shm, me, WAIT, (most, &mut batch)));
        let count = got.map_err(Missed::Attach).and_then(|got| got.map_err(Missed::Refused)).map_err(get_error)?;
        let mut left = Left { end: &self.end, receipts: batch.receipts.iter() };
        let mut failed = None;
        messages.reserve(count);
        // There was room for one more than was got, perhaps.
        for bytes in batch.iter().take(count) {
            let Some(raw) = left.next() else { break };
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
