//! Bad input: every wrong name, file, type, lock and handle is answered by the error that says so, and changes nothing.

use procession::layout::{Kind, VERSION};
use procession::{
    AccessError, BadName, CreateError, GuardedBy, Handle, Lock, LockError, LockTimeoutError, OpenError, RLock,
    RawValue, Share, Stat, TryLockError, TypePrint, Value, ValueLockError,
};
use procession_tests::{Name, Watchdog, refused, task, told, works};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::time::Duration;

/// Where a region's header has what.
mod at {
    pub const VERSION: u64 = 8;
    pub const KIND: u64 = 12;
    pub const BODY_BYTES: u64 = 32;
    pub const BODY: u64 = 4096;
    pub const DEPTH: u64 = BODY + 4;
    pub const VALUE: u64 = BODY + 24;
}

// ---- names ----

#[test]
fn a_name_that_is_none() {
    let character = |name: &str, character| BadName::Character { name: name.to_owned(), character };
    let long = "x".repeat(201);
    let cases = [
        ("", BadName::Empty, "at least one"),
        ("a/b", character("a/b", '/'), "'/'"),
        ("../escaped", character("../escaped", '/'), "\"../escaped\""),
        ("nul\0", character("nul\0", '\0'), "'\\0'"),
        (&long, BadName::TooLong { bytes: 201, longest: 200 }, "201"),
    ];
    for (name, why, word) in cases {
        refused(Lock::create(name), CreateError::BadName(why.clone()), &[word]);
        refused(RawValue::create(name, 0u8), CreateError::BadName(why.clone()), &[word]);
        refused(Value::<u8>::open(name), OpenError::BadName(why.clone()), &[word]);
        refused(Stat::of(name), OpenError::BadName(why), &[word]);
    }
}

#[test]
fn a_name_that_nobody_has() {
    let name = Name::new("absent");
    let expected = || OpenError::NotFound { name: name.to_string() };
    refused(Lock::open(&name), expected(), &[&name]);
    refused(Value::<u64>::open(&name), expected(), &[&name]);
    refused(Stat::of(&name), expected(), &[&name]);
}

#[test]
fn a_name_in_use() {
    let name = Name::new("in-use");
    let value = Value::create(&name, 7u8).unwrap();
    let expected = || CreateError::Exists { name: name.to_string() };
    refused(Lock::create(&name), expected(), &[&name, "in use"]);
    refused(Value::create(&name, 8u8), expected(), &[&name, "in use"]);
    told(&mut task!("create", &name), expected());
    assert_eq!(value.get(), Ok(7));
}

// ---- files ----

#[test]
fn a_file_that_is_no_region() {
    let name = Name::new("foreign");
    let garbage: Vec<u8> = (0..9000u32).map(|at| (at * 7 + 1) as u8).collect();
    std::fs::write(name.path(), &garbage).unwrap();
    let inode = std::fs::metadata(name.path()).unwrap().ino();
    refused(Lock::open(&name), OpenError::Foreign, &["not a region"]);
    let taken = CreateError::Taken { name: name.to_string(), why: Box::new(OpenError::Foreign) };
    refused(Lock::create(&name), taken, &[&name, "not a region"]);
    assert_eq!(std::fs::read(name.path()).unwrap(), garbage);
    assert_eq!(std::fs::metadata(name.path()).unwrap().ino(), inode);
}

#[test]
fn a_name_that_is_no_file() {
    let (directory, link, socket) = (Name::new("directory"), Name::new("link"), Name::new("socket"));
    std::fs::create_dir(directory.path()).unwrap();
    // Even one that leads to a region: whoever made the link would decide what we open.
    let region = Name::new("behind-the-link");
    let _lock = Lock::create(&region).unwrap();
    std::os::unix::fs::symlink(region.path(), link.path()).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(socket.path()).unwrap();
    for name in [&directory, &link, &socket] {
        refused(Lock::open(name), OpenError::Foreign, &["not a region"]);
        let taken = CreateError::Taken { name: name.to_string(), why: Box::new(OpenError::Foreign) };
        refused(Lock::create(name), taken, &["not a region"]);
    }
    let kind = |name: &Name| name.path().symlink_metadata().unwrap().file_type();
    assert!(kind(&directory).is_dir() && kind(&link).is_symlink() && kind(&socket).is_socket());
}

