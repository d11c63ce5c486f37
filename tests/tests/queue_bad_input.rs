//! Bad input to queues: what cannot be is refused by the error that says so, and a peer that writes what no peer writes does no
//! more harm than that.

use procession::layout::Kind;
use procession::{
    AsIs, AttachError, CreateError, GetError, GetTimeoutError, Getter, Handle, Lock, OpenError, PipeOptions, Postcard,
    PutError, PutTimeoutError, Putter, Queue, QueueOptions, Receiver, TryGetError, TryPutError, TypePrint,
};
use procession_tests::pipe_tasks::Remote;
use procession_tests::queue_tasks::Message;
use procession_tests::{Name, Random, Watchdog, peak, refused, task, told};
use serde::{Deserialize, Serialize, Serializer};
use std::time::Duration;

/// Where a queue's region has what.
mod at {
    pub const BODY_BYTES: u64 = 32;
    pub const LENGTH: u64 = 56;
    pub const CODEC: u64 = 72 + 4 * 256 + 200;
    pub const TICK: u64 = CODEC + 8;
    pub const TAIL: u64 = 4096;
    pub const HEAD: u64 = TAIL + 128;
    pub const MARKS: u64 = TAIL + 256;
    /// The lock and what is known, of those who put and of those who get.
    pub const GATES: [u64; 2] = [TAIL + 384, TAIL + 512];
    pub const KNOWN: u64 = 16;
    pub const MOST: u64 = TAIL + 640;
    pub const RECORDS: u64 = TAIL + 4096;
}

const SOON: Duration = Duration::from_millis(1);

type Bytes = Vec<u8>;

fn queue(name: &Name) -> Queue<Bytes> {
    QueueOptions::new(9).capacity(4096).named(name).tick(SOON).create().unwrap()
}

/// A side's word: so many records and bytes.
fn word(records: u32, bytes: u32) -> [u8; 8] {
    (u64::from(bytes) << 32 | u64::from(records)).to_ne_bytes()
}

// ---- queues that cannot be, and queues of another sort ----

#[test]
fn so_many_messages_and_bytes_as_no_queue_has() {
    for most in [0, (1 << 30) + 1, usize::MAX] {
        let made = Queue::<u8>::bounded(most).map(drop);
        refused(made, CreateError::MaxLen { most, longest: 1 << 30 }, &[&most.to_string()]);
    }
    for bytes in [0, (1 << 31) + 1, usize::MAX] {
        let made = QueueOptions::new(1).capacity(bytes).create::<u8, AsIs>().map(drop);
        refused(made, CreateError::Capacity { bytes, longest: 1 << 31 }, &[&bytes.to_string()]);
    }
    // Memory that was never used is not taken.
    let wide = Queue::<u64>::bounded(1 << 30).unwrap();
    assert_eq!((wide.max_len(), wide.putter().capacity()), (1 << 30, 1 << 26));
}

#[test]
fn a_name_in_use() {
    let name = Name::new("in-use");
    let first = queue(&name);
    let again = QueueOptions::new(1).named(&name).create::<u8, AsIs>().map(drop);
    refused(again, CreateError::Exists { name: name.to_string() }, &[&name]);
    first.put(vec![1]).unwrap();
    assert_eq!(first.get(), Ok(vec![1]));
}

