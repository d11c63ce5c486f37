//! Types: every code's table row and round trip, every refusal, text in place.

mod files;

use files::{VALUE, name, patch};
use procession::zerocopy::{FromBytes, IntoBytes};
use procession::{
    Coded, ConvertError, Handle, NotUtf8, OpenError, ParseScalarError, Scalar, SharedBytes, SharedStr, Stat, TooLong,
    TypeCode, Value,
};
use std::collections::HashSet;
use std::fmt::Debug;

// ---- the table ----

#[test]
fn the_table() {
    let table = "\
code  C type              Rust type  bytes  zero
c     char                [u8; 1]        1  0x00
b     signed char         i8             1  0
B     unsigned char       u8             1  0
u     wchar_t             char           4  U+0000
h     short               i16            2  0
H     unsigned short      u16            2  0
i     int                 i32            4  0
I     unsigned int        u32            4  0
l     long                i64            8  0
L     unsigned long       u64            8  0
q     long long           i64            8  0
Q     unsigned long long  u64            8  0
f     float               f32            4  0.0
d     double              f64            8  0.0
?     _Bool               bool           1  false
";
    assert_eq!(TypeCode::table(), table);
}

#[test]
fn a_code_and_its_letter() {
    let letters: HashSet<char> = TypeCode::ALL.iter().map(|code| code.code()).collect();
    assert_eq!(letters.len(), 15, "no letter twice");
    for code in TypeCode::ALL {
        assert_eq!(TypeCode::from_char(code.code()), Ok(code));
        assert_eq!(code.to_string().parse(), Ok(code));
        assert_eq!(code.zero().fit(code), Ok(code.zero()));
    }
    for unknown in ["x", "o", "O", "", "ii", "é"] {
        let error = unknown.parse::<TypeCode>().unwrap_err();
        assert_eq!(error.found, unknown);
        let told = format!("no type has the code {unknown:?}: the codes are c b B u h H i I l L q Q f d ?");
        assert_eq!(error.to_string(), told);
    }
}

/// What the type says of itself is what the table says, and what stands in a header.
fn agrees<T: Coded>() {
    assert_eq!(TypeCode::of::<T>(), Some(T::CODE));
    assert_eq!(T::CODE.canonical(), T::CODE);
    assert_eq!(T::CODE.bytes(), size_of::<T>());
    let zero = T::try_read_from_bytes(&vec![0; size_of::<T>()]).ok().unwrap();
    assert_eq!(zero.to_scalar(), T::CODE.zero());
    let name = name(std::any::type_name::<T>());
    let _value = Value::create(&name, zero).unwrap();
    assert_eq!(char::from_u32(Stat::of(&name).unwrap().element.code), Some(T::CODE.code()));
}

#[test]
fn a_code_and_its_type() {
    agrees::<[u8; 1]>();
    agrees::<i8>();
    agrees::<u8>();
    agrees::<char>();
    agrees::<i16>();
    agrees::<u16>();
    agrees::<i32>();
    agrees::<u32>();
    agrees::<i64>();
    agrees::<u64>();
    agrees::<isize>();
    agrees::<usize>();
    agrees::<f32>();
    agrees::<f64>();
    agrees::<bool>();
    assert_eq!(TypeCode::Long.canonical(), TypeCode::LongLong);
    assert_eq!(TypeCode::UnsignedLong.canonical(), TypeCode::UnsignedLongLong);
    assert_eq!((TypeCode::of::<i128>(), TypeCode::of::<[u8; 2]>(), TypeCode::of::<()>()), (None, None, None));
}

// ---- conversion ----

fn goes_round<T: Coded + PartialEq + Debug>(values: &[T]) {
    for &value in values {
        let scalar = value.to_scalar();
        assert_eq!(T::from_scalar(scalar), Ok(value));
        assert_eq!(scalar.fit(T::CODE), Ok(scalar));
        assert_eq!(Scalar::parse(&scalar.to_string(), T::CODE), Ok(scalar), "what is written can be read");
    }
}