#[test]
fn a_file_that_is_too_short() {
    let (name, whole, cut) = (Name::new("short"), Name::new("whole"), Name::new("cut"));
    std::fs::write(name.path(), [b'x'; 100]).unwrap();
    refused(Lock::open(&name), OpenError::Truncated { bytes: 100, expected: 4096 }, &["100", "4096"]);
    // A header that is right, and less behind it than it says.
    let _lock = Lock::create(&whole).unwrap();
    std::fs::write(cut.path(), &std::fs::read(whole.path()).unwrap()[..5000]).unwrap();
    let truncated = || OpenError::Truncated { bytes: 5000, expected: 8192 };
    refused(Lock::open(&cut), truncated(), &["5000", "8192"]);
    let taken = CreateError::Taken { name: cut.to_string(), why: Box::new(truncated()) };
    refused(Lock::create(&cut), taken, &["5000", "8192"]);
    // A header that says more than any file has.
    cut.patch(at::BODY_BYTES, &u64::MAX.to_ne_bytes());
    refused(Lock::open(&cut), OpenError::Truncated { bytes: 5000, expected: usize::MAX }, &["5000"]);
}

#[test]
fn a_region_of_another_version() {
    let name = Name::new("version");
    let _lock = Lock::create(&name).unwrap();
    name.patch(at::VERSION, &99u32.to_ne_bytes());
    let version = OpenError::Version { found: 99, expected: VERSION };
    assert_eq!(version.to_string(), "the region has layout version 99, this library reads 3");
    told(&mut task!("open", &name), &version);
    // It is for that version to say whether it is still in use.
    let why = Box::new(version);
    told(&mut task!("create", &name), CreateError::Taken { name: name.to_string(), why });
    assert!(name.exists());
}

// ---- types ----

#[test]
fn another_kind() {
    let name = Name::new("kind");
    let _lock = Lock::create(&name).unwrap();
    let kind = |expected| OpenError::Kind { found: Kind::Lock as u32, expected };
    refused(Value::<u32>::open(&name), kind(Kind::Value), &["kind is Lock", "Value was expected"]);
    refused(RawValue::<u32>::open(&name), kind(Kind::RawValue), &["kind is Lock", "RawValue was expected"]);
    refused(RLock::open(&name), kind(Kind::RLock), &["kind is Lock", "RLock was expected"]);
    name.patch(at::KIND, &77u32.to_ne_bytes());
    refused(Lock::open(&name), OpenError::Kind { found: 77, expected: Kind::Lock }, &["kind is 77"]);
    assert_eq!(Stat::of(&name).unwrap().kind, None);
}

#[test]
fn another_element_type() {
    let print = |code: char, size| TypePrint { size, align: size as u32, code: code as u32 };
    let other = |found, expected| OpenError::Type { found, expected };
    let (narrow, wide, array) = (Name::new("u32"), Name::new("u64"), Name::new("array"));
    let _narrow = Value::create(&narrow, 1u32).unwrap();
    refused(Value::<f32>::open(&narrow), other(print('I', 4), print('f', 4)), &["type 'I' (4 bytes", "type 'f' (4"]);
    refused(Value::<u8>::open(&narrow), other(print('I', 4), print('B', 1)), &["type 'I' (4 bytes", "type 'B' (1"]);
    let _wide = RawValue::create(&wide, 1u64).unwrap();
    refused(RawValue::<i64>::open(&wide), other(print('Q', 8), print('q', 8)), &["type 'Q' (8", "type 'q' (8"]);
    // A type of the user's own has no code; its size and alignment still tell.
    let _array = Value::create(&array, [0u32; 4]).unwrap();
    let user = |size| TypePrint { size, align: 4, code: 0 };
    refused(Value::<[u32; 5]>::open(&array), other(user(16), user(20)), &["a user's type (16", "a user's type (20"]);
}

