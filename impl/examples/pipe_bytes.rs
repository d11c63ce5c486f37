//! A pipeline: one process makes blocks of bytes, another one takes them in, and nothing is copied on the way.
//!
//! In Python:
//! ```python
//! from multiprocessing import Pipe, Process
//!
//! def producer(sender):
//!     for number in range(BLOCKS):
//!         sender.send_bytes(bytes([number % 256]) * LENGTH)   # copied into the kernel
//!     sender.close()
//!
//! if __name__ == '__main__':
//!     receiver, sender = Pipe(duplex=False)
//!     child = Process(target=producer, args=(sender,))
//!     child.start()
//!     sender.close()
//!     buffer = bytearray(LENGTH)
//!     try:
//!         while True:
//!             receiver.recv_bytes_into(buffer)                # and out of it
//!     except EOFError:
//!         pass
//! ```
//!
//! What differs: `send_with` writes a message where the other process reads it, `recv_with` reads it there, and neither calls
//! the kernel unless it has to wait. `Pipe::simplex` gives the sender first, Python's `Pipe(False)` the receiver.

use procession::{ByteReceiver, ByteSender, Bytes, Entry, Handles, Inherited, PipeOptions, RecvError, serve, spawn};
use std::error::Error;
use std::time::Instant;

const BLOCKS: u64 = 20_000;
const LENGTH: usize = 10_000;

static PRODUCER: Entry = Entry::new("producer", producer);

fn producer(handles: Inherited) -> Result<(), Box<dyn Error>> {
    let mut sender: ByteSender = handles.take("sender")?;
    for number in 0..BLOCKS {
        sender.send_with(LENGTH, |block| block.fill(number as u8))?;
    }
    Ok(())
}

/// Takes in all that comes; answers how many blocks there were, and the sum of their bytes.
fn consume(receiver: &mut ByteReceiver) -> Result<(u64, u64), RecvError> {
    let (mut blocks, mut sum) = (0, 0);
    loop {
        match receiver.recv_with(|block| block.iter().map(|byte| u64::from(*byte)).sum::<u64>()) {
            Ok(of_block) => (blocks, sum) = (blocks + 1, sum + of_block),
            Err(RecvError::Disconnected) => return Ok((blocks, sum)),
            Err(error) => return Err(error),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    serve(&[&PRODUCER]);
    let (sender, mut receiver) = PipeOptions::new().capacity(1 << 20).simplex::<[u8], Bytes>()?;
    let started = Instant::now();
    let mut child = spawn(&PRODUCER, &Handles::new().with("sender", &sender))?;
    drop(sender); // it is the producer's
    let (blocks, sum) = consume(&mut receiver)?;
    let rate = (blocks * LENGTH as u64) as f64 / started.elapsed().as_secs_f64() / 1e9;
    assert!(child.wait()?.success());
    println!("{blocks} blocks of {LENGTH} bytes, {rate:.1} GB/s");
    assert_eq!(sum, (0..BLOCKS).map(|number| number % 256 * LENGTH as u64).sum::<u64>());
    println!("none was lost, none came twice, and the end of them was noticed.");
    Ok(())
}
