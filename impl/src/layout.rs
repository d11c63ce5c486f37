//! The layout of a region: one page of header, then the primitive's own words.
//!
//! Every field is a word that is only ever accessed atomically, so that a hostile peer can at worst make us refuse. Sizes
//! and offsets are a contract between processes: asserted here at compile time, drawn by [`drawing`].

use crate::algorithm::array;
use crate::algorithm::lock::Lock;
use crate::algorithm::queue;
use crate::algorithm::ring::{Control, Line};
use crate::algorithm::tally::{Tally, Totals};
use crate::algorithm::value::{WORD_BYTES, words_for};
use crate::shm::{Shm, ShmWord};
use std::fmt::Write;
use std::mem::offset_of;
use zerocopy::FromBytes;

/// `PROCESSN`, read as a native integer: a region of the other byte order does not match.
pub const MAGIC: u64 = u64::from_ne_bytes(*b"PROCESSN");
/// Changes whenever a layout or a protocol does.
pub const VERSION: u32 = 3;
/// The most peers a region can have at once.
pub const PEERS: usize = 256;
/// The most bytes of a region's name.
pub const NAME_BYTES: usize = 200;
/// Where the primitive's own words begin.
pub const BODY: usize = 4096;

/// The first page of every region.
#[repr(C)]
#[derive(FromBytes)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: ShmWord<u64>,
    /// [`VERSION`].
    pub version: ShmWord<u32>,
    /// A [`Kind`].
    pub kind: ShmWord<u32>,
    /// Bytes of the element type.
    pub type_size: ShmWord<u64>,
    /// Its alignment.
    pub type_align: ShmWord<u32>,
    /// Its type code, or 0 for a user's type.
    pub type_code: ShmWord<u32>,
    /// Bytes of the body.
    pub body: ShmWord<u64>,
    /// A random number that names this region.
    pub id: ShmWord<u64>,
    /// The region of the lock that guards this one; 0: the lock inside.
    pub lock_id: ShmWord<u64>,
    /// Elements: 1 in a value, 0 in a lock.
    pub length: ShmWord<u64>,
    /// 1: the fence pair is asymmetric; 0: both are full fences.
    pub fences: ShmWord<u32>,
    /// Peer ids handed out so far.
    pub next_id: ShmWord<u32>,
    /// The peers attached.
    pub peers: [ShmWord<u32>; PEERS],
    /// The name of the lock that guards this region, if that is another region and has one; zeros behind it.
    pub lock_name: [ShmWord<u64>; NAME_BYTES / 8],
    /// How messages are written, in a region that has them.
    pub codec: ShmWord<u32>,
    /// What else was asked for: [`SURVIVES`].
    pub options: ShmWord<u32>,
    /// The longest time that anybody sleeps without a look, in milliseconds; 0: as long as usual.
    pub tick: ShmWord<u32>,
    /// The parts of the primitive that some peer has had handles of.
    pub ever: ShmWord<u32>,
    /// Beside each slot of `peers`: which parts of the primitive that peer has handles of.
    pub roles: [ShmWord<u32>; PEERS],
}

/// An option: the end of a dead process waits for another process to take it over.
pub const SURVIVES: u32 = 1;
/// The most bytes of a ring: a word says how many there are, modulo 2^32.
pub const LONGEST_RING: usize = 1 << 31;
/// Bytes of a page on the machines for which rings are mapped twice in a row: where a ring begins is a multiple of it.
pub const PAGE: usize = 4096;

/// The body of a pipe, beside its records: the words of a ring for each direction, and who has the ends.
#[repr(C)]
#[derive(FromBytes)]
pub struct PipeHead {
    /// One for each direction; the second is unused in a simplex pipe.
    pub rings: [Control<Shm>; 2],
    /// Of each direction: who has the sender's end, and the receiver's.
    pub ends: [[ShmWord<u32>; 2]; 2],
}

/// The body of a `Value`: its own lock (unused if another guards it) and the version; the words follow.
#[repr(C)]
#[derive(FromBytes)]
pub struct ValueHead {
    /// The lock.
    pub lock: Lock<Shm>,
    /// Values published so far.
    pub version: ShmWord<u64>,
}

/// The body of a queue, beside its records.
#[repr(C)]
#[derive(FromBytes)]
pub struct QueueHead {
    /// The words of the ring, and the two locks.
    pub control: queue::Control<Shm>,
    /// The most messages there may be.
    pub most: ShmWord<u32>,
}

