//! Helpers that send, or receive, until they are killed, and say how far they are in words that outlast them.

use crate::Helper;
use crate::pipe_tasks::content;
use procession::{ByteReceiver, ByteSender, Handle, RawValue, Share};
use std::process::Command;

/// Bytes of the pipes that they use.
pub const CAPACITY: usize = 4096;
/// What they send and receive, over and over: little, nothing, a quarter of the pipe, several times the pipe.
pub const LENGTHS: [usize; 9] = [17, 0, 1000, 1016, 1017, 1024, 4096, 9000, 40_000];

/// The message of that number.
pub fn expected(number: u64) -> Vec<u8> {
    content(number, LENGTHS[number as usize % LENGTHS.len()])
}

/// A helper at one of the ends, and the words in which it tells how far it is. They outlast it.
#[derive(Debug)]
pub struct Worker {
    count: RawValue<u64>,
    inside: RawValue<bool>,
    /// The process.
    pub helper: Helper,
}

impl Worker {
    fn start(mut command: Command, task: &[&str], end: &impl Handle, count: RawValue<u64>) -> Worker {
        let lengths = LENGTHS.map(|length| length.to_string()).join(",");
        let inside = RawValue::new(false).expect("a flag");
        command.args(task).arg(lengths);
        command.share("end", end).share("count", &count).share("inside", &inside);
        Worker { helper: Helper::start(&mut command), count, inside }
    }
    /// One that sends messages, numbered from `first` on.
    pub fn sends(pipe: Command, sender: &ByteSender, first: u64) -> Worker {
        Worker::start(pipe, &["flood", &first.to_string()], sender, RawValue::new(0).expect("a counter"))
    }
    /// One that receives them, from the number on that is in `count`.
    pub fn receives(pipe: Command, receiver: &ByteReceiver, count: RawValue<u64>) -> Worker {
        Worker::start(pipe, &["consume"], receiver, count)
    }
    /// How many it has sent; or the number of the next one it receives.
    pub fn count(&self) -> u64 {
        self.count.get().expect("a number")
    }
    /// Kills it; returns whether it was in the middle of sending or receiving.
    pub fn kill(&mut self) -> bool {
        self.helper.kill();
        self.helper.expect_silence();
        self.inside.get().expect("a flag")
    }
}
