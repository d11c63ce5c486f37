//! What can be asked of a [`Pipe`](super::pipe::Pipe), and what it answers.

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Message {
    /// What it says. An empty one says nothing: 0.
    pub id: u8,
    /// How long it is.
    pub bytes: usize,
}

/// One of the two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The sender's.
    Sender,
    /// The receiver's.
    Receiver,
}

/// What can be asked. All but the claims are left out by a role that does not have the end, or has closed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Send, and wait for room.
    Send(Message),
    /// Send if there is room.
    TrySend(Message),
    /// Send, but do not wait for ever.
    SendTimeout(Message),
    /// Wait for room, for a message that is to be sent with those that follow: at the latest with the commit.
    Stage(Message),
    /// Send what is staged.
    Commit,
    /// Wait for a message.
    Recv,
    /// The same, and take a second one with it if it is there.
    RecvTwo,
    /// Take one if there is one.
    TryRecv,
    /// Wait for one, but not for ever.
    RecvTimeout,
    /// Whether there is one. (A message that was only looked at when the receiver closes may be answered as disconnected to
    /// its sender, which this specification does not know: a scenario that looks also takes.)
    Poll,
    /// Done with this end.
    Close(Side),
    /// Take this end.
    Claim(Side),
}

/// What can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Done: sent, staged, closed, taken.
    Done,
    /// This was received.
    Got(Message),
    /// These two were.
    GotTwo(Message, Message),
    /// Something was received that nobody sent. No specification allows it.
    Garbled,
    /// There is a message.
    Ready,
    /// There was no room, or no message.
    WouldBlock,
    /// The same, for too long.
    TimedOut,
    /// More than ever fits at once.
    TooLarge,
    /// The other end is gone; to a receiver: and there are no messages left.
    Disconnected,
    /// Somebody has this end, or it is gone.
    Taken,
    /// Never told: the state of an operation in the middle, where its process may die.
    Inside,
}