#[test]
fn every_type_goes_round() {
    macro_rules! limits {
        ($($Int:ty)*) => {$( goes_round::<$Int>(&[<$Int>::MIN, 0, 1, <$Int>::MAX]); )*};
    }
    limits!(i8 u8 i16 u16 i32 u32 i64 u64 isize usize);
    goes_round(&[0.0, -0.0, 0.1, f32::MIN, f32::MAX, f32::MIN_POSITIVE, 1e-45, f32::INFINITY, f32::NEG_INFINITY]);
    goes_round(&[0.0, -0.0, 0.1, f64::MIN, f64::MAX, f64::MIN_POSITIVE, 5e-324, f64::INFINITY, f64::NEG_INFINITY]);
    goes_round(&[false, true]);
    goes_round(&['\0', 'a', ' ', '\n', '\'', '\\', 'é', '漢', '🦀', '\u{301}', '\u{202e}', '\u{d7ff}', char::MAX]);
    goes_round(&(0..=255).map(|byte| [byte]).collect::<Vec<_>>());
    for code in [TypeCode::Float, TypeCode::Double] {
        assert!(matches!(Scalar::Float(f64::NAN).fit(code), Ok(Scalar::Float(value)) if value.is_nan()));
    }
    assert!(f32::from_scalar(Scalar::Float(-0.0)).unwrap().is_sign_negative());
}

#[test]
fn an_integer_out_of_range() {
    for code in TypeCode::ALL.into_iter().filter(|code| matches!(code.zero(), Scalar::Integer(_))) {
        let signed = code.code().is_ascii_lowercase();
        let bits = 8 * code.bytes() as u32;
        let (low, high) = if signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) };
        assert_eq!(Scalar::Integer(low).fit(code), Ok(Scalar::Integer(low)));
        assert_eq!(Scalar::Integer(high).fit(code), Ok(Scalar::Integer(high)));
        for value in [low - 1, high + 1, i128::MIN, i128::MAX] {
            let code = code.canonical();
            assert_eq!(Scalar::Integer(value).fit(code), Err(ConvertError::OutOfRange { value, code, low, high }));
        }
    }
    let told = Scalar::Integer(300).fit(TypeCode::SignedChar).unwrap_err().to_string();
    assert_eq!(told, "300 is out of range for type 'b' (signed char): -128 to 127");
}

#[test]
fn a_number_that_would_be_rounded() {
    let inexact = |value, code| (value, code, Err(ConvertError::Inexact { value, code }));
    let exact = |value, code, float| (value, code, Ok(Scalar::Float(float)));
    let (float, integer) = (Scalar::Float, Scalar::Integer);
    use TypeCode::{Double, Float};
    let cases = [
        inexact(float(0.1), Float),
        inexact(float(1e300), Float),
        inexact(float(-1e300), Float),
        inexact(float(1e-300), Float),
        inexact(integer((1 << 24) + 1), Float),
        inexact(integer((1 << 53) + 1), Double),
        inexact(integer(i128::MAX), Float),
        inexact(integer(i128::MAX), Double),
        exact(float(0.5), Float, 0.5),
        exact(float(0.1), Double, 0.1),
        exact(integer(0), Float, 0.0),
        exact(integer(-1), Float, -1.0),
        exact(integer(1 << 24), Float, 16_777_216.0),
        exact(integer((1 << 24) + 2), Float, 16_777_218.0),
        exact(integer((1 << 53) - 1), Double, 9_007_199_254_740_991.0),
        exact(integer(i128::MIN), Float, -(2f64.powi(127))),
        exact(Scalar::Bool(true), Double, 1.0),
    ];
    for (value, code, expected) in cases {
        assert_eq!(value.fit(code), expected, "{value:?} for {code}");
    }
    let told = Scalar::Float(0.1).fit(Float).unwrap_err().to_string();
    assert_eq!(told, "0.1 cannot be held exactly by type 'f' (float)");
}

