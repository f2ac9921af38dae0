//! C13: time.

use super::{
    harness::{EventStoreHarness, writers},
    making::{append_to, events, stream},
    reading::whole_log,
};
use chrono::{TimeDelta, Utc};
use tokio::task::JoinSet;

/// C13: `recorded_at` never decreases along the log, has microseconds, and is the time of the commit.
pub async fn c13_time_never_goes_back_along_the_log<H: EventStoreHarness>() {
    let harness = H::open().await;
    let before = Utc::now();
    let mut tasks = JoinSet::new();
    for (writer, store) in writers(&harness).await.into_iter().cycle().take(16).enumerate() {
        tasks.spawn(async move {
            for i in 0..15 {
                append_to(&*store, &stream(&format!("order-{}", writer % 5)), events(1 + i % 3)).await;
            }
        });
    }
    tasks.join_all().await;
    let log = whole_log(&*harness.store()).await;
    for pair in log.windows(2) {
        let (earlier, later) = (&pair[0], &pair[1]);
        assert!(
            earlier.recorded_at <= later.recorded_at,
            "position {} was recorded at {}, position {} at {}",
            earlier.position,
            earlier.recorded_at,
            later.position,
            later.recorded_at
        );
    }
    // A database has a clock of its own, which may differ by this much.
    let apart = TimeDelta::minutes(5);
    for event in &log {
        assert!(before - apart <= event.recorded_at && event.recorded_at <= Utc::now() + apart);
        assert_eq!(event.recorded_at.timestamp_subsec_nanos() % 1_000, 0, "finer than microseconds");
    }
}
