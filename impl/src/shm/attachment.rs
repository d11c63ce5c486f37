//! This process's attachment to a region: the mapping, the identity, and the way in.

use super::identity::{Identity, thread_serial};
use super::name::Name;
use super::process::Given;
use super::region::View;
use super::{Inode, Shm, fence, lease, region, registry, turn};
use crate::algorithm::{Owner, peers};
use crate::error::{AttachError, CreateError, OpenError, TypePrint};
use crate::layout::{BODY, Header, Kind, MAGIC, PEERS, VERSION};
use crate::platform::Ordering;
use memmap2::MmapRaw;
use nix::errno::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What a region is to be, or is expected to be.
#[derive(Debug, Clone, Copy)]
pub struct Blueprint {
    /// The primitive.
    pub kind: Kind,
    /// The element type.
    pub element: TypePrint,
    /// How many elements: 1 in a value, 0 in a lock. `None`: however many there are.
    pub length: Option<usize>,
    /// The region of the lock that guards it, 0 for its own.
    pub lock_id: u64,
}

impl Blueprint {
    /// Bytes of the body, with `length` elements.
    fn body(&self, length: usize) -> Option<usize> {
        let element = usize::try_from(self.element.size).ok()?;
        self.kind.words_size(element, length)?.checked_add(self.kind.words_at())
    }
}

/// A region, mapped into this process.
pub struct Attachment {
    shm: Shm,
    map: MmapRaw,
    identity: Identity,
    name: Option<Name>,
    /// Which thread of this process has the value out in a guard; 0: none. Of this process alone, unlike the words mapped.
    editor: AtomicU64,
}

impl Attachment {
    /// Makes a region, lets `init` fill it, and only then gives it its name.
    pub fn create(
        blueprint: &Blueprint,
        name: Option<&str>,
        init: impl FnOnce(Arc<Attachment>),
    ) -> Result<Arc<Attachment>, CreateError> {
        let name = name.map(Name::new).transpose()?;
        let length = blueprint.length.unwrap_or(0);
        let bytes = blueprint
            .body(length)
            .and_then(|body| body.checked_add(BODY)?.checked_next_multiple_of(BODY))
            .ok_or(CreateError::NoSpace { bytes: usize::MAX })?;
        let file = region::create(bytes, name.is_some())?;
        let asymmetric = fence::register().is_ok();
        let mut attachment = Attachment::map(file, bytes, asymmetric).map_err(|error| match error {
            OpenError::Attach(error) => CreateError::Attach(error),
            _ => CreateError::NoSpace { bytes },
        })?;
        let header = attachment.header();
        header.magic.store(MAGIC, Ordering::Relaxed);
        header.version.store(VERSION, Ordering::Relaxed);
        header.kind.store(blueprint.kind as u32, Ordering::Relaxed);
        header.type_size.store(blueprint.element.size, Ordering::Relaxed);
        header.type_align.store(blueprint.element.align, Ordering::Relaxed);
        header.type_code.store(blueprint.element.code, Ordering::Relaxed);
        header.body.store((bytes - BODY) as u64, Ordering::Relaxed);
        header.id.store(random_id()?, Ordering::Relaxed);
        header.lock_id.store(blueprint.lock_id, Ordering::Relaxed);
        header.length.store(length as u64, Ordering::Relaxed);
        header.fences.store(asymmetric.into(), Ordering::Relaxed);
        attachment.attach(|| Ok(true))?;
        attachment.name = name;
        let attachment = Arc::new(attachment);
        init(attachment.clone());
        // Before it has its name: whoever opens it in this process is to find it.
        registry::enter(&attachment);
        if let Some(name) = &attachment.name {
            publish(&attachment.shm.base, name)?;
        }
        Ok(attachment)
    }

    /// Opens a named region, whatever it is if no `blueprint` says what it should be. A name whose users are all dead is
    /// removed on the way and reads as not found.
    pub fn open(name: &str, blueprint: Option<&Blueprint>) -> Result<Arc<Attachment>, OpenError> {
        let name = Name::new(name)?;
        loop {
            let file = region::open_named(&name)?;
            let inode = Inode::of(&file).map_err(|errno| OpenError::system("fstat", errno))?;
            let mut attachment = match registry::find(inode) {
                Some(known) => {
                    known.require(blueprint)?;
                    // A forked child that has not used it so far becomes a peer, if the name still leads there.
                    if known.attach(|| name.leads_to(inode))? {
                        return Ok(known);
                    }
                    continue;
                }
                None => Attachment::of(file)?,
            };
            attachment.require(blueprint)?;
            // Both the question and what follows it start over if the name leads elsewhere by now.
            if !region::is_used(attachment.header(), &attachment.shm.base).unwrap_or(true) {
                name.sweep_file(&attachment.shm.base)?;
            } else if attachment.attach(|| name.leads_to(inode)).map_err(|error| match error {
                AttachError::Busy => OpenError::Busy { name: name.to_string() },
                error => error.into(),
            })? {
                attachment.name = Some(name);
                return Ok(registry::enter(&Arc::new(attachment)));
            }
        }
    }

