//! What a part does about the order under a key.

/// What a part does with events that touch a key under which something is parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PartMode {
    /// What follows a parked event under its key is parked behind it.
    #[default]
    InOrder,
    /// A refused event is parked alone, and what follows it under its key goes on: for who has it come again in time.
    OutOfOrder,
    /// Its events are those that come again. Each counts under the keys where it is still parked, and nowhere else:
    /// there it is settled, or parked anew with one attempt more. So it counts once, however often it comes.
    Again,
}
