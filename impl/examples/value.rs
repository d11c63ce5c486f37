//! A value, with its lock and without: who loses updates?
//!
//! In Python:
//! ```python
//! from multiprocessing import Process, Value
//!
//! def worker(value):
//!     for _ in range(100_000):
//!         value.value += 1              # reads, then writes: loses updates
//!     for _ in range(100_000):
//!         with value.get_lock():
//!             value.value += 1          # loses none
//!
//! if __name__ == '__main__':
//!     value = Value('Q', 0)
//!     children = [Process(target=worker, args=(value,)) for _ in range(4)]
//! ```
//!
//! What differs: a handle has no `+=`, for that would look like one step and be two. Whoever wants two steps writes them
//! down, `set(get + 1)`. What `lock` returns does have a `+=`, and nobody has that without the lock. `update` takes a
//! function, and integers have `fetch_add`. `Value('Q', 0, lock=False)` is a `RawValue`.

use procession::{AccessError, Entry, Handles, Inherited, RawValue, Value, ValueLockError, serve, spawn};
use std::error::Error;
use std::process::Child;

const WORKERS: u64 = 4;
const TIMES: u64 = 100_000;
/// Without a lock it is soon done, and the workers are to meet.
const RAW_TIMES: u64 = 20 * TIMES;

/// How one is added: first in two steps, between which others write; then alone.
type Way = (&'static str, fn(&Value<u64>) -> Result<(), AccessError>);
const WAYS: [Way; 4] = [
    ("two_steps", |value| value.set(value.get()? + 1)),
    ("lock", |value| {
        *value.lock().or_else(ValueLockError::recover)? += 1;
        Ok(())
    }),
    ("update", |value| value.update(|count| *count += 1).map(drop)),
    ("fetch_add", |value| value.fetch_add(1).map(drop)),
];

static WORKER: Entry = Entry::new("worker", worker);

fn worker(handles: Inherited) -> Result<(), Box<dyn Error>> {
    let raw: RawValue<u64> = handles.take("raw")?;
    for _ in 0..RAW_TIMES {
        raw.set(raw.get()? + 1);
    }
    for (name, add) in WAYS {
        let value = handles.take(name)?;
        for _ in 0..TIMES {
            add(&value)?;
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    serve(&[&WORKER]);
    let raw = RawValue::new(0)?;
    let values = WAYS.iter().map(|_| Value::new(0)).collect::<Result<Vec<Value<u64>>, _>>()?;
    let named = WAYS.iter().zip(&values);
    let handles = named.fold(Handles::new().with("raw", &raw), |handles, ((name, _), value)| handles.with(name, value));
    let children = (0..WORKERS).map(|_| spawn(&WORKER, &handles)).collect::<Result<Vec<Child>, _>>()?;
    for mut child in children {
        assert!(child.wait()?.success());
    }

    println!("{WORKERS} processes add 1.");
    println!("RawValue, two_steps: {} of {} lost", WORKERS * RAW_TIMES - raw.get()?, WORKERS * RAW_TIMES);
    for ((name, _), value) in WAYS.iter().zip(&values) {
        println!("Value, {name}: {} of {} lost", WORKERS * TIMES - value.get()?, WORKERS * TIMES);
    }
    for value in &values[1..] {
        assert_eq!(value.get()?, WORKERS * TIMES, "an update was lost");
    }
    Ok(())
}
