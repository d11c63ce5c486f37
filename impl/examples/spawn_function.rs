//! A function in processes of its own: four workers count together.
//!
//! In Python:
//! ```python
//! def worker(counter): ...
//! if __name__ == '__main__':
//!     counter = multiprocessing.Value('Q', 0)
//!     children = [Process(target=worker, args=(counter,)) for _ in range(4)]
//! ```

use procession::{Entry, Handles, Inherited, Value, serve, spawn};
use std::error::Error;
use std::process::Child;

static WORKER: Entry = Entry::new("worker", worker);

fn worker(handles: Inherited) -> Result<(), Box<dyn Error>> {
    let counter: Value<u64> = handles.take("counter")?;
    for _ in 0..10_000 {
        counter.fetch_add(1)?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    serve(&[&WORKER]);
    let counter = Value::new(0u64)?;
    let handles = Handles::new().with("counter", &counter);
    let children = (0..4).map(|_| spawn(&WORKER, &handles)).collect::<Result<Vec<Child>, _>>()?;
    for mut child in children {
        assert!(child.wait()?.success());
    }
    println!("4 processes, 10 000 times each: {}", counter.get()?);
    Ok(())
}
