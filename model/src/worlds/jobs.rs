//! Scenes on real processes that need more than a program: holders that are killed or stopped, forked children, names whose
//! users are dead, fences. Each job is a claim put to the test on this machine: `Ok` says what was seen, `Err` what was wrong.

use super::processes::{Barrier, Error, Helper, Started};
use super::{array_jobs, handle_jobs};
use crate::{race, tearing};
use nix::sys::signal::Signal;
use procession::platform::{Access, Ordering, Platform, Site};
use procession::shm::{MappedSlice, Name};
use procession::{
    AccessError, Handle, Lock, LockError, LockTimeoutError, OpenError, RawValue, Share, TryLockError, Value, fork,
};
use std::time::{Duration, Instant};

/// What a job saw, or what was wrong.
pub type Seen = Result<String, String>;

/// A job: its name, and how to do it.
pub type Job = (&'static str, fn(&Helper) -> Result<Seen, Error>);

const JOBS: &[Job] = &[
    ("killed-holder", |helper| killed_holder(helper, 50)),
    ("stopped-holder", stopped_holder),
    ("forked-child", forked_child),
    ("stale-name", stale_name),
    ("wrong-handle", wrong_handle),
    ("fence-pair", fence_pair),
];

/// All of them.
pub fn jobs() -> impl Iterator<Item = Job> {
    [JOBS, array_jobs::JOBS, handle_jobs::JOBS].into_iter().flatten().copied()
}

pub(super) fn wrong(what: impl Into<String>) -> Result<Seen, Error> {
    Ok(Err(what.into()))
}

/// The helper's side.
pub(super) fn serve(name: &str, argument: &str) -> Result<(), Error> {
    match name {
        "hold" => hold(),
        "fork" => fork_with_guard(),
        "create" => create(argument),
        "fences" => fences(argument),
        "copy" => array_jobs::copy(),
        "idle" => handle_jobs::idle(),
        "race" => race::serve(argument),
        "tear" => tearing::serve(argument),
        _ => Err("no such task".into()),
    }
}

/// Kills holders of a lock, one after another; each is answered once, and what it was writing is not torn.
pub fn killed_holder(helper: &Helper, rounds: u32) -> Result<Seen, Error> {
    let (lock, value) = (Lock::new()?, Value::new([0u64; 8])?);
    let mut longest = Duration::ZERO;
    for round in 0..rounds {
        let (mut holder, barrier) = start_holder(helper, &lock, &value)?;
        barrier.wait_for(1)?;
        holder.kill()?;
        let killed = Instant::now();
        match lock.lock() {
            Err(LockError::OwnerDied(guard)) => drop(guard),
            other => return wrong(format!("round {round}: after the holder's death, lock() was {other:?}")),
        }
        longest = longest.max(killed.elapsed());
        if !matches!(lock.lock(), Ok(_guard)) {
            return wrong(format!("round {round}: the death was told twice"));
        }
        let held = value.get()?;
        if held.iter().any(|word| *word != held[0]) {
            return wrong(format!("round {round}: torn: {held:?}"));
        }
    }
    Ok(Ok(format!("{rounds} holders killed, each told once; longest recovery {longest:.1?}")))
}

fn start_holder(helper: &Helper, lock: &Lock, value: &Value<[u64; 8]>) -> Result<(Started, Barrier), Error> {
    let barrier = Barrier::new()?;
    let mut command = helper.task("hold");
    command.share("lock", lock).share("value", value);
    barrier.share("barrier", &mut command);
    Ok((Started::new(&mut command)?, barrier))
}

/// Holds the lock and writes the value without end, until the barrier counts to 100.
fn hold() -> Result<(), Error> {
    let (lock, value) = (Lock::inherited("lock")?, Value::<[u64; 8]>::inherited("value")?);
    let barrier = Barrier::inherited("barrier")?;
    let guard = lock.lock().map_err(|error| error.to_string())?;
    barrier.arrive()?;
    while !barrier.is_at(100)? {
        value.update(|words| *words = words.map(|word| word.wrapping_add(1)))?;
    }
    drop(guard);
    Ok(())
}

fn stopped_holder(helper: &Helper) -> Result<Seen, Error> {
    let (lock, value) = (Lock::new()?, Value::new([0u64; 8])?);
    let (mut holder, barrier) = start_holder(helper, &lock, &value)?;
    barrier.wait_for(1)?;
    holder.signal(Signal::SIGSTOP)?;
    let told = lock.lock_timeout(Duration::from_millis(200));
    if !matches!(told, Err(LockTimeoutError::TimedOut)) {
        return wrong(format!("with a stopped holder, lock_timeout() was {told:?}"));
    }
    holder.signal(Signal::SIGCONT)?;
    (1..100).try_for_each(|_| barrier.arrive())?;
    if let Err(error) = lock.lock() {
        return wrong(format!("after the holder went on and let go, lock() was {error:?}"));
    }
    holder.succeed()?;
    Ok(Ok("a holder stopped for 200 ms kept its lock, went on and let go".into()))
}

fn forked_child(helper: &Helper) -> Result<Seen, Error> {
    let (lock, value) = (Lock::new()?, Value::new(0u64)?);
    let barrier = Barrier::new()?;
    let mut command = helper.task("fork");
    command.share("lock", &lock).share("value", &value);
    barrier.share("barrier", &mut command);
    let mut parent = Started::new(&mut command)?;
    barrier.wait_for(1)?; // the child has dropped what it inherited
    let told = lock.try_lock();
    if !matches!(told, Err(TryLockError::WouldBlock)) {
        return wrong(format!("after a child dropped an inherited guard, try_lock() was {told:?}"));
    }
    if value.get()? != 0 {
        return wrong("a child published its parent's half-done change");
    }
    (1..100).try_for_each(|_| barrier.arrive())?;
    parent.succeed()?;
    match (lock.lock(), value.get()?) {
        (Ok(_), 1) => Ok(Ok("a child dropped two inherited guards; both stayed its parent's".into())),
        other => wrong(format!("at the end the lock and the value were {other:?}")),
    }
}

/// Holds two guards while a forked child drops its copies of them.
fn fork_with_guard() -> Result<(), Error> {
    let (lock, value) = (Lock::inherited("lock")?, Value::<u64>::inherited("value")?);
    let barrier = Barrier::inherited("barrier")?;
    let mut guard = Some(lock.lock().map_err(|error| error.to_string())?);
    let mut change = Some(value.lock().map_err(|error| error.to_string())?);
    if let Some(value) = &mut change {
        **value = 1;
    }
    let child = fork(|| {
        drop(guard.take());
        drop(change.take());
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => 0,
            _ => 1,
        }
    })?;
    if !child.wait()?.success() {
        return Err("the child got its parent's lock".into());
    }
    barrier.arrive()?;
    barrier.wait_for(100)
}

