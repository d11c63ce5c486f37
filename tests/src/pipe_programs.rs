//! Programs for the two ends of a pipe, which two processes run at once, and what may come of them.

use crate::pipe_tasks::{content, describe, received};
use crate::talk::say;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procession::{ByteReceiver, ByteSender};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A step of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Send so many bytes.
    Send(usize),
    /// Send them if there is room.
    TrySend(usize),
    /// Send them within so many milliseconds.
    SendWithin(u64, usize),
    /// Receive.
    Recv,
    /// Receive if there is something.
    TryRecv,
    /// Receive within so many milliseconds.
    RecvWithin(u64),
    /// See for so many milliseconds whether there is something.
    Poll(u64),
    /// Receive into a buffer of so many bytes.
    Into(usize),
    /// Close the end; nothing follows.
    Close,
    /// Die.
    Die,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Send(bytes) => write!(f, "send {bytes}"),
            Step::TrySend(bytes) => write!(f, "try-send {bytes}"),
            Step::SendWithin(time, bytes) => write!(f, "send-within {time} {bytes}"),
            Step::Recv => write!(f, "recv"),
            Step::TryRecv => write!(f, "try-recv"),
            Step::RecvWithin(time) => write!(f, "recv-within {time}"),
            Step::Poll(time) => write!(f, "poll {time}"),
            Step::Into(room) => write!(f, "into {room}"),
            Step::Close => write!(f, "close"),
            Step::Die => write!(f, "die"),
        }
    }
}

impl FromStr for Step {
    type Err = String;
    fn from_str(text: &str) -> Result<Step, String> {
        let words: Vec<&str> = text.split(' ').collect();
        let number = |at: usize| words[at].parse::<usize>().map_err(|error| format!("{text}: {error}"));
        let time = |at: usize| number(at).map(|time| time as u64);
        Ok(match words[0] {
            "send" => Step::Send(number(1)?),
            "try-send" => Step::TrySend(number(1)?),
            "send-within" => Step::SendWithin(time(1)?, number(2)?),
            "recv" => Step::Recv,
            "try-recv" => Step::TryRecv,
            "recv-within" => Step::RecvWithin(time(1)?),
            "poll" => Step::Poll(time(1)?),
            "into" => Step::Into(number(1)?),
            "close" => Step::Close,
            "die" => Step::Die,
            _ => return Err(format!("no such step: {text}")),
        })
    }
}

/// What was said of a step that went well.
const OK: &str = "Ok(())";

/// Sends as the program says, the message of a step under the step's number; a line for each step.
pub fn send(mut sender: ByteSender, program: &[Step]) {
    for (step, number) in program.iter().zip(0..) {
        match *step {
            Step::Send(bytes) => say(format!("{:?}", sender.send(&content(number, bytes)))),
            Step::TrySend(bytes) => say(format!("{:?}", sender.try_send(&content(number, bytes)))),
            Step::SendWithin(time, bytes) => {
                let time = Duration::from_millis(time);
                say(format!("{:?}", sender.send_timeout(&content(number, bytes), time)));
            }
            Step::Die => drop(kill(Pid::this(), Signal::SIGKILL)),
            _ => return,
        }
    }
}

/// Receives as the program says, a line for each step; and then, unless it has closed, all that comes until the end of it.
pub fn receive(mut receiver: ByteReceiver, program: &[Step]) {
    for step in program {
        match *step {
            Step::Recv => say(received(receiver.recv())),
            Step::TryRecv => say(received(receiver.try_recv())),
            Step::RecvWithin(time) => say(received(receiver.recv_timeout(Duration::from_millis(time)))),
            Step::Poll(time) => say(format!("{:?}", receiver.poll(Duration::from_millis(time)))),
            Step::Into(room) => {
                let mut buffer = vec![0; room];
                let length = receiver.recv_into(&mut buffer);
                say(received(length.map(|length| buffer[..length].to_vec())));
            }
            Step::Die => drop(kill(Pid::this(), Signal::SIGKILL)),
            _ => return,
        }
    }
    loop {
        let message = receiver.recv();
        let over = message.is_err();
        say(received(message));
        if over {
            break;
        }
    }
}

/// A process's program, what it said, and whether it was killed from outside.
#[derive(Debug)]
pub struct Run<'a> {
    /// The program.
    pub program: &'a [Step],
    /// What it said.
    pub said: &'a [String],
    /// Whether somebody killed it, or tried to.
    pub killed: bool,
}

impl Run<'_> {
    /// Whether it may have ended before the other end was done.
    fn may_end(&self) -> bool {
        self.killed || self.program.iter().any(|step| matches!(step, Step::Close | Step::Die))
    }
    fn may_die(&self) -> bool {
        self.killed || self.program.contains(&Step::Die)
    }
}

/// Whether what a sender and a receiver have said can have come about: what was received is what was sent, in order, once
/// and whole; nobody is told of an end that was none, and whoever is told of one has received everything before.
pub fn judge(sender: &Run<'_>, receiver: &Run<'_>) -> Result<(), String> {
    let (mut sent, mut perhaps) = (Vec::new(), None);
    for (number, step) in sender.program.iter().enumerate() {
        let (Step::Send(bytes) | Step::TrySend(bytes) | Step::SendWithin(_, bytes)) = *step else { break };
        let message = || describe(&content(number as u64, bytes));
        match (step, sender.said.get(number).map(String::as_str)) {
            (_, Some(OK)) => sent.push(message()),
            (_, Some("Err(Disconnected)" | "Err(Send(Disconnected))")) if receiver.may_end() => {
                // The receiver may have taken it and gone before the sender had looked.
                perhaps = perhaps.or_else(|| Some(message()));
            }
            (Step::TrySend(_), Some(error)) if error == "Err(Full)" || error.contains("TooLarge") => {}
            (Step::SendWithin(..), Some("Err(TimedOut)")) => {}
            (_, None) if sender.may_die() => {
                perhaps = Some(message());
                break;
            }
            (_, answer) => return Err(format!("{step}: {answer:?}")),
        }
    }
    let mut expected = sent.iter().chain(&perhaps);
    let mut count = 0;
    for line in receiver.said {
        match line.as_str() {
            "Disconnected" | "Recv(Disconnected)" => {
                if count < sent.len() {
                    return Err(format!("told of the end after {count} of {} messages", sent.len()));
                }
            }
            "Empty" | "TimedOut" | "Ok(true)" | "Ok(false)" => {}
            line if line.starts_with("TooSmall") => {}
            line => {
                let next = expected.next();
                if next.is_none_or(|next| next != line) {
                    return Err(format!("received {line} as number {count}, in place of {next:?}"));
                }
                count += 1;
            }
        }
    }
    let drained = receiver.said.last().is_some_and(|line| line == "Disconnected");
    if !receiver.may_end() && !drained { Err("the receiver was not told of the end".to_owned()) } else { Ok(()) }
}
