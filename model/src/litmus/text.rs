//! Litmus programs as text, there and back: `x = 1; y.acquire | fence.seqcst; add(x, 1)`.

use super::{Instruction, Program};
use procession::platform::Ordering;
use std::fmt;
use std::str::FromStr;

const WORDS: [&str; 4] = ["x", "y", "z", "w"];

const MARKS: [(&str, Ordering); 5] = [
    ("", Ordering::Relaxed),
    (".acquire", Ordering::Acquire),
    (".release", Ordering::Release),
    (".acqrel", Ordering::AcqRel),
    (".seqcst", Ordering::SeqCst),
];

fn mark(ordering: Ordering) -> &'static str {
    MARKS.iter().find(|(_, known)| *known == ordering).map_or("", |(mark, _)| mark)
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thread = |thread: &Vec<Instruction>| {
            let told: Vec<String> = thread.iter().map(Instruction::to_string).collect();
            told.join("; ")
        };
        let threads: Vec<String> = self.threads.iter().map(thread).collect();
        f.write_str(&threads.join(" | "))
    }
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |word: &usize, how: &Ordering| format!("{}{}", WORDS[*word], mark(*how));
        match self {
            Instruction::Load(word, how) => f.write_str(&at(word, how)),
            Instruction::Store(word, value, how) => write!(f, "{} = {value}", at(word, how)),
            Instruction::Swap(word, value, how) => write!(f, "swap({}, {value})", at(word, how)),
            Instruction::CompareExchange(word, current, new, how) => {
                write!(f, "exchange({}, {current}, {new})", at(word, how))
            }
            Instruction::FetchAdd(word, value, how) => write!(f, "add({}, {value})", at(word, how)),
            Instruction::Fence(how) => write!(f, "fence{}", mark(*how)),
            Instruction::LightFence => f.write_str("light"),
            Instruction::HeavyFence => f.write_str("heavy"),
            Instruction::Wait(word, expected) => write!(f, "wait({}, {expected})", WORDS[*word]),
            Instruction::Await(word, not, how) => write!(f, "await({}, {not})", at(word, how)),
            Instruction::Wake(word, count) => write!(f, "wake({}, {count})", WORDS[*word]),
        }
    }
}

/// Where a text is no program: the part that is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUnderstood(pub String);

impl FromStr for Program {
    type Err = NotUnderstood;
    fn from_str(text: &str) -> Result<Program, NotUnderstood> {
        let instruction = |part: &str| part.trim().parse();
        let thread = |thread: &str| thread.split(';').map(instruction).collect();
        let threads: Vec<Vec<Instruction>> = text.split('|').map(thread).collect::<Result<_, _>>()?;
        let words = threads.iter().flatten().filter_map(|instruction| instruction.word()).max();
        Ok(Program { words: words.map_or(0, |last| last + 1), threads })
    }
}

impl FromStr for Instruction {
    type Err = NotUnderstood;
    fn from_str(text: &str) -> Result<Instruction, NotUnderstood> {
        understood(text).ok_or_else(|| NotUnderstood(text.to_owned()))
    }
}

fn understood(text: &str) -> Option<Instruction> {
    let number = |text: &str| text.trim().parse::<u32>().ok();
    if let Some((word, value)) = text.split_once('=') {
        let (word, how) = place(word)?;
        return Some(Instruction::Store(word, number(value)?, how));
    }
    let Some((name, rest)) = text.split_once('(') else {
        return match text {
            "light" => Some(Instruction::LightFence),
            "heavy" => Some(Instruction::HeavyFence),
            _ => match text.strip_prefix("fence") {
                Some(mark) => Some(Instruction::Fence(ordering(mark)?)),
                None => place(text).map(|(word, how)| Instruction::Load(word, how)),
            },
        };
    };
    let mut parts = rest.strip_suffix(')')?.split(',');
    let (word, how) = place(parts.next()?)?;
    let numbers: Vec<u32> = parts.map(number).collect::<Option<_>>()?;
    Some(match (name, &numbers[..]) {
        ("swap", [value]) => Instruction::Swap(word, *value, how),
        ("exchange", [current, new]) => Instruction::CompareExchange(word, *current, *new, how),
        ("add", [value]) => Instruction::FetchAdd(word, *value, how),
        ("wait", [expected]) => Instruction::Wait(word, *expected),
        ("await", [not]) => Instruction::Await(word, *not, how),
        ("wake", [count]) => Instruction::Wake(word, *count),
        _ => return None,
    })
}

fn ordering(mark: &str) -> Option<Ordering> {
    MARKS.iter().find(|(known, _)| *known == mark).map(|(_, ordering)| *ordering)
}

/// A word, and how it is accessed.
fn place(text: &str) -> Option<(usize, Ordering)> {
    let text = text.trim();
    let (word, mark) = text.split_at(text.find('.').unwrap_or(text.len()));
    Some((WORDS.iter().position(|known| *known == word)?, ordering(mark)?))
}
