//! Values and arrays of a type known only at run time.

mod files;

use files::{VALUE, name, patch};
use procession::layout::Kind;
use procession::{
    AccessError, Array, ConvertError, ConvertSliceError, CreateError, DynArray, DynCreateError, DynElementError,
    DynError, DynSliceError, DynValue, ElementError, Lock, OpenError, RawArray, RawValue, Scalar, SliceError, Stat,
    TypeCode, Value,
};

/// Where a header has the type's code.
const CODE: usize = std::mem::offset_of!(procession::layout::Header, type_code);

// ---- DynValue ----

fn sample(code: TypeCode) -> Scalar {
    match code.zero() {
        Scalar::Integer(_) => Scalar::Integer(100),
        Scalar::Float(_) => Scalar::Float(-2.5),
        Scalar::Bool(_) => Scalar::Bool(true),
        Scalar::Character(_) => Scalar::Character('漢'),
        Scalar::Byte(_) => Scalar::Byte(b'x'),
    }
}

#[test]
fn a_value_of_every_code() {
    for code in TypeCode::ALL {
        let name = name(&format!("every-{}", u32::from(code.code())));
        let made = DynValue::create(&name, code, code.zero()).unwrap();
        let opened = DynValue::open(&name).unwrap();
        assert_eq!((made.code(), opened.code()), (code.canonical(), code.canonical()));
        assert_eq!(opened.get(), Ok(code.zero()));
        made.set(sample(code)).unwrap();
        assert_eq!(opened.get(), Ok(sample(code)));
        assert_eq!(opened.clone().update(|_| code.zero()), Ok(sample(code)));
        assert_eq!(DynValue::open_as(&name, code).unwrap().get(), Ok(code.zero()));
        assert_eq!(format!("{made:?}"), format!("DynValue({:?}, Ok({:?}))", code.canonical(), code.zero()));
        assert_eq!(DynValue::new(code, sample(code)).unwrap().get(), Ok(sample(code)));
    }
}

#[test]
fn both_forms_are_one_region() {
    let name = name("both");
    let typed = Value::create(&name, 7i16).unwrap();
    let untyped = DynValue::open(&name).unwrap();
    assert_eq!(untyped.code(), TypeCode::Short);
    assert_eq!(Stat::of(&name).unwrap().alive.len(), 1, "one process is one peer");
    untyped.set(Scalar::Integer(8)).unwrap();
    assert_eq!(typed.get(), Ok(8));
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for _ in 0..500 {
                    let add = |old| if let Scalar::Integer(old) = old { Scalar::Integer(old + 1) } else { old };
                    untyped.update(add).unwrap();
                    typed.fetch_add(1).unwrap();
                }
            });
        }
    });
    assert_eq!(untyped.get(), Ok(Scalar::Integer(4008)));
    drop(typed);
    assert_eq!(DynValue::open(&name).unwrap().get(), Ok(Scalar::Integer(4008)), "the name lives on");
    drop(untyped);
    assert_eq!(DynValue::open(&name).unwrap_err(), OpenError::NotFound { name });
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let value = DynValue::new(TypeCode::SignedChar, Scalar::Integer(5)).unwrap();
    let range = |number| ConvertError::OutOfRange { value: number, code: TypeCode::SignedChar, low: -128, high: 127 };
    let kind = ConvertError::Kind { found: Scalar::Character('x'), code: TypeCode::SignedChar };
    assert_eq!(value.set(Scalar::Integer(128)), Err(DynError::Convert(range(128))));
    assert_eq!(value.update(|_| Scalar::Integer(-129)), Err(DynError::Convert(range(-129))));
    assert_eq!(value.update(|_| Scalar::Character('x')), Err(DynError::Convert(kind)));
    assert_eq!(value.get(), Ok(Scalar::Integer(5)));
    let name = name("unmade");
    let refused = DynValue::create(&name, TypeCode::SignedChar, Scalar::Integer(128)).unwrap_err();
    assert_eq!(refused, DynCreateError::Convert(range(128)));
    assert_eq!(DynValue::open(&name).unwrap_err(), OpenError::NotFound { name });
    assert!(DynValue::new(TypeCode::SignedChar, Scalar::Float(1.0)).is_err());
}

