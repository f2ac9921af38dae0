//! How the promises of a contract are run as tests.

use std::{future::Future, io::Write, time::Duration};

/// How long one promise may take, in seconds. A store that hangs fails its test instead of holding it up.
pub const PROMISE_SECONDS_MAX: u64 = 240;

/// Runs one promise on a runtime of its own with two worker threads.
///
/// # Panics
/// When the promise is broken, or has shown nothing after [`PROMISE_SECONDS_MAX`].
#[track_caller]
pub fn run_promise(promise: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime for a test starts");
    let bound = Duration::from_secs(PROMISE_SECONDS_MAX);
    let done = runtime.block_on(async { tokio::time::timeout(bound, promise).await });
    assert!(done.is_ok(), "the promise was neither kept nor broken within {PROMISE_SECONDS_MAX} s");
}

/// Says out loud that a promise was not tested, and why. `cargo xtask test` counts these lines.
#[doc(hidden)]
pub fn skip(promise: &str, reason: &str) {
    // Past the test harness, which keeps what a passing test prints to itself, and in one piece, as tests run beside
    // each other. Nothing is lost when nobody listens.
    let _ = std::io::stderr().write_all(format!("NOT RUN: {promise}: {reason}\n").as_bytes());
}

/// Says out loud that a promise says nothing of this kind of store, and why: that is no gap. `cargo xtask test` counts
/// these lines apart.
pub(super) fn does_not_apply(promise: &str, reason: &str) {
    let _ = std::io::stderr().write_all(format!("DOES NOT APPLY: {promise}: {reason}\n").as_bytes());
}

/// Makes one test per promise.
#[doc(hidden)]
#[macro_export]
macro_rules! __promises {
    ($harness:ty, $suite:ident: $($promise:ident)+) => {
        $(
            #[test]
            fn $promise() {
                if let Some(reason) = <$harness as $crate::testing::$suite::Harness>::missing() {
                    return $crate::testing::skip(stringify!($promise), &reason);
                }
                $crate::testing::run_promise($crate::testing::$suite::$promise::<$harness>());
            }
        )+
    };
}

/// Asserts that each promise of a suite stands in the macro that makes tests of them.
#[cfg(test)]
pub(super) fn assert_all_listed(suite: &str, macro_file: &str) {
    let listed: Vec<_> = macro_file.lines().map(str::trim).collect();
    let promises = suite.lines().filter_map(|line| line.strip_prefix("pub async fn "));
    let names: Vec<_> = promises.filter_map(|rest| rest.split(['<', '(']).next()).collect();
    assert!(!names.is_empty(), "the suite has no promises at all");
    let missing: Vec<_> = names.into_iter().filter(|name| !listed.contains(name)).collect();
    assert!(missing.is_empty(), "not in the macro: {missing:?}");
}
