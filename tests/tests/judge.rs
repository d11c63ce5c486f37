//! The judge judged: histories that are fine, and histories that are not, for the specifications and for broken ones.

use procession_model::check::{Order, Verdict, check};
use procession_model::history::{Event, History};
use procession_model::spec::lock::{Answer, Lock, Op};
use procession_model::spec::{Actor, Spec, value};

const A: Actor = Actor { process: 0, role: 0 };
const B: Actor = Actor { process: 1, role: 1 };

type Told = History<Op, Answer>;

fn call(actor: Actor, op: Op) -> Event<Op, Answer> {
    Event::Call(actor, op)
}

fn told(actor: Actor, answer: Answer) -> Event<Op, Answer> {
    Event::Return(actor, answer)
}

/// One after the other: call and return at once.
fn done(steps: &[(Actor, Op, Answer)]) -> Told {
    steps.iter().flat_map(|(actor, op, answer)| [call(*actor, *op), told(*actor, *answer)]).collect()
}

fn is_ok(history: &Told) -> bool {
    matches!(check(&Lock::default(), history, Order::RealTime, 10_000), Verdict::Ok(_))
}

#[test]
fn two_holders_at_once_are_rejected() {
    let one = [(A, Op::Lock, Answer::Locked), (A, Op::Unlock, Answer::Unlocked), (B, Op::Lock, Answer::Locked)];
    assert!(is_ok(&done(&one)));
    assert!(!is_ok(&done(&[one[0], one[2]])));
}

#[test]
fn a_count_that_comes_twice_is_rejected() {
    let section = |actor, count| {
        [
            (actor, Op::Lock, Answer::Locked),
            (actor, Op::Count, Answer::Counted(count)),
            (actor, Op::Unlock, Answer::Unlocked),
        ]
    };
    assert!(is_ok(&done(&[section(A, 0), section(B, 1)].concat())));
    assert!(!is_ok(&done(&[section(A, 0), section(B, 0)].concat())));
    assert!(!is_ok(&done(&[section(A, 1), section(B, 0)].concat())));
}

#[test]
fn real_time_counts_only_where_it_is_meant_to() {
    // B counts 0 after A has counted 1: as if B had come first, which real time forbids and program order does not.
    let section = |actor, count| {
        done(&[
            (actor, Op::Lock, Answer::Locked),
            (actor, Op::Count, Answer::Counted(count)),
            (actor, Op::Unlock, Answer::Unlocked),
        ])
    };
    let history = [section(A, 1), section(B, 0)].concat();
    let verdict = |order| check(&Lock::default(), &history, order, 10_000);
    assert!(matches!(verdict(Order::RealTime), Verdict::Illegal(_)));
    assert!(matches!(verdict(Order::Program), Verdict::Ok(_)));
}

#[test]
fn a_death_is_told_once_and_only_if_there_was_one() {
    let died = |mut before: Told, after: &[(Actor, Op, Answer)]| {
        before.push(Event::Died(0));
        before.extend(done(after));
        before
    };
    let held = done(&[(A, Op::Lock, Answer::Locked)]);
    let told_once =
        [(B, Op::Lock, Answer::OwnerDied), (B, Op::Unlock, Answer::Unlocked), (B, Op::Lock, Answer::Locked)];
    assert!(is_ok(&died(held.clone(), &told_once)));
    // Told twice; not told; told though nobody held it; told to somebody who only tried.
    let told_twice = [told_once[0], told_once[1], told_once[0]];
    assert!(!is_ok(&died(held.clone(), &told_twice)));
    assert!(!is_ok(&died(held.clone(), &[(B, Op::Lock, Answer::Locked)])));
    assert!(!is_ok(&died(Vec::new(), &[(B, Op::Lock, Answer::OwnerDied)])));
    assert!(!is_ok(&died(held, &[(B, Op::TryLock, Answer::WouldBlock)])));
}

#[test]
fn a_dead_operation_happened_before_the_death_or_never() {
    let pending = vec![call(A, Op::Lock), Event::Died(0)];
    for answer in [Answer::Locked, Answer::OwnerDied] {
        let history = [pending.clone(), done(&[(B, Op::Lock, answer)])].concat();
        assert!(is_ok(&history), "{answer:?}");
    }
    // It cannot happen later: between two of B's operations, after its death.
    let late = [
        pending,
        done(&[(B, Op::Lock, Answer::Locked), (B, Op::Unlock, Answer::Unlocked), (B, Op::Lock, Answer::OwnerDied)]),
    ];
    assert!(!is_ok(&late.concat()));
}

#[test]
fn an_operation_that_blocks_has_no_answer() {
    let history = vec![call(A, Op::Lock), told(A, Answer::Locked), call(B, Op::Lock), told(B, Answer::Locked)];
    assert!(!is_ok(&history));
    assert!(is_ok(&history[..3].to_vec()), "waiting for ever is not the judge's business: the worlds see to that");
}

#[test]
fn without_budget_the_verdict_is_unknown() {
    let history = done(&[(A, Op::Lock, Answer::Locked)]);
    assert_eq!(check(&Lock::default(), &history, Order::RealTime, 0), Verdict::Unknown);
}

#[test]
fn a_torn_value_is_rejected() {
    use value::{Answer, Op, Values};
    let told = |answer| vec![Event::Call(A, Op::Set(0, 7)), Event::Call(B, Op::Get(0)), Event::Return(B, answer)];
    let verdict = |answer| check(&Values::default(), &told(answer), Order::RealTime, 10_000);
    assert!(matches!(verdict(Answer::Held(0)), Verdict::Ok(_)));
    assert!(matches!(verdict(Answer::Held(7)), Verdict::Ok(_)));
    assert!(matches!(verdict(Answer::Torn(0, 7)), Verdict::Illegal(_)));
    assert!(matches!(verdict(Answer::Held(3)), Verdict::Illegal(_)));
}

/// A specification that is itself wrong must not be able to explain what the right one can.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Forgetful(Lock);

impl Spec for Forgetful {
    type Op = Op;
    type Answer = Answer;
    fn step(&self, actor: Actor, op: &Op) -> Vec<(Answer, Forgetful)> {
        // It drops every count.
        let forget = |lock: Lock| Lock { counter: 0, ..lock };
        self.0.step(actor, op).into_iter().map(|(answer, lock)| (answer, Forgetful(forget(lock)))).collect()
    }
    fn died(&self, process: usize) -> Forgetful {
        Forgetful(self.0.died(process))
    }
}

#[test]
fn a_broken_specification_is_seen_to_be_broken() {
    let history =
        done(&[(A, Op::Lock, Answer::Locked), (A, Op::Count, Answer::Counted(0)), (A, Op::Count, Answer::Counted(1))]);
    assert!(is_ok(&history));
    assert!(matches!(check(&Forgetful(Lock::default()), &history, Order::RealTime, 10_000), Verdict::Illegal(_)));
}
