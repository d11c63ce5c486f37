//! How things look: colours (which `anstream` takes out where there is no terminal), tables, and JSON lines.

use crate::Failure;
use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, Color, ColumnConstraint, Table, Width, presets};
use procession_model::evidence::Standing;
use serde::Serialize;
use std::io::Write;

fn painted(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Good news.
pub fn good(text: &str) -> String {
    painted(AnsiColor::Green.on_default().bold(), text)
}

/// Bad news.
pub fn bad(text: &str) -> String {
    painted(AnsiColor::Red.on_default().bold(), text)
}

/// No news.
pub fn open(text: &str) -> String {
    painted(AnsiColor::Yellow.on_default().bold(), text)
}

/// A verdict, in its colour.
pub fn standing(standing: Standing) -> String {
    match standing {
        Standing::Holds => good(standing.name()),
        Standing::Unknown => open(standing.name()),
        Standing::Violated => bad(standing.name()),
    }
}

/// A cell of a table in a verdict's colour: the table measures text, and colours it itself.
pub fn cell(text: &str, standing: Standing) -> Cell {
    let colour = match standing {
        Standing::Holds => Color::Green,
        Standing::Unknown => Color::Yellow,
        Standing::Violated => Color::Red,
    };
    Cell::new(text).fg(colour)
}

/// A plain table; the columns with these numbers hold figures.
pub fn table(titles: &[&str], figures: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(titles);
    for column in figures {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Wraps a column's long texts, between words where there are some: beside a short column they fit a terminal.
pub fn wrap(table: &mut Table, column: usize) {
    if let Some(column) = table.column_mut(column) {
        column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(70)));
    }
}

/// A line for a person. Not `println!`, which panics where the output cannot be written.
macro_rules! say {
    ($($what:tt)*) => {
        std::io::Write::write_fmt(&mut anstream::stdout(), format_args!("{}\n", format_args!($($what)*)))?
    };
}
pub(crate) use say;

/// One line for a machine; as `say!`.
pub fn json(value: &impl Serialize) -> Result<(), Failure> {
    Ok(writeln!(anstream::stdout(), "{}", serde_json::to_string(value)?)?)
}
