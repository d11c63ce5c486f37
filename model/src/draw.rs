//! A story for a person: one lane for each role, one line for each step, in the order in which things happened.

use crate::history::Event;
use crate::worlds::kernel::Line;
use std::fmt::{Debug, Write};

/// Draws a story. Operations stand unindented in their role's lane, the accesses they consist of indented.
pub fn story<O: Debug, A: Debug>(lines: &[Line<O, A>], roles: usize) -> String {
    let rows: Vec<(usize, String)> = lines.iter().flat_map(|line| row(line, roles)).collect();
    let widths: Vec<usize> = (0..roles)
        .map(|role| {
            let cells = rows.iter().filter(|(lane, _)| *lane == role).map(|(_, cell)| cell.chars().count());
            cells.max().unwrap_or(0).max(format!("role {role}").len())
        })
        .collect();
    let mut out = String::new();
    let titles: Vec<String> =
        widths.iter().enumerate().map(|(role, width)| pad(&format!("role {role}"), *width)).collect();
    let _ = writeln!(out, "{}", titles.join(" │ ").trim_end());
    let _ = writeln!(out, "{}", widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join("─┼─"));
    for (lane, cell) in rows {
        let cells = widths.iter().enumerate();
        let cells: Vec<String> =
            cells.map(|(role, width)| pad(if role == lane { &cell } else { "" }, *width)).collect();
        let _ = writeln!(out, "{}", cells.join(" │ ").trim_end());
    }
    out
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.chars().count())))
}

fn row<O: Debug, A: Debug>(line: &Line<O, A>, roles: usize) -> Option<(usize, String)> {
    Some(match line {
        Line::Step(step) => (step.role, format!("  {} {}", step.site, step.what)),
        Line::Event(Event::Call(actor, op)) => (actor.role, format!("{op:?}")),
        Line::Event(Event::Return(actor, answer)) => (actor.role, format!("→ {answer:?}")),
        Line::Note(note) => (0, format!("── {note}")),
        Line::Event(Event::Died(process)) => ((*process).min(roles - 1), format!("† process {process} is dead")),
    })
}

/// How often a story goes from one role to another: the fewer, the easier to follow.
pub fn switches<O, A>(lines: &[Line<O, A>]) -> usize {
    let roles = lines.iter().filter_map(|line| match line {
        Line::Step(step) => Some(step.role),
        Line::Event(_) | Line::Note(_) => None,
    });
    let roles: Vec<usize> = roles.collect();
    roles.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

/// A word for a person: small numbers as they are, a thread of a process as such, lock words by their bits.
pub fn shown(value: u64) -> String {
    const CONTENDED: u64 = 1 << 30;
    const DIED: u64 = 1 << 31;
    // What the fixtures of `faults` have in their words.
    const BIASED: u64 = 1 << 29;
    const REVOKING: u64 = 1 << 28;
    const CLOSED: u64 = 1 << 27;
    match value {
        0..CLOSED => value.to_string(),
        _ if value >> 32 != 0 => format!("{}.{}", value >> 32, value & 0xffff_ffff),
        _ => {
            let bit = |bit, name| if value & bit != 0 { name } else { "" };
            let all = [
                (CONTENDED, "+contended"),
                (DIED, "+died"),
                (BIASED, "+biased"),
                (REVOKING, "+revoking"),
                (CLOSED, "+closed"),
            ];
            let names: String = all.iter().map(|(one, name)| bit(*one, name)).collect();
            format!("{}{names}", value & (CLOSED - 1))
        }
    }
}
