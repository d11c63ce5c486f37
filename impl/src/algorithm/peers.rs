//! Who is attached: ids that are never reused, and a table of slots that are.
//!
//! | slot | meaning |
//! |---|---|
//! | `0` | free |
//! | `id` | peer `id`, alive or dead; a dead one's slot is free for the taking |
//!
//! Transitions: `0 → id` and `dead id → id` (claim, one compare-exchange) · `id → 0` (release, by its owner) · `id → id'`
//! (a place that was kept for a peer is handed over to it; `id` ends afterwards).
//!
//! Invariants:
//! 1. An id is handed out once. Its lease is held before the id appears in the table, so an id that is not alive is dead.
//! 2. A slot names one peer at a time: two claimers of one slot cannot both win the compare-exchange.
//! 3. More than `slots` living peers never fit.

use crate::platform::{Access, Life, Ordering, Platform, Site};

const NEXT: Site = Site::new(
    "peers.next",
    Access::Modify,
    Ordering::Relaxed,
    "only its own atomicity counts: no two callers get one number",
);
const SPENT: Site = Site::new(
    "peers.spent",
    Access::Load,
    Ordering::Relaxed,
    "a hint that keeps the counter from running over its end",
);
const SLOT: Site = Site::new("peers.slot", Access::Load, Ordering::Relaxed, "a hint: peers.claim decides");
const CLAIM: Site = Site::new(
    "peers.claim",
    Access::Modify,
    Ordering::Acquire,
    "pairs with peers.release: whatever belongs to a slot, whoever had it before wrote before; if that one is dead, its death comes after",
);
const RELEASE: Site = Site::new(
    "peers.release",
    Access::Modify,
    Ordering::Release,
    "pairs with peers.claim: whoever leaves a slot has written for the last time what belongs to it",
);
const ASK: Site = Site::plain("peers.ask", Access::Ask, "`Dead` happens after all that the peer did");

/// The sites of this file.
pub static SITES: &[&Site] = &[&NEXT, &SPENT, &SLOT, &CLAIM, &RELEASE, &ASK];

/// The last peer id: 30 bits, so that it fits a lock word beside two flags.
pub const LAST_ID: u32 = (1 << 30) - 1;

/// Every id has been handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdsExhausted;

/// Every slot names a living peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableFull;

/// Takes the next id. `next` holds the number of ids handed out so far.
pub fn next_id<P: Platform>(platform: &P, next: &P::Word<u32>) -> Result<u32, IdsExhausted> {
    if platform.load(next, &SPENT) >= LAST_ID {
        return Err(IdsExhausted);
    }
    // Callers that all passed the check at once overrun the end by no more than their number, far from the word's end.
    match platform.fetch_add(next, 1, &NEXT) {
        spent if spent < LAST_ID => Ok(spent + 1),
        _ => Err(IdsExhausted),
    }
}

/// Whether some slot is empty or names a dead peer, at this moment.
pub fn has_room<P: Platform>(platform: &P, slots: &[P::Word<u32>]) -> bool {
    let is_empty = |slot: &P::Word<u32>| platform.load(slot, &SLOT) == 0;
    let is_dead = |slot: &P::Word<u32>| platform.life(platform.load(slot, &SLOT), &ASK) == Life::Dead;
    slots.iter().any(is_empty) || slots.iter().any(is_dead)
}

/// Enters `id` into the table; returns its slot.
pub fn claim<P: Platform>(platform: &P, slots: &[P::Word<u32>], id: u32) -> Result<usize, TableFull> {
    // Two rounds: empty slots first, so that asking after the dead is paid only by a full table.
    for reuse in [false, true] {
        for (index, slot) in slots.iter().enumerate() {
            platform.loop_head(&[reuse.into(), index as u64]);
            let found = platform.load(slot, &SLOT);
            let free = found == 0 || reuse && platform.life(found, &ASK) == Life::Dead;
            if free && platform.compare_exchange(slot, found, id, &CLAIM).is_ok() {
                return Ok(index);
            }
        }
    }
    Err(TableFull)
}

/// Gives the slot of `from`, which is our own or kept for us, to `to`; returns the slot. `None`: it is not there.
pub fn hand_over<P: Platform>(platform: &P, slots: &[P::Word<u32>], from: u32, to: u32) -> Option<usize> {
    slots.iter().position(|slot| {
        platform.load(slot, &SLOT) == from && platform.compare_exchange(slot, from, to, &CLAIM).is_ok()
    })
}

/// Leaves the table.
pub fn release<P: Platform>(platform: &P, slot: &P::Word<u32>, id: u32) {
    // Only a peer that outlived its own lease could find another's id here, and it must not touch it.
    let _ = platform.compare_exchange(slot, id, 0, &RELEASE);
}

/// The ids in the table.
pub fn listed<'a, P: Platform>(platform: &'a P, slots: &'a [P::Word<u32>]) -> impl Iterator<Item = u32> + 'a {
    slots.iter().map(|slot| platform.load(slot, &SLOT)).filter(|id| *id != 0)
}
