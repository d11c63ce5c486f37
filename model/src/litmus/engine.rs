//! One question to all the engines: what can come of this program?

use super::Program;
use super::interpreter::{self, Outcomes};
use crate::explorer::{self, Limits, explore};
use crate::worlds::explore::run;
use crate::worlds::{Extent, Setting, Violation, World};
use std::fmt;

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The interpreter, with so many wake-ups for no reason.
    Interpreter(interpreter::Memory, u8),
    /// The explorer, with so many wake-ups for no reason.
    Explorer(explorer::Memory, u8),
    /// The explorer, which does not believe in loop heads.
    ExplorerWithoutHeads(explorer::Memory),
    /// A checking world.
    World(World),
}

impl Engine {
    /// All of them, where no sleep ends for no reason.
    pub const ALL: [Engine; 7] = [
        Engine::Interpreter(interpreter::Memory::Sc, 0),
        Engine::Explorer(explorer::Memory::Sc, 0),
        Engine::World(World::LoomRmw(None)),
        Engine::World(World::ShuttleDfs(100_000)),
        Engine::Interpreter(interpreter::Memory::Tso, 0),
        Engine::Explorer(explorer::Memory::Tso, 0),
        Engine::World(World::Loom(None)),
    ];

    /// What can come of a program. Nothing, if the engine gave up before it had seen all.
    ///
    /// An engine that comes to where everybody left sleeps for ever looks no further: the rest of what it has seen may be any
    /// part of all that there is, and is left out.
    pub fn outcomes(self, program: &Program) -> Option<Outcomes> {
        let outcomes = match self {
            Engine::Interpreter(memory, spurious) => interpreter::outcomes(program, memory, spurious),
            Engine::Explorer(memory, spurious) => {
                explored(program, &Limits { memory, spurious, outcomes: true, ..Limits::default() })?
            }
            Engine::ExplorerWithoutHeads(memory) => {
                let limits = Limits { memory, spurious: 0, outcomes: true, loop_heads: false, ..Limits::default() };
                explored(program, &limits)?
            }
            Engine::World(world) => {
                let run = run(&program.scenario("litmus"), &Setting { survey: true, ..Setting::new(world) });
                let sleeps = sleeps(run.violation);
                if !sleeps && run.extent != Some(Extent::Exhausted) {
                    return None;
                }
                Outcomes { read: run.outcomes.into_keys().collect(), sleeps }
            }
        };
        Some(if outcomes.sleeps { Outcomes { sleeps: true, ..Outcomes::default() } } else { outcomes })
    }
}

fn explored(program: &Program, limits: &Limits) -> Option<Outcomes> {
    let seen = explore(&program.scenario("litmus"), limits);
    let sleeps = sleeps(seen.violation);
    (seen.exhausted || sleeps).then_some(Outcomes { read: seen.outcomes, sleeps })
}

/// Every answer is allowed, so that nothing can be wrong but that everybody sleeps.
fn sleeps(violation: Option<Violation>) -> bool {
    violation.is_some_and(|violation| {
        assert!(violation.what.contains("sleeps for ever"), "{}\n{}", violation.what, violation.story);
        true
    })
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Engine::Interpreter(interpreter::Memory::Sc, _) => f.write_str("interpreter"),
            Engine::Interpreter(interpreter::Memory::Tso, _) => f.write_str("interpreter-tso"),
            Engine::Explorer(memory, _) | Engine::ExplorerWithoutHeads(memory) => World::Explorer(*memory).fmt(f),
            Engine::World(world) => world.fmt(f),
        }
    }
}
