//! Pipes between processes: every way to hand an end on, who may use it, and what the other end sees of its going.

use procession::{
    ByteConnection, ByteReceiver, ByteSender, Bytes, EndError, Handle, Handles, Inherited, Pipe, PipeOptions,
    RecvError, RecvTimeoutError, SendError, Share, Stat, TryRecvError, TrySendError, sweep,
};
use procession_tests::pipe_tasks::{Remote, content, describe};
use procession_tests::{Helper, Name, Watchdog, task, until};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

const SOON: Duration = Duration::from_millis(1);
/// Many times as long as it takes to notice that somebody is gone.
const LONG: Duration = Duration::from_millis(250);

fn small() -> (ByteSender, ByteReceiver) {
    PipeOptions::new().capacity(4096).simplex::<[u8], Bytes>().unwrap()
}

// ---- handing ends on ----

/// Both directions, everything from nothing to several times the capacity, and then the end of it.
fn talks(mut remote: Remote, mut sender: ByteSender, mut receiver: ByteReceiver) {
    let _watchdog = Watchdog::new("talking through a pipe");
    for (serial, length) in [0, 1, 8, 1008, 1009, 1015, 1016, 1017, 1024, 1025, 5000, 100_000].into_iter().enumerate() {
        let message = content(serial as u64, length);
        remote.0.tell("recv");
        sender.send(&message).unwrap();
        remote.0.expect(&describe(&message));
        remote.0.tell(&format!("send {serial} {length}"));
        assert_eq!(receiver.recv().unwrap(), message);
        remote.0.expect("Ok(())");
    }
    sender.close();
    assert_eq!(remote.ask("recv"), "Disconnected");
    remote.0.finish();
    assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
}

#[test]
fn either_end_of_a_connection_goes_to_a_child() {
    let ends = || PipeOptions::new().capacity(4096).duplex::<[u8], Bytes>().unwrap();
    let (first, second) = ends();
    let remote = Remote::given(&mut task!("pipe", "connection", "@end"), &second);
    drop(second);
    let (sender, receiver) = first.split();
    talks(remote, sender, receiver);
    let (first, second) = ends();
    let remote = Remote::given(&mut task!("pipe", "connection", "@end"), &first);
    drop(first);
    let (sender, receiver) = second.split();
    talks(remote, sender, receiver);
}

#[test]
fn both_ends_go_to_children() {
    let (sender, receiver) = small();
    let mut giver = Remote::given(&mut task!("pipe", "sender", "@end"), &sender);
    let mut taker = Remote::given(&mut task!("pipe", "receiver", "@end"), &receiver);
    drop((sender, receiver));
    taker.0.tell("recv");
    assert_eq!(giver.ask("send 1 20000"), "Ok(())");
    taker.0.expect(&describe(&content(1, 20_000)));
    assert_eq!(giver.ask("send 2 10"), "Ok(())");
    giver.0.finish();
    // What was sent is there, although its sender has ended.
    assert_eq!(taker.ask("recv"), describe(&content(2, 10)));
    assert_eq!(taker.ask("recv"), "Disconnected");
    taker.0.finish();
}

#[test]
fn an_end_goes_through_a_socket() {
    let (mut sender, receiver) = small();
    let (here, there) = UnixStream::pair().unwrap();
    Handles::new().with("end", &receiver).send(&here).unwrap();
    drop(receiver);
    // On its way, it is nobody's and yet to come.
    sender.send(b"first").unwrap();
    while sender.send_timeout(&[0; 1000], LONG).is_ok() {}
    let received = Inherited::receive(&there).unwrap();
    // This process has the region already; that it was given this end, too, must not be forgotten before it is taken.
    let timed = sender.send_timeout(&[0; 1000], LONG);
    assert_eq!(timed, Err(procession::SendTimeoutError::TimedOut), "received, and not taken so far");
    let mut receiver: ByteReceiver = received.take("end").unwrap();
    assert_eq!(receiver.recv().unwrap(), b"first");
    drop((receiver, received));
    assert_eq!(sender.send(b"second"), Err(SendError::Disconnected));

    // Never received: given up with the socket.
    let (mut sender, receiver) = small();
    Handles::new().with("end", &receiver).send(&here).unwrap();
    drop((receiver, here, there));
    let _watchdog = Watchdog::new("sending to nobody");
    while sender.send(&[0; 1000]).is_ok() {}
    assert_eq!(sender.send(&[]), Err(SendError::Disconnected));
}

