//! What other processes hear of a burst of appends.

use crate::place::{Place, at, number, refusal, stream, to};
use annals::{EventStore, Fingerprint, Position, SnapshotStore};
use annals_postgres::{CONNECTIONS_MAX, HEAD_POLL};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Not all of them are told, but the last one is: readers do not wait until they ask by themselves.
///
/// Control: without `tell_others` in `Writer::next`, one of the bursts is heard of only when the log is asked.
#[tokio::test]
async fn the_last_append_of_a_burst_is_told_to_other_processes() {
    const BURSTS: u64 = 8;
    const APPENDS: u64 = 5;
    let Some(place) = Place::new() else { return };
    let (store, other) = (place.store().await, place.store().await);
    let mut head = other.head();
    for burst in 0..BURSTS {
        for n in 0..APPENDS {
            store.append(to("order-1", at(burst * APPENDS + n), 1)).await.unwrap();
        }
        let last = Position::new((burst + 1) * APPENDS);
        let is_heard = tokio::time::timeout(HEAD_POLL / 2, head.wait_for(|head| *head >= last)).await.is_ok();
        assert!(is_heard, "nobody told of position {last} within {:?}", HEAD_POLL / 2);
    }
}

/// A notification needs no right at all; it is a hint to look, and what it says is not believed. What comes behind it
/// is heard as soon as ever.
///
/// Control: where `Watcher::hear` tells the head of the payload, the log is told to end at what was made up.
#[tokio::test]
async fn a_forged_notification_moves_no_head() {
    let Some(place) = Place::new() else { return };
    let (store, other) = (place.store().await, place.store().await);
    store.append(to("order-1", at(0), 1)).await.unwrap();
    let oid = "SELECT 'NOTIFY \"annals_' || 'log'::regclass::oid || '\", '";
    let row = sqlx::query(oid).fetch_one(&mut place.raw().await).await.unwrap();
    let notify: String = row.get(0);
    let nobody = format!("nobody_{}", uuid::Uuid::now_v7().simple());
    let make = format!("CREATE ROLE {nobody} LOGIN");
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut place.raw().await).await.unwrap();
    let url = place.url_as(&nobody);
    let mut forger = PgConnection::connect(url.split('?').next().unwrap()).await.unwrap();
    let sql = format!("SELECT FROM {}.log", place.schema);
    assert!(refusal(&mut forger, &sql).await.contains("permission denied"));

    let mut head = other.head();
    for round in 1..=20 {
        for forged in ["'9223372036854775807'", "'18446744073709551615'", "'1000'", "'none'", "'-1'", "''"] {
            let forged = format!("{notify}{forged}");
            sqlx::raw_sql(AssertSqlSafe(forged)).execute(&mut forger).await.unwrap();
        }
        store.append(to("order-1", at(round), 1)).await.unwrap();
        let told = tokio::time::timeout(HEAD_POLL / 2, until(&mut head, Position::new(round + 1))).await;
        assert!(told.is_ok(), "not heard of position {} within {:?}", round + 1, HEAD_POLL / 2);
    }
    forger.close().await.unwrap();
    let drop = format!("DROP ROLE {nobody}");
    sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut place.raw().await).await.unwrap();
}

/// Eight reads stand still, so no further one is begun; what another process appends is heard of all the same.
///
/// Control: with the connections of the readers for `Head::watching`, nothing is heard until one of them is done.
#[tokio::test]
async fn reads_that_take_long_delay_no_wake_up() {
    let Some(place) = Place::new() else { return };
    let (store, other) = (place.store().await, Arc::new(place.store().await));
    store.append(to("order-1", at(0), 1)).await.unwrap();
    let mut head = other.head();
    head.wait_for(|head| *head == Position::new(1)).await.unwrap();
    let (mut raw, mut holds) = (place.raw().await, place.raw().await);
    sqlx::raw_sql("BEGIN; LOCK TABLE snapshots").execute(&mut holds).await.unwrap();
    let mut reading = JoinSet::new();
    for _ in 0..CONNECTIONS_MAX {
        let other = other.clone();
        reading.spawn(async move { other.snapshot(&stream("order-1"), Fingerprint([0; 16])).await });
    }
    let name = format!("annals {}", place.schema);
    let waiting = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}' AND wait_event_type = 'Lock'"
    );
    while number(&mut raw, &waiting).await < CONNECTIONS_MAX as i64 {
        tokio::task::yield_now().await;
    }
    store.append(to("order-1", at(1), 1)).await.unwrap();
    let is_heard =
        tokio::time::timeout(HEAD_POLL / 2, head.wait_for(|head| *head == Position::new(2))).await.is_ok();
    assert!(is_heard, "not heard of within {:?}", HEAD_POLL / 2);
    sqlx::raw_sql("COMMIT").execute(&mut holds).await.unwrap();
    assert!(reading.join_all().await.iter().all(Result::is_ok));
}

/// Waits for `last`, which nothing that is told on the way lies behind.
async fn until(head: &mut tokio::sync::watch::Receiver<Position>, last: Position) {
    loop {
        let told = *head.borrow_and_update();
        assert!(told <= last, "{told} was told, where the log ends at {last}");
        if told == last {
            return;
        }
        head.changed().await.unwrap();
    }
}
