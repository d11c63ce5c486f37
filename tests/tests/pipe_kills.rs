//! SIGKILL at either end of a pipe, at any moment: every message that was sent is received once and whole, none in part, and
//! whoever is left is told.

use nix::sys::signal::Signal;
use procession::{
    ByteReceiver, ByteSender, Bytes, PipeOptions, RawValue, RecvError, RecvTimeoutError, SendError, SendTimeoutError,
    Stat, TryRecvError,
};
use procession_tests::pipe_tasks::{Remote, content, describe};
use procession_tests::pipe_worker::{CAPACITY, LENGTHS, Worker, expected};
use procession_tests::{Name, Random, Watchdog, task, until};
use std::time::{Duration, Instant};

/// Many ticks. Nobody who is left waits that long, but on a machine that is busy with something else.
const AT_LAST: Duration = Duration::from_secs(20);

fn pipe(options: PipeOptions) -> (ByteSender, ByteReceiver) {
    options.simplex::<[u8], Bytes>().unwrap()
}

fn small() -> PipeOptions {
    PipeOptions::new().capacity(CAPACITY)
}

fn pause(random: &mut Random) {
    (0..random.below(20_000)).for_each(|_| std::hint::spin_loop());
}

// ---- at random moments ----

#[test]
fn kills_of_a_sender_at_random_moments() {
    const KILLS: u32 = 250;
    let _watchdog = Watchdog::new("receiving from a sender that was killed");
    let mut random = Random::new(0x9e37_79b9);
    let (mut struck, mut halves, mut longest) = (0, 0, Duration::ZERO);
    for round in 0..KILLS {
        let (sender, mut receiver) = pipe(small());
        let mut worker = Worker::sends(task!("pipe"), &sender, 0);
        drop(sender);
        let mut number = 0;
        // Somewhere in the middle of what is being sent: its pieces come as fast as they are taken out.
        let goal = 1 + random.below(40);
        while number < goal {
            assert_eq!(receiver.recv().unwrap(), expected(number), "round {round}");
            number += 1;
        }
        if round % 2 == 0 {
            pause(&mut random);
            let _ = receiver.poll(Duration::ZERO);
        }
        let inside = worker.kill();
        struck += u32::from(inside);
        let killed = Instant::now();
        let end = loop {
            match receiver.recv() {
                Ok(message) => assert_eq!(message, expected(number), "round {round}"),
                Err(error) => break error,
            }
            number += 1;
        };
        longest = longest.max(killed.elapsed());
        assert_eq!(end, RecvError::Disconnected);
        // It may have been killed between sending and counting.
        let sent = worker.count();
        assert!((sent..=sent + 1).contains(&number), "round {round}: {number} of {sent} received");
        halves += u32::from(inside && number == sent && expected(number).len() >= CAPACITY);
        assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
    }
    assert!(halves > 0 && longest < AT_LAST, "{halves} struck the middle of a message, {longest:?}");
    eprintln!("{KILLS} kills of a sender: {struck} while it sent, {halves} in the middle of a large message");
    eprintln!("... longest until disconnected {longest:?}");
}

#[test]
fn kills_of_a_receiver_at_random_moments() {
    const KILLS: u32 = 250;
    let _watchdog = Watchdog::new("sending to a receiver that was killed");
    let mut random = Random::new(0x2545_f491);
    let (mut struck, mut longest) = (0, Duration::ZERO);
    for round in 0..KILLS {
        let (mut sender, receiver) = pipe(small());
        let mut worker = Worker::receives(task!("pipe"), &receiver, RawValue::new(0).unwrap());
        drop(receiver);
        let mut number = 0;
        let goal = 1 + random.below(40);
        while number < goal {
            sender.send(&expected(number)).unwrap();
            number += 1;
        }
        if round % 2 == 0 {
            // Until it receives: it may not have started so far.
            until("the receiver receives", || worker.count() >= goal / 2);
            pause(&mut random);
        }
        struck += u32::from(worker.kill());
        let killed = Instant::now();
        let end = loop {
            match sender.send(&expected(number)) {
                Ok(()) => number += 1,
                Err(error) => break error,
            }
        };
        longest = longest.max(killed.elapsed());
        assert_eq!(end, SendError::Disconnected, "round {round}");
        assert!(worker.count() <= number);
        assert_eq!(sender.send(b""), Err(SendError::Disconnected));
    }
    assert!(struck > 0 && longest < AT_LAST, "{struck} struck, {longest:?}");
    eprintln!("{KILLS} kills of a receiver: {struck} while it received; longest until disconnected {longest:?}");
}

