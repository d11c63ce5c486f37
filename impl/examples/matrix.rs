//! A matrix that worker processes fill: the multiplication table up to 100 times 100.
//!
//! In Python:
//! ```python
//! from multiprocessing import Array, Process
//!
//! def worker(matrix, first):
//!     for row in range(first, first + 25):
//!         matrix[row * 100:(row + 1) * 100] = [(row + 1) * (column + 1) for column in range(100)]
//!
//! if __name__ == '__main__':
//!     matrix = Array('Q', 100 * 100)
//!     children = [Process(target=worker, args=(matrix, first)) for first in range(0, 100, 25)]
//! ```
//!
//! What differs: an element may be a whole row, so that an index is a row's number, and a slice is rows. An entry is given
//! handles and nothing else: a number for it comes in a value.

use procession::{Array, Entry, Handles, Inherited, RawValue, serve, spawn};
use std::array::from_fn;
use std::error::Error;
use std::process::Child;

const SIZE: usize = 100;
const ROWS_EACH: usize = 25;
type Row = [usize; SIZE];

static WORKER: Entry = Entry::new("worker", worker);

fn worker(handles: Inherited) -> Result<(), Box<dyn Error>> {
    let matrix: Array<Row> = handles.take("matrix")?;
    let first = handles.take::<RawValue<usize>>("first")?.get()?;
    for row in first..first + ROWS_EACH {
        matrix.write(row..=row, &[from_fn(|column| (row + 1) * (column + 1))])?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    serve(&[&WORKER]);
    let matrix = Array::<Row>::new(SIZE)?;
    let mut children = Vec::<Child>::new();
    for first in (0..SIZE).step_by(ROWS_EACH) {
        let handles = Handles::new().with("matrix", &matrix).with("first", &RawValue::new(first)?);
        children.push(spawn(&WORKER, &handles)?);
    }
    println!("{} processes write {ROWS_EACH} rows each.", children.len());
    for mut child in children {
        assert!(child.wait()?.success());
    }
    println!("7 times 8 is {}", matrix.get(6)?[7]);
    let sum: usize = matrix.iter()?.flatten().sum();
    println!("the sum of all products is {sum}");
    assert_eq!(sum, 5050 * 5050, "(1 + 2 + ... + 100) squared");
    Ok(())
}
