//! What the tests share: names that nobody else has, helper processes that always end, and waits that always end.
//!
//! A test never sleeps to be right. It waits for a line that a helper prints, or for a word in shared memory, and gives up
//! loudly after [`PATIENCE`].

pub mod array_tasks;
pub mod bank;
pub mod fork_tasks;
pub mod handle_tasks;
pub mod joinable_tasks;
pub mod joinable_workers;
pub mod pipe_programs;
pub mod pipe_tasks;
pub mod pipe_worker;
pub mod queue_tasks;
pub mod queue_workers;
pub mod redelivery_workers;
pub mod restrict;
pub mod talk;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use procession::{LockError, LockTimeoutError};
use std::fmt::{Debug, Display};
use std::io::{BufRead, BufReader, Write};
use std::ops::Deref;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine; only a hang lasts that long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The name of a region that no other test has, in this run or another one. Whatever file it leads to goes with it.
#[derive(Debug)]
pub struct Name(String);

impl Name {
    /// A new name; `what` is for the person who finds it.
    pub fn new(what: &str) -> Name {
        static LAST: Mutex<u32> = Mutex::new(0);
        let mut last = LAST.lock().expect("no test panics while it counts");
        *last += 1;
        Name(format!("test-{}-{last}-{what}", std::process::id()))
    }

    /// The file that a region of this name is.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/dev/shm/procession.{}", self.0))
    }

    /// Whether there is a file of this name, be it a region or not.
    pub fn exists(&self) -> bool {
        self.path().symlink_metadata().is_ok()
    }

    /// Writes `bytes` into the file, as no peer would.
    pub fn patch(&self, offset: u64, bytes: &[u8]) {
        let file = std::fs::File::options().write(true).open(self.path()).expect("the region's file");
        file.write_all_at(bytes, offset).expect("a write within the file");
    }
}

impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        // Nearly always gone already; a test that failed must leave nothing either.
        let _ = std::fs::remove_file(self.path()).or_else(|_| std::fs::remove_dir(self.path()));
    }
}

/// The command that runs a helper: `task!("open", &name)`.
#[macro_export]
macro_rules! task {
    ($($argument:expr),+) => {
        $crate::command(env!("CARGO_BIN_EXE_procession-helper"), &[$($argument),+])
    };
}

/// What [`task`] stands for: only the tests themselves know where the helper is.
pub fn command(helper: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(helper);
    command.args(arguments);
    command
}

/// A process that a test started. It is killed and reaped with this handle, however the test ends.
#[derive(Debug)]
pub struct Helper {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Helper {
    /// Starts `command`, with pipes to talk through.
    pub fn start(command: &mut Command) -> Helper {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a helper process");
        let output = BufReader::new(child.stdout.take().expect("a piped stdout"));
        let (send, lines) = channel();
        // A thread of its own, because only a channel can be read with a deadline. It ends with the pipe.
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Helper { input: child.stdin.take(), child, lines }
    }

    /// The helper's process id.
    pub fn id(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// The next line the helper prints.
    pub fn line(&self) -> String {
        self.next_line().expect("the helper ended instead of saying something")
    }

    /// Checks what the next line is.
    #[track_caller]
    pub fn expect(&self, line: &str) {
        assert_eq!(self.line(), line, "what the helper said");
    }

    /// The next line, if the helper has said it already.
    pub fn said(&self) -> Option<String> {
        self.lines.try_recv().ok()
    }

    /// Checks that the helper has said nothing that was not read: some only speak to complain.
    #[track_caller]
    pub fn expect_silence(&self) {
        assert_eq!(self.said(), None, "a helper complains");
    }

    /// The next line, if there is one before its end.
    pub fn next_line(&self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the helper {} said nothing for {PATIENCE:?}", self.id()),
        }
    }

    /// Sends the helper a line.
    pub fn tell(&mut self, line: &str) {
        let input = self.input.as_mut().expect("the helper's stdin is open until `finish`");
        writeln!(input, "{line}").expect("the helper reads its stdin");
    }

