//! Saying that a test was not run.

use std::io::Write;

/// How a line begins that says so. `cargo xtask test` counts these lines and tells them again at its end.
pub const NOT_RUN: &str = "NOT RUN: ";

/// Says that the story or promise `what` was not run, and why.
///
/// On stderr itself and in one piece: what the macros print is kept back by libtest where a test passes, and tests run
/// beside each other.
pub fn not_run(what: &str, why: impl std::fmt::Display) {
    // Nothing is lost when nobody reads it.
    let _ = std::io::stderr().write_all(format!("{NOT_RUN}{what}: {why}\n").as_bytes());
}

/// What libtest calls the test that asks; the thread of a test has its name.
pub fn this_test() -> String {
    std::thread::current().name().unwrap_or("a test").to_string()
}
