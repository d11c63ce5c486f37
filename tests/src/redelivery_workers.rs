//! Workers over a queue that delivers again what the dead had in hand, and their supervisor, who kills them at random moments.

use crate::talk::{complain, say};
use crate::{Random, until};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use procession::{Array, AsIs, Forked, GetError, JoinableQueue, QueueOptions, fork};
use std::time::{Duration, Instant};

const WORKERS: usize = 3;

/// What the workers tell of each task: how often it was begun, how often finished. It outlasts them.
struct Log {
    begun: Array<u64>,
    finished: Array<u64>,
}

fn work(queue: &JoinableQueue<u64, AsIs>, log: &Log) {
    loop {
        match queue.task() {
            Ok(task) => {
                let number = *task as usize;
                let begun = log.begun.fetch_add(number, 1).expect("an element");
                // Whoever was killed between the one and the other had it without beginning.
                if u64::from(task.times()) < begun {
                    complain(format!("task {number}, begun {begun} times, says {}", task.times()));
                }
                (0..500).for_each(|_| std::hint::spin_loop());
                log.finished.fetch_add(number, 1).expect("an element");
            }
            Err(GetError::Closed) => return,
            Err(error) => complain(format!("a worker is told {error:?}")),
        }
    }
}

fn start(queue: &JoinableQueue<u64, AsIs>, log: &Log) -> Forked {
    let child = fork(|| {
        set_pdeathsig(Signal::SIGKILL).expect("prctl");
        work(queue, log);
        0
    });
    child.expect("a child")
}

/// Kills so many workers while `kills` times some tasks are done, and says what it came to.
pub fn supervise(kills: u64, seed: u64) {
    const EACH: u64 = 20;
    let tasks = kills * EACH;
    let mut random = Random::new(seed);
    let options = QueueOptions::new(16).capacity(4096).tick(Duration::from_millis(1));
    let queue = options.create_redelivering::<u64, AsIs>(WORKERS, 8).expect("a queue");
    let array = || Array::new(tasks as usize).expect("an array");
    let log = Log { begun: array(), finished: array() };
    let mut workers: Vec<Forked> = (0..WORKERS).map(|_| start(&queue, &log)).collect();
    let mut longest = Duration::ZERO;
    for round in 0..kills {
        queue.put_many(round * EACH..(round + 1) * EACH - 10).expect("the queue is open");
        (0..random.below(6000)).for_each(|_| std::hint::spin_loop());
        let victim = workers.remove(random.below(WORKERS as u64) as usize);
        victim.kill().expect("a child");
        let killed = Instant::now();
        victim.wait().expect("a child");
        queue.put_many((round + 1) * EACH - 10..(round + 1) * EACH).expect("the queue is open");
        workers.push(start(&queue, &log));
        // Of those who are left, somebody gets what the victim had.
        if round % 8 == 7 {
            queue.join().expect("somebody is left for every task");
            longest = longest.max(killed.elapsed());
        }
        if round % 250 == 249 {
            say("going on");
        }
    }
    queue.join().expect("somebody is left for every task");
    queue.close().expect("the queue can be closed");
    workers.into_iter().for_each(|worker| assert!(worker.wait().expect("a child").success()));
    until("nothing is left", || queue.unfinished() == Ok(0));
    let (begun, finished) = (log.begun.read(..).expect("the log"), log.finished.read(..).expect("the log"));
    assert!(finished.iter().all(|times| *times >= 1), "a task was lost");
    let (again, twice) = (begun.iter().sum::<u64>() - tasks, finished.iter().sum::<u64>() - tasks);
    assert!(again <= kills && twice <= again, "{again} were begun again, with {kills} kills");
    say(format!("{kills} kills: {again} tasks begun again, {twice} of them finished before"));
    say(format!("... of {tasks}, every one finished; longest until all were joined {longest:?}"));
}
