//! The real platform: atomics in shared memory, futexes, leases. All `unsafe` and every system call of the library is here.

#![allow(unsafe_code)]
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

mod admission;
mod attachment;
mod copy;
mod fence;
mod forked;
mod futex;
mod identity;
mod lease;
mod mapped;
mod mirror;
mod name;
mod plain;
mod region;
mod registry;
mod roles;
mod socket;
mod spawned;
mod ticket;
mod turn;
mod word;

pub use attachment::{ANY_LOCK, Attachment, Blueprint};
pub use forked::{Forked, fork};
pub use futex::Deadline;
pub use mapped::{Mapped, MappedElements, MappedSlice};
pub use mirror::Mirror;
pub use name::{Name, names};
pub(crate) use plain::{read as read_plain, read_into as read_plain_into, read_many as read_many_plain};
pub(crate) use socket::{receive, send};
pub use spawned::Share;
pub(crate) use spawned::{give, handle_of, inherited_id, inherited_names, inherited_region};
pub use ticket::Given;
pub use word::ShmWord;

use crate::layout::PAGE;
use crate::platform::{Int, Life, Ordering, Platform, Site, Wakeup};
use nix::sys::stat::fstat;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// The real platform, as seen from one region: its words, and the lives of its peers.
pub struct Shm {
    /// A descriptor that never locks: a query through the description that holds a lock would not see it.
    base: OwnedFd,
    /// Which file the descriptor must still name before an answer through it is believed.
    inode: Inode,
    /// Whether the fence pair of this region is asymmetric.
    asymmetric: bool,
    /// The longest time that anybody sleeps without a look.
    tick: Duration,
}

/// A file's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inode {
    device: u64,
    number: u64,
}

impl Inode {
    fn of(file: impl AsFd) -> nix::Result<Inode> {
        let stat = fstat(file)?;
        Ok(Inode { device: stat.st_dev, number: stat.st_ino })
    }
}

impl Platform for Shm {
    type Word<V: Int> = ShmWord<V>;
    type Deadline = Deadline;

    #[inline(always)]
    fn load<V: Int>(&self, word: &ShmWord<V>, site: &'static Site) -> V {
        word.load(site.ordering)
    }
    #[inline(always)]
    fn store<V: Int>(&self, word: &ShmWord<V>, value: V, site: &'static Site) {
        word.store(value, site.ordering);
    }
    #[inline(always)]
    fn swap<V: Int>(&self, word: &ShmWord<V>, value: V, site: &'static Site) -> V {
        word.swap(value, site.ordering)
    }
    #[inline(always)]
    fn compare_exchange<V: Int>(&self, word: &ShmWord<V>, current: V, new: V, site: &'static Site) -> Result<V, V> {
        word.compare_exchange(current, new, site.ordering)
    }
    #[inline(always)]
    fn fetch_add<V: Int>(&self, word: &ShmWord<V>, value: V, site: &'static Site) -> V {
        word.fetch_add(value, site.ordering)
    }
    #[inline(always)]
    fn copy_out<V: Int>(&self, words: &[ShmWord<V>], bytes: &mut [u8], site: &'static Site) {
        copy::out(words, bytes, site.ordering);
    }
    #[inline(always)]
    fn copy_in<V: Int>(&self, words: &[ShmWord<V>], bytes: &[u8], site: &'static Site) {
        copy::into(words, bytes, site.ordering);
    }
    #[inline(always)]
    fn fence(&self, site: &'static Site) {
        std::sync::atomic::fence(site.ordering);
    }
    #[inline(always)]
    fn light_fence(&self, _site: &'static Site) {
        if self.asymmetric {
            std::sync::atomic::compiler_fence(Ordering::SeqCst);
        } else {
            std::sync::atomic::fence(Ordering::SeqCst);
        }
    }
    fn heavy_fence(&self, _site: &'static Site) {
        if self.asymmetric {
            fence::everywhere();
        } else {
            std::sync::atomic::fence(Ordering::SeqCst);
        }
    }
    #[inline]
    fn look_again(&self, looks: u32) -> bool {
        // About as long as it takes to fall asleep and be woken: who waits twice as long as need be loses little.
        const LOOKS: u32 = 128;
        std::hint::spin_loop();
        looks < LOOKS
    }
    fn wait<V: Int>(
        &self,
        word: &ShmWord<V>,
        expected: u32,
        deadline: Deadline,
        ticks: u32,
        _site: &'static Site,
    ) -> Wakeup {
        futex::wait(word, expected, deadline, (ticks, self.tick))
    }
    fn wake<V: Int>(&self, word: &ShmWord<V>, count: u32, _site: &'static Site) {
        futex::wake(word, count);
    }
    fn life(&self, peer: u32, _site: &'static Site) -> Life {
        // The user may have closed our descriptor and got its number for a file of their own: then we know nothing.
        if Inode::of(&self.base) != Ok(self.inode) {
            return Life::Unknown;
        }
        match lease::is_held(&self.base, peer) {
            Ok(true) => Life::Alive,
            Ok(false) => Life::Dead,
            Err(_) => Life::Unknown,
        }
    }
}
