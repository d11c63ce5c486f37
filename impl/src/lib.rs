//! Python's `multiprocessing` primitives for Rust, between real processes over shared memory, made so that a process may
//! be killed at any moment and nothing is lost, torn or left hanging.
//!
//! So far: [`Lock`], [`RLock`], [`Value`], [`Array`], [`RawValue`], [`RawArray`], [`Pipe`], [`Queue`], [`JoinableQueue`], for threads,
//! [forked](fork) and spawned children ([`Share`], or [`spawn`](spawn()) for a function), whoever is at the other end of a socket
//! ([`Handles::send`]), and whoever knows a name ([`Handle::open`]). From when each of them counts as a user, and what a kill
//! does: [`Handle`].
//!
//! What is called what, and what differs: [`coming_from_python`].
//!
//! # Types
//! What is shared is [`Plain`]: bytes without pointers. The types of C have the letters of Python's `ctypes`, a [`TypeCode`];
//! a [`DynValue`] is a `Value` and a [`DynArray`] an `Array` whose type is known by its letter only. [`SharedStr`] and
//! [`SharedBytes`] stand for pointers to text.
//!
//! # Messages
//! A [`Pipe`] has one sender and one receiver in each direction, a [`Queue`] any number of both. What they carry is a
//! [`Codec`]'s matter: any type that [`serde`](https://serde.rs) can write and read ([`Postcard`]), [`Plain`] data ([`AsIs`]), and in
//! a pipe bytes ([`Bytes`]). A message is in shared memory when it has been sent: its sender may end. The messages of a
//! [`JoinableQueue`] are tasks: whoever [joins](JoinableQueue::join) waits until all are done, and is told if they will not be.
//!
//! # When a process dies
//! A peer is alive exactly as long as some address space of it can write to the region; a stopped process is alive. Whoever
//! waits for a dead one finds out within a tick, at most 50 ms, and goes on. A lock whose holder died is handed over inside
//! [`LockError::OwnerDied`], once. A value is the old one or the new one. A message is received whole, or not at all.
//!
//! # Names
//! A named region lives under `/dev/shm` for as long as anybody uses it. The last user to leave removes the name; if that
//! one was killed, the name is stale and the next `create` or `open`, or a [`sweep`], removes it. Mode 0600.
//!
//! # What is trusted
//! Peers are the same user's processes. Nothing a broken one writes makes this one panic, run for ever or misread memory;
//! but a peer can claim to hold a lock, change bytes that [`recv_with`](Receiver::recv_with) lets somebody read in place, and
//! a named file can be truncated under its users (anonymous memory is sealed).
//!
//! # The house
//! `platform` is the seam; `algorithm` is written against it and nothing else; `shm` implements it and contains all
//! `unsafe` code; the rest are thin, safe handles.

pub mod algorithm;
mod array;
mod array_error;
mod array_guard;
mod bundle;
mod codec;
mod coded;
pub mod coming_from_python;
mod connection;
mod dyn_array;
mod dyn_error;
mod dyn_value;
mod error;
mod guard;
mod guarded_by;
mod inspect;
mod joinable_queue;
pub mod layout;
mod lock;
mod lock_error;
mod messages;
mod pipe;
mod pipe_end;
mod pipe_error;
mod plain;
pub mod platform;
mod queue;
mod queue_batch;
mod queue_end;
mod queue_error;
mod queue_options;
mod queue_place;
mod queue_sides;
mod raw_array;
mod raw_value;
mod receiver;
mod scalar;
mod sender;
mod share;
mod shared_bytes;
pub mod shm;
mod slots;
mod spawn;
mod task;
mod task_error;
mod type_code;
mod value;
mod value_guard;

pub use array::Array;
pub use array_error::{ElementError, SliceError};
pub use array_guard::ArrayGuard;
pub use bundle::{Handles, Inherited, ReceiveHandlesError, SendHandlesError};
pub use codec::{AsIs, Bytes, Codec, DecodeError, EncodeError, Format, Postcard};
pub use coded::{Coded, ConvertError};
pub use connection::{ByteConnection, Connection};
pub use dyn_array::DynArray;
pub use dyn_error::{ConvertSliceError, DynCreateError, DynElementError, DynError, DynSliceError};
pub use dyn_value::DynValue;
pub use error::{AttachError, BadName, CreateError, OpenError, SystemError, TypePrint};
pub use guard::{Guard, Lockable};
pub use guarded_by::GuardedBy;
pub use inspect::{DirectionState, LockState, Stat, Swept, sweep};
pub use joinable_queue::{JoinableQueue, TaskGetter, TaskPutter};
pub use lock::{Lock, LockGuard, RLock, RLockGuard};
pub use lock_error::{AccessError, LockError, LockTimeoutError, TryLockError};
pub use messages::Messages;
pub use pipe::{Connections, Ends, Pipe, PipeOptions};
pub use pipe_error::{
    EndError, RecvError, RecvIntoError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
    Unsent,
};
pub use plain::{Integer, Plain};
pub use queue::Queue;
pub use queue_error::{GetError, GetTimeoutError, PutError, PutTimeoutError, QueueError, TryGetError, TryPutError};
pub use queue_options::QueueOptions;
pub use queue_place::{Content, Items, Tasks};
pub use queue_sides::{Getter, Putter};
pub use raw_array::RawArray;
pub use raw_value::RawValue;
pub use receiver::{ByteReceiver, Receiver};
pub use scalar::{ParseScalarError, Scalar};
pub use sender::{ByteSender, Sender};
pub use share::{ForkError, Handle, OpenOrCreateError};
pub use shared_bytes::{NotUtf8, SharedBytes, SharedStr, TooLong};
pub use shm::{Forked, Share, fork};
pub use spawn::{Entry, SpawnError, serve, spawn};
pub use task::Task;
pub use task_error::{JoinError, JoinTimeoutError, TaskDoneError};
pub use type_code::{TypeCode, UnknownCode};
pub use value::Value;
pub use value_guard::{ValueGuard, ValueLockError};
pub use zerocopy;
