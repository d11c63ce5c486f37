//! Jobs about arrays: copiers that are killed, slices that do not fit.

use super::jobs::{Job, Seen, wrong};
use super::processes::{Barrier, Error, Helper, Started};
use procession::{
    AccessError, Array, CreateError, ElementError, Handle, LockError, OpenError, RawArray, Share, SliceError,
};

/// All of them.
pub(super) const JOBS: &[Job] = &[("killed-copier", |helper| killed_copier(helper, 100)), ("wrong-slice", wrong_slice)];

/// Elements of the array.
const LENGTH: usize = 512;

/// Kills a process that copies slices in without end: what is left is whole, or everybody is told until one has locked.
fn killed_copier(helper: &Helper, rounds: u32) -> Result<Seen, Error> {
    let array = Array::<u64>::new(LENGTH)?;
    let is_whole = |slice: &[u64]| slice.iter().all(|element| *element == slice[0]);
    let mut told = 0;
    for round in 0..rounds {
        let barrier = Barrier::new()?;
        let mut command = helper.task("copy");
        command.share("array", &array);
        barrier.share("barrier", &mut command);
        let mut copier = Started::new(&mut command)?;
        barrier.wait_for(1)?;
        // Each round a little later: the copier copies one slice after the other.
        while array.get(LENGTH - 1)? < u64::from(round) {
            std::thread::yield_now();
        }
        copier.kill()?;
        match array.snapshot() {
            Ok(slice) if is_whole(&slice) => continue,
            Ok(slice) => return wrong(format!("round {round}: half a slice, and nobody was told: {slice:?}")),
            Err(SliceError::OwnerDied) => told += 1,
            Err(error) => return Err(error.into()),
        }
        if array.write(.., &[0; LENGTH]) != Err(SliceError::OwnerDied) {
            return wrong(format!("round {round}: the second to ask was not told"));
        }
        match array.lock() {
            Err(LockError::OwnerDied(guard)) => guard.write(.., &[0; LENGTH])?,
            other => return wrong(format!("round {round}: after a death inside, lock() was {other:?}")),
        }
        if !is_whole(&array.snapshot()?) {
            return wrong(format!("round {round}: the repair was not seen"));
        }
    }
    Ok(Ok(format!("{rounds} copiers killed, {told} of them inside; no half of a slice went unnoticed")))
}

/// Copies slices in until it is killed.
pub(super) fn copy() -> Result<(), Error> {
    let array = Array::<u64>::inherited("array")?;
    Barrier::inherited("barrier")?.arrive()?;
    for number in 0.. {
        array.write(.., &[number; LENGTH])?;
    }
    Ok(())
}

fn wrong_slice(_helper: &Helper) -> Result<Seen, Error> {
    let (array, raw) = (Array::from_slice(&[1u32, 2, 3])?, RawArray::from_slice(&[1u32, 2, 3])?);
    let refusals = [
        ("no such element", array.get(3) == Err(ElementError::Index { index: 3, length: 3 })),
        ("no such element to write", raw.set(3, 9) == Err(ElementError::Index { index: 3, length: 3 })),
        ("no such range", array.read(2..4) == Err(SliceError::Range { start: 2, end: 4, length: 3 })),
        ("a slice too long", array.write(.., &[9; 4]) == Err(SliceError::Length { given: 4, expected: 3 })),
        ("a slice too short", raw.write(1.., &[9]) == Err(SliceError::Length { given: 1, expected: 2 })),
        ("no elements", matches!(Array::<u32>::new(0), Err(CreateError::Length { length: 0, .. }))),
        ("too many elements", matches!(RawArray::<u64>::new(usize::MAX), Err(CreateError::Length { .. }))),
        ("more than there is", matches!(Array::<u64>::new(1 << 50), Err(CreateError::NoSpace { .. }))),
        ("its own guard", {
            let _guard = array.lock();
            array.snapshot() == Err(SliceError::Access(AccessError::WouldDeadlock))
        }),
        ("no handle", matches!(Array::<u32>::inherited("no-such-array"), Err(OpenError::NotInherited { .. }))),
    ];
    match refusals.iter().find(|(_, refused)| !refused) {
        Some((what, _)) => wrong(format!("{what} was not refused as it should be")),
        None if (array.snapshot()?, raw.snapshot()?) != (vec![1, 2, 3], vec![1, 2, 3]) => wrong("a refusal changed it"),
        None => Ok(Ok(format!("{} kinds of misuse refused, nothing changed", refusals.len()))),
    }
}
