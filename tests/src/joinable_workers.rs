//! Three who work, one who puts and one who joins, until they are killed, and their supervisor, who kills them at random
//! moments, puts others in their places, and holds what a join says against what the workers have logged.

use crate::queue_tasks::{Message, message, numbered};
use crate::talk::{complain, say};
use crate::{PATIENCE, Random, until};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use procession::{
    Forked, GetError, JoinError, JoinTimeoutError, JoinableQueue, PutError, Queue, QueueOptions, RawArray, fork,
};
use std::hint::spin_loop;
use std::time::{Duration, Instant};

/// The first three of them work.
const BENCHES: usize = 5;
const JOINER: usize = 3;
const PUTTER: usize = 4;
/// The most tasks of a round; each round ends with a join.
const MOST: u64 = 60;
/// Bytes of the tasks, over and over.
const LENGTHS: [usize; 5] = [17, 0, 300, 1000, 40];
/// How long it takes to do them: much of the time of a round, and nothing.
const EFFORTS: [u32; 5] = [0, 8000, 0, 0, 0];

/// A word in which somebody tells how far it is.
#[derive(Clone, Copy)]
enum Word {
    /// What it is in the middle of: a [`Deed`].
    Inside,
    /// How many tasks a worker is about to get at most.
    Most,
    /// How many tasks a worker knows that it has got, since its process began.
    Got,
    /// How many of them it knows to be reported; how many the putter has put in this round.
    Done,
    /// The round that the joiner, or the putter, is done with.
    Round,
    /// What the joiner was told: so many tasks are lost.
    Lost,
    /// Whether it was told that the queue is closed.
    Told,
}

/// What somebody can be in the middle of.
#[derive(Clone, Copy, PartialEq)]
enum Deed {
    Resting,
    Getting,
    Working,
    Reporting,
    Joining,
    Putting,
}
const DEEDS: [Deed; 6] = [Deed::Resting, Deed::Getting, Deed::Working, Deed::Reporting, Deed::Joining, Deed::Putting];

/// What a worker logs of each task of the round: nothing so far, that it has got it, that its `task_done` has returned.
const STARTED: u64 = 1;
const REPORTED: u64 = 2;

/// What all write on, and what outlasts them: the words of each bench, the log of each task, and the round.
struct Board {
    words: RawArray<u64>,
    log: RawArray<u64>,
    round: RawArray<u64>,
}

impl Board {
    fn new() -> Board {
        let [words, log, round] = [BENCHES * 8, MOST as usize, 1].map(|length| RawArray::new(length).expect("words"));
        Board { words, log, round }
    }
    fn get(&self, bench: usize, word: Word) -> u64 {
        self.words.get(bench * 8 + word as usize).expect("a word")
    }
    fn set(&self, bench: usize, word: Word, value: u64) {
        self.words.set(bench * 8 + word as usize, value).expect("a word");
    }
    fn begin(&self, bench: usize, deed: Deed) {
        self.set(bench, Word::Inside, deed as u64);
    }
    fn deed(&self, bench: usize) -> Deed {
        DEEDS[self.get(bench, Word::Inside) as usize]
    }
    fn round(&self) -> u64 {
        self.round.get(0).expect("a word")
    }
    /// How many of the first `put` tasks are not logged as reported.
    fn open(&self, put: u64) -> u64 {
        (0..put).filter(|at| self.log.get(*at as usize) != Ok(REPORTED)).count() as u64
    }
}

// ---- who is at the benches ----

/// Gets one to three tasks at a time, and reports each.
fn work(queue: &JoinableQueue<Message>, board: &Board, bench: usize) {
    let mut tasks = Vec::new();
    let (mut got, mut done) = (0, 0);
    for turn in 0.. {
        let most = turn % 3 + 1;
        board.set(bench, Word::Most, most);
        board.begin(bench, Deed::Getting);
        let result = match most {
            1 => queue.get().map(|task| tasks.push(task)),
            most => queue.get_many(&mut tasks, most as usize).map(drop),
        };
        match result {
            Ok(()) => {}
            Err(GetError::Closed) => return,
            Err(error) => complain(format!("a worker is told {error:?}")),
        }
        for (number, bytes) in &tasks {
            let at = *number as u32;
            if *number != numbered(board.round(), at.into()) || message(*number, bytes.len()).1 != *bytes {
                complain(format!("torn, or of another round: {number:#x} with {} bytes", bytes.len()));
            }
            if board.log.swap(at as usize, STARTED) != Ok(0) {
                complain(format!("{at} came twice"));
            }
        }
        got += tasks.len() as u64;
        board.set(bench, Word::Got, got);
        board.begin(bench, Deed::Working);
        for (number, _) in tasks.drain(..) {
            (0..EFFORTS[number as usize % EFFORTS.len()]).for_each(|_| spin_loop());
            board.begin(bench, Deed::Reporting);
            if let Err(error) = queue.task_done() {
                complain(format!("whoever has a task is told {error:?}"));
            }
            board.log.set(number as u32 as usize, REPORTED).expect("a word");
            done += 1;
            board.set(bench, Word::Done, done);
            board.begin(bench, Deed::Working);
        }
    }
}

