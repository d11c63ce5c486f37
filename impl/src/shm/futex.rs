//! Sleeping on a word: futex(2), the shared kind, with absolute deadlines on the monotonic clock.

use super::word::ShmWord;
use crate::platform::{Int, Wakeup};
use nix::errno::Errno;
use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The longest time a sleeper sleeps without asking whether the one it waits for lives.
pub(super) const MAX_TICK: Duration = Duration::from_millis(50);

/// The longest sleep in a region whose header says so many milliseconds; 0, or more than the usual: the usual.
pub(super) fn tick(milliseconds: u32) -> Duration {
    match milliseconds {
        0 => MAX_TICK,
        shorter => MAX_TICK.min(Duration::from_millis(shorter.into())),
    }
}

/// An instant of the monotonic clock, or never. Reached at once if it lies in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Option<Duration>);

impl Deadline {
    /// No deadline.
    pub const NEVER: Deadline = Deadline(None);

    /// `timeout` from now; a timeout beyond the clock's range is none.
    pub fn after(timeout: Duration) -> Deadline {
        Deadline(now().checked_add(timeout))
    }
}

fn now() -> Duration {
    // The monotonic clock always answers; were it ever not to, every sleep would be a short one.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}

/// Sleeps while the low half of `word` is `expected`: until woken, `deadline`, or the next tick (after 1, 2, 4 ... ms, at most
/// `longest`).
pub(super) fn wait<V: Int>(
    word: &ShmWord<V>,
    expected: u32,
    deadline: Deadline,
    (ticks, longest): (u32, Duration),
) -> Wakeup {
    let tick = now() + Duration::from_millis(1 << ticks.min(6)).min(longest);
    let until = deadline.0.map_or(tick, |deadline| deadline.min(tick));
    let at = libc::timespec { tv_sec: until.as_secs().cast_signed(), tv_nsec: until.subsec_nanos().into() };
    // SAFETY: the word is mapped for as long as `word` is borrowed, the timespec lives on this stack, and the bitset form
    // reads no second address. Without FUTEX_PRIVATE_FLAG the word is found by its file, in every process.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.low_half(),
            libc::FUTEX_WAIT_BITSET,
            expected,
            &raw const at,
            std::ptr::null::<u32>(),
            libc::FUTEX_BITSET_MATCH_ANY,
        )
    };
    match Errno::result(result) {
        Ok(_) => Wakeup::Woken,
        Err(Errno::EAGAIN) => Wakeup::Changed,
        Err(Errno::ETIMEDOUT) if deadline.0.is_some_and(|deadline| deadline <= until) => Wakeup::TimedOut,
        Err(Errno::ETIMEDOUT) => Wakeup::Tick,
        // Interrupted: perhaps nobody woke us, but to believe it costs one look, and not to believe it could cost a wake.
        Err(_) => Wakeup::Woken,
    }
}

/// Wakes up to `count` sleepers of `word`, in any process.
#[cold]
pub(super) fn wake<V: Int>(word: &ShmWord<V>, count: u32) {
    // SAFETY: the word is mapped; waking reads no memory of ours. It fails only for an address that is not mapped.
    unsafe { libc::syscall(libc::SYS_futex, word.low_half(), libc::FUTEX_WAKE, count.min(i32::MAX.cast_unsigned())) };
}
