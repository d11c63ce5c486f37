//! A parent spawns itself as a child and gives it a value; the child answers through it.

use procession::{Handle, Share, Value};
use std::process::Command;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().nth(1).as_deref() == Some("child") {
        let question: Value<i32> = Value::inherited("question")?;
        question.update(|value| *value += 1)?;
        return Ok(());
    }
    let question = Value::new(41)?;
    let status = Command::new(std::env::current_exe()?).arg("child").share("question", &question).status()?;
    assert!(status.success());
    println!("the child says {}", question.get()?);
    Ok(())
}
