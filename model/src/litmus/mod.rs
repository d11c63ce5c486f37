//! Litmus programs: a few instructions on a few shared words, small enough to know by hand what they may answer. They check
//! the checkers: each engine runs the same program, and its set of outcomes is held against what is known ([`suite`]), and
//! against an interpreter that takes every interleaving and knows nothing of the engines ([`interpreter`]).
//!
//! A thread is *one* operation, which answers all that it read. Between operations the explorer empties a store buffer, so
//! that two operations would order what the program does not.

pub mod engine;
pub mod interpreter;
mod sites;
mod subject;
pub mod suite;
mod text;

use crate::scenario::{Role, Scenario};
use procession::platform::Ordering;

pub use subject::Words;

/// A shared word, by its number.
pub type Word = usize;

/// One instruction. Whatever reads a word answers what it read; a wait answers how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Instruction {
    /// Reads a word.
    Load(Word, Ordering),
    /// Writes a word.
    Store(Word, u32, Ordering),
    /// Replaces a word.
    Swap(Word, u32, Ordering),
    /// Replaces a word by the second number if it holds the first.
    CompareExchange(Word, u32, u32, Ordering),
    /// Adds to a word.
    FetchAdd(Word, u32, Ordering),
    /// A C11 fence.
    Fence(Ordering),
    /// The hot half of the asymmetric pair.
    LightFence,
    /// Its cold half.
    HeavyFence,
    /// Sleeps if the word holds the number.
    Wait(Word, u32),
    /// Reads a word until it holds something else than the number, and sleeps while it does. Answers what it read last.
    Await(Word, u32, Ordering),
    /// Wakes so many sleepers of a word.
    Wake(Word, u32),
}

impl Instruction {
    /// The word it is about.
    pub fn word(self) -> Option<Word> {
        match self {
            Instruction::Load(word, _)
            | Instruction::Store(word, ..)
            | Instruction::Swap(word, ..)
            | Instruction::CompareExchange(word, ..)
            | Instruction::FetchAdd(word, ..)
            | Instruction::Wait(word, _)
            | Instruction::Await(word, ..)
            | Instruction::Wake(word, _) => Some(word),
            Instruction::Fence(_) | Instruction::LightFence | Instruction::HeavyFence => None,
        }
    }
}

/// A program: what each of its threads does. The words hold 0 at first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Program {
    /// How many words it has.
    pub words: usize,
    /// The threads.
    pub threads: Vec<Vec<Instruction>>,
}

impl Program {
    /// The program as a scenario: a process for each thread.
    pub fn scenario(&self, name: &'static str) -> Scenario<Words> {
        let role = |(process, thread): (usize, &Vec<Instruction>)| Role { process, ops: vec![thread.clone()] };
        let roles = self.threads.iter().enumerate().map(role).collect();
        Scenario { name, subject: Words(self.words), roles, fails: false }
    }

    /// The program with something put between every two instructions of a thread.
    #[must_use]
    pub fn with_between(&self, between: Instruction) -> Program {
        let spread = |thread: &Vec<Instruction>| {
            let pairs = thread.iter().flat_map(|instruction| [between, *instruction]);
            pairs.skip(1).collect()
        };
        Program { words: self.words, threads: self.threads.iter().map(spread).collect() }
    }
}
