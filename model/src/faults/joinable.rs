//! Tasks taken and done, and somebody who waits for all of them: also where a worker dies with one.
//!
//! | word | who writes it | meaning |
//! |---|---|---|
//! | `got` | workers, under the lock | how many tasks were taken |
//! | `taken[i]`, `done[i]` | worker `i` alone | how many it took, and has done |
//! | `events` | workers | changes whenever a task is done |
//!
//! Rules of the right form:
//! 1. Taking, under the lock: `taken[i]` is raised before `got`.
//! 2. A task is done: `done[i]` is raised, then `events`, and all who sleep on it are woken.
//! 3. Joining reads `events` first. Under the lock it reads, for each worker, `taken[i]`, then whether it lives, then `done[i]`:
//!    what a dead worker has done is then final. If all tasks are done, or if all are taken and no living worker has one, it
//!    ends; else it sleeps while `events` is what it was, and a tick makes it start again.

use super::lock::{Entry, Form as Lock};
use super::section::Patience;
use super::tasks::{Answer, Op, Tasks};
use super::{Fault, site};
use crate::scenario::{ModelPlatform, Scenario, Subject, peer};
use procession::algorithm::Owner;
use procession::platform::{Access, Life, Site, Wakeup};
use std::collections::BTreeMap;

const GOT: Site = site("task.got", Access::Load);
const MOVE: Site = site("task.move", Access::Store);
const READ: Site = site("task.read", Access::Load);
const TAKE: Site = site("task.take", Access::Store);
const DONE: Site = site("task.done", Access::Store);
const DONE_SHARED: Site = site("task.done_shared", Access::Modify);
const ASK: Site = site("join.ask", Access::Ask);
const EVENTS: Site = site("events.read", Access::Load);
const BUMP: Site = site("events.bump", Access::Modify);
const SLEEP: Site = site("join.sleep", Access::Wait);
const WAKE: Site = site("join.wake", Access::Wake);

const WORKERS: usize = 2;

/// The protocol, in its right form or broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it should be.
    Right,
    /// One count of what is done, and none of who took what.
    SharedCount,
    /// `done[i]` is read before it is asked whether the worker lives.
    DoneBeforeAlive,
}

/// So many tasks, put already.
#[derive(Debug, Clone, Copy)]
pub struct Joinable {
    /// The form.
    pub form: Form,
    /// The tasks.
    pub tasks: u32,
}

/// The words.
pub struct Words<P: ModelPlatform> {
    lock: P::Word<u32>,
    got: P::Word<u32>,
    taken: [P::Word<u32>; WORKERS],
    done: [P::Word<u32>; WORKERS],
    events: P::Word<u32>,
}

fn lock<P: ModelPlatform>(words: &Words<P>, platform: &P, me: u32, suspicious: bool, outer: u64) {
    Lock::Right.enter(&words.lock, platform, me, Entry { patience: Patience::Endless, suspicious, outer });
}

impl Joinable {
    fn take<P: ModelPlatform>(self, words: &Words<P>, platform: &P, me: u32) -> Answer {
        lock(words, platform, me, false, 0);
        let got = platform.load(&words.got, &GOT);
        let is_there = got < self.tasks;
        if is_there {
            let taken = &words.taken[me as usize - 1];
            if self.form != Form::SharedCount {
                platform.store(taken, platform.load(taken, &READ) + 1, &TAKE);
            }
            platform.store(&words.got, got + 1, &MOVE);
        }
        Lock::Right.leave(&words.lock, platform);
        if is_there { Answer::Taken } else { Answer::Empty }
    }

    fn report<P: ModelPlatform>(self, words: &Words<P>, platform: &P, me: u32) {
        if self.form == Form::SharedCount {
            platform.fetch_add(&words.done[0], 1, &DONE_SHARED);
        } else {
            let done = &words.done[me as usize - 1];
            platform.store(done, platform.load(done, &READ) + 1, &DONE);
        }
        platform.fetch_add(&words.events, 1, &BUMP);
        platform.wake(&words.events, u32::MAX, &WAKE);
    }

