//! A store that fails for a moment, while records keep coming, most of them are passed over or none comes; and a projection that
//! panics.

use crate::{
    broker::shared, forger::Forger, guarded::listen, guarded::said, metered::Metered,
    slow_documents::SlowDocuments, tally::OrderNote,
};
use annals::{Keys, ProjectError, Projection, RecordedEvent, SubscriberInfo};
use annals_kafka::{ConsumeError, Consumer, Handler};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How often a record comes: more often than a partition without any is tended.
const EACH: Duration = Duration::from_millis(50);

/// How many come at most until the failure is taken back.
const RECORDS_MAX: u64 = 400;

/// Broken on purpose, and seen to fail this: a failure taken back only where no record has come for a second.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_has_passed_is_taken_back_while_records_keep_coming() {
    let Some(options) = shared() else { return };
    let (forger, metered) = (Forger::new(&options).await, Metered::of_this_program());
    let there = forger.read_by(&options);
    there.tally.mended.store(true, Ordering::Relaxed);
    let part = there.part(&forger.topic, 0);
    let failing = Arc::new(SlowDocuments::failing(there.documents.clone(), 3));
    let running = there.run_over(failing, there.terms());
    let mut each = tokio::time::interval(EACH);
    let mut passed = false;
    for position in 1..RECORDS_MAX {
        forger.write(0, position, position - 1);
        each.tick().await;
        let failed = metered.count("annals_subscriber_failures", &[&part]);
        if failed == 3 && there.counted().await > 0 && there.failure(&forger.topic, 0).await.is_none() {
            passed = true;
            break;
        }
    }
    assert!(passed, "{:?}", there.failure(&forger.topic, 0).await);
    running.stop().await;
}

/// Broken on purpose, and seen to fail this: a partition that always goes back to its beginning.
#[tokio::test(flavor = "multi_thread")]
async fn a_partition_goes_back_to_where_its_checkpoint_was_moved_last() {
    let Some(options) = shared() else { return };
    listen();
    let forger = Forger::new(&options).await;
    let there = forger.read_by(&options);
    let failing = Arc::new(SlowDocuments::failing(there.documents.clone(), 0));
    (1..=10).for_each(|position| forger.write(0, position, position - 1));
    let running = there.run_over(failing.clone(), there.terms());
    there.until_counted(10).await;
    failing.failing.store(1, Ordering::SeqCst);
    // Passed over, and behind the checkpoint when the next one cannot be written.
    (11..=15).for_each(|position| forger.write_as(0, "Weighed", position, position - 1));
    forger.write(0, 16, 15);
    there.until_counted(11).await;
    running.stop().await;
    assert_eq!(failing.failing.load(Ordering::SeqCst), 0, "the control: it was tried again");
    let said = said();
    let topic = format!("{} 0", forger.topic);
    let went = said.lines().filter(|line| line.contains("going back") && line.contains(&topic));
    let went: Vec<_> = went.filter_map(|line| line.split("to=").nth(1)).collect();
    assert_eq!(went, ["Offset(10)"]);
}

/// How it was broken: where what was dropped does not count as missing (`joined`, in `PartTask::follow`), the checkpoint
/// stays at 10.
#[tokio::test(flavor = "multi_thread")]
async fn records_that_were_passed_over_before_a_failure_are_read_again_though_no_other_comes() {
    let Some(options) = shared() else { return };
    let forger = Forger::new(&options).await;
    let there = forger.read_by(&options);
    let failing = Arc::new(SlowDocuments::failing(there.documents.clone(), 0));
    (1..=10).for_each(|position| forger.write(0, position, position - 1));
    let running = there.run_over(failing.clone(), there.terms());
    there.until_counted(10).await;
    failing.failing.store(1, Ordering::SeqCst);
    (11..=15).for_each(|position| forger.write_as(0, "Weighed", position, position - 1));
    let part = there.part(&forger.topic, 0);
    let is_behind = |info: &SubscriberInfo| info.subscriber.name() == part && info.checkpoint.get() == 15;
    there
        .until("they are behind the checkpoint", || async { there.parts().await.iter().any(is_behind) })
        .await;
    assert_eq!(failing.failing.load(Ordering::SeqCst), 0, "the control: it was tried again");
    running.stop().await;
}

/// Panics at position [`PANICS_AT`].
#[derive(Clone)]
struct Panics;

const PANICS_AT: u64 = 3_500;

impl Projection for Panics {
    const NAME: &'static str = "panics";
    type Event = OrderNote;
    type Document = u64;

    fn keys(&self, _: &OrderNote, _: &RecordedEvent) -> Keys {
        Keys::from("all")
    }

    fn project(
        &self,
        _: &str,
        count: Option<u64>,
        _: &OrderNote,
        recorded: &RecordedEvent,
    ) -> Result<Option<u64>, ProjectError> {
        assert!(recorded.position.get() < PANICS_AT, "as it is meant to");
        Ok(Some(count.unwrap_or(0) + 1))
    }
}

/// Broken on purpose, and seen to fail this: a task that is gone noticed only where a record comes for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_projection_that_panics_while_its_partition_is_paused_ends_the_consumer() {
    let Some(options) = shared() else { return };
    let forger = Forger::new(&options).await;
    forger.fill(0, 30_000);
    let there = forger.read_by(&options);
    // Meanwhile as much waits as may, and nothing more is read.
    let slow = Arc::new(SlowDocuments::taking(there.documents.clone(), Duration::from_millis(500)));
    let handler = Handler::projection(Panics, slow);
    let consumer = Consumer::new(&there.group, options, there.topics.clone(), handler, there.terms());
    let ended = tokio::time::timeout(Duration::from_secs(60), consumer.run(CancellationToken::new())).await;
    let error = ended.expect("it ends").unwrap_err();
    assert!(matches!(error, ConsumeError::Ended), "{error}");
}
