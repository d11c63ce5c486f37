//! What a helper does with queues: `procession-helper queue TASK [ARGUMENT...]`.

use crate::pipe_tasks::content;
use crate::queue_workers;
use crate::talk::{complain, hear, outcome, say};
use procession::{Content, Getter, Handle, Inherited, OpenError, Postcard, Putter, Queue, QueueOptions, Unsent, fork};
use std::fmt::Debug;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// What the helpers put: a number, and bytes that go with it.
pub type Message = (u64, Vec<u8>);

/// The message of that number, with so many bytes.
pub fn message(number: u64, length: usize) -> Message {
    (number, content(number, length))
}

/// What is said of a message that was got.
pub fn got<E: Debug>(result: Result<Message, E>) -> String {
    match result {
        Ok((number, bytes)) if bytes == content(number, bytes.len()) => format!("{number}:{}", bytes.len()),
        Ok((number, bytes)) => format!("torn: {number}:{}", bytes.len()),
        Err(error) => format!("{error:?}"),
    }
}

/// Does one task.
pub fn run(task: &[&str]) {
    match task {
        ["putter", given] => serve(outcome(take(given)), None),
        ["getter", given] => serve(None, outcome(take(given))),
        ["queue", given] => {
            let queue: Queue<Message> = outcome(take(given)).expect("a queue");
            serve(Some(queue.putter()), Some(queue.getter()));
        }
        ["receive", path] => {
            let socket = UnixStream::connect(path).expect("the test's socket");
            let received = Inherited::receive(&socket).expect("handles");
            let queue: Queue<Message> = outcome(received.take("end")).expect("a queue");
            drop(received);
            serve(Some(queue.putter()), Some(queue.getter()));
        }
        ["produce", given, name, count] => {
            let putter = match *given {
                "@whole" => outcome(take(given)).map(Queue::into_putter),
                given => outcome(take(given)),
            };
            let putter = putter.expect("a putter");
            hear();
            produce(&putter, number(name), number(count));
        }
        ["consume", given] => {
            let getter = match *given {
                "@whole" => outcome(take(given)).map(Queue::into_getter),
                given => outcome(take(given)),
            };
            let getter = getter.expect("a getter");
            hear();
            let (numbers, end) = consume(&getter);
            say(numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" "));
            say(end);
        }
        ["family", count] => family(number(count)),
        ["supervise", kills, seed] => queue_workers::supervise(number(kills), number(seed)),
        _ => panic!("no such queue task: {task:?}"),
    }
}

/// The number that stands there.
pub fn number<N: std::str::FromStr<Err: Debug>>(text: &str) -> N {
    text.parse().expect("a number")
}

/// The handle of that name, or (`@name`) the one that the test handed down under it.
pub fn take<H: Handle>(given: &str) -> Result<H, OpenError> {
    given.strip_prefix('@').map_or_else(|| H::open(given), H::inherited)
}

/// The two sides of a queue, as far as a helper has them.
pub type Sides<Q> = (Option<Putter<Message, Postcard, Q>>, Option<Getter<Message, Postcard, Q>>);

/// Does what the test says, until it has no more to say.
fn serve(putter: Option<Putter<Message>>, getter: Option<Getter<Message>>) {
    let mut sides = (putter, getter);
    listen(|words| use_side(&mut sides, words));
}

/// Hears lines, and has `obey` do what their words say, until there are no more. After `now` it says so, and then does it: so
/// that the test can tell that it has begun.
pub fn listen(mut obey: impl FnMut(&[&str])) {
    loop {
        let line = hear();
        match line.split(' ').collect::<Vec<_>>()[..] {
            [""] => return,
            ["now", ref words @ ..] => {
                say("now");
                obey(words);
            }
            ref words => obey(words),
        }
    }
}

/// Does what can be done with a side of any queue.
pub fn use_side<Q: Content>(sides: &mut Sides<Q>, words: &[&str]) {
    let (putter, getter) = sides;
    match words {
        ["drop", "putter"] => {
            *putter = None;
            say("dropped");
        }
        ["drop", "getter"] => {
            *getter = None;
            say("dropped");
        }
        ["close"] => say(format!("{:?}", getter.as_ref().expect("a getter").close())),
        ["close-now"] => say(format!("{:?}", getter.as_ref().expect("a getter").close_now())),
        [verb, words @ ..] if verb.contains("put") => put(putter.as_ref().expect("a putter"), verb, words),
        [verb, words @ ..] if verb.contains("get") => get(getter.as_ref().expect("a getter"), verb, words),
        _ => panic!("no such thing to do: {words:?}"),
    }
}

