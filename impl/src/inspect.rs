//! Looking at regions from outside: what is there, who uses it, and removing what nobody does.

use crate::algorithm::array::{Elements, width_for};
use crate::algorithm::lock::Lock;
use crate::algorithm::peers::listed;
use crate::algorithm::ring::{Control, Side};
use crate::algorithm::value::{WORD_BYTES, words_for};
use crate::error::{OpenError, TypePrint};
use crate::layout::{Kind, PipeHead, ValueHead};
use crate::platform::{Access, Life, Ordering, Platform, Site};
use crate::shm::{Attachment, Mapped, MappedElements, MappedSlice, Name, Shm, ShmWord, names};
use std::sync::Arc;

const ASK: Site = Site::plain("inspect.ask", Access::Ask, "a picture for a person");
const LOOK: Site = Site::new("inspect.look", Access::Load, Ordering::Relaxed, "a picture for a person");

/// The most bytes of a value that are looked at.
const MOST: usize = 4096;

/// A picture of a named region, taken field by field while others go on.
#[derive(Debug, Clone)]
pub struct Stat {
    /// What it is; `None` for a kind this version does not know.
    pub kind: Option<Kind>,
    /// What it holds.
    pub element: TypePrint,
    /// The region's random number.
    pub id: u64,
    /// The region of the lock that guards it; 0: its own.
    pub lock_id: u64,
    /// How many elements: 1 in a value, 0 in a lock.
    pub length: usize,
    /// Whether its fence pair is asymmetric.
    pub asymmetric: bool,
    /// The peers that live, this process among them.
    pub alive: Vec<u32>,
    /// The peers that died and whose slots have not been reused.
    pub dead: Vec<u32>,
    /// The state of its lock, if it has one.
    pub lock: Option<LockState>,
    /// The directions of a pipe.
    pub directions: Vec<DirectionState>,
    /// The first bytes of the value or of the elements, 4096 at the most (beside a writer, perhaps torn).
    pub bytes: Vec<u8>,
}

/// A direction of a pipe at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectionState {
    /// Records that were sent and not received. A message larger than a quarter of the pipe is several.
    pub records: u32,
    /// Their bytes.
    pub bytes: usize,
    /// The peer that has, or had, the sender's end.
    pub sender: Option<u32>,
    /// The peer that has, or had, the receiver's end.
    pub receiver: Option<u32>,
    /// Whether the sender's end was closed.
    pub sender_closed: bool,
    /// Whether the receiver's end was closed.
    pub receiver_closed: bool,
}

/// A lock at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockState {
    /// Who holds it.
    pub owner: Option<u32>,
    /// Whether the holder lives.
    pub owner_alive: bool,
    /// Whether somebody may be waiting.
    pub contended: bool,
    /// Whether a death waits to be told.
    pub died: bool,
}

impl Stat {
    /// Looks at the region of that name. This makes the calling process a peer of it for as long as it looks.
    pub fn of(name: &str) -> Result<Stat, OpenError> {
        let attachment = Attachment::open(name, None)?;
        let (shm, header) = (attachment.shm(), attachment.header());
        let kind = Kind::from_bits(shm.load(&header.kind, &LOOK));
        let (alive, dead) = listed(shm, &header.peers).partition(|peer| Platform::life(shm, *peer, &ASK) != Life::Dead);
        let lock_id = shm.load(&header.lock_id, &LOOK);
        let lock = match kind {
            Some(Kind::Lock | Kind::RLock | Kind::Array) if lock_id == 0 => {
                Mapped::<Lock<Shm>>::body(attachment.clone()).map(|lock| state(shm, &lock))
            }
            Some(Kind::Value) if lock_id == 0 => {
                Mapped::<ValueHead>::body(attachment.clone()).map(|head| state(shm, &head.lock))
            }
            _ => None,
        };
        Ok(Stat {
            kind,
            element: attachment.element(),
            id: attachment.id(),
            lock_id,
            length: attachment.length(),
            asymmetric: shm.load(&header.fences, &LOOK) != 0,
            alive,
            dead,
            lock,
            directions: directions(&attachment),
            bytes: kind.and_then(|kind| contents(&attachment, kind)).unwrap_or_default(),
        })
    }
}

