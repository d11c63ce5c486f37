//! Bad input to arrays: every wrong index, range, length, header and byte is answered by the error that says so, and changes
//! nothing.

use nix::sys::sysinfo::sysinfo;
use procession::layout::Kind;
use procession::{
    AccessError, Array, CreateError, ElementError, Handle, Lock, OpenError, OpenOrCreateError, RLock, RawArray,
    SliceError, Stat, TypePrint, Value,
};
use procession_tests::{Helper, Name, refused, task, told, works};
use std::fmt::Debug;
use std::fs::File;
use std::ops::Bound::{self, Excluded, Included, Unbounded};

/// Where a region's header has what, and where the elements are.
mod at {
    pub const LENGTH: u64 = 56;
    pub const ARRAY: u64 = 4096 + 64;
    pub const RAW: u64 = 4096;
}

// ---- what is not there ----

#[track_caller]
fn no_element<T: Debug>(result: Result<T, ElementError>, index: usize) {
    let words = ["4 elements", &format!("no element {index}")];
    refused(result, ElementError::Index { index, length: 4 }, &words);
}

#[test]
fn an_element_beyond_the_end() {
    let (array, raw) = (Array::from_slice(&[1u16; 4]).unwrap(), RawArray::from_slice(&[1u16; 4]).unwrap());
    let (wide, wide_raw) =
        (Array::from_slice(&[[1u64; 5]; 4]).unwrap(), RawArray::from_slice(&[[1u64; 5]; 4]).unwrap());
    for index in [4, 5, 1 << 32, isize::MAX.unsigned_abs(), usize::MAX / 40 + 1, usize::MAX] {
        no_element(array.get(index), index);
        no_element(array.set(index, 2), index);
        no_element(array.swap(index, 2), index);
        no_element(array.fetch_add(index, 2), index);
        no_element(array.compare_exchange(index, 1, 2), index);
        no_element(raw.get(index), index);
        no_element(raw.set(index, 2), index);
        no_element(raw.swap(index, 2), index);
        no_element(raw.fetch_add(index, 2), index);
        no_element(raw.compare_exchange(index, 1, 2), index);
        no_element(wide.get(index), index);
        no_element(wide.set(index, [2; 5]), index);
        no_element(wide_raw.get(index), index);
        no_element(wide_raw.set(index, [2; 5]), index);
        let (guard, wide_guard) = (array.lock().unwrap(), wide.lock().unwrap());
        no_element(guard.get(index), index);
        no_element(guard.set(index, 2), index);
        no_element(wide_guard.get(index), index);
        no_element(wide_guard.set(index, [2; 5]), index);
    }
    assert_eq!((array.snapshot().unwrap(), raw.snapshot().unwrap()), (vec![1; 4], vec![1; 4]));
    assert_eq!((wide.snapshot().unwrap(), wide_raw.snapshot().unwrap()), (vec![[1; 5]; 4], vec![[1; 5]; 4]));
}

#[test]
fn a_range_that_is_not_there() {
    const MAX: usize = usize::MAX;
    type Asked = (Bound<usize>, Bound<usize>);
    let cases: [(Asked, usize, usize); 11] = [
        ((Unbounded, Excluded(5)), 0, 5),
        ((Included(5), Unbounded), 5, 4),
        ((Included(3), Excluded(1)), 3, 1),
        ((Included(3), Included(1)), 3, 2),
        ((Unbounded, Included(4)), 0, 5),
        ((Unbounded, Included(MAX)), 0, MAX),
        ((Included(2), Excluded(MAX)), 2, MAX),
        ((Included(MAX), Unbounded), MAX, 4),
        ((Excluded(4), Unbounded), 5, 4),
        // There is no number beyond the one that is excluded.
        ((Excluded(MAX), Unbounded), MAX, 4),
        ((Excluded(MAX), Included(MAX)), MAX, MAX),
    ];
    let (array, raw) = (Array::from_slice(&[1u16; 4]).unwrap(), RawArray::from_slice(&[1u16; 4]).unwrap());
    for (range, start, end) in cases {
        let no_range = |result: Result<(), SliceError>| {
            let expected = SliceError::Range { start, end, length: 4 };
            refused(result, expected, &["4 elements", &format!("no elements {start}..{end}")]);
        };
        let mut one = [7];
        no_range(array.read(range).map(drop));
        no_range(array.read_into(range, &mut one));
        no_range(array.write(range, &[2]));
        no_range(raw.read(range).map(drop));
        no_range(raw.read_into(range, &mut one));
        no_range(raw.write(range, &[2]));
        let guard = array.lock().unwrap();
        no_range(guard.read(range).map(drop));
        no_range(guard.read_into(range, &mut one));
        no_range(guard.write(range, &[2]));
        no_range(guard.update(range, |_| panic!("to be given what is not there")));
        assert_eq!(one, [7]);
    }
    assert_eq!((array.snapshot().unwrap(), raw.snapshot().unwrap()), (vec![1; 4], vec![1; 4]));
    // To the very end, and nothing at the very end.
    assert_eq!(array.read((Excluded(2), Included(3))), Ok(vec![1]));
    assert_eq!(array.read(4..), Ok(vec![]));
    assert_eq!(array.read((Excluded(3), Unbounded)), Ok(vec![]));
    assert_eq!((array.write(4..4, &[]), raw.read_into(2..2, &mut [])), (Ok(()), Ok(())));
}

