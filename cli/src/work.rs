//! Long work: on as many threads as there are processors, with progress on a terminal and none elsewhere.

use crate::Failure;
use indicatif::{ProgressBar, ProgressStyle};
use procession_model::worlds::is_interrupted;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

/// A bar for so many pieces of work.
pub fn progress(pieces: usize, quiet: bool) -> Result<ProgressBar, Failure> {
    let bar =
        if quiet || !std::io::stderr().is_terminal() { ProgressBar::hidden() } else { ProgressBar::new(pieces as u64) };
    bar.set_style(ProgressStyle::with_template("{elapsed} {bar:30} {pos}/{len} {msg}")?);
    Ok(bar)
}

/// Does every piece of work; the results in the order of the pieces. After an interruption, those that were done.
pub fn each<T: Sync, R: Send>(pieces: &[T], bar: &ProgressBar, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = Mutex::new(0..pieces.len());
    let results = Mutex::new(BTreeMap::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|threads| {
        for _ in 0..workers.min(pieces.len()) {
            threads.spawn(|| {
                loop {
                    let Some(index) = next.lock().unwrap_or_else(PoisonError::into_inner).next() else { break };
                    if is_interrupted() {
                        break;
                    }
                    let result = work(&pieces[index]);
                    results.lock().unwrap_or_else(PoisonError::into_inner).insert(index, result);
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    results.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}
