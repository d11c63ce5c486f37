//! What the benchmarks share that compare ours with a peer row by row: which rows, how often, in a table.

use crate::arena::{Cpus, Fallible, median, rounds};
use procession::fork;

/// What is measured against a peer, and how that went in each round.
pub struct Row<W> {
    pub name: &'static str,
    pub what: W,
    /// The ratio that is good enough.
    goal: f64,
    /// Nanoseconds: ours, the peer's.
    figures: Vec<(f64, f64)>,
}

impl<W> Row<W> {
    pub fn new(name: &'static str, what: W, goal: f64) -> Row<W> {
        Row { name, what, goal, figures: Vec::new() }
    }

    /// Medians: ours, the peer's, and of the rounds' ratios.
    fn medians(&self) -> (f64, f64, f64) {
        let of = |figure: fn(&(f64, f64)) -> f64| median(self.figures.iter().map(figure).collect());
        (of(|it| it.0), of(|it| it.1), of(|it| it.0 / it.1))
    }

    fn json(&self) -> String {
        let ((ours, theirs, ratio), name, goal) = (self.medians(), self.name, self.goal);
        format!(r#"{{"row":"{name}","ours":{ours:.2},"peer":{theirs:.2},"ratio":{ratio:.4},"goal":{goal:.4}}}"#)
    }
}

/// Runs the rows that the arguments ask for (`--row PART`, of the name) in rotation, and prints them. `run` answers ours and the
/// peer's nanoseconds, and is told by how much the usual number of messages is divided.
pub fn compare<W>(
    arguments: &[String],
    cpus: Cpus,
    mut rows: Vec<Row<W>>,
    mut run: impl FnMut(&W, u64) -> Fallible<(f64, f64)>,
) -> Fallible<()> {
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let (rounds, part) = if has("--bench") { (rounds(arguments, 7)?, 1) } else { (1, 1000) };
    let asked: Vec<&String> = arguments.windows(2).filter(|pair| pair[0] == "--row").map(|pair| &pair[1]).collect();
    rows.retain(|row| asked.is_empty() || asked.iter().any(|part| row.name.contains(part.as_str())));
    for _ in 0..rounds {
        for row in &mut rows {
            row.figures.push(run(&row.what, part)?);
        }
    }
    if has("--json") {
        println!("[{}]", rows.iter().map(Row::json).collect::<Vec<_>>().join(",\n "));
        return Ok(());
    }
    println!("{rounds} rounds, medians; two CPUs: {}", cpus.0.map_or("not pinned".into(), |cpus| format!("{cpus:?}")));
    println!("{:<46} {:>10} {:>10} {:>7} {:>7}", "", "ours, ns", "peer, ns", "ratio", "goal");
    for row in &rows {
        let (ours, theirs, ratio) = row.medians();
        println!("{:<46} {ours:>10.1} {theirs:>10.1} {ratio:>7.3} {:>7.3}", row.name, row.goal);
    }
    Ok(())
}

/// Runs each in a process of its own, on the two CPUs by turns; whether all say that all went well.
pub fn together<const N: usize>(cpus: Cpus, runs: [&mut dyn FnMut() -> bool; N]) -> Fallible<bool> {
    let mut children = Vec::with_capacity(N);
    for (index, run) in runs.into_iter().enumerate() {
        let child = fork(|| {
            cpus.pin(index % 2);
            i32::from(!run())
        });
        match child {
            Ok(child) => children.push(child),
            Err(error) => {
                // The others must not wait for it for ever.
                children.iter().try_for_each(procession::Forked::kill)?;
                return Err(error.into());
            }
        }
    }
    let mut fine = true;
    for child in children {
        fine &= child.wait()?.success();
    }
    Ok(fine)
}
