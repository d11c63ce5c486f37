//! Two arrays and a value under one lock, between which money goes round: whoever is inside the lock counts the same total.

use crate::talk::{hear, say};
use crate::{Random, relock};
use procession::{Array, GuardedBy, Handle, Lock, LockError, RLock, Share, Value, ValueLockError};
use std::error::Error;
use std::process::Command;

/// Each of the accounts in the arrays.
const ACCOUNTS: usize = 8;
/// What there is in the beginning in each of them.
const BALANCE: u64 = 1000;
/// What there always is.
pub const TOTAL: u64 = 2 * BALANCE * ACCOUNTS as u64;

/// The lock that they have in common.
#[derive(Debug, Clone)]
pub enum Key {
    /// A plain one.
    Lock(Lock),
    /// A recursive one.
    RLock(RLock),
}

impl Key {
    /// A lock that nobody has seen, of either sort.
    pub fn both() -> [Key; 2] {
        [Key::Lock(Lock::new().expect("a lock")), Key::RLock(RLock::new().expect("a lock"))]
    }

    /// What a helper knows it as.
    pub fn kind(&self) -> &'static str {
        if matches!(self, Key::Lock(_)) { "lock" } else { "rlock" }
    }

    /// Takes it and lets it go; says how that went.
    pub fn relock(&self) -> String {
        match self {
            Key::Lock(lock) => relock!(lock),
            Key::RLock(lock) => relock!(lock),
        }
    }
}

impl From<&Key> for GuardedBy {
    fn from(key: &Key) -> GuardedBy {
        match key {
            Key::Lock(lock) => lock.into(),
            Key::RLock(lock) => lock.into(),
        }
    }
}

/// All that the lock guards.
#[derive(Debug)]
pub struct Bank {
    /// The lock.
    pub key: Key,
    /// Accounts of one word: the balance.
    pub here: Array<u64>,
    /// Accounts of two words: the balance, twice.
    pub there: Array<[u64; 2]>,
    /// What is in nobody's account.
    pub cash: Value<u64>,
}

impl Bank {
    /// A new one, to be handed down.
    pub fn new(key: &Key) -> Bank {
        Bank {
            here: Array::with_lock(&[BALANCE; ACCOUNTS], key).expect("an array"),
            there: Array::with_lock(&[[BALANCE; 2]; ACCOUNTS], key).expect("an array"),
            cash: Value::with_lock(0, key).expect("a value"),
            key: key.clone(),
        }
    }

    /// Hands it down.
    pub fn share<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        match &self.key {
            Key::Lock(lock) => command.share("lock", lock),
            Key::RLock(lock) => command.share("lock", lock),
        };
        command.share("here", &self.here).share("there", &self.there).share("cash", &self.cash)
    }

    /// Takes what was handed down.
    pub fn inherited(kind: &str) -> Bank {
        let key = match kind {
            "lock" => Key::Lock(Lock::inherited("lock").expect("a lock")),
            _ => Key::RLock(RLock::inherited("lock").expect("a lock")),
        };
        Bank {
            here: Array::inherited_with_lock("here", &key).expect("an array"),
            there: Array::inherited_with_lock("there", &key).expect("an array"),
            cash: Value::inherited_with_lock("cash", &key).expect("a value"),
            key,
        }
    }

    /// What there is, counted by whoever is inside the lock.
    pub fn total(&self) -> Result<u64, Box<dyn Error>> {
        let (here, there) = (self.here.read(..)?, self.there.read(..)?);
        if let Some(torn) = there.iter().find(|account| account[0] != account[1]) {
            return Err(format!("torn: {torn:?}").into());
        }
        let there: u64 = there.iter().map(|account| account[0]).sum();
        Ok(here.iter().sum::<u64>() + there + self.cash.get()?)
    }

    /// Counts, and moves money round, in several steps between which the total is another.
    pub fn trade(&self, random: &mut Random) -> Result<(), Box<dyn Error>> {
        let [from, via, to] = [(); 3].map(|()| random.below(ACCOUNTS as u64) as usize);
        let guard = self.here.lock().map_err(|error| error.to_string())?;
        let total = self.total()?;
        if total != TOTAL {
            return Err(format!("{total} in the bank").into());
        }
        // Out of an account here, through an array ...
        let balance = guard.get(from)?;
        let amount = random.below(balance + 1);
        guard.set(from, balance - amount)?;
        self.there.update(|all| all[via] = all[via].map(|balance| balance + amount))?;
        // ... and a value, back into another account here.
        let [balance, _] = self.there.get(via)?;
        let amount = random.below(balance + 1);
        self.there.set(via, [balance - amount; 2])?;
        let cash = self.cash.fetch_add(amount)? + amount;
        self.cash.set(0)?;
        Ok(guard.update(to..to + 1, |account| account[0] += cash)?)
    }

    /// Takes the lock in the way that the test says, and says how that went.
    pub fn audit(&self) {
        say("ready");
        loop {
            let died = match hear().as_str() {
                "here" => matches!(self.here.lock(), Err(LockError::OwnerDied(_))),
                "there" => matches!(self.there.lock(), Err(LockError::OwnerDied(_))),
                "cash" => matches!(self.cash.lock(), Err(ValueLockError::Lock(LockError::OwnerDied(_)))),
                "lock" => self.key.relock() == "owner died",
                _ => break,
            };
            say(if died { "owner died" } else { "ok" });
        }
    }
}
