//! A service elsewhere that counts parcels, is stopped and begins anew, and what it says of repeats.

use crate::{
    broker::{Dispatch, PUBLISHER, STREAMS},
    waiting::until,
};
use annals::{
    DocumentStore, DomainEvent, Keys, LeaseTerms, PageLimit, ProjectError, Projection, RecordedEvent,
    testing::Metered,
};
use annals_kafka::{ConsumeError, Consumer, ConsumerTerms, Handler};
use annals_sqlite::SqliteDocuments;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, thread::JoinHandle, time::Duration};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const LEASE: Duration = Duration::from_millis(1_500);

#[derive(Debug, Serialize, Deserialize)]
enum ParcelEvent {
    Noted {},
}

impl DomainEvent for ParcelEvent {
    const CATEGORY: &'static str = "parcel";
}

/// How many events there were of each parcel, and whether each followed the one before it.
#[derive(Debug, Clone)]
struct Notes;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Noted {
    count: u64,
    last: u64,
    in_order: bool,
}

impl Projection for Notes {
    const NAME: &'static str = "notes";
    type Event = ParcelEvent;
    type Document = Noted;

    fn keys(&self, _: &ParcelEvent, recorded: &RecordedEvent) -> Keys {
        Keys::from(recorded.key())
    }

    fn project(
        &self,
        _: &str,
        before: Option<Noted>,
        _: &ParcelEvent,
        recorded: &RecordedEvent,
    ) -> Result<Option<Noted>, ProjectError> {
        let Noted { count, last, in_order } = before.unwrap_or(Noted { count: 0, last: 0, in_order: true });
        let version = recorded.version.get();
        Ok(Some(Noted { count: count + 1, last: version, in_order: in_order && version == last + 1 }))
    }
}

/// A read model in a file, and the consumer that fills it while it runs.
pub(crate) struct Counting {
    url: String,
    documents: Arc<SqliteDocuments>,
    metered: Metered,
    running: Option<(CancellationToken, JoinHandle<Result<(), ConsumeError>>)>,
    _room: TempDir,
}

impl Counting {
    pub(crate) fn of(dispatch: &Dispatch) -> Self {
        let room = tempfile::tempdir().unwrap();
        let documents = Arc::new(SqliteDocuments::open(room.path().join("notes.db")).unwrap());
        let (url, metered) = (dispatch.broker.url(), Metered::default());
        Self { url, documents, metered, running: None, _room: room }
    }

    /// Consumes on a thread of its own, so that what it tells to metrics is told here and by it alone.
    pub(crate) fn start(&mut self) {
        let handler = Handler::projection(Notes, self.documents.clone());
        let lease = LeaseTerms { lasts: LEASE, ..LeaseTerms::default() };
        let terms = ConsumerTerms { lease, ..ConsumerTerms::default() };
        let topic = format!("{PUBLISHER}.{}", ParcelEvent::CATEGORY);
        let consumer = Consumer::new("notes", self.url.parse().unwrap(), [topic], handler, terms);
        let (stop, metered) = (CancellationToken::new(), self.metered.clone());
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let _told_here = metrics::set_default_local_recorder(&metered);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(consumer.run(stopped))
        });
        self.running = Some((stop, thread));
    }

    /// Stops when the page in hand is finished.
    pub(crate) async fn stop(&mut self) {
        let (stop, thread) = self.running.take().unwrap();
        stop.cancel();
        tokio::task::spawn_blocking(|| thread.join().unwrap().unwrap()).await.unwrap();
    }

    async fn notes(&self) -> Vec<(String, Noted)> {
        let Some((live, _)) = self.documents.live(Notes::NAME).await.unwrap() else { return vec![] };
        let all = self.documents.documents(&live, None, PageLimit::MAX).await.unwrap();
        all.into_iter().map(|(key, json)| (key.to_string(), json.read().unwrap())).collect()
    }

    /// Waits until so many events are counted, be it some of them twice.
    pub(crate) async fn until_counted(&self, events: u64) {
        let counted = async || self.notes().await.iter().map(|(_, noted)| noted.count).sum::<u64>();
        until(&format!("{events} are counted"), || async { counted().await >= events }).await;
    }

    /// How many repeats it has told of by now.
    pub(crate) fn repeated(&self) -> u64 {
        self.metered.told("annals_records_repeated").iter().sum::<f64>() as u64
    }

    /// Waits until it has told of so many repeats.
    pub(crate) async fn until_repeated(&self, records: u64) {
        until(&format!("{records} are told as repeated"), || async { self.repeated() >= records }).await;
    }

    /// Checks that each of `events`, spread evenly over the parcels, was counted once and in order, and that no
    /// partition has ever stood still.
    pub(crate) async fn assert_counted_once(&self, events: u64) {
        let (notes, each) = (self.notes().await, events / STREAMS);
        let wrong = |noted: &Noted| *noted != Noted { count: each, last: each, in_order: true };
        let wrong: Vec<_> = notes.iter().filter(|(_, noted)| wrong(noted)).take(3).collect();
        assert!(wrong.is_empty() && notes.len() as u64 == STREAMS, "{} of {each}: {wrong:?}", notes.len());
        assert_eq!(self.metered.labels("annals_subscriber_failures"), Vec::<String>::new());
        for info in annals::Checkpoints::subscribers(&*self.documents).await.unwrap() {
            assert_eq!((info.failure, info.parked), (None, 0), "{}", info.subscriber);
        }
    }
}
