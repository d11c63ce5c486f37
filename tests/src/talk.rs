//! How a helper talks to its test: it says what happened in lines on stdout, and hears when to go on from stdin.

use procession::LockError;
use std::fmt::{Debug, Display};

/// Says something. A line is flushed at once, also by a child that is about to be killed.
pub fn say(what: impl Display) {
    println!("{what}");
}

/// Waits for a line; an empty one if the test has closed the pipe.
pub fn hear() -> String {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("stdin");
    line.trim_end().to_owned()
}

/// Says whether it worked, or else the error in full; returns what was got.
pub fn outcome<T, E: Debug>(result: Result<T, E>) -> Option<T> {
    match result {
        Ok(got) => {
            say("ok");
            Some(got)
        }
        Err(error) => {
            say(format!("{error:?}"));
            None
        }
    }
}

/// As [`outcome`], for a lock that may have been taken over.
pub fn locked<G: Debug>(result: Result<G, LockError<G>>) -> Option<G> {
    match result {
        Err(LockError::OwnerDied(guard)) => {
            say("owner died");
            Some(guard)
        }
        result => outcome(result),
    }
}

/// Says what is wrong and ends the process, in place of an answer.
pub fn complain(what: impl Display) -> ! {
    say(what);
    std::process::exit(1)
}
