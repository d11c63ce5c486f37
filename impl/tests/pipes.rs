//! Pipes within one process: every method, every size, both framings.

use procession::{
    AsIs, Bytes, EndError, Handle, Pipe, PipeOptions, Postcard, Receiver, RecvError, RecvIntoError, RecvTimeoutError,
    SendError, SendTimeoutError, TryRecvError, TrySendError,
};
use std::collections::BTreeMap;
use std::time::Duration;

const SOON: Duration = Duration::from_millis(1);

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 % 251) as u8).collect()
}

#[test]
fn messages_of_every_kind() {
    let (mut sender, mut receiver) = Pipe::simplex::<(u8, Option<String>, BTreeMap<u32, Vec<f64>>)>().unwrap();
    let message = (7, Some("text".to_owned()), BTreeMap::from([(1, vec![0.5, f64::MAX]), (9, Vec::new())]));
    sender.send(message.clone()).unwrap();
    sender.send((0, None, BTreeMap::new())).unwrap();
    assert_eq!(receiver.recv().unwrap(), message);
    assert_eq!(receiver.recv().unwrap(), (0, None, BTreeMap::new()));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
}

/// From nothing to several times the pipe, all around the ring, one thread at either end.
#[test]
fn bytes_of_every_size() {
    let sizes = [0, 1, 7, 8, 9, 63, 1000, 1016, 1017, 1024, 2032, 2033, 4096, 5000, 20_000, 100_000];
    let (mut sender, mut receiver) = PipeOptions::new().capacity(4096).simplex::<[u8], Bytes>().unwrap();
    std::thread::scope(|threads| {
        threads.spawn(move || {
            for round in 0..20 {
                sizes.iter().for_each(|size| sender.send(&bytes(size + round % 3)).unwrap());
            }
        });
        for round in 0..20 {
            for size in sizes {
                assert_eq!(receiver.recv().unwrap(), bytes(size + round % 3), "{size} in round {round}");
            }
        }
        assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
    });
}

#[test]
fn plain_data_of_every_size() {
    fn round<const N: usize>(capacity: usize) {
        let (mut sender, mut receiver) = PipeOptions::new().capacity(capacity).simplex::<[u8; N], AsIs>().unwrap();
        let messages = (0..300u32).map(|number| std::array::from_fn(|index| (index as u32 + number) as u8));
        std::thread::scope(|threads| {
            threads.spawn(move || sender.send_many(messages).unwrap());
            for number in 0..300u32 {
                let message = receiver.recv().unwrap();
                assert_eq!(message, std::array::from_fn(|index| (index as u32 + number) as u8));
            }
        });
    }
    round::<0>(4096);
    round::<1>(4096);
    round::<8>(4096);
    round::<12>(4096);
    // Two words at a time, with a word or a part of one to spare, and from where on it is more at a time.
    round::<16>(4096);
    round::<24>(4096);
    round::<63>(4096);
    round::<64>(4096);
    round::<255>(4096);
    round::<257>(4096);
    round::<1024>(4096);
    round::<1025>(4096);
    round::<10_000>(4096);
}

#[test]
fn full_and_empty() {
    let (mut sender, mut receiver) = PipeOptions::new().capacity(1).simplex::<u64, AsIs>().unwrap();
    assert_eq!((sender.capacity(), receiver.capacity()), (4096, 4096));
    (0..512).for_each(|number| sender.try_send(number).unwrap());
    let refused = sender.try_send(512).unwrap_err();
    assert_eq!((refused.value, refused.error), (512, TrySendError::Full));
    let refused = sender.send_timeout(512, SOON).unwrap_err();
    assert_eq!((refused.value, refused.error), (512, SendTimeoutError::TimedOut));
    assert!(receiver.poll(Duration::ZERO).unwrap());
    assert_eq!(receiver.recv(), Ok(0));
    sender.send(512).unwrap();
    let mut rest = Vec::new();
    assert_eq!(receiver.recv_many(&mut rest, 100), Ok(100));
    assert_eq!(receiver.recv_many(&mut rest, 1000), Ok(412));
    assert_eq!(rest, (1..=512).collect::<Vec<u64>>());
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(receiver.recv_timeout(SOON), Err(RecvTimeoutError::TimedOut));
    assert!(!receiver.poll(Duration::ZERO).unwrap());
    assert!(!receiver.poll(SOON).unwrap());
    assert_eq!(receiver.recv_many(&mut rest, 0), Ok(0));
}

/// Whoever gives up in the middle of a message leaves nothing of it; whoever gives up waiting for the rest keeps what is here.
#[test]
fn giving_up_in_the_middle() {
    let (mut sender, mut receiver) = PipeOptions::new().capacity(4096).simplex::<[u8], Bytes>().unwrap();
    assert_eq!(sender.send_timeout(&bytes(10_000), SOON), Err(SendTimeoutError::TimedOut));
    assert_eq!(receiver.recv_timeout(SOON), Err(RecvTimeoutError::TimedOut));
    sender.send(b"whole").unwrap();
    assert_eq!(receiver.recv().unwrap(), b"whole");
    let too_large = TrySendError::TooLarge { bytes: 10_000, capacity: 4096 };
    assert_eq!(sender.try_send(&bytes(10_000)), Err(too_large));
    sender.try_send(&bytes(2100)).unwrap();
    assert_eq!(sender.try_send(&bytes(2100)), Err(TrySendError::Full));
    assert_eq!(receiver.recv().unwrap(), bytes(2100));
    std::thread::scope(|threads| {
        threads.spawn(|| sender.send(&bytes(50_000)).unwrap());
        let mut received = None;
        while received.is_none() {
            received = receiver.recv_timeout(Duration::from_micros(1)).ok();
        }
        assert_eq!(received.unwrap(), bytes(50_000));
    });
}

