//! The process that the tests start, kill and forbid things to: `procession-helper TASK [ARGUMENT...]`.

fn main() {}
