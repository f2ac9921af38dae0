//! What holds for each aggregate, whatever it is asked to do: over random sequences of commands.
#![expect(clippy::unwrap_used, reason = "a test fails where it panics, helpers included")]

mod commands;
mod drive;
mod folding;
mod order;
mod payment;
mod stock;
mod twice;
