//! What every benchmark shares: interleaved pairs, figures and their table, media, and events like real ones.
//!
//! A figure is a ratio: what annals does, beside a limit measured in the same run. Both run in turns, so that
//! whatever else the machine does meets both; the median of all pairs counts. A goal that is not reached is printed
//! as `SHORT` and does not fail the run.

mod args;
mod counting;
mod figure;
mod pairs;
mod report;
mod turn;

mod medium;
mod preload;
mod process;

pub mod postgres;
pub mod shop;

pub use args::Args;
pub use counting::Counting;
pub use figure::{Figure, Goal};
pub use medium::{Kind, Medium};
pub use pairs::{Pairs, ROUNDS_MIN, once, pairs};
pub use preload::{Preload, SyncCounts};
pub use process::{peak_memory_kib, state_of_machine};
pub use report::Report;
pub use turn::{Stopwatch, Turn};
