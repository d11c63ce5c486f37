//! What a helper does with pipes for bytes: `procession-helper pipe TASK [ARGUMENT...]`.

use crate::Helper;
use crate::fork_tasks::wait_to_be_killed;
use crate::pipe_programs::{self, Step};
use crate::talk::{complain, hear, outcome, say};
use nix::unistd::close;
use procession::{
    ByteConnection, ByteReceiver, ByteSender, Bytes, Handle, OpenError, PipeOptions, RawValue, RecvError,
    RecvTimeoutError, SendError, SendTimeoutError, Share, fork,
};
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hasher};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

/// The bytes of a message: no two numbers have the same, if there are enough of them.
pub fn content(number: u64, length: usize) -> Vec<u8> {
    let start = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..length).map(|at| (start.rotate_left(at as u32 * 8 % 64) as usize + at / 8 * 31) as u8).collect()
}

/// What is said of bytes: how many they are, and which.
pub fn describe(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    format!("{}:{:016x}", bytes.len(), hasher.finish())
}

/// What is said of a message that was received.
pub fn received<E: Debug>(result: Result<Vec<u8>, E>) -> String {
    result.map_or_else(|error| format!("{error:?}"), |bytes| describe(&bytes))
}

/// A helper with an end, which the test has it use line by line.
#[derive(Debug)]
pub struct Remote(pub Helper);

impl Remote {
    /// Starts one, which says that it has its end.
    pub fn start(command: &mut Command) -> Remote {
        let helper = Helper::start(command);
        helper.expect("ok");
        Remote(helper)
    }
    /// Starts one that is given `end`.
    pub fn given(command: &mut Command, end: &impl Handle) -> Remote {
        Remote::start(command.share("end", end))
    }
    /// Has it begin something that cannot come to its end, and waits until it sleeps.
    pub fn begin(&mut self, what: &str) {
        self.0.tell(&format!("now {what}"));
        self.0.expect("now");
        self.0.sleeps();
        self.0.expect_silence();
    }
    /// Has it do something, and returns what it says of that.
    pub fn ask(&mut self, what: &str) -> String {
        self.0.tell(what);
        self.0.line()
    }
}

/// Does one task.
pub fn run(task: &[&str]) {
    match task {
        ["sender", given] => {
            let sender = outcome(take(given));
            Ends { sender, receiver: None }.serve();
        }
        ["receiver", given] => {
            let receiver = outcome(take(given));
            Ends { sender: None, receiver }.serve();
        }
        ["connection", given] => {
            if let Some((sender, receiver)) = outcome(take(given)).map(ByteConnection::split) {
                Ends { sender: Some(sender), receiver: Some(receiver) }.serve();
            }
        }
        ["flood", first, lengths] => flood(number(first), &lengths.split(',').map(number).collect::<Vec<_>>()),
        ["consume", lengths] => consume(&lengths.split(',').map(number).collect::<Vec<_>>()),
        ["forked", end, parent, child] => forked(end, parent, child),
        ["program", "sender", steps] => pipe_programs::send(take("@end").expect("a sender"), &program(steps)),
        ["program", "receiver", steps] => pipe_programs::receive(take("@end").expect("a receiver"), &program(steps)),
        ["pass-on", hops] => pass_on(number(hops)),
        ["many", lengths] => {
            let mut sender: ByteSender = take("@end").expect("a sender");
            say("ready");
            hear();
            let messages = lengths.split(',').zip(1..).map(|(length, serial)| content(serial, number(length)));
            say(format!("{:?}", sender.send_many(messages)));
            hear();
        }
        _ => panic!("no such pipe task: {task:?}"),
    }
}

/// The steps of a program, from the form in which the test hands them over.
fn program(steps: &str) -> Vec<Step> {
    steps.split(',').filter(|step| !step.is_empty()).map(|step| step.parse().expect("a step")).collect()
}

fn number<N: std::str::FromStr<Err: Debug>>(text: &str) -> N {
    text.parse().expect("a number")
}

