//! Queues between processes: every way to hand one on, every message once, and the programs that hang or lose something with
//! Python's `multiprocessing.Queue`, which here come to their end.

use procession::{
    GetError, Getter, Handle, Handles, PutError, PutTimeoutError, Putter, Queue, QueueOptions, Share, TryGetError,
};
use procession_tests::pipe_tasks::Remote;
use procession_tests::queue_tasks::{Message, message, numbered};
use procession_tests::{Helper, Name, Watchdog, task};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_millis(1);

fn small(most: usize) -> Queue<Message> {
    QueueOptions::new(most).capacity(4096).create().unwrap()
}

fn named(most: usize, name: &Name) -> Queue<Message> {
    QueueOptions::new(most).capacity(4096).named(name).create().unwrap()
}

fn putter(queue: &Queue<Message>) -> Remote {
    Remote::given(&mut task!("queue", "putter", "@end"), &queue.putter())
}

fn getter(queue: &Queue<Message>) -> Remote {
    Remote::given(&mut task!("queue", "getter", "@end"), &queue.getter())
}

// ---- every message once ----

const EACH: u64 = 3000;

/// Checks what two getters have got of two putters: every message once, and to each getter in order.
fn check(got: [Vec<u64>; 2]) {
    for numbers in &got {
        for name in 0..2 {
            assert!(numbers.iter().filter(|number| *number >> 32 == name).is_sorted(), "out of order");
        }
    }
    let mut all = got.concat();
    all.sort_unstable();
    let expected: Vec<u64> = (0..2).flat_map(|name| (0..EACH).map(move |at| numbered(name, at))).collect();
    assert!(all == expected, "{} of {} came", all.len(), expected.len());
}

