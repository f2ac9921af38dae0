//! What every store with one writer shares: taking in appends, numbering them, and answering each on its own.
//!
//! Appends arrive on a bounded queue ([`queue`]). The writer takes all that wait as one [`Batch`], [`Known::plan`]
//! gives them positions and versions from memory, the store writes them in one transaction, and
//! [`Intake::answer`] tells each its own outcome. So one flush to the disk serves them all, and nobody waits for a
//! timer: a lone writer is served at once.
//!
//! What makes the numbers right: positions are contiguous, so if nothing stands at the next one, nobody appended since
//! the writer looked, and what it remembers of the streams is the truth. The store proves that its own way (a lock,
//! `data_version`, the primary key), and calls [`Known::forget`] when it does not hold. Or it lets the plan be carried
//! out behind whatever others appended ([`Plan::move_behind`]), where the unique keys refuse a stream or version that
//! somebody else has taken since.

mod intake;
mod known;
mod pace;
mod plan;
mod queue;

pub use intake::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, Batch, Intake};
pub use known::{KNOWN_STREAMS_MAX, Known, StreamAt};
pub use pace::STRAGGLER_WAIT_MAX;
pub use plan::{Accepted, After, Link, Placed, Plan, Row, Verdict};
pub use queue::{AppendQueue, Pending, QUEUED_APPENDS_MAX, WriterEnded, queue};

#[cfg(test)]
mod tests;
