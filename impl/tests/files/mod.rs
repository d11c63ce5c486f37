//! Names for regions, and what no peer would do to their files.

use procession::layout::{BODY, Kind};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A name that no other test has.
pub fn name(what: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    format!("types-{}-{now}-{what}", std::process::id())
}

/// Writes into a region's file, as no peer would.
pub fn patch(name: &str, offset: usize, bytes: &[u8]) {
    let file = File::options().write(true).open(format!("/dev/shm/procession.{name}")).unwrap();
    file.write_all_at(bytes, offset as u64).unwrap();
}

/// Where a value's words begin in its file.
pub const VALUE: usize = BODY + Kind::Value.words_at();
