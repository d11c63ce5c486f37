//! A process of the world of real processes: does its task and leaves what it found out in shared memory.

fn main() {
    std::process::exit(procession_model::worlds::processes::serve());
}
