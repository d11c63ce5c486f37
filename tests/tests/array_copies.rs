//! Elements of every width, and slices at every place: an array holds what a vector would.

use procession::zerocopy::{FromBytes, Immutable, IntoBytes, TryFromBytes};
use procession::{Array, Handle, Plain, RawArray, SliceError, Stat};
use procession_tests::{Name, Random};
use std::fmt::Debug;
use std::ops::Range;

/// What can be done to a slice, in each of the ways that there are.
trait Slices<T> {
    fn write(&self, range: Range<usize>, values: &[T]) -> Result<(), SliceError>;
    fn read_into(&self, range: Range<usize>, values: &mut [T]) -> Result<(), SliceError>;
    fn read(&self, range: Range<usize>) -> Result<Vec<T>, SliceError>;
}

macro_rules! slices {
    ($($Way:ty),*) => {$(
        impl<T: Plain> Slices<T> for $Way {
            fn write(&self, range: Range<usize>, values: &[T]) -> Result<(), SliceError> {
                self.write(range, values)
            }
            fn read_into(&self, range: Range<usize>, values: &mut [T]) -> Result<(), SliceError> {
                self.read_into(range, values)
            }
            fn read(&self, range: Range<usize>) -> Result<Vec<T>, SliceError> {
                self.read(range)
            }
        }
    )*};
}
slices!(Array<T>, RawArray<T>, procession::ArrayGuard<'_, T>);

/// Writes and reads `range`, and finds it changed and nothing else; the same on the private side, around the slice read.
fn check<T: Plain + PartialEq + Debug>(
    way: &impl Slices<T>,
    model: &mut [T],
    range: Range<usize>,
    mut fresh: impl FnMut() -> T,
) {
    model[range.clone()].fill_with(&mut fresh);
    way.write(range.clone(), &model[range.clone()]).unwrap();
    assert!(way.read(0..model.len()).unwrap() == model, "written at {range:?} of {} bytes each", size_of::<T>());
    // Into the middle of a buffer, at a place that has nothing to do with where the elements are in the array.
    let (skip, edge) = (range.len() % 5, fresh());
    let mut buffer = vec![edge; skip + range.len() + 3];
    way.read_into(range.clone(), &mut buffer[skip..][..range.len()]).unwrap();
    let (before, rest) = buffer.split_at(skip);
    let (read, after) = rest.split_at(range.len());
    assert!(read == &model[range.clone()], "read at {range:?} of {} bytes each", size_of::<T>());
    assert!(before.iter().chain(after).all(|value| *value == edge), "read beyond {range:?}");
    assert!(way.read(range.clone()).unwrap() == read);
}

// ---- every place and length ----

/// Every slice that starts in the first 300 bytes and is no longer than 420: below, at and above what is copied by blocks
/// of 128 bytes, from 256 on, at every alignment.
fn every_slice<T: Plain + PartialEq + Debug + procession::zerocopy::FromZeros>(fresh: impl Fn(u64) -> T) {
    let (starts, lengths) = (300 / size_of::<T>(), 420 / size_of::<T>());
    let (array, raw) = (Array::new(starts + lengths).unwrap(), RawArray::new(starts + lengths).unwrap());
    let guarded = Array::new(starts + lengths).unwrap();
    let guard = guarded.lock().unwrap();
    let mut models = [(); 3].map(|()| vec![T::new_zeroed(); starts + lengths]);
    let mut random = Random::new(0x1234_5678_9abc_def1);
    for (turn, range) in
        (0..starts).flat_map(|start| (0..=lengths).map(move |length| start..start + length)).enumerate()
    {
        let fresh = || fresh(random.below(u64::MAX));
        match turn % 3 {
            0 => check(&array, &mut models[0], range, fresh),
            1 => check(&raw, &mut models[1], range, fresh),
            _ => check(&guard, &mut models[2], range, fresh),
        }
    }
}

#[test]
fn every_slice_of_bytes() {
    every_slice(|random| random as u8);
}

#[test]
fn every_slice_of_wider_elements() {
    every_slice(|random| random as u16);
    every_slice(|random| random as u32);
    every_slice(|random| random);
    every_slice(|random| u128::from(random) << 64 | u128::from(!random));
    every_slice(|random| random.to_ne_bytes().first_chunk::<3>().copied().unwrap());
    every_slice(|random| [random as u32; 3]);
}

/// Many blocks, and all of what is left beside them.
#[test]
fn long_slices() {
    let length = 20_000;
    let (array, mut model) = (Array::<u8>::new(length).unwrap(), vec![0; length]);
    let mut random = Random::new(0xfeed_beef);
    for _ in 0..2000 {
        let start = random.below(length as u64) as usize;
        let end = start + random.below((length - start) as u64 + 1) as usize;
        check(&array, &mut model, start..end, || random.below(256) as u8);
    }
}

// ---- every width ----

#[derive(Clone, Copy, PartialEq, Debug, FromBytes, IntoBytes, Immutable)]
#[zerocopy(crate = "procession::zerocopy")]
#[repr(C)]
struct Particle {
    place: [f64; 3],
    charge: i32,
    kind: u16,
    flags: [u8; 2],
    mass: f64,
}

#[derive(Clone, Copy, PartialEq, Debug, TryFromBytes, IntoBytes, Immutable)]
#[zerocopy(crate = "procession::zerocopy")]
#[repr(C)]
struct Sample {
    channel: u8,
    valid: bool,
    level: [u8; 3],
}

/// Every slice of a few elements; then each of the elements alone; and all of it under its name.
fn every_width<T: Plain + PartialEq + Debug>(bytes: usize, fresh: impl Fn(u64) -> T) {
    assert_eq!(size_of::<T>(), bytes);
    let (name, raw_name) = (Name::new("width"), Name::new("raw-width"));
    let mut model: Vec<T> = (1..=20).map(&fresh).collect();
    let (array, raw) = (Array::create(&name, &model).unwrap(), RawArray::create(&raw_name, &model).unwrap());
    assert_eq!((array.snapshot().unwrap(), raw.snapshot().unwrap()), (model.clone(), model.clone()));
    let (mut raw_model, mut random) = (model.clone(), Random::new(99));
    for range in (0..=20).flat_map(|start| (start..=20).map(move |end| start..end)) {
        check(&array, &mut model, range.clone(), || fresh(random.below(u64::MAX)));
        check(&array.lock().unwrap(), &mut model, range.clone(), || fresh(random.below(u64::MAX)));
        check(&raw, &mut raw_model, range, || fresh(random.below(u64::MAX)));
    }
    for index in 0..20 {
        (model[index], raw_model[index]) = (fresh(index as u64), fresh(index as u64 + 1));
        array.set(index, model[index]).unwrap();
        raw.set(index, raw_model[index]).unwrap();
        assert_eq!((array.get(index).unwrap(), raw.get(index).unwrap()), (model[index], raw_model[index]));
        let guard = array.lock().unwrap();
        assert_eq!(guard.get(index).unwrap(), model[index]);
        guard.set(index, model[index]).unwrap();
    }
    let changed = fresh(12345);
    model[1..3].fill(changed);
    model[19] = changed;
    array.update(|all| [1, 2, 19].into_iter().for_each(|index| all[index] = changed)).unwrap();
    assert_eq!(Array::<T>::open(&name).unwrap().snapshot().unwrap(), model);
    assert_eq!(RawArray::<T>::open(&raw_name).unwrap().snapshot().unwrap(), raw_model);
    let shown = 4096.min(20 * bytes) / bytes * bytes; // whole elements, as many as a picture has room for
    assert!(Stat::of(&name).unwrap().bytes == model.as_bytes()[..shown]);
    assert!(Stat::of(&raw_name).unwrap().bytes == raw_model.as_bytes()[..shown]);
}

/// The first bytes of a number, over and over.
fn bytes<const N: usize>(random: u64) -> [u8; N] {
    std::array::from_fn(|index| (random >> (index % 8 * 8)) as u8 ^ index as u8)
}

#[test]
fn elements_of_every_width() {
    every_width(1, |random| random as u8);
    every_width(1, |random| random % 2 == 0);
    every_width(2, |random| random as i16);
    every_width(3, bytes::<3>);
    every_width(4, |random| random as u32);
    every_width(4, |random| char::from_u32(random as u32 % 0xd800).unwrap());
    every_width(5, |random| Sample { channel: random as u8, valid: random % 2 == 0, level: bytes(random) });
    every_width(6, |random| [random as u16, 2, 3]);
    every_width(7, bytes::<7>);
    every_width(8, |random| random as f64);
    every_width(9, bytes::<9>);
    every_width(12, |random| [random as u32, 2, 3]);
    every_width(16, |random| i128::from(random) * -3);
    every_width(17, bytes::<17>);
    every_width(40, |random| Particle {
        place: [random as f64, 0.5, -1.0],
        charge: random as i32,
        kind: 7,
        flags: bytes(random),
        mass: 1.5,
    });
    every_width(200, bytes::<200>);
    every_width(301, bytes::<301>);
}

#[test]
fn additions_are_modulo_the_width() {
    let (array, raw) = (Array::from_slice(&[250u8, 0, 250]).unwrap(), RawArray::from_slice(&[i16::MAX, 0]).unwrap());
    assert_eq!((array.fetch_add(0, 10), raw.fetch_add(0, 1)), (Ok(250), Ok(i16::MAX)));
    assert_eq!((array.snapshot(), raw.snapshot()), (Ok(vec![4, 0, 250]), Ok(vec![i16::MIN, 0])));
    // Three bytes in a word of four: the fourth plays no part.
    let odd = Array::from_slice(&[[1u8, 2, 3]; 2]).unwrap();
    assert_eq!((odd.swap(1, [4, 5, 6]), odd.snapshot()), (Ok([1, 2, 3]), Ok(vec![[1, 2, 3], [4, 5, 6]])));
}
