//! Random programs for a sender and a receiver in two processes at once, kills at any moment included.

use procession::{Bytes, PipeOptions, Share};
use procession_tests::pipe_programs::{Run, Step, judge};
use procession_tests::{Helper, task};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Nothing, little, around a quarter of the pipe, and several times the pipe.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0usize), 1usize..100, 1000usize..1040, 2000usize..5000, 5000usize..30_000]
}

/// Steps, and now and then a last one.
fn program(step: impl Strategy<Value = Step>) -> impl Strategy<Value = Vec<Step>> {
    let last = prop_oneof![6 => Just(None), 1 => Just(Some(Step::Close)), 1 => Just(Some(Step::Die))];
    (vec(step, 0..25), last).prop_map(|(steps, last)| steps.into_iter().chain(last).collect())
}

fn senders() -> impl Strategy<Value = Vec<Step>> {
    program(prop_oneof![
        4 => length().prop_map(Step::Send),
        2 => length().prop_map(Step::TrySend),
        2 => (0u64..3, length()).prop_map(|(time, length)| Step::SendWithin(time, length)),
    ])
}

fn receivers() -> impl Strategy<Value = Vec<Step>> {
    program(prop_oneof![
        3 => Just(Step::Recv),
        2 => Just(Step::TryRecv),
        2 => (0u64..3).prop_map(Step::RecvWithin),
        2 => (0u64..3).prop_map(Step::Poll),
        2 => length().prop_map(Step::Into),
    ])
}

/// Which of the two is killed from outside, and after how many of its lines.
fn kills() -> impl Strategy<Value = Option<(bool, usize)>> {
    option::weighted(0.4, (any::<bool>(), 0usize..15))
}

fn run(sender: &[Step], receiver: &[Step], kill: Option<(bool, usize)>) -> Result<(), TestCaseError> {
    let ends = PipeOptions::new().capacity(4096).simplex::<[u8], Bytes>().unwrap();
    let text = |steps: &[Step]| steps.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let start = |command: &mut std::process::Command| Helper::start(command);
    let mut helpers = [
        start(task!("pipe", "program", "sender", &text(sender)).share("end", &ends.0)),
        start(task!("pipe", "program", "receiver", &text(receiver)).share("end", &ends.1)),
    ];
    drop(ends);
    let mut said = [Vec::new(), Vec::new()];
    if let Some((is_receiver, lines)) = kill {
        let (helper, said) = (&mut helpers[usize::from(is_receiver)], &mut said[usize::from(is_receiver)]);
        said.extend((0..lines).map_while(|_| helper.next_line()));
        helper.kill();
    }
    helpers.iter().zip(&mut said).for_each(|(helper, said)| said.extend(helper.rest()));
    let killed = |receiver| kill.is_some_and(|(is_receiver, _)| is_receiver == receiver);
    let sender = Run { program: sender, said: &said[0], killed: killed(false) };
    let receiver = Run { program: receiver, said: &said[1], killed: killed(true) };
    judge(&sender, &receiver).map_err(|why| TestCaseError::fail(format!("{why}\n{sender:#?}\n{receiver:#?}")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_sent_is_received(sender in senders(), receiver in receivers(), kill in kills()) {
        run(&sender, &receiver, kill)?;
    }
}

/// The judge refuses what must not be.
#[test]
fn the_judge_judges() {
    use procession_tests::pipe_tasks::{content, describe};
    let message = |number: u64| describe(&content(number, 10));
    let verdict = |sent: &[&str], received: &[String], ends: bool| {
        let said: Vec<String> = sent.iter().map(ToString::to_string).collect();
        let (program, step) = ([Step::Send(10); 3], if ends { Step::Close } else { Step::Recv });
        let sender = Run { program: &program[..sent.len()], said: &said, killed: false };
        judge(&sender, &Run { program: &[step], said: received, killed: false }).is_ok()
    };
    let (one, other, end) = (message(0), message(1), "Disconnected".to_owned());
    assert!(verdict(&["Ok(())"; 2], &[one.clone(), other.clone(), end.clone()], false));
    assert!(verdict(&["Ok(())"; 2], std::slice::from_ref(&one), true), "the rest is lost with the receiver");
    assert!(!verdict(&["Ok(())"; 2], &[other.clone(), one.clone(), end.clone()], false), "out of order");
    assert!(!verdict(&["Ok(())"; 2], &[one.clone(), one.clone(), other.clone(), end.clone()], false), "twice");
    assert!(!verdict(&["Ok(())"; 2], &[one.clone(), end.clone(), other, end.clone()], false), "after the end");
    assert!(!verdict(&["Ok(())"; 2], &[one.clone(), end.clone()], false), "lost");
    assert!(!verdict(&["Ok(())"], std::slice::from_ref(&one), false), "not told of the end");
    assert!(!verdict(&["Err(TimedOut)"], &[one, end], false), "no such error without a timeout");
}