#[test]
fn a_value_of_another_kind() {
    let samples = [Scalar::Integer(1), Scalar::Float(1.0), Scalar::Bool(true), Scalar::Character('a'), Scalar::Byte(1)];
    for code in TypeCode::ALL.map(TypeCode::canonical) {
        for found in samples {
            let number = matches!(found, Scalar::Integer(_) | Scalar::Bool(_));
            let expected = match code.zero() {
                Scalar::Integer(_) if number => Ok(Scalar::Integer(1)),
                Scalar::Float(_) if number || matches!(found, Scalar::Float(_)) => Ok(Scalar::Float(1.0)),
                Scalar::Bool(_) if number => Ok(Scalar::Bool(true)),
                Scalar::Byte(_) if number || matches!(found, Scalar::Byte(_)) => Ok(Scalar::Byte(1)),
                Scalar::Character(_) if matches!(found, Scalar::Character(_)) => Ok(found),
                _ => Err(ConvertError::Kind { found, code }),
            };
            assert_eq!(found.fit(code), expected, "{found:?} for {code}");
        }
    }
    let range = |value, code, high| Err(ConvertError::OutOfRange { value, code, low: 0, high });
    assert_eq!(Scalar::Integer(2).fit(TypeCode::Bool), range(2, TypeCode::Bool, 1));
    assert_eq!(Scalar::Integer(-1).fit(TypeCode::Char), range(-1, TypeCode::Char, 255));
    let told = Scalar::Float(1.5).fit(TypeCode::Int).unwrap_err().to_string();
    assert_eq!(told, "the float 1.5 was found, type 'i' (int) holds a whole number");
}

// ---- text ----

#[test]
fn a_text_is_read_for_a_type() {
    let cases = [
        ("+5", "b", Scalar::Integer(5)),
        ("-9223372036854775808", "l", Scalar::Integer(i64::MIN.into())),
        ("1e3", "d", Scalar::Float(1000.0)),
        ("0.1", "f", Scalar::Float(0.1f32.into())),
        ("inf", "f", Scalar::Float(f64::INFINITY)),
        ("-inf", "d", Scalar::Float(f64::NEG_INFINITY)),
        ("1", "?", Scalar::Bool(true)),
        ("false", "?", Scalar::Bool(false)),
        ("7", "u", Scalar::Character('7')),
        ("U+1f980", "u", Scalar::Character('🦀')),
        ("7", "c", Scalar::Byte(b'7')),
        ("0xFF", "c", Scalar::Byte(255)),
    ];
    for (text, code, expected) in cases {
        assert_eq!(Scalar::parse(text, code.parse().unwrap()), Ok(expected), "{text} for {code}");
    }
}

#[test]
fn a_text_that_is_no_value() {
    let cases = [
        ("", "ibBhHIlLqQfd?uc"),
        ("1.5", "iQ"),
        ("0x10", "iQ"),
        (" 1", "if?"),
        ("999999999999999999999999999999999999999999", "iQ"),
        ("True", "?"),
        ("2", "?"),
        ("ab", "uc"),
        ("é", "c"),
        ("U+", "u"),
        ("U+D800", "u"),
        ("U+110000", "u"),
        ("U++41", "u"),
        ("0x", "c"),
        ("0x100", "c"),
        ("0x+1", "c"),
    ];
    for (text, codes) in cases {
        for code in codes.chars().map(|letter| TypeCode::from_char(letter).unwrap()) {
            let expected = ParseScalarError::Syntax { text: text.to_owned(), code };
            assert_eq!(Scalar::parse(text, code), Err(expected), "{text:?} for {code}");
        }
    }
    for (text, code) in [("1e39", TypeCode::Float), ("-1e999", TypeCode::Double)] {
        let expected = ParseScalarError::TooLarge { text: text.to_owned(), code };
        assert_eq!(Scalar::parse(text, code), Err(expected));
    }
    let told = Scalar::parse("x", TypeCode::Long).unwrap_err().to_string();
    assert_eq!(told, "\"x\" cannot be read as the whole number that a cell of type 'l' (long) holds");
    let out_of_range = ConvertError::OutOfRange { value: 256, code: TypeCode::UnsignedChar, low: 0, high: 255 };
    assert_eq!(Scalar::parse("256", TypeCode::UnsignedChar), Err(out_of_range.into()));
}

#[test]
fn a_value_of_bytes() {
    for code in TypeCode::ALL {
        let zeros = vec![0; code.bytes()];
        assert_eq!(Scalar::from_bytes(code, &zeros), Some(code.zero()));
        assert_eq!(Scalar::from_bytes(code, &zeros[1..]), None, "{code} of too few bytes");
        assert_eq!(Scalar::from_bytes(code, &[&zeros[..], &[0]].concat()), None, "{code} of too many bytes");
    }
    assert_eq!(Scalar::from_bytes(TypeCode::Short, &(-2i16).to_ne_bytes()), Some(Scalar::Integer(-2)));
    assert_eq!(Scalar::from_bytes(TypeCode::Float, &0.5f32.to_ne_bytes()), Some(Scalar::Float(0.5)));
    assert_eq!(Scalar::from_bytes(TypeCode::Char, b"x"), Some(Scalar::Byte(b'x')));
    assert_eq!(Scalar::from_bytes(TypeCode::Bool, &[2]), None);
    assert_eq!(Scalar::from_bytes(TypeCode::WideChar, &0xd800u32.to_ne_bytes()), None);
}