    /// Sends the helper a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.id(), signal).expect("a helper that was not reaped can be signalled");
    }

    /// Stops the helper, and returns when it has stopped.
    pub fn stop(&self) {
        self.signal(Signal::SIGSTOP);
        let stopped = waitpid(self.id(), Some(WaitPidFlag::WUNTRACED));
        assert_eq!(stopped, Ok(WaitStatus::Stopped(self.id(), Signal::SIGSTOP)));
    }

    /// Waits until the helper sleeps: one that has said what it is about to do waits in the middle of it.
    pub fn sleeps(&self) {
        until("the helper sleeps", || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).expect("a process");
            stat.rsplit_once(") ").expect("a name in parentheses").1.starts_with('S')
        });
    }

    /// Kills the helper with SIGKILL and returns once the kernel has let go of all that was its.
    pub fn kill(&mut self) {
        self.child.kill().expect("a helper that was not reaped can be killed");
        self.child.wait().expect("a killed helper ends");
    }

    /// Sends the helper a signal that it does not survive, and waits for its end.
    pub fn end_by(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        while self.next_line().is_some() {}
        self.child.wait().expect("a helper that closed its stdout ends")
    }

    /// The lines that the helper has still to say, whatever its end may be.
    pub fn rest(&self) -> Vec<String> {
        std::iter::from_fn(|| self.next_line()).collect()
    }

    /// Lets the helper come to its own end, which must be a good one; returns the lines it had still to say.
    pub fn finish(mut self) -> Vec<String> {
        drop(self.input.take());
        let rest = self.rest();
        let status = self.child.wait().expect("a helper that closed its stdout ends");
        assert!(status.success(), "the helper ended with {status}");
        rest
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Of a helper that has been reaped both are refused, and harmless.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Checks the error, and that its text mentions every one of `words`.
#[track_caller]
pub fn refused<T: Debug, E: Debug + Display + PartialEq>(result: Result<T, E>, expected: E, words: &[&str]) {
    let error = result.expect_err("should have been refused");
    assert_eq!(error, expected);
    let text = error.to_string();
    words.iter().for_each(|word| assert!(text.contains(word), "{text:?} does not mention {word:?}"));
}

/// Runs a helper's attempt, which must fail with just this error.
#[track_caller]
pub fn told(command: &mut Command, expected: impl Debug) {
    let helper = Helper::start(command);
    helper.expect(&format!("{expected:?}"));
    helper.finish();
}

/// Runs a helper's attempt, which must succeed.
#[track_caller]
pub fn works(command: &mut Command) {
    let helper = Helper::start(command);
    helper.expect("ok");
    helper.finish();
}

/// Locks as `lock` does, but not longer than [`PATIENCE`]; says how it went, in the words a helper would use.
#[macro_export]
macro_rules! relock {
    ($lock:expr) => {
        $crate::how($lock.lock_timeout($crate::PATIENCE))
    };
}

/// What [`relock`] says.
pub fn how<G: Debug>(result: Result<G, LockTimeoutError<G>>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(LockTimeoutError::Lock(LockError::OwnerDied(_))) => "owner died".to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

/// Ends the test process, loudly, if it is kept for longer than [`PATIENCE`]: for calls that have no deadline of their own,
/// and would hang if they were wrong.
#[derive(Debug)]
pub struct Watchdog(#[allow(dead_code)] Sender<()>);

impl Watchdog {
    /// From now on.
    pub fn new(what: &'static str) -> Watchdog {
        let (end, ended) = channel();
        std::thread::spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{what}: has not ended after {PATIENCE:?}");
                std::process::abort();
            }
        });
        Watchdog(end)
    }
}

/// The most memory that this process has had, in KiB.
pub fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the kernel counts it");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Waits until `condition` holds: for what shared memory or the file system shows, of which no pipe tells.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let limit = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < limit, "waited {PATIENCE:?} in vain: {what}");
        std::thread::yield_now();
    }
}

/// Random numbers that are the same in every run: xorshift, which never leaves a seed that is not 0.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// A sequence; the seed is not 0.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