#[test]
fn what_is_no_value_with_a_code() {
    let lock_name = name("lock");
    let _lock = Lock::create(&lock_name).unwrap();
    let expected = OpenError::Kind { found: Kind::Lock as u32, expected: Kind::Value };
    assert_eq!(DynValue::open(&lock_name).unwrap_err(), expected);

    let raw_name = name("raw");
    let _raw = RawValue::create(&raw_name, 1i32).unwrap();
    let expected = OpenError::Kind { found: Kind::RawValue as u32, expected: Kind::Value };
    assert_eq!(DynValue::open(&raw_name).unwrap_err(), expected);

    for (what, letter) in [("wide", Some('o')), ("struct", None)] {
        let name = name(what);
        let _wide = letter.map(|_| Value::create(&name, 1i128).unwrap());
        let _array = letter.is_none().then(|| Value::create(&name, [1u8; 3]).unwrap());
        let OpenError::NoTypeCode { found } = DynValue::open(&name).unwrap_err() else { panic!("it has a code") };
        assert_eq!(found.code, letter.map_or(0, u32::from));
        let told = OpenError::NoTypeCode { found }.to_string();
        assert!(told.starts_with("the region holds") && told.contains("c b B u h H i I l L q Q f d ?"), "{told}");
    }

    let name = name("guarded");
    let lock = Lock::new().unwrap();
    let guarded = Value::create_with_lock(&name, 1u8, &lock).unwrap();
    assert_eq!(DynValue::open(&name).unwrap().get(), Ok(Scalar::Integer(1))); // its lock is one of this process's
    let untyped = DynValue::from(guarded);
    let _held = lock.lock().unwrap();
    untyped.set(Scalar::Integer(2)).unwrap();
    assert_eq!(untyped.get(), Ok(Scalar::Integer(2)));
    assert!(matches!(
        DynValue::create(&name, TypeCode::Int, Scalar::Integer(1)),
        Err(DynCreateError::Create(CreateError::Exists { .. }))
    ));
}

#[test]
fn another_code_and_a_broken_header() {
    let name = name("codes");
    let value = Value::create(&name, 1i32).unwrap();
    let Err(OpenError::Type { found, expected }) = DynValue::open_as(&name, TypeCode::UnsignedInt) else {
        panic!("an int is not unsigned")
    };
    assert_eq!((found.code, expected.code), (u32::from('i'), u32::from('I')));
    // A code that does not go with the size, an alias that nobody writes, and what is no letter at all.
    for code in [u32::from('h'), u32::from('l')] {
        patch(&name, CODE, &code.to_ne_bytes());
        assert!(matches!(DynValue::open(&name), Err(OpenError::Type { .. })), "{code}");
    }
    for code in [0, u32::from('x'), u32::MAX] {
        patch(&name, CODE, &code.to_ne_bytes());
        assert!(matches!(DynValue::open(&name), Err(OpenError::NoTypeCode { .. })), "{code}");
    }
    drop(value);
}

#[test]
fn bytes_that_are_no_value() {
    let name = name("broken");
    let value = DynValue::create(&name, TypeCode::Bool, Scalar::Bool(false)).unwrap();
    patch(&name, VALUE, &[2]);
    let corrupt = || AccessError::Corrupt { type_name: "bool" };
    assert_eq!(value.get(), Err(corrupt()));
    assert_eq!(value.update(|old| old), Err(DynError::Access(corrupt())));
    value.set(Scalar::Bool(true)).unwrap();
    assert_eq!(value.get(), Ok(Scalar::Bool(true)));
}

// ---- DynArray ----

#[test]
fn an_array_of_every_code() {
    for code in TypeCode::ALL {
        let name = name(&format!("array-{}", u32::from(code.code())));
        let (zero, other) = (code.zero(), sample(code));
        let made = DynArray::create(&name, code, &[zero, other, zero]).unwrap();
        let opened = DynArray::open(&name).unwrap();
        assert_eq!((made.code(), opened.code()), (code.canonical(), code.canonical()));
        assert_eq!((opened.len(), opened.is_empty()), (3, false));
        assert_eq!(opened.snapshot().unwrap(), [zero, other, zero]);
        made.set(0, other).unwrap();
        assert_eq!((opened.get(0), opened.get(2)), (Ok(other), Ok(zero)));
        made.write(1..=2, &[zero, other]).unwrap();
        assert_eq!(opened.read(..2).unwrap(), [other, zero]);
        opened.clone().update(|all| all.rotate_left(1)).unwrap();
        assert_eq!(DynArray::open_as(&name, code).unwrap().read(..).unwrap(), [zero, other, other]);
        assert_eq!(DynArray::new(code, 2).unwrap().snapshot().unwrap(), [zero; 2]);
        assert_eq!(DynArray::from_slice(code, &[other]).unwrap().snapshot().unwrap(), [other]);
        assert_eq!(format!("{made:?}"), format!("DynArray {{ code: {:?}, length: 3, .. }}", code.canonical()));
    }
}

#[test]
fn both_forms_are_one_array() {
    let name = name("both-arrays");
    let typed = Array::create(&name, &[0i16; 100]).unwrap();
    let untyped = DynArray::open(&name).unwrap();
    assert_eq!(Stat::of(&name).unwrap().alive.len(), 1, "one process is one peer");
    let add_one = |elements: &mut [Scalar]| {
        for element in elements {
            let Scalar::Integer(old) = *element else { panic!("{element:?} in an array of integers") };
            *element = Scalar::Integer(old + 1);
        }
    };
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| (0..100).for_each(|_| untyped.update(add_one).unwrap()));
            threads.spawn(|| (0..100).for_each(|_| typed.update(|all| all.iter_mut().for_each(|n| *n += 1)).unwrap()));
        }
    });
    assert_eq!(typed.snapshot().unwrap(), [800; 100]);
    drop(typed);
    assert_eq!(DynArray::open(&name).unwrap().get(99), Ok(Scalar::Integer(800)), "the name lives on");
    drop(untyped);
    assert_eq!(DynArray::open(&name).unwrap_err(), OpenError::NotFound { name });
}

