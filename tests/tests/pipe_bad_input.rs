//! Bad input to pipes: what cannot be is refused by the error that says so, and a peer that writes what no peer writes does
//! no more harm than that.

use procession::layout::Kind;
use procession::{
    AsIs, ByteConnection, ByteReceiver, ByteSender, Bytes, CreateError, EndError, Handle, Lock, OpenError, Pipe,
    PipeOptions, Postcard, Receiver, RecvError, RecvIntoError, RecvTimeoutError, SendError, SendTimeoutError, Sender,
    TryRecvError, TrySendError, TypePrint,
};
use procession_tests::pipe_tasks::Remote;
use procession_tests::{Name, Random, Watchdog, peak, refused, task, told};
use std::fs::File;
use std::time::Duration;

/// Where a pipe's region has what.
mod at {
    pub const BODY_BYTES: u64 = 32;
    pub const LENGTH: u64 = 56;
    pub const CODEC: u64 = 72 + 4 * 256 + 200;
    pub const TAIL: u64 = 4096;
    pub const HEAD: u64 = TAIL + 128;
    pub const MARKS: u64 = TAIL + 256;
    pub const ENDS: u64 = TAIL + 6 * 128;
    pub const RECORDS: u64 = TAIL + 4096;
}

const SOON: Duration = Duration::from_millis(1);

fn pipe(name: &Name) -> (ByteSender, ByteReceiver) {
    PipeOptions::new().capacity(4096).named(name).simplex::<[u8], Bytes>().unwrap()
}

/// A side's word: so many records and bytes.
fn word(records: u32, bytes: u32) -> [u8; 8] {
    (u64::from(bytes) << 32 | u64::from(records)).to_ne_bytes()
}

// ---- pipes that cannot be, and pipes of another sort ----

#[test]
fn a_capacity_that_is_none() {
    for bytes in [0, (1 << 31) + 1, usize::MAX] {
        let made = PipeOptions::new().capacity(bytes).simplex::<[u8], Bytes>().map(drop);
        refused(made, CreateError::Capacity { bytes, longest: 1 << 31 }, &[&bytes.to_string()]);
    }
    let (here, _there) = PipeOptions::new().capacity(4097).duplex::<u8, AsIs>().unwrap();
    assert_eq!((here.sender.capacity(), here.receiver.capacity()), (8192, 8192));
    // The largest there is, where there is memory for it.
    match PipeOptions::new().capacity(1 << 31).simplex::<[u8], Bytes>() {
        Ok((mut sender, mut receiver)) => {
            assert_eq!(sender.capacity(), 1 << 31);
            sender.send(b"a drop").unwrap();
            assert_eq!(receiver.recv().unwrap(), b"a drop");
        }
        Err(error) => assert_eq!(error, CreateError::NoSpace { bytes: (1 << 31) + 8192 }),
    }
}

#[test]
fn a_name_in_use() {
    let name = Name::new("in-use");
    let (mut sender, mut receiver) = pipe(&name);
    let again = PipeOptions::new().named(&name).duplex::<u8, AsIs>().map(drop);
    refused(again, CreateError::Exists { name: name.to_string() }, &[&name]);
    sender.send(b"untouched").unwrap();
    assert_eq!(receiver.recv().unwrap(), b"untouched");
}

#[test]
fn another_kind_type_or_codec() {
    let (simplex, duplex) = (Name::new("simplex"), Name::new("duplex"));
    let _simplex = PipeOptions::new().named(&simplex).simplex::<u32, AsIs>().unwrap();
    let _duplex = PipeOptions::new().named(&duplex).duplex::<u32, Postcard>().unwrap();
    let kind = |found, expected| OpenError::Kind { found: found as u32, expected };
    refused(Sender::<u32>::open(&duplex), kind(Kind::Duplex, Kind::Simplex), &["Duplex", "Simplex"]);
    refused(ByteConnection::open(&simplex), kind(Kind::Simplex, Kind::Duplex), &["Simplex", "Duplex"]);
    refused(Lock::open(&simplex), kind(Kind::Simplex, Kind::Lock), &["Simplex", "Lock"]);
    let print = |code: char, size, align| TypePrint { size, align, code: code as u32 };
    let (found, expected) = (print('I', 4, 4), print('Q', 8, 8));
    refused(Receiver::<u64, AsIs>::open(&simplex), OpenError::Type { found, expected }, &["'I'", "'Q'"]);
    let expected = TypePrint { size: 0, align: 1, code: 0 };
    refused(ByteReceiver::open(&simplex), OpenError::Type { found, expected }, &["'I'"]);
    // The same size and no code: only the codec is another.
    let bytes = Name::new("bytes");
    let _bytes = pipe(&bytes);
    told(&mut task!("pipe", "connection", &bytes), kind(Kind::Simplex, Kind::Duplex));
    bytes.patch(at::CODEC, &1u32.to_ne_bytes());
    refused(ByteSender::open(&bytes), OpenError::Codec { found: 1, expected: 3 }, &["postcard", "bytes"]);
    bytes.patch(at::CODEC, &77u32.to_ne_bytes());
    refused(ByteSender::open(&bytes), OpenError::Codec { found: 77, expected: 3 }, &["77", "bytes"]);
}