/// The body of a joinable queue, beside its records.
#[repr(C)]
#[derive(FromBytes)]
pub struct JoinableHead {
    /// As in every queue.
    pub queue: QueueHead,
    /// What all tallies share.
    pub totals: Totals<Shm>,
    /// What whoever joins sleeps on.
    pub events: Line<ShmWord<u32>>,
    /// Beside each slot of the peers: what that peer has taken and done.
    pub tallies: [Tally<Shm>; PEERS],
    /// How many copies there are of what is in hand, behind the records; 0: none, what the dead had in hand is lost.
    pub copies: ShmWord<u32>,
    /// The most bytes of each.
    pub copy_bytes: ShmWord<u32>,
}

/// What a region is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// A [`Lock`](crate::Lock).
    Lock = 1,
    /// An [`RLock`](crate::RLock).
    RLock = 2,
    /// A [`Value`](crate::Value).
    Value = 3,
    /// A [`RawValue`](crate::RawValue).
    RawValue = 4,
    /// An [`Array`](crate::Array).
    Array = 5,
    /// A [`RawArray`](crate::RawArray).
    RawArray = 6,
    /// A [`Pipe`](crate::Pipe) of one direction.
    Simplex = 7,
    /// A [`Pipe`](crate::Pipe) of two.
    Duplex = 8,
    /// A [`Queue`](crate::Queue).
    Queue = 9,
    /// A [`JoinableQueue`](crate::JoinableQueue).
    JoinableQueue = 10,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 10] = [
        Kind::Lock,
        Kind::RLock,
        Kind::Value,
        Kind::RawValue,
        Kind::Array,
        Kind::RawArray,
        Kind::Simplex,
        Kind::Duplex,
        Kind::Queue,
        Kind::JoinableQueue,
    ];

    /// The kind with this number.
    pub fn from_bits(bits: u32) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u32 == bits)
    }
    /// Where the words of what it holds begin, from the start of the body.
    pub const fn words_at(self) -> usize {
        match self {
            Kind::Lock | Kind::RLock => size_of::<Lock<Shm>>(),
            Kind::Value => size_of::<ValueHead>(),
            Kind::Array => 64, // a cache line for the lock
            Kind::RawValue | Kind::RawArray => 0,
            Kind::Simplex | Kind::Duplex | Kind::Queue => PAGE,
            Kind::JoinableQueue => size_of::<JoinableHead>().next_multiple_of(PAGE),
        }
    }
    /// Bytes of each of those words, for elements of `bytes` bytes; 0 where there are none.
    pub const fn word_width(self, bytes: usize) -> usize {
        match self {
            Kind::Lock | Kind::RLock => 0,
            Kind::Value | Kind::RawValue => WORD_BYTES,
            Kind::Simplex | Kind::Duplex | Kind::Queue | Kind::JoinableQueue => WORD_BYTES,
            Kind::Array | Kind::RawArray => array::width_for(bytes),
        }
    }
    /// How many rings it has, each of `length` bytes.
    pub const fn rings(self) -> usize {
        match self {
            Kind::Simplex | Kind::Queue | Kind::JoinableQueue => 1,
            Kind::Duplex => 2,
            _ => 0,
        }
    }
    /// Bytes of all of those words, for `length` elements of `bytes` bytes. `None`: more than can be counted.
    pub const fn words_size(self, bytes: usize, length: usize) -> Option<usize> {
        match self {
            Kind::Lock | Kind::RLock => Some(0),
            Kind::Simplex | Kind::Duplex | Kind::Queue | Kind::JoinableQueue => length.checked_mul(self.rings()),
            Kind::Value => words_for(bytes).checked_mul(WORD_BYTES),
            Kind::RawValue => bytes.div_ceil(WORD_BYTES).checked_mul(WORD_BYTES),
            // `bytes` may be what a broken process wrote into a header.
            Kind::Array | Kind::RawArray if bytes > isize::MAX.unsigned_abs() => None,
            Kind::Array | Kind::RawArray => array::stride_for(bytes).checked_mul(length),
        }
    }
}

