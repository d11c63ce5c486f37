//! One lock for an array and a value, so that both change together.
//!
//! In Python:
//! ```python
//! from multiprocessing import Array, Process, RLock, Value
//!
//! def transfer(lock, accounts, transfers, giver, taker, amount):
//!     with lock:
//!         accounts[giver] -= amount
//!         accounts[taker] += amount
//!         transfers.value += 1
//!
//! def clerk(lock, accounts, transfers):
//!     for _ in range(10_000):
//!         with lock:                    # transfer() takes it again
//!             transfer(lock, accounts, transfers, 0, 1, 1)
//!             transfer(lock, accounts, transfers, 1, 2, 1)
//!
//! if __name__ == '__main__':
//!     lock = RLock()
//!     shared = lock, Array('q', [30_000, 0, 0], lock=lock), Value('Q', 0, lock=lock)
//!     children = [Process(target=clerk, args=shared) for _ in range(3)]
//! ```
//!
//! What differs: `update` and `fetch_add` take the lock by themselves, so that without `with lock` the changes would not be
//! together, but none would be lost. Only a function that locks again needs an RLock: the holder of a plain Lock may use
//! what it guards, where Python hangs. And a child finds out by itself by which of its locks something is guarded.

use procession::{Array, Entry, Handles, Inherited, LockError, RLock, Value, serve, spawn};
use std::error::Error;
use std::process::Child;

const CLERKS: u64 = 3;
const ERRANDS: u64 = 10_000;
const MONEY: i64 = 30_000;

struct Bank {
    lock: RLock,
    accounts: Array<i64>,
    transfers: Value<u64>,
}

impl Bank {
    fn transfer(&self, giver: usize, taker: usize, amount: i64) -> Result<(), Box<dyn Error>> {
        let _alone = self.lock.lock().or_else(LockError::recover)?;
        self.accounts.update(|all| {
            all[giver] -= amount;
            all[taker] += amount;
        })?;
        self.transfers.fetch_add(1)?;
        Ok(())
    }

    fn run_errand(&self) -> Result<(), Box<dyn Error>> {
        let _alone = self.lock.lock().or_else(LockError::recover)?;
        self.transfer(0, 1, 1)?;
        self.transfer(1, 2, 1)
    }

    /// Between two errands no money is on its way: nothing is missing, and the number of transfers is even.
    fn check(&self) -> Result<(), Box<dyn Error>> {
        let _alone = self.lock.lock().or_else(LockError::recover)?;
        assert_eq!(self.accounts.iter()?.sum::<i64>(), MONEY);
        assert_eq!(self.accounts.get(1)?, 0);
        assert_eq!(self.transfers.get()? % 2, 0);
        Ok(())
    }
}

static CLERK: Entry = Entry::new("clerk", clerk);

fn clerk(handles: Inherited) -> Result<(), Box<dyn Error>> {
    let (lock, accounts) = (handles.take("lock")?, handles.take("accounts")?);
    let bank = Bank { lock, accounts, transfers: handles.take("transfers")? };
    (0..ERRANDS).try_for_each(|_| bank.run_errand())
}

fn main() -> Result<(), Box<dyn Error>> {
    serve(&[&CLERK]);
    let lock = RLock::new()?;
    let (accounts, transfers) = (Array::with_lock(&[MONEY, 0, 0], &lock)?, Value::with_lock(0, &lock)?);
    let handles = Handles::new().with("lock", &lock).with("accounts", &accounts).with("transfers", &transfers);
    let bank = Bank { lock, accounts, transfers };
    let mut children = (0..CLERKS).map(|_| spawn(&CLERK, &handles)).collect::<Result<Vec<Child>, _>>()?;

    let mut checks = 0;
    loop {
        bank.check()?;
        checks += 1;
        if children[0].try_wait()?.is_some() {
            break;
        }
    }
    for mut child in children {
        assert!(child.wait()?.success());
    }
    println!("{CLERKS} processes run {ERRANDS} errands each; checks: {checks}, money on its way: never");
    println!("{} transfers later the accounts are {:?}", bank.transfers.get()?, bank.accounts.snapshot()?);
    assert_eq!(bank.transfers.get()?, 2 * CLERKS * ERRANDS);
    bank.check()
}
