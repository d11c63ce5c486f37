//! A site for every access a litmus program can make: the orderings of a program are data, those of a site are not.

use procession::platform::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use procession::platform::{Access, Site};

const WHY: &str = "a litmus program says so";

const fn ordered(name: &'static str, access: Access, ordering: Ordering) -> Site {
    Site::new(name, access, ordering, WHY)
}

static SITES: [Site; 19] = [
    ordered("litmus.load", Access::Load, Relaxed),
    ordered("litmus.load.acquire", Access::Load, Acquire),
    ordered("litmus.load.seqcst", Access::Load, SeqCst),
    ordered("litmus.store", Access::Store, Relaxed),
    ordered("litmus.store.release", Access::Store, Release),
    ordered("litmus.store.seqcst", Access::Store, SeqCst),
    ordered("litmus.modify", Access::Modify, Relaxed),
    ordered("litmus.modify.acquire", Access::Modify, Acquire),
    ordered("litmus.modify.release", Access::Modify, Release),
    ordered("litmus.modify.acqrel", Access::Modify, AcqRel),
    ordered("litmus.modify.seqcst", Access::Modify, SeqCst),
    ordered("litmus.fence.acquire", Access::Fence, Acquire),
    ordered("litmus.fence.release", Access::Fence, Release),
    ordered("litmus.fence.acqrel", Access::Fence, AcqRel),
    ordered("litmus.fence.seqcst", Access::Fence, SeqCst),
    Site::plain("litmus.light", Access::LightFence, WHY),
    Site::plain("litmus.heavy", Access::HeavyFence, WHY),
    Site::plain("litmus.wait", Access::Wait, WHY),
    Site::plain("litmus.wake", Access::Wake, WHY),
];

/// The site of an access; of one that makes no sense, such as a load that releases, there is none.
pub(super) fn site(access: Access, ordering: Ordering) -> Option<&'static Site> {
    SITES.iter().find(|site| site.access == access && site.ordering == ordering)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<&str> = SITES.iter().map(|site| site.name).collect();
        assert_eq!(names.len(), SITES.len());
    }
}
