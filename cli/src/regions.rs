//! `procession sweep` and `procession stat`: looking after named regions.

use crate::show::{self, json, say};
use crate::{End, Failure};
use clap::Args;
use procession::layout::Kind;
use procession::{Scalar, Stat, TypeCode, TypePrint};
use serde_json::json;

/// Which region.
#[derive(Args, Clone)]
pub struct StatOptions {
    /// The region's name
    name: String,
    /// One JSON object a line, for machines
    #[arg(long)]
    json: bool,
}

/// Removes stale names.
pub fn sweep(as_json: bool) -> Result<End, Failure> {
    let mut end = End::Holds;
    for swept in procession::sweep()? {
        let said = match &swept.removed {
            Ok(true) => "removed".to_owned(),
            Ok(false) => "in use".to_owned(),
            Err(error) => {
                end = End::Violated;
                error.to_string()
            }
        };
        if as_json {
            json(&json!({ "name": swept.name, "removed": swept.removed == Ok(true), "result": said }))?;
        } else {
            say!("{:?}: {said}", swept.name);
        }
    }
    Ok(end)
}

/// The most elements that a person is shown.
const MOST_ELEMENTS: usize = 16;
/// The most bytes of a cell, in hexadecimal, that a person is shown.
const MOST_BYTES: usize = 32;

/// Shows a region. The contents are a picture taken beside whoever holds the lock: nothing here waits.
pub fn stat(options: &StatOptions) -> Result<End, Failure> {
    let stat = Stat::of(&options.name)?;
    let kind = stat.kind.map_or_else(|| "unknown".to_owned(), |kind| format!("{kind:?}"));
    let code = stat.element.type_code();
    let cells = cells(&stat);
    let is_array = matches!(stat.kind, Some(Kind::Array | Kind::RawArray));
    let lock = stat.lock.map(|lock| match (lock.owner, lock.owner_alive) {
        (Some(owner), true) => format!("held by peer {owner}"),
        (Some(owner), false) => format!("held by peer {owner}, which is dead"),
        (None, _) if lock.died => "free; a death waits to be told".to_owned(),
        (None, _) => "free".to_owned(),
    });
    // This process is among the living for as long as it looks.
    let alive = stat.alive.len().saturating_sub(1);
    if options.json {
        let texts: Vec<&Option<String>> = cells.iter().map(|cell| &cell.text).collect();
        json(&json!({
            "name": options.name, "kind": kind, "type": stat.element.to_string(), "id": format!("{:016x}", stat.id),
            "code": code.map(TypeCode::code), "c_type": code.map(TypeCode::c_type), "length": stat.length,
            "lock_region": format!("{:016x}", stat.lock_id), "asymmetric_fences": stat.asymmetric,
            "peers_alive": alive, "peers_dead": stat.dead.len(), "lock": lock, "bytes": hexadecimal(&stat.bytes),
            "value": (!is_array).then(|| texts.first()).flatten(), "elements": is_array.then_some(&texts),
        }))?;
        return Ok(End::Holds);
    }
    let mut table = show::table(&["", ""], &[]);
    show::wrap(&mut table, 1);
    table.add_row(["kind", &kind]);
    if is_array || !stat.bytes.is_empty() {
        table.add_row(["type", &stat.element.to_string()]);
    }
    if let Some(code) = code {
        table.add_row(["code", &format!("{code} ({})", code.c_type())]);
    }
    table.add_row(["region", &format!("{:016x}", stat.id)]);
    table.add_row(["peers", &format!("{alive} alive, {} dead", stat.dead.len())]);
    table.add_row(["fences", if stat.asymmetric { "asymmetric" } else { "full" }]);
    if let Some(lock) = &lock {
        table.add_row(["lock", lock]);
    } else if stat.lock_id != 0 {
        table.add_row(["lock", &format!("in region {:016x}", stat.lock_id)]);
    }
    if is_array {
        table.add_row(["length", &stat.length.to_string()]);
        table.add_row(["elements", &first_elements(&cells, stat.length)]);
    } else if let Some(cell) = cells.first() {
        table.add_row(["bytes", &abbreviated(cell.bytes)]);
        if let Some(value) = &cell.text {
            table.add_row(["value", value]);
        }
    }
    say!("{}", table.trim_fmt());
    Ok(End::Holds)
}

/// A value, or an element of an array.
struct Cell<'a> {
    bytes: &'a [u8],
    /// `None`: its type has no code, or the bytes are none of its values.
    text: Option<String>,
}

/// The value, or the elements that were looked at.
fn cells(stat: &Stat) -> Vec<Cell<'_>> {
    // The size is what the header says: anything.
    let size = usize::try_from(stat.element.size).unwrap_or(usize::MAX).max(1);
    stat.bytes.chunks(size).map(|bytes| Cell { bytes, text: text(stat.element, bytes) }).collect()
}

fn text(element: TypePrint, bytes: &[u8]) -> Option<String> {
    if let Some(code) = element.type_code() {
        return Scalar::from_bytes(code, bytes).map(|scalar| scalar.to_string());
    }
    // C has no letters for these, and no scalar is as wide as the second.
    let wide = bytes.try_into().ok()?;
    match char::from_u32(element.code)? {
        'o' => Some(i128::from_ne_bytes(wide).to_string()),
        'O' => Some(u128::from_ne_bytes(wide).to_string()),
        _ => None,
    }
}

fn first_elements(cells: &[Cell<'_>], length: usize) -> String {
    let shown = &cells[..cells.len().min(MOST_ELEMENTS)];
    let text = |cell: &Cell<'_>| cell.text.clone().unwrap_or_else(|| abbreviated(cell.bytes));
    let mut words: Vec<String> = shown.iter().map(text).collect();
    if length > shown.len() {
        words.push(format!("... {} more", length - shown.len()));
    }
    words.join(" ")
}

fn abbreviated(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(MOST_BYTES)];
    format!("{}{}", hexadecimal(shown), if shown.len() < bytes.len() { "..." } else { "" })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
