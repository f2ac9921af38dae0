use crate::projection::part::waits;
use crate::{REFUSED_ATTEMPTS_MAX, REFUSED_RETRY_FIRST};
use std::{collections::HashSet, time::Duration};

/// Each wait lies between its own length and twice that, and those who wait together do not come again together.
///
/// How it was broken: without `with_jitter` in `waits` all rows are one; without `with_min_delay` the first is too long.
#[test]
fn what_is_refused_is_tried_again_later_and_later_and_not_all_at_once() {
    let row =
        || -> Vec<Duration> { waits(REFUSED_RETRY_FIRST).take(REFUSED_ATTEMPTS_MAX as usize).collect() };
    for (before, wait) in (0..).zip(row()) {
        let least = REFUSED_RETRY_FIRST * 2u32.pow(before);
        assert!(least <= wait && wait <= 2 * least, "{before}: {wait:?}, not from {least:?} to its double");
    }
    let rows: HashSet<_> = (0..20).map(|_| row()).collect();
    assert!(rows.len() > 10, "{rows:?}");
}
