//! What the writer remembers is never believed when the server may hold something else.

use crate::place::{Place, at, number, to};
use annals::{
    Commit, EventData, EventId, EventStore, Expected, Json, LogFilter, LogPage, PageLimit, Position,
    StoreError, Subscriber, SubscriberError, TEND_INTERVAL, follow,
};
use annals_postgres::HEAD_POLL;
use async_trait::async_trait;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Takes the events behind `head` away, past the triggers, as restoring a backup would.
async fn restore(place: &Place, head: u64) {
    let sql = format!(
        "SET session_replication_role = replica; DELETE FROM log WHERE position > {head}; \
         DELETE FROM streams WHERE id > {head}"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut place.raw().await).await.unwrap();
}

/// The connection goes on, as behind a pooler; the short way asks whether the row at the head is there.
///
/// Control: without the look at that row in `append_one.sql`, `last.sql` and `0009_append_next.sql`, version 11 follows
/// version 7.
#[tokio::test]
async fn a_server_restored_behind_our_back_gets_no_gap() {
    // By one of the statements, and by the other.
    for events in [1, 2] {
        let Some(place) = Place::new() else { return };
        let store = place.store().await;
        for i in 0..10 {
            store.append(to("order-1", at(i), 1)).await.unwrap();
        }
        restore(&place, 7).await;
        let conflict = store.append(to("order-1", at(10), events)).await.unwrap_err();
        assert_eq!(conflict.to_string(), "order-1 is at version 7, not at 10");
        let next = store.append(to("order-1", Expected::Any, events)).await.unwrap();
        assert_eq!(next.position, Position::new(7 + events as u64));
        let gaps = "SELECT max(position) - count(*) FROM log";
        assert_eq!(number(&mut place.raw().await, gaps).await, 0);
    }
}

/// What was restored did not know a type yet that the writer has a number for.
///
/// Control: without the look at types in `append_checked.sql`, the event is there under a number that names nothing.
#[tokio::test]
async fn a_type_that_a_restored_server_does_not_know_is_made_known_again() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    let weighed = |expected| {
        let event = EventData::raw(EventId::random(), "Weighed", 1, Json::empty());
        Commit::to("order-1".parse().unwrap(), expected, [event])
    };
    store.append(to("order-1", Expected::NEW, 1)).await.unwrap();
    store.append(weighed(at(1))).await.unwrap();
    restore(&place, 1).await;
    let gone = "SET session_replication_role = replica; DELETE FROM types WHERE name = 'Weighed'";
    sqlx::raw_sql(gone).execute(&mut place.raw().await).await.unwrap();
    store.append(weighed(at(1))).await.unwrap();
    let read = place.store().await;
    let page = read.read_log(Position::START, PageLimit::MAX, &LogFilter::all()).await.unwrap();
    let types: Vec<&str> = page.events.iter().map(|event| &*event.event_type).collect();
    assert_eq!(types, ["Counted", "Weighed"]);
}

/// Others go on behind what is left, further than we saw the log end.
///
/// Control: without the look at versions in `0014_append_in_turn.sql`, version 11 follows version 7.
#[tokio::test]
async fn a_server_restored_behind_our_back_gets_no_gap_where_others_went_on() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    for i in 0..10 {
        store.append(to("order-1", at(i), 1)).await.unwrap();
    }
    restore(&place, 7).await;
    place.store().await.append(to("order-2", Expected::NEW, 5)).await.unwrap();
    let conflict = store.append(to("order-1", at(10), 1)).await.unwrap_err();
    assert_eq!(conflict.to_string(), "order-1 is at version 7, not at 10");
    let next = store.append(to("order-1", Expected::Any, 1)).await.unwrap();
    assert_eq!(next.position, Position::new(13));
}

