//! What can go wrong with a region: making it, finding it, becoming a peer of it. Each error says what was found and what was
//! expected.

use crate::layout::Kind;
use crate::type_code::TypeCode;
use nix::errno::Errno;
use thiserror::Error;

/// A name that cannot name a region.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadName {
    /// Nothing at all.
    #[error("a name has at least one character")]
    Empty,
    /// More bytes than a file name has room for.
    #[error("the name has {bytes} bytes, the longest has {longest}")]
    TooLong {
        /// Its bytes.
        bytes: usize,
        /// The most there may be.
        longest: usize,
    },
    /// A character that a file name cannot have.
    #[error("the name {name:?} contains {character:?}")]
    Character {
        /// The name.
        name: String,
        /// The first such character.
        character: char,
    },
}

/// A system call that failed in a way that has no name of its own here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{call}: {errno}")]
pub struct SystemError {
    /// The call.
    pub call: &'static str,
    /// What the kernel answered.
    pub errno: Errno,
}

/// Why this process cannot become a peer of a region.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AttachError {
    /// All slots name living peers.
    #[error("the region has {limit} peers already, the most it can have")]
    TooManyPeers {
        /// The most.
        limit: usize,
    },
    /// The region has had 2^30 - 1 peers, and ids are never reused.
    #[error("the region has handed out all of its peer ids")]
    IdsExhausted,
    /// This process has started 2^32 - 1 threads that used the library.
    #[error("this process has used up its thread numbers")]
    ThreadsExhausted,
    /// Somebody has been sweeping the region for longer than a sweep takes: stopped, perhaps.
    #[error("the region is being swept by somebody who does not finish")]
    Busy,
    /// `/proc/self/fd` is not there: a lease needs a description of its own.
    #[error("/proc is not mounted: a lease on the region cannot be taken")]
    NoProc,
    /// No descriptor is left in this process or on this machine.
    #[error("{call}: no file descriptor is left")]
    NoDescriptors {
        /// The call.
        call: &'static str,
    },
    /// The region's fences are asymmetric and the kernel refuses to register this process.
    #[error("the region uses membarrier(2), which is refused to this process: {errno}")]
    FencesRefused {
        /// What the kernel answered.
        errno: Errno,
    },
    /// The lease of a new id was held already, or a word holds what no peer writes.
    #[error("the region is corrupt: {what}")]
    Corrupt {
        /// What was found.
        what: &'static str,
    },
    /// Anything else.
    #[error(transparent)]
    System(#[from] SystemError),
}