fn state(shm: &Shm, lock: &Lock<Shm>) -> LockState {
    let word = lock.peek(shm);
    let owner_alive = word.owner().is_some_and(|owner| shm.life(owner, &ASK) != Life::Dead);
    LockState { owner: word.owner(), owner_alive, contended: word.is_contended(), died: word.has_died() }
}

fn directions(attachment: &Arc<Attachment>) -> Vec<DirectionState> {
    let shm = attachment.shm();
    let Some(head) = Mapped::<PipeHead>::body(attachment.clone()) else { return Vec::new() };
    let rings = attachment.kind().map_or(0, Kind::rings);
    let state = |(ring, [sender, receiver]): (&Control<Shm>, &[ShmWord<u32>; 2])| {
        let (tail, head) = (ring.peek(shm, Side::Writer, &LOOK), ring.peek(shm, Side::Reader, &LOOK));
        let peer = |end| Some(shm.load(end, &LOOK)).filter(|peer| *peer != 0);
        DirectionState {
            records: tail.records_since(head),
            bytes: tail.bytes_since(head),
            sender: peer(sender),
            receiver: peer(receiver),
            sender_closed: tail.is_closed(),
            receiver_closed: head.is_closed(),
        }
    };
    head.rings.iter().zip(&head.ends).take(rings).map(state).collect()
}

/// The current copy of the value, or the first elements. `None`: the header says more than the region holds, or the kind
/// holds nothing.
fn contents(attachment: &Arc<Attachment>, kind: Kind) -> Option<Vec<u8>> {
    let shm = attachment.shm();
    let size = usize::try_from(attachment.element().size).ok()?;
    let (skip, count) = match kind {
        Kind::Lock | Kind::RLock => return None,
        Kind::Simplex | Kind::Duplex | Kind::Queue | Kind::JoinableQueue => return None,
        Kind::Array | Kind::RawArray => return elements(attachment, size),
        Kind::RawValue => (0, size.div_ceil(WORD_BYTES)),
        Kind::Value if words_for(size) == 1 => (0, 1),
        Kind::Value => {
            let head = Mapped::<ValueHead>::body(attachment.clone())?;
            let copy = words_for(size) / 2;
            (if shm.load(&head.version, &LOOK).is_multiple_of(2) { 0 } else { copy }, copy)
        }
    };
    let offset = kind.words_at().checked_add(skip.checked_mul(WORD_BYTES)?)?;
    let words = MappedSlice::words(attachment.clone(), offset, count.min(MOST / WORD_BYTES))?;
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| shm.load(word, &LOOK).to_ne_bytes()).collect();
    bytes.truncate(size); // a header may claim more than there is
    Some(bytes)
}

/// The first elements, one after the other without gaps.
fn elements(attachment: &Arc<Attachment>, size: usize) -> Option<Vec<u8>> {
    let count = attachment.length().min(MOST / size.max(1));
    let words = MappedElements::new(attachment.clone(), count)?;
    let mut bytes = vec![0; count * size];
    let shm = attachment.shm();
    match width_for(size) {
        1 => Elements::<Shm, u8> { words: words.words(), bytes: size }.copy_out(shm, 0, &mut bytes),
        2 => Elements::<Shm, u16> { words: words.words(), bytes: size }.copy_out(shm, 0, &mut bytes),
        4 => Elements::<Shm, u32> { words: words.words(), bytes: size }.copy_out(shm, 0, &mut bytes),
        _ => Elements::<Shm, u64> { words: words.words(), bytes: size }.copy_out(shm, 0, &mut bytes),
    }
    Some(bytes)
}

/// What a sweep did with one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// The name.
    pub name: String,
    /// Removed, or why not: `Ok(false)` is in use.
    pub removed: Result<bool, OpenError>,
}

/// Removes every name whose users are all dead. Never one in use; never a file that is not a region.
pub fn sweep() -> std::io::Result<Vec<Swept>> {
    let swept = |name: Name| Swept { name: name.to_string(), removed: name.sweep() };
    Ok(names()?.into_iter().map(swept).collect())
}