// ---- bytes and text in place ----

#[test]
fn text_of_every_length() {
    for text in ["", "a", "Grüße", "漢字漢字", "12345678901\0"] {
        let cell = SharedStr::<12>::new(text).unwrap();
        assert_eq!(cell.as_str(), Ok(text));
        assert_eq!((cell.len(), cell.is_empty(), cell.capacity()), (text.len(), text.is_empty(), 12));
        assert_eq!((cell.to_string(), format!("{cell:?}")), (text.to_owned(), format!("{text:?}")));
        let bytes = SharedBytes::<12>::new(text.as_bytes()).unwrap();
        assert_eq!((bytes.as_bytes(), bytes.len(), bytes.is_empty()), (text.as_bytes(), text.len(), text.is_empty()));
        assert_eq!(format!("{bytes:?}"), format!("b\"{}\"", text.as_bytes().escape_ascii()));
        // The layout: the length, the bytes, zeros.
        let whole = IntoBytes::as_bytes(&cell);
        let (length, rest) = u32::read_from_prefix(whole).unwrap();
        assert_eq!((length as usize, &rest[..text.len()]), (text.len(), text.as_bytes()));
        assert!(rest.len() == 12 && rest[text.len()..].iter().all(|byte| *byte == 0));
    }
    let too_long = TooLong { length: 15, capacity: 12 };
    assert_eq!(SharedStr::<12>::new("漢字漢字漢"), Err(too_long));
    assert_eq!(SharedStr::<12>::try_from("漢字漢字漢"), Err(too_long));
    assert_eq!(SharedBytes::<12>::try_from([1; 15].as_slice()), Err(too_long));
    assert_eq!(too_long.to_string(), "15 bytes were given, there is room for 12");
    assert_eq!(SharedStr::<0>::new(""), Ok(SharedStr::empty()));
    assert_eq!(SharedStr::<0>::new("a"), Err(TooLong { length: 1, capacity: 0 }));
    assert_eq!(SharedBytes::<5>::default(), SharedBytes::empty());
    assert!(SharedStr::<5>::default().is_empty());
}

#[test]
fn text_from_a_broken_process() {
    let name = name("text");
    let value = Value::create(&name, SharedStr::<6>::new("aß").unwrap()).unwrap();
    let opened = Value::<SharedStr<6>>::open(&name).unwrap();
    assert_eq!(opened.get().unwrap().as_str(), Ok("aß"));
    assert!(matches!(Value::<SharedStr<7>>::open(&name), Err(OpenError::Type { .. })), "the capacity is the type's");
    // A value of more than eight bytes stands there twice: to be read as written, both copies are broken.
    let copy = 8 * size_of::<SharedStr<6>>().div_ceil(8);
    let write = |offset, bytes: &[u8]| {
        patch(&name, VALUE + offset, bytes);
        patch(&name, VALUE + copy + offset, bytes);
        opened.get().unwrap()
    };
    for length in [7u32, u32::MAX] {
        let broken = write(0, &length.to_ne_bytes());
        assert_eq!((broken.len(), broken.as_str()), (6, Ok("aß\0\0\0")));
    }
    let cut = write(0, &2u32.to_ne_bytes());
    assert_eq!((cut.len(), cut.as_str()), (2, Err(NotUtf8 { valid_up_to: 1 })));
    assert_eq!((cut.to_string(), format!("{cut:?}")), ("a\u{fffd}".to_owned(), "\"a\u{fffd}\"".to_owned()));
    assert_eq!(NotUtf8 { valid_up_to: 1 }.to_string(), "the bytes are not UTF-8 from the byte 1 on");
    // Beyond the length nothing counts.
    let same = write(0, &1u32.to_ne_bytes());
    let clean = SharedStr::new("a").unwrap();
    assert_eq!(same, clean);
    assert_eq!(HashSet::from([same, clean]).len(), 1);
    value.set("whole".try_into().unwrap()).unwrap();
    assert_eq!(opened.get().unwrap().as_str(), Ok("whole"));
}
