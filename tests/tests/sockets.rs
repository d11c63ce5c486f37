//! Handles through a Unix socket: the receiver counts from the moment they are sent, and believes nothing that it receives.

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use procession::{
    Handle, Handles, Inherited, Lock, OpenError, ReceiveHandlesError, SendHandlesError, Stat, Value, sweep,
};
use procession_tests::{Helper, Name, refused, task, until};
use std::fs::File;
use std::io::{IoSlice, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::Duration;

/// A socket that a helper can connect to.
struct Door(PathBuf, UnixListener);

impl Door {
    fn new(name: &Name) -> Door {
        let path = std::env::temp_dir().join(&**name);
        Door(path.clone(), UnixListener::bind(path).unwrap())
    }
    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
    fn accept(&self) -> UnixStream {
        self.1.accept().unwrap().0
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Sends bytes and descriptors as no sender of ours would.
fn send_raw(stream: &UnixStream, bytes: &[u8], descriptors: &[RawFd]) {
    let rights = [ControlMessage::ScmRights(descriptors)];
    let rights = if descriptors.is_empty() { &[][..] } else { &rights[..] };
    sendmsg::<()>(stream.as_raw_fd(), &[IoSlice::new(bytes)], rights, MsgFlags::empty(), None).unwrap();
}

/// A message that says what it should, with this text in it.
fn message(text: &str) -> Vec<u8> {
    [b"PROCHND2", &(text.len() as u32).to_ne_bytes()[..], text.as_bytes()].concat()
}

#[test]
fn an_unrelated_process_gets_what_is_sent() {
    let (name, door) = (Name::new("sent"), Name::new("door"));
    let door = Door::new(&door);
    let lock = Lock::create(&name).unwrap();
    let value = Value::with_lock(0u64, &lock).unwrap();
    let handles = Handles::new().with("value", &value).with("lock", &lock).with("again", &lock);
    let helper = Helper::start(&mut task!("receive", door.path()));
    let mut stream = door.accept();
    handles.send(&stream).unwrap();
    helper.expect("value lock again");
    helper.expect("ok");
    assert!(lock.try_lock().is_err(), "the receiver has it");
    assert_eq!(Stat::of(&name).unwrap().alive.len(), 2);
    stream.write_all(&[77]).unwrap();
    helper.expect("77");
    assert_eq!(value.get(), Ok(1));
    helper.finish();
    assert_eq!(Stat::of(&name).unwrap().alive.len(), 1);
}

#[test]
fn what_is_on_its_way_is_used() {
    let name = Name::new("flight");
    let (here, there) = UnixStream::pair().unwrap();
    let value = Value::create(&name, 42u64).unwrap();
    Handles::new().with("value", &value).send(&here).unwrap();
    assert_eq!(Stat::of(&name).unwrap().alive.len(), 2);
    drop((value, here));
    sweep().unwrap();
    assert!(name.exists(), "a region in use lost its name");
    let received = Inherited::receive(&there).unwrap();
    let value: Value<u64> = received.take("value").unwrap();
    assert_eq!(value.get(), Ok(42));
    assert_eq!(Stat::of(&name).unwrap().alive.len(), 1);
    drop(value);
    assert!(received.take::<Value<u64>>("value").is_ok(), "the bundle has it, too");
    drop(received);
    assert!(!name.exists());
    assert_eq!(Inherited::receive(&there).map(drop), Err(ReceiveHandlesError::Closed));
}

#[test]
fn what_nobody_receives_is_given_up_with_the_socket() {
    let name = Name::new("unread");
    let (here, there) = UnixStream::pair().unwrap();
    let lock = Lock::create(&name).unwrap();
    Handles::new().with("lock", &lock).send(&here).unwrap();
    drop(lock);
    assert!(name.exists());
    drop((here, there));
    // Another test may be forking: its child has the socket, too, until its exec.
    let missing = OpenError::NotFound { name: name.to_string() };
    until("the message is gone", || Lock::open(&name).map(drop).as_ref() == Err(&missing));
    assert!(!name.exists());
}

#[test]
fn a_forked_child_and_a_thread_receive_as_others_do() {
    let helper = Helper::start(&mut task!("fork-receive"));
    helper.expect("7");
    helper.finish();

    let name = Name::new("thread");
    let (here, there) = UnixStream::pair().unwrap();
    let lock = Lock::create(&name).unwrap();
    let same = std::thread::scope(|threads| {
        let thread = threads.spawn(|| {
            let received: Lock = Inherited::receive(&there).unwrap().take("lock").unwrap();
            std::sync::Arc::ptr_eq(received.attachment(), lock.attachment())
        });
        Handles::new().with("lock", &lock).send(&here).unwrap();
        thread.join().unwrap()
    });
    assert!(same, "one process is one peer");
    assert_eq!(Stat::of(&name).unwrap().alive.len(), 1);
}

#[test]
fn more_than_one_message_holds() {
    let (here, there) = UnixStream::pair().unwrap();
    let locks: Vec<Lock> = (0..254).map(|_| Lock::new().unwrap()).collect();
    let all = |count| {
        let add = |handles: Handles, (index, lock): (usize, &Lock)| handles.with(&index.to_string(), lock);
        locks.iter().take(count).enumerate().fold(Handles::new(), add)
    };
    refused(all(254).send(&here), SendHandlesError::TooMany { regions: 254, most: 253 }, &["253", "254"]);
    all(253).send(&here).unwrap();
    assert_eq!(Inherited::receive(&there).unwrap().names().count(), 253);
    let long = Handles::new().with(&"x".repeat(1 << 17), &locks[0]);
    assert!(matches!(long.send(&here), Err(SendHandlesError::TooLong { longest: 131_072, .. })));
    let bad = SendHandlesError::BadName { name: "a\0b".to_owned() };
    refused(Handles::new().with("a\0b", &locks[0]).send(&here), bad, &["NUL"]);
    Handles::new().send(&here).unwrap();
    assert_eq!(Inherited::receive(&there).unwrap().names().count(), 0);
    drop(there);
    // Another test may be forking: its child has the socket, too, until its exec.
    until("the socket is closed", || all(1).send(&here) == Err(SendHandlesError::Closed));
}

/// Whatever comes, the answer is an error, and no descriptor stays open.
#[test]
fn a_sender_that_is_none_of_ours() {
    let (name, region, door) = (Name::new("hostile"), Name::new("region"), Name::new("door"));
    let door = Door::new(&door);
    let lock = Lock::create(&region).unwrap();
    let id = Stat::of(&region).unwrap().id;
    let (null, plain) = (File::open("/dev/null").unwrap(), File::options().read(true).write(true).open(region.path()));
    let (null, plain) = (null.as_raw_fd(), plain.unwrap());
    std::fs::write(name.path(), [0; 5000]).unwrap();
    let zeros = File::options().read(true).write(true).open(name.path()).unwrap();
    let foreign = |what| ReceiveHandlesError::Foreign { what };
    let nonsense = "what it says of its handles makes no sense";
    let unkept = "a descriptor in it is neither sealed memory nor a named region";
    let text = |number: i32, region: u64, name: &str| message(&format!("gift\0{number}:{region:016x}:0:{name}\0"));
    let cases: Vec<(Vec<u8>, Vec<RawFd>, ReceiveHandlesError)> = vec![
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![], foreign("it does not begin as one")),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![null; 253], foreign("it does not begin as one")),
        (b"PROC".to_vec(), vec![null], ReceiveHandlesError::Closed),
        (message("gift\0")[..14].to_vec(), vec![null], ReceiveHandlesError::Closed),
        ([b"PROCHND2", &[0xff; 4][..]].concat(), vec![null], foreign("it is longer than any")),
        (message("gift\0"), vec![], foreign(nonsense)),
        (message("gift\0x:y:z\0"), vec![], foreign(nonsense)),
        (message("gift\0-1:0000000000000007:\0"), vec![null], foreign(nonsense)),
        (message("\u{0}\u{0}"), vec![null], foreign(nonsense)),
        (message(""), vec![null], foreign("it has descriptors that belong to no handle")),
        (text(-1, 7, ""), vec![null], foreign("it has descriptors that belong to no handle")),
        (text(0, id, ""), vec![], foreign("it has handles that belong to no descriptor")),
        (text(0, id, ""), vec![null], foreign(unkept)),
        (text(0, id, &region), vec![null], foreign(unkept)),
        (text(0, id, ""), vec![plain.as_raw_fd()], foreign(unkept)),
        (text(0, id, &name), vec![plain.as_raw_fd()], foreign(unkept)),
        (text(0, id, &name), vec![zeros.as_raw_fd()], ReceiveHandlesError::Open(OpenError::Foreign)),
        (
            text(0, id, &region),
            vec![plain.as_raw_fd()],
            foreign("a descriptor in it is no ticket of the region it names"),
        ),
    ];
    for (bytes, descriptors, expected) in cases {
        let helper = Helper::start(&mut task!("receive", door.path()));
        let stream = door.accept();
        send_raw(&stream, &bytes, &descriptors);
        drop(stream);
        helper.expect(&format!("{expected:?}"));
        helper.expect("nothing left");
        helper.finish();
    }
    assert_eq!(Stat::of(&region).unwrap().alive.len(), 1);
    drop(lock);
}

#[test]
fn a_receiver_without_descriptors() {
    let door = Name::new("door");
    let door = Door::new(&door);
    let locks = [(); 5].map(|()| Lock::new().unwrap());
    let handles = locks.iter().fold(Handles::new(), |handles, lock| handles.with(&format!("{lock:p}"), lock));
    let helper = Helper::start(&mut task!("with-descriptors", "3", "receive", door.path()));
    handles.send(&door.accept()).unwrap();
    helper.expect(&format!("{:?}", ReceiveHandlesError::NoDescriptors));
    helper.expect("nothing left");
    helper.finish();
}

#[test]
fn a_sender_that_says_nothing() {
    let (_here, there) = UnixStream::pair().unwrap();
    there.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let refusal = ReceiveHandlesError::Refused { errno: nix::errno::Errno::EAGAIN };
    assert_eq!(Inherited::receive(&there).map(drop), Err(refusal));
}
