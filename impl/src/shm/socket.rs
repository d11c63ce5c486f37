//! Handles over a Unix socket: names and tickets in one message (unix(7), SCM_RIGHTS).
//!
//! The message: [`MAGIC`], the bytes that follow (4), and then for each handle its name and its place, each ended by a NUL.
//! A place counts the tickets, which come with the first byte. In flight, a ticket lives in the kernel: if the message is
//! never read, it ends with the socket.

use super::name::Name;
use super::spawned::{describe, described};
use super::ticket::{Given, Place, Source, Ticket};
use super::{Attachment, Inode, lease};
use crate::bundle::{ReceiveHandlesError, SendHandlesError};
use crate::error::AttachError;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use std::io::{IoSlice, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// What a message begins with; another version of the layout begins otherwise.
const MAGIC: [u8; 8] = *b"PROCHND2";
/// The most descriptors that the kernel takes in one message.
const MOST: usize = 253;
/// The most bytes of names and places.
const LONGEST: usize = 1 << 17;
const HEAD: usize = MAGIC.len() + size_of::<u32>();

/// Sends the handles, each with a ticket for whoever receives it.
pub(crate) fn send(stream: &UnixStream, handles: &[(String, Arc<Attachment>, u32)]) -> Result<(), SendHandlesError> {
    let mut regions: Vec<(&Attachment, u32)> = Vec::new();
    let mut text = Vec::new();
    for (name, attachment, parts) in handles {
        if name.contains('\0') {
            return Err(SendHandlesError::BadName { name: name.clone() });
        }
        let known = regions.iter().position(|(region, _)| region.shm().inode == attachment.shm().inode);
        let index = known.unwrap_or(regions.len());
        match known {
            Some(index) => regions[index].1 |= parts,
            None => regions.push((attachment, *parts)),
        }
        let place = describe(i32::try_from(index).unwrap_or(i32::MAX), attachment, *parts);
        [name.as_str(), "\0", place.as_str(), "\0"].iter().for_each(|part| text.extend_from_slice(part.as_bytes()));
    }
    if regions.len() > MOST {
        return Err(SendHandlesError::TooMany { regions: regions.len(), most: MOST });
    }
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    if text.len() > LONGEST {
        return Err(SendHandlesError::TooLong { bytes: text.len(), longest: LONGEST });
    }
    let tickets = regions.iter().map(|(region, parts)| region.ticket(&lease::path(region.file()), 0, *parts));
    let tickets = tickets.collect::<Result<Vec<OwnedFd>, AttachError>>()?;
    let message = [&MAGIC[..], &length.to_ne_bytes(), &text].concat();
    let descriptors: Vec<RawFd> = tickets.iter().map(AsRawFd::as_raw_fd).collect();
    let mut rights: &[ControlMessage<'_>] = &[ControlMessage::ScmRights(&descriptors)];
    if descriptors.is_empty() {
        rights = &[];
    }
    let mut sent = 0;
    while sent < message.len() {
        let rest = [IoSlice::new(&message[sent..])];
        match sendmsg::<()>(stream.as_raw_fd(), &rest, rights, MsgFlags::MSG_NOSIGNAL, None) {
            Ok(bytes) => {
                sent += bytes;
                rights = &[]; // they go with the first byte
            }
            Err(Errno::EINTR) => {}
            Err(Errno::EPIPE | Errno::ECONNRESET) => return Err(SendHandlesError::Closed),
            Err(errno) => return Err(SendHandlesError::Refused { errno }),
        }
    }
    Ok(())
}

/// Receives what [`send`] sent, and attaches to it.
pub(crate) fn receive(stream: &UnixStream) -> Result<Vec<(String, Given)>, ReceiveHandlesError> {
    let (head, files) = receive_head(stream)?;
    let (magic, length) = head.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(ReceiveHandlesError::Foreign { what: "it does not begin as one" });
    }
    let length = u32::from_ne_bytes(length.try_into().unwrap_or_default()) as usize;
    if length > LONGEST {
        return Err(ReceiveHandlesError::Foreign { what: "it is longer than any" });
    }
    let mut text = vec![0; length];
    fill(stream, &mut text)?;
    let places =
        places(&text).ok_or(ReceiveHandlesError::Foreign { what: "what it says of its handles makes no sense" })?;
    let mut regions = Vec::new();
    for (index, file) in files.into_iter().enumerate() {
        let Some(place) = places.iter().find(|place| usize::try_from(place.number) == Ok(index)) else {
            return Err(ReceiveHandlesError::Foreign { what: "it has descriptors that belong to no handle" });
        };
        regions.push(attach(file, place)?);
    }
    let given = |place: Place| {
        let region = regions.get(usize::try_from(place.number).ok()?)?;
        (region.id() == place.region)
            .then(|| (place.handle, Given { parts: place.parts, source: Source::Attached(region.clone()) }))
    };
    let given = places.into_iter().map(given).collect::<Option<Vec<_>>>();
    given.ok_or(ReceiveHandlesError::Foreign { what: "it has handles that belong to no descriptor" })
}

fn places(text: &[u8]) -> Option<Vec<Place>> {
    let text = std::str::from_utf8(text).ok()?;
    let mut parts = text.split_terminator('\0');
    let mut places = Vec::new();
    while let Some(handle) = parts.next() {
        places.push(described(handle, parts.next()?)?);
    }
    Some(places)
}

/// Attaches to a region that somebody sent, in the place that its ticket keeps.
fn attach(file: OwnedFd, place: &Place) -> Result<Arc<Attachment>, ReceiveHandlesError> {
    if !is_kept(&file, place.name.as_ref()) {
        return Err(ReceiveHandlesError::Foreign {
            what: "a descriptor in it is neither sealed memory nor a named region",
        });
    }
    let ticket = Ticket::read(file, place.region).map_err(ReceiveHandlesError::Open)?;
    let ticket = ticket
        .ok_or(ReceiveHandlesError::Foreign { what: "a descriptor in it is no ticket of the region it names" })?;
    Ok(Attachment::redeem(&ticket, place.name.clone(), |_| Ok(()))?.0)
}

/// Whether the file stays as long as it is, so that nobody can take memory away under us: sealed, or where regions of this
/// user's are.
fn is_kept(file: &OwnedFd, name: Option<&Name>) -> bool {
    let seals = fcntl(file, FcntlArg::F_GET_SEALS).map(SealFlag::from_bits_retain);
    seals.is_ok_and(|seals| seals.contains(SealFlag::F_SEAL_SHRINK))
        || name.is_some_and(|name| Inode::of(file).is_ok_and(|inode| name.leads_to(inode) == Ok(true)))
}

/// The first bytes of a message and the descriptors that came with them, which are ours from the moment they are here.
fn receive_head(stream: &UnixStream) -> Result<([u8; HEAD], Vec<OwnedFd>), ReceiveHandlesError> {
    let mut head = [0; HEAD];
    // Room for the credentials that a socket may be set to deliver, too. Words, to be aligned as a header is.
    let mut control = [0u64; (MOST * size_of::<RawFd>()).div_ceil(8) + 64];
    let mut part = libc::iovec { iov_base: head.as_mut_ptr().cast(), iov_len: HEAD };
    // SAFETY: a message header is plain data, for which zero is a value: nothing there.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    let received = loop {
        // SAFETY: the header leads to `head` and `control`, which outlive the call, with their lengths.
        match Errno::result(unsafe { libc::recvmsg(stream.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) }) {
            Err(Errno::EINTR) => {}
            Err(Errno::ECONNRESET) => return Err(ReceiveHandlesError::Closed),
            Err(errno) => return Err(ReceiveHandlesError::Refused { errno }),
            Ok(received) => break received.unsigned_abs(),
        }
    };
    // First of all, whatever is wrong with the rest: what is not owned would stay open.
    let files = descriptors(&message);
    if received == 0 {
        return Err(ReceiveHandlesError::Closed);
    }
    if message.msg_flags & libc::MSG_CTRUNC != 0 {
        return Err(ReceiveHandlesError::NoDescriptors);
    }
    fill(stream, &mut head[received..])?;
    Ok((head, files))
}

