//! Waiting for what other processes do to a store, which tells nobody here.

use std::time::{Duration, Instant};

/// How long everything may take: a group of consumers notices within 10 s that a member was killed.
pub(crate) const WITHIN_MAX: Duration = Duration::from_secs(240);

/// How often it is looked whether it has come to that.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Looks again and again until it `holds`, at most [`WITHIN_MAX`].
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < WITHIN_MAX, "not within {WITHIN_MAX:?}: {what}");
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}
