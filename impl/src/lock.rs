//! [`Lock`] and [`RLock`]: one holder at a time, among all threads of all processes that have a handle.

use crate::algorithm;
use crate::error::{CreateError, OpenError, TypePrint};
use crate::guard::{Guard, Lockable, sealed};
use crate::layout::Kind;
use crate::lock_error::{LockError, LockTimeoutError, TryLockError};
use crate::share::{Handle, OpenOrCreateError, open_or_create};
use crate::shm::{Attachment, Blueprint, Given, Mapped, Shm};
use std::sync::Arc;
use std::time::Duration;

/// Holds a [`Lock`].
pub type LockGuard<'a> = Guard<'a, Lock>;
/// Holds an [`RLock`], once for every guard.
pub type RLockGuard<'a> = Guard<'a, RLock>;

/// What both locks are, but for the algorithm and a few words of their documentation.
macro_rules! lock_handle {
    ($Lock:ident, $kind:expr, $Algorithm:ty, $(#[$doc:meta])*) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $Lock(Mapped<$Algorithm>);

        impl $Lock {
            /// Makes a lock in anonymous memory, for threads, forked and spawned children. Blocks no one.
            pub fn new() -> Result<Self, CreateError> {
                Self::make(None)
            }

            /// Makes a lock that unrelated processes can [`open`](Handle::open) under `name`.
            ///
            /// Errors: a name that is bad or in use, no memory, too few descriptors.
            pub fn create(name: &str) -> Result<Self, CreateError> {
                Self::make(Some(name))
            }

            /// Opens the lock of that name, or makes it if there is none.
            pub fn open_or_create(name: &str) -> Result<Self, OpenOrCreateError> {
                open_or_create(|| Self::open(name), || Self::create(name))
            }

            /// Waits until the lock is free and takes it.
            ///
            /// A holder that was killed is found within a tick (at most 50 ms): the lock is then handed over inside
            /// [`LockError::OwnerDied`], to one locker. A holder that is merely stopped keeps it, and we wait.
            #[inline]
            pub fn lock(&self) -> Result<Guard<'_, Self>, LockError<Guard<'_, Self>>> {
                Guard::lock(self)
            }

            /// Takes the lock if it is free, or if its holder is dead ([`LockError::OwnerDied`]). Never blocks.
            pub fn try_lock(&self) -> Result<Guard<'_, Self>, TryLockError<Guard<'_, Self>>> {
                Guard::try_lock(self)
            }

            /// As [`lock`](Self::lock), but gives up once `timeout` has passed on the monotonic clock; a zero timeout looks
            /// once. A timeout too long for the clock is none.
            pub fn lock_timeout(
                &self,
                timeout: Duration,
            ) -> Result<Guard<'_, Self>, LockTimeoutError<Guard<'_, Self>>> {
                Guard::lock_timeout(self, timeout)
            }

            /// Whether any thread of any process holds the lock, at this instant. A dead holder counts until it is found.
            pub fn is_locked(&self) -> bool {
                self.algorithm_lock().peek(self.0.attachment().shm()).owner().is_some()
            }

            fn make(name: Option<&str>) -> Result<Self, CreateError> {
                let attachment = Attachment::create(&Self::blueprint(), name, |_| ())?;
                Mapped::body(attachment).map(Self).ok_or(CreateError::NoSpace { bytes: size_of::<$Algorithm>() })
            }

            fn blueprint() -> Blueprint {
                Blueprint { length: Some(0), ..Blueprint::new($kind, TypePrint { size: 0, align: 0, code: 0 }) }
            }

            pub(crate) fn from_attachment(attachment: Arc<Attachment>) -> Result<Self, OpenError> {
                let bytes = size_of::<$Algorithm>();
                Mapped::body(attachment).map(Self).ok_or(OpenError::Truncated { bytes: 0, expected: bytes })
            }
        }

        impl Handle for $Lock {
            fn open(name: &str) -> Result<Self, OpenError> {
                Self::from_attachment(Attachment::open(name, Some(&Self::blueprint()))?)
            }
            fn adopt(given: Given) -> Result<Self, OpenError> {
                Self::from_attachment(Attachment::adopt(given, &Self::blueprint())?)
            }
            fn attachment(&self) -> &Arc<Attachment> {
                self.0.attachment()
            }
        }

        impl Lockable for $Lock {}
        impl sealed::Sealed for $Lock {
            type Algorithm = $Algorithm;
            #[inline(always)]
            fn mapped(&self) -> &Mapped<$Algorithm> {
                &self.0
            }
        }

        impl std::fmt::Debug for $Lock {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($Lock)).field("is_locked", &self.is_locked()).finish_non_exhaustive()
            }
        }
    };
}

lock_handle! {
    Lock, Kind::Lock, algorithm::lock::Lock<Shm>,
    /// A lock between processes.
    ///
    /// Not recursive: a thread that holds it gets [`LockError::WouldDeadlock`], not a hang. No fairness is promised, only
    /// that somebody always gets it. 16 bytes of shared memory, in a region of two pages.
    ///
    /// ```
    /// use procession::{Lock, LockError};
    /// let lock = Lock::new()?;
    /// match lock.lock() {
    ///     Ok(_guard) => { /* alone, until the guard is dropped */ }
    ///     Err(LockError::OwnerDied(_guard)) => { /* alone, too; mend what the dead one left half done */ }
    ///     Err(error) => return Err(error.to_string().into()),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A guard stays in its thread:
    /// ```compile_fail
    /// let lock = procession::Lock::new().unwrap();
    /// let guard = lock.lock().unwrap();
    /// std::thread::scope(|threads| { threads.spawn(move || drop(guard)); });
    /// ```
}

lock_handle! {
    RLock, Kind::RLock, algorithm::rlock::RLock<Shm>,
    /// A recursive lock between processes: its holder, a thread of a process, may take it again, and holds it until as many
    /// guards are dropped.
    ///
    /// Another thread of the same process is not the holder, nor is a forked child. Thread ids that are reused do not
    /// matter: a thread's number here never is.
    ///
    /// ```
    /// let lock = procession::RLock::new()?;
    /// let first = lock.lock().map_err(|error| error.to_string())?;
    /// let second = lock.lock().map_err(|error| error.to_string())?;
    /// drop(first);
    /// assert!(lock.is_locked());
    /// drop(second);
    /// assert!(!lock.is_locked());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
}

impl Lock {
    fn algorithm_lock(&self) -> &algorithm::lock::Lock<Shm> {
        &self.0
    }
}

impl RLock {
    fn algorithm_lock(&self) -> &algorithm::lock::Lock<Shm> {
        self.0.lock()
    }
}
