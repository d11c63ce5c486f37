//! The judge: what the primitives should do, worlds that run the code that ships in every way they can, and a verdict.
//!
//! Nothing here does system calls or touches shared memory, except `worlds::processes`, which starts real processes that
//! use the library as anybody would.

pub mod check;
pub mod claims;
pub mod draw;
pub mod evidence;
pub mod explore;
pub mod explorer;
pub mod faults;
pub mod history;
pub mod litmus;
pub mod mutants;
pub mod race;
pub mod scenario;
pub mod spec;
pub mod tearing;
pub mod worlds;