/// The end of that name, or (`@name`) the one that the test handed down under it.
fn take<H: Handle>(given: &str) -> Result<H, OpenError> {
    given.strip_prefix('@').map_or_else(|| H::open(given), H::inherited)
}

/// What a helper has of a pipe.
struct Ends {
    sender: Option<ByteSender>,
    receiver: Option<ByteReceiver>,
}

impl Ends {
    /// Does what the test says, until it has no more to say.
    fn serve(mut self) {
        loop {
            let line = hear();
            match line.split(' ').collect::<Vec<_>>()[..] {
                [""] => break,
                ["close", "sender"] => self.sender = None,
                ["close", "receiver"] => self.receiver = None,
                ["close", "descriptors"] => (3..1024).for_each(|descriptor| _ = close(descriptor)),
                ["exec"] => {
                    let program = std::env::current_exe().expect("our own file");
                    complain(Command::new(program).arg("linger").exec());
                }
                [verb, ref words @ ..] if verb.contains("send") => self.send(verb, words),
                [verb, ref words @ ..] => self.receive(verb, words),
                [] => unreachable!("a line has at least one word, if an empty one"),
            }
            if line.starts_with("close") {
                say("closed");
            }
        }
    }

    fn send(&mut self, verb: &str, words: &[&str]) {
        let sender = self.sender.as_mut().expect("the sender's end");
        let [words @ .., serial, length] = words else { panic!("{verb} what?") };
        let message = content(number(serial), number(length));
        match (verb, words) {
            ("send", []) => say(format!("{:?}", sender.send(&message))),
            ("try-send", []) => say(format!("{:?}", sender.try_send(&message))),
            ("send-within", [time]) => say(format!("{:?}", sender.send_timeout(&message, milliseconds(time)))),
            _ => panic!("no such way to send: {verb}"),
        }
    }

    fn receive(&mut self, verb: &str, words: &[&str]) {
        let receiver = self.receiver.as_mut().expect("the receiver's end");
        match (verb, words) {
            ("recv", []) => say(received(receiver.recv())),
            ("try-recv", []) => say(received(receiver.try_recv())),
            ("recv-within", [time]) => say(received(receiver.recv_timeout(milliseconds(time)))),
            ("poll", [time]) => say(format!("{:?}", receiver.poll(milliseconds(time)))),
            _ => panic!("no such way to receive: {verb}"),
        }
    }

    fn drop_end(&mut self, end: &str) {
        match end {
            "sender" => self.sender = None,
            _ => self.receiver = None,
        }
    }

    /// Uses an end once.
    fn use_end(&mut self, end: &str) -> String {
        match end {
            "sender" => format!("{:?}", self.sender.as_mut().expect("a sender").send(b"used")),
            _ => format!("{:?}", self.receiver.as_mut().expect("a receiver").poll(Duration::ZERO)),
        }
    }

    /// What the end opposite to `end` is told in the end, when it goes on for as long as it can.
    fn other_sees(&mut self, end: &str) -> String {
        // Many times as long as anything here takes to be noticed.
        const LONG: Duration = Duration::from_millis(250);
        loop {
            match end {
                "sender" => match self.receiver.as_mut().expect("a receiver").recv_timeout(LONG) {
                    Ok(bytes) => assert_eq!(bytes, b"used"),
                    Err(RecvTimeoutError::Recv(RecvError::Disconnected)) => return "disconnected".to_owned(),
                    Err(error) => return format!("{error:?}"),
                },
                _ => match self.sender.as_mut().expect("a sender").send_timeout(&[0; 1000], LONG) {
                    Ok(()) => {}
                    Err(SendTimeoutError::Send(SendError::Disconnected)) => {
                        return "disconnected".to_owned();
                    }
                    Err(error) => return format!("{error:?}"),
                },
            }
        }
    }
}

fn milliseconds(text: &str) -> Duration {
    Duration::from_millis(number(text))
}

