//! No allocation for a message: of bytes sent, received into a buffer or looked at in place, and of plain data.

use allocation_counter::measure;
use procession::{Bytes, Pipe, PipeOptions, Share};
use procession_tests::pipe_worker::{LENGTHS, expected};
use procession_tests::{Helper, Watchdog, task};
use std::time::Duration;

/// How often `act` allocates, once it has been done twice: a buffer of the end's own may have to grow at first.
fn allocations(mut act: impl FnMut()) -> u64 {
    act();
    act();
    measure(|| (0..100).for_each(|_| act())).count_total
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![0u8; 100]))), 100);
}

#[test]
fn bytes() {
    let (mut sender, mut receiver) = PipeOptions::new().capacity(1 << 16).simplex::<[u8], Bytes>().unwrap();
    let (message, mut buffer) = (vec![7; 10_000], vec![0; 10_000]);
    for length in [0, 1, 100, 10_000] {
        let message = &message[..length];
        let into = || {
            sender.send(message).unwrap();
            sender.try_send(message).unwrap();
            sender.send_timeout(message, Duration::from_secs(1)).unwrap();
            (0..3).for_each(|_| assert_eq!(receiver.recv_into(&mut buffer), Ok(length)));
        };
        assert_eq!(allocations(into), 0, "recv_into, {length} bytes");
        let with = || {
            sender.send_with(length, |place| place.fill(7)).unwrap();
            assert_eq!(sender.send_many([message, message]), (2, Ok(())));
            (0..3).for_each(|_| assert!(receiver.recv_with(|bytes| bytes == message).unwrap()));
        };
        assert_eq!(allocations(with), 0, "recv_with, {length} bytes");
        let looking = || assert!(!receiver.poll(Duration::ZERO).unwrap());
        assert_eq!(allocations(looking), 0, "poll");
        // The message itself, which nobody else has room for.
        let owned = || {
            sender.send(message).unwrap();
            assert_eq!(receiver.recv().unwrap(), message);
        };
        assert_eq!(allocations(owned), if length == 0 { 0 } else { 100 }, "recv, {length} bytes");
    }
}

#[test]
fn plain_data() {
    let (mut sender, mut receiver) = Pipe::plain::<[u64; 4]>().unwrap();
    let mut messages = Vec::with_capacity(10);
    let act = || {
        sender.send([1; 4]).unwrap();
        assert_eq!(receiver.recv(), Ok([1; 4]));
        sender.try_send([2; 4]).unwrap();
        assert_eq!(receiver.try_recv(), Ok([2; 4]));
        sender.send_many([[3; 4]; 10]).unwrap();
        messages.clear();
        assert_eq!(receiver.recv_many(&mut messages, 10), Ok(10));
    };
    assert_eq!(allocations(act), 0);
}

/// Into a buffer that the end keeps.
#[test]
fn encoded_data() {
    let (mut sender, mut receiver) = Pipe::simplex::<(u64, [u8; 30])>().unwrap();
    let act = || {
        sender.send((1, [1; 30])).unwrap();
        assert_eq!(receiver.recv(), Ok((1, [1; 30])));
    };
    assert_eq!(allocations(act), 0);
}

/// Also of one who has to wait: for room, for messages, and for the pieces of those that do not fit the pipe.
#[test]
fn waiting_for_another_process() {
    let _watchdog = Watchdog::new("waiting for another process");
    let lengths = LENGTHS.map(|length| length.to_string()).join(",");
    let words = || (procession::RawValue::new(0u64).unwrap(), procession::RawValue::new(false).unwrap());
    let messages: Vec<Vec<u8>> = (0..900).map(expected).collect();
    let (mut sender, receiver) = PipeOptions::new().capacity(4096).simplex::<[u8], Bytes>().unwrap();
    let (count, inside) = words();
    let mut command = task!("pipe", "consume", &lengths);
    let consumer = Helper::start(command.share("end", &receiver).share("count", &count).share("inside", &inside));
    drop(receiver);
    sender.send(&messages[0]).unwrap();
    let sending = measure(|| messages[1..].iter().for_each(|message| sender.send(message).unwrap()));
    assert_eq!(sending.count_total, 0);
    drop(sender);
    consumer.expect("Disconnected after 900");

    let (sender, mut receiver) = PipeOptions::new().capacity(4096).simplex::<[u8], Bytes>().unwrap();
    let (count, inside) = words();
    let mut command = task!("pipe", "flood", "0", &lengths);
    let _flood = Helper::start(command.share("end", &sender).share("count", &count).share("inside", &inside));
    drop(sender);
    let mut buffer = vec![0; 40_000];
    let mut receive = |message: &Vec<u8>| {
        assert_eq!(receiver.recv_into(&mut buffer), Ok(message.len()));
        assert_eq!(buffer[..message.len()], *message);
    };
    // The pieces are put together in a buffer of the end's own, as large as the largest message so far.
    messages[..LENGTHS.len()].iter().for_each(&mut receive);
    let receiving = measure(|| messages[LENGTHS.len()..].iter().for_each(&mut receive));
    assert_eq!(receiving.count_total, 0);
}
