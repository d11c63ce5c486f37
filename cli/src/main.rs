//! `procession`: a person's door to the claims, the race and the regions.
//!
//! Exit codes: 0 holds, 1 violated or failed, 2 wrong usage, 3 unknown (stopped, or not seen), 130 interrupted.

mod explore;
mod race;
mod regions;
mod show;
mod types;
mod verify;
mod work;

use clap::{Args, Parser, Subcommand};
use procession_model::worlds::{interrupt, is_interrupted, processes};
use std::process::ExitCode;

/// Python's multiprocessing primitives for Rust, and the evidence for what they promise.
#[derive(Parser)]
#[command(name = "procession", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    verify: verify::Options,
}

#[derive(Subcommand)]
enum Command {
    /// Put the claims to the test (the default command)
    Verify(verify::Options),
    /// List the claims, what they say and how they relate to CPython's
    Claims(Json),
    /// The race: what adding without a lock loses, in the model and between real processes
    Race(race::Options),
    /// Explore every state of a scenario, with processes killed at any moment
    Explore(explore::Options),
    /// Remove the named regions whose users are all dead
    Sweep(Json),
    /// Show a named region: what it is, who uses it, what it holds
    Stat(regions::StatOptions),
    /// List the types that have a letter, as Python's multiprocessing and ctypes have them
    Types(Json),
    /// What this program does when it is started as a helper
    #[command(name = "__helper", hide = true)]
    Helper,
}

/// How to answer.
#[derive(Args, Clone, Copy)]
struct Json {
    /// One JSON object a line, for machines
    #[arg(long)]
    json: bool,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Holds,
    Violated,
    Usage,
    Unknown,
}

impl From<End> for ExitCode {
    fn from(end: End) -> ExitCode {
        ExitCode::from(match end {
            End::Holds => 0,
            End::Violated => 1,
            End::Usage => 2,
            End::Unknown => 3,
        })
    }
}

/// What a command can fail with.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(Command::Helper) = cli.command {
        return if processes::serve() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    // Everything under way is asked to stop and to clear up after itself; somebody who insists gets out at once.
    let handled = ctrlc::set_handler(|| {
        if is_interrupted() {
            std::process::exit(130);
        }
        interrupt();
    });
    let result = handled.map_err(Failure::from).and_then(|()| match cli.command {
        None => verify::run(&cli.verify),
        Some(Command::Verify(options)) => verify::run(&options),
        Some(Command::Claims(Json { json })) => verify::list(json),
        Some(Command::Race(options)) => race::run(&options),
        Some(Command::Explore(options)) => explore::run(&options),
        Some(Command::Sweep(Json { json })) => regions::sweep(json),
        Some(Command::Stat(options)) => regions::stat(&options),
        Some(Command::Types(Json { json })) => types::list(json),
        Some(Command::Helper) => Ok(End::Usage),
    });
    if is_interrupted() {
        return ExitCode::from(130);
    }
    match result {
        Ok(end) => end.into(),
        Err(error) => {
            anstream::eprintln!("{}: {error}", show::bad("error"));
            End::Violated.into()
        }
    }
}
