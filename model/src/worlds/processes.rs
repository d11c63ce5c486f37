//! The world of real processes: helpers that are started, given handles, and use the library as anybody would.
//!
//! A helper is a re-executed program that calls [`serve`]. What it is to do is its task, in the environment; what it found
//! out, it leaves in shared memory, which outlives it.

use super::{is_interrupted, jobs, program_roles};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getppid};
use procession::{Handle, OpenError, RawValue, Share};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// What goes wrong around the processes, not in what is judged.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

const TASK: &str = "PROCESSION_TASK";
const PARENT: &str = "PROCESSION_PARENT";

/// How long a helper may take for anything before it is given up: far longer than it needs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The program to start helpers with. Its `main` must call [`serve`] for these arguments.
#[derive(Debug, Clone)]
pub struct Helper {
    /// The program.
    pub program: PathBuf,
    /// Its first arguments.
    pub arguments: Vec<OsString>,
}

impl Helper {
    /// This very program.
    pub fn this(argument: &str) -> std::io::Result<Helper> {
        Ok(Helper { program: std::env::current_exe()?, arguments: vec![argument.into()] })
    }

    /// A helper that is to do `task`, not started yet.
    pub fn task(&self, task: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env(TASK, task).env(PARENT, std::process::id().to_string()).stdin(Stdio::null());
        command
    }
}

/// What a helper does: its task, then exit. The exit code is 0 unless something other than the verdict went wrong.
///
/// A helper does not outlive the thread that started it.
pub fn serve() -> i32 {
    if let Err(errno) = set_pdeathsig(Signal::SIGKILL) {
        eprintln!("prctl: {errno}");
        return 1;
    }
    // The parent may have gone before that call.
    if std::env::var(PARENT).is_ok_and(|parent| parent != getppid().to_string()) {
        return 1;
    }
    let task = std::env::var(TASK).unwrap_or_default();
    let (name, argument) = task.split_once(' ').unwrap_or((&task, ""));
    let result = match name {
        "program" => program_roles::serve(argument),
        _ => jobs::serve(name, argument),
    };
    match result {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("task {task:?}: {error}");
            1
        }
    }
}

/// A started helper. Killed and waited for when dropped: none is left behind.
pub struct Started(Child);

impl Started {
    /// Starts it.
    pub fn new(command: &mut Command) -> Result<Started, Error> {
        Ok(Started(command.spawn()?))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> Result<(), Error> {
        Ok(kill(Pid::from_raw(self.0.id().cast_signed()), signal)?)
    }

    /// Kills it and waits until it is gone.
    pub fn kill(&mut self) -> Result<(), Error> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> Result<ExitStatus, Error> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > until || is_interrupted() {
                return Err("a helper did not end in time".into());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Waits until it has ended well.
    pub fn succeed(&mut self) -> Result<(), Error> {
        let status = self.wait()?;
        if status.success() { Ok(()) } else { Err(format!("a helper ended with {status}").into()) }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A place where processes wait for each other, so that what they do next they do at once.
pub struct Barrier(RawValue<u64>);

impl Barrier {
    /// A new one.
    pub fn new() -> Result<Barrier, Error> {
        Ok(Barrier(RawValue::new(0)?))
    }

    /// Gives it to a helper.
    pub fn share(&self, name: &str, command: &mut Command) {
        command.share(name, &self.0);
    }

    /// Takes the one given to this helper.
    pub fn inherited(name: &str) -> Result<Barrier, OpenError> {
        RawValue::inherited(name).map(Barrier)
    }

    /// Says that one more is here.
    pub fn arrive(&self) -> Result<(), Error> {
        self.0.fetch_add(1)?;
        Ok(())
    }

    /// Whether `count` are here.
    pub fn is_at(&self, count: u64) -> Result<bool, Error> {
        Ok(self.0.get()? >= count)
    }

    /// Waits until `count` are here.
    pub fn wait_for(&self, count: u64) -> Result<(), Error> {
        let until = Instant::now() + PATIENCE;
        while !self.is_at(count)? {
            if Instant::now() > until || is_interrupted() {
                return Err("others did not come to the barrier in time".into());
            }
            std::thread::yield_now();
        }
        Ok(())
    }

    /// Both.
    pub fn meet(&self, count: u64) -> Result<(), Error> {
        self.arrive()?;
        self.wait_for(count)
    }
}