    /// Attaches to a region that this process was given; it knows the region's name, if it has one, from the giver.
    pub fn adopt(given: Given, blueprint: &Blueprint) -> Result<Arc<Attachment>, OpenError> {
        let inode = Inode::of(&given.file).map_err(|errno| OpenError::system("fstat", errno))?;
        if let Some(known) = registry::find(inode) {
            known.require(Some(blueprint))?;
            known.attach(|| Ok(true))?;
            return Ok(known);
        }
        let mut attachment = Attachment::of(given.file)?;
        attachment.require(Some(blueprint))?;
        attachment.attach(|| Ok(true))?;
        attachment.name = given.name;
        Ok(registry::enter(&Arc::new(attachment)))
    }

    /// Maps the region behind `file`, if it is one.
    fn of(file: OwnedFd) -> Result<Attachment, OpenError> {
        let view = View::of(&file)?;
        Attachment::map(file, view.bytes(), view.header().fences.load(Ordering::Relaxed) != 0)
    }

    fn map(file: OwnedFd, bytes: usize, asymmetric: bool) -> Result<Attachment, OpenError> {
        let map = region::map(&file, bytes)?;
        let inode = Inode::of(&file).map_err(|errno| OpenError::system("fstat", errno))?;
        let shm = Shm { base: file, inode, asymmetric };
        Ok(Attachment { shm, map, identity: Identity::new()?, name: None, editor: AtomicU64::new(0) })
    }

    /// Whether the region is what `blueprint` says, if it says anything.
    fn require(&self, blueprint: Option<&Blueprint>) -> Result<(), OpenError> {
        let Some(blueprint) = blueprint else { return Ok(()) };
        let header = self.header();
        let found = header.kind.load(Ordering::Relaxed);
        if found != blueprint.kind as u32 {
            return Err(OpenError::Kind { found, expected: blueprint.kind });
        }
        let found = self.element();
        if found != blueprint.element {
            return Err(OpenError::Type { found, expected: blueprint.element });
        }
        let found = header.lock_id.load(Ordering::Relaxed);
        if found != blueprint.lock_id {
            return Err(OpenError::WrongLock { found, expected: blueprint.lock_id });
        }
        let found = self.length();
        if let Some(expected) = blueprint.length.filter(|expected| *expected != found) {
            return Err(OpenError::Length { found, expected });
        }
        let expected = blueprint.body(found).unwrap_or(usize::MAX).saturating_add(BODY);
        if self.map.len() < expected {
            return Err(OpenError::Truncated { bytes: self.map.len(), expected });
        }
        Ok(())
    }

    /// The element type in the header.
    pub fn element(&self) -> TypePrint {
        let header = self.header();
        TypePrint {
            size: header.type_size.load(Ordering::Relaxed),
            align: header.type_align.load(Ordering::Relaxed),
            code: header.type_code.load(Ordering::Relaxed),
        }
    }