#[test]
fn another_lock() {
    let name = Name::new("guarded");
    let (lock, stranger, recursive) = (Lock::new().unwrap(), Lock::new().unwrap(), RLock::new().unwrap());
    let value = Value::create_with_lock(&name, 1u8, &lock).unwrap();
    let id = |lock: GuardedBy| Value::with_lock(0u8, lock).unwrap().lock_region();
    let found = value.lock_region();
    for (given, expected) in [
        (GuardedBy::Own, 0),
        (GuardedBy::from(&stranger), id((&stranger).into())),
        (GuardedBy::from(&recursive), id((&recursive).into())),
    ] {
        let words = [&format!("{found:#x}")[..], &format!("{expected:#x}")];
        refused(Value::<u8>::open_with_lock(&name, given), OpenError::WrongLock { found, expected }, &words);
    }
    assert_eq!(Value::<u8>::open(&name).unwrap().lock_region(), found, "found among the locks of this process");
    assert_eq!(Value::<u8>::open_with_lock(&name, &lock).unwrap().get(), Ok(1));
}

#[test]
fn bytes_that_are_no_value() {
    let (truth, letter, raw) = (Name::new("bool"), Name::new("char"), Name::new("raw"));
    let corrupt = |type_name| AccessError::Corrupt { type_name };
    let value = Value::create(&truth, true).unwrap();
    truth.patch(at::VALUE, &[2]);
    refused(value.get(), corrupt("bool"), &["not a valid bool"]);
    refused(value.update(|truth| *truth = false), corrupt("bool"), &["bool"]);
    assert!(matches!(value.lock(), Err(ValueLockError::Corrupt { type_name: "bool" })));
    // Nothing is held by those who were refused, and a write mends it.
    assert_eq!(Stat::of(&truth).unwrap().lock.unwrap().owner, None);
    assert_eq!((value.set(false), value.get()), (Ok(()), Ok(false)));

    let value = Value::create(&letter, 'x').unwrap();
    letter.patch(at::VALUE, &0x11_0000u32.to_ne_bytes());
    refused(value.get(), corrupt("char"), &["not a valid char"]);

    let value = RawValue::create(&raw, true).unwrap();
    raw.patch(at::BODY, &[0xff]);
    refused(value.get(), corrupt("bool"), &["not a valid bool"]);
}

// ---- handles that were not handed down ----

#[test]
fn a_handle_that_was_not_given() {
    let (given, other) = (Lock::new().unwrap(), Lock::new().unwrap());
    let missing = || OpenError::NotInherited { name: "gift".to_owned() };
    refused(Lock::inherited("gift"), missing(), &["\"gift\""]);
    told(&mut task!("inherit", "gift"), missing());
    works(task!("inherit", "gift").share("gift", &given));
    let wrong = OpenError::Kind { found: Kind::RLock as u32, expected: Kind::Lock };
    told(task!("inherit", "gift").share("gift", &RLock::new().unwrap()), wrong);
    for garbage in [
        "",
        "7",
        ":",
        "x:y",
        "x:y:z:",
        "5:0",
        "5:0:",
        "5:0:x:",
        "5:0:-1:",
        "-1:0:0:",
        "5:-1:0:",
        "5:10000000000000000:0:",
        "99999999999:0:0:",
        "999:0:0:",
        "0:0:0:",
        "1:0:0:",
        "5:0:4294967296:",
    ] {
        told(task!("inherit", "gift").env("PROCESSION_HANDLE_gift", garbage), missing());
    }
    // The number of a descriptor that is there and is a region, but another one than was meant.
    let mut both = task!("inherit", "gift");
    both.share("other", &other).share("gift", &given);
    let variable = |name: &str| {
        let value = both.get_envs().find(|(key, _)| *key == name).and_then(|(_, value)| value?.to_str());
        value.and_then(|value| value.split_once(':')).expect("descriptor:id")
    };
    let mixed = format!("{}:{}", variable("PROCESSION_HANDLE_other").0, variable("PROCESSION_HANDLE_gift").1);
    told(both.env("PROCESSION_HANDLE_gift", mixed), missing());
}

