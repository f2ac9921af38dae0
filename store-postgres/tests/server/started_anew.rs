//! A server that was restored to an older state and started anew, which a pooler in front of it hides: to whoever is
//! connected to the pooler nothing happens.

use crate::{
    own::Own,
    place::{at, to},
    pooled::{Pooled, in_front_of},
};
use annals::{
    AppendError, Commit, EventData, EventId, EventStore, Expected, Json, LogFilter, PageLimit, Position,
    VersionRange,
};
use annals_postgres::{PostgresOptions, PostgresStore};
use annals_services::Pgbouncer;

/// A server of the test's own, the pooler, and the way through that.
async fn behind_a_pooler(name: &str) -> Option<(Own, Pgbouncer, PostgresOptions)> {
    if let Some(reason) = Pooled::missing() {
        annals::testing::skip(name, &reason);
        return None;
    }
    let own = Own::new(name)?;
    own.start(&[]);
    let pooler = in_front_of(own.port(), &format!("{name}-{}", own.port()), "server_login_retry = 1");
    let url = format!("postgres://annals@127.0.0.1:{}/postgres?pooler=transaction", pooler.port());
    Some((own, pooler, url.parse().unwrap()))
}

/// What becomes of `commit` when what passes has passed.
async fn settled(store: &PostgresStore, commit: &Commit) -> Result<Position, AppendError> {
    loop {
        match store.append(commit.clone()).await {
            Err(AppendError::Store(error)) if error.is_transient() => {}
            answer => return answer.map(|committed| committed.position),
        }
    }
}

/// The log is as long as before, so the row at the head that the writer remembers is there; only the start of the
/// server tells that it is another one.
///
/// Control: without the look at `pg_postmaster_start_time()` in `0009_append_next.sql`, version 11 follows version 7.
#[tokio::test]
async fn the_next_append_starts_from_the_real_head() {
    let Some((own, _pooler, options)) = behind_a_pooler("restored").await else { return };
    let store = PostgresStore::open(&options).await.unwrap();
    for i in 0..10 {
        store.append(to("order-1", at(i), 1)).await.unwrap();
    }
    own.run(
        "SET session_replication_role = replica; DELETE FROM annals.log WHERE position > 7; \
         DELETE FROM annals.streams WHERE id > 7",
    )
    .await;
    let other = PostgresStore::open(&own.options("127.0.0.1", "")).await.unwrap();
    other.append(to("order-2", Expected::NEW, 3)).await.unwrap();
    drop(other);
    own.start(&[]);

    let conflict = settled(&store, &to("order-1", at(10), 1)).await.unwrap_err();
    assert_eq!(conflict.to_string(), "order-1 is at version 7, not at 10");
    assert_eq!(settled(&store, &to("order-1", at(7), 1)).await.unwrap(), Position::new(11));
    let page = store.read_log(Position::START, PageLimit::MAX, &LogFilter::all()).await.unwrap();
    let versions: Vec<u64> = page
        .events
        .iter()
        .filter(|event| event.stream.as_str() == "order-1")
        .map(|event| event.version.get())
        .collect();
    assert_eq!((page.events.len(), versions), (11, (1..=8).collect()));
}

fn named(version: u64, event_type: &str) -> Commit {
    let event = EventData::raw(EventId::random(), event_type, 1, Json::empty());
    Commit::to("order-1".parse().unwrap(), at(version), [event])
}

/// The names of the types of all events, by the log and by their stream.
async fn types(store: &PostgresStore) -> [Vec<String>; 2] {
    let order = "order-1".parse().unwrap();
    let [log, stream] = loop {
        let log = store.read_log(Position::START, PageLimit::MAX, &LogFilter::all()).await;
        let stream = store.read(&order, VersionRange::ALL, PageLimit::MAX).await;
        match (log, stream) {
            (Ok(page), Ok(events)) => break [page.events, events],
            (Err(error), _) | (_, Err(error)) => assert!(error.is_transient(), "{error}"),
        }
    };
    [log, stream].map(|events| events.iter().map(|event| event.event_type.to_string()).collect())
}

/// The same number may stand for another type in an older state of the log.
///
/// Control: without `is_current` in `Reader::types_of`, the events are read as what they were before.
#[tokio::test]
async fn readers_forget_what_numbers_stood_for() {
    let Some((own, _pooler, pooled)) = behind_a_pooler("renumbered").await else { return };
    let direct = own.options("127.0.0.1", "");
    let stores = [PostgresStore::open(&direct).await.unwrap(), PostgresStore::open(&pooled).await.unwrap()];
    stores[0].append(named(0, "Placed")).await.unwrap();
    stores[0].append(named(1, "Shipped")).await.unwrap();
    for store in &stores {
        assert_eq!(types(store).await, [["Placed", "Shipped"]; 2]);
    }
    own.run("SET session_replication_role = replica; UPDATE annals.types SET name = 'Not' || name").await;
    own.start(&[]);
    for store in &stores {
        assert_eq!(types(store).await, [["NotPlaced", "NotShipped"]; 2]);
    }
}
