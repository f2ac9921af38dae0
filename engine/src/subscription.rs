//! The one loop that reads the log for subscribers, and the runner that keeps it going.

mod catch_up;
mod place;
mod runner;
mod supervise;
#[cfg(test)]
mod tests;

pub use catch_up::{EMPTY_PAGES_INTERVAL, TEND_INTERVAL, catch_up, catch_up_to, follow};
pub use place::{LEASE_LASTS, Place};
pub use runner::{Ended, Runner};
pub use supervise::{RESTART_FIRST, RESTART_MAX, RESTART_PASSING_MAX, RestartWaits, tell_failure};
