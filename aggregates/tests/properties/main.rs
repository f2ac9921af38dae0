//! What holds for each aggregate, whatever it is asked to do: over random sequences of commands.
#![expect(clippy::unwrap_used, reason = "a test fails where it panics, helpers included")]

mod commands;
mod laws;
mod order;
mod payment;
mod stock;

use annals::testing::proptest::test_runner::Config;

/// On how many random sequences each property is tried.
fn cases() -> Config {
    Config::with_cases(256)
}