#[test]
fn another_kind_type_or_codec() {
    let (plain, pipe, bytes) = (Name::new("plain"), Name::new("pipe"), Name::new("bytes"));
    let _plain = QueueOptions::new(1).named(&plain).create::<u32, AsIs>().unwrap();
    let _pipe = PipeOptions::new().named(&pipe).simplex::<u32, AsIs>().unwrap();
    let kind = |found, expected| OpenError::Kind { found: found as u32, expected };
    refused(Queue::<u32, AsIs>::open(&pipe), kind(Kind::Simplex, Kind::Queue), &["Simplex", "Queue"]);
    refused(Putter::<u32, AsIs>::open(&pipe), kind(Kind::Simplex, Kind::Queue), &["Queue"]);
    refused(Receiver::<u32, AsIs>::open(&plain), kind(Kind::Queue, Kind::Simplex), &["Queue"]);
    refused(Lock::open(&plain), kind(Kind::Queue, Kind::Lock), &["Queue", "Lock"]);
    let print = |code: char, size, align| TypePrint { size, align, code: code as u32 };
    let (found, expected) = (print('I', 4, 4), print('Q', 8, 8));
    refused(Getter::<u64, AsIs>::open(&plain), OpenError::Type { found, expected }, &["'I'", "'Q'"]);
    refused(Queue::<u64, AsIs>::open(&plain), OpenError::Type { found, expected }, &["'I'", "'Q'"]);
    // The same size and no code: only the codec is another.
    let _bytes = queue(&bytes);
    bytes.patch(at::CODEC, &2u32.to_ne_bytes());
    refused(Queue::<Bytes>::open(&bytes), OpenError::Codec { found: 2, expected: 1 }, &["plain data", "postcard"]);
    bytes.patch(at::CODEC, &77u32.to_ne_bytes());
    refused(Putter::<Bytes>::open(&bytes), OpenError::Codec { found: 77, expected: 1 }, &["77"]);
}

// ---- messages that cannot be ----

/// A message that cannot be written, if it says so.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Moody(bool);

impl Serialize for Moody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 { Err(serde::ser::Error::custom("not today")) } else { serializer.serialize_bool(false) }
    }
}

#[test]
fn an_item_that_cannot_be_encoded() {
    let queue = Queue::bounded(1).unwrap();
    let unsent = queue.put(Moody(true)).unwrap_err();
    assert!(matches!(unsent.error, PutError::Encode(_)) && unsent.value == Moody(true), "{unsent:?}");
    assert!(queue.is_empty() && !queue.is_full());
    // It took nobody's place.
    queue.try_put(Moody(false)).unwrap();
    assert!(matches!(queue.try_put(Moody(true)).unwrap_err().error, TryPutError::Put(PutError::Encode(_))));
    assert_eq!((queue.len(), queue.get()), (Ok(1), Ok(Moody(false))));
}

#[test]
fn a_message_larger_than_the_queue() {
    let name = Name::new("large");
    let queue = queue(&name);
    for length in [4087, 5000, 10_000_000] {
        let unsent = queue.put(vec![1; length]).unwrap_err();
        let PutError::TooLarge { bytes, most: 4088 } = unsent.error else { panic!("{:?}", unsent.error) };
        assert!(bytes > length && unsent.value.len() == length);
    }
    assert!(queue.is_empty());
    queue.put(vec![1; 4086]).unwrap();
    assert_eq!(queue.get().unwrap().len(), 4086);
    let wide = QueueOptions::new(1).capacity(4096).create::<[u8; 5000], AsIs>().unwrap();
    assert_eq!(wide.put([1; 5000]).unwrap_err().error, PutError::TooLarge { bytes: 5000, most: 4088 });
}

/// It is consumed, and the next one is intact.
#[test]
fn a_message_that_is_no_value_of_the_type() {
    let name = Name::new("no-value");
    let flags = QueueOptions::new(9).capacity(4096).named(&name).create::<bool, AsIs>().unwrap();
    flags.put(true).unwrap();
    flags.put(false).unwrap();
    name.patch(at::RECORDS, &[2]);
    assert!(matches!(flags.get(), Err(GetError::Decode(_))));
    assert_eq!((flags.get(), flags.try_get()), (Ok(false), Err(TryGetError::Empty)));

    let name = Name::new("no-text");
    let texts = QueueOptions::new(9).capacity(4096).named(&name).create::<String, Postcard>().unwrap();
    texts.put("first".to_owned()).unwrap();
    texts.put("second".to_owned()).unwrap();
    // A length that is not there: nothing is taken for it.
    name.patch(at::RECORDS + 8, &[0xff, 0xff, 0xff, 0xff, 0x7f]);
    assert!(matches!(texts.get(), Err(GetError::Decode(_))));
    assert_eq!(texts.get().unwrap(), "second");
}

// ---- headers ----

