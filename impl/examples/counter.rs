//! A counter that 4 processes draw numbers from: each number is drawn once.
//!
//! In Python:
//! ```python
//! from multiprocessing import Array, Process, Value
//!
//! def worker(next_number, squares):
//!     while True:
//!         with next_number.get_lock():
//!             number = next_number.value
//!             next_number.value += 1
//!         if number >= len(squares):
//!             return
//!         squares[number] += number * number
//!
//! if __name__ == '__main__':
//!     shared = Value('Q', 0), Array('Q', 10_000)
//!     children = [Process(target=worker, args=shared) for _ in range(4)]
//! ```
//!
//! What differs: to read the number and to raise it is one call, `fetch_add`, so that there is no lock to forget. A worker
//! that is killed, at whatever instant, takes at most one number along, and the others go on; in Python they may hang.

use procession::{Array, Entry, Handles, Inherited, Value, serve, spawn};
use std::error::Error;
use std::process::Child;

const WORKERS: usize = 4;
const NUMBERS: usize = 10_000;

static WORKER: Entry = Entry::new("worker", worker);

fn worker(handles: Inherited) -> Result<(), Box<dyn Error>> {
    let next: Value<u64> = handles.take("next")?;
    let squares: Array<u64> = handles.take("squares")?;
    loop {
        let number = next.fetch_add(1)?;
        let index = usize::try_from(number)?;
        if index >= squares.len() {
            return Ok(());
        }
        // Added, not set: a number that was drawn twice would show.
        squares.fetch_add(index, number * number)?;
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    serve(&[&WORKER]);
    let (next, squares) = (Value::new(0u64)?, Array::<u64>::new(NUMBERS)?);
    let handles = Handles::new().with("next", &next).with("squares", &squares);
    let children = (0..WORKERS).map(|_| spawn(&WORKER, &handles)).collect::<Result<Vec<Child>, _>>()?;
    for mut child in children {
        assert!(child.wait()?.success());
    }
    let once = (0..).zip(squares.iter()?).all(|(number, square): (u64, u64)| square == number * number);
    assert!(once, "a number was drawn twice, or never");
    println!("{WORKERS} processes drew {NUMBERS} numbers, each of them once.");
    assert_eq!(next.get()?, (NUMBERS + WORKERS) as u64);
    println!("The counter is at {}: each process drew one more, and stopped.", next.get()?);
    Ok(())
}