    /// How many elements the header says there are.
    pub fn length(&self) -> usize {
        usize::try_from(self.header().length.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    /// The header.
    pub fn header(&self) -> &Header {
        // SAFETY: the mapping is page-aligned, longer than a header (`create` and `View::of` see to it), shared, and
        // a header is words that are only accessed atomically.
        unsafe { &*self.map.as_ptr().cast::<Header>() }
    }

    /// What the region is, if this version knows.
    pub fn kind(&self) -> Option<Kind> {
        Kind::from_bits(self.header().kind.load(Ordering::Relaxed))
    }

    /// The region's random number.
    pub fn id(&self) -> u64 {
        self.header().id.load(Ordering::Relaxed)
    }

    /// The platform under this region's words.
    #[inline(always)]
    pub fn shm(&self) -> &Shm {
        &self.shm
    }

    /// Where the mapping begins in this process, and how long it is.
    pub(super) fn start(&self) -> *const u8 {
        self.map.as_ptr()
    }
    /// Bytes of the whole region.
    pub(crate) fn bytes(&self) -> usize {
        self.map.len()
    }

    /// The region's name, if it has one.
    pub(super) fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// The descriptor of the region, to hand on.
    pub(super) fn file(&self) -> BorrowedFd<'_> {
        self.shm.base.as_fd()
    }

    /// The calling thread, as a peer of this region. A forked child becomes a peer here, at first use.
    #[inline]
    pub fn owner(&self) -> Result<Owner, AttachError> {
        let mut peer = self.identity.peer();
        if peer == 0 {
            self.attach(|| Ok(true))?;
            peer = self.identity.peer();
        }
        let serial = thread_serial().ok_or(AttachError::ThreadsExhausted)?;
        Ok(Owner::new(peer, serial))
    }

    /// Whether this process still is `peer`: false in a child forked since.
    #[inline(always)]
    pub fn is_peer(&self, peer: u32) -> bool {
        self.identity.peer() == peer
    }

    /// The thread that has the value out in a guard. Each thread asks only after its own number, which only itself sets:
    /// relaxed is enough.
    #[inline(always)]
    pub fn editor(&self) -> u64 {
        self.editor.load(Ordering::Relaxed)
    }

    /// Says which thread has the value out.
    #[inline(always)]
    pub fn set_editor(&self, thread: u64) {
        self.editor.store(thread, Ordering::Relaxed);
    }

    /// Becomes a peer, if this process is not one yet: a forked child that has not used the region so far. For operations
    /// that need no identity, but make this process a user of the region; if it cannot become one, it remains a guest.
    #[inline(always)]
    pub fn be_counted(&self) {
        if self.identity.peer() == 0 {
            let _ = self.attach(|| Ok(true));
        }
    }

    /// Becomes a peer, if this process is not one yet. `admitted` is asked behind the gate and, if it says no, nothing has
    /// happened.
    #[cold]
    fn attach(&self, admitted: impl FnOnce() -> Result<bool, Errno>) -> Result<bool, AttachError> {
        let _turn = turn::take();
        if self.identity.peer() != 0 {
            return Ok(true);
        }
        if self.shm.asymmetric {
            fence::register().map_err(|errno| AttachError::FencesRefused { errno })?;
        }
        let description = region::description(&self.shm.base).map_err(|errno| match errno {
            Errno::ENOENT | Errno::ENOTDIR => AttachError::NoProc,
            errno => AttachError::system("open /proc/self/fd", errno),
        })?;
        // Through a number of ours that somebody else's file now has, we would lock that file and write to nobody.
        if Inode::of(&description) != Ok(self.shm.inode) {
            return Err(AttachError::Corrupt { what: "the region's descriptor was closed and its number reused" });
        }
        let system = |errno| AttachError::system("fcntl F_OFD_SETLK", errno);
        if !lease::pass_gate(&description, false).map_err(system)? {
            return Err(AttachError::Busy);
        }
        let admitted = admitted().map_err(|errno| AttachError::system("stat", errno))?;
        let attached = if admitted { self.enter_table(&description).map(|()| true) } else { Ok(false) };
        // Not to stay held for as long as the lease, which keeps the description.
        lease::leave_gate(&description).map_err(system)?;
        attached
    }

    /// Takes an id, its lease, and a slot.
    fn enter_table(&self, description: &OwnedFd) -> Result<(), AttachError> {
        let header = self.header();
        let id = peers::next_id(&self.shm, &header.next_id).map_err(|_| AttachError::IdsExhausted)?;
        let anchor = lease::take(description, id)
            .map_err(|errno| AttachError::system("fcntl F_OFD_SETLK", errno))?
            .ok_or(AttachError::Corrupt { what: "the lease of a new peer is held already" })?;
        match peers::claim(&self.shm, &header.peers, id) {
            Ok(slot) => self.identity.set(id, slot, anchor),
            Err(_) => {
                lease::release(anchor);
                return Err(AttachError::TooManyPeers { limit: PEERS });
            }
        }
        Ok(())
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        let header = self.header();
        self.identity.clear(|id, slot| {
            if let Some(slot) = header.peers.get(slot) {
                peers::release(&self.shm, slot, id);
            }
        });
        // The last to go takes the name along; if that fails, it is stale and the next `create`, `open` or sweep does it.
        // Through a description of its own: the one behind `base` may be shared with a forked process.
        if let Some(name) = &self.name
            && let Ok(description) = region::description(&self.shm.base)
            && Inode::of(&description) == Ok(self.shm.inode)
        {
            let _ = name.sweep_file(&description);
        }
    }
}

/// Links the file to its name; a stale region in the way is removed.
fn publish(file: &OwnedFd, name: &Name) -> Result<(), CreateError> {
    const TRIES: u32 = 100; // each one lost means that somebody else created and abandoned the name meanwhile
    let taken = || CreateError::Exists { name: name.to_string() };
    for _ in 0..TRIES {
        match region::publish(file, name) {
            Err(CreateError::Exists { .. }) => match name.sweep() {
                Ok(true) | Err(OpenError::NotFound { .. }) => {}
                Ok(false) => return Err(taken()),
                Err(OpenError::Busy { .. }) => return Err(taken()),
                Err(why) => return Err(CreateError::Taken { name: name.to_string(), why: Box::new(why) }),
            },
            result => return result,
        }
    }
    Err(taken())
}

fn random_id() -> Result<u64, CreateError> {
    let mut bytes = [0; 8];
    // SAFETY: getrandom writes at most the eight bytes it is given.
    Errno::result(unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) })
        .map_err(|errno| CreateError::system("getrandom", errno))?;
    Ok(u64::from_ne_bytes(bytes).max(1)) // 0 means "no region"
}
