//! Many messages at a time, between processes and in both sorts of queues: their order, what comes back where not all can be put,
//! and what is in the way of others.

use procession::{AsIs, GetError, JoinableQueue, PutError, Queue, QueueOptions, TaskDoneError};
use procession_tests::pipe_tasks::Remote;
use procession_tests::queue_tasks::{Message, message};
use procession_tests::{Name, Watchdog, task};
use serde::{Deserialize, Serialize, Serializer};
use std::thread;

fn small(most: usize) -> JoinableQueue<Message> {
    QueueOptions::new(most).capacity(4096).create_joinable().unwrap()
}

/// Checks what somebody says who was to do these.
#[track_caller]
fn all(remote: &mut Remote, steps: &[(&str, &str)]) {
    steps.iter().for_each(|(what, said)| assert_eq!(remote.ask(what), *said, "{what}"));
}

fn numbers(numbers: impl IntoIterator<Item = u64>) -> String {
    numbers.into_iter().map(|number| format!("{number}:10")).collect::<Vec<_>>().join(" ")
}

#[test]
fn many_come_in_order_and_those_that_were_not_put_come_back() {
    let _watchdog = Watchdog::new("putting many");
    let plain: Queue<Message> = QueueOptions::new(10).capacity(4096).create().unwrap();
    let queue = small(10);
    let ends = [
        Remote::given(&mut task!("queue", "putter", "@end"), &plain.putter()),
        Remote::given(&mut task!("joinable", "putter", "@end"), &queue.putter()),
    ];
    let workers = [
        Remote::given(&mut task!("queue", "getter", "@end"), &plain.getter()),
        Remote::given(&mut task!("joinable", "getter", "@end"), &queue.getter()),
    ];
    for (mut putter, mut worker) in ends.into_iter().zip(workers) {
        all(&mut worker, &[("get-many 0", "Ok(0) "), ("try-get", "Empty")]);
        all(&mut putter, &[("put-many 0 0 10", "None [] 0"), ("put-many 10 0 10", "None [] 0")]);
        assert_eq!(worker.ask("get-many 64"), format!("Ok(10) {}", numbers(0..10)));
        // More than there is room for: it waits, and nothing comes between that nobody else puts.
        putter.begin("put-many 200 0 10");
        let mut next = 0;
        while next < 90 {
            let got = worker.ask("get-many 7");
            let count: u64 = got.strip_prefix("Ok(").unwrap().split(')').next().unwrap().parse().unwrap();
            assert_eq!(got, format!("Ok({count}) {}", numbers(next..next + count)));
            assert!((1..=7).contains(&count));
            next += count;
        }
        // What is in the queue is put; what is not comes back, or has never been asked for.
        assert_eq!(worker.ask("close"), "Ok(())");
        let said = putter.0.line();
        let (back, more) = said.strip_prefix("Some(Closed) [").unwrap().split_once("] ").unwrap();
        let back: Vec<u64> = back.split(", ").map(|number| number.parse().unwrap()).collect();
        while worker.ask("get-many 1") == format!("Ok(1) {}", numbers([next])) {
            next += 1;
        }
        assert_eq!(back, (next..next + back.len() as u64).collect::<Vec<_>>());
        assert_eq!(next + back.len() as u64 + more.parse::<u64>().unwrap(), 200);
        all(&mut worker, &[("get-many 5", "Err(Closed) "), ("get-many 0", "Ok(0) ")]);
        assert_eq!(putter.ask("put-many 3 0 10"), "Some(Closed) [0, 1, 2] 0");
    }
}

/// Those that two put at once: each one's in order.
#[test]
fn many_of_two_putters() {
    let queue = small(10);
    let mut ends = [(); 2].map(|()| Remote::given(&mut task!("joinable", "putter", "@end"), &queue.putter()));
    ends.iter_mut().for_each(|end| end.0.tell("put-many 500 0 10"));
    let mut next = [0, 0];
    let mut messages = Vec::new();
    while next != [500, 500] {
        queue.get_many(&mut messages, 20).unwrap();
        for (number, _) in messages.drain(..) {
            // Whose it is cannot be told apart, and need not: it is the next of one of them.
            let whose = next.iter().position(|next| *next == number).expect("out of order");
            next[whose] += 1;
            next.sort_unstable();
            queue.task_done().unwrap();
        }
    }
    ends.iter().for_each(|end| end.0.expect("None [] 0"));
    assert_eq!(queue.join(), Ok(()));
}

