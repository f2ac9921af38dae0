//! What is in the log stays as it is, whoever tries.

use crate::place::{Place, at, number, refusal, to};
use annals::{EventStore, Expected, Position};

/// By mistake, the owner is refused too. Control: without the triggers of `0001_log.sql`, and the conditions on rows of
/// `0015_guards.sql`, the lines go through, or fail for another reason.
#[tokio::test]
async fn the_owner_cannot_change_history_by_mistake() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    store.append(to("order-1", Expected::NEW, 2)).await.unwrap();
    let mut owner = place.raw().await;
    for sql in [
        "UPDATE log SET version = 9",
        "UPDATE log SET payload = '{}' WHERE position = 1",
        "DELETE FROM log",
        "TRUNCATE log",
        "UPDATE streams SET name = 'order-2'",
        "DELETE FROM streams",
        "TRUNCATE streams",
        "UPDATE types SET name = 'Other'",
        "DELETE FROM types",
    ] {
        let said = refusal(&mut owner, sql).await;
        assert!(said.contains("append-only"), "{sql}: {said}");
    }
    for sql in [
        "INSERT INTO log SELECT 3, stream, 3, recorded_at, gen_random_uuid(), type, 0, 1, 0, NULL, '{}', '{}' \
         FROM log WHERE position = 1",
        "INSERT INTO log SELECT 9, stream, 9, now() + interval '1 day', gen_random_uuid(), type, 0, 1, 0, NULL, '{}', \
         '{}' FROM log WHERE position = 1",
        "INSERT INTO streams VALUES (7, 'order-7')",
        // What a session leaves behind in which something was appended by a function.
        "SELECT set_config('annals.appending', 'off', false); INSERT INTO streams VALUES (7, 'order-7')",
        "SET annals.appending = ''; INSERT INTO streams VALUES (7, 'order-7')",
    ] {
        let said = refusal(&mut owner, sql).await;
        assert!(said.contains("append functions only"), "{sql}: {said}");
    }
    assert_eq!(number(&mut owner, "SELECT count(*) FROM log").await, 2);
    assert_eq!(store.append(to("order-1", at(2), 1)).await.unwrap().position, Position::new(3));
}

/// The server that follows another one gets its rows by replication, in sessions of this kind.
///
/// Control: without the first condition in `refuse_typed`, they are refused.
#[tokio::test]
async fn rows_that_are_replicated_are_let_in() {
    let Some(place) = Place::new() else { return };
    drop(place.store().await);
    let mut owner = place.raw().await;
    sqlx::raw_sql("SET session_replication_role = replica; INSERT INTO streams VALUES (7, 'order-7')")
        .execute(&mut owner)
        .await
        .unwrap();
    assert_eq!(number(&mut owner, "SELECT id FROM streams").await, 7);
}

/// Two engines in one database: the lock of each is its own.
///
/// Control: with a constant for `{lock}` in `Schema::fill`, and held here, the second engine's append waits until the
/// server ends it.
#[tokio::test]
async fn engines_in_one_database_do_not_wait_for_each_other() {
    let (Some(one), Some(two)) = (Place::new(), Place::new()) else { return };
    let (first, second) = (one.store().await, two.store().await);
    first.append(to("order-1", Expected::NEW, 1)).await.unwrap();
    let mut holder = one.holding_the_log().await;
    second.append(to("order-1", Expected::NEW, 1)).await.unwrap();
    let waiting = tokio::spawn(async move { first.append(to("order-1", at(1), 1)).await });
    second.append(to("order-1", at(1), 1)).await.unwrap();
    assert!(!waiting.is_finished());
    sqlx::raw_sql("SELECT pg_advisory_unlock_all()").execute(&mut holder).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().position, Position::new(2));
}