#[test]
fn a_ring_of_a_size_that_no_ring_has() {
    let name = Name::new("header");
    let _queue = QueueOptions::new(9).capacity(4096).named(&name).create::<Message, Postcard>().unwrap();
    // Asked by another process: this one has the region already, and has seen its header.
    for side in ["putter", "getter"] {
        for capacity in [0, 8, 2048, 4095] {
            name.patch(at::LENGTH, &(capacity as u64).to_ne_bytes());
            told_as(&name, side, OpenError::Ring { capacity });
        }
        for capacity in [5000, 8192, 1 << 40] {
            name.patch(at::LENGTH, &(capacity as u64).to_ne_bytes());
            told_as(&name, side, OpenError::Truncated { bytes: 12288, expected: capacity + 8192 });
        }
    }
    name.patch(at::LENGTH, &4096u64.to_ne_bytes());
    name.patch(at::BODY_BYTES, &u64::MAX.to_ne_bytes());
    let helper = procession_tests::Helper::start(&mut task!("queue", "getter", &name));
    assert!(helper.line().contains("Truncated"));
}

/// What a helper is told that opens a side: it then has none, and ends with its input.
#[track_caller]
fn told_as(name: &Name, side: &str, error: OpenError) {
    told(&mut task!("queue", side, name), error);
}

/// Neither for ever nor without a pause.
#[test]
fn a_tick_that_no_queue_has() {
    for tick in [u32::MAX, 51, 0] {
        let name = Name::new("tick");
        let queue = QueueOptions::new(9).named(&name).create::<Message, Postcard>().unwrap();
        name.patch(at::TICK, &tick.to_ne_bytes());
        let mut other = Remote::start(&mut task!("queue", "getter", &name));
        assert_eq!(other.ask("get-within 60"), "TimedOut");
        drop(queue);
        assert_eq!(other.ask("get"), "Disconnected");
    }
}

// ---- words that no peer writes ----

#[test]
fn a_tail_that_nobody_leaves() {
    let _watchdog = Watchdog::new("getting from a corrupt queue");
    for tail in [word(1, 4104), word(1, 12), word(1, 0), word(0, 8), word(3, 16), word(1, u32::MAX - 7)] {
        let name = Name::new("tail");
        let queue = queue(&name);
        name.patch(at::TAIL, &tail);
        refused(queue.get(), GetError::Corrupt, &["corrupt"]);
        refused(queue.try_get(), TryGetError::Get(GetError::Corrupt), &["corrupt"]);
        refused(queue.get_timeout(SOON), GetTimeoutError::Get(GetError::Corrupt), &["corrupt"]);
        let all: Vec<_> = queue.getter().iter().take(2).collect();
        assert_eq!(all, [Err(GetError::Corrupt)], "whoever iterates comes to an end");
    }
}

#[test]
fn a_head_that_nobody_leaves() {
    let _watchdog = Watchdog::new("putting into a corrupt queue");
    for head in [word(5, 8), word(4, 0), word(0, 4), word(0, 1 << 31), word(u32::MAX >> 1, 4096)] {
        let name = Name::new("head");
        let queue = queue(&name);
        name.patch(at::HEAD, &head);
        // As long as there is room as far as is known, nobody looks.
        let error = (0..10).find_map(|_| queue.try_put(vec![0; 1000]).err()).unwrap().error;
        assert_eq!(error, TryPutError::Put(PutError::Corrupt), "{head:?}");
        assert_eq!(queue.put(vec![0; 4000]).unwrap_err().error, PutError::Corrupt);
    }
}

/// What a side remembers of the other one stands in shared memory, too.
#[test]
fn what_nobody_can_have_seen() {
    let _watchdog = Watchdog::new("putting into a corrupt queue");
    for known in [word(1, 8), word(0, 8), word(u32::MAX, u32::MAX - 7), word(3, 1 << 31), word(1 << 20, 12)] {
        let name = Name::new("known");
        let queue = queue(&name);
        queue.put(vec![1; 10]).unwrap();
        at::GATES.iter().for_each(|gate| name.patch(gate + at::KNOWN, &known));
        drop(queue.put_timeout(vec![2; 10], SOON));
        drop(queue.get_timeout(SOON));
        name.patch(at::GATES[0] + at::KNOWN, &known);
        drop(queue.put_timeout(vec![2; 4000], SOON));
        // Nobody stays inside.
        drop(queue.close());
    }
}

