//! C12 at its hardest: the commit is durable, and its answer never comes.

use crate::{
    place::{Place, at, number, to},
    proxy::Proxy,
};
use annals::{AppendError, EventStore, Expected, Position};
use annals_postgres::PostgresStore;

/// The answer to an append is swallowed behind the server's back; the same commit, sent again, gets its first result.
///
/// Control: where `0010_append_checked.sql` never tells a repeat (`IF false AND` in place of `IF k_event[k] = e_first AND`),
/// the second sending is refused as a duplicate.
#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_answer_was_lost_gets_its_first_result() {
    let Some(place) = Place::new() else { return };
    let proxy = Proxy::to(place.address()).await;
    let store = PostgresStore::open(&place.url_at(proxy.port).parse().unwrap()).await.unwrap();
    store.append(to("order-1", Expected::NEW, 1)).await.unwrap();
    for round in 1..=10 {
        let commit = to("order-1", at(round), 1);
        proxy.swallow(true);
        let lost = store.append(commit.clone()).await.unwrap_err();
        assert!(matches!(&lost, AppendError::Store(error) if error.is_transient()), "{lost}");
        proxy.swallow(false);
        let again = loop {
            match store.append(commit.clone()).await {
                Err(AppendError::Store(error)) if error.is_transient() => {}
                answer => break answer.unwrap(),
            }
        };
        assert_eq!(again.position, Position::new(round + 1));
        let stored = number(&mut place.raw().await, "SELECT count(*) FROM log").await;
        assert_eq!(stored.unsigned_abs(), round + 1, "each commit is there once");
    }
}
