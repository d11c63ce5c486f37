//! A scenario is data: roles, each a thread of a process, each with operations to do. A world runs it.

use crate::spec::{Actor, Spec};
use procession::algorithm::Owner;
use procession::platform::{Int, Platform};

/// A platform whose words can be made, rather than found in a region; and whose deadlines are the model's to declare.
pub trait ModelPlatform: Platform + 'static {
    /// Makes a word.
    fn word<V: Int>(value: V) -> Self::Word<V>;
    /// The deadline of the calling role.
    fn deadline(&self) -> Self::Deadline;
    /// No deadline.
    fn never() -> Self::Deadline;
}

/// A primitive put before the judge: its specification, and how an operation is done with the code that ships.
pub trait Subject: Clone + Send + Sync + 'static {
    /// What it should do.
    type Spec: Spec<Op = Self::Op, Answer = Self::Answer> + Send;
    /// What can be asked.
    type Op: Clone + std::fmt::Debug + Send + Sync + 'static;
    /// What can be answered.
    type Answer: Clone + Eq + std::hash::Hash + std::fmt::Debug + Send + Sync + 'static;
    /// Its shared state.
    type Shared<P: ModelPlatform>: Send + Sync + 'static;
    /// What a role keeps between operations.
    type Local: Default + Clone + Eq + std::hash::Hash + std::fmt::Debug + Send;

    /// The state at first.
    fn spec(&self) -> Self::Spec;
    /// The shared state at first.
    fn build<P: ModelPlatform>(&self) -> Self::Shared<P>;
    /// Does `op`. `None`: it was refused in a way that no specification knows.
    fn apply<P: ModelPlatform>(
        &self,
        shared: &Self::Shared<P>,
        platform: &P,
        me: Owner,
        local: &mut Self::Local,
        op: &Self::Op,
    ) -> Option<Self::Answer>;
    /// Whether `op` makes no sense for a role with this `local`, and will be left out.
    fn leaves_out(&self, local: &Self::Local, op: &Self::Op) -> bool;
    /// Whether `op` has a deadline, which a world may then declare passed.
    fn is_timed(&self, op: &Self::Op) -> bool {
        let _ = op;
        false
    }
}

/// One thread of a process and what it does.
#[derive(Debug, Clone)]
pub struct Role<O> {
    /// Its process: roles of one process die together.
    pub process: usize,
    /// What it does, in order.
    pub ops: Vec<O>,
}

/// What races with what.
#[derive(Debug, Clone)]
pub struct Scenario<S: Subject> {
    /// Named by what races with what.
    pub name: &'static str,
    /// The primitive.
    pub subject: S,
    /// Who does what.
    pub roles: Vec<Role<S::Op>>,
    /// A demonstration: the subject fails its specification here, and is meant to.
    pub fails: bool,
}

impl<S: Subject> Scenario<S> {
    /// Roles that are a process each.
    pub fn new<const N: usize>(name: &'static str, subject: S, roles: [&[S::Op]; N]) -> Scenario<S> {
        let role = |(process, ops): (usize, &[S::Op])| Role { process, ops: ops.to_vec() };
        Scenario { name, subject, roles: roles.into_iter().enumerate().map(role).collect(), fails: false }
    }

    /// This one is a demonstration of a failure.
    #[must_use]
    pub fn that_fails(mut self) -> Scenario<S> {
        self.fails = true;
        self
    }

    /// All roles become threads of one process.
    #[must_use]
    pub fn in_one_process(mut self) -> Scenario<S> {
        self.roles.iter_mut().for_each(|role| role.process = 0);
        self
    }

    /// The first `count` roles become threads of one process.
    #[must_use]
    pub fn first_together(mut self, count: usize) -> Scenario<S> {
        self.roles.iter_mut().take(count).for_each(|role| role.process = 0);
        self
    }

    /// The actor that plays a role.
    pub fn actor(&self, role: usize) -> Actor {
        Actor { process: self.roles[role].process, role }
    }

    /// How many threads each process has, up to as many processes as there are roles.
    pub fn threads(&self) -> Vec<usize> {
        let count = |process| self.roles.iter().filter(|role| role.process == process).count();
        (0..self.roles.len()).map(count).collect()
    }

    /// The processes.
    pub fn processes(&self) -> Vec<usize> {
        let mut processes: Vec<usize> = self.roles.iter().map(|role| role.process).collect();
        processes.dedup();
        processes
    }
}

/// The identity of a role, as the algorithms know it: peer ids and thread numbers start at 1.
pub fn owner(actor: Actor) -> Owner {
    Owner::new(peer(actor.process), actor.role as u32 + 1)
}

/// How many peer ids there are between a process's first and its second.
const SECOND: u32 = 16;

/// The peer id of a process.
pub fn peer(process: usize) -> u32 {
    process as u32 + 1
}

/// A second peer id of a process: the one that it takes in place of what was kept for it.
pub fn second_peer(process: usize) -> u32 {
    peer(process) + SECOND
}

/// The process of a peer id.
pub fn process_of(peer: u32) -> usize {
    (peer.wrapping_sub(1) % SECOND) as usize
}
