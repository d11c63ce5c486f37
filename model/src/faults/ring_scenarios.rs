//! The scenarios of the ring.

use super::Fault;
use super::bounded::{Op, Passage};
use super::ring::Form::*;
use super::ring::{Form, Ring};
use crate::scenario::Scenario;

const GET: &[Op] = &[Op::Get];
const GET_TWICE: &[Op] = &[Op::Get, Op::Get];
const GET_TIMEOUT: &[Op] = &[Op::GetTimeout];
const PUT: &[Op] = &[Op::Put(1)];
const PUT_OTHER: &[Op] = &[Op::Put(2)];
const PUT_TWICE: &[Op] = &[Op::Put(1), Op::Put(2)];
const PUT_THREE: &[Op] = &[Op::Put(1), Op::Put(2), Op::Put(3)];
const CLOSE: &[Op] = &[Op::Close];

fn scenario<const N: usize>(
    name: &'static str,
    form: Form,
    capacity: u32,
    roles: [&[Op]; N],
) -> Scenario<Passage<Ring>> {
    Scenario::new(name, Passage(Ring { form, capacity }), roles)
}

pub(super) fn faults() -> Vec<Fault> {
    let twice = |name, form| scenario(name, form, 1, [PUT_TWICE, GET_TWICE]);
    let getters = |name, form| scenario(name, form, 1, [PUT_TWICE, GET, GET]);
    let stale = |name, form| scenario(name, form, 2, [PUT_THREE, GET_TWICE, GET]);
    let woken = |name, form| scenario(name, form, 2, [PUT_TWICE, GET_TIMEOUT, GET]);
    let close = |name, form| scenario(name, form, 1, [PUT_TWICE, GET_TWICE, CLOSE]);
    vec![
        Fault::holds(twice("ring-twice", Right), "one that puts and one that gets, each waiting for the other"),
        Fault::holds(
            scenario("ring-putters", Right, 1, [PUT, PUT_OTHER, GET_TWICE]),
            "putters wait for each other's room",
        ),
        Fault::holds(getters("ring-getters", Right), "two that get sleep on the same count"),
        Fault::holds(
            scenario("ring-killed", Right, 2, [PUT, PUT_OTHER, GET]),
            "any of them is killed, and nobody else is kept: the ticks replace the wakes of the dead",
        )
        .killing(1),
        Fault::holds(
            scenario("ring-both-narrow", Right, 1, [PUT, PUT_OTHER, GET, GET]),
            "two on each side and room for one item: who is left without a partner by a death waits lawfully",
        )
        .killing(1),
        Fault::holds(
            scenario("ring-both", Right, 2, [PUT, PUT_OTHER, GET, GET]),
            "two on each side, and room for two items",
        )
        .killing(1),
        Fault::asleep(
            scenario("ring-ticks-blindly", TicksBlindly, 2, [PUT, PUT_OTHER, GET]),
            "who is awake for a tick misses a wake, and must not sleep on what that was about: a put has returned, and its \
             item lies there",
        )
        .killing(1),
        Fault::holds(
            scenario("ring-ticks-blindly-alone", TicksBlindly, 2, [PUT, GET]),
            "the same, and nobody can tell: the only putter died in its put, which need not have happened",
        )
        .killing(1),
        Fault::asleep(
            twice("ring-flag-cleared-by-waker", FlagClearedByWaker),
            "the waker, late, clears the flag of a sleeper that sleeps on the count that is there already",
        ),
        Fault::asleep(
            getters("ring-getters-flag-cleared-by-waker", FlagClearedByWaker),
            "the waker of one sleeper clears the flag of another",
        ),
        Fault::asleep(stale("ring-mark-outside", MarkOutside), "a mark that comes late writes over a newer one"),
        Fault::holds(woken("ring-wakes-one", WakesOne), "whoever is woken looks again, and so takes what is there"),
        Fault::asleep(
            woken("ring-wakes-one-leaves-woken", WakesOneLeavesWoken),
            "whoever is woken leaves without a look: the item is there, and the other sleeps",
        ),
        Fault::holds(twice("ring-unlocked", Unlocked), "one role to a side needs no lock, with store buffers")
            .with_store_buffers(),
        Fault::asleep(twice("ring-unlocked-light", UnlockedLight), "mark and count still wait in their buffers")
            .with_store_buffers(),
        Fault::holds(twice("ring-unlocked-light-sc", UnlockedLight), "sequential consistency cannot notice"),
        Fault::holds(
            close("ring-close", Right),
            "CLOSED in the count itself: whoever is about to sleep on it does not",
        ),
        Fault::asleep(
            close("ring-closed-beside", ClosedBeside),
            "a flag beside the count: between the look at it and the sleep it is set, and the wake wakes nobody",
        ),
    ]
}
