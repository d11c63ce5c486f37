//! The recursive lock: a [`Lock`] that its holder may enter again.
//!
//! The holder is a thread of a process (invariant 4 of the lock): neither another thread of the same process nor a forked
//! child is the holder. `depth` counts the entries beyond the first; only the holder touches it, and whoever enters as the
//! first sets it to 0, so what a dead holder left there does not matter.

use super::Owner;
use super::lock::{Entered, Exclusion, Intent, Lock, Patience, Refused};
use crate::platform::{Access, Platform, Site};
use zerocopy::FromBytes;

const DEPTH: Site = Site::guarded("rlock.depth", Access::Load, "only the holder touches it: the lock orders it");
const DEEPER: Site = Site::guarded("rlock.deeper", Access::Store, "only the holder touches it: the lock orders it");
const SHALLOWER: Site =
    Site::guarded("rlock.shallower", Access::Store, "only the holder touches it: the lock orders it");
const FIRST: Site = Site::guarded("rlock.first", Access::Store, "only the holder touches it: the lock orders it");

/// The sites of this file; the rest is the lock's.
pub static SITES: &[&Site] = &[&DEPTH, &DEEPER, &SHALLOWER, &FIRST];

/// The shared state of a recursive lock: a [`Lock`] that counts.
#[repr(transparent)]
#[derive(FromBytes)]
pub struct RLock<P: Platform>(Lock<P>);

impl<P: Platform> RLock<P> {
    /// Makes a lock recursive.
    pub fn new(lock: Lock<P>) -> RLock<P> {
        RLock(lock)
    }
    /// The lock itself, for a person who looks.
    pub fn lock(&self) -> &Lock<P> {
        &self.0
    }
}

impl<P: Platform> Exclusion<P> for RLock<P> {
    #[inline]
    fn enter(
        &self,
        platform: &P,
        me: Owner,
        intent: Intent,
        patience: Patience<P::Deadline>,
    ) -> Result<Entered, Refused> {
        let entered = match self.0.enter(platform, me, intent, patience) {
            // The holder itself. Asked only now: a look at the word before the compare-exchange of the fast path would cost
            // a contended line a second journey.
            Err(Refused::WouldDeadlock) => {
                let depth = platform.load(&self.0.depth, &DEPTH);
                let deeper = depth.checked_add(1).ok_or(Refused::TooDeep)?;
                platform.store(&self.0.depth, deeper, &DEEPER);
                // An internal operation inside of another one, which was not told of a death, has to know of it as well.
                let untold = intent == Intent::Internal && self.death_is_untold(platform);
                return Ok(Entered { owner_died: false, untold });
            }
            result => result?,
        };
        platform.store(&self.0.depth, 0, &FIRST);
        Ok(entered)
    }

    /// The last to leave lets go. Entries may be left in any order, also an internal one before an explicit one that it
    /// enclosed: so whether a death is still untold is asked of the word, which says so for as long as it is held.
    #[inline]
    fn leave(&self, platform: &P, entered: Entered) {
        match platform.load(&self.0.depth, &DEPTH) {
            0 => self.0.leave_last(platform, entered),
            depth => platform.store(&self.0.depth, depth - 1, &SHALLOWER),
        }
    }

    #[inline]
    fn death_is_untold(&self, platform: &P) -> bool {
        self.0.death_is_untold(platform)
    }
}
