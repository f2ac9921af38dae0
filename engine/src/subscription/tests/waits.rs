//! The waits between the tries of a subscriber that fails.

use crate::{RESTART_FIRST, RESTART_MAX, RestartWaits};
use std::{collections::HashSet, time::Duration};

/// So often has a wait of [`RESTART_FIRST`] doubled when it is longer than [`RESTART_MAX`].
const DOUBLINGS: u32 = 9;

fn row(count: u32) -> Vec<Duration> {
    let mut waits = RestartWaits::default();
    (0..count).map(|_| waits.next()).collect()
}

/// Each wait lies between its own length and twice that: jitter only adds. Broken on purpose: without `with_min_delay`
/// the first is too long.
#[tokio::test(start_paused = true)]
async fn waits_grow_to_their_bound_and_no_further() {
    for (before, wait) in (0..).zip(row(40)) {
        let least = (RESTART_FIRST * 2u32.pow(before.min(DOUBLINGS))).min(RESTART_MAX);
        assert!(least <= wait && wait <= 2 * least, "{before}: {wait:?}, not from {least:?} to its double");
    }
    assert!(RESTART_FIRST * 2u32.pow(DOUBLINGS) > RESTART_MAX);
}

/// Broken on purpose: without `with_jitter` all of them are one, and those who failed together come again together;
/// with a longer `with_max_delay` the longest are.
#[tokio::test(start_paused = true)]
async fn waits_of_different_subscribers_differ() {
    let firsts: HashSet<_> = (0..20).map(|_| row(1)[0]).collect();
    assert!(firsts.len() > 10, "{firsts:?}");
    let longest: HashSet<_> = (0..20).map(|_| row(DOUBLINGS + 3).pop()).collect();
    assert!(longest.len() > 10, "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_long_after_the_last_one_begins_anew() {
    let mut waits = RestartWaits::default();
    for _ in 0..20 {
        waits.next();
    }
    tokio::time::advance(2 * RESTART_MAX).await;
    assert!(waits.next() >= RESTART_MAX, "not yet");
    tokio::time::advance(2 * RESTART_MAX + Duration::from_millis(1)).await;
    assert!(waits.next() <= 2 * RESTART_FIRST);
}