#[test]
fn a_slice_that_is_not_as_long_as_the_range() {
    let (array, raw) = (Array::from_slice(&[1u8; 4]).unwrap(), RawArray::from_slice(&[1u8; 4]).unwrap());
    for given in [0, 1, 3, 5] {
        let wrong = |result: Result<(), SliceError>| {
            let words = [&format!("{given} elements were given")[..], "a range of 2"];
            refused(result, SliceError::Length { given, expected: 2 }, &words);
        };
        let (mut into, from) = (vec![7; given], vec![2; given]);
        wrong(array.read_into(1..3, &mut into));
        wrong(array.write(1..3, &from));
        wrong(raw.read_into(1..3, &mut into));
        wrong(raw.write(1..3, &from));
        let guard = array.lock().unwrap();
        wrong(guard.read_into(1..3, &mut into));
        wrong(guard.write(1..3, &from));
        assert_eq!(into, vec![7; given]);
    }
    assert_eq!((array.snapshot().unwrap(), raw.snapshot().unwrap()), (vec![1; 4], vec![1; 4]));
}

// ---- lengths that cannot be ----

fn both<T: procession::Plain + procession::zerocopy::FromZeros>(length: usize, expected: &CreateError, words: &[&str]) {
    refused(Array::<T>::new(length), expected.clone(), words);
    refused(RawArray::<T>::new(length), expected.clone(), words);
}

#[test]
fn a_length_that_no_array_has() {
    let most = isize::MAX.unsigned_abs();
    let error = |length, longest| CreateError::Length { length, longest };
    both::<u8>(0, &error(0, most), &["1 to 9223372036854775807", "0 were asked for"]);
    both::<u64>(0, &error(0, most / 8), &["1 to 1152921504606846975", "0 were asked for"]);
    both::<[u64; 5]>(0, &error(0, most / 40), &["1 to 230584300921369395"]);
    both::<u8>(usize::MAX, &error(usize::MAX, most), &["18446744073709551615 were asked for"]);
    both::<u64>(most / 8 + 1, &error(most / 8 + 1, most / 8), &["1152921504606846976 were"]);
    // Elements of 3 bytes take 4.
    both::<[u8; 3]>(most / 4 + 1, &error(most / 4 + 1, most / 4), &["1 to 2305843009213693951"]);
    let name = Name::new("empty");
    refused(Array::<u8>::create(&name, &[]), error(0, most), &["0 were"]);
    refused(RawArray::<u8>::create(&name, &[]), error(0, most), &["0 were"]);
    let nothing = || OpenOrCreateError::Create(error(0, most));
    refused(Array::<u8>::open_or_create(&name, &[]), nothing(), &["0 were"]);
    refused(RawArray::<u8>::open_or_create(&name, &[]), nothing(), &["0 were"]);
    assert!(!name.exists());
}

/// Refused at once: not a page of all that is ever touched.
#[test]
fn more_than_the_machine_has() {
    let most = isize::MAX.unsigned_abs();
    let info = sysinfo().unwrap();
    let memory = usize::try_from(info.ram_total() + info.swap_total()).unwrap();
    for length in [most / 8, most / 8 - 512, most / 16, 1 << 50, memory / 8 + 1] {
        let rounded = |bytes: usize| bytes.next_multiple_of(4096) + 4096;
        for (result, bytes) in [
            (Array::<u64>::new(length).map(drop), rounded(8 * length + 64)),
            (RawArray::<u64>::new(length).map(drop), rounded(8 * length)),
        ] {
            refused(result, CreateError::NoSpace { bytes }, &["no space", &bytes.to_string()]);
        }
    }
}

// ---- regions that are something else ----

