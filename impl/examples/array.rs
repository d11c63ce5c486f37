//! An array, with its lock and without: who sees half a slice, and who loses updates?
//!
//! In Python:
//! ```python
//! from multiprocessing import Array, Process, RawArray
//!
//! def writer(locked, raw, tally):
//!     for number in range(20_000):
//!         with locked.get_lock():
//!             locked[:] = [number] * len(locked)    # whole, for whoever takes the lock to read
//!         raw[:] = [number] * len(raw)              # element by element
//!     for _ in range(1_000_000):
//!         tally[0] += 1                             # loses updates
//!         with tally.get_lock():
//!             tally[1] += 1                         # loses none
//!
//! if __name__ == '__main__':
//!     arrays = Array('Q', 1024), RawArray('Q', 1024), Array('Q', 4)
//!     children = [Process(target=writer, args=arrays) for _ in range(2)]
//! ```
//!
//! What differs: `read` and `write` say that they copy, and take the lock by themselves; `iter` goes over such a copy, not
//! over elements that change meanwhile. A single element takes no lock, and `fetch_add` on it is one step. `update` lets a
//! function change several, alone.

use procession::{Array, Entry, Handles, Inherited, RawArray, serve, spawn};
use std::error::Error;
use std::process::Child;

const WRITERS: u64 = 2;
const TIMES: u64 = 20_000;
const LENGTH: usize = 1024;
/// Single elements are soon done, and the writers are to meet.
const ADDITIONS: u64 = 1_000_000;

static WRITER: Entry = Entry::new("writer", writer);

fn writer(handles: Inherited) -> Result<(), Box<dyn Error>> {
    let locked: Array<u64> = handles.take("locked")?;
    let raw: RawArray<u64> = handles.take("raw")?;
    let tally: Array<u64> = handles.take("tally")?;
    for number in 0..TIMES {
        locked.write(.., &[number; LENGTH])?;
        raw.write(.., &[number; LENGTH])?;
    }
    for _ in 0..ADDITIONS {
        tally.set(0, tally.get(0)? + 1)?;
        tally.fetch_add(1, 1)?;
    }
    for _ in 0..TIMES {
        tally.update(|all| all[2..].iter_mut().for_each(|count| *count += 1))?;
    }
    Ok(())
}

fn is_mixed(slice: &[u64]) -> bool {
    slice.iter().any(|number| *number != slice[0])
}

fn main() -> Result<(), Box<dyn Error>> {
    serve(&[&WRITER]);
    let (locked, raw, tally) = (Array::<u64>::new(LENGTH)?, RawArray::<u64>::new(LENGTH)?, Array::<u64>::new(4)?);
    let handles = Handles::new().with("locked", &locked).with("raw", &raw).with("tally", &tally);
    let mut children = (0..WRITERS).map(|_| spawn(&WRITER, &handles)).collect::<Result<Vec<Child>, _>>()?;

    let (mut looks, mut mixed) = (0, 0);
    while children[0].try_wait()?.is_none() {
        assert!(!is_mixed(&locked.read(..)?), "half a slice was seen");
        mixed += u64::from(is_mixed(&raw.read(..)?));
        looks += 1;
    }
    for mut child in children {
        assert!(child.wait()?.success());
    }

    println!("{WRITERS} processes write {TIMES} slices each; the parent copies {looks}.");
    println!("Array: 0 copies of half a slice");
    println!("RawArray: {mixed} copies of half a slice");
    let all = WRITERS * ADDITIONS;
    println!("an element, set(get + 1): {} of {all} lost", all - tally.get(0)?);
    println!("an element, fetch_add: {} of {all} lost", all - tally.get(1)?);
    println!("two elements, update: {:?} of {}", tally.read(2..)?, WRITERS * TIMES);
    assert_eq!(tally.read(1..)?, [all, WRITERS * TIMES, WRITERS * TIMES], "an update was lost");
    Ok(())
}