#[test]
fn a_message_that_is_too_large_for_now() {
    let (mut sender, _receiver) = PipeOptions::new().capacity(4096).simplex::<[u8; 5000], AsIs>().unwrap();
    let error = sender.try_send([1; 5000]).unwrap_err().error;
    assert_eq!(error, TrySendError::TooLarge { bytes: 5000, capacity: 4096 });
    assert!(error.to_string().contains("5000"));
}

// ---- headers ----

#[test]
fn a_ring_of_a_size_that_no_ring_has() {
    let name = Name::new("header");
    let _ends = pipe(&name);
    // Asked by another process: this one has the region already, and has seen its header.
    for capacity in [0, 1, 8, 2048, 4095] {
        name.patch(at::LENGTH, &(capacity as u64).to_ne_bytes());
        for end in ["sender", "receiver"] {
            told_as(&name, end, OpenError::Ring { capacity });
        }
    }
    for capacity in [5000, 8192, 1 << 40, usize::MAX / 2 + 1] {
        name.patch(at::LENGTH, &(capacity as u64).to_ne_bytes());
        told_as(&name, "sender", OpenError::Truncated { bytes: 12288, expected: capacity.saturating_add(8192) });
    }
    name.patch(at::LENGTH, &u64::MAX.to_ne_bytes());
    told_as(&name, "sender", OpenError::Truncated { bytes: 12288, expected: usize::MAX });
    // As long a file as it says, but for what nobody has written.
    let capacity = 1usize << 32;
    let file = File::options().write(true).open(name.path()).unwrap();
    file.set_len(capacity as u64 + 8192).unwrap();
    name.patch(at::LENGTH, &(capacity as u64).to_ne_bytes());
    name.patch(at::BODY_BYTES, &(capacity as u64 + 4096).to_ne_bytes());
    told_as(&name, "receiver", OpenError::Ring { capacity });
}

/// What a helper is told that opens an end.
#[track_caller]
fn told_as(name: &Name, end: &str, error: OpenError) {
    let helper = procession_tests::Helper::start(&mut task!("pipe", end, name));
    helper.expect(&format!("{error:?}"));
}

// ---- words that no peer writes ----

#[test]
fn a_tail_that_no_sender_leaves() {
    // Further than the ring is long; half a word; records without bytes and bytes without records; more records than fit.
    for tail in [word(1, 4104), word(1, 12), word(1, 0), word(0, 8), word(3, 16), word(1, u32::MAX - 7)] {
        let name = Name::new("tail");
        let (mut sender, mut receiver) = pipe(&name);
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        sender.send(b"").unwrap();
        name.patch(at::TAIL, &tail);
        refused(receiver.recv(), RecvError::Corrupt, &["corrupt"]);
        refused(receiver.try_recv(), TryRecvError::Recv(RecvError::Corrupt), &["corrupt"]);
        refused(receiver.recv_timeout(SOON), RecvTimeoutError::Recv(RecvError::Corrupt), &["corrupt"]);
        refused(receiver.recv_into(&mut [0]), RecvIntoError::Recv(RecvError::Corrupt), &["corrupt"]);
        refused(receiver.recv_with(<[u8]>::len), RecvError::Corrupt, &["corrupt"]);
        refused(receiver.poll(SOON), RecvError::Corrupt, &["corrupt"]);
    }
    // A word that says nothing wrong, of records that are not there.
    let (mut sender, mut receiver) = Pipe::plain::<u64>().unwrap();
    sender.send(1).unwrap();
    assert_eq!((receiver.recv(), receiver.try_recv()), (Ok(1), Err(TryRecvError::Empty)));
    let name = Name::new("typed");
    let (_sender, mut receiver) = PipeOptions::new().named(&name).simplex::<[u64; 2], AsIs>().unwrap();
    assert!(!receiver.poll(SOON).unwrap());
    name.patch(at::TAIL, &word(1, 8));
    refused(receiver.recv(), RecvError::Corrupt, &["corrupt"]);
    let all: Vec<_> = receiver.iter().collect();
    assert_eq!(all, [Err(RecvError::Corrupt)], "whoever iterates comes to an end");
}