#[test]
fn another_kind_or_element_type() {
    let print = |code: char, size| TypePrint { size, align: size as u32, code: code as u32 };
    let kind = |found: Kind, expected| OpenError::Kind { found: found as u32, expected };
    let (name, raw, value) = (Name::new("array"), Name::new("raw"), Name::new("value"));
    let array = Array::create(&name, &[1u32, 2]).unwrap();
    let _raw = RawArray::create(&raw, &[1u32, 2]).unwrap();
    let _value = Value::create(&value, 1u32).unwrap();
    refused(RawArray::<u32>::open(&name), kind(Kind::Array, Kind::RawArray), &["Array,", "RawArray was expected"]);
    refused(Value::<u32>::open(&name), kind(Kind::Array, Kind::Value), &["Array,", "Value was expected"]);
    refused(Lock::open(&name), kind(Kind::Array, Kind::Lock), &["Array,", "Lock was expected"]);
    refused(Array::<u32>::open(&raw), kind(Kind::RawArray, Kind::Array), &["RawArray,", "Array was expected"]);
    refused(Array::<u32>::open(&value), kind(Kind::Value, Kind::Array), &["Value,", "Array was expected"]);
    told(&mut task!("array", "open", &raw), kind(Kind::RawArray, Kind::Array));
    let other = |expected| OpenError::Type { found: print('I', 4), expected };
    refused(Array::<f32>::open(&name), other(print('f', 4)), &["type 'I' (4 bytes", "type 'f' (4 bytes"]);
    refused(Array::<u8>::open(&name), other(print('B', 1)), &["type 'I' (4 bytes", "type 'B' (1 bytes"]);
    let user = TypePrint { size: 4, align: 1, code: 0 };
    refused(RawArray::<[u8; 4]>::open(&raw), other(user), &["type 'I'", "a user's type (4 bytes, alignment 1)"]);
    let open = || OpenOrCreateError::Open(other(print('f', 4)));
    refused(Array::<f32>::open_or_create(&name, &[0.0]), open(), &["type 'f'"]);
    told(&mut task!("array", "open", &name), other(print('Q', 8)));
    // The length is for the region to say.
    assert_eq!(Array::<u32>::open_or_create(&name, &[7; 9]).unwrap().snapshot(), array.snapshot());
}

#[test]
fn another_lock() {
    let (name, lock, stranger) = (Name::new("guarded"), Lock::new().unwrap(), RLock::new().unwrap());
    let array = Array::create_with_lock(&name, &[1u64; 4], &lock).unwrap();
    let strange = Array::with_lock(&[1u64; 4], &stranger).unwrap().lock_region();
    let found = array.lock_region();
    let wrong = |expected| OpenError::WrongLock { found, expected };
    let words = [&format!("{found:#x}")[..], &format!("{strange:#x}")];
    refused(Array::<u64>::open_with_lock(&name, &stranger), wrong(strange), &words);
    // Here the lock is found; a process that was not given it, and knows no name for it, does not find it.
    assert_eq!(Array::<u64>::open(&name).unwrap().lock_region(), found);
    told(&mut task!("array", "open", &name), OpenError::LockNotFound { id: found });
    assert_eq!(Array::<u64>::open_with_lock(&name, &lock).unwrap().snapshot(), Ok(vec![1; 4]));
    let own = Name::new("own");
    let _own = Array::create(&own, &[1u64; 4]).unwrap();
    let wrong = OpenError::WrongLock { found: 0, expected: found };
    refused(Array::<u64>::open_with_lock(&own, &lock), wrong, &words[..1]);
}

/// A file with holes is as long as anybody likes.
#[test]
fn a_length_that_there_is_no_memory_for() {
    const LENGTH: u64 = 1 << 42;
    let name = Name::new("holes");
    let array = Array::create(&name, &[3u64; 4]).unwrap();
    let user = Helper::start(&mut task!("array", "survive", &name));
    user.expect("ready");
    drop(array); // so that it is opened anew
    File::options().write(true).open(name.path()).unwrap().set_len(LENGTH * 8 + 8192).unwrap();
    name.patch(at::LENGTH, &LENGTH.to_ne_bytes());
    let array = Array::<u64>::open(&name).unwrap();
    let bytes = LENGTH as usize * 8;
    refused(array.snapshot(), SliceError::NoMemory { bytes }, &["no memory", &bytes.to_string()]);
    assert_eq!((array.read(..4), array.get(4)), (Ok(vec![3; 4]), Ok(0)));
    user.finish();
}

