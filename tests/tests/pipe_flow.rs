//! Messages on their way between processes: many at a time, closed in the middle, given up in a panic.

use procession::{
    ByteReceiver, ByteSender, Bytes, Pipe, PipeOptions, Postcard, Receiver, RecvError, Sender, Share, TryRecvError,
};
use procession_tests::pipe_tasks::{Remote, content, describe};
use procession_tests::{Helper, PATIENCE, Watchdog, task, until};
use std::time::{Duration, Instant};

fn small() -> (ByteSender, ByteReceiver) {
    PipeOptions::new().capacity(4096).simplex::<[u8], Bytes>().unwrap()
}

// ---- the end of it, at once ----

/// Whoever closes wakes the one who sleeps: that one needs no tick to notice. Those come every 50 ms by then.
#[test]
fn a_close_is_noticed_at_once() {
    const ROUNDS: usize = 12;
    let mut prompt = 0;
    for round in 0..ROUNDS {
        let (sender, receiver) = small();
        let mut child;
        let (mut sender, mut receiver) = (Some(sender), Some(receiver));
        if round % 2 == 0 {
            child = Remote::given(&mut task!("pipe", "receiver", "@end"), receiver.as_ref().unwrap());
            receiver = None;
            child.0.tell("recv");
        } else {
            child = Remote::given(&mut task!("pipe", "sender", "@end"), sender.as_ref().unwrap());
            sender = None;
            assert_eq!(child.ask("send 0 10"), "Ok(())");
            assert_eq!(receiver.as_mut().unwrap().recv().unwrap(), content(0, 10));
            child.0.tell("send 1 20000");
        }
        let id = child.0.id();
        until("it has slept for some ticks", || sleeps(id.as_raw()) >= 8);
        let closed = Instant::now();
        drop((sender.take(), receiver.take()));
        let said = child.0.line();
        prompt += usize::from(closed.elapsed() < Duration::from_millis(10));
        assert!(said.contains("Disconnected"), "{said}");
        child.0.finish();
    }
    assert!(prompt * 2 >= ROUNDS, "only {prompt} of {ROUNDS} closes were noticed at once");
}

/// How often a process has gone to sleep by itself.
fn sleeps(process: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
    line.trim().parse().unwrap()
}

// ---- one after the other, and many at a time ----

/// Batches wake whoever sleeps, also one that fills the pipe many times over.
#[test]
fn batches_arrive_while_they_are_sent() {
    let _watchdog = Watchdog::new("receiving batches");
    let lengths: Vec<usize> = (0..500).map(|number| number * 37 % 3000).collect();
    let text = lengths.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let (sender, mut receiver) = small();
    let mut child = Helper::start(task!("pipe", "many", &text).share("end", &sender));
    drop(sender);
    child.expect("ready");
    child.tell("go");
    for (serial, length) in (1..).zip(&lengths) {
        assert!(receiver.poll(PATIENCE).unwrap());
        assert!(receiver.poll(Duration::ZERO).unwrap(), "looking takes nothing away");
        assert_eq!(receiver.recv().unwrap(), content(serial, *length), "{serial}");
    }
    child.expect("(500, Ok(()))");
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    child.finish();
}

fn panics<R>(act: impl FnOnce() -> R) {
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(act)).is_err());
}

/// What an iterator gave before it panicked was sent, each of it once.
#[test]
fn an_iterator_that_panics_in_the_middle_of_a_batch() {
    fn bomb() -> impl Iterator<Item = u32> {
        (0..40).inspect(|number| assert_ne!(*number, 35, "the bomb"))
    }
    let (mut sender, mut receiver): (Sender<u32>, Receiver<u32>) = Pipe::simplex().unwrap();
    panics(|| sender.send_many(bomb()));
    assert!((0..35).all(|number| receiver.try_recv() == Ok(number)), "they are there without another send");
    sender.send(100).unwrap();
    assert_eq!(receiver.recv(), Ok(100));
    // The same if the sender goes with the panic.
    let (mut sender, mut receiver) = PipeOptions::new().simplex::<u32, Postcard>().unwrap();
    assert!(std::thread::spawn(move || sender.send_many(bomb())).join().is_err());
    assert!(receiver.iter().map(Result::unwrap).eq(0..35));
    let (mut sender, mut receiver) = Pipe::bytes().unwrap();
    let messages = || bomb().map(u32::to_ne_bytes);
    assert!(std::thread::spawn(move || sender.send_many(messages())).join().is_err());
    assert!((0..35u32).all(|number| receiver.recv().unwrap() == number.to_ne_bytes()));
    assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
}

/// A panic in the middle leaves the message where it is, or unsent.
#[test]
fn a_closure_that_panics() {
    let (mut sender, mut receiver) = small();
    for length in [10, 3000] {
        panics(|| sender.send_with(length, |_| panic!("the writer")));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        sender.send(&content(1, length)).unwrap();
        panics(|| receiver.recv_with(|_| -> () { panic!("the reader") }));
        assert_eq!(receiver.recv_with(<[u8]>::to_vec).unwrap(), content(1, length));
    }
}

/// Each direction may be another thread's, and one may go while the other is in use.
#[test]
fn threads_at_the_halves_of_a_connection() {
    let (here, there) = PipeOptions::new().capacity(4096).duplex::<[u8], Bytes>().unwrap();
    let mut child = Remote::given(&mut task!("pipe", "connection", "@end"), &there);
    drop(there);
    let (mut sender, mut receiver) = here.split();
    std::thread::scope(|threads| {
        threads.spawn(move || (0..2000).for_each(|number| sender.send(&content(number, 100)).unwrap()));
        child.0.tell("send 7 10");
        assert_eq!(receiver.recv().unwrap(), content(7, 10));
        child.0.expect("Ok(())");
        drop(receiver);
        assert_eq!(child.ask("try-send 8 10"), "Err(Send(Disconnected))");
        for number in 0..2000 {
            assert_eq!(child.ask("recv"), describe(&content(number, 100)));
        }
    });
    assert_eq!(child.ask("recv"), "Disconnected");
    child.0.finish();
}
