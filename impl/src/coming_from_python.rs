//! Coming from `multiprocessing`: what each method of Python's is called here, what is the same, what is better, and what is
//! different. Of CPython on Linux this says what was seen or is documented of 3.11 to 3.14.
//!
//! # Three queues
//! Python has two that look alike and are not. The differences are what programs stumble over:
//!
//! | | threads: `queue.Queue` | processes: `multiprocessing.Queue`, `JoinableQueue` | processes and threads: [`Queue`], [`JoinableQueue`] |
//! |---|---|---|---|
//! | `Queue(maxsize)` | 0 or less: without bound | 0 or less: 2^31 - 1, in effect without bound | [`bounded`]: 1 to 2^30, and 0 is an [error]. Room in bytes is bounded, too ([`capacity`]); what was never used takes no memory |
//! | an item | the object itself | a copy, pickled some time after the `put`: of the object as it is then | a copy, made inside `put`, of any type of `serde`'s or of plain data |
//! | `put(item)` | it is there on return; blocks only if there is a bound and it is reached | takes a slot and leaves the item to a thread of this process: it is on its way. Blocks for want of a slot only, never of room in the pipe | [`put`]: it is there on return. Blocks for want of room, be it in messages or in bytes |
//! | an item that cannot be written | every object can | lost, with a traceback on stderr; a `JoinableQueue` goes on counting it | [`PutError::Encode`] from `put`, with the item; nothing has changed |
//! | `put(item, timeout=)` | `Full`; negative: `ValueError` if it could block | `Full`; a negative timeout is none at all | [`put_timeout`]: `TimedOut`; no [`Duration`] is negative |
//! | `put_nowait` | `Full` | `Full` | [`try_put`]: `Full` |
//! | order | that of the puts | that of the puts of each process; between two processes there is none | that of the puts: whoever puts after another's `put` has returned comes after it |
//! | `get()` | the next item | the next item; waits for ever when all who put have gone, or when somebody was killed inside `get` | [`get`]: the next message; [`GetError::Disconnected`] when nobody is left who puts, where this process only gets |
//! | `get(timeout=)` | `Empty`; negative: `ValueError` | `Empty`, also if there are items and another process is inside `get`; does not bound the wait for the rest of an item | [`get_timeout`]: `TimedOut`, and by then |
//! | `get_nowait` | `Empty`: there was none | `Empty`, also right after a `put` has returned | [`try_get`]: `Empty`, if there was none at some instant of the call |
//! | `qsize()` | exact at its instant, and old news afterwards | counts what `put` has accepted; not on macOS | [`len`]: exact at some instant of the call |
//! | `empty()` | exact at its instant | looks into the pipe: may be true right after a `put` has returned, and while `full()` is true | [`is_empty`]: not after a `put` has returned, until somebody gets what it put |
//! | `full()` | whether `qsize()` has reached the bound | whether there is no slot | [`is_full`]: whether there is no room |
//! | `task_done()` | one less; `ValueError` below 0 | of `JoinableQueue` only. The same, from any process, also before any `get` | [`task_done`]: one of the tasks that this process has got; any other is [`TaskDoneError::NoTask`]. Or [`task`]: a guard that reports it when it is dropped |
//! | `join()` | waits until all is done; looks again when it is woken | of `JoinableQueue` only. Does not look again when it is woken; waits for ever when a worker has died with a task in hand | [`join`]: looks again when it is woken; [`JoinError::WorkerDied`] says how many tasks were lost, until somebody has [acknowledged] it; or somebody else gets them, of a queue that [delivers again] |
//! | `join(timeout)` | none | none | [`join_timeout`] |
//! | `unfinished_tasks` | an attribute | none | [`unfinished`] |
//! | `close()` | none; since 3.13 `shutdown()`, and `shutdown(immediate=True)` | of this process only: others go on, and nobody wakes up | [`close`], [`close_now`]: for all processes, and everybody who waits wakes up |
//! | `join_thread()` | none | waits until the thread has sent everything: while the pipe is full and nobody gets, for ever. So does the end of the process | not needed: no thread sends anything |
//! | `cancel_join_thread()` | none | the process ends without waiting; what was not sent is lost, and its slots stay taken | not needed |
//! | `maxsize` | an attribute, which can be changed | none | [`max_len`] |
//! | many at a time | none | none | [`put_many`], [`get_many`] |
//! | somebody is killed | all threads go together | inside `get` or `put`: all others get, or put, nothing any more. Elsewhere: what its thread had not sent is lost, and stays counted | each message was put, or got, or not; all others go on |
//! | somebody waiting in `join` is killed | | the next `task_done` hangs, then every `put` | nothing happens |
//!
//! A `SimpleQueue` of `multiprocessing` puts as `Queue` does here: the item is in the pipe on return, and all have one order. It
//! has no bound but the pipe's, no timeouts and no `qsize`. It has no counterpart of its own.
//!
//! **What is easily overlooked.** A process counts its tasks, not a thread: any thread may report what another one of its
//! process has got. A forked child is another process: it cannot report what its parent has got. No sentinels are needed for
//! the end, so that none of them has to be reported done; where the last producer keeps a [`Putter`] and the consumers have a
//! [`Getter`] each, the consumers are told. Whoever holds a whole queue is a producer and a consumer, and is waited for as both.
//!
//! # Pipe and Connection
//!
//! | Python | here | the same | better | different |
//! |---|---|---|---|---|
//! | `Pipe()` | [`Pipe::duplex`] | both ends send and receive | types; no system call as long as nobody waits | an end is the process's that uses it first |
//! | `Pipe(False)` | [`Pipe::simplex`] | one end receives, the other sends | which does what is a type: [`Receiver`], [`Sender`] | the sender comes first, as in Rust's channels |
//! | `send(obj)` | [`send`](crate::Connection::send) | blocks while the pipe is full; nothing is sent that cannot be encoded | the value comes back; [`try_send`](crate::Connection::try_send), [`send_timeout`](crate::Connection::send_timeout) | |
//! | `recv()` | [`recv`](crate::Connection::recv) | waits for the next message; one that cannot be decoded is consumed | [`try_recv`](crate::Connection::try_recv), [`recv_timeout`](crate::Connection::recv_timeout); from a sender killed in the middle of a message, no part of it | the end is [`RecvError::Disconnected`], not `EOFError` |
//! | `poll(timeout)` | [`poll`](crate::Connection::poll) | takes nothing; true at the end, too | true means a whole message | `poll(None)` is a `recv` |
//! | `send_bytes(buf, offset, size)` | [`ByteSender::send`]`(&buf[offset..][..size])` | the boundaries of messages are kept | [`send_with`](crate::ByteSender::send_with) writes in place | of a pipe of bytes ([`Pipe::bytes`]) only: one pipe carries one type |
//! | `recv_bytes(maxlength)` | [`ByteReceiver::recv`] | a message as it was sent, also an empty one | [`recv_with`](crate::ByteReceiver::recv_with) reads in place | without a limit; with one, `recv_into` |
//! | `recv_bytes_into(buf, offset)` | [`recv_into`](crate::ByteReceiver::recv_into)`(&mut buf[offset..])` | answers how many bytes | a message that is too long stays the next one; there it is consumed | |
//! | `close()` | [`close`](crate::Connection::close), or `drop` | what was sent before comes before the end | no copy that somebody forgot keeps the end away, once an end is used | |
//! | `readable`, `writable`, `closed` | | | | types: there is nothing to ask |
//! | `fileno()`, `connection.wait()` | | | | none: a pipe is memory, and has no descriptor that tells |
//! | a connection sent through a connection | [`Handles::send`](crate::Handles::send), through a Unix socket | | any handle, also to unrelated processes | |
//!
//! # Value and RawValue
//!
//! | Python | here | the same | better | different |
//! |---|---|---|---|---|
//! | `Value('i', 0)` | [`Value::new`]`(0i32)`; [`DynValue`] if only the letter is known | its own lock | any [`Plain`] type; what does not fit is an error, where Python wraps or rounds | no pointers; [`SharedStr`](crate::SharedStr) in place of `c_char_p` |
//! | `Value(..., lock=lock)` | [`Value::with_lock`] | several may have one lock | the holder of a lock that is not recursive works inside it, where Python waits for itself | [`Lock`] and [`RLock`] only |
//! | `Value(..., lock=False)`, `RawValue` | [`RawValue`] | up to 8 bytes never torn; larger ones are | [`fetch_add`](crate::RawValue::fetch_add) | |
//! | `v.value` | [`get`](crate::Value::get) | never torn | waits for nobody | |
//! | `v.value = x` | [`set`](crate::Value::set) | never torn | a writer that is killed leaves the old value or the new one | |
//! | `v.value += 1` | [`fetch_add`](crate::Value::fetch_add) | | loses nothing | `+=` on what `get` gave changes a copy |
//! | `with v.get_lock():` | [`lock`](crate::Value::lock), [`update`](crate::Value::update) | nobody gets between | a holder that is killed is told ([`LockError::OwnerDied`]) and leaves the value whole | the guard is the value; its lock is not recursive |
//! | `get_obj()` | | | | none: nobody goes past the lock of a `Value` |
//!
//! # Array and RawArray
//!
//! | Python | here | the same | better | different |
//! |---|---|---|---|---|
//! | `Array('i', 5)` | [`Array::new`]`(5)` | zeros | any [`Plain`] type | at least one element |
//! | `Array('i', [1, 2])` | [`Array::from_slice`] | the length stays | | |
//! | `a[i]`, `a[i] = x` | [`get`](crate::Array::get), [`set`](crate::Array::set) | out of range is an error | up to 8 bytes: waits for nobody | no index from the end |
//! | `a[i] += 1` | [`fetch_add`](crate::Array::fetch_add) | | loses nothing | |
//! | `a[1:3]`, `a[:]` | [`read`](crate::Array::read), [`snapshot`](crate::Array::snapshot) | whole, a copy | after a death inside the lock: [`SliceError::OwnerDied`], until somebody has repaired it | no steps; what reaches beyond the end is an error |
//! | `a[1:3] = x` | [`write`](crate::Array::write) | another length is an error, and nothing is written | all of it or, on an error, nothing | |
//! | `for x in a`, `list(a)` | [`iter`](crate::Array::iter) | | a snapshot, where Python reads one after the other | |
//! | `with a.get_lock():` | [`lock`](crate::Array::lock), [`update`](crate::Array::update) | nobody gets between | a holder that is killed is told | |
//! | `RawArray` | [`RawArray`] | slices tear | elements of up to 8 bytes do not, and have [`fetch_add`](crate::RawArray::fetch_add) | |
//!
//! # Lock and RLock
//!
//! | Python | here | the same | better | different |
//! |---|---|---|---|---|
//! | `acquire()`, `with lock:` | [`lock`](crate::Lock::lock) | one holder among all processes | a holder that was killed is found within 50 ms: [`LockError::OwnerDied`] with the lock in hand, where Python waits for ever; waiting for oneself is [`LockError::WouldDeadlock`] | a guard, which lets go when it is dropped |
//! | `acquire(False)` | [`try_lock`](crate::Lock::try_lock) | never blocks | | an error in place of `False` |
//! | `acquire(timeout=)` | [`lock_timeout`](crate::Lock::lock_timeout) | zero looks once | the monotonic clock, where Python's timeouts follow the clock on the wall | |
//! | `release()` | `drop` of the guard | | nobody lets go of what another one holds, or of a free lock | a `Lock` of Python's may be released by anybody |
//! | `locked()` (3.14) | [`is_locked`](crate::Lock::is_locked) | | | |
//! | `RLock` | [`RLock`] | its holder, a thread of a process, may enter again; a forked child holds nothing | a thread's number is never used again, so that no other thread comes to own it | a guard for each time |
//!
//! # Not here
//! `Semaphore`, `Condition`, `Event`, `Barrier`, `Pool`, managers, and waiting for several things at once. Processes are
//! started with [`spawn`](crate::spawn()), [`fork`](crate::fork) or a `Command` ([`Share`](crate::Share)).
//!
//! [`Queue`]: crate::Queue
//! [`JoinableQueue`]: crate::JoinableQueue
//! [`Putter`]: crate::Putter
//! [`Getter`]: crate::Getter
//! [`bounded`]: crate::Queue::bounded
//! [error]: crate::CreateError::MaxLen
//! [`capacity`]: crate::QueueOptions::capacity
//! [`put`]: crate::Queue::put
//! [`put_timeout`]: crate::Queue::put_timeout
//! [`try_put`]: crate::Queue::try_put
//! [`put_many`]: crate::Putter::put_many
//! [`PutError::Encode`]: crate::PutError::Encode
//! [`Duration`]: std::time::Duration
//! [`get`]: crate::Queue::get
//! [`get_timeout`]: crate::Queue::get_timeout
//! [`try_get`]: crate::Queue::try_get
//! [`get_many`]: crate::Getter::get_many
//! [`GetError::Disconnected`]: crate::GetError::Disconnected
//! [`len`]: crate::Queue::len
//! [`is_empty`]: crate::Queue::is_empty
//! [`is_full`]: crate::Queue::is_full
//! [`max_len`]: crate::Queue::max_len
//! [`close`]: crate::Queue::close
//! [`close_now`]: crate::Queue::close_now
//! [`task_done`]: crate::JoinableQueue::task_done
//! [`task`]: crate::JoinableQueue::task
//! [`TaskDoneError::NoTask`]: crate::TaskDoneError::NoTask
//! [`join`]: crate::JoinableQueue::join
//! [`join_timeout`]: crate::JoinableQueue::join_timeout
//! [`unfinished`]: crate::JoinableQueue::unfinished
//! [`JoinError::WorkerDied`]: crate::JoinError::WorkerDied
//! [acknowledged]: crate::JoinableQueue::acknowledge
//! [delivers again]: crate::QueueOptions::create_redelivering
//! [`Pipe::duplex`]: crate::Pipe::duplex
//! [`Pipe::simplex`]: crate::Pipe::simplex
//! [`Pipe::bytes`]: crate::Pipe::bytes
//! [`Receiver`]: crate::Receiver
//! [`Sender`]: crate::Sender
//! [`RecvError::Disconnected`]: crate::RecvError::Disconnected
//! [`ByteSender::send`]: crate::ByteSender::send
//! [`ByteReceiver::recv`]: crate::ByteReceiver::recv
//! [`Value::new`]: crate::Value::new
//! [`Value::with_lock`]: crate::Value::with_lock
//! [`DynValue`]: crate::DynValue
//! [`Plain`]: crate::Plain
//! [`RawValue`]: crate::RawValue
//! [`Lock`]: crate::Lock
//! [`RLock`]: crate::RLock
//! [`LockError::OwnerDied`]: crate::LockError::OwnerDied
//! [`LockError::WouldDeadlock`]: crate::LockError::WouldDeadlock
//! [`Array::new`]: crate::Array::new
//! [`Array::from_slice`]: crate::Array::from_slice
//! [`RawArray`]: crate::RawArray
//! [`SliceError::OwnerDied`]: crate::SliceError::OwnerDied
