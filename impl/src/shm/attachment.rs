//! This process's attachment to a region: the mapping, the identity, the name.

use super::identity::Identity;
use super::name::Name;
use super::region::View;
use super::roles::Holdings;
use super::{Inode, Shm, fence, futex, lease, region, registry, ticket};
use crate::algorithm::peers;
use crate::error::{AttachError, CreateError, OpenError, TypePrint};
use crate::layout::{BODY, Header, Kind, MAGIC, VERSION};
use crate::platform::Ordering;
use memmap2::MmapRaw;
use nix::errno::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64};

/// In a [`Blueprint`] of a region that is there: whichever lock guards it.
pub const ANY_LOCK: u64 = u64::MAX;

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
    /// How messages are written, 0 where there are none.
    pub codec: u32,
    /// What else is asked for of a new region.
    pub options: u32,
    /// The longest time that anybody is to sleep without a look in a new region, in milliseconds; 0: as long as usual.
    pub tick: u32,
    /// Bytes of what comes behind its words in a new region.
    pub behind: usize,
}

impl Blueprint {
    /// Any region of this kind with these elements that has its own lock, if it has one, and no messages.
    pub fn new(kind: Kind, element: TypePrint) -> Blueprint {
        Blueprint { kind, element, length: None, lock_id: 0, codec: 0, options: 0, tick: 0, behind: 0 }
    }

    /// Bytes of the body, with `length` elements.
    fn body(&self, length: usize) -> Option<usize> {
        let element = usize::try_from(self.element.size).ok()?;
        self.kind.words_size(element, length)?.checked_add(self.kind.words_at())
    }
}

/// A region, mapped into this process.
pub struct Attachment {
    pub(super) shm: Shm,
    map: MmapRaw,
    pub(super) identity: Identity,
    pub(super) name: Option<Name>,
    /// Which thread of this process has the value out in a guard; 0: none. Of this process alone, unlike the words mapped.
    editor: AtomicU64,
    pub(super) holdings: Holdings,
    /// Looks in vain of those who do not wait.
    misses: AtomicU32,
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
            .and_then(|body| body.checked_add(blueprint.behind)?.checked_add(BODY)?.checked_next_multiple_of(BODY))
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
        header.codec.store(blueprint.codec, Ordering::Relaxed);
        header.options.store(blueprint.options, Ordering::Relaxed);
        header.tick.store(blueprint.tick, Ordering::Relaxed);
        header.fences.store(asymmetric.into(), Ordering::Relaxed);
        if let Some(lock) = registry::find_region(blueprint.lock_id)
            && let Some(name) = lock.name()
        {
            for (word, part) in header.lock_name.iter().zip(name.as_str().as_bytes().chunks(size_of::<u64>())) {
                let mut bytes = [0; size_of::<u64>()];
                bytes[..part.len()].copy_from_slice(part);
                word.store(u64::from_ne_bytes(bytes), Ordering::Relaxed);
            }
        }
        attachment.shm.tick = futex::tick(blueprint.tick);
        attachment.attach(None, || Ok(true))?;
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
                    if known.attach(None, || name.leads_to(inode))? {
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
            } else if attachment.attach(None, || name.leads_to(inode)).map_err(|error| match error {
                AttachError::Busy => OpenError::Busy { name: name.to_string() },
                error => error.into(),
            })? {
                attachment.name = Some(name);
                return Ok(registry::enter(&Arc::new(attachment)));
            }
        }
    }

    /// Maps the region behind `file`, if it is one.
    pub(super) fn of(file: OwnedFd) -> Result<Attachment, OpenError> {
        let view = View::of(&file)?;
        let mut attachment = Attachment::map(file, view.bytes(), view.header().fences.load(Ordering::Relaxed) != 0)?;
        attachment.shm.tick = futex::tick(view.header().tick.load(Ordering::Relaxed));
        Ok(attachment)
    }

    fn map(file: OwnedFd, bytes: usize, asymmetric: bool) -> Result<Attachment, OpenError> {
        let file = region::beyond_standard(file)?;
        let map = region::map(&file, bytes)?;
        let inode = Inode::of(&file).map_err(|errno| OpenError::system("fstat", errno))?;
        let shm = Shm { base: file, inode, asymmetric, tick: futex::tick(0) };
        Ok(Attachment {
            shm,
            map,
            identity: Identity::new()?,
            name: None,
            editor: AtomicU64::new(0),
            holdings: Holdings::default(),
            misses: AtomicU32::new(0),
        })
    }

    /// Whether the region is what `blueprint` says, if it says anything.
    pub(crate) fn require(&self, blueprint: Option<&Blueprint>) -> Result<(), OpenError> {
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
        let found = header.codec.load(Ordering::Relaxed);
        if found != blueprint.codec {
            return Err(OpenError::Codec { found, expected: blueprint.codec });
        }
        let found = header.lock_id.load(Ordering::Relaxed);
        if found != blueprint.lock_id && blueprint.lock_id != ANY_LOCK {
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

    /// Counts a look in vain; whether it is the last of `every` so many.
    #[inline]
    pub(crate) fn count_miss(&self, every: u32) -> bool {
        self.misses.fetch_add(1, Ordering::Relaxed) % every == every - 1
    }

    /// Whether this was asked for when the region was made: an option of [`layout`](crate::layout).
    pub(crate) fn has_option(&self, option: u32) -> bool {
        self.header().options.load(Ordering::Relaxed) & option != 0
    }

    /// What the region is, if this version knows.
    pub fn kind(&self) -> Option<Kind> {
        Kind::from_bits(self.header().kind.load(Ordering::Relaxed))
    }

    /// The region's random number.
    pub fn id(&self) -> u64 {
        self.header().id.load(Ordering::Relaxed)
    }

    /// The region of the lock that guards this one, 0 for its own; and the lock's name, if it has one.
    pub(crate) fn lock(&self) -> (u64, Option<Name>) {
        let header = self.header();
        let bytes: Vec<u8> =
            header.lock_name.iter().flat_map(|word| word.load(Ordering::Relaxed).to_ne_bytes()).collect();
        let name = bytes.split(|byte| *byte == 0).next().and_then(|name| std::str::from_utf8(name).ok());
        (header.lock_id.load(Ordering::Relaxed), name.and_then(|name| Name::new(name).ok()))
    }

    /// The attachment that this process has to the region with this number.
    pub(crate) fn known(region: u64) -> Option<Arc<Attachment>> {
        registry::find_region(region)
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
}

impl Drop for Attachment {
    fn drop(&mut self) {
        let header = self.header();
        self.identity.clear(|id, slot| {
            if let Some(slot) = header.peers.get(slot) {
                peers::release(&self.shm, slot, id);
            }
        });
        // An exec that failed has left a ticket in our place, which ends only with the descriptor.
        if let Some((id, process)) = ticket::marks(&self.shm.base)
            && process == std::process::id()
        {
            self.leave_table(id);
        }
        // The last to go takes the name along; if that fails, it is stale and the next `create`, `open` or sweep does it.
        // Through a description of its own: the one behind `base` may be shared with a forked process.
        if let Some(name) = &self.name
            && let Ok(description) = lease::reopen(&self.shm.base)
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
    Ok(u64::from_ne_bytes(bytes).clamp(1, ANY_LOCK - 1)) // the others mean "no region" and "any"
}
