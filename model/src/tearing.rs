//! Tearing: one process writes something wide, over and over, another reads it. Is it ever half old, half new?

use crate::worlds::processes::{Barrier, Error, Helper, Started};
use procession::{Array, Handle, RawArray, RawValue, Share, Value};
use std::time::{Duration, Instant};

/// What is written and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wide {
    /// A `Value` of eight words, and a `RawValue` of as many.
    Value,
    /// All of an `Array` of 64 words, and of a `RawArray`.
    Array,
}

/// Words of the value.
const WORDS: usize = 8;
/// Elements of the array.
const LENGTH: usize = 64;

/// What was seen.
#[derive(Debug, Clone, Copy)]
pub struct Torn {
    /// How many reads found it half old, half new, without the lock.
    pub raw: u64,
    /// How many did with the lock.
    pub locked: u64,
    /// How many reads without the lock there were.
    pub raw_reads: u64,
}

impl Wide {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Wide::Value => "value",
            Wide::Array => "array",
        }
    }
}

/// Lets one process write while another reads `reads` times. Without the lock again and again, until a read is torn or
/// `budget` is spent: two that happen to share a processor seldom meet.
pub fn tearing(helper: &Helper, wide: Wide, reads: u64, budget: Duration) -> Result<Torn, Error> {
    let until = Instant::now() + budget;
    let locked = round(helper, wide, true, reads)?;
    let (mut raw, mut raw_reads) = (0, 0);
    while raw == 0 && (raw_reads == 0 || Instant::now() < until) {
        raw += round(helper, wide, false, reads)?;
        raw_reads += reads;
    }
    Ok(Torn { raw, locked, raw_reads })
}

fn round(helper: &Helper, wide: Wide, locked: bool, reads: u64) -> Result<u64, Error> {
    let subject = Subject::new(wide, locked)?;
    let (torn, stop, here) = (RawValue::new(0u64)?, RawValue::new(false)?, Barrier::new()?);
    let mut helpers = Vec::new();
    for role in ["write", "read"] {
        let mut command = helper.task(&format!("tear {} {locked} {role} {reads}", wide.name()));
        match &subject {
            Subject::RawValue(raw) => command.share("subject", raw),
            Subject::Value(value) => command.share("subject", value),
            Subject::RawArray(raw) => command.share("subject", raw),
            Subject::Array(array) => command.share("subject", array),
        };
        command.share("torn", &torn).share("stop", &stop);
        here.share("here", &mut command);
        helpers.push(Started::new(&mut command)?);
    }
    helpers.iter_mut().try_for_each(Started::succeed)?;
    Ok(torn.get()?)
}

enum Subject {
    RawValue(RawValue<[u64; WORDS]>),
    Value(Value<[u64; WORDS]>),
    RawArray(RawArray<u64>),
    Array(Array<u64>),
}

impl Subject {
    fn new(wide: Wide, locked: bool) -> Result<Subject, Error> {
        Ok(match (wide, locked) {
            (Wide::Value, false) => Subject::RawValue(RawValue::new([0; WORDS])?),
            (Wide::Value, true) => Subject::Value(Value::new([0; WORDS])?),
            (Wide::Array, false) => Subject::RawArray(RawArray::new(LENGTH)?),
            (Wide::Array, true) => Subject::Array(Array::new(LENGTH)?),
        })
    }

    fn inherited(wide: &str, locked: bool) -> Result<Subject, Error> {
        Ok(match (wide, locked) {
            ("value", false) => Subject::RawValue(RawValue::inherited("subject")?),
            ("value", true) => Subject::Value(Value::inherited("subject")?),
            ("array", false) => Subject::RawArray(RawArray::inherited("subject")?),
            ("array", true) => Subject::Array(Array::inherited("subject")?),
            _ => return Err("no such subject".into()),
        })
    }

    fn write(&self, number: u64) -> Result<(), Error> {
        match self {
            Subject::RawValue(raw) => raw.set([number; WORDS]),
            Subject::Value(value) => value.set([number; WORDS])?,
            Subject::RawArray(raw) => raw.write(.., &[number; LENGTH])?,
            Subject::Array(array) => array.write(.., &[number; LENGTH])?,
        }
        Ok(())
    }

    /// Reads; whether what was read is half one thing and half another.
    fn is_torn(&self, space: &mut [u64; LENGTH]) -> Result<bool, Error> {
        let torn = |words: &[u64]| words.iter().any(|word| *word != words[0]);
        Ok(match self {
            Subject::RawValue(raw) => torn(&raw.get()?),
            Subject::Value(value) => torn(&value.get()?),
            Subject::RawArray(raw) => {
                raw.read_into(.., space)?;
                torn(space)
            }
            Subject::Array(array) => {
                array.read_into(.., space)?;
                torn(space)
            }
        })
    }
}

/// The helper's side.
pub(crate) fn serve(argument: &str) -> Result<(), Error> {
    let words: Vec<&str> = argument.split(' ').collect();
    let [wide, locked, role, reads] = words[..] else { return Err("what, how, which role, how often".into()) };
    let subject = Subject::inherited(wide, locked.parse()?)?;
    let (torn, stop) = (RawValue::<u64>::inherited("torn")?, RawValue::<bool>::inherited("stop")?);
    Barrier::inherited("here")?.meet(2)?;
    if role == "write" {
        let mut number = 0;
        while !stop.get()? {
            number += 1;
            subject.write(number)?;
        }
        return Ok(());
    }
    let reads: u64 = reads.parse()?;
    for _ in 0..reads {
        if subject.is_torn(&mut [0; LENGTH])? {
            torn.fetch_add(1)?;
        }
    }
    stop.set(true);
    Ok(())
}