#[test]
fn a_record_that_nobody_writes() {
    let name = Name::new("record");
    let queue = queue(&name);
    queue.put(vec![7; 15]).unwrap();
    let before = peak();
    for label in [1 << 63 | 17, 1 << 63 | 4096, u64::MAX, 1 << 62, 25] {
        name.patch(at::RECORDS, &label.to_ne_bytes());
        assert_eq!(queue.get(), Err(GetError::Corrupt), "{label:#x}");
        assert_eq!(queue.len(), Ok(1), "nothing is taken for what it is not");
    }
    assert!(peak() - before < 32 << 10, "{} KiB for a message of 16 bytes", peak() - before);
    name.patch(at::RECORDS, &(1u64 << 63 | 16).to_ne_bytes());
    assert_eq!(queue.get(), Ok(vec![7; 15]));
}

#[test]
fn a_lock_of_a_peer_that_never_was() {
    let _watchdog = Watchdog::new("using a queue with a ghost inside");
    for ghost in [12345u32, (1 << 30) - 1, 1 << 30, 1 << 31, u32::MAX] {
        let name = Name::new("ghost");
        let queue = queue(&name);
        at::GATES.iter().for_each(|gate| name.patch(*gate, &ghost.to_ne_bytes()));
        queue.put(vec![1]).unwrap();
        assert_eq!(queue.get(), Ok(vec![1]));
    }
}

/// A lock that somebody has who lives and does not know of it: waited for, as long as one wants.
#[test]
fn a_lock_of_a_peer_that_lives() {
    let name = Name::new("lives");
    let queue = queue(&name);
    let me = procession::Stat::of(&name).unwrap().alive[0];
    at::GATES.iter().for_each(|gate| name.patch(*gate, &me.to_ne_bytes()));
    assert_eq!(queue.put_timeout(vec![1], SOON).unwrap_err().error, PutTimeoutError::TimedOut);
    assert_eq!(queue.get_timeout(SOON), Err(GetTimeoutError::TimedOut));
    assert_eq!((queue.is_empty(), queue.is_full()), (true, false));
}

/// So many messages as no queue is made for.
#[test]
fn a_queue_for_no_message() {
    for most in [0, u32::MAX] {
        let name = Name::new("most");
        let first = queue(&name);
        name.patch(at::MOST, &most.to_ne_bytes());
        let what = "the most messages that the queue may have";
        refused(Queue::<Bytes>::open(&name), AttachError::Corrupt { what }.into(), &[what]);
        // Whoever had it open before goes by what it has read then.
        first.put(vec![1]).unwrap();
        assert_eq!((first.max_len(), first.get()), (9, Ok(vec![1])));
    }
}

/// Whatever stands there, every call comes to an end, and a good one or a typed one.
#[test]
fn garbage_everywhere() {
    let _watchdog = Watchdog::new("using a queue full of garbage");
    let mut random = Random::new(0x6a7b_a6e0);
    for _ in 0..300 {
        let name = Name::new("garbage");
        let queue = queue(&name);
        drop(queue.put_timeout(vec![1; 3000], SOON));
        for _ in 0..8 {
            // Words that are nearly right come further than those that are not.
            let gate = at::GATES[random.below(2) as usize];
            let place = match random.below(7) {
                0 => at::TAIL,
                1 => at::HEAD,
                2 => at::MARKS,
                3 => gate + at::KNOWN,
                4 => gate,
                _ => at::RECORDS + 8 * random.below(512),
            };
            let value = match random.below(4) {
                0 => random.below(u64::MAX),
                1 => random.below(2000) | random.below(2) << 63,
                2 => (8 * random.below(512)) << 32 | random.below(4),
                _ => u64::MAX - random.below(2000),
            };
            // Somebody who lives is waited for, and there are such peers: one, and us.
            let value = if place == gate { value << 8 & 0xffff_ffff | 0x80 } else { value };
            name.patch(place, &value.to_ne_bytes());
            drop(queue.try_put(vec![2; 100]));
            drop(queue.put_timeout(vec![3; 2000], Duration::ZERO));
            drop(queue.try_get());
            drop(queue.get_timeout(Duration::ZERO));
            drop((queue.len(), queue.is_empty(), queue.is_full()));
        }
        drop(queue.close_now());
    }
}
