//! The race: two that add to one number, with a lock and without.
//!
//! In the model: every way it can come out, and the shortest story of a lost update. On real processes: how many updates
//! were lost, and how long it took.

use crate::explore::scenario;
use crate::worlds::processes::{Barrier, Error, Helper, Started};
use crate::worlds::{Extent, Run, Setting, World};
use procession::{Handle, Lock, RawValue, Share, Value};
use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

/// How the number is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Read, then write.
    Unlocked,
    /// Read, then write, holding a lock.
    Locked,
    /// `Value::update`.
    Update,
    /// `Value::fetch_add`.
    FetchAdd,
}

impl Form {
    /// All of them.
    pub const ALL: [Form; 4] = [Form::Unlocked, Form::Locked, Form::Update, Form::FetchAdd];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Form::Unlocked => "unlocked",
            Form::Locked => "locked",
            Form::Update => "update",
            Form::FetchAdd => "fetch_add",
        }
    }

    /// The model's scenario. `update` and `fetch_add` are the same steps there: lock, read, write, unlock.
    fn scenario(self) -> &'static str {
        match self {
            Form::Unlocked => "raw-plus-plus",
            Form::Locked => "value-guard-guard",
            Form::Update | Form::FetchAdd => "value-add-add",
        }
    }
}

/// What the model says of a form: two roles, an increment each.
pub struct Modelled {
    /// The values it can end with.
    pub outcomes: BTreeSet<u64>,
    /// The run.
    pub run: Run,
    /// The story of a lost update with the fewest switches between the roles.
    pub story: Option<String>,
}

/// Explores a form.
pub fn model(form: Form) -> Option<Modelled> {
    let setting = Setting { survey: true, ..Setting::new(World::LoomRmw(None)) };
    let run = scenario(form.scenario())?.run(&setting);
    let outcomes = run.outcomes.keys().filter_map(|told| last_value(told)).collect();
    let story = run.violation.as_ref().map(|violation| violation.story.clone());
    Some(Modelled { outcomes, run, story })
}

/// The value at the end: one more than the last value found.
fn last_value(told: &str) -> Option<u64> {
    let found = told.split("Held(").skip(1).filter_map(|rest| rest.split(')').next()?.parse::<u64>().ok());
    found.max().map(|found| found + 1)
}

impl Modelled {
    /// Whether every interleaving was seen.
    pub fn is_exhausted(&self) -> bool {
        self.run.extent == Some(Extent::Exhausted)
    }
}

/// What real processes did.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// How many there were.
    pub roles: u64,
    /// How often each added one.
    pub increments: u64,
    /// How many updates were lost.
    pub lost: u64,
    /// How often it was tried.
    pub rounds: u32,
    /// How long the last try took.
    pub took: Duration,
}

/// Lets real processes add; the unlocked form again and again, until an update is lost or `budget` is spent. Each time they
/// add twice as often, up to a point: two that share a processor only meet if one is interrupted at work.
pub fn measure(helper: &Helper, form: Form, roles: u64, increments: u64, budget: Duration) -> Result<Measured, Error> {
    const MOST_DOUBLINGS: u32 = 8;
    let until = Instant::now() + budget;
    for rounds in 1.. {
        let increments = increments.saturating_mul(1 << (rounds - 1).min(MOST_DOUBLINGS));
        let (took, total) = round(helper, form, roles, increments)?;
        let lost = roles * increments - total;
        if form != Form::Unlocked || lost > 0 || Instant::now() > until {
            return Ok(Measured { roles, increments, lost, rounds, took });
        }
    }
    Err("there are more rounds than numbers".into())
}

fn round(helper: &Helper, form: Form, roles: u64, increments: u64) -> Result<(Duration, u64), Error> {
    let (raw, lock, value) = (RawValue::new(0u64)?, Lock::new()?, Value::new(0u64)?);
    let (here, done) = (Barrier::new()?, Barrier::new()?);
    let mut helpers = start(helper, roles, &format!("race {} {roles} {increments}", form.name()), |command| {
        command.share("raw", &raw).share("lock", &lock).share("value", &value);
        here.share("here", command);
        done.share("done", command);
    })?;
    here.wait_for(roles)?;
    let started = Instant::now();
    done.wait_for(roles)?;
    let took = started.elapsed();
    helpers.iter_mut().try_for_each(Started::succeed)?;
    Ok((took, raw.get()? + value.get()?))
}

fn start(helper: &Helper, roles: u64, task: &str, share: impl Fn(&mut Command)) -> Result<Vec<Started>, Error> {
    (0..roles)
        .map(|_| {
            let mut command = helper.task(task);
            share(&mut command);
            Started::new(&mut command)
        })
        .collect()
}

/// The helper's side.
pub(crate) fn serve(argument: &str) -> Result<(), Error> {
    let words: Vec<&str> = argument.split(' ').collect();
    let [what, first, count] = words[..] else { return Err("what, for whom, how often".into()) };
    let count: u64 = count.parse()?;
    let form = Form::ALL.into_iter().find(|form| form.name() == what).ok_or("no such form")?;
    add(form, first.parse()?, count)
}

fn add(form: Form, roles: u64, increments: u64) -> Result<(), Error> {
    let (raw, lock) = (RawValue::<u64>::inherited("raw")?, Lock::inherited("lock")?);
    let value = Value::<u64>::inherited("value")?;
    let done = Barrier::inherited("done")?;
    Barrier::inherited("here")?.meet(roles)?;
    for _ in 0..increments {
        match form {
            Form::Unlocked => raw.set(raw.get()? + 1),
            Form::Locked => {
                let _guard = lock.lock().map_err(|error| error.to_string())?;
                raw.set(raw.get()? + 1);
            }
            Form::Update => drop(value.update(|value| *value += 1)?),
            Form::FetchAdd => drop(value.fetch_add(1)?),
        }
    }
    done.arrive()
}