// ---- in the middle of a large message ----

const LARGE: usize = 16 << 20;

#[test]
fn a_sender_killed_in_the_middle_of_a_large_message() {
    let _watchdog = Watchdog::new("receiving half a message");
    for rounds in [0, 1, 5, 20] {
        let (sender, mut receiver) = pipe(PipeOptions::new().capacity(1 << 16));
        let mut child = Remote::given(&mut task!("pipe", "sender", "@end"), &sender);
        drop(sender);
        for number in 0..3 {
            assert_eq!(child.ask(&format!("send {number} 1000")), "Ok(())");
        }
        child.0.tell(&format!("send 3 {LARGE}"));
        for number in 0..3 {
            assert_eq!(receiver.recv().unwrap(), content(number, 1000));
        }
        // So many times a piece of it, at most; all of it is some thousand.
        for _ in 0..rounds {
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
            assert_eq!(receiver.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::TimedOut));
        }
        child.0.kill();
        let mut buffer = [0; 8];
        assert!(receiver.poll(AT_LAST).unwrap());
        assert!(receiver.recv_into(&mut buffer).unwrap_err().to_string().contains("no sender"));
        assert_eq!(receiver.recv(), Err(RecvError::Disconnected), "never a part");
    }
}

#[test]
fn a_receiver_killed_in_the_middle_of_a_large_message() {
    let _watchdog = Watchdog::new("sending a message to nobody");
    let (mut sender, receiver) = pipe(PipeOptions::new().capacity(1 << 16));
    let mut child = Remote::given(&mut task!("pipe", "receiver", "@end"), &receiver);
    drop(receiver);
    let message = content(1, LARGE);
    assert_eq!(sender.send_timeout(&message, Duration::from_millis(1)), Err(SendTimeoutError::TimedOut));
    // What it polls is pieces of what was given up, and pieces of what is being sent.
    (0..3).for_each(|_| assert_eq!(child.ask("poll 0"), "Ok(false)"));
    std::thread::scope(|threads| {
        let sending = threads.spawn(|| sender.send(&message));
        (0..3).for_each(|_| assert!(["Ok(false)", "Ok(true)"].contains(&child.ask("poll 1").as_str())));
        child.0.kill();
        // It was sent whole before the kill, or not at all.
        let _ = sending.join().unwrap();
    });
    let error = loop {
        if let Err(error) = sender.send(&message) {
            break error;
        }
    };
    assert_eq!(error, SendError::Disconnected);
}

// ---- ends that are taken over ----

/// One sender after the other is killed; the receiver gets what each of them has sent, and nothing in between.
#[test]
fn senders_that_take_over() {
    const KILLS: u64 = 100;
    /// Where the numbers of the next sender begin: more than any of them comes to.
    const GENERATION: u64 = 1_000_000 * LENGTHS.len() as u64;
    let _watchdog = Watchdog::new("receiving from one sender after the other");
    let mut random = Random::new(0x0bad_cafe);
    // We keep a copy, which is never used: there may be another sender, so that nobody is told of an end.
    let (sender, mut receiver) = pipe(small().survive());
    let (mut struck, mut longest) = (0, Duration::ZERO);
    let mut worker = Worker::sends(task!("pipe"), &sender, 0);
    let mut next = 0;
    for round in 0..KILLS {
        let first = round * GENERATION;
        for _ in 0..1 + random.below(20) {
            assert_eq!(receiver.recv().unwrap(), expected(first + next));
            next += 1;
        }
        pause(&mut random);
        struck += u32::from(worker.kill());
        let (killed, sent) = (Instant::now(), worker.count());
        let start = first + GENERATION;
        worker = Worker::sends(task!("pipe"), &sender, start);
        // The rest of what the dead one had sent, and then the successor's first.
        loop {
            let message = receiver.recv().unwrap();
            if message == expected(start) {
                break;
            }
            assert_eq!(message, expected(first + next), "round {round}");
            next += 1;
        }
        longest = longest.max(killed.elapsed());
        assert!((sent..=sent + 1).contains(&next), "round {round}: {next} of {sent} received");
        next = 1;
    }
    worker.kill();
    drop(sender);
    // Nobody is left who could take it over.
    while receiver.recv().is_ok() {}
    assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
    assert!(struck > 0);
    eprintln!("{KILLS} senders taken over from: {struck} while they sent; longest until the next one {longest:?}");
}

