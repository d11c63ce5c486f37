//! SIGKILL at random moments of two who put and two who get: every message whose `put` returned is got once, unless its getter
//! was killed with it; each putter's in order; and nobody waits for the dead.

use nix::sys::signal::Signal;
use procession::{Handle, Postcard, Queue, QueueOptions, TryGetError};
use procession_tests::pipe_tasks::Remote;
use procession_tests::queue_tasks::{Message, message};
use procession_tests::{Helper, Name, Watchdog, task, until};
use std::fs::File;
use std::os::unix::fs::FileExt;

// ---- at random moments ----

/// As many kills as the environment says; so many in every run of the tests.
const KILLS: u64 = 2000;

#[test]
fn kills_at_random_moments() {
    let kills = std::env::var("PROCESSION_QUEUE_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let helper = Helper::start(&mut task!("queue", "supervise", &kills.to_string(), "2654435769"));
    let mut said = helper.finish();
    said.retain(|line| line != "going on");
    said.iter().for_each(|line| eprintln!("{line}"));
    assert!(said.len() == 2 && said[0].starts_with(&format!("{kills} kills: ")), "{said:?}");
    assert!(!said[0].contains(" 0 while"), "no kill struck: the test would show nothing");
}

// ---- at a known moment ----

fn putter(queue: &Queue<Message>) -> Remote {
    Remote::given(&mut task!("queue", "putter", "@end"), &queue.putter())
}

fn getter(queue: &Queue<Message>) -> Remote {
    Remote::given(&mut task!("queue", "getter", "@end"), &queue.getter())
}

/// Whether somebody is inside the lock of those who put.
fn is_inside(name: &Name) -> bool {
    const LOCK: u64 = 4096 + 3 * 128;
    const OWNER: u32 = (1 << 30) - 1;
    let mut word = [0; 4];
    File::open(name.path()).unwrap().read_exact_at(&mut word, LOCK).unwrap();
    u32::from_ne_bytes(word) & OWNER != 0
}

#[test]
fn a_consumer_killed_while_blocked_in_get() {
    let _watchdog = Watchdog::new("getting beside somebody who was killed");
    let queue = QueueOptions::new(4).capacity(4096).create::<Message, Postcard>().unwrap();
    let (mut victim, mut other) = (getter(&queue), getter(&queue));
    victim.begin("get");
    other.begin("get");
    victim.0.kill();
    queue.put(message(1, 10)).unwrap();
    other.0.expect("1:10");
    // Not only for those who were there already.
    queue.put(message(2, 20)).unwrap();
    assert_eq!(getter(&queue).ask("get"), "2:20");
    queue.put(message(3, 30)).unwrap();
    assert_eq!(queue.try_get(), Ok(message(3, 30)));
}

/// A message that takes a while to be written.
const LARGE: usize = 1 << 20;

/// Has a helper put large messages until `caught` says that it is in the middle of one.
fn catch(name: &Name, putter: &mut Remote, mut caught: impl FnMut(&mut Remote) -> bool) {
    for round in 1..1000 {
        putter.0.tell(&format!("put {round} {LARGE}"));
        let mut said = None;
        until("it puts", || {
            said = putter.0.said();
            said.is_some() || is_inside(name)
        });
        if said.is_none() && caught(putter) {
            return;
        }
        assert_eq!(said.unwrap_or_else(|| putter.0.line()), "Ok(())");
        let queue = Queue::<Message>::open(name).unwrap();
        assert_eq!(queue.get(), Ok(message(round, LARGE)));
    }
    panic!("never caught");
}

#[test]
fn a_producer_killed_while_writing() {
    let _watchdog = Watchdog::new("putting beside somebody who was killed");
    let name = Name::new("writing");
    let queue: Queue<Message> = QueueOptions::new(9).capacity(8 * LARGE).named(&name).create().unwrap();
    let (mut other, mut struck) = (putter(&queue), 0);
    while struck < 3 {
        let mut victim = putter(&queue);
        catch(&name, &mut victim, |victim| {
            victim.0.kill();
            true
        });
        struck += u32::from(is_inside(&name));
        // Whole, or not at all; and others put and get as if nothing had been.
        assert_eq!(other.ask("put 7777 10"), "Ok(())");
        let (number, bytes) = queue.get().unwrap();
        assert!(message(number, bytes.len()).1 == bytes, "torn");
        if number != 7777 {
            assert_eq!(queue.get(), Ok(message(7777, 10)));
        }
        assert!(queue.is_empty());
    }
}

#[test]
fn a_producer_stopped_while_writing() {
    let _watchdog = Watchdog::new("putting beside somebody who was stopped");
    let name = Name::new("stopped");
    let queue: Queue<Message> = QueueOptions::new(9).capacity(8 * LARGE).named(&name).create().unwrap();
    let mut sleeper = putter(&queue);
    let mut putter = putter(&queue);
    catch(&name, &mut sleeper, |sleeper| {
        sleeper.0.stop();
        let inside = is_inside(&name);
        if !inside {
            // It had just left, or not yet come: nobody waits for it.
            assert_eq!(putter.ask("put 5555 10"), "Ok(())");
            sleeper.0.signal(Signal::SIGCONT);
            let got = [queue.get().unwrap(), queue.get().unwrap()];
            let ours = got.iter().position(|(number, _)| *number == 5555).unwrap();
            assert_eq!(got[ours], message(5555, 10));
            queue.put(got[1 - ours].clone()).unwrap();
        }
        inside
    });
    // Stopped is not dead: to take the lock from it would be to lose what it writes.
    assert_eq!(putter.ask("put-within 100 6666 10"), "Err(TimedOut)");
    assert_eq!(queue.try_get(), Err(TryGetError::Empty), "who gets does not wait for it");
    putter.begin("put 6666 10");
    sleeper.0.signal(Signal::SIGCONT);
    sleeper.0.expect("Ok(())");
    putter.0.expect("Ok(())");
    let (number, bytes) = queue.get().unwrap();
    assert_eq!(message(number, LARGE).1, bytes, "nothing of it is lost");
    assert_eq!(queue.get(), Ok(message(6666, 10)));
}