/// Sends messages without end, numbered from `first` on; counts in a word of its own those that were sent.
fn flood(first: u64, lengths: &[usize]) {
    let mut sender: ByteSender = take("@end").expect("a sender");
    let sent: RawValue<u64> = RawValue::inherited("count").expect("a counter");
    let inside: RawValue<bool> = RawValue::inherited("inside").expect("a flag");
    for (index, length) in lengths.iter().cycle().enumerate() {
        let message = content(first + index as u64, *length);
        inside.set(true);
        let result = sender.send(&message);
        inside.set(false);
        if let Err(error) = result {
            return say(format!("{error:?} after {index}"));
        }
        sent.fetch_add(1).expect("a counter");
    }
}

/// Receives what [`flood`] sends and checks it; counts in a word that its successors will have, too. If a predecessor was
/// killed between receiving a message and counting it, that one is missing.
fn consume(lengths: &[usize]) {
    let mut receiver: ByteReceiver = take("@end").expect("a receiver");
    let count: RawValue<u64> = RawValue::inherited("count").expect("a counter");
    let inside: RawValue<bool> = RawValue::inherited("inside").expect("a flag");
    let expected = |at: u64| content(at, lengths[at as usize % lengths.len()]);
    let mut at = count.get().expect("a counter");
    let mut is_first = true;
    loop {
        inside.set(true);
        let message = receiver.recv();
        inside.set(false);
        match message {
            Ok(message) if message == expected(at) => {}
            Ok(message) if is_first && at > 0 && message == expected(at + 1) => at += 1,
            Ok(message) => complain(format!("{} in place of number {at}", describe(&message))),
            Err(error) => return say(format!("{error:?} after {at}")),
        }
        (at, is_first) = (at + 1, false);
        count.set(at);
    }
}

/// Gives the receiver's end to a child, which does the same; the last one receives.
fn pass_on(hops: u32) {
    let mut receiver: ByteReceiver = take("@end").expect("a receiver");
    if hops == 0 {
        say("it is mine");
        hear();
        return say(received(receiver.recv()));
    }
    let mut command = Command::new(std::env::current_exe().expect("our own file"));
    let child = command.args(["pipe", "pass-on", &(hops - 1).to_string()]).share("end", &receiver);
    let mut child = child.spawn().expect("a child");
    drop(receiver);
    assert!(child.wait().expect("a child").success());
}

/// Forks with an end that nobody has used, lets parent and child do with it what they are to, and says what the other end
/// makes of that; then drops the parent's and says it again.
fn forked(end: &str, parent: &str, child: &str) {
    let ends = PipeOptions::new().capacity(4096).simplex::<[u8], Bytes>();
    let (sender, receiver) = ends.expect("a pipe");
    let mut ends = Ends { sender: Some(sender), receiver: Some(receiver) };
    let (mut done, doing) = std::io::pipe().expect("a pipe");
    let (waiting, go) = std::io::pipe().expect("a pipe");
    if parent == "uses" {
        say(ends.use_end(end));
    }
    let (mut parents, mut childs) = (Some((waiting, doing)), Some(go));
    let process = fork(|| {
        childs = None;
        let (mut waiting, doing) = parents.take().expect("the child's sides");
        match child {
            "drops" => ends.drop_end(end),
            "uses" => say(ends.use_end(end)),
            "exits" => return 0,
            _ => {}
        }
        drop(doing);
        // The other side is closed when the parent has dropped its own.
        let _ = waiting.read(&mut [0]);
        match child {
            "drops-last" => ends.drop_end(end),
            "uses" => return 0,
            _ => {}
        }
        wait_to_be_killed()
    });
    let process = process.expect("a child");
    parents = None;
    let _ = done.read(&mut [0]);
    if parent == "drops" {
        ends.drop_end(end);
    }
    if child == "killed" {
        process.kill().expect("a child");
    }
    childs = None;
    say(format!("first: {}", ends.other_sees(end)));
    ends.drop_end(end);
    say(format!("then: {}", ends.other_sees(end)));
    let _ = process.kill(); // perhaps it has ended by itself
    process.wait().expect("a child");
    drop((parents, childs));
}
