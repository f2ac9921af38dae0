//! Several subscribers that write into one generation at once.

use crate::place::{Place, stream};
use annals::{
    Change, CheckpointError, Checkpoints, DocumentStore, Json, Lease, LeaseTerms, PageWrite, Parked,
    Position, Step, SubscriberId, Version,
};
use annals_postgres::PostgresDocuments;
use chrono::Utc;
use std::{sync::Arc, time::Duration};

/// What the parts write into.
const NAME: &str = "orders";

/// A part under its lease, and what it writes into.
struct Part {
    documents: PostgresDocuments,
    into: SubscriberId,
    lease: Lease,
}

impl Part {
    async fn of(place: &Place, name: &str) -> Self {
        let documents = place.documents().await;
        let into = documents.open(NAME, 1).await.unwrap();
        let part = documents.open(name, 1).await.unwrap();
        let terms = LeaseTerms { holder: "test".into(), lasts: Duration::from_secs(3_600) };
        let lease = documents.acquire(&part, &terms).await.unwrap();
        Self { documents, into, lease }
    }

    /// Its first page, which is about one document.
    async fn write(self, key: &str, page: PageWrite) -> Result<(), CheckpointError> {
        let Self { documents, into, lease } = self;
        let (from, to) = (lease.checkpoint, Position::new(1));
        let step = Step { subscriber: lease.subscriber, epoch: lease.epoch, from, to };
        let keys = [Arc::from(key)];
        let seen: Vec<_> =
            keys.clone().into_iter().zip(documents.load(&into, &keys).await.unwrap()).collect();
        documents.commit_part(&step, &into, &seen, page).await
    }
}

/// A part that parks waits for one that is in the middle of a page, and those that come later wait behind it.
///
/// Control: with the call of the function alone in `commit_part.sql`, the last one does not get in line, and goes in front.
#[tokio::test]
async fn whoever_parks_gets_its_turn_beside_busy_parts() {
    let Some(place) = Place::new() else { return };
    let (parks, goes_on) = (Part::of(&place, "orders-at-0").await, Part::of(&place, "orders-at-1").await);
    let mut raw = place.raw().await;
    let busy = format!(
        "BEGIN; SELECT pg_advisory_xact_lock_shared(hashtextextended('{NAME} 1', 'parked'::regclass::oid::bigint)); \
         SELECT FROM generations WHERE name = '{NAME}' FOR SHARE"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(busy)).execute(&mut raw).await.unwrap();
    let parking = tokio::spawn(parks.write("a", PageWrite { park: vec![parked()], ..PageWrite::default() }));
    place.in_line(1).await;
    let put = Change::Put(Json::empty());
    let page = PageWrite { changes: vec![("b".into(), put)], ..PageWrite::default() };
    let going_on = tokio::spawn(goes_on.write("b", page));
    place.in_line(2).await;
    assert!(!going_on.is_finished());
    sqlx::raw_sql("COMMIT").execute(&mut raw).await.unwrap();
    parking.await.unwrap().unwrap();
    going_on.await.unwrap().unwrap();
}

fn parked() -> Parked {
    Parked {
        key: "a".into(),
        position: Position::new(1),
        stream: stream("order-1"),
        version: Version::new(1),
        error: "refused".into(),
        attempts: 3,
        parked_at: Utc::now(),
    }
}
