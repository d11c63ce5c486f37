//! Joinable queues, within one process.

use procession::{
    AsIs, CreateError, GetError, JoinError, JoinTimeoutError, JoinableQueue, Postcard, PutError, QueueOptions,
    TaskDoneError, TryGetError, Value,
};
use std::error::Error;
use std::thread;
use std::time::Duration;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn of(most: usize) -> Result<JoinableQueue<u64, AsIs>> {
    Ok(QueueOptions::new(most).create_joinable()?)
}

#[test]
fn one_after_the_other() -> Result {
    let queue = of(10)?;
    queue.join()?;
    assert_eq!(queue.task_done(), Err(TaskDoneError::NoTask));
    queue.put_many([1, 2, 3])?;
    assert_eq!((queue.len()?, queue.unfinished()?), (3, 3));
    assert_eq!(queue.task_done(), Err(TaskDoneError::NoTask), "nothing was got");
    assert_eq!(queue.join_timeout(Duration::ZERO), Err(JoinTimeoutError::TimedOut));
    assert_eq!(queue.get()?, 1);
    queue.task_done()?;
    assert_eq!(queue.task_done(), Err(TaskDoneError::NoTask));
    let task = queue.task()?;
    assert_eq!((*task, queue.len()?, queue.unfinished()?), (2, 1, 2));
    assert_eq!(task.done()?, 2);
    let task = queue.try_task()?;
    assert_eq!(queue.try_task().map(|task| *task), Err(TryGetError::Empty));
    assert_eq!(queue.join_timeout(Duration::from_millis(1)), Err(JoinTimeoutError::TimedOut));
    drop(task);
    queue.join()?;
    assert_eq!((queue.unfinished()?, queue.acknowledge()?), (0, 0));
    Ok(())
}

#[test]
fn many_at_a_time() -> Result {
    let queue = of(1000)?;
    queue.put_many(0..300)?;
    let mut got = Vec::new();
    while got.len() < 300 {
        let before = got.len();
        let count = queue.get_many(&mut got, 100)?;
        assert!((1..=100).contains(&count) && got.len() == before + count);
    }
    assert_eq!(got, (0..300).collect::<Vec<u64>>());
    assert_eq!(queue.unfinished()?, 300);
    for _ in &got {
        queue.task_done()?;
    }
    queue.join()?;
    queue.close()?;
    let unsent = queue.put_many(0..3).expect_err("closed");
    assert_eq!((unsent.value, unsent.error), (vec![0, 1, 2], PutError::Closed));
    assert_eq!(queue.get_many(&mut got, 1), Err(GetError::Closed));
    Ok(())
}

#[test]
fn what_is_discarded_is_not_waited_for() -> Result {
    let queue = of(10)?;
    queue.put_many([1, 2, 3])?;
    let task = queue.task()?;
    queue.close_now()?;
    assert_eq!((queue.len()?, queue.unfinished()?), (0, 1));
    assert_eq!(queue.join_timeout(Duration::ZERO), Err(JoinTimeoutError::TimedOut));
    assert_eq!(queue.get(), Err(GetError::Closed));
    drop(task);
    queue.join()?;
    Ok(())
}

#[test]
fn joiners_and_workers() -> Result {
    const TASKS: u64 = 10_000;
    let queue = of(16)?;
    let done = Value::new(0u64)?;
    thread::scope(|scope| -> Result {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Ok(task) = queue.task() {
                    done.fetch_add(1).expect("this process is a peer");
                    drop(task);
                }
            });
        }
        for round in 1..=4 {
            queue.put_many(0..TASKS)?;
            let joiners: Vec<_> = (0..2).map(|_| scope.spawn(|| queue.join())).collect();
            queue.join()?;
            assert_eq!(done.get()?, round * TASKS);
            joiners.into_iter().try_for_each(|joiner| joiner.join().expect("no panic"))?;
        }
        queue.close()?;
        Ok(())
    })
}

#[test]
fn nobody_left_to_get_them() -> Result {
    let queue = of(4)?;
    queue.put(1)?;
    let putter = queue.into_putter();
    assert_eq!(putter.join(), Err(JoinError::Disconnected));
    Ok(())
}

#[test]
fn delivered_again() -> Result {
    let queue = QueueOptions::new(10).create_redelivering::<String, Postcard>(2, 32)?;
    queue.put_many(["a", "b", "c"].map(str::to_owned))?;
    let (a, b) = (queue.task()?, queue.task()?);
    assert_eq!((a.as_str(), a.times(), b.as_str()), ("a", 0, "b"));
    assert_eq!(queue.try_get(), Err(TryGetError::Get(GetError::TooManyTasks)));
    assert_eq!((queue.len()?, queue.unfinished()?, queue.acknowledge()?), (1, 3, 0));
    assert_eq!(b.done()?, "b");
    assert_eq!(queue.get()?, "c");
    assert_eq!(queue.join_timeout(Duration::from_millis(1)), Err(JoinTimeoutError::TimedOut));
    drop(a);
    queue.task_done()?;
    assert_eq!(queue.task_done(), Err(TaskDoneError::NoTask));
    queue.join()?;
    let long = queue.put("x".repeat(32)).expect_err("with its length it has 33 bytes");
    assert_eq!(long.error, PutError::TooLarge { bytes: 33, most: 32 });
    Ok(())
}

#[test]
fn a_queue_that_cannot_keep_anything() {
    let create = |tasks, bytes| QueueOptions::new(10).create_redelivering::<u64, AsIs>(tasks, bytes).err();
    let refused = |tasks, bytes| Some(CreateError::InHand { tasks, bytes, most: QueueOptions::MOST_IN_HAND });
    assert_eq!(create(0, 8), refused(0, 8));
    assert_eq!(create(1, 7), refused(1, 7));
    assert_eq!(create(1 << 17, 8), refused(1 << 17, 8));
    assert_eq!(create(1 << 16, 8), None);
}
