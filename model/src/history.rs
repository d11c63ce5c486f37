//! What happened, as far as anybody outside can tell: calls, returns and deaths, in the order in which they happened.

use crate::spec::Actor;
use std::fmt::{Debug, Write};

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event<O, A> {
    /// An operation begins.
    Call(Actor, O),
    /// The actor's operation ends.
    Return(Actor, A),
    /// A process has died. An operation of its that has not ended never will.
    Died(usize),
}

/// Events in order.
pub type History<O, A> = Vec<Event<O, A>>;

/// What is to be put in order by the judge: an operation, or a death.
#[derive(Debug, Clone)]
pub struct Item<O, A> {
    /// Who.
    pub actor: Actor,
    /// What: the operation and, if it ended, its answer; `None` is the death of the actor's process.
    pub what: Option<(O, Option<A>)>,
    /// When it began ...
    pub start: usize,
    /// ... and when it ended, or could not go on for being dead.
    pub end: usize,
}

impl<O, A> Item<O, A> {
    /// Whether it may be left out: an operation that never ended.
    pub fn is_optional(&self) -> bool {
        matches!(self.what, Some((_, None)))
    }

    /// Whether it is a death.
    pub fn is_death(&self) -> bool {
        self.what.is_none()
    }
}

/// Pairs calls with returns. Ends of dead operations come just before the death that ended them.
pub fn items<O: Clone, A: Clone>(history: &History<O, A>) -> Vec<Item<O, A>> {
    let mut items: Vec<Item<O, A>> = Vec::new();
    for (position, event) in history.iter().enumerate() {
        let time = 2 * position;
        let open = |item: &&mut Item<O, A>| item.end == usize::MAX;
        match event {
            Event::Call(actor, op) => {
                items.push(Item { actor: *actor, what: Some((op.clone(), None)), start: time, end: usize::MAX })
            }
            Event::Return(actor, answer) => {
                if let Some(item) = items.iter_mut().filter(open).find(|item| item.actor == *actor) {
                    item.end = time;
                    if let Some((_, slot)) = &mut item.what {
                        *slot = Some(answer.clone());
                    }
                }
            }
            Event::Died(process) => {
                items.iter_mut().filter(open).filter(|item| item.actor.process == *process).for_each(|i| i.end = time);
                let actor = Actor { process: *process, role: usize::MAX };
                items.push(Item { actor, what: None, start: time + 1, end: time + 1 });
            }
        }
    }
    items
}

/// What each role was told, in one line: the outcome, whatever the order in which it came about.
pub fn outcome<O, A: Debug>(history: &History<O, A>, roles: usize) -> String {
    let mut told = vec![String::new(); roles];
    let mut dead = Vec::new();
    for event in history {
        match event {
            Event::Call(..) => {}
            Event::Return(actor, answer) => {
                let line = &mut told[actor.role];
                let space = if line.is_empty() { "" } else { " " };
                let _ = write!(line, "{space}{answer:?}");
            }
            Event::Died(process) => dead.push(process.to_string()),
        }
    }
    let mut line = told.join(" | ");
    if !dead.is_empty() {
        let _ = write!(line, " † process {}", dead.join(", "));
    }
    line
}