/// Joins once for each order.
fn join(queue: &JoinableQueue<Message>, orders: &Queue<u64>, board: &Board) {
    while orders.get().is_ok() {
        board.begin(JOINER, Deed::Joining);
        let lost = match queue.join() {
            Ok(()) => 0,
            Err(JoinError::WorkerDied { tasks }) => tasks as u64,
            Err(error) => complain(format!("whoever joins is told {error:?}")),
        };
        board.set(JOINER, Word::Lost, lost);
        board.begin(JOINER, Deed::Resting);
        board.set(JOINER, Word::Round, board.round());
    }
}

/// Puts as many tasks as it is told to.
fn put(queue: &JoinableQueue<Message>, orders: &Queue<u64>, board: &Board) {
    while let Ok(count) = orders.get() {
        for at in 0..count {
            board.begin(PUTTER, Deed::Putting);
            match queue.put(message(numbered(board.round(), at), LENGTHS[at as usize % LENGTHS.len()])) {
                Ok(()) => board.set(PUTTER, Word::Done, at + 1),
                Err(unsent) if unsent.error == PutError::Closed => return,
                Err(unsent) => complain(format!("a putter is told {:?}", unsent.error)),
            }
        }
        board.begin(PUTTER, Deed::Resting);
        board.set(PUTTER, Word::Round, board.round());
    }
}

// ---- the supervisor ----

struct Shift {
    queue: JoinableQueue<Message>,
    /// To the joiner, and to the putter.
    orders: [Queue<u64>; 2],
    board: Board,
    staff: Vec<Forked>,
    /// How many were killed in the middle of what.
    struck: [u64; DEEDS.len()],
    put: u64,
    lost: u64,
    longest: Duration,
}

impl Shift {
    fn start(&self, bench: usize) -> Forked {
        for word in [Word::Inside, Word::Got, Word::Done, Word::Told] {
            self.board.set(bench, word, 0);
        }
        let child = fork(|| {
            set_pdeathsig(Signal::SIGKILL).expect("prctl");
            match bench {
                JOINER => join(&self.queue, &self.orders[0], &self.board),
                PUTTER => put(&self.queue, &self.orders[1], &self.board),
                bench => work(&self.queue, &self.board, bench),
            }
            self.board.set(bench, Word::Told, 1);
            0
        });
        child.expect("a child")
    }

    /// Kills somebody in the middle of `count` tasks, and holds what a join says against what is known.
    fn round(&mut self, random: &mut Random, (round, count): (u64, u64)) {
        self.board.round.set(0, round).expect("a word");
        self.board.set(PUTTER, Word::Done, 0);
        (0..MOST as usize).for_each(|at| self.board.log.set(at, 0).expect("a word"));
        self.orders[1].put(count).expect("an order");
        self.orders[0].put(0).expect("an order");
        let victim = [0, 0, 1, 1, 2, 2, JOINER, PUTTER][random.below(8) as usize];
        // Some have hardly begun, some are caught in the middle of something, others are killed at any point of anything.
        let is_over = |bench| self.board.get(bench, Word::Round) == round;
        if round % 4 == 1 {
            let (deed, teller) = match victim {
                JOINER => (Deed::Joining, JOINER),
                PUTTER => (Deed::Putting, PUTTER),
                _ => (Deed::Reporting, PUTTER),
            };
            until("the victim is busy", || self.board.deed(victim) == deed || is_over(teller));
        } else if round % 4 != 0 {
            let teller = if victim == JOINER { PUTTER } else { victim };
            let goal = self.board.get(teller, Word::Done) + random.below(count / 4 + 1);
            until("there is work", || self.board.get(teller, Word::Done) >= goal || is_over(PUTTER));
            (0..random.below(2) * random.below(1000)).for_each(|_| spin_loop());
        }
        let killed = Instant::now();
        let dead = self.staff.remove(victim);
        dead.kill().expect("a child");
        dead.wait().expect("a child");
        let deed = self.board.deed(victim);
        self.struck[deed as usize] += 1;
        if victim != PUTTER {
            until("all is put", || self.board.get(PUTTER, Word::Round) == round);
        }
        let lost = match self.queue.join_timeout(PATIENCE) {
            Ok(()) => 0,
            Err(JoinTimeoutError::Join(JoinError::WorkerDied { tasks })) => {
                self.longest = self.longest.max(killed.elapsed());
                tasks as u64
            }
            Err(error) => panic!("the supervisor is told {error:?}"),
        };
        // Whoever lives has logged what it reported when it is about to get the next, of which there is none.
        let idle = |bench| bench == victim || self.board.deed(bench) == Deed::Getting;
        until("all workers rest", || (0..JOINER).all(idle));
        self.check(victim, deed, lost);
        assert_eq!(self.queue.acknowledge(), Ok(lost as usize));
        assert_eq!((self.queue.join_timeout(PATIENCE), self.queue.unfinished()), (Ok(()), Ok(0)));
        if victim == JOINER {
            let _ = self.orders[0].try_get(); // if it had not heard of it
        } else {
            until("the joiner is told", || self.board.get(JOINER, Word::Round) == round);
            let told = self.board.get(JOINER, Word::Lost);
            assert!(told == 0 || told == lost, "the joiner is told of {told} of {lost}");
        }
        if victim == PUTTER {
            let _ = self.orders[1].try_get();
        }
        let successor = self.start(victim);
        self.staff.insert(victim, successor);
    }

