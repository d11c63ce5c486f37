//! `procession types`: the types that have a letter.

use crate::show::{json, say};
use crate::{End, Failure};
use procession::TypeCode;
use serde_json::json;

/// Lists them, in the order of CPython's table.
pub fn list(as_json: bool) -> Result<End, Failure> {
    if !as_json {
        say!("{}", TypeCode::table().trim_end());
        return Ok(End::Holds);
    }
    for code in TypeCode::ALL {
        json(&json!({
            "code": code.code(), "c_type": code.c_type(), "rust_type": code.rust_type(), "bytes": code.bytes(),
            "zero": code.zero().to_string(),
        }))?;
    }
    Ok(End::Holds)
}