fn put<Q: Content>(putter: &Putter<Message, Postcard, Q>, verb: &str, words: &[&str]) {
    fn said<E: Debug>(result: Result<(), Unsent<Message, E>>) -> String {
        format!("{:?}", result.map_err(|unsent| unsent.error))
    }
    let [words @ .., serial, length] = words else { panic!("{verb} what?") };
    let message = |serial| message(serial, number(length));
    let first = number(serial);
    say(match (verb, words) {
        ("put", []) => said(putter.put(message(first))),
        ("try-put", []) => said(putter.try_put(message(first))),
        ("put-within", [time]) => said(putter.put_timeout(message(first), milliseconds(time))),
        // What was not put comes back: how it ended, the numbers of those, and how many were never asked for.
        ("put-many", [count]) => {
            let mut messages = (first..first + number::<u64>(count)).map(message);
            let unsent = putter.put_many(&mut messages).err();
            let (error, back) = unsent.map_or((None, Vec::new()), |unsent| (Some(unsent.error), unsent.value));
            let back: Vec<u64> = back.into_iter().map(|(number, _)| number).collect();
            format!("{error:?} {back:?} {}", messages.count())
        }
        _ => panic!("no such way to put: {verb}"),
    });
}

fn get<Q: Content>(getter: &Getter<Message, Postcard, Q>, verb: &str, words: &[&str]) {
    say(match (verb, words) {
        ("get", []) => got(getter.get()),
        ("try-get", []) => got(getter.try_get()),
        ("get-within", [time]) => got(getter.get_timeout(milliseconds(time))),
        ("get-many", [most]) => {
            let mut messages = Vec::new();
            let result = getter.get_many(&mut messages, number(most));
            let messages: Vec<_> = messages.into_iter().map(|message| got(Ok::<_, ()>(message))).collect();
            format!("{result:?} {}", messages.join(" "))
        }
        _ => panic!("no such way to get: {verb}"),
    });
}

/// So many milliseconds.
pub fn milliseconds(text: &str) -> Duration {
    Duration::from_millis(number(text))
}

/// The number of a putter's message: whose it is, and its place among those.
pub fn numbered(putter: u64, at: u64) -> u64 {
    putter << 32 | at
}

/// Puts `count` messages of many lengths.
fn produce(putter: &Putter<Message>, name: u64, count: u64) {
    for at in 0..count {
        if let Err(unsent) = putter.put(message(numbered(name, at), at as usize * 7 % 500)) {
            complain(unsent.error);
        }
    }
}

/// Gets messages until there will be no more; answers their numbers, and how it ended.
fn consume(getter: &Getter<Message>) -> (Vec<u64>, String) {
    let mut numbers = Vec::new();
    loop {
        match getter.get() {
            Ok((number, bytes)) if bytes == content(number, bytes.len()) => numbers.push(number),
            other => return (numbers, got(other)),
        }
    }
}

/// Four forked children: two put and two get, and each getter puts what it got into another queue.
fn family(count: u64) {
    let queue = QueueOptions::new(30).capacity(4096).create().expect("a queue");
    let (putter, getter) = (queue.putter(), queue.into_getter());
    let reports = Queue::<(Vec<u64>, String)>::bounded(2).expect("a queue");
    let mut ends = (Some(putter), Some(getter));
    let mut children = Vec::new();
    for name in 0..4 {
        let child = fork(|| {
            // A getter that is a putter, too, would wait for itself.
            let (putter, getter) = (ends.0.take().expect("a putter"), ends.1.take().expect("a getter"));
            if name < 2 {
                drop(getter);
                produce(&putter, name, count);
            } else {
                drop(putter);
                reports.put(consume(&getter)).expect("room for a report");
            }
            0
        });
        children.push(child.expect("a child"));
    }
    drop(ends);
    for _ in 0..2 {
        let (numbers, end) = reports.get().expect("a report");
        say(numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" "));
        say(end);
    }
    children.into_iter().for_each(|child| assert!(child.wait().expect("a child").success()));
}
