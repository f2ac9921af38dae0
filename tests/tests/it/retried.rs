//! What a projection refuses comes again through retry topics and counts once, in read models in PostgreSQL, while
//! consumers are cut off.

use crate::{
    broker::{Dispatch, PUBLISHER},
    postgres::schema,
    waiting::until,
};
use annals::{
    DocumentStore, DomainEvent, Keys, LeaseTerms, PageLimit, ProjectError, Projection, RecordedEvent,
};
use annals_kafka::{Consumer, ConsumerTerms, Handler, Retries};
use annals_postgres::PostgresDocuments;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// How many events there are; one of ten is refused at first.
const EVENTS: u64 = 3_000;

/// The key of the document that all events touch, and none is refused under.
const ALL: &str = "all";

const TOPIC: &str = "parcels.parcel";
const LEASE: Duration = Duration::from_millis(1_500);
const DELAYS_MS: [u64; 5] = [200, 1_000, 3_000, 10_000, 120_000];

#[derive(Debug, Serialize, Deserialize)]
enum ParcelEvent {
    Noted { n: u64 },
}

impl DomainEvent for ParcelEvent {
    const CATEGORY: &'static str = "parcel";
}

/// The numbers noted of each parcel, and how many there are in all.
#[derive(Debug, Clone, Default)]
struct Parcels {
    mended: Arc<AtomicBool>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Parcel {
    count: u64,
    notes: Vec<u64>,
}

impl Projection for Parcels {
    const NAME: &'static str = "parcels";
    type Event = ParcelEvent;
    type Document = Parcel;

    fn keys(&self, _: &ParcelEvent, recorded: &RecordedEvent) -> Keys {
        [recorded.key(), ALL].into_iter().collect()
    }

    fn project(
        &self,
        key: &str,
        before: Option<Parcel>,
        ParcelEvent::Noted { n }: &ParcelEvent,
        _: &RecordedEvent,
    ) -> Result<Option<Parcel>, ProjectError> {
        let mut parcel = before.unwrap_or_default();
        parcel.count += 1;
        if key == ALL {
            return Ok(Some(parcel));
        }
        if n % 10 == 3 && !self.mended.load(Ordering::Relaxed) {
            return Err(ProjectError::new("not yet"));
        }
        parcel.notes.push(*n);
        Ok(Some(parcel))
    }
}

/// How it was broken: with a part that counts what comes again without a look whether it is still parked
/// (`take_again`).
#[test]
fn what_is_refused_counts_once_in_postgres_when_it_comes_again() {
    let runtime = Runtime::new().unwrap();
    let Some(dispatch) = Dispatch::start("what is refused comes again") else { return };
    let Some(views) = schema() else { return };
    let mut publisher = dispatch.publisher("publisher", 1_500, &[]);
    runtime.block_on(async { dispatch.append(EVENTS).await.unwrap() });
    dispatch.until_published(&mut publisher, EVENTS);
    publisher.kill();

    let parcels = Parcels::default();
    // Each as in a process of its own: cut off, its tasks are gone at once, and its leases run out.
    let start = || {
        let (kafka, views, parcels) = (dispatch.broker.url(), views.clone(), parcels.clone());
        let runtime = Runtime::new().unwrap();
        runtime.spawn(async move {
            consumer(&kafka, &views, parcels).await.run(CancellationToken::new()).await.unwrap();
        });
        runtime
    };
    let documents = runtime.block_on(documents(&views));
    let mut running = vec![start(), start()];
    for share in 1..=3 {
        let some = EVENTS * share / 4;
        runtime.block_on(until("they get on", || async { all(&documents).await.0 >= some }));
        running.remove(0).shutdown_background();
        running.push(start());
    }
    runtime.block_on(until("all is read", || async { all(&documents).await.0 >= EVENTS }));
    parcels.mended.store(true, Ordering::Relaxed);
    runtime.block_on(until("all that came again is settled", || async { parked(&documents).await == 0 }));
    let (count, noted) = runtime.block_on(all(&documents));
    let wanted: BTreeMap<String, Vec<u64>> = (0..1_000)
        .map(|key| (key.to_string(), (0..EVENTS / 1_000).map(|n| n * 1_000 + key).collect()))
        .collect();
    assert_eq!((count, noted), (EVENTS, wanted));
    running.into_iter().for_each(Runtime::shutdown_background);
}

async fn documents(views: &str) -> Arc<PostgresDocuments> {
    Arc::new(PostgresDocuments::open(&views.parse().unwrap()).await.unwrap())
}

async fn consumer(kafka: &str, views: &str, parcels: Parcels) -> Consumer {
    let handler = Handler::projection(parcels, documents(views).await);
    let lease = LeaseTerms { lasts: LEASE, ..LeaseTerms::default() };
    let retries = Retries::after(DELAYS_MS.map(Duration::from_millis)).unwrap();
    let terms = ConsumerTerms { lease, retries: Some(retries), ..ConsumerTerms::default() };
    Consumer::new(PUBLISHER, kafka.parse().unwrap(), [TOPIC], handler, terms)
}

/// How many events were counted, and the numbers of each parcel, sorted: order is given up.
async fn all(documents: &PostgresDocuments) -> (u64, BTreeMap<String, Vec<u64>>) {
    let Some((live, _)) = documents.live(Parcels::NAME).await.unwrap() else { return Default::default() };
    let mut count = 0;
    let mut noted = BTreeMap::new();
    for (key, json) in documents.documents(&live, None, PageLimit::MAX).await.unwrap() {
        let mut parcel: Parcel = json.read().unwrap();
        parcel.notes.sort_unstable();
        match &*key {
            ALL => count = parcel.count,
            key => drop(noted.insert(key.to_string(), parcel.notes)),
        }
    }
    (count, noted)
}

async fn parked(documents: &PostgresDocuments) -> usize {
    let (live, _) = documents.live(Parcels::NAME).await.unwrap().unwrap();
    documents.parked(&live, None, None, PageLimit::MAX).await.unwrap().len()
}