const _: () = {
    assert!(size_of::<Header>() <= BODY);
    assert!(offset_of!(Header, version) == 8 && offset_of!(Header, kind) == 12);
    assert!(offset_of!(Header, type_size) == 16 && offset_of!(Header, type_align) == 24);
    assert!(offset_of!(Header, type_code) == 28 && offset_of!(Header, body) == 32);
    assert!(offset_of!(Header, id) == 40 && offset_of!(Header, lock_id) == 48);
    assert!(offset_of!(Header, length) == 56);
    assert!(offset_of!(Header, fences) == 64 && offset_of!(Header, next_id) == 68);
    assert!(offset_of!(Header, peers) == 72 && offset_of!(Header, lock_name) == 72 + 4 * PEERS);
    assert!(offset_of!(Header, codec) == 72 + 4 * PEERS + NAME_BYTES);
    assert!(size_of::<Header>() == 88 + 8 * PEERS + NAME_BYTES);
    assert!(size_of::<QueueHead>() <= PAGE && align_of::<QueueHead>() == 128);
    assert!(offset_of!(JoinableHead, queue) == 0 && align_of::<JoinableHead>() == 128);
    assert!(size_of::<Tally<Shm>>() == 64 && size_of::<JoinableHead>() <= 5 * PAGE);
    assert!(size_of::<PipeHead>() <= PAGE && BODY.is_multiple_of(PAGE));
    assert!(align_of::<PipeHead>() == 128 && offset_of!(PipeHead, ends) == 2 * 3 * 128);
    assert!(size_of::<Lock<Shm>>() == 16 && align_of::<Lock<Shm>>() == 8);
    assert!(size_of::<ValueHead>() == 24 && offset_of!(ValueHead, version) == 16);
};

/// The layout as a table: offset, bytes, name, from the types themselves.
pub fn drawing() -> String {
    let mut out = String::from("offset  bytes  field\n");
    macro_rules! rows {
        ($base:expr, $Type:ty: $($field:ident),*) => {$(
            let field: fn(&$Type) -> usize = |whole| size_of_val(&whole.$field);
            let zero: $Type = zerocopy::FromZeros::new_zeroed();
            let (at, bytes, name) = ($base + offset_of!($Type, $field), field(&zero), stringify!($field));
            let _ = writeln!(out, "{at:>6}  {bytes:>5}  {name}");
        )*};
    }
    out.push_str("-- every region\n");
    rows!(0, Header: magic, version, kind, type_size, type_align, type_code, body, id, lock_id, length, fences, next_id, peers,
        lock_name, codec, options, tick, ever, roles);
    out.push_str("-- Lock, RLock: word (bits 0-29 owner, 30 contended, 31 died), depth, thread\n");
    let _ = writeln!(out, "{BODY:>6}  {:>5}  lock", size_of::<Lock<Shm>>());
    out.push_str("-- Value: up to 8 bytes one word, else an even and an odd copy\n");
    rows!(BODY, ValueHead: lock, version);
    let _ = writeln!(out, "{:>6}  {:>5}  words", BODY + Kind::Value.words_at(), "...");
    out.push_str("-- Array: an element of up to 8 bytes is one word of 1, 2, 4 or 8 bytes; a larger one, words of 8\n");
    let _ = writeln!(out, "{BODY:>6}  {:>5}  lock", size_of::<Lock<Shm>>());
    let _ = writeln!(out, "{:>6}  {:>5}  elements", BODY + Kind::Array.words_at(), "...");
    out.push_str("-- Simplex, Duplex: for each direction tail, head and marks, 128 bytes each; then the records\n");
    rows!(BODY, PipeHead: rings, ends);
    let _ = writeln!(out, "{:>6}  {:>5}  records", BODY + Kind::Simplex.words_at(), "...");
    out.push_str(
        "-- Queue: tail, head and marks, 128 bytes each; a lock and a word for the putters, and for the getters\n",
    );
    rows!(BODY, QueueHead: control, most);
    let _ = writeln!(out, "{:>6}  {:>5}  records", BODY + Kind::Queue.words_at(), "...");
    out.push_str(
        "-- JoinableQueue: the same; words that all share; for each peer whose tally it is, taken, left, done\n",
    );
    rows!(BODY, JoinableHead: queue, totals, events, tallies, copies, copy_bytes);
    let _ = writeln!(out, "{:>6}  {:>5}  records, copies", BODY + Kind::JoinableQueue.words_at(), "...");
    out.push_str("-- RawValue, RawArray\n");
    let _ = writeln!(out, "{BODY:>6}  {:>5}  words, elements", "...");
    out
}