    fn join<P: ModelPlatform>(self, words: &Words<P>, platform: &P, me: u32) -> Answer {
        let mut suspicious = false;
        loop {
            platform.loop_head(&[0, suspicious.into()]);
            let events: u32 = platform.load(&words.events, &EVENTS);
            let (got, done, held) = if self.form == Form::SharedCount {
                let done: u32 = platform.load(&words.done[0], &READ);
                (0, done, 0)
            } else {
                lock(words, platform, me, suspicious, 1 + u64::from(events));
                let sums = self.sums(words, platform);
                let got: u32 = platform.load(&words.got, &GOT);
                Lock::Right.leave(&words.lock, platform);
                (got, sums.0, sums.1)
            };
            if done == self.tasks {
                return Answer::AllDone;
            }
            if got == self.tasks && held == 0 {
                return Answer::WorkerDied(self.tasks - done);
            }
            suspicious = platform.wait(&words.events, events, P::never(), 0, &SLEEP) == Wakeup::Tick;
        }
    }

    /// How many tasks are done, and how many a living worker has in hand.
    fn sums<P: ModelPlatform>(self, words: &Words<P>, platform: &P) -> (u32, u32) {
        let (mut done, mut held) = (0, 0);
        for worker in 0..WORKERS {
            let done_here = || platform.load::<u32>(&words.done[worker], &READ);
            let taken: u32 = platform.load(&words.taken[worker], &READ);
            let before = (self.form == Form::DoneBeforeAlive).then(done_here);
            let is_alive = platform.life(peer(worker), &ASK) == Life::Alive;
            let here = before.unwrap_or_else(done_here);
            done += here;
            held += if is_alive { taken - here } else { 0 };
        }
        (done, held)
    }
}

impl Subject for Joinable {
    type Spec = Tasks;
    type Op = Op;
    type Answer = Answer;
    type Shared<P: ModelPlatform> = Words<P>;
    /// How many tasks it has in hand.
    type Local = u32;

    fn spec(&self) -> Tasks {
        Tasks { left: self.tasks, held: BTreeMap::new(), lost: 0 }
    }

    fn build<P: ModelPlatform>(&self) -> Words<P> {
        let each = || [P::word(0), P::word(0)];
        Words { lock: P::word(0), got: P::word(0), taken: each(), done: each(), events: P::word(0) }
    }

    fn apply<P: ModelPlatform>(
        &self,
        words: &Words<P>,
        platform: &P,
        me: Owner,
        held: &mut u32,
        op: &Op,
    ) -> Option<Answer> {
        Some(match op {
            Op::Take => {
                let answer = self.take(words, platform, me.peer);
                *held += u32::from(answer == Answer::Taken);
                answer
            }
            Op::Done => {
                self.report(words, platform, me.peer);
                *held -= 1;
                Answer::Reported
            }
            Op::Join => self.join(words, platform, me.peer),
        })
    }

    fn leaves_out(&self, held: &u32, op: &Op) -> bool {
        *op == Op::Done && *held == 0
    }
}

pub(super) fn faults() -> Vec<Fault> {
    const ONE: &[Op] = &[Op::Take, Op::Done];
    const TWO: &[Op] = &[Op::Take, Op::Done, Op::Take, Op::Done];
    const JOIN: &[Op] = &[Op::Join];
    let one = |name, form| Scenario::new(name, Joinable { form, tasks: 1 }, [ONE, ONE, JOIN]);
    let two = |name, form| Scenario::new(name, Joinable { form, tasks: 2 }, [TWO, TWO, JOIN]);
    vec![
        Fault::holds(one("join-one", Form::Right), "one task, two workers, any of them killed").killing(1),
        Fault::holds(
            two("join-two", Form::Right),
            "two tasks, two workers, both killed: who joins while tasks are left waits lawfully, for a new worker",
        )
        .killing(2),
        Fault::asleep(
            one("join-shared-count", Form::SharedCount),
            "a worker dies with its task: the count will never be complete, and nothing says why",
        )
        .killing(1),
        Fault::unordered(
            one("join-done-before-alive", Form::DoneBeforeAlive),
            "between the two looks the worker reports its task and, idle, dies: a task that is done is called lost",
        )
        .killing(1),
    ]
}
