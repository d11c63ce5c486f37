//! A function in a process of its own: [`serve`] in `main`, [`spawn`] wherever it is wanted.

use crate::bundle::{Handles, Inherited};
use crate::error::{AttachError, SystemError};
use crate::layout::PEERS;
use crate::shm::{Share, handle_of};
use nix::errno::Errno;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::panic::AssertUnwindSafe;
use std::process::{Child, Command};
use std::sync::OnceLock;
use thiserror::Error;

/// By this first argument a child knows what it is for. Not a variable: those go on to a child's own children.
const ARGUMENT: &str = "--procession-entry";

/// What this program serves, once [`serve`] was called.
static SERVED: OnceLock<Vec<&'static Entry>> = OnceLock::new();

/// A function that can be run in a process of its own. Made as a `static`, and told to [`serve`].
#[derive(Debug)]
pub struct Entry {
    name: &'static str,
    run: fn(Inherited) -> Result<(), Box<dyn Error>>,
}

impl Entry {
    /// A function and the name by which the child finds it, which no other entry of this program has.
    pub const fn new(name: &'static str, run: fn(Inherited) -> Result<(), Box<dyn Error>>) -> Entry {
        Entry { name, run }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// The first line of `main` in a program that uses [`spawn`].
///
/// In a process that `spawn` has started it runs the entry, and ends the process: with 0; with 1 and the error on stderr; or
/// with 101 if the entry panics. In any other process it returns. What a child starts in its turn is not taken for a child:
/// only `spawn` starts those.
pub fn serve(entries: &[&'static Entry]) {
    let served = SERVED.get_or_init(|| entries.to_vec());
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() == Some(OsStr::new(ARGUMENT)) {
        let name = arguments.next().unwrap_or_default();
        std::process::exit(run(served, &name));
    }
}

fn run(served: &[&Entry], name: &OsStr) -> i32 {
    let Some(entry) = served.iter().find(|entry| entry.name == name) else {
        complain(format_args!("{}: this program does not serve it", name.display()));
        return 1;
    };
    match std::panic::catch_unwind(AssertUnwindSafe(|| (entry.run)(Inherited::of_parent()))) {
        Ok(Ok(())) => 0,
        Ok(Err(error)) => {
            complain(format_args!("{}: {error}", entry.name));
            1
        }
        Err(_) => 101, // and the message is on stderr already
    }
}

/// Not `eprintln!`, which panics where stderr cannot be written: the code that the process ends with would be another.
fn complain(what: fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{what}");
}

/// Runs `entry` in a new process of this program, which gets `handles`.
///
/// The child is a user of their regions once this has returned, whatever becomes of this process. It has this process's
/// environment, directory and standard streams. What is returned is the standard library's handle: wait for the child with
/// [`wait`](Child::wait), end it with [`kill`](Child::kill). Dropping it does neither, and a child that nobody waits for
/// stays a zombie until this process ends.
///
/// Errors: `main` has not called [`serve`] (the child would not know better than to do what this process does, and spawn
/// children in its turn), an entry that was not told to it, too many peers, and what the system refuses.
///
/// ```no_run
/// use procession::{Entry, Handles, Inherited, Value, serve, spawn};
/// use std::error::Error;
///
/// static WORKER: Entry = Entry::new("worker", worker);
///
/// fn worker(handles: Inherited) -> Result<(), Box<dyn Error>> {
///     let counter: Value<u64> = handles.take("counter")?;
///     counter.fetch_add(1)?;
///     Ok(())
/// }
///
/// fn main() -> Result<(), Box<dyn Error>> {
///     serve(&[&WORKER]);
///     let counter = Value::new(0u64)?;
///     let mut child = spawn(&WORKER, &Handles::new().with("counter", &counter))?;
///     assert!(child.wait()?.success());
///     assert_eq!(counter.get()?, 1);
///     Ok(())
/// }
/// ```
pub fn spawn(entry: &'static Entry, handles: &Handles) -> Result<Child, SpawnError> {
    let served = SERVED.get().ok_or(SpawnError::NotServing)?;
    // The very entry that the child will find under the name.
    if !served.iter().find(|other| other.name == entry.name).is_some_and(|other| std::ptr::eq(*other, entry)) {
        return Err(SpawnError::UnknownEntry { name: entry.name });
    }
    // Not by its path: the program may have been replaced by another version since it was started.
    let mut command = Command::new("/proc/self/exe");
    if let Some(program) = std::env::args_os().next() {
        command.arg0(program);
    }
    command.args([ARGUMENT, entry.name]);
    // What our own parent gave us is not the child's.
    let inherited = |(variable, _): (OsString, OsString)| handle_of(&variable).is_some().then_some(variable);
    std::env::vars_os().filter_map(inherited).for_each(|variable| _ = command.env_remove(variable));
    command.share_all(handles).spawn().map_err(|error| match Errno::from_raw(error.raw_os_error().unwrap_or(0)) {
        Errno::EUSERS => SpawnError::Attach(AttachError::TooManyPeers { limit: PEERS }),
        errno => SpawnError::System(SystemError { call: "spawn", errno }),
    })
}

/// Why there is no child.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpawnError {
    /// A child would start as this process did, and spawn children in its turn.
    #[error("spawn() needs serve() as the first line of main, or the children would spawn children without end")]
    NotServing,
    /// The child would not know it.
    #[error("the entry {name:?} was not told to serve(), or another one of that name was told first")]
    UnknownEntry {
        /// Its name.
        name: &'static str,
    },
    /// The child could not become a peer.
    #[error(transparent)]
    Attach(#[from] AttachError),
    /// Anything else; its numbers are those of [`Share::share`].
    #[error(transparent)]
    System(#[from] SystemError),
}