/// A name for the length of one job.
pub(super) fn unused_name() -> String {
    use std::time::SystemTime;
    let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("job-{}-{nanos}", std::process::id())
}

/// Removes the name at the end of a job, however it ends. To be made before any helper, so that it is dropped after them.
pub(super) struct Tidy(pub(super) String);

impl Drop for Tidy {
    fn drop(&mut self) {
        if let Ok(name) = Name::new(&self.0) {
            let _ = name.sweep();
        }
    }
}

fn stale_name(helper: &Helper) -> Result<Seen, Error> {
    let name = unused_name();
    let _tidy = Tidy(name.clone());
    let barrier = Barrier::new()?;
    let mut command = helper.task(&format!("create {name}"));
    barrier.share("barrier", &mut command);
    let mut creator = Started::new(&mut command)?;
    barrier.wait_for(1)?;
    let opened = Value::<u32>::open(&name)?;
    creator.kill()?;
    if opened.get()? != 7 || Value::<u32>::open(&name).is_err() {
        return wrong("a region in use went with its creator");
    }
    drop(opened);
    match Value::<u32>::open(&name) {
        Err(OpenError::NotFound { .. }) => {}
        other => return wrong(format!("after its last user left, open() was {other:?}")),
    }
    let barrier = Barrier::new()?;
    let mut command = helper.task(&format!("create {name}"));
    barrier.share("barrier", &mut command);
    let mut creator = Started::new(&mut command)?;
    barrier.wait_for(1)?;
    creator.kill()?; // nobody is left to remove the name
    match Value::<u32>::open(&name) {
        Err(OpenError::NotFound { .. }) => Ok(Ok("a name outlived its creator, not its last user".into())),
        other => wrong(format!("after its only user was killed, open() was {other:?}")),
    }
}

fn create(name: &str) -> Result<(), Error> {
    let _value = Value::create(name, 7u32)?;
    let barrier = Barrier::inherited("barrier")?;
    barrier.arrive()?;
    barrier.wait_for(100)
}