/// A message that cannot be written, if its number says so; the bytes of the others are those of a [`Message`].
#[derive(Debug, Deserialize)]
struct Moody(Message);

impl Serialize for Moody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.0 == 13 { Err(serde::ser::Error::custom("not today")) } else { self.0.serialize(serializer) }
    }
}

#[test]
fn one_in_the_middle_that_cannot_be_put() {
    let _watchdog = Watchdog::new("joining behind a message that was not put");
    let name = Name::new("moody");
    let queue: JoinableQueue<Moody> = QueueOptions::new(90).capacity(4096).named(&name).create_joinable().unwrap();
    let mut worker = Remote::start(&mut task!("joinable", "getter", &name));
    let unsent = queue.put_many((11..16).map(|number| Moody(message(number, 10)))).unwrap_err();
    assert!(matches!(unsent.error, PutError::Encode(_)));
    assert_eq!(unsent.value.iter().map(|value| value.0.0).collect::<Vec<_>>(), [13, 14, 15]);
    assert_eq!((queue.len(), queue.unfinished()), (Ok(2), Ok(2)));
    let lengths = [10, 4000, 5000, 10].into_iter().zip(20..);
    let values: Vec<Moody> = lengths.map(|(length, number)| Moody(message(number, length))).collect();
    // The large one fits an empty queue only, and is waited for; the larger one never fits.
    thread::scope(|scope| {
        let queue = &queue;
        let put = scope.spawn(move || queue.put_many(values));
        assert_eq!(worker.ask("get-many 2"), format!("Ok(2) {}", numbers([11, 12])));
        all(&mut worker, &[("get", "20:10"), ("get", "21:4000")]);
        let unsent = put.join().unwrap().unwrap_err();
        assert!(matches!(unsent.error, PutError::TooLarge { bytes: 5000.., most: 4088 }), "{:?}", unsent.error);
        assert_eq!(unsent.value.iter().map(|value| value.0.0).collect::<Vec<_>>(), [22, 23]);
    });
    (0..4).for_each(|_| assert_eq!(worker.ask("done"), "Ok(())"));
    assert_eq!((queue.join(), queue.unfinished()), (Ok(()), Ok(0)));
}

/// An item that cannot be written is refused where it is put, and counts nowhere.
#[test]
fn joining_after_an_item_that_cannot_be_written() {
    let queue = JoinableQueue::bounded(4).unwrap();
    assert!(matches!(queue.put(Moody(message(13, 1))).unwrap_err().error, PutError::Encode(_)));
    assert_eq!((queue.unfinished(), queue.join()), (Ok(0), Ok(())));
}

/// A task that there is no place in hand for stays in the queue, however many are asked for.
#[test]
fn many_of_those_that_are_delivered_again() {
    let queue: JoinableQueue<u64, AsIs> = QueueOptions::new(10).create_redelivering(2, 8).unwrap();
    queue.put_many([1, 2, 3]).unwrap();
    let mut messages = Vec::new();
    assert_eq!((queue.get_many(&mut messages, 9), &messages[..]), (Ok(2), &[1, 2][..]));
    assert_eq!(queue.get_many(&mut messages, 9), Err(GetError::TooManyTasks));
    assert_eq!((queue.len(), queue.unfinished()), (Ok(1), Ok(3)));
    queue.task_done().unwrap();
    assert_eq!((queue.get_many(&mut messages, 9), &messages[..]), (Ok(1), &[1, 2, 3][..]));
    (0..2).for_each(|_| queue.task_done().unwrap());
    assert_eq!((queue.join(), queue.task_done()), (Ok(()), Err(TaskDoneError::NoTask)));
}

/// Messages that say nothing but that they are there.
#[test]
fn many_that_are_empty() {
    let queue: Queue<()> = QueueOptions::new(200).create().unwrap();
    let plain: Queue<(), AsIs> = QueueOptions::new(200).create().unwrap();
    queue.put_many([(); 150]).unwrap();
    queue.put_many([]).unwrap();
    plain.put_many([(); 150]).unwrap();
    let (mut messages, mut others) = (Vec::new(), Vec::new());
    while messages.len() < 150 {
        queue.get_many(&mut messages, usize::MAX).unwrap();
    }
    while others.len() < 150 {
        plain.get_many(&mut others, usize::MAX).unwrap();
    }
    assert!(queue.is_empty() && plain.is_empty() && messages.len() == 150 && others.len() == 150);
}
