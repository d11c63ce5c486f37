//! Names of regions: files under `/dev/shm`, each kept only while somebody uses the region.
//!
//! A region appears under its name complete, with its creator attached (`O_TMPFILE`, then `linkat`). A name whose users are
//! all dead is stale. Removing one must not race with somebody who opens it, nor with somebody who removes it too and
//! creates it anew; so
//! 1. an opener holds the region's gate shared while it sees that the name still leads here and takes its lease and slot;
//! 2. a sweeper holds the gate alone while it sees that no peer in the table lives and that the name still leads here, and
//!    unlinks it.

use super::region::View;
use super::{Inode, lease, region};
use crate::error::{BadName, OpenError};
use crate::layout::NAME_BYTES;
use nix::errno::Errno;
use nix::sys::stat::stat;
use std::fmt;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

pub(super) const DIRECTORY: &str = "/dev/shm";
const PREFIX: &str = "procession.";
const LONGEST: usize = NAME_BYTES;

/// A region's name: 1 to 200 bytes, without `/` or NUL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Name {
    /// Checks a name.
    pub fn new(name: &str) -> Result<Name, BadName> {
        match name {
            "" => Err(BadName::Empty),
            _ if name.len() > LONGEST => Err(BadName::TooLong { bytes: name.len(), longest: LONGEST }),
            _ => match name.chars().find(|c| matches!(c, '/' | '\0')) {
                Some(character) => Err(BadName::Character { name: name.to_owned(), character }),
                None => Ok(Name(name.to_owned())),
            },
        }
    }

    /// The name as the user gave it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(format!("{DIRECTORY}/{PREFIX}{}", self.0))
    }

    /// Whether the name leads to `inode`.
    pub(super) fn leads_to(&self, inode: Inode) -> Result<bool, Errno> {
        match stat(&self.path()) {
            Ok(stat) => Ok(Inode { device: stat.st_dev, number: stat.st_ino } == inode),
            Err(Errno::ENOENT) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    /// Removes the name if nobody uses the region; tells whether it did. A file that is no region is left alone.
    pub fn sweep(&self) -> Result<bool, OpenError> {
        let file = region::open_named(self)?;
        self.sweep_file(&file)
    }

    pub(super) fn sweep_file(&self, file: &OwnedFd) -> Result<bool, OpenError> {
        let system = |call| move |errno| OpenError::system(call, errno);
        let inode = Inode::of(file).map_err(system("fstat"))?;
        let view = View::of(file)?;
        if !lease::pass_gate(file, true).map_err(system("fcntl F_OFD_SETLK"))? {
            return Err(OpenError::Busy { name: self.to_string() });
        }
        let stale = !region::is_used(view.header(), file).map_err(system("fcntl F_OFD_GETLK"))?
            && self.leads_to(inode).map_err(system("stat"))?;
        if stale {
            nix::unistd::unlink(&self.path()).map_err(system("unlink"))?;
        }
        lease::leave_gate(file).map_err(system("fcntl F_OFD_SETLK"))?;
        Ok(stale)
    }
}

/// The names in use or stale, sorted.
pub fn names() -> std::io::Result<Vec<Name>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(DIRECTORY)? {
        if let Some(name) = entry?.file_name().to_str().and_then(|file| file.strip_prefix(PREFIX)) {
            names.push(Name(name.to_owned()));
        }
    }
    names.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(names)
}
