//! A pool of workers that survives `kill -9`: one of them is killed with a task in hand, whoever waits for all tasks is told,
//! puts the lost one again, and ends with all results.
//!
//! In Python:
//! ```python
//! import os, signal
//! from multiprocessing import Array, JoinableQueue, Process
//!
//! def worker(tasks, results, begun):
//!     while True:
//!         task = tasks.get()
//!         with begun.get_lock():
//!             begun[task] += 1
//!         if task == 7 and begun[task] == 1:
//!             os.kill(os.getpid(), signal.SIGKILL)
//!         results[task] = task * task
//!         tasks.task_done()
//!
//! if __name__ == '__main__':
//!     tasks, results, begun = JoinableQueue(4), Array('Q', 20), Array('B', 20)
//!     for _ in range(3):
//!         Process(target=worker, args=(tasks, results, begun), daemon=True).start()
//!     for task in range(1, 20):
//!         tasks.put(task)
//!     tasks.join()                      # hangs for ever: nobody is left to report the seventh
//! ```
//!
//! What differs: that last line. Each process keeps account of its tasks where all can see it, so that a join ends when all
//! tasks are done but those of the dead, and says how many these are. It says so to everybody, until somebody acknowledges it.
//! Which they are the results say, which outlast their worker. And a worker takes a task as a guard, which reports it done
//! when it is dropped: nobody forgets to, also if the work panics. (Who would rather not keep account of results lets the queue
//! deliver again what the dead had in hand: `QueueOptions::create_redelivering`.)

use nix::sys::signal::{Signal, raise};
use procession::{
    Array, Entry, GetError, Handles, Inherited, JoinError, JoinableQueue, TaskGetter, TaskPutter, serve, spawn,
};
use std::error::Error;
use std::process::Child;
use std::thread;

const WORKERS: usize = 3;
const TASKS: usize = 20;
const DEADLY: usize = 7;

static WORKER: Entry = Entry::new("worker", worker);

fn worker(handles: Inherited) -> Result<(), Box<dyn Error>> {
    let tasks: TaskGetter<usize> = handles.take("tasks")?;
    let results: Array<u64> = handles.take("results")?;
    let begun: Array<u8> = handles.take("begun")?;
    loop {
        let task = match tasks.task() {
            Err(GetError::Closed) => return Ok(()),
            task => task?,
        };
        if begun.fetch_add(*task, 1)? == 0 && *task == DEADLY {
            raise(Signal::SIGKILL)?; // as a user may do, or a machine that is out of memory
        }
        results.set(*task, (*task * *task) as u64)?;
    } // here the task is reported done
}

/// Puts another worker in the place of one that has died: its memory is gone, and the kernel is about to tell us.
fn replace_the_dead(workers: &mut [Child], handles: &Handles) -> Result<(), Box<dyn Error>> {
    loop {
        for worker in &mut *workers {
            if worker.try_wait()?.is_some() {
                *worker = spawn(&WORKER, handles)?;
                return Ok(());
            }
        }
        thread::yield_now();
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    serve(&[&WORKER]);
    let (results, begun) = (Array::<u64>::new(TASKS)?, Array::<u8>::new(TASKS)?);
    let queue = JoinableQueue::<usize>::bounded(4)?;
    let handles = Handles::new().with("tasks", &queue.getter()).with("results", &results).with("begun", &begun);
    let mut workers = (0..WORKERS).map(|_| spawn(&WORKER, &handles)).collect::<Result<Vec<_>, _>>()?;

    let tasks: TaskPutter<usize> = queue.into_putter(); // who puts only is told if nobody is left to get
    tasks.put_many(1..TASKS)?;
    while let Err(error) = tasks.join() {
        let JoinError::WorkerDied { tasks: lost } = error else { return Err(error.into()) };
        println!("{lost} of the tasks will never be done: its worker has died");
        replace_the_dead(&mut workers, &handles)?;
        tasks.acknowledge()?;
        for task in 1..TASKS {
            if results.get(task)? == 0 {
                println!("task {task} has no result, and is put again");
                tasks.put(task)?;
            }
        }
    }
    assert_eq!(begun.get(DEADLY)?, 2, "it was begun, lost, and begun again");
    assert!((1..TASKS).all(|task| results.get(task) == Ok((task * task) as u64)));
    println!("all {} results are there: {:?}", TASKS - 1, results.read(1..)?);

    tasks.close()?;
    for mut worker in workers {
        assert!(worker.wait()?.success());
    }
    Ok(())
}