#[test]
fn a_head_that_no_receiver_leaves() {
    let message = [0; 1000];
    for head in [word(1, 8), word(0, 8), word(0, u32::MAX - 7), word(2, 0), word(u32::MAX >> 1, 4096)] {
        let name = Name::new("head");
        let (mut sender, mut receiver) = pipe(&name);
        assert!(!receiver.poll(SOON).unwrap());
        name.patch(at::HEAD, &head);
        refused(sender.send(&message), SendError::Corrupt, &["corrupt"]);
        refused(sender.try_send(&message), TrySendError::Send(SendError::Corrupt), &["corrupt"]);
        refused(sender.send_timeout(&message, SOON), SendTimeoutError::Send(SendError::Corrupt), &["corrupt"]);
        refused(sender.send_with(10, |_| ()), SendError::Corrupt, &["corrupt"]);
    }
}

#[test]
fn a_record_that_no_sender_writes() {
    const START: u64 = 1 << 63;
    let name = Name::new("records");
    let (mut sender, mut receiver) = pipe(&name);
    sender.send(&[7; 16]).unwrap();
    let own = START | 16;
    // More bytes than there are, in one record or in many.
    for label in [START | 17, START | 1016, START | 1017, u64::MAX, 1017, 24] {
        name.patch(at::RECORDS, &label.to_ne_bytes());
        assert_eq!(receiver.recv(), Err(RecvError::Corrupt), "{label:#x}");
    }
    name.patch(at::RECORDS, &own.to_ne_bytes());
    assert_eq!(receiver.recv().unwrap(), [7; 16], "nothing was taken for what it is not");

    // A piece of something of which there was no beginning is gone past, and so is a beginning without an end.
    sender.send(&[1; 1016]).unwrap();
    sender.send(&[2; 1016]).unwrap();
    sender.send(b"whole").unwrap();
    name.patch(at::RECORDS + 24, &1016u64.to_ne_bytes());
    name.patch(at::RECORDS + 24 + 1024, &(START | 1 << 62).to_ne_bytes());
    assert_eq!(receiver.recv().unwrap(), b"whole");
    // To announce much takes no memory.
    let before = peak();
    sender.send(&[3; 1016]).unwrap();
    name.patch(at::RECORDS + 24 + 2048 + 16, &(START | 1 << 62).to_ne_bytes());
    assert_eq!(receiver.recv_timeout(SOON), Err(RecvTimeoutError::TimedOut));
    assert!(peak() - before < 32 << 10, "{} KiB for a message of which there is 1", peak() - before);
}

#[test]
fn an_end_of_a_peer_that_never_was() {
    for ghost in [12345u32, u32::MAX] {
        let name = Name::new("ghost");
        let (mut sender, mut receiver) = pipe(&name);
        name.patch(at::ENDS, &ghost.to_ne_bytes());
        refused(sender.send(b""), SendError::End(EndError::HolderDied { peer: ghost }), &["dead"]);
        refused(receiver.recv(), RecvError::Disconnected, &["no sender"]);
    }
}

/// Whatever stands there, every call comes to an end, and a good one or a typed one.
#[test]
fn garbage_everywhere() {
    let _watchdog = Watchdog::new("using a pipe full of garbage");
    let mut random = Random::new(0x6a7b_a6e0);
    for _ in 0..300 {
        let name = Name::new("garbage");
        let (mut sender, mut receiver) = pipe(&name);
        let _ = sender.send_timeout(&[1; 3000], SOON);
        let _ = receiver.poll(Duration::ZERO);
        for _ in 0..8 {
            // Words that are nearly right come further than those that are not.
            let place = match random.below(6) {
                0 => at::TAIL,
                1 => at::HEAD,
                2 => at::MARKS,
                3 => at::ENDS,
                _ => at::RECORDS + 8 * random.below(512),
            };
            let value = match random.below(4) {
                0 => random.below(u64::MAX),
                1 => random.below(2000) | random.below(2) << 63,
                2 => (8 * random.below(512)) << 32 | random.below(4),
                _ => u64::MAX - random.below(2000),
            };
            name.patch(place, &value.to_ne_bytes());
            drop(sender.try_send(&[2; 100]));
            drop(sender.send_timeout(&[3; 5000], Duration::ZERO));
            drop(receiver.try_recv());
            drop(receiver.poll(Duration::ZERO));
            drop(receiver.recv_timeout(Duration::ZERO));
        }
    }
}

// ---- a process that closed what it should not ----

#[test]
fn who_closes_all_descriptors_is_told_that_it_cannot_see() {
    let _watchdog = Watchdog::new("waiting without a descriptor");
    let (mut sender, receiver) = PipeOptions::new().capacity(4096).simplex::<[u8], Bytes>().unwrap();
    let mut child = Remote::given(&mut task!("pipe", "receiver", "@end"), &receiver);
    sender.send(b"first").unwrap();
    assert!(child.ask("recv").starts_with("5:"));
    assert_eq!(child.ask("close descriptors"), "closed");
    sender.send(b"second").unwrap();
    assert!(child.ask("recv").starts_with("6:"), "as long as it need not wait");
    assert_eq!(child.ask("recv"), "Blind");
    child.0.kill();
}