/// Reads on. Descriptors that come here are none of a message's, and the kernel closes them.
fn fill(mut stream: &UnixStream, bytes: &mut [u8]) -> Result<(), ReceiveHandlesError> {
    stream.read_exact(bytes).map_err(|error| match error.raw_os_error().map(Errno::from_raw) {
        None | Some(Errno::ECONNRESET) => ReceiveHandlesError::Closed,
        Some(errno) => ReceiveHandlesError::Refused { errno },
    })
}

/// The descriptors that the kernel has put into a received message's control buffer.
fn descriptors(message: &libc::msghdr) -> Vec<OwnedFd> {
    let mut files = Vec::new();
    // SAFETY: the kernel has filled the control buffer, and `msg_controllen` is how far; the macros stay within.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(message) };
    // SAFETY: a header that the macros found is inside the buffer, which is aligned for it and still there.
    while let Some(header) = unsafe { next.as_ref() } {
        if (header.cmsg_level, header.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            // SAFETY: as above, for the data behind the header.
            let data = unsafe { libc::CMSG_DATA(header) }.cast::<RawFd>();
            // SAFETY: computes a number, of numbers.
            let bytes = header.cmsg_len.saturating_sub(unsafe { libc::CMSG_LEN(0) } as usize);
            for index in 0..bytes / size_of::<RawFd>() {
                // SAFETY: within the data's length; the kernel made the descriptor for this message, and it is taken once.
                files.push(unsafe { OwnedFd::from_raw_fd(data.add(index).read_unaligned()) });
            }
        }
        // SAFETY: `header` is one of the message's.
        next = unsafe { libc::CMSG_NXTHDR(message, header) };
    }
    files
}
