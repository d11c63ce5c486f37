//! Bundles of handles: several at once, to be given and to be received.

use crate::error::OpenError;
use crate::share::Handle;
use crate::shm::{Attachment, Given, give, inherited_names, inherited_region};
use std::fmt;
use std::process::Command;
use std::sync::Arc;

/// Handles to give to another process, each under a name. Keeps their regions alive.
///
/// ```
/// use procession::{Handles, Lock, Share, Value};
/// let handles = Handles::new().with("lock", &Lock::new()?).with("counter", &Value::new(0u64)?);
/// let mut child = std::process::Command::new("true").share_all(&handles).spawn()?;
/// assert!(child.wait()?.success());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Handles(Vec<(String, Arc<Attachment>)>);

impl Handles {
    /// None so far.
    pub fn new() -> Handles {
        Handles::default()
    }

    /// One more. It takes the place of the one of that name, if there is one.
    #[must_use]
    pub fn with(mut self, name: &str, handle: &impl Handle) -> Handles {
        self.0.retain(|(other, _)| other != name);
        self.0.push((name.to_owned(), handle.attachment().clone()));
        self
    }

    /// Their names, in the order in which they were added.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// What is given, and under which names.
    pub(crate) fn given(&self) -> &[(String, Arc<Attachment>)] {
        &self.0
    }

    /// Gives all of them to the child that `command` starts.
    pub(crate) fn give_to(&self, command: &mut Command) {
        for (name, attachment) in &self.0 {
            give(command, name, attachment);
        }
    }
}

/// Handles that this process was given, to be taken by their names.
#[derive(Clone)]
pub struct Inherited(Vec<(String, Given)>);

impl Inherited {
    /// What the parent gave with [`Share`](crate::Share) or [`spawn`](crate::spawn), as far as it can be taken. Empty for a
    /// process that was given nothing.
    pub fn of_parent() -> Inherited {
        let given = |name: String| inherited_region(&name).ok().map(|given| (name, given));
        Inherited(inherited_names().into_iter().filter_map(given).collect())
    }

    /// Takes the handle of that name. Taking it again gives another handle of the same attachment; but of what the parent
    /// gave only while one of them lives: see [`Handle::inherited`].
    ///
    /// Errors: none of that name, another kind or type, its lock is not found.
    pub fn take<H: Handle>(&self, name: &str) -> Result<H, OpenError> {
        let given = self.0.iter().find(|(given, _)| given == name);
        let missing = || OpenError::NotInherited { name: name.to_owned() };
        H::adopt(given.ok_or_else(missing)?.1.clone())
    }

    /// The names of all that was given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl fmt::Debug for Handles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl fmt::Debug for Inherited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}
