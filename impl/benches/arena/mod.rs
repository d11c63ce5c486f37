//! What the benchmarks of several processes share: where these run, and the programs that they are measured against.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What can go wrong here ends the benchmark.
pub type Fallible<T> = Result<T, Box<dyn Error>>;

/// The two CPUs on which the processes run; none: wherever the kernel likes.
#[derive(Debug, Clone, Copy)]
pub struct Cpus(pub Option<[usize; 2]>);

impl Cpus {
    /// The first two that this process may use.
    fn two() -> Cpus {
        let two = || {
            let allowed = sched_getaffinity(Pid::from_raw(0)).ok()?;
            let mut cpus = (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu).unwrap_or(false));
            Some([cpus.next()?, cpus.next()?])
        };
        Cpus(two())
    }

    /// What the arguments say: `--no-pin`, or else two.
    pub fn asked_for(arguments: &[String]) -> Cpus {
        if arguments.iter().any(|argument| argument == "--no-pin") { Cpus(None) } else { Cpus::two() }
    }

    /// Puts the calling process on one of them.
    pub fn pin(self, side: usize) {
        let mut set = CpuSet::new();
        if let Some(cpus) = self.0
            && set.set(cpus[side]).is_ok()
        {
            // Refused, it is less exact, not wrong.
            let _ = sched_setaffinity(Pid::from_raw(0), &set);
        }
    }

    /// One of them, as the peers want it said.
    pub fn argument(self, side: usize) -> String {
        self.0.map_or("-1".to_owned(), |cpus| cpus[side].to_string())
    }
}

/// A peer, compiled; gone when this is dropped.
pub struct Peer {
    directory: PathBuf,
    name: &'static str,
}

/// A compiler, and the language that it takes a peer to be in.
pub type Compiler = (&'static str, &'static str);
/// The one for C.
pub const C: Compiler = ("cc", "c");

impl Peer {
    /// Compiles it by the first of `compilers` that there is and that can. `None`: there is none.
    pub fn compile(name: &'static str, source: &str, compilers: &[Compiler]) -> Fallible<Option<Peer>> {
        let directory = std::env::temp_dir().join(format!("procession-bench-{}", std::process::id()));
        std::fs::create_dir(&directory)?;
        let peer = Peer { directory, name };
        let file = peer.program().with_extension("c");
        std::fs::write(&file, source)?;
        let mut failed = None;
        for (compiler, language) in compilers {
            let mut command = Command::new(compiler);
            command.args(["-O2", "-pthread", "-x", language, "-o"]).args([&peer.program(), &file]);
            match command.status() {
                Ok(status) if status.success() => return Ok(Some(peer)),
                Ok(status) => failed = Some(format!("{compiler}: {status}")),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(format!("{compiler}: {error}").into()),
            }
        }
        failed.map_or(Ok(None), |failed| Err(failed.into()))
    }

    fn program(&self) -> PathBuf {
        Path::new(&self.directory).join(self.name)
    }

    /// What it says.
    pub fn run(&self, arguments: &[&str]) -> Fallible<String> {
        said(Command::new(self.program()).args(arguments))
    }
}

/// What a program says that ends well.
pub fn said(command: &mut Command) -> Fallible<String> {
    let output = command.output()?;
    let (said, complaint) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    match output.status.success() {
        true => Ok(said.trim().to_owned()),
        false => Err(format!("{:?}: {}: {said}{complaint}", command.get_program(), output.status).into()),
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Runs a benchmark with the arguments that this process was given.
pub fn main(run: fn(&[String]) -> Fallible<()>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// How many rounds the arguments ask for with `--rounds N`, at least one.
pub fn rounds(arguments: &[String], usual: usize) -> Fallible<usize> {
    match arguments.iter().position(|argument| argument == "--rounds") {
        Some(at) => Ok(arguments.get(at + 1).ok_or("--rounds needs a number")?.parse::<usize>()?.max(1)),
        None => Ok(usual),
    }
}

/// The middle one, or the middle of the middle two.
pub fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    let middle = of.len() / 2;
    if of.len().is_multiple_of(2) { (of[middle - 1] + of[middle]) / 2.0 } else { of[middle] }
}