#[test]
fn in_place_and_into_a_buffer() {
    let (mut sender, mut receiver) = PipeOptions::new().capacity(4096).simplex::<[u8], Bytes>().unwrap();
    for round in 0..50 {
        let length = 700 + round;
        sender.send_with(length, |place| place.copy_from_slice(&bytes(length))).unwrap();
        receiver.recv_with(|place| assert_eq!(place, bytes(length))).unwrap();
        sender.send_with(3000, |place| place.copy_from_slice(&bytes(3000))).unwrap();
        receiver.recv_with(|place| assert_eq!(place, bytes(3000))).unwrap();
        for length in [0, 5, 3000] {
            sender.send(&bytes(length)).unwrap();
            let mut buffer = [0; 4096];
            if length > 0 {
                let small = RecvIntoError::TooSmall { bytes: length, room: length - 1 };
                assert_eq!(receiver.recv_into(&mut buffer[..length - 1]), Err(small));
            }
            assert_eq!(receiver.recv_into(&mut buffer).unwrap(), length);
            assert_eq!(buffer[..length], bytes(length));
        }
    }
    assert_eq!(sender.send_many([&b"one"[..], b"two"]), (2, Ok(())));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert_eq!(receiver.recv_with(text).unwrap(), "one");
    assert_eq!(receiver.recv_with(text).unwrap(), "two");
}

#[test]
fn closed_ends() {
    let (mut sender, mut receiver) = Pipe::simplex::<u8>().unwrap();
    sender.send(1).unwrap();
    sender.close();
    assert!(receiver.poll(SOON).unwrap());
    assert_eq!(receiver.recv(), Ok(1));
    assert!(receiver.poll(SOON).unwrap());
    assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Recv(RecvError::Disconnected)));
    // It was never used, and nobody is left to use it.
    let (unused, mut receiver) = Pipe::simplex::<u8>().unwrap();
    drop(unused);
    assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
    let (mut sender, receiver) = Pipe::simplex::<u8>().unwrap();
    drop(receiver);
    let refused = sender.send(3).unwrap_err();
    assert_eq!((refused.value, refused.error), (3, SendError::Disconnected));
    let refused = sender.try_send(4).unwrap_err();
    assert_eq!((refused.value, refused.error), (4, SendError::Disconnected.into()));
}

#[test]
fn a_message_that_is_none() {
    let (mut sender, mut receiver) = Pipe::simplex::<Vec<Option<bool>>>().unwrap();
    let name = format!("test-{}-decode", std::process::id());
    drop((sender.send(vec![Some(true)]), receiver.recv()));
    let (mut liar, mine) = PipeOptions::new().named(&name).simplex::<u8, Postcard>().unwrap();
    drop(mine);
    // The same size and alignment: the header cannot tell them apart.
    let mut receiver = Receiver::<bool>::open(&name).unwrap();
    [1, 2, 0].into_iter().for_each(|byte| liar.send(byte).unwrap());
    let mut received = Vec::new();
    assert_eq!(receiver.recv_many(&mut received, 10), Ok(1));
    assert!(matches!(receiver.recv_many(&mut received, 10), Err(RecvError::Decode(_))));
    assert_eq!(receiver.recv(), Ok(false));
    assert_eq!(received, [true]);
}

/// An end belongs to whoever uses it first.
#[test]
fn an_end_that_is_taken() {
    let name = format!("test-{}-taken", std::process::id());
    let (mut sender, mut receiver) = PipeOptions::new().named(&name).simplex::<u8, Postcard>().unwrap();
    let mut other = Receiver::<u8>::open(&name).unwrap();
    sender.send(1).unwrap();
    assert_eq!(receiver.recv(), Ok(1));
    assert!(matches!(other.recv(), Err(RecvError::End(EndError::Taken { .. }))));
    drop(other);
    sender.send(2).unwrap();
    assert_eq!(receiver.recv(), Ok(2));
    drop(receiver);
    let mut late = Receiver::<u8>::open(&name).unwrap();
    assert!(matches!(late.recv(), Err(RecvError::End(EndError::Closed))), "{:?}", late.recv());
}

#[test]
fn both_directions() {
    let (mut here, mut there) = Pipe::duplex::<u32>().unwrap();
    let echo = std::thread::spawn(move || {
        while let Ok(number) = there.recv() {
            there.send(number + 1).unwrap();
        }
    });
    for number in 0..1000 {
        here.send(number).unwrap();
        assert_eq!(here.recv(), Ok(number + 1));
    }
    let (sender, mut receiver) = here.split();
    drop(sender);
    assert_eq!(receiver.iter().count(), 0);
    echo.join().unwrap();
}
