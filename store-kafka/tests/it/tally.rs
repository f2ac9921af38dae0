//! A read model over notes, and another service that fills it from topics.

use crate::broker::unique;
use annals::{
    Checkpoints, DocumentStore, DomainEvent, Keys, LeaseTerms, MemoryDocuments, PageLimit, ProjectError,
    Projection, RecordedEvent, SubscriberInfo, event_set,
};
use annals_kafka::{ConsumeError, Consumer, ConsumerTerms, Handler, KafkaOptions};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

macro_rules! notes {
    ($($name:ident in $category:literal)+) => {$(
        #[derive(Debug, Serialize, Deserialize)]
        pub(crate) enum $name {
            Noted { n: u64 },
        }

        impl DomainEvent for $name {
            const CATEGORY: &'static str = $category;
        }
    )+};
}

notes! { OrderNote in "order" StockNote in "stock" }

event_set! {
    pub(crate) enum Note { Order(OrderNote), Stock(StockNote) }
}

/// Per stream every note in its order; under `all` how many there are and their sum, which all partitions touch.
/// Refuses 13 until it is mended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) mended: Arc<AtomicBool>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tallied {
    pub(crate) count: u64,
    pub(crate) sum: u64,
    pub(crate) notes: Vec<u64>,
}

impl Projection for Tally {
    const NAME: &'static str = "tally";
    type Event = Note;
    type Document = Tallied;

    fn keys(&self, _: &Note, recorded: &RecordedEvent) -> Keys {
        [recorded.stream.as_str(), "all"].into_iter().collect()
    }

    fn project(
        &self,
        key: &str,
        before: Option<Tallied>,
        event: &Note,
        _: &RecordedEvent,
    ) -> Result<Option<Tallied>, ProjectError> {
        let (Note::Order(OrderNote::Noted { n }) | Note::Stock(StockNote::Noted { n })) = event;
        if *n == 13 && key != "all" && !self.mended.load(Ordering::Relaxed) {
            return Err(ProjectError::new("13 is refused"));
        }
        let mut tallied = before.unwrap_or_default();
        (tallied.count, tallied.sum) = (tallied.count + 1, tallied.sum + n);
        if key != "all" {
            tallied.notes.push(*n);
        }
        Ok(Some(tallied))
    }
}

/// A service that has a store of documents and no log.
#[derive(Clone)]
pub(crate) struct Elsewhere {
    pub(crate) options: KafkaOptions,
    pub(crate) documents: Arc<MemoryDocuments>,
    pub(crate) group: String,
    pub(crate) topics: Vec<String>,
    pub(crate) tally: Tally,
}

/// A consumer at work; stopped when it is dropped.
pub(crate) struct Running {
    stop: Option<DropGuard>,
    task: JoinHandle<Result<(), ConsumeError>>,
}

impl Running {
    pub(crate) async fn stop(mut self) {
        self.stop.take();
        self.task.await.unwrap().unwrap();
    }
}

/// How long a lease lasts in these tests after the last sign of life.
const LEASE: Duration = Duration::from_secs(1);

/// How often is looked at what nobody tells of.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// How long anything may take.
const WITHIN: Duration = Duration::from_secs(60);

impl Elsewhere {
    pub(crate) fn new(options: &KafkaOptions, topics: Vec<String>) -> Self {
        let (options, group) = (options.clone(), unique("group"));
        Self { options, documents: Arc::default(), group, topics, tally: Tally::default() }
    }

    pub(crate) fn terms(&self) -> ConsumerTerms {
        let lease = LeaseTerms { lasts: LEASE, ..LeaseTerms::default() };
        ConsumerTerms { lease, ..ConsumerTerms::default() }
    }

    pub(crate) fn consumer(&self, terms: ConsumerTerms) -> Consumer {
        self.consumer_over(self.documents.clone(), terms)
    }

    fn consumer_over(&self, documents: Arc<dyn DocumentStore>, terms: ConsumerTerms) -> Consumer {
        let handler = Handler::projection(self.tally.clone(), documents);
        Consumer::new(&self.group, self.options.clone(), self.topics.clone(), handler, terms)
    }

    pub(crate) fn run(&self) -> Running {
        self.run_with(self.terms())
    }

    pub(crate) fn run_with(&self, terms: ConsumerTerms) -> Running {
        self.run_over(self.documents.clone(), terms)
    }

    /// With something between it and its documents.
    pub(crate) fn run_over(&self, documents: Arc<dyn DocumentStore>, terms: ConsumerTerms) -> Running {
        let stop = CancellationToken::new();
        let task = tokio::spawn(self.consumer_over(documents, terms).run(stop.clone()));
        Running { stop: Some(stop.drop_guard()), task }
    }

    /// All documents, as text.
    pub(crate) async fn tallied(&self) -> BTreeMap<String, String> {
        all(&self.documents).await
    }

    /// Waits until `holds`.
    pub(crate) async fn until<F: Future<Output = bool>>(&self, what: &str, holds: impl Fn() -> F) {
        let begun = Instant::now();
        let mut moved = self.documents.moved();
        while !holds().await {
            assert!(begun.elapsed() < WITHIN, "not within {WITHIN:?}: {what}\n{:?}", self.parts().await);
            let _ = tokio::time::timeout(LOOK_INTERVAL, moved.changed()).await;
        }
    }

    /// Waits until so many events are counted.
    pub(crate) async fn until_counted(&self, count: u64) {
        self.until(&format!("{count} are counted"), || async { self.counted().await >= count }).await;
    }

    pub(crate) async fn counted(&self) -> u64 {
        let all = self.tallied().await.remove("all");
        all.map_or(0, |text| serde_json::from_str::<Tallied>(&text).unwrap().count)
    }

    /// What is known of the parts.
    pub(crate) async fn parts(&self) -> Vec<SubscriberInfo> {
        let all = self.documents.subscribers().await.unwrap();
        all.into_iter().filter(|info| info.subscriber.name().starts_with("tally-")).collect()
    }

    /// What the part of this partition reports.
    pub(crate) async fn failure(&self, topic: &str, partition: i32) -> Option<String> {
        let name = self.part(topic, partition);
        let found = self.parts().await.into_iter().find(|info| info.subscriber.name() == name);
        found.and_then(|info| info.failure).map(|(text, _)| text)
    }

    pub(crate) fn part(&self, topic: &str, partition: i32) -> String {
        annals::part_name("tally", 1, &Consumer::part(topic, partition))
    }
}

/// Every document of the live tally.
pub(crate) async fn all(documents: &MemoryDocuments) -> BTreeMap<String, String> {
    let Some((live, _)) = documents.live("tally").await.unwrap() else { return BTreeMap::new() };
    let all = documents.documents(&live, None, PageLimit::MAX).await.unwrap();
    all.iter().map(|(key, json)| (key.to_string(), json.as_str().to_string())).collect()
}
