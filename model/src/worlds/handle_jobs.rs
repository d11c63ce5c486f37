//! Jobs about handles on their way: children that have not taken theirs, handles in flight; and about types known by code.

use super::jobs::{Job, Seen, Tidy, unused_name, wrong};
use super::processes::{Barrier, Error, Helper, Started};
use procession::{
    ConvertError, DynArray, DynError, DynSliceError, DynValue, Handle, Handles, Inherited, OpenError, Scalar, Share,
    TypeCode, Value,
};
use std::os::unix::net::UnixStream;

/// All of them.
pub(super) const JOBS: &[Job] =
    &[("spawned-child", spawned_child), ("sent-handle", sent_handle), ("type-codes", type_codes)];

/// A child that was given a value and never takes it counts as its user until it is killed.
fn spawned_child(helper: &Helper) -> Result<Seen, Error> {
    let name = unused_name();
    let _tidy = Tidy(name.clone());
    let value = Value::create(&name, 7u32)?;
    let barrier = Barrier::new()?;
    let mut command = helper.task("idle");
    command.share("value", &value);
    barrier.share("barrier", &mut command);
    drop(value); // the command keeps the region until it has been spawned
    let mut child = Started::new(&mut command)?;
    drop(command);
    match Value::<u32>::open(&name) {
        Ok(value) if value.get()? == 7 => {}
        other => return wrong(format!("right after the spawn, with nobody else left, open() was {other:?}")),
    }
    barrier.wait_for(1)?; // the child runs and has left it alone
    if let Err(error) = Value::<u32>::open(&name) {
        return wrong(format!("while the child had not taken its handle, open() was {error:?}"));
    }
    child.kill()?;
    match Value::<u32>::open(&name) {
        Err(OpenError::NotFound { .. }) => {
            Ok(Ok("a child that never took its handle counted from its spawn to its death".into()))
        }
        other => wrong(format!("after the child's death, open() was {other:?}")),
    }
}

/// The helper's side: takes nothing but the barrier.
pub(super) fn idle() -> Result<(), Error> {
    let barrier = Barrier::inherited("barrier")?;
    barrier.arrive()?;
    barrier.wait_for(100)
}

/// A handle in flight over a socket counts as a user; received, it works; never received, it ends with the socket.
fn sent_handle(_helper: &Helper) -> Result<Seen, Error> {
    let name = unused_name();
    let _tidy = Tidy(name.clone());
    let (here, there) = UnixStream::pair()?;
    Handles::new().with("value", &Value::create(&name, 7u32)?).send(&here)?;
    let received: Value<u32> = Inherited::receive(&there)?.take("value")?;
    received.set(8)?;
    Handles::new().with("value", &received).send(&here)?;
    drop(received);
    match Value::<u32>::open(&name) {
        Ok(value) if value.get()? == 8 => {}
        other => return wrong(format!("with the only handle in flight, open() was {other:?}")),
    }
    drop((here, there));
    match Value::<u32>::open(&name) {
        Err(OpenError::NotFound { .. }) => Ok(Ok("a handle counted while in flight, and ended with its socket".into())),
        other => wrong(format!("after the socket's end, open() was {other:?}")),
    }
}

/// Every type code, and what does not fit.
fn type_codes(_helper: &Helper) -> Result<Seen, Error> {
    for code in TypeCode::ALL {
        let value = DynValue::new(code, code.zero())?;
        if value.get()? != code.zero() || value.code() != code.canonical() {
            return wrong(format!("{code}: a new value is {:?} of {}", value.get()?, value.code()));
        }
    }
    let (byte, single) =
        (DynValue::new(TypeCode::UnsignedChar, 1u8.into())?, DynValue::new(TypeCode::Float, 0.5.into())?);
    let bytes = DynArray::from_slice(TypeCode::UnsignedChar, &[1u8.into(), 2u8.into()])?;
    let refusals = [
        ("300 in a byte", matches!(byte.set(300.into()), Err(DynError::Convert(ConvertError::OutOfRange { .. })))),
        ("a float in a byte", matches!(byte.set(1.5.into()), Err(DynError::Convert(ConvertError::Kind { .. })))),
        ("0.1 in a float", matches!(single.set(0.1.into()), Err(DynError::Convert(ConvertError::Inexact { .. })))),
        ("a slice that fits in part", {
            let slice: [Scalar; 2] = [7u8.into(), 300.into()];
            matches!(bytes.write(.., &slice), Err(DynSliceError::Convert { .. }))
        }),
        ("an unknown code", TypeCode::from_char('x').is_err()),
    ];
    match refusals.iter().find(|(_, refused)| !refused) {
        Some((what, _)) => wrong(format!("{what} was not refused as it should be")),
        None if (byte.get()?, single.get()?) != (1u8.into(), 0.5.into()) => wrong("a refusal changed a value"),
        None if bytes.snapshot()? != [1u8.into(), 2u8.into()] => wrong("a refusal changed an array"),
        None => Ok(Ok(format!("{} codes, {} misfits refused, nothing changed", TypeCode::ALL.len(), refusals.len()))),
    }
}