#[test]
fn unrelated_processes_meet_at_a_name() {
    let _watchdog = Watchdog::new("talking through a pipe");
    let name = Name::new("named");
    let (sender, receiver) = PipeOptions::new().capacity(4096).named(&name).simplex::<[u8], Bytes>().unwrap();
    let mut giver = Remote::start(&mut task!("pipe", "sender", &name));
    let mut taker = Remote::start(&mut task!("pipe", "receiver", &name));
    sweep().unwrap();
    assert!(name.exists(), "a region in use lost its name");
    assert_eq!(giver.ask("send 1 100"), "Ok(())");
    assert_eq!(taker.ask("recv"), describe(&content(1, 100)));
    // Ours were never used. Whoever knows the name might have used them.
    drop((sender, receiver));
    assert_eq!(taker.ask("try-recv"), "Empty");
    giver.0.finish();
    assert_eq!(taker.ask("recv"), "Disconnected");
    assert!(name.exists());
    taker.0.finish();
    assert!(!name.exists());

    // The creator's end of a connection is the first, and everybody else's the second.
    let name = Name::new("duplex");
    let mut here = PipeOptions::new().named(&name).duplex::<[u8], Bytes>().unwrap().0;
    let mut there = Remote::start(&mut task!("pipe", "connection", &name));
    here.sender.send(b"").unwrap();
    assert_eq!(there.ask("recv"), describe(b""));
    let mut third = ByteConnection::open(&name).unwrap();
    assert!(matches!(third.sender.send(b""), Ok(())), "only the other direction was used");
    assert!(matches!(third.receiver.recv(), Err(RecvError::End(EndError::Taken { .. }))));
}

// ---- whose an end is ----

#[test]
fn an_end_belongs_to_one_process_at_a_time() {
    let name = Name::new("taken");
    let (mut sender, mut receiver) = PipeOptions::new().named(&name).simplex::<[u8], Bytes>().unwrap();
    let mut other = Remote::given(&mut task!("pipe", "sender", "@end"), &sender);
    let mut late = Remote::given(&mut task!("pipe", "sender", "@end"), &sender);
    assert_eq!(other.ask("send 1 10"), "Ok(())");
    let holder = Stat::of(&name).unwrap().directions[0].sender.unwrap();
    assert_eq!(late.ask("send 2 10"), format!("Err(End(Taken {{ peer: {holder} }}))"));
    let error = sender.send(b"ours").unwrap_err();
    assert_eq!(error, SendError::End(EndError::Taken { peer: holder }));
    assert!(error.to_string().contains(&holder.to_string()));
    // To drop what one does not have changes nothing.
    drop(sender);
    late.0.finish();
    assert_eq!(other.ask("send 3 10"), "Ok(())");
    assert_eq!([receiver.recv().unwrap(), receiver.recv().unwrap()], [content(1, 10), content(3, 10)]);
    // What a dead process had is nobody's, unless it was asked for.
    other.0.kill();
    assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
    let mut heir = ByteSender::open(&name).unwrap();
    assert_eq!(heir.send(b""), Err(SendError::End(EndError::HolderDied { peer: holder })));
    drop(receiver);
    let mut heir = ByteReceiver::open(&name).unwrap();
    assert_eq!(heir.try_recv(), Err(TryRecvError::Recv(RecvError::End(EndError::Closed))));
}

/// A value comes back with the error, whatever it is.
#[test]
fn a_value_that_was_not_sent_comes_back() {
    let (mut sender, receiver) = Pipe::simplex::<String>().unwrap();
    drop(receiver);
    let unsent = sender.send("text".to_owned()).unwrap_err();
    assert_eq!((unsent.value.as_str(), unsent.error), ("text", SendError::Disconnected));
    let unsent = sender.send_many(["a".to_owned(), "b".to_owned()]).unwrap_err();
    assert_eq!((unsent.value.as_str(), unsent.error), ("a", SendError::Disconnected));
}

// ---- ends that nobody has used ----

/// What the receiver sees of the sender's end, and the sender of the receiver's, after a fork: `parent` and `child` are what
/// each of them does with the copy it has. First as it is then, and then with the parent's copy dropped in any case.
#[test]
fn an_end_that_was_forked() {
    let cases = [
        // The last copy closes it, whoever has that; one that still may be used is waited for.
        ("drops", "drops", "disconnected", "disconnected"),
        ("drops", "drops-last", "disconnected", "disconnected"),
        ("drops", "exits", "disconnected", "disconnected"),
        ("drops", "killed", "disconnected", "disconnected"),
        ("drops", "waits", "TimedOut", "TimedOut"),
        ("drops", "uses", "disconnected", "disconnected"),
        ("keeps", "drops", "TimedOut", "disconnected"),
        ("keeps", "exits", "TimedOut", "disconnected"),
        ("keeps", "killed", "TimedOut", "disconnected"),
        ("keeps", "waits", "TimedOut", "TimedOut"),
        ("keeps", "uses", "disconnected", "disconnected"),
        ("uses", "drops", "TimedOut", "disconnected"),
        ("uses", "waits", "TimedOut", "disconnected"),
        ("uses", "killed", "TimedOut", "disconnected"),
    ];
    for end in ["sender", "receiver"] {
        for (parent, child, first, then) in cases {
            let helper = Helper::start(&mut task!("pipe", "forked", end, parent, child));
            let mut said = helper.finish();
            said.retain(|line| !line.starts_with("Ok("));
            assert_eq!(said, [format!("first: {first}"), format!("then: {then}")], "{end}: {parent}, {child}");
        }
    }
    // The parent has it: its child is told so.
    let said = Helper::start(&mut task!("pipe", "forked", "sender", "uses", "uses")).finish();
    assert!(said[1].contains("Taken"), "{said:?}");
}

