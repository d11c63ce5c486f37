//! A litmus program put before the engines: whatever it answers is allowed, for what is asked is which answers come.

use super::sites::site;
use super::{Instruction, Word};
use crate::scenario::{ModelPlatform, Subject};
use crate::spec::{Actor, Spec};
use procession::algorithm::Owner;
use procession::platform::{Access, Ordering};
use std::fmt;

/// So many shared words.
#[derive(Debug, Clone, Copy)]
pub struct Words(pub usize);

/// The specification of a litmus program: there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Whatever;

/// All that a thread read, in order.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Read(pub Vec<u32>);

impl fmt::Debug for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&read.join(" "))
    }
}

impl Spec for Whatever {
    type Op = Vec<Instruction>;
    type Answer = Read;
    fn step(&self, _actor: Actor, _op: &Vec<Instruction>) -> Vec<(Read, Whatever)> {
        vec![(Read(Vec::new()), Whatever)] // stands for any
    }
    fn fits(_allowed: &Read, _told: &Read) -> bool {
        true
    }
    fn died(&self, _process: usize) -> Whatever {
        Whatever
    }
}

impl Subject for Words {
    type Spec = Whatever;
    type Op = Vec<Instruction>;
    type Answer = Read;
    type Shared<P: ModelPlatform> = Vec<P::Word<u32>>;
    type Local = ();

    fn spec(&self) -> Whatever {
        Whatever
    }

    fn build<P: ModelPlatform>(&self) -> Vec<P::Word<u32>> {
        (0..self.0).map(|_| P::word(0)).collect()
    }

    fn apply<P: ModelPlatform>(
        &self,
        words: &Vec<P::Word<u32>>,
        platform: &P,
        _me: Owner,
        (): &mut (),
        thread: &Vec<Instruction>,
    ) -> Option<Read> {
        let mut read = Vec::new();
        for (at, instruction) in thread.iter().enumerate() {
            read.extend(perform(words, platform, *instruction, at, &read)?);
        }
        Some(Read(read))
    }

    fn leaves_out(&self, (): &(), _op: &Vec<Instruction>) -> bool {
        false
    }
}

/// Does one instruction. The outer `None`: it has an ordering that makes no sense.
fn perform<P: ModelPlatform>(
    words: &[P::Word<u32>],
    platform: &P,
    instruction: Instruction,
    at: usize,
    read: &[u32],
) -> Option<Option<u32>> {
    let told = match instruction {
        Instruction::Load(word, how) => Some(platform.load(&words[word], site(Access::Load, how)?)),
        Instruction::Store(word, value, how) => {
            platform.store(&words[word], value, site(Access::Store, how)?);
            None
        }
        Instruction::Swap(word, value, how) => Some(platform.swap(&words[word], value, site(Access::Modify, how)?)),
        Instruction::CompareExchange(word, current, new, how) => {
            let result = platform.compare_exchange(&words[word], current, new, site(Access::Modify, how)?);
            Some(result.unwrap_or_else(|now| now))
        }
        Instruction::FetchAdd(word, value, how) => {
            Some(platform.fetch_add(&words[word], value, site(Access::Modify, how)?))
        }
        Instruction::Fence(how) => {
            platform.fence(site(Access::Fence, how)?);
            None
        }
        Instruction::LightFence => {
            platform.light_fence(site(Access::LightFence, Ordering::Relaxed)?);
            None
        }
        Instruction::HeavyFence => {
            platform.heavy_fence(site(Access::HeavyFence, Ordering::Relaxed)?);
            None
        }
        Instruction::Wait(word, expected) => {
            let site = site(Access::Wait, Ordering::Relaxed)?;
            Some(platform.wait(&words[word], expected, P::never(), 0, site) as u32)
        }
        Instruction::Await(word, not, how) => Some(awaited(words, platform, (word, not, how), at, read)?),
        Instruction::Wake(word, count) => {
            platform.wake(&words[word], count, site(Access::Wake, Ordering::Relaxed)?);
            None
        }
    };
    Some(told)
}

fn awaited<P: ModelPlatform>(
    words: &[P::Word<u32>],
    platform: &P,
    (word, not, how): (Word, u32, Ordering),
    at: usize,
    read: &[u32],
) -> Option<u32> {
    // How often it slept before is forgotten at each turn: what follows depends on where it is and what it has read.
    let head: Vec<u64> = std::iter::once(at as u64).chain(read.iter().map(|value| u64::from(*value))).collect();
    loop {
        platform.loop_head(&head);
        let value = platform.load(&words[word], site(Access::Load, how)?);
        if value != not {
            return Some(value);
        }
        platform.wait(&words[word], not, P::never(), 0, site(Access::Wait, Ordering::Relaxed)?);
    }
}
