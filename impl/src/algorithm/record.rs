//! Records in a ring: how a message, or a part of one, stands among the others.
//!
//! | framing | record |
//! |---|---|
//! | `Fixed` | the message, which always has so many bytes |
//! | `Framed` | a word, `START + bytes to come, this record's included`, and as many of them as fit a fragment |
//!
//! The reader never believes what it finds: a record that would be longer than what the ring holds is corrupt.

use super::ring::{Ring, WORD_BYTES};
use crate::platform::{Access, Platform, Site};
use std::slice::from_ref;

const HEADER: Site = Site::guarded("record.header", Access::Load, "written before the tail that was seen");
const LABEL: Site =
    Site::guarded("record.label", Access::Store, "its words were given back before the head that was seen");
const DRAW: Site = Site::guarded("record.draw", Access::Load, "written before the tail that was seen");
const FILL: Site =
    Site::guarded("record.fill", Access::Store, "its words were given back before the head that was seen");

/// The sites of this file.
pub static SITES: &[&Site] = &[&HEADER, &LABEL, &DRAW, &FILL];

const START: u64 = 1 << 63;

/// How messages are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Every message has this many bytes, and is one record.
    Fixed(usize),
    /// Messages of any size; a record has at most this many bytes of one, a multiple of 8.
    Framed(usize),
}

impl Framing {
    /// Words of a record with `bytes` bytes of a message.
    #[inline(always)]
    pub fn words(self, bytes: usize) -> usize {
        match self {
            Framing::Fixed(_) => bytes.div_ceil(WORD_BYTES).max(1),
            Framing::Framed(_) => 1 + bytes.div_ceil(WORD_BYTES),
        }
    }

    /// Whether a message of so many bytes is one record.
    #[inline(always)]
    pub fn is_whole(self, bytes: usize) -> bool {
        match self {
            Framing::Fixed(fixed) => fixed == bytes,
            Framing::Framed(fragment) => bytes <= fragment,
        }
    }

    /// Bytes before a record's own.
    #[inline(always)]
    pub fn ahead(self) -> u32 {
        match self {
            Framing::Fixed(_) => 0,
            Framing::Framed(_) => WORD_BYTES as u32,
        }
    }
}

/// What a record says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// Whether a message begins here.
    pub starts: bool,
    /// Bytes of the message from here on.
    pub to_come: u64,
}

impl Label {
    /// Of a record that is a whole message.
    #[inline(always)]
    pub fn whole(bytes: usize) -> Label {
        Label { starts: true, to_come: bytes as u64 }
    }
}

impl<P: Platform> Ring<'_, P> {
    /// Writes a record at `position`, where there is room for it; answers how many words it has.
    #[inline(always)]
    pub fn write(self, platform: &P, framing: Framing, position: u32, label: Label, bytes: &[u8]) -> usize {
        self.label(platform, framing, position, label);
        let position = position.wrapping_add(framing.ahead());
        // A length that the compiler knows is still known inside: a short message takes a few instructions, and no loop.
        match self.words_at(position, bytes.len().div_ceil(WORD_BYTES)) {
            Some(words) => platform.copy_in(words, bytes, &FILL),
            None => write_pieces(platform, self.words, self.offset(position), bytes),
        }
        framing.words(bytes.len())
    }

    /// Writes what the record at `position` says of itself, if records do.
    #[inline(always)]
    pub fn label(self, platform: &P, framing: Framing, position: u32, label: Label) {
        if let (Framing::Framed(_), Some(word)) = (framing, self.word_at(position)) {
            platform.store(word, if label.starts { START } else { 0 } | label.to_come, &LABEL);
        }
    }

    /// What the record at `position` says of itself.
    #[inline(always)]
    pub fn label_at(self, platform: &P, framing: Framing, position: u32) -> Label {
        match (framing, self.word_at(position)) {
            (Framing::Framed(_), Some(word)) => {
                let word = platform.load(word, &HEADER);
                Label { starts: word & START != 0, to_come: word & !START }
            }
            (Framing::Fixed(bytes) | Framing::Framed(bytes), _) => Label::whole(bytes),
        }
    }

    /// Reads the bytes at `position`.
    #[inline(always)]
    pub fn read(self, platform: &P, position: u32, bytes: &mut [u8]) {
        match self.words_at(position, bytes.len().div_ceil(WORD_BYTES)) {
            Some(words) => platform.copy_out(words, bytes, &DRAW),
            // Here, and not in a function of its own: a place of which nobody else is told need not be memory at all.
            None => {
                for (index, bytes) in bytes.chunks_mut(WORD_BYTES).enumerate() {
                    let word = self.word_at(position.wrapping_add((index * WORD_BYTES) as u32));
                    platform.copy_out(word.map_or(&[], from_ref), bytes, &DRAW);
                }
            }
        }
    }
}

/// Writes bytes of which the first stands at `offset`, and the last at the ring's beginning. Not a method: a ring handed to it
/// would be written to the stack each time, in case.
#[cold]
fn write_pieces<P: Platform>(platform: &P, words: &[P::Word<u64>], offset: usize, bytes: &[u8]) {
    let (second, first) = words.split_at(offset / WORD_BYTES);
    let (here, there) = bytes.split_at(bytes.len().min(first.len() * WORD_BYTES));
    platform.copy_in(first, here, &FILL);
    platform.copy_in(second.get(..there.len().div_ceil(WORD_BYTES)).unwrap_or_default(), there, &FILL);
}
