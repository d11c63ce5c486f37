//! A counter that a parent and its forked children raise together.
//!
//! In Python:
//! ```python
//! counter = multiprocessing.Value('Q', 0)
//! children = [Process(target=raise_it, args=(counter,)) for _ in range(4)]
//! ```

use procession::{Forked, Value, fork};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let counter = Value::new(0u64)?;
    let raise = || (0..10_000).try_for_each(|_| counter.fetch_add(1).map(drop)).map_or(1, |()| 0);
    let children = (0..4).map(|_| fork(raise)).collect::<Result<Vec<Forked>, _>>()?;
    for child in children {
        assert!(child.wait()?.success());
    }
    println!("4 children, 10 000 times each: {}", counter.get()?);
    Ok(())
}
