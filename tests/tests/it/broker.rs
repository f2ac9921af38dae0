//! A Kafka broker of a story's own, which it may kill, and a log to publish there.

use crate::process::Process;
use annals::{Commit, EventData, EventId, EventStore, Expected, Json, Position, StreamId};
use annals_kafka::{KafkaOptions, Proof};
use annals_services::{KafkaBroker, OwnBroker, kafka_finding, not_run};
use annals_sqlite::{SqliteOptions, SqliteStore};
use futures_util::{StreamExt, stream};
use std::{collections::BTreeSet, path::Path, path::PathBuf, sync::Arc};
use tempfile::TempDir;

/// The name of the publisher, the beginning of those of its topics.
pub(crate) const PUBLISHER: &str = "parcels";

/// The only category there is.
const CATEGORY: &str = "parcel";

/// So many appends wait for the disk together.
const AT_ONCE: usize = 64;

/// How many streams there are.
pub(crate) const STREAMS: u64 = 1_000;

/// About the size of an order line.
const PAYLOAD_BYTES: usize = 200;

/// A broker, and a log beside it.
pub(crate) struct Dispatch {
    pub(crate) broker: OwnBroker,
    pub(crate) log: PathBuf,
    store: Arc<SqliteStore>,
    _room: TempDir,
}

impl Dispatch {
    /// A broker that runs; `None` when none is installed, which is said out loud.
    pub(crate) fn start(story: &str) -> Option<Self> {
        let dispatch = Self::make(story, None)?;
        dispatch.broker.start(&[]).unwrap();
        Some(dispatch)
    }

    /// A broker that does not run yet, with its data in `data` where that is given.
    pub(crate) fn make(story: &str, data: Option<&Path>) -> Option<Self> {
        if let Err(lacking) = kafka_finding() {
            not_run(story, format!("{lacking:#}"));
            return None;
        }
        let room = tempfile::tempdir().unwrap();
        let broker = KafkaBroker::at(room.path().join("broker"), false).unwrap();
        let broker = match data {
            Some(data) => broker.with_data(data),
            None => broker,
        };
        let broker = OwnBroker::of(broker).unwrap();
        let log = room.path().join("shop.db");
        let store = Arc::new(SqliteStore::open(&SqliteOptions::new(&log)).unwrap());
        Some(Self { broker, log, store, _room: room })
    }

    /// Starts a publisher as `holder`.
    pub(crate) fn publisher(&self, holder: &str, lease_ms: u64, more: &[&str]) -> Process {
        let (url, lease_ms) = (self.broker.url(), lease_ms.to_string());
        let mut arguments = vec!["publish", self.log.to_str().unwrap(), "--to", &url, "--name", PUBLISHER];
        arguments.extend(["--holder", holder, "--lease-ms", &lease_ms]);
        arguments.extend(more);
        Process::start(arguments)
    }

    /// Appends `count` events, in the background.
    pub(crate) fn append(&self, count: u64) -> tokio::task::JoinHandle<()> {
        let store = self.store.clone();
        tokio::spawn(async move {
            let appends = (0..count).map(|n| {
                let store = store.clone();
                async move {
                    let commit = Commit::to(stream_of(n), Expected::Any, vec![event(n)]);
                    store.append(commit).await.unwrap();
                }
            });
            stream::iter(appends).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
        })
    }

    /// Appends `count` events for each of the streams, all of a round in one commit.
    pub(crate) async fn append_rounds(&self, count: u64) {
        for round in 0..count {
            let mut commit = Commit::to(stream_of(0), Expected::Any, vec![event(round)]);
            for n in 1..STREAMS {
                commit = commit.and(stream_of(n), Expected::Any, vec![event(round)]);
            }
            self.store.append(commit).await.unwrap();
        }
    }

    /// Waits until `process` has published everything up to `position`.
    pub(crate) fn until_published(&self, process: &mut Process, position: u64) {
        process.until_handled(PUBLISHER, Position::new(position));
    }

    /// What a consumer finds.
    pub(crate) async fn proof(&self) -> Proof {
        let options: KafkaOptions = self.broker.url().parse().unwrap();
        let topics = BTreeSet::from([format!("{PUBLISHER}.{CATEGORY}")]);
        Proof::read(&options, topics).await.unwrap()
    }

    /// Checks that a consumer finds each of `count` events once and in order.
    pub(crate) async fn assert_published(&self, count: u64) {
        let proof = self.proof().await;
        assert!(proof.holds(), "{proof:?}");
        assert_eq!(proof.records(), count, "{proof:?}");
    }
}

fn stream_of(n: u64) -> StreamId {
    StreamId::new(CATEGORY, n % STREAMS).unwrap()
}

fn event(n: u64) -> EventData {
    let payload = format!(r#"{{"n":{n},"note":"{}"}}"#, "x".repeat(PAYLOAD_BYTES));
    EventData::raw(EventId::random(), "Noted", 1, Json::parse(&payload).unwrap())
}