    /// Whether so many can be lost.
    fn check(&mut self, victim: usize, deed: Deed, lost: u64) {
        // What the log says: nobody's task whose `task_done` has returned is lost, and what nobody has reported is.
        let put = self.board.get(PUTTER, Word::Done);
        let open = self.board.open(put);
        let (putting, reporting) = (u64::from(deed == Deed::Putting), u64::from(deed == Deed::Reporting));
        let by_log = open.saturating_sub(reporting)..=open + putting;
        assert!(by_log.contains(&lost), "{lost} are lost, {by_log:?} are logged as open");
        // What the victim knew of its hands.
        let (got, done) = (self.board.get(victim, Word::Got), self.board.get(victim, Word::Done));
        let (in_hand, most) = (got.saturating_sub(done), self.board.get(victim, Word::Most));
        let by_hand = match deed {
            Deed::Getting => in_hand..=in_hand + most,
            Deed::Working => in_hand..=in_hand,
            Deed::Reporting => in_hand.saturating_sub(1)..=in_hand,
            Deed::Resting | Deed::Joining | Deed::Putting => 0..=0,
        };
        assert!(by_hand.contains(&lost), "{lost} are lost, the victim had {by_hand:?} in hand");
        self.put += put;
        self.lost += lost;
    }
}

/// Kills so many of them, then closes the queue, and says what it came to.
pub fn supervise(kills: u64, seed: u64) {
    let mut random = Random::new(seed);
    let tick = Duration::from_millis(1);
    let queue = QueueOptions::new(8).capacity(4096).tick(tick).create_joinable().expect("a queue");
    let orders = [(); 2].map(|()| QueueOptions::new(2).tick(tick).create().expect("a queue"));
    let (board, staff, struck) = (Board::new(), Vec::new(), [0; DEEDS.len()]);
    let mut shift = Shift { queue, orders, board, staff, struck, put: 0, lost: 0, longest: Duration::ZERO };
    for bench in 0..BENCHES {
        let member = shift.start(bench);
        shift.staff.push(member);
    }
    for round in 1..=kills {
        let count = 1 + random.below(MOST);
        shift.round(&mut random, (round, count));
        if round % 250 == 0 {
            say("going on"); // whoever listens has a deadline
        }
    }
    shift.queue.close().expect("the queue can be closed");
    shift.orders.iter().for_each(|orders| orders.close().expect("the queue can be closed"));
    until("everybody is told", || (0..BENCHES).all(|bench| shift.board.get(bench, Word::Told) == 1));
    shift.staff.into_iter().for_each(|member| assert!(member.wait().expect("a child").success()));
    let [_, getting, working, reporting, joining, putting] = shift.struck;
    say(format!(
        "{kills} kills: {getting} while getting, {working} while working, {reporting} while reporting, \
         {joining} while joining, {putting} while putting"
    ));
    let Shift { put, lost, longest, .. } = shift;
    say(format!("... {put} tasks put, {lost} lost with their workers; longest until a join said so {longest:?}"));
}