// ---- waiting for oneself ----

#[test]
fn a_lock_that_this_thread_holds() {
    let _watchdog = Watchdog::new("waiting for oneself");
    let name = Name::new("deadlock");
    let lock = Lock::create(&name).unwrap();
    let again = Lock::open(&name).unwrap();
    let guard = lock.lock().unwrap();
    for lock in [&lock, &again] {
        assert!(matches!(lock.lock(), Err(LockError::WouldDeadlock)));
        assert!(matches!(lock.try_lock(), Err(TryLockError::Lock(LockError::WouldDeadlock))));
        let timed = lock.lock_timeout(Duration::from_secs(3600));
        assert!(matches!(timed, Err(LockTimeoutError::Lock(LockError::WouldDeadlock))));
        assert!(lock.is_locked());
    }
    drop(guard);
    assert!(again.try_lock().is_ok());
}

/// A value is not written under a lock that was let go while it was being changed.
#[test]
fn a_lock_that_is_let_go_in_the_middle_of_an_update() {
    let lock = Lock::new().unwrap();
    let value = Value::with_lock(1u8, &lock).unwrap();
    let mut guard = Some(lock.lock().unwrap());
    value.update(|number| *number = 2).unwrap();
    let lost = value.update(|number| {
        guard = None;
        *number = 3;
    });
    assert_eq!(lost, Err(AccessError::LockLost));
    assert_eq!(value.get(), Ok(2));
}

#[test]
fn a_value_whose_guard_this_thread_holds() {
    let _watchdog = Watchdog::new("waiting for oneself");
    let (own, lock) = (Value::new(1u64).unwrap(), Lock::new().unwrap());
    let shared = Value::with_lock(1u64, &lock).unwrap();
    for value in [own, shared] {
        let mut guard = value.lock().unwrap();
        *guard = 2;
        refused(value.set(3), AccessError::WouldDeadlock, &["through its guard"]);
        refused(value.fetch_add(3), AccessError::WouldDeadlock, &[]);
        refused(value.update(|value| *value = 3), AccessError::WouldDeadlock, &[]);
        assert!(matches!(value.lock(), Err(ValueLockError::Lock(LockError::WouldDeadlock))));
        assert_eq!(value.get(), Ok(1), "what was last published");
        drop(guard);
        assert_eq!(value.get(), Ok(2));
    }
}

#[test]
fn a_lock_that_was_entered_too_often() {
    let _watchdog = Watchdog::new("waiting for oneself");
    let name = Name::new("deep");
    let lock = RLock::create(&name).unwrap();
    let value = Value::with_lock(1u8, &lock).unwrap();
    let guard = lock.lock().unwrap();
    name.patch(at::DEPTH, &u32::MAX.to_ne_bytes());
    assert!(matches!(lock.lock(), Err(LockError::TooDeep)));
    refused(value.set(2), AccessError::TooDeep, &["too often"]);
    name.patch(at::DEPTH, &0u32.to_ne_bytes());
    drop(guard);
    assert!(!lock.is_locked());
    assert_eq!(value.get(), Ok(1));
}

#[test]
fn a_lock_held_by_nobody() {
    let name = Name::new("nobody");
    let lock = Lock::create(&name).unwrap();
    // Every word is one of the lock's states; an owner that never was is a dead one.
    for word in [12345u32, 12345 | 1 << 30, u32::MAX] {
        name.patch(at::BODY, &word.to_ne_bytes());
        assert!(lock.is_locked());
        assert!(matches!(lock.lock_timeout(Duration::ZERO), Err(LockTimeoutError::Lock(LockError::OwnerDied(_)))));
        assert!(!lock.is_locked());
    }
}