fn wrong_handle(_helper: &Helper) -> Result<Seen, Error> {
    let name = unused_name();
    let value = Value::create(&name, 7u32)?;
    let refusals = [
        ("another type", matches!(Value::<f32>::open(&name), Err(OpenError::Type { .. }))),
        ("another kind", matches!(Lock::open(&name), Err(OpenError::Kind { .. }))),
        (
            "another lock",
            matches!(Value::<u32>::open_with_lock(&name, &Lock::new()?), Err(OpenError::WrongLock { .. })),
        ),
        ("no such name", matches!(Lock::open(&format!("{name}-not")), Err(OpenError::NotFound { .. }))),
        ("a bad name", matches!(Lock::open("a/b"), Err(OpenError::BadName(_)))),
        ("no handle", matches!(Lock::inherited(&name), Err(OpenError::NotInherited { .. }))),
        ("its own guard", {
            let _guard = value.lock();
            value.set(8) == Err(AccessError::WouldDeadlock)
        }),
    ];
    match refusals.iter().find(|(_, refused)| !refused) {
        Some((what, _)) => wrong(format!("{what} was not refused as it should be")),
        None if value.get()? != 7 => wrong("a refusal changed the value"),
        None => Ok(Ok(format!("{} kinds of misuse refused, nothing changed", refusals.len()))),
    }
}

static SAY: Site = Site::new("job.say", Access::Store, Ordering::Relaxed, "the fences order it");
static LOOK: Site = Site::new("job.look", Access::Load, Ordering::Relaxed, "the fences order it");
static FENCE: Site = Site::plain("job.fence", Access::HeavyFence, "pairs with the other side's");

/// How often each side says and looks.
const FENCE_ROUNDS: u64 = 20_000;

/// Store buffering, between processes: without fences both sides miss each other now and then; with the pair, never.
fn fence_pair(helper: &Helper) -> Result<Seen, Error> {
    let mut missed = Vec::new();
    for fenced in [false, true] {
        let (said, misses) = (RawValue::new([0u64; 32])?, RawValue::new(0u64)?);
        let barrier = Barrier::new()?;
        let mut sides = Vec::new();
        for side in 0..2 {
            let mut command = helper.task(&format!("fences {side} {fenced}"));
            command.share("said", &said).share("misses", &misses);
            barrier.share("barrier", &mut command);
            sides.push(Started::new(&mut command)?);
        }
        sides.iter_mut().try_for_each(Started::succeed)?;
        missed.push(misses.get()?);
    }
    match missed[..] {
        [_, misses] if misses > 0 => wrong(format!("with the fence pair, both sides missed each other {misses} times")),
        [without, _] => Ok(Ok(format!(
            "in {FENCE_ROUNDS} rounds both missed each other {without} times without fences, never with them"
        ))),
        _ => Err("two runs were made".into()),
    }
}

fn fences(argument: &str) -> Result<(), Error> {
    let (side, fenced) = argument.split_once(' ').ok_or("a side and whether fenced")?;
    let (side, fenced): (usize, bool) = (side.parse()?, fenced.parse()?);
    let (said, misses) = (RawValue::<[u64; 32]>::inherited("said")?, RawValue::<u64>::inherited("misses")?);
    let attachment = said.attachment().clone();
    let words = MappedSlice::words(attachment.clone(), 0, 32).ok_or("the region is too small")?;
    // Each word on a cache line of its own: said by each side, seen by each side, rounds done by each side.
    let word = |index: usize| &words[8 * index];
    let (mine, theirs) = (word(side), word(1 - side));
    let (my_round, their_round) = (word(2 + side), word(3 - side));
    let shm = attachment.shm();
    Barrier::inherited("barrier")?.meet(2)?;
    let until = Instant::now() + super::processes::PATIENCE;
    for round in 1..=FENCE_ROUNDS {
        shm.store(mine, round, &SAY);
        if fenced && side == 0 {
            shm.light_fence(&FENCE);
        } else if fenced {
            shm.heavy_fence(&FENCE);
        }
        let saw = shm.load::<u64>(theirs, &LOOK) >= round;
        // Both tell each other what they saw: the round, and one bit.
        shm.swap(my_round, 2 * round + u64::from(saw), &SAY);
        let mut spins = 0u32;
        let mut other: u64 = shm.load(their_round, &LOOK);
        while other < 2 * round {
            if Instant::now() > until {
                return Err("the other side stopped".into());
            }
            // The two run at once only where there are two processors to spare.
            spins += 1;
            if spins.is_multiple_of(1000) {
                std::thread::yield_now()
            } else {
                std::hint::spin_loop()
            }
            other = shm.load(their_round, &LOOK);
        }
        let other_saw = other >= 2 * round + 2 || other & 1 == 1;
        if side == 0 && !saw && !other_saw {
            misses.fetch_add(1)?;
        }
    }
    Ok(())
}
