//! A worker is killed in the middle of a change, with the lock in its hand. The parent is told, repairs, and goes on.
//!
//! In Python:
//! ```python
//! import os, signal
//! from multiprocessing import Array, Process
//!
//! def worker(accounts):
//!     with accounts.get_lock():
//!         accounts[0] -= 50
//!         os.kill(os.getpid(), signal.SIGKILL)
//!         accounts[1] += 50
//!
//! if __name__ == '__main__':
//!     accounts = Array('q', [100, 0])
//!     child = Process(target=worker, args=(accounts,))
//!     child.start(); child.join()
//!     accounts[:]                               # hangs for ever: nobody is left to release the lock
//! ```
//!
//! What differs: that last line. Whoever copies the array after the death is told so and gets nothing, until somebody takes
//! the lock, is told with it in hand, and has had the chance to repair; everybody after that goes on as ever. A `Value`
//! needs no repair: it is the old one or the new one, whole.

use nix::sys::signal::{Signal, raise};
use procession::{Array, Entry, Handles, Inherited, LockError, SliceError, Value, ValueLockError, serve, spawn};
use std::error::Error;
use std::os::unix::process::ExitStatusExt;

const MONEY: i64 = 100;

static WORKER: Entry = Entry::new("worker", worker);

fn worker(handles: Inherited) -> Result<(), Box<dyn Error>> {
    let accounts: Array<i64> = handles.take("accounts")?;
    let pair: Value<[i64; 2]> = handles.take("pair")?;
    let mut both = pair.lock().or_else(ValueLockError::recover)?;
    both[0] -= 50;
    let guard = accounts.lock().or_else(LockError::recover)?;
    guard.set(0, guard.get(0)? - 50)?;
    raise(Signal::SIGKILL)?; // as a user may do, or a machine that is out of memory
    guard.set(1, guard.get(1)? + 50)?;
    both[1] += 50;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    serve(&[&WORKER]);
    let (accounts, pair) = (Array::from_slice(&[MONEY, 0])?, Value::new([MONEY, 0])?);
    let status = spawn(&WORKER, &Handles::new().with("accounts", &accounts).with("pair", &pair))?.wait()?;
    assert_eq!(status.signal(), Some(Signal::SIGKILL as i32));
    println!("the worker was killed between two accounts: {}, {}", accounts.get(0)?, accounts.get(1)?);

    let refused = accounts.snapshot();
    assert_eq!(refused, Err(SliceError::OwnerDied));
    println!("whoever copies the array is told: {}", refused.unwrap_err());
    match accounts.lock() {
        Err(LockError::OwnerDied(guard)) => {
            let missing = MONEY - guard.read(..)?.iter().sum::<i64>();
            guard.set(0, guard.get(0)? + missing)?;
            println!("the lock is handed over, {missing} were missing and are back");
        }
        other => return Err(format!("the death was not told: {other:?}").into()),
    }
    assert!(accounts.lock().is_ok(), "it is told once");
    assert_eq!(accounts.snapshot()?, [MONEY, 0]);
    println!("the array: {:?}, and nobody is told any more", accounts.snapshot()?);

    assert_eq!(pair.get()?, [MONEY, 0]);
    println!("the value, which needed no repair: {:?}", pair.get()?);
    Ok(())
}
