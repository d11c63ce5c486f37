//! What the roles do, learned one step at a time, and each step once: (where a role is, what it is told) → where it is then,
//! and what it asks next.
//!
//! A place is all that the rest of a role depends on: which operation it is in, what it brought along, and what it has been
//! told since that operation began; or, where it passed a loop head since, what that says and what it has been told after it
//! (the tests explore without loop heads, too, and see the same). Two ways to the same place are one place; the search then
//! compares states by their places' numbers, and replays nothing.

use super::replay::{Replay, Reply, Request, What, build};
use super::{Limits, Memory};
use crate::mutants::Break;
use crate::scenario::{Scenario, Subject, owner};
use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A place, by its number.
pub type Place = u32;

/// Where a role has come to its end, or is when its process has been killed. Where outcomes are told apart, there are more
/// such places: see [`Roles::request`].
pub const END: Place = u32::MAX;

/// What can be told of a role from outside.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Told<A> {
    /// It calls its operation with this index.
    Call(usize, usize),
    /// Its operation ends with this answer.
    Return(usize, A),
    /// Its operation was refused in a way that no specification knows.
    Refused(usize),
}

/// A step of a role: where it leads, and the number of what can be told of it.
#[derive(Debug, Clone, Copy)]
pub struct Moved {
    /// The place it leads to.
    pub to: Place,
    /// Its [`Told`]s, by their number: 0 for none.
    pub told: u32,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key<L, A> {
    role: usize,
    op: usize,
    local: L,
    /// Whether the operation has begun. A loop head may say the same before its first access and after a later one; but it is
    /// called only once.
    has_begun: bool,
    /// What the last loop head said.
    head: Vec<u64>,
    /// What it has been told since.
    replies: Vec<Reply>,
    /// What it was answered so far, if outcomes are to be told apart.
    answers: Vec<A>,
}

/// What is known of a place.
struct Known<L, A> {
    key: Key<L, A>,
    /// What it asks; nothing where it goes no further.
    request: Option<Request>,
    /// All that it has been told since its operation began, on one way to here.
    replies: Vec<Reply>,
}

/// Everything that has been learned.
pub struct Roles<S: Subject> {
    scenario: Scenario<S>,
    limits: Limits,
    shared: S::Shared<Replay>,
    places: Vec<Known<S::Local, S::Answer>>,
    numbers: HashMap<Key<S::Local, S::Answer>, Place>,
    steps: HashMap<(Place, Reply), Moved, rustc_hash::FxBuildHasher>,
    tellings: Vec<Vec<Told<S::Answer>>>,
    telling_numbers: HashMap<Vec<Told<S::Answer>>, u32>,
}

/// What an operation does next.
enum Next<A> {
    /// It asks this; the last loop head it passed, and how much it had been told by then.
    Asks(Request, (Vec<u64>, usize)),
    Answers(Option<A>),
}

impl<S: Subject> Roles<S> {
    /// Nothing has been learned; with it, what the shared words hold at first.
    pub fn new(scenario: &Scenario<S>, limits: &Limits) -> (Roles<S>, Vec<u64>) {
        let (shared, words) = build(|| scenario.subject.build::<Replay>());
        let roles = Roles {
            scenario: scenario.clone(),
            limits: *limits,
            shared,
            places: Vec::new(),
            numbers: HashMap::new(),
            steps: HashMap::default(),
            tellings: vec![Vec::new()],
            telling_numbers: HashMap::from([(Vec::new(), 0)]),
        };
        (roles, words)
    }

    /// The scenario.
    pub fn scenario(&self) -> &Scenario<S> {
        &self.scenario
    }

    /// How many places are known.
    pub fn places(&self) -> usize {
        self.places.len()
    }

    /// The sites that were reached.
    pub fn sites(&self) -> BTreeSet<&'static str> {
        let asked = self.places.iter().filter_map(|known| known.request);
        asked.filter(|request| request.what != What::End).map(|request| request.site.name).collect()
    }

    /// What a role asks at `place`; nothing where it has ended or is dead.
    #[inline]
    pub fn request(&self, place: Place) -> Option<&Request> {
        self.places.get(place as usize)?.request.as_ref()
    }

    /// Where a role is that was at `place` and goes no further: it has ended, or is dead.
    pub fn stop(&mut self, role: usize, place: Place) -> Place {
        let answers = self.answers(place).to_vec();
        self.end(role, answers)
    }

    fn end(&mut self, role: usize, answers: Vec<S::Answer>) -> Place {
        if !self.limits.outcomes {
            return END;
        }
        let (op, local) = (usize::MAX, S::Local::default());
        self.place(
            Key { role, op, local, has_begun: false, head: Vec::new(), replies: Vec::new(), answers },
            None,
            Vec::new(),
        )
    }

    /// What can be told, by its number.
    pub fn told(&self, number: u32) -> &[Told<S::Answer>] {
        &self.tellings[number as usize]
    }

    /// How many tellings there are.
    pub fn tellings(&self) -> usize {
        self.tellings.len()
    }

    /// Where a role starts.
    pub fn start(&mut self, role: usize) -> Moved {
        let mut told = Vec::new();
        let to = self.enter(role, 0, S::Local::default(), Vec::new(), &mut told);
        self.moved(to, told)
    }