/// One receiver after the other is killed; each goes on where its predecessor stopped.
#[test]
fn receivers_that_take_over() {
    const KILLS: u32 = 100;
    let _watchdog = Watchdog::new("sending to one receiver after the other");
    let mut random = Random::new(0x00c0_ffee);
    let (mut sender, receiver) = pipe(small().survive());
    let count = RawValue::new(0u64).unwrap();
    let start = || Worker::receives(task!("pipe"), &receiver, RawValue::clone(&count));
    let (mut struck, mut number) = (0, 0);
    let mut worker = start();
    for _ in 0..KILLS {
        let goal = worker.count() + 1 + random.below(20);
        while worker.count() < goal {
            worker.helper.expect_silence();
            match sender.send_timeout(&expected(number), Duration::from_millis(5)) {
                Ok(()) => number += 1,
                Err(error) => assert_eq!(error, SendTimeoutError::TimedOut, "somebody may take over"),
            }
        }
        pause(&mut random);
        struck += u32::from(worker.kill());
        worker = start();
    }
    // One more: the one before may have been received by the last who was killed, and be gone with it.
    sender.send(&expected(number)).unwrap();
    number += 1;
    until("all is received", || {
        worker.helper.expect_silence();
        worker.count() >= number
    });
    drop(sender);
    worker.helper.expect(&format!("Disconnected after {number}"));
    assert!(struck > 0);
    eprintln!("{KILLS} receivers taken over from: {struck} while they received; {number} messages");
}

/// Of a message that a dead sender or receiver was in the middle of, nothing is received; those beside it are whole.
#[test]
fn an_end_that_is_taken_over_in_the_middle_of_a_message() {
    let _watchdog = Watchdog::new("taking over in the middle of a message");
    for sender_dies in [true, false] {
        let name = Name::new("survives");
        let (sender, receiver) = pipe(small().survive().named(&name));
        let giver = || Remote::given(&mut task!("pipe", "sender", "@end"), &sender);
        let taker = || Remote::given(&mut task!("pipe", "receiver", "@end"), &receiver);
        let (mut first_giver, mut first_taker) = (giver(), taker());
        first_giver.0.tell("send 1 20000");
        until("the pipe is full of pieces", || Stat::of(&name).unwrap().directions[0].bytes == CAPACITY);
        // Stopped, so that there are no more of them for now.
        first_giver.0.stop();
        assert_eq!(first_taker.ask("try-recv"), "Empty");
        let mut second_giver = giver();
        if sender_dies {
            first_giver.0.kill();
            assert_eq!(first_taker.ask("recv-within 100"), "TimedOut", "somebody may take over");
        } else {
            first_taker.0.kill();
            first_taker = taker();
            second_giver = first_giver;
            second_giver.0.signal(Signal::SIGCONT);
        }
        first_taker.0.tell("recv");
        if !sender_dies {
            second_giver.0.expect("Ok(())");
        }
        assert_eq!(second_giver.ask("send 2 20000"), "Ok(())");
        first_taker.0.expect(&describe(&content(2, 20_000)));
    }
}

// ---- stopped ----

#[test]
fn a_stopped_peer_loses_nothing() {
    let _watchdog = Watchdog::new("waiting for a stopped process");
    let (sender, mut receiver) = pipe(small());
    let worker = Worker::sends(task!("pipe"), &sender, 0);
    drop(sender);
    let mut number = 0;
    for _ in 0..5 {
        assert_eq!(receiver.recv().unwrap(), expected(number));
        number += 1;
        worker.helper.stop();
        let end = loop {
            match receiver.recv_timeout(Duration::from_millis(120)) {
                Ok(message) => assert_eq!(message, expected(number)),
                Err(error) => break error,
            }
            number += 1;
        };
        assert_eq!(end, RecvTimeoutError::TimedOut, "stopped is not dead");
        worker.helper.signal(Signal::SIGCONT);
    }
    drop(receiver);
    assert!(worker.helper.line().contains("Disconnected"));

    let (mut sender, receiver) = pipe(small());
    let worker = Worker::receives(task!("pipe"), &receiver, RawValue::new(0).unwrap());
    drop(receiver);
    let mut number = 0;
    for _ in 0..5 {
        until("the receiver receives", || worker.count() == number);
        worker.helper.stop();
        let end = loop {
            match sender.send_timeout(&expected(number), Duration::from_millis(120)) {
                Ok(()) => number += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(end, SendTimeoutError::TimedOut, "stopped is not dead");
        worker.helper.signal(Signal::SIGCONT);
    }
    drop(sender);
    worker.helper.expect(&format!("Disconnected after {number}"));
}