#[test]
fn a_length_that_the_region_does_not_have() {
    let (name, raw) = (Name::new("length"), Name::new("raw-length"));
    let array = Array::create(&name, &[3u64; 4]).unwrap();
    let lockless = RawArray::create(&raw, &[3u64; 4]).unwrap();
    for (length, bytes) in [(505u64, 4096 + 64 + 8 * 505), (1 << 60, (1 << 63) + 4096 + 64), (u64::MAX, usize::MAX)] {
        name.patch(at::LENGTH, &length.to_ne_bytes());
        let truncated = OpenError::Truncated { bytes: 8192, expected: bytes };
        refused(Array::<u64>::open(&name), truncated.clone(), &["8192", &bytes.to_string()]);
        told(&mut task!("array", "open", &name), truncated);
        assert!(Stat::of(&name).unwrap().bytes.is_empty(), "nothing is shown of what is not there");
        raw.patch(at::LENGTH, &(length + u64::from(length == 505) * 8).to_ne_bytes());
        assert!(matches!(RawArray::<u64>::open(&raw), Err(OpenError::Truncated { bytes: 8192, .. })));
    }
    name.patch(at::LENGTH, &[0; 8]);
    raw.patch(at::LENGTH, &[0; 8]);
    let none = || OpenError::Length { found: 0, expected: 1 };
    refused(Array::<u64>::open(&name), none(), &["holds 0 elements", "1 were expected"]);
    refused(RawArray::<u64>::open(&raw), none(), &["holds 0 elements"]);
    told(&mut task!("array", "open", &name), none());
    // Those who came before believe what they found then.
    assert_eq!((array.snapshot(), lockless.snapshot()), (Ok(vec![3; 4]), Ok(vec![3; 4])));
    name.patch(at::LENGTH, &4u64.to_ne_bytes());
    works(&mut task!("array", "open", &name));
}

// ---- bytes that are nothing ----

#[test]
fn bytes_that_are_no_element() {
    let (truth, letter, raw, wide) = (Name::new("bool"), Name::new("char"), Name::new("raw-bool"), Name::new("wide"));
    let corrupt = |type_name| AccessError::Corrupt { type_name };
    let array = Array::create(&truth, &[true; 3]).unwrap();
    let lockless = RawArray::create(&raw, &[true; 3]).unwrap();
    truth.patch(at::ARRAY + 1, &[2]);
    raw.patch(at::RAW + 1, &[0xff]);
    let (element, slice) = (ElementError::Access(corrupt("bool")), SliceError::Access(corrupt("bool")));
    let words = ["not a valid bool"];
    refused(array.get(1), element.clone(), &words);
    refused(array.swap(1, true), element.clone(), &words);
    refused(lockless.get(1), element.clone(), &words);
    refused(array.read(..), slice.clone(), &words);
    refused(array.iter().map(drop), slice.clone(), &words);
    refused(lockless.snapshot(), slice.clone(), &words);
    refused(array.update(|_| panic!("to be given no bool")), slice.clone(), &words);
    // What is handed back is valid all the same.
    for first in [false, true] {
        let mut values = [first, true, false];
        refused(array.read_into(.., &mut values), slice.clone(), &words);
        assert_eq!(values, [first; 3]);
        values = [first, false, true];
        refused(lockless.read_into(.., &mut values), slice.clone(), &words);
        assert_eq!(values, [first; 3]);
    }
    let guard = array.lock().unwrap();
    refused(guard.get(1), element.clone(), &words);
    refused(guard.read(1..2), slice.clone(), &words);
    refused(guard.update(.., |_| panic!("to be given no bool")), slice, &words);
    drop(guard);
    // The others are as good as ever; nothing is held by those who were refused; and a write mends it.
    assert_eq!((array.get(0), array.read(2..)), (Ok(true), Ok(vec![true])));
    assert_eq!(Stat::of(&truth).unwrap().lock.unwrap().owner, None);
    assert_eq!((array.set(1, false), array.snapshot()), (Ok(()), Ok(vec![true, false, true])));

    let array = Array::create(&letter, &['x'; 3]).unwrap();
    letter.patch(at::ARRAY + 4, &0xd800u32.to_ne_bytes());
    refused(array.get(1), ElementError::Access(corrupt("char")), &["not a valid char"]);
    refused(array.read(..2), SliceError::Access(corrupt("char")), &["not a valid char"]);
    assert_eq!((array.write(1..2, &['y']), array.get(1)), (Ok(()), Ok('y')));

    let array = Array::create(&wide, &[[true; 16]; 3]).unwrap();
    wide.patch(at::ARRAY + 31, &[2]);
    refused(array.get(1), ElementError::Access(corrupt("[bool; 16]")), &["[bool; 16]"]);
    assert_eq!((array.set(1, [false; 16]), array.get(1)), (Ok(()), Ok([false; 16])));
}
