//! Partitions are worked on beside each other: one that waits holds up no other.

use crate::{broker::shared, forger::Forger, tally::Tally};
use annals::{
    LogFilter, LogPage, PageLimit, PartProjector, Position, Projection, StoreError, Subscriber,
    SubscriberError,
};
use annals_kafka::{Consumer, Handler};
use async_trait::async_trait;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Whoever waits longer for another one waits in vain.
const WITHIN: Duration = Duration::from_secs(20);

/// How many partitions have a page in hand, and how many of them found another one that had too.
#[derive(Clone, Default)]
struct Handling {
    at_once: watch::Sender<u32>,
    met: Arc<AtomicU32>,
}

impl Handling {
    async fn another_one(&self) {
        self.at_once.send_modify(|parts| *parts += 1);
        let mut told = self.at_once.subscribe();
        match tokio::time::timeout(WITHIN, told.wait_for(|parts| *parts >= 2)).await {
            Ok(_) => drop(self.met.fetch_add(1, Ordering::SeqCst)),
            Err(_) => self.at_once.send_modify(|parts| *parts -= 1),
        }
    }
}

/// A part that handles no page before another part has one in hand too.
struct Meets {
    inner: Box<dyn Subscriber>,
    handling: Handling,
}

#[async_trait]
impl Subscriber for Meets {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn filter(&self) -> LogFilter {
        self.inner.filter()
    }

    fn page_limit(&self) -> PageLimit {
        self.inner.page_limit()
    }

    async fn begin(&mut self) -> Result<Position, SubscriberError> {
        self.inner.begin().await
    }

    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        if !page.events.is_empty() {
            self.handling.another_one().await;
        }
        self.inner.handle(page).await
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        self.inner.tend().await
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        self.inner.end().await
    }

    async fn report(&mut self, failure: Option<&str>) -> Result<(), StoreError> {
        self.inner.report(failure).await
    }
}

/// How it was broken: one lock for all partitions around `handle` in `PartTask::write`. Both then wait in vain, and none
/// has met the other.
#[tokio::test(flavor = "multi_thread")]
async fn two_partitions_are_handled_at_the_same_time() {
    let Some(options) = shared() else { return };
    let forger = Forger::new(&options).await;
    (0..2).for_each(|partition| forger.write(partition, 1, 0));
    let there = forger.read_by(&options);
    let (handling, documents, tally) = (Handling::default(), there.documents.clone(), there.tally.clone());
    let meeting = handling.clone();
    let handler = Handler::parts(Tally::NAME, documents.clone(), move |part, mode, kept, terms| {
        let inner = PartProjector::new(tally.clone(), part, documents.clone(), kept);
        Box::new(Meets { inner: Box::new(inner.mode(mode).lease_terms(terms)), handling: meeting.clone() })
    });
    let consumer = Consumer::new(&there.group, options.clone(), there.topics.clone(), handler, there.terms());
    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer.run(stop.clone()));
    there.until_counted(2).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(handling.met.load(Ordering::SeqCst), 2);
}