#[test]
fn an_end_that_a_child_was_given() {
    let _watchdog = Watchdog::new("receiving from nobody");
    // A program that knows nothing of us has it as long as it lives.
    let (sender, mut receiver) = small();
    let mut child = Command::new("cat").stdin(Stdio::piped()).share("end", &sender).spawn().unwrap();
    drop(sender);
    assert_eq!(receiver.recv_timeout(LONG), Err(RecvTimeoutError::TimedOut), "no peer yet");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
    // One that takes it, and drops it, or ends otherwise, unused.
    for ends in ["close sender", "exec", "kill", "finish"] {
        let (sender, mut receiver) = small();
        let mut child = Remote::given(&mut task!("pipe", "sender", "@end"), &sender);
        drop(sender);
        assert!(!receiver.poll(SOON).unwrap());
        match ends {
            "kill" => child.0.kill(),
            "finish" => drop(child.0.finish()),
            _ => child.0.tell(ends),
        }
        assert_eq!(receiver.recv(), Err(RecvError::Disconnected), "{ends}");
    }
    // We have it, too: it may still be used.
    let (mut sender, mut receiver) = small();
    drop(Remote::given(&mut task!("pipe", "sender", "@end"), &sender));
    assert_eq!(receiver.recv_timeout(LONG), Err(RecvTimeoutError::TimedOut));
    sender.send(b"after all").unwrap();
    assert_eq!(receiver.recv().unwrap(), b"after all");
}

/// What is dropped before the child is there is closed: neither a command nor a bundle uses an end.
#[test]
fn an_end_that_is_dropped_before_it_is_given() {
    let (sender, mut receiver) = small();
    let mut command = task!("pipe", "sender", "@end");
    command.share("end", &sender);
    drop(sender);
    let mut child = Remote::start(&mut command);
    assert_eq!(child.ask("send 1 10"), "Err(End(Closed))");
    assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
}

/// However often a place among the peers was another's, who had the end: it counts for whoever has it now.
#[test]
fn places_that_are_used_again() {
    let _watchdog = Watchdog::new("receiving from nobody");
    let (sender, mut receiver) = small();
    let mut brief = Command::new("true");
    brief.share("end", &sender);
    // More often than there are places.
    (0..300).for_each(|_| assert!(brief.status().unwrap().success()));
    let mut other = Command::new("cat").stdin(Stdio::piped()).share("end", &receiver).spawn().unwrap();
    assert_eq!(receiver.recv_timeout(SOON), Err(RecvTimeoutError::TimedOut));
    drop(sender);
    assert_eq!(receiver.recv(), Err(RecvError::Disconnected));
    other.kill().unwrap();
    other.wait().unwrap();
}

/// Each gives it to the next one and drops it, while the other end asks again and again whether anybody has it.
#[test]
fn an_end_that_goes_from_hand_to_hand() {
    let (mut sender, receiver) = small();
    let mut hands = Helper::start(task!("pipe", "pass-on", "40").share("end", &receiver));
    drop(receiver);
    while sender.try_send(&[7; 100]).is_ok() {}
    let mut last = None;
    until("it has come to the last one", || {
        assert_eq!(sender.try_send(&[7; 100]), Err(TrySendError::Full));
        last = last.take().or_else(|| hands.said());
        last.is_some()
    });
    assert_eq!(last.as_deref(), Some("it is mine"));
    hands.tell("receive");
    hands.expect(&describe(&[7; 100]));
    hands.finish();
}

/// Each direction of a connection by itself, also if neither half was ever used.
#[test]
fn half_a_connection_that_was_dropped_unused() {
    let _watchdog = Watchdog::new("receiving from half a connection");
    let (mut here, there) = PipeOptions::new().capacity(4096).duplex::<[u8], Bytes>().unwrap();
    let mut child = Remote::given(&mut task!("pipe", "connection", "@end"), &there);
    drop(there);
    assert_eq!(child.ask("close sender"), "closed");
    assert_eq!(here.receiver.recv(), Err(RecvError::Disconnected));
    here.sender.send(b"still").unwrap();
    assert_eq!(child.ask("recv"), describe(b"still"));
    assert_eq!(child.ask("close receiver"), "closed");
    assert_eq!(here.sender.send(b"no more"), Err(SendError::Disconnected));

    let (here, mut there) = Pipe::duplex_bytes().unwrap();
    let (sender, mut receiver) = here.split();
    drop(sender);
    assert_eq!(there.receiver.recv(), Err(RecvError::Disconnected));
    there.sender.send(b"still").unwrap();
    assert_eq!(receiver.recv().unwrap(), b"still");
}

#[test]
fn a_process_that_executes_another_program_has_closed_its_end() {
    let _watchdog = Watchdog::new("waiting for a process that has become another");
    let (mut sender, receiver) = small();
    let mut child = Remote::given(&mut task!("pipe", "receiver", "@end"), &receiver);
    drop(receiver);
    sender.send(&content(1, 10)).unwrap();
    assert_eq!(child.ask("recv"), describe(&content(1, 10)));
    assert_eq!(child.ask("exec"), "lingering");
    while sender.send(&[0; 1000]).is_ok() {}
    child.0.finish();
}
