//! Unrelated processes meet at a name. Run it in several terminals: each raises the counter once a second, together they
//! count; when the last has gone, the name has gone, too. Kill one with `kill -9`: the others never notice.
//!
//! `cargo run --example named -- 3` stops after three rounds.

use procession::Value;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds: u64 = std::env::args().nth(1).map_or(Ok(1), |rounds| rounds.parse())?;
    let counter = Value::open_or_create("example-counter", 0u64)?;
    for round in 0..rounds {
        if round > 0 {
            std::thread::sleep(Duration::from_secs(1));
        }
        println!("process {}: {}", std::process::id(), counter.fetch_add(1)? + 1);
    }
    Ok(())
}
