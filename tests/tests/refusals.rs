//! Refusals: what the machine denies a process (rights, memory, descriptors, /proc, fences, a place among the peers) is told
//! by the error that says so, and leaves no name behind.

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::unistd::Uid;
use procession::{AttachError, CreateError, ForkError, Handle, Lock, OpenError, Share, Stat};
use procession_tests::{Helper, Name, refused, relock, task, told, works};
use std::fs::File;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

#[test]
fn no_permission() {
    let name = Name::new("permission");
    let permission = OpenError::Permission { call: "open" };
    let taken = CreateError::Taken { name: name.to_string(), why: Box::new(permission.clone()) };
    let _lock = Lock::create(&name).unwrap();
    assert_eq!(std::fs::metadata(name.path()).unwrap().mode() & 0o777, 0o600);
    if Uid::effective().is_root() {
        // Nothing is forbidden to root: somebody else has to try.
        told(&mut task!("as-nobody", "open", &name), permission);
        told(&mut task!("as-nobody", "create", &name), taken);
    } else {
        std::fs::set_permissions(name.path(), PermissionsExt::from_mode(0o000)).unwrap();
        refused(Lock::open(&name), permission, &["open", "denied"]);
        refused(Lock::create(&name), taken, &[&name, "denied"]);
    }
}

#[test]
fn no_space() {
    let name = Name::new("space");
    let expected = CreateError::NoSpace { bytes: 8192 };
    assert_eq!(expected.to_string(), "no space for 8192 bytes of shared memory");
    told(&mut task!("refusing", "space", "create", &name), &expected);
    assert!(!name.exists());
}

#[test]
fn no_fences() {
    let (asymmetric, symmetric) = (Name::new("asymmetric"), Name::new("symmetric"));
    let _lock = Lock::create(&asymmetric).unwrap();
    if Stat::of(&asymmetric).unwrap().asymmetric {
        let refusal = AttachError::FencesRefused { errno: Errno::EPERM };
        assert!(refusal.to_string().contains("membarrier(2)") && refusal.to_string().contains("EPERM"));
        told(&mut task!("refusing", "membarrier", "open", &asymmetric), OpenError::Attach(refusal));
    }
    // Who is refused makes regions that do without, and can go into those.
    let creator = Helper::start(&mut task!("refusing", "membarrier", "create", &symmetric));
    creator.expect("ok");
    assert!(!Stat::of(&symmetric).unwrap().asymmetric);
    works(&mut task!("refusing", "membarrier", "open", &symmetric));
    assert_eq!(relock!(Lock::open(&symmetric).unwrap()), "ok");
    creator.finish();
}

#[test]
fn no_proc() {
    let (name, fresh) = (Name::new("proc"), Name::new("fresh"));
    let _lock = Lock::create(&name).unwrap();
    assert!(AttachError::NoProc.to_string().contains("/proc is not mounted"));
    told(&mut task!("refusing", "reopening", "new"), CreateError::Attach(AttachError::NoProc));
    told(&mut task!("refusing", "reopening", "open", &name), OpenError::Attach(AttachError::NoProc));
    for part in ["reopening", "linking"] {
        told(&mut task!("refusing", part, "create", &fresh), CreateError::Attach(AttachError::NoProc));
        assert!(!fresh.exists());
    }
    told(&mut task!("refusing", "listing", "fork-threads"), ForkError::NoProc);
}

#[test]
fn no_descriptors() {
    let (name, fresh) = (Name::new("descriptors"), Name::new("fresh"));
    let _lock = Lock::create(&name).unwrap();
    let none = |call| AttachError::NoDescriptors { call };
    let create = |call| CreateError::Attach(none(call));
    assert_eq!(none("open").to_string(), "open: no file descriptor is left");
    told(&mut task!("with-descriptors", "0", "new"), create("memfd_create"));
    told(&mut task!("with-descriptors", "0", "create", &fresh), create("open O_TMPFILE"));
    told(&mut task!("with-descriptors", "0", "open", &name), OpenError::Attach(none("open")));
    // One for the region, and none for the lease.
    told(&mut task!("with-descriptors", "1", "create", &fresh), create("open /proc/self/fd"));
    told(&mut task!("with-descriptors", "1", "open", &name), OpenError::Attach(none("open /proc/self/fd")));
    assert!(!fresh.exists());
    works(&mut task!("with-descriptors", "2", "create", &fresh));
    works(&mut task!("with-descriptors", "2", "open", &name));
}

#[test]
fn too_many_peers() {
    let name = Name::new("crowd");
    let lock = Lock::create(&name).unwrap();
    // With this process and the crowd's parent: 256.
    let mut crowd = Helper::start(&mut task!("crowd", &name, "254"));
    (0..254).for_each(|_| crowd.expect("attached"));
    assert_eq!(Stat::of(&name).unwrap().alive.len(), 256);
    let refusal = AttachError::TooManyPeers { limit: 256 };
    assert!(refusal.to_string().contains("256 peers"));
    told(&mut task!("open", &name), OpenError::Attach(refusal));
    // A child counts from the spawn, and so there is none.
    let unborn = Command::new("true").share("lock", &lock).status().unwrap_err();
    assert_eq!(unborn.raw_os_error(), Some(Errno::EUSERS as i32));
    crowd.tell("go");
    crowd.expect("gone");
    works(&mut task!("open", &name));
    crowd.finish();
}

#[test]
fn no_ids() {
    // Where the header counts the ids handed out.
    const NEXT_ID: u64 = 68;
    let name = Name::new("ids");
    let _lock = Lock::create(&name).unwrap();
    name.patch(NEXT_ID, &((1u32 << 30) - 1).to_ne_bytes());
    told(&mut task!("open", &name), OpenError::Attach(AttachError::IdsExhausted));
    // As if ids were used again: the next one would be ours, who live.
    name.patch(NEXT_ID, &0u32.to_ne_bytes());
    let what = "the lease of a new peer is held already";
    told(&mut task!("open", &name), OpenError::Attach(AttachError::Corrupt { what }));
}

#[test]
fn a_sweep_that_does_not_end() {
    let name = Name::new("busy");
    let user = Helper::start(&mut task!("create", &name));
    user.expect("ok");
    // A sweeper that was stopped in the middle: it has locked byte 0 of the file, alone.
    let file = File::options().read(true).write(true).open(name.path()).unwrap();
    let byte = |kind: i32| libc::flock { l_type: kind as i16, l_whence: 0, l_start: 0, l_len: 1, l_pid: 0 };
    fcntl(&file, FcntlArg::F_OFD_SETLK(&byte(libc::F_WRLCK))).unwrap();
    refused(Lock::open(&name), OpenError::Busy { name: name.to_string() }, &[&name, "swept"]);
    refused(Lock::create(&name), CreateError::Exists { name: name.to_string() }, &[&name]);
    fcntl(&file, FcntlArg::F_OFD_SETLK(&byte(libc::F_UNLCK))).unwrap();
    assert!(Lock::open(&name).is_ok());
    user.finish();
}

#[test]
fn a_fork_with_threads() {
    let expected = ForkError::Threads { threads: 2 };
    assert_eq!(expected.to_string(), "fork copies one thread only, and this process has 2");
    told(&mut task!("fork-threads"), expected);
}