/// The same while we wait for our turn, with the streams looked at already.
///
/// Control: without the look at `found_id` in `0014_append_in_turn.sql`, version 11 follows version 7.
#[tokio::test]
async fn a_server_restored_while_we_wait_for_our_turn_gets_no_gap() {
    const GROW: &str = "INSERT INTO streams (id, name) VALUES (8, 'order-2'); \
        INSERT INTO log (position, stream, version, recorded_at, event_id, type, commit_index, commit_size, format, \
                         metadata, payload) \
          SELECT 7 + n, 8, n, recorded_at, gen_random_uuid(), type, 0, 1, 0, metadata, payload \
          FROM log, generate_series(1, 5) n WHERE position = 1";
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    for i in 0..10 {
        store.append(to("order-1", at(i), 1)).await.unwrap();
    }
    let mut other = place.holding_the_log().await;
    let waiting = tokio::spawn(async move { (store.append(to("order-1", at(10), 1)).await, store) });
    place.in_line(1).await;
    restore(&place, 7).await;
    sqlx::raw_sql("SET session_replication_role = replica").execute(&mut other).await.unwrap();
    sqlx::raw_sql(GROW).execute(&mut other).await.unwrap();
    sqlx::raw_sql("SELECT pg_advisory_unlock_all()").execute(&mut other).await.unwrap();
    let (refused, store) = waiting.await.unwrap();
    assert_eq!(refused.unwrap_err().to_string(), "order-1 is at version 7, not at 10");
    assert_eq!(store.append(to("order-1", at(7), 1)).await.unwrap().position, Position::new(13));
}

/// A lost connection forgets all that was remembered, so the next append starts from the real head.
///
/// Control: with `is_fresh` kept in `Writer::lose`, version 11 follows version 7.
#[tokio::test]
async fn a_server_restored_while_the_connection_was_down_gets_no_gap() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    for i in 0..10 {
        store.append(to("order-1", at(i), 1)).await.unwrap();
    }
    restore(&place, 7).await;
    // Others go on from there, up to where we stood.
    drop(place.store().await.append(to("order-2", Expected::NEW, 3)).await.unwrap());
    place.cut().await;
    let lost = store.append(to("order-1", at(10), 1)).await.unwrap_err();
    assert!(matches!(&lost, annals::AppendError::Store(error) if error.is_transient()), "{lost}");
    let conflict = store.append(to("order-1", at(10), 1)).await.unwrap_err();
    assert_eq!(conflict.to_string(), "order-1 is at version 7, not at 10");
    assert_eq!(store.append(to("order-1", at(7), 1)).await.unwrap().position, Position::new(11));
}

/// Tells how far it has come.
struct Follower(watch::Sender<Position>);

#[async_trait]
impl Subscriber for Follower {
    fn name(&self) -> &str {
        "follower"
    }

    fn filter(&self) -> LogFilter {
        LogFilter::all()
    }

    async fn begin(&mut self) -> Result<Position, SubscriberError> {
        Ok(*self.0.borrow())
    }

    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        self.0.send_replace(page.looked);
        Ok(())
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        Ok(())
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        Ok(())
    }

    async fn report(&mut self, _: Option<&str>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// What was handled is not in the log any more: whoever follows it says so, and does not go on at the old place.
///
/// Control: where `found` in `head.rs` moves the head forward only, nobody notices.
#[tokio::test]
async fn a_log_restored_under_a_running_follower_is_noticed() {
    let Some(place) = Place::new() else { return };
    let store = std::sync::Arc::new(place.store().await);
    for i in 0..10 {
        store.append(to("order-1", at(i), 1)).await.unwrap();
    }
    let at = watch::Sender::new(Position::START);
    let mut come = at.subscribe();
    let following = {
        let (store, mut follower) = (store.clone(), Follower(at));
        tokio::spawn(async move { follow(&*store, &mut follower, &CancellationToken::new()).await })
    };
    come.wait_for(|at| *at == Position::new(10)).await.unwrap();
    restore(&place, 7).await;
    let mut head = store.head();
    // Nothing of it is kept: it would lock the head.
    let is_told =
        tokio::time::timeout(5 * HEAD_POLL, head.wait_for(|head| *head == Position::new(7))).await.is_ok();
    assert!(is_told, "nobody told that the log ends at 7");
    let ended = tokio::time::timeout(5 * TEND_INTERVAL, following).await.unwrap().unwrap();
    assert!(matches!(ended, Err(SubscriberError::Ahead { .. })), "{ended:?}");
}