    /// Where a role at `place` goes when it is told `reply`.
    pub fn step(&mut self, place: Place, reply: Reply) -> Moved {
        if let Some(moved) = self.steps.get(&(place, reply)) {
            return *moved;
        }
        let Known { key: Key { role, op, local, answers, .. }, replies, .. } = &self.places[place as usize];
        let (role, op, local, mut answers, mut replies) = (*role, *op, local.clone(), answers.clone(), replies.clone());
        let at_end = self.request(place).is_some_and(|request| request.what == What::End);
        let mut told = Vec::new();
        if !at_end {
            if replies.is_empty() {
                told.push(Told::Call(role, op));
            }
            replies.push(reply);
        }
        let mut after = local.clone();
        let to = match self.play(role, op, &mut after, &replies) {
            Next::Asks(request, head) => self.asking((role, op), local, answers, replies, request, head),
            Next::Answers(None) => {
                told.push(Told::Refused(role));
                self.end(role, answers)
            }
            // Its end is a step of its own where it has to wait for the stores to reach memory.
            Next::Answers(Some(_)) if self.limits.memory == Memory::Tso && !at_end => {
                let head = (Vec::new(), 0);
                self.asking((role, op), local, answers, replies, Request::END, head)
            }
            Next::Answers(Some(answer)) => {
                told.push(Told::Return(role, answer.clone()));
                answers.extend(self.limits.outcomes.then_some(answer));
                self.enter(role, op + 1, after, answers, &mut told)
            }
        };
        let moved = self.moved(to, told);
        self.steps.insert((place, reply), moved);
        moved
    }

    /// What the role at `place` was answered so far, if that is remembered.
    pub fn answers(&self, place: Place) -> &[S::Answer] {
        self.places.get(place as usize).map_or(&[], |known| &known.key.answers)
    }

    /// The place before the operation `op` or, where that is left out, the next one.
    fn enter(
        &mut self,
        role: usize,
        mut op: usize,
        mut local: S::Local,
        mut answers: Vec<S::Answer>,
        told: &mut Vec<Told<S::Answer>>,
    ) -> Place {
        loop {
            let Some(next) = self.scenario.roles[role].ops.get(op) else { return self.end(role, answers) };
            if self.scenario.subject.leaves_out(&local, next) {
                op += 1;
                continue;
            }
            let mut after = local.clone();
            match self.play(role, op, &mut after, &[]) {
                Next::Asks(request, head) => {
                    return self.asking((role, op), local, answers, Vec::new(), request, head);
                }
                Next::Answers(None) => {
                    told.extend([Told::Call(role, op), Told::Refused(role)]);
                    return self.end(role, answers);
                }
                Next::Answers(Some(answer)) => {
                    told.extend([Told::Call(role, op), Told::Return(role, answer.clone())]);
                    answers.extend(self.limits.outcomes.then_some(answer));
                    (op, local) = (op + 1, after);
                }
            }
        }
    }

    /// The place of a role that asks something.
    fn asking(
        &mut self,
        (role, op): (usize, usize),
        local: S::Local,
        answers: Vec<S::Answer>,
        replies: Vec<Reply>,
        request: Request,
        (head, before): (Vec<u64>, usize),
    ) -> Place {
        // A skipped second look goes on with what was believed before the loop head: then that is no claim to be trusted.
        let skips = self.limits.mutant.is_some_and(|mutant| mutant.how == Break::Recheck);
        let (head, since) = if self.limits.loop_heads && !skips {
            (head, replies[before..].to_vec())
        } else {
            (Vec::new(), replies.clone())
        };
        let has_begun = !replies.is_empty();
        self.place(Key { role, op, local, has_begun, head, replies: since, answers }, Some(request), replies)
    }

    fn place(&mut self, key: Key<S::Local, S::Answer>, request: Option<Request>, replies: Vec<Reply>) -> Place {
        let places = &mut self.places;
        *self.numbers.entry(key.clone()).or_insert_with(|| {
            places.push(Known { key, request, replies });
            (places.len() - 1) as Place
        })
    }

    fn moved(&mut self, to: Place, told: Vec<Told<S::Answer>>) -> Moved {
        let tellings = &mut self.tellings;
        let told = *self.telling_numbers.entry(told.clone()).or_insert_with(|| {
            tellings.push(told);
            (tellings.len() - 1) as u32
        });
        Moved { to, told }
    }

    /// Plays an operation up to the first thing that it has not been told.
    fn play(&self, role: usize, op: usize, local: &mut S::Local, replies: &[Reply]) -> Next<S::Answer> {
        let platform = Replay::new(replies.to_vec(), self.limits.mutant);
        let me = owner(self.scenario.actor(role));
        let op = &self.scenario.roles[role].ops[op];
        let played =
            catch_unwind(AssertUnwindSafe(|| self.scenario.subject.apply(&self.shared, &platform, me, local, op)));
        match played {
            Ok(answer) => Next::Answers(answer),
            Err(payload) => match payload.downcast::<Request>() {
                Ok(request) => Next::Asks(*request, platform.head()),
                Err(_) => Next::Answers(None), // a panic in the code that ships is an answer that nobody allows
            },
        }
    }
}
