//! How far each side of a [ring](super::ring) has come: the words `tail` and `head`, decoded, and what a side remembers of both.

/// Bytes of a word: records begin and end at multiples of this.
pub const WORD_BYTES: usize = 8;

const COUNT: u32 = CLOSED - 1;
const CLOSED: u32 = 1 << 31;

/// How far a side has come: its word, decoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Progress(u64);

impl Progress {
    /// The word as it stands in memory.
    pub fn from_bits(bits: u64) -> Progress {
        Progress(bits)
    }
    /// As it stands in memory.
    pub fn to_bits(self) -> u64 {
        self.0
    }
    /// Records, modulo 2^31.
    #[inline(always)]
    pub fn count(self) -> u32 {
        self.low() & COUNT
    }
    /// Bytes, modulo 2^32.
    #[inline(always)]
    pub fn position(self) -> u32 {
        (self.0 >> 32) as u32
    }
    /// Whether the side has closed.
    #[inline(always)]
    pub fn is_closed(self) -> bool {
        self.low() & CLOSED != 0
    }
    /// How many records further this is than `earlier`.
    #[inline(always)]
    pub fn records_since(self, earlier: Progress) -> u32 {
        self.count().wrapping_sub(earlier.count()) & COUNT
    }
    /// How many bytes further.
    #[inline(always)]
    pub fn bytes_since(self, earlier: Progress) -> usize {
        self.position().wrapping_sub(earlier.position()) as usize
    }
    /// The half that is slept on.
    #[inline(always)]
    pub(super) fn low(self) -> u32 {
        self.0 as u32
    }
    #[inline(always)]
    pub(super) fn after(self, records: u32, bytes: u32) -> Progress {
        let low = self.count().wrapping_add(records) & COUNT | self.low() & CLOSED;
        Progress(u64::from(self.position().wrapping_add(bytes)) << 32 | u64::from(low))
    }
    /// How many more records there can be before the count is 0 again.
    #[inline(always)]
    pub(super) fn records_to_last(self) -> u32 {
        COUNT - self.count()
    }
    /// As [`after`](Progress::after) one more record, in one step; not if that is past the last.
    #[inline(always)]
    pub(super) fn after_one(self, bytes: u32) -> Progress {
        Progress(self.0.wrapping_add(u64::from(bytes) << 32 | 1))
    }
    /// Without the bit that says so.
    fn opened(self) -> Progress {
        Progress(self.0 & !u64::from(CLOSED))
    }
    pub(super) fn closed(self) -> Progress {
        Progress(self.0 | u64::from(CLOSED))
    }
}

/// Who moves a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The writer, who moves the tail.
    Writer,
    /// The reader, who moves the head.
    Reader,
}

impl Side {
    /// The other.
    #[inline(always)]
    pub fn other(self) -> Side {
        match self {
            Side::Writer => Side::Reader,
            Side::Reader => Side::Writer,
        }
    }
}

/// What a side remembers between two operations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// How far it has come, with what is not committed yet.
    pub(super) own: Progress,
    /// What it has committed.
    pub(super) committed: Progress,
    /// What it last saw of the other.
    pub(super) other: Progress,
}

impl Cursor {
    /// A side that has come so far, and has seen the other come so far.
    #[inline(always)]
    pub fn new(own: Progress, other: Progress) -> Cursor {
        Cursor { own, committed: own, other }
    }
    /// Where its next record begins.
    #[inline(always)]
    pub fn position(&self) -> u32 {
        self.own.position()
    }
    /// How far it has come.
    pub fn own(&self) -> Progress {
        self.own
    }
    /// How far it has come with what others know of.
    pub fn committed(&self) -> Progress {
        self.committed
    }
    /// What it last saw of the other.
    #[inline(always)]
    pub fn other(&self) -> Progress {
        self.other
    }
    /// Whether the other side has closed, as far as was seen.
    #[inline(always)]
    pub fn other_is_closed(&self) -> bool {
        self.other.is_closed()
    }
    /// Whether it has written, or read, what it has not committed yet.
    #[inline(always)]
    pub fn is_staged(&self) -> bool {
        self.own != self.committed
    }
    /// Bytes of the records that a reader has seen and not gone past.
    #[inline(always)]
    pub fn filled(&self) -> usize {
        self.other.bytes_since(self.own)
    }
    /// How many they are.
    #[inline(always)]
    pub fn records(&self) -> u32 {
        self.other.records_since(self.own)
    }
    /// How many records a writer has committed that were not given back, as far as was seen.
    #[inline(always)]
    pub fn records_out(&self) -> u32 {
        self.own.records_since(self.other)
    }
    /// Goes past all records that were seen.
    pub fn skip(&mut self) {
        let end = self.other.opened();
        self.own = if self.own.is_closed() { end.closed() } else { end };
    }
    /// Goes past a record; nobody knows before the next commit.
    #[inline(always)]
    pub fn advance(&mut self, words: usize) {
        let bytes = (words * WORD_BYTES) as u32;
        self.own = if self.own.records_to_last() > 0 { self.own.after_one(bytes) } else { self.own.after(1, bytes) };
    }
}
