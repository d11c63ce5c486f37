//! Two processes talk: a person at each end of a pipe, who hears, answers, and hangs up.
//!
//! In Python:
//! ```python
//! from multiprocessing import Pipe, Process
//!
//! def guest(line):
//!     while True:
//!         try:
//!             question = line.recv()
//!         except EOFError:              # only if nobody has forgotten to close the copies that a fork has made
//!             return
//!         line.send(f'You say {question!r}? Tell me more.')
//!
//! if __name__ == '__main__':
//!     here, there = Pipe()
//!     child = Process(target=guest, args=(there,))
//!     child.start()
//!     there.close()
//!     for remark in 'it rains', 'it pours':
//!         here.send(remark)
//!         print(here.recv())
//!     here.close()
//!     child.join()
//! ```
//!
//! What differs: an end is one process's, the first that uses it, and a second one is told so instead of garbling what is
//! said. A message goes from one process to the other without the kernel, and has a type. Whoever is killed in the middle of
//! a word has not said it: the other end hears everything before, and then that there will be no more.

use procession::{Connection, Entry, Handles, Inherited, Pipe, RecvError, serve, spawn};
use std::error::Error;

static GUEST: Entry = Entry::new("guest", guest);

fn guest(handles: Inherited) -> Result<(), Box<dyn Error>> {
    let mut line: Connection<String> = handles.take("line")?;
    loop {
        match line.recv() {
            Ok(remark) => line.send(format!("You say {remark:?}? Tell me more."))?,
            Err(RecvError::Disconnected) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    serve(&[&GUEST]);
    let (mut here, there) = Pipe::duplex::<String>()?;
    let mut child = spawn(&GUEST, &Handles::new().with("line", &there))?;
    drop(there); // it is the guest's; if the guest never came, nobody else could be waited for

    for remark in ["it rains", "it pours"] {
        println!("here:  {remark}");
        here.send(remark.to_owned())?;
        println!("there: {}", here.recv()?);
    }
    here.close();
    assert!(child.wait()?.success());
    println!("The guest heard that we hung up, and left.");
    Ok(())
}