/// Why a region could not be created.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CreateError {
    /// The name cannot name a region.
    #[error(transparent)]
    BadName(#[from] BadName),
    /// The name is taken by a region in use.
    #[error("a region named {name:?} exists and is in use")]
    Exists {
        /// The name.
        name: String,
    },
    /// The name is taken by something that is not a region, or not one of ours to judge.
    #[error("the name {name:?} is taken: {why}")]
    Taken {
        /// The name.
        name: String,
        /// Why it cannot be replaced.
        why: Box<OpenError>,
    },
    /// An array without elements, or with more than an address can count.
    #[error("an array has 1 to {longest} elements of this type, {length} were asked for")]
    Length {
        /// What was asked for.
        length: usize,
        /// The most there can be.
        longest: usize,
    },
    /// A ring of no bytes, or of more than can be counted.
    #[error("a pipe has room for 1 to {longest} bytes, {bytes} were asked for")]
    Capacity {
        /// What was asked for.
        bytes: usize,
        /// The most there can be.
        longest: usize,
    },
    /// A queue of no messages, or of more than can be counted.
    #[error("a queue holds 1 to {longest} messages, {most} were asked for")]
    MaxLen {
        /// What was asked for.
        most: usize,
        /// The most there can be.
        longest: usize,
    },
    /// A queue that delivers tasks again and has no place for any, or for more than can be counted, or not for one of the type.
    #[error("1 to {most} tasks can be in hand, of a message's bytes at least; {tasks} of {bytes} were asked for")]
    InHand {
        /// How many were asked for.
        tasks: usize,
        /// Of how many bytes each.
        bytes: usize,
        /// The most there can be.
        most: usize,
    },
    /// Not enough shared memory.
    #[error("no space for {bytes} bytes of shared memory")]
    NoSpace {
        /// What was asked for.
        bytes: usize,
    },
    /// The directory of named regions may not be written.
    #[error("{call}: permission denied in /dev/shm")]
    Permission {
        /// The call.
        call: &'static str,
    },
    /// The region was made, but this process could not become its peer.
    #[error(transparent)]
    Attach(#[from] AttachError),
}

/// Why a region could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// The name cannot name a region.
    #[error(transparent)]
    BadName(#[from] BadName),
    /// No region has this name (any more).
    #[error("no region is named {name:?}")]
    NotFound {
        /// The name.
        name: String,
    },
    /// This process was not given a handle of this name.
    #[error("no handle named {name:?} was given to this process")]
    NotInherited {
        /// The name.
        name: String,
    },
    /// The region belongs to somebody else.
    #[error("{call}: permission denied")]
    Permission {
        /// The call.
        call: &'static str,
    },
    /// The file is not a region.
    #[error("the file is not a region")]
    Foreign,
    /// The file is shorter than its header says, or than a header.
    #[error("the file has {bytes} bytes, at least {expected} were expected")]
    Truncated {
        /// Its bytes.
        bytes: usize,
        /// The least there should be.
        expected: usize,
    },
    /// Made by another version of this library.
    #[error("the region has layout version {found}, this library reads {expected}")]
    Version {
        /// The region's.
        found: u32,
        /// Ours.
        expected: u32,
    },
    /// Another primitive.
    #[error("the region's kind is {}, {expected:?} was expected", kind_name(*found))]
    Kind {
        /// The number in the header.
        found: u32,
        /// What was asked for.
        expected: Kind,
    },
    /// Another element type.
    #[error("the region holds {found}, {expected} was expected")]
    Type {
        /// The region's.
        found: TypePrint,
        /// What was asked for.
        expected: TypePrint,
    },
    /// A ring of a size that no ring has.
    #[error("the region's rings have {capacity} bytes each, a power of two from 4096 to 2^31 was expected")]
    Ring {
        /// The size in the header.
        capacity: usize,
    },
    /// Messages that are written in another way.
    #[error("the region's messages are written as {}, {} was expected", codec_name(*found), codec_name(*expected))]
    Codec {
        /// The number in the header.
        found: u32,
        /// The number of the codec that was asked for.
        expected: u32,
    },
    /// Another number of elements.
    #[error("the region holds {found} elements, {expected} were expected")]
    Length {
        /// The region's.
        found: usize,
        /// What was asked for.
        expected: usize,
    },
    /// An element type that has no [`TypeCode`](crate::TypeCode), where one was needed to know the type.
    #[error("the region holds {found}, a type with one of the codes {} was expected", TypeCode::letters())]
    NoTypeCode {
        /// The region's.
        found: TypePrint,
    },
    /// The value is guarded by another lock than the one given (0: by its own).
    #[error("the value is guarded by the lock {found:#x}, not by {expected:#x} (0 is the value's own lock)")]
    WrongLock {
        /// The region of its lock.
        found: u64,
        /// The region of the lock that was given.
        expected: u64,
    },
    /// The lock that guards the value is not one that this process has, was given, or finds under a name.
    #[error("the lock {id:#x} that guards the value is not here: open it first, or name it")]
    LockNotFound {
        /// The region of the lock.
        id: u64,
    },
    /// Somebody has been sweeping the name for longer than a sweep takes: stopped, perhaps.
    #[error("the name {name:?} is being swept by somebody who does not finish")]
    Busy {
        /// The name.
        name: String,
    },
    /// This process could not become a peer.
    #[error(transparent)]
    Attach(#[from] AttachError),
}

fn codec_name(number: u32) -> String {
    crate::codec::name_of(number).map_or_else(|| format!("codec {number}"), str::to_owned)
}

fn kind_name(bits: u32) -> String {
    Kind::from_bits(bits).map_or_else(|| format!("{bits}, unknown here"), |kind| format!("{kind:?}"))
}

/// What a header says of an element type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypePrint {
    /// Bytes.
    pub size: u64,
    /// Alignment.
    pub align: u32,
    /// The letter of its [type code](TypePrint::type_code), 0 for a user's type.
    pub code: u32,
}

impl TypePrint {
    /// The code, if it is a [`TypeCode`]; the library's own `o` and `O`, for 128 bits, are not.
    pub fn type_code(&self) -> Option<TypeCode> {
        TypeCode::from_char(char::from_u32(self.code)?).ok()
    }
}

impl std::fmt::Display for TypePrint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match char::from_u32(self.code) {
            Some(code) if !code.is_control() => write!(f, "type {code:?}")?,
            _ => write!(f, "a user's type")?,
        }
        write!(f, " ({} bytes, alignment {})", self.size, self.align)
    }
}

impl AttachError {
    pub(crate) fn system(call: &'static str, errno: Errno) -> AttachError {
        match errno {
            Errno::EMFILE | Errno::ENFILE => AttachError::NoDescriptors { call },
            errno => AttachError::System(SystemError { call, errno }),
        }
    }
    /// `/proc/self/fd/N` could not be opened.
    pub(crate) fn reopening(errno: Errno) -> AttachError {
        match errno {
            Errno::ENOENT | Errno::ENOTDIR => AttachError::NoProc,
            errno => AttachError::system("open /proc/self/fd", errno),
        }
    }
    pub(crate) fn io(call: &'static str, error: &std::io::Error) -> AttachError {
        AttachError::system(call, Errno::from_raw(error.raw_os_error().unwrap_or(0)))
    }
}

impl CreateError {
    pub(crate) fn system(call: &'static str, errno: Errno) -> CreateError {
        match errno {
            Errno::EACCES | Errno::EPERM => CreateError::Permission { call },
            Errno::ENOENT if call == "linkat" => AttachError::NoProc.into(),
            errno => AttachError::system(call, errno).into(),
        }
    }
}

impl OpenError {
    pub(crate) fn system(call: &'static str, errno: Errno) -> OpenError {
        match errno {
            Errno::EACCES | Errno::EPERM => OpenError::Permission { call },
            errno => AttachError::system(call, errno).into(),
        }
    }
    pub(crate) fn io(call: &'static str, error: &std::io::Error) -> OpenError {
        AttachError::io(call, error).into()
    }
}