fn numbers(line: &str) -> Vec<u64> {
    line.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

/// Lets two helpers put and two get; `given` is where they have the queue from, which `hand_on` sees to.
fn meet(queue: Queue<Message>, given: &str, hand_on: impl Fn(&mut Command, &Queue<Message>, bool)) {
    let each = EACH.to_string();
    let start = |mut command: Command, puts: bool| {
        hand_on(&mut command, &queue, puts);
        let helper = Helper::start(&mut command);
        helper.expect("ok");
        helper
    };
    let mut putters = ["0", "1"].map(|name| start(task!("queue", "produce", given, name, &each), true));
    let mut getters = [(); 2].map(|()| start(task!("queue", "consume", given), false));
    drop(queue);
    putters.iter_mut().chain(&mut getters).for_each(|helper| helper.tell("go"));
    putters.into_iter().for_each(|putter| assert!(putter.finish().is_empty()));
    check(getters.map(|getter| {
        let got = numbers(&getter.line());
        getter.expect("Disconnected");
        getter.finish();
        got
    }));
}

#[test]
fn four_programs_that_are_given_their_sides() {
    meet(small(20), "@end", |command, queue, puts| match puts {
        true => _ = command.share("end", &queue.putter()),
        false => _ = command.share("end", &queue.getter()),
    });
    // The whole of it, of which each takes its side.
    meet(small(1), "@whole", |command, queue, _| _ = command.share("whole", queue));
    // Or takes nothing else.
    meet(small(1), "@end", |command, queue, _| _ = command.share("end", queue));
}

#[test]
fn four_programs_that_meet_at_a_name() {
    let name = Name::new("met");
    meet(named(50, &name), &name, |_, _, _| {});
    assert!(!name.exists());
}

#[test]
fn four_forked_children() {
    let helper = Helper::start(&mut task!("queue", "family", &EACH.to_string()));
    check([(); 2].map(|()| {
        let got = numbers(&helper.line());
        helper.expect("Disconnected");
        got
    }));
    helper.finish();
}

#[test]
fn a_queue_goes_through_a_socket() {
    let door = Name::new("door");
    let listener = UnixListener::bind(door.path()).unwrap();
    let helper = Helper::start(&mut task!("queue", "receive", door.path().to_str().unwrap()));
    let queue = small(2);
    queue.put(message(1, 10)).unwrap();
    let (socket, _) = listener.accept().unwrap();
    Handles::new().with("end", &queue).send(&socket).unwrap();
    // It is on its way, and so are one who puts and one who gets.
    let getter = queue.into_getter();
    assert_eq!(getter.get(), Ok(message(1, 10)));
    helper.expect("ok");
    let mut other = Remote(helper);
    assert_eq!(other.ask("put 2 20"), "Ok(())");
    assert_eq!(getter.get(), Ok(message(2, 20)));
    assert_eq!(other.ask("put 3 30"), "Ok(())");
    assert_eq!(other.ask("get"), "3:30");
    other.0.finish();
    assert_eq!(getter.get(), Err(GetError::Disconnected));
}

// ---- programs that hang, or lose something, elsewhere ----

#[test]
fn joining_a_producer_before_draining() {
    let _watchdog = Watchdog::new("joining a producer");
    let queue: Queue<Message> = QueueOptions::new(100).capacity(1 << 20).create().unwrap();
    let mut producer = putter(&queue);
    (0..100).for_each(|number| assert_eq!(producer.ask(&format!("put {number} 10000")), "Ok(())"));
    producer.0.finish();
    (0..100).for_each(|number| assert_eq!(queue.get(), Ok(message(number, 10_000))));
    // More than there is room for, in messages or in bytes: to put is to wait, and its end is no promise any more.
    for (most, length) in [(2, 10), (100, 2000)] {
        let queue = small(most);
        let mut producer = putter(&queue);
        assert_eq!(producer.ask(&format!("put 1 {length}")), "Ok(())");
        assert_eq!(producer.ask(&format!("put 2 {length}")), "Ok(())");
        assert_eq!(producer.ask(&format!("try-put 3 {length}")), "Err(Full)");
        assert_eq!(producer.ask(&format!("put-within 20 3 {length}")), "Err(TimedOut)");
        producer.begin(&format!("put 3 {length}"));
        assert_eq!(queue.get(), Ok(message(1, length)));
        producer.0.expect("Ok(())");
        producer.0.finish();
        assert_eq!([queue.get(), queue.get()], [2, 3].map(|number| Ok(message(number, length))));
    }
}

#[test]
fn what_was_put_is_there() {
    let queue = small(4);
    let mut other = putter(&queue);
    for round in 0..300 {
        assert!(queue.is_empty());
        assert_eq!(other.ask(&format!("put {round} 100")), "Ok(())");
        assert!(!queue.is_empty());
        assert_eq!((queue.len(), queue.try_get()), (Ok(1), Ok(message(round, 100))));
    }
}

/// A's first, then B's: whoever puts after another's `put` has returned comes after it.
#[test]
fn one_order_for_all_who_put() {
    let queue = small(4);
    let (mut slow, mut quick) = (putter(&queue), putter(&queue));
    for round in 0..100 {
        assert_eq!(slow.ask(&format!("put {round} 3000")), "Ok(())");
        assert_eq!(quick.ask(&format!("put {round} 1")), "Ok(())");
        assert_eq!([queue.get(), queue.get()], [3000, 1].map(|length| Ok(message(round, length))));
    }
}

// ---- who is left ----

#[test]
fn when_all_who_put_were_killed() {
    let _watchdog = Watchdog::new("getting from nobody");
    let queue = small(4);
    let mut putters = [putter(&queue), putter(&queue)];
    let mut other = getter(&queue);
    let getter = queue.into_getter();
    assert_eq!(putters[0].ask("put 1 10"), "Ok(())");
    putters[0].0.kill();
    assert_eq!(getter.get(), Ok(message(1, 10)));
    assert_eq!(getter.get_timeout(SOON * 120), Err(procession::GetTimeoutError::TimedOut), "one is left");
    assert_eq!(putters[1].ask("put 2 10"), "Ok(())");
    assert_eq!(getter.get(), Ok(message(2, 10)));
    other.begin("get");
    putters[1].0.kill();
    other.0.expect("Disconnected");
    assert_eq!(getter.get(), Err(GetError::Disconnected));
}

#[test]
fn when_all_who_get_were_killed() {
    let _watchdog = Watchdog::new("putting for nobody");
    let queue = small(1);
    let (mut first, mut second) = (getter(&queue), getter(&queue));
    let mut other = putter(&queue);
    let putter = queue.into_putter();
    putter.put(message(1, 10)).unwrap();
    first.0.kill();
    assert_eq!(putter.put_timeout(message(2, 10), SOON * 120).unwrap_err().error, PutTimeoutError::TimedOut);
    assert_eq!(second.ask("get"), "1:10");
    putter.put(message(3, 10)).unwrap();
    other.begin("put 4 10");
    second.0.kill();
    other.0.expect("Err(Disconnected)");
    assert_eq!(putter.put(message(5, 10)).unwrap_err().error, PutError::Disconnected);
    drop(other);
}

#[test]
fn who_drops_its_side_wakes_the_other() {
    let (queue, full) = (small(1), small(1));
    let mut giver = putter(&queue);
    let mut taker = getter(&queue);
    drop(queue);
    taker.begin("get");
    assert_eq!(giver.ask("drop putter"), "dropped");
    taker.0.expect("Disconnected");

    let (mut giver, mut taker) = (putter(&full), getter(&full));
    full.put(message(1, 1)).unwrap();
    drop(full);
    giver.begin("put 2 2");
    assert_eq!(taker.ask("drop getter"), "dropped");
    giver.0.expect("Err(Disconnected)");
}

/// Whoever comes by name when nobody was left is as good as those before.
#[test]
fn another_putter_may_come() {
    let name = Name::new("another");
    let getter: Getter<Message> = named(2, &name).into_getter();
    assert_eq!(getter.get(), Err(GetError::Disconnected));
    let putter = Putter::<Message>::open(&name).unwrap();
    assert_eq!(getter.try_get(), Err(TryGetError::Empty));
    putter.put(message(1, 1)).unwrap();
    assert_eq!(getter.get(), Ok(message(1, 1)));
}

// ---- closing ----

#[test]
fn another_process_closes_the_queue() {
    for (word, left) in [("close", "1:10"), ("close-now", "Closed")] {
        let (queue, full) = (small(1), small(1));
        let mut takers = [getter(&queue), getter(&queue)];
        let mut givers = [putter(&full), putter(&full)];
        full.put(message(1, 10)).unwrap();
        takers.iter_mut().for_each(|taker| taker.begin("get"));
        givers.iter_mut().for_each(|giver| giver.begin("put 2 20"));
        assert_eq!(getter(&queue).ask(word), "Ok(())");
        assert_eq!(getter(&full).ask(word), "Ok(())");
        takers.iter().for_each(|taker| taker.0.expect("Closed"));
        givers.iter().for_each(|giver| giver.0.expect("Err(Closed)"));
        assert_eq!(queue.put(message(3, 1)).unwrap_err().error, PutError::Closed);
        assert_eq!(getter(&full).ask("get"), left);
        assert_eq!(full.get(), Err(GetError::Closed));
    }
}
