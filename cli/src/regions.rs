//! `procession sweep` and `procession stat`: looking after named regions.

use crate::show::{self, json};
use crate::{End, Failure};
use clap::Args;
use procession::Stat;
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
            anstream::println!("{:?}: {said}", swept.name);
        }
    }
    Ok(end)
}

/// Shows a region.
pub fn stat(options: &StatOptions) -> Result<End, Failure> {
    let stat = Stat::of(&options.name)?;
    let kind = stat.kind.map_or_else(|| "unknown".to_owned(), |kind| format!("{kind:?}"));
    let lock = stat.lock.map(|lock| match (lock.owner, lock.owner_alive) {
        (Some(owner), true) => format!("held by peer {owner}"),
        (Some(owner), false) => format!("held by peer {owner}, which is dead"),
        (None, _) if lock.died => "free; a death waits to be told".to_owned(),
        (None, _) => "free".to_owned(),
    });
    let hex: String = stat.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let number = number(&stat);
    // This process is among the living for as long as it looks.
    let alive = stat.alive.len().saturating_sub(1);
    if options.json {
        json(&json!({
            "name": options.name, "kind": kind, "type": stat.element.to_string(), "id": format!("{:016x}", stat.id),
            "lock_region": format!("{:016x}", stat.lock_id), "asymmetric_fences": stat.asymmetric,
            "peers_alive": alive, "peers_dead": stat.dead.len(), "lock": lock, "bytes": hex, "value": number,
        }))?;
        return Ok(End::Holds);
    }
    let mut table = show::table(&["", ""], &[]);
    table.add_row(["kind", &kind]);
    if !stat.bytes.is_empty() {
        table.add_row(["type", &stat.element.to_string()]);
    }
    table.add_row(["region", &format!("{:016x}", stat.id)]);
    table.add_row(["peers", &format!("{alive} alive, {} dead", stat.dead.len())]);
    table.add_row(["fences", if stat.asymmetric { "asymmetric" } else { "full" }]);
    if let Some(lock) = &lock {
        table.add_row(["lock", lock]);
    } else if stat.lock_id != 0 {
        table.add_row(["lock", &format!("in region {:016x}", stat.lock_id)]);
    }
    if !stat.bytes.is_empty() {
        table.add_row(["bytes", &hex]);
    }
    if let Some(number) = number {
        table.add_row(["value", &number]);
    }
    anstream::println!("{}", table.trim_fmt());
    Ok(End::Holds)
}

/// The value, if its type has a code.
fn number(stat: &Stat) -> Option<String> {
    macro_rules! read {
        ($Type:ty) => {
            stat.bytes.as_slice().try_into().ok().map(|bytes| <$Type>::from_ne_bytes(bytes).to_string())
        };
    }
    match char::from_u32(stat.element.code)? {
        'b' => read!(i8),
        'B' => read!(u8),
        'h' => read!(i16),
        'H' => read!(u16),
        'i' => read!(i32),
        'I' => read!(u32),
        'q' => read!(i64),
        'Q' => read!(u64),
        'o' => read!(i128),
        'O' => read!(u128),
        'f' => read!(f32),
        'd' => read!(f64),
        '?' => stat.bytes.first().map(|byte| (*byte != 0).to_string()),
        'u' => {
            let code = u32::from_ne_bytes(stat.bytes.as_slice().try_into().ok()?);
            char::from_u32(code).map(|character| format!("{character:?}"))
        }
        _ => None,
    }
}
