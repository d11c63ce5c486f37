//! The attachments of this process, so that a region opened twice is one peer: a thread that meets its own lock through a
//! second handle must recognise itself.

use super::{Attachment, Inode, turn};
use std::cell::UnsafeCell;
use std::sync::{Arc, Weak};

/// A region's file, its random number, and the attachment.
type Known = (Inode, u64, Weak<Attachment>);

struct Registry(UnsafeCell<Vec<Known>>);
// SAFETY: the list is only touched by whoever has the turn.
unsafe impl Sync for Registry {}
static REGISTRY: Registry = Registry(UnsafeCell::new(Vec::new()));

/// The attachment to the region in this file.
pub(super) fn find(inode: Inode) -> Option<Arc<Attachment>> {
    find_by(|(known, ..)| *known == inode)
}

/// The attachment to the region with this number.
pub(super) fn find_region(id: u64) -> Option<Arc<Attachment>> {
    find_by(|(_, known, _)| *known == id)
}

fn find_by(is_it: impl Fn(&Known) -> bool) -> Option<Arc<Attachment>> {
    let _turn = turn::take();
    // SAFETY: we have the turn, and the reference does not outlive it.
    let list = unsafe { &*REGISTRY.0.get() };
    list.iter().filter(|known| is_it(known)).find_map(|(.., attachment)| attachment.upgrade())
}

/// Enters an attachment, or finds that another thread has entered the same region meanwhile: then that one counts.
pub(super) fn enter(attachment: &Arc<Attachment>) -> Arc<Attachment> {
    let inode = attachment.shm().inode;
    let _turn = turn::take();
    // SAFETY: we have the turn, and the reference does not outlive it.
    let list = unsafe { &mut *REGISTRY.0.get() };
    if let Some(known) = list.iter().filter(|(known, ..)| *known == inode).find_map(|(.., known)| known.upgrade()) {
        return known;
    }
    list.retain(|(.., attachment)| attachment.strong_count() > 0);
    list.push((inode, attachment.id(), Arc::downgrade(attachment)));
    attachment.clone()
}

/// Makes this process a peer of every region that it has: a forked child, before it does anything else.
pub(super) fn attach_all() {
    let all: Vec<Arc<Attachment>> = {
        let _turn = turn::take();
        // SAFETY: we have the turn, and the reference does not outlive it.
        let list = unsafe { &*REGISTRY.0.get() };
        list.iter().filter_map(|(.., attachment)| attachment.upgrade()).collect()
    };
    all.iter().for_each(|attachment| attachment.be_counted());
}