#[test]
fn an_element_that_does_not_fit_changes_none() {
    let code = TypeCode::SignedChar;
    let good = [1, 2, 3].map(Scalar::Integer);
    let bad = [7, 8, 128].map(Scalar::Integer);
    let error = ConvertError::OutOfRange { value: 128, code, low: -128, high: 127 };
    let at = |index| ConvertSliceError { index, error };
    let array = DynArray::from_slice(code, &good).unwrap();
    assert_eq!(array.set(0, bad[2]), Err(DynElementError::Convert(error)));
    assert_eq!(array.write(.., &bad), Err(DynSliceError::Convert(at(2))));
    assert_eq!(array.write(1.., &bad[1..]), Err(DynSliceError::Convert(at(1))), "the place in what was given");
    assert_eq!(array.update(|all| all.copy_from_slice(&bad)), Err(DynSliceError::Convert(at(2))));
    assert_eq!(array.snapshot().unwrap(), good);
    let told = array.write(.., &bad).unwrap_err().to_string();
    assert_eq!(told, format!("the element 2 of those given: {error}"));
    let name = name("unmade-array");
    assert_eq!(DynArray::from_slice(code, &bad).unwrap_err(), DynCreateError::ConvertSlice(at(2)));
    assert_eq!(DynArray::create(&name, code, &bad).unwrap_err(), DynCreateError::ConvertSlice(at(2)));
    assert_eq!(DynArray::open(&name).unwrap_err(), OpenError::NotFound { name });
}

#[test]
fn elements_that_are_not_there() {
    let array = DynArray::new(TypeCode::Double, 3).unwrap();
    let index = ElementError::Index { index: 3, length: 3 };
    assert_eq!(array.get(3), Err(index.clone()));
    assert_eq!(array.set(3, Scalar::Float(1.0)), Err(DynElementError::Element(index)));
    let range = |start, end| SliceError::Range { start, end, length: 3 };
    assert_eq!(array.read(2..4), Err(range(2, 4)));
    assert_eq!(array.read(..=3), Err(range(0, 4)));
    assert_eq!(array.read(4..), Err(range(4, 3)));
    assert_eq!(array.read(3..), Ok(vec![]));
    assert_eq!(array.write(2..4, &[Scalar::Float(1.0); 2]), Err(DynSliceError::Slice(range(2, 4))));
    let length = SliceError::Length { given: 1, expected: 3 };
    assert_eq!(array.write(.., &[Scalar::Float(1.0)]), Err(DynSliceError::Slice(length)));
    assert_eq!(array.snapshot().unwrap(), [Scalar::Float(0.0); 3]);
    assert!(matches!(DynArray::new(TypeCode::Double, 0), Err(CreateError::Length { length: 0, .. })));
    let empty = DynArray::from_slice(TypeCode::Double, &[]).unwrap_err();
    assert!(matches!(empty, DynCreateError::Create(CreateError::Length { length: 0, .. })));
}

#[test]
fn what_is_no_array_with_a_code() {
    let value_name = name("no-array");
    let _value = Value::create(&value_name, 1i32).unwrap();
    let expected = OpenError::Kind { found: Kind::Value as u32, expected: Kind::Array };
    assert_eq!(DynArray::open(&value_name).unwrap_err(), expected);
    let raw_name = name("raw-array");
    let _raw = RawArray::create(&raw_name, &[1i32]).unwrap();
    let expected = OpenError::Kind { found: Kind::RawArray as u32, expected: Kind::Array };
    assert_eq!(DynArray::open(&raw_name).unwrap_err(), expected);

    let wide_name = name("wide-array");
    let _wide = Array::create(&wide_name, &[1i128]).unwrap();
    assert!(matches!(DynArray::open(&wide_name), Err(OpenError::NoTypeCode { .. })));

    let name = name("array-codes");
    let lock = Lock::new().unwrap();
    let guarded = Array::create_with_lock(&name, &[1u32], &lock).unwrap();
    assert_eq!(DynArray::open(&name).unwrap().len(), 1); // its lock is one of this process's
    let Err(OpenError::Type { found, expected }) = DynArray::open_as(&name, TypeCode::Int) else {
        panic!("an unsigned int is no int")
    };
    assert_eq!((found.type_code(), expected.type_code()), (Some(TypeCode::UnsignedInt), Some(TypeCode::Int)));
    let untyped = DynArray::from(guarded);
    let _held = lock.lock().unwrap();
    untyped.write(.., &[Scalar::Integer(2)]).unwrap();
    assert_eq!(untyped.snapshot().unwrap(), [Scalar::Integer(2)], "whoever holds the lock goes on");
    for code in [0, u32::from('x'), u32::MAX] {
        patch(&name, CODE, &code.to_ne_bytes());
        assert!(matches!(DynArray::open(&name), Err(OpenError::NoTypeCode { .. })), "{code}");
    }
}
