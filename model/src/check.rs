//! The judge: is there an order of the operations that the specification allows and that nobody could tell from what was
//! seen?
//!
//! The search is Wing and Gong's (1993) with Lowe's memory of states seen (2017), over sets of possible states. An
//! operation of a killed process is *strict* (Aguilera and Frølund, 2003): it happened before the death or never.

use crate::history::{History, Item, items};
use crate::spec::Spec;
use std::collections::HashSet;

/// Which orders nobody could tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Linearizability: what ended before something began came before it.
    RealTime,
    /// Sequential consistency: only each role's own order counts, and a death comes after what its process did. For worlds
    /// in which a relaxed read may be stale: there, "before" in the run is not "before" in memory.
    Program,
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Allowed: this order of the items explains it.
    Ok(Vec<usize>),
    /// Not allowed: no order explains it. The longest one that went well.
    Illegal(Vec<usize>),
    /// The budget ran out. That is not Ok.
    Unknown,
}

/// The most items a history may have.
pub const MOST: usize = 64;

/// Judges `history` from `initial`, looking at no more than `budget` states.
pub fn check<S: Spec>(initial: &S, history: &History<S::Op, S::Answer>, order: Order, budget: usize) -> Verdict {
    let items = items(history);
    if items.len() > MOST {
        return Verdict::Unknown;
    }
    let before = items.iter().map(|later| mask(&items, |earlier| precedes(earlier, later, order))).collect();
    let mandatory = mask(&items, |item| !item.is_optional());
    let mut search = Search {
        items: &items,
        before,
        mandatory,
        seen: HashSet::new(),
        budget,
        path: Vec::new(),
        longest: Vec::new(),
    };
    match search.from(initial, 0) {
        Some(true) => Verdict::Ok(search.path),
        Some(false) => Verdict::Illegal(search.longest),
        None => Verdict::Unknown,
    }
}

fn mask<O, A>(items: &[Item<O, A>], which: impl Fn(&Item<O, A>) -> bool) -> u64 {
    items.iter().enumerate().filter(|(_, item)| which(item)).map(|(index, _)| 1 << index).sum()
}

fn precedes<O, A>(earlier: &Item<O, A>, later: &Item<O, A>, order: Order) -> bool {
    let related = match order {
        Order::RealTime => true,
        Order::Program if earlier.is_death() || later.is_death() => earlier.actor.process == later.actor.process,
        Order::Program => earlier.actor == later.actor,
    };
    related && earlier.end < later.start
}

struct Search<'a, S: Spec> {
    items: &'a [Item<S::Op, S::Answer>],
    /// For every item, those that come before it.
    before: Vec<u64>,
    mandatory: u64,
    seen: HashSet<(u64, S)>,
    budget: usize,
    path: Vec<usize>,
    longest: Vec<usize>,
}

impl<S: Spec> Search<'_, S> {
    /// Whether the rest can be ordered after `done`, which led to `state`. `None`: out of budget.
    fn from(&mut self, state: &S, done: u64) -> Option<bool> {
        if self.path.len() > self.longest.len() {
            self.longest.clone_from(&self.path);
        }
        if done & self.mandatory == self.mandatory {
            return Some(true);
        }
        if !self.seen.insert((done, state.clone())) {
            return Some(false);
        }
        self.budget = self.budget.checked_sub(1)?;
        for index in 0..self.items.len() {
            if !self.may_come_next(index, done) {
                continue;
            }
            let item = &self.items[index];
            let nexts = match &item.what {
                None => vec![state.died(item.actor.process)],
                Some((op, answer)) => {
                    let steps = state.step_beside(item.actor, op, self.has_others(index)).into_iter();
                    steps
                        .filter(|(allowed, _)| answer.as_ref().is_none_or(|told| S::fits(allowed, told)))
                        .map(|(_, next)| next)
                        .collect()
                }
            };
            for next in nexts {
                self.path.push(index);
                if self.from(&next, done | 1 << index)? {
                    return Some(true);
                }
                self.path.pop();
            }
        }
        Some(false)
    }

    /// Whether somebody else's operation may have been under way at the same time.
    fn has_others(&self, index: usize) -> bool {
        let (item, before) = (&self.items[index], &self.before);
        self.items.iter().enumerate().any(|(other, theirs)| {
            theirs.actor.role != item.actor.role
                && !theirs.is_death()
                && (before[index] >> other | before[other] >> index) & 1 == 0
        })
    }

    /// Not done; nothing that must come before is missing; and nothing that must come after is done.
    fn may_come_next(&self, index: usize, done: u64) -> bool {
        let missing = self.before[index] & self.mandatory & !done;
        let overtaken =
            (0..self.items.len()).any(|other| done >> other & 1 == 1 && self.before[other] >> index & 1 == 1);
        done >> index & 1 == 0 && missing == 0 && !overtaken
    }
}
