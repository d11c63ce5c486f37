//! The producer and the consumer: one process makes things, another one uses them, and a queue is between them.
//!
//! In Python:
//! ```python
//! from multiprocessing import Process, Queue
//!
//! def producer(queue):
//!     for number in range(5):
//!         queue.put(f'item {number}')
//!     queue.put(None)                   # one for each consumer: nobody hears that there will be no more
//!
//! def consumer(queue):
//!     while (item := queue.get()) is not None:
//!         print('consumed', item)
//!
//! if __name__ == '__main__':
//!     queue = Queue(2)
//!     processes = [Process(target=role, args=(queue,)) for role in (producer, consumer)]
//!     for process in processes:
//!         process.start()
//!     for process in processes:
//!         process.join()
//! ```
//!
//! It was a pipe once, and this is all that has changed; the processes are started as they were:
//!
//! | | with a pipe | with a queue |
//! |---|---|---|
//! | Python | `getter, putter = Pipe(False)` | `queue = Queue(2)` |
//! | here | `let (putter, getter) = Pipe::simplex::<String>()?` | `let queue = Queue::<String>::bounded(2)?` |
//! | Python | `putter.send(f'item {number}')` | `queue.put(f'item {number}')` |
//! | here | `putter.send(format!("item {number}"))?` | `putter.put(format!("item {number}"))?` |
//! | Python | `item = getter.recv()`, until `EOFError` | `item = queue.get()`, until it is `None` |
//! | here | `for item in &mut getter` | `for item in getter.iter()` |
//! | Python | `putter.close()`, in each process that has a copy | `queue.put(None)`, once for each consumer |
//! | here | `drop(putter)`, in the parent | `drop(queue)`, in the parent |
//!
//! What differs from a pipe: there may be any number on either side, each item goes to one of them, and whoever puts more than
//! there is room for waits. What differs from Python: what was put is in the queue, so that a producer may end, or be killed,
//! at once; a consumer that is killed while it waits stops nobody; and when the last producer has gone, the consumers have what
//! is left, and are told.

use procession::{Entry, Getter, Handles, Inherited, Putter, Queue, serve, spawn};
use std::error::Error;

static PRODUCER: Entry = Entry::new("producer", producer);
static CONSUMER: Entry = Entry::new("consumer", consumer);

fn producer(handles: Inherited) -> Result<(), Box<dyn Error>> {
    let putter: Putter<String> = handles.take("queue")?;
    for number in 0..5 {
        putter.put(format!("item {number}"))?;
    }
    Ok(())
}

fn consumer(handles: Inherited) -> Result<(), Box<dyn Error>> {
    let getter: Getter<String> = handles.take("queue")?;
    for item in getter.iter() {
        println!("consumed {}", item?);
    }
    println!("There will be no more.");
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    serve(&[&PRODUCER, &CONSUMER]);
    let queue = Queue::<String>::bounded(2)?;
    let mut children = [
        spawn(&PRODUCER, &Handles::new().with("queue", &queue.putter()))?,
        spawn(&CONSUMER, &Handles::new().with("queue", &queue.getter()))?,
    ];
    drop(queue); // or the consumer would wait for what we might put
    for child in &mut children {
        assert!(child.wait()?.success());
    }
    Ok(())
}
