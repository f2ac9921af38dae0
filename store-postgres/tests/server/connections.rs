//! How many connections one process has.

use crate::place::{Place, at, number, to};
use annals::{DocumentStore, EventStore, LogFilter, PageLimit, Position};
use annals_postgres::{CONNECTIONS_MAX, PostgresSettings};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Far more than there are connections.
const READERS: usize = 8 * CONNECTIONS_MAX;

/// The server's own count, while far more tasks read than there are connections.
///
/// Control: with more permits than `CONNECTIONS_MAX` in `Connections::to`, there are more.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_has_no_more_connections_than_its_settings_tell() {
    let Some(place) = Place::new() else { return };
    let (store, documents) = (Arc::new(place.store().await), Arc::new(place.documents().await));
    let told = |settings: PostgresSettings| settings.connections_max as i64;
    let most = told(store.settings().await.unwrap()) + told(documents.settings().await.unwrap());
    let mut raw = place.raw().await;
    let mut reading = JoinSet::new();
    for _ in 0..READERS {
        let (store, documents) = (store.clone(), documents.clone());
        reading.spawn(async move {
            for _ in 0..50 {
                store.read_log(Position::START, PageLimit::ONE, &LogFilter::all()).await.unwrap();
                documents.live("orders").await.unwrap();
            }
        });
    }
    let name = format!("annals {}", place.schema);
    let count = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'");
    let mut seen = 0;
    for version in 0.. {
        store.append(to("order-1", at(version), 1)).await.unwrap();
        seen = seen.max(number(&mut raw, &count).await);
        if reading.is_empty() {
            break;
        }
        while reading.try_join_next().is_some_and(|done| done.map(|()| true).unwrap()) {}
    }
    assert!(seen <= most, "{seen} connections, {most} were told");
    assert!(seen > CONNECTIONS_MAX as i64, "only {seen} connections: the readers did not meet");
}
