//! The function for one event, called with numbers of one's own making.

use super::{log_and_role, writes};
use crate::{
    place::{Place, at, number, refusal, to},
    upgraded::WITHOUT_GUARDS,
};
use annals::{EventStore, Expected, METADATA_BYTES_MAX, PAYLOAD_BYTES_MAX};
use annals_postgres::PostgresStore;
use sqlx::{AssertSqlSafe, PgConnection};

/// What the function is called with.
#[derive(Clone, Copy)]
pub(super) struct One {
    pub(super) started: &'static str,
    pub(super) head: i64,
    pub(super) stream: i64,
    pub(super) version: i64,
    pub(super) id: &'static str,
    pub(super) of_type: i32,
    pub(super) metadata: &'static str,
    pub(super) payload: &'static str,
    pub(super) begins: &'static str,
}

/// The third event of `order-1`, whose type is the first, behind the two of `order-1` and one of `stock-1`.
pub(super) const ONE: One = One {
    started: "pg_postmaster_start_time()",
    head: 3,
    stream: 1,
    version: 3,
    id: "gen_random_uuid()",
    of_type: 1,
    metadata: "'{}'",
    payload: "'{}'",
    begins: "NULL",
};

/// The first event of a stream that begins.
pub(super) const FIRST: One = One { stream: 4, version: 1, begins: "'acme/order-9'", ..ONE };

impl One {
    pub(super) fn sql(&self) -> String {
        let Self { started, head, stream, version, id, of_type, metadata, payload, begins } = self;
        format!(
            "SELECT append_one({started}, {head}, {stream}, {version}, {id}, {of_type}, {metadata}, {payload}, true, \
             {begins})"
        )
    }
}

/// A JSON string of so many bytes.
fn text(bytes: usize) -> &'static str {
    format!("to_json(repeat('x', {bytes} - 2))").leak()
}

/// The log and role of all these tests, whose session has said that it is appending.
pub(super) async fn place() -> Option<(Place, PostgresStore, String, PgConnection)> {
    let (place, owner, name, mut raw) = log_and_role().await?;
    sqlx::raw_sql("SET annals.appending = 'on'").execute(&mut raw).await.unwrap();
    Some((place, owner, name, raw))
}

/// Controls: without the condition on `q.version`, a version is skipped; without that on categories, an order is
/// counted; without those on lengths, texts of any size are written.
#[tokio::test]
async fn one_event_is_written_as_it_should_be_or_not_at_all() {
    let Some((_place, _owner, _name, mut raw)) = place().await else { return };
    let largest = One { metadata: text(METADATA_BYTES_MAX), payload: text(PAYLOAD_BYTES_MAX), ..ONE };
    let on_another = One { stream: 3, version: 2, of_type: 2, ..ONE };
    let largest_first = One { metadata: text(METADATA_BYTES_MAX), payload: text(PAYLOAD_BYTES_MAX), ..FIRST };
    for one in [ONE, largest, on_another, FIRST, largest_first] {
        assert_eq!(writes(&mut raw, &one.sql()).await, Ok(true), "{}", one.sql());
    }
    let before = number(&mut raw, "SELECT count(*) FROM log").await;
    for one in [
        One { started: "pg_postmaster_start_time() - interval '1 second'", ..ONE },
        One { started: "NULL", ..ONE },
        One { head: -1, ..ONE },
        One { head: 0, ..ONE },
        One { head: 2, ..ONE },
        One { head: 4, ..ONE },
        One { stream: 4, ..ONE },
        One { stream: 4, version: 1, ..ONE },
        One { version: -1, ..ONE },
        One { version: 0, ..ONE },
        One { version: 1, ..ONE },
        One { version: 2, ..ONE },
        One { version: 4, ..ONE },
        One { id: "NULL", ..ONE },
        One { id: "(SELECT event_id FROM log WHERE position = 1)", ..ONE },
        One { of_type: 2, ..ONE },
        One { of_type: 99, ..ONE },
        One { metadata: "NULL", ..ONE },
        One { metadata: text(METADATA_BYTES_MAX + 1), ..ONE },
        One { payload: "NULL", ..ONE },
        One { payload: text(PAYLOAD_BYTES_MAX + 1), ..ONE },
        One { started: "pg_postmaster_start_time() - interval '1 second'", ..FIRST },
        One { head: 0, ..FIRST },
        One { head: 0, stream: 1, ..FIRST },
        One { head: 4, stream: 5, ..FIRST },
        One { stream: 1, ..FIRST },
        One { stream: 9, ..FIRST },
        One { version: 0, ..FIRST },
        One { version: 2, ..FIRST },
        One { id: "(SELECT event_id FROM log WHERE position = 1)", ..FIRST },
        One { of_type: 2, ..FIRST },
        One { of_type: 99, ..FIRST },
        One { metadata: text(METADATA_BYTES_MAX + 1), ..FIRST },
        One { payload: text(PAYLOAD_BYTES_MAX + 1), ..FIRST },
        One { begins: "'order-1'", ..FIRST },
        One { begins: "'stock-9'", ..FIRST },
        One { begins: "'order'", ..FIRST },
        One { begins: "'order-'", ..FIRST },
        One { begins: "'Order-9'", ..FIRST },
        One { begins: "''", ..FIRST },
        One { begins: "'order-9'", ..ONE },
    ] {
        assert_ne!(writes(&mut raw, &one.sql()).await, Ok(true), "{}", one.sql());
    }
    assert_eq!(number(&mut raw, "SELECT count(*) FROM log").await, before);
    // Whoever has not said that it is appending is told so, as everybody is who types rows in.
    sqlx::raw_sql("SET annals.appending = 'off'").execute(&mut raw).await.unwrap();
    assert!(refusal(&mut raw, &ONE.sql()).await.contains("added by the append functions only"));
}

/// Such a role appends one event by the function that is made for that, and was given the right to when its log came
/// from an older layout.
///
/// Control: without the loop at the end of `0012_append_behind.sql`, the role is refused; without that at the end of
/// `0013_append_in_turn.sql`, it is behind others.
#[tokio::test]
async fn whoever_could_append_before_appends_by_the_function_for_one_event() {
    const OLDER: &str = "DROP FUNCTION append_one, append_behind, append_in_turn;
                         UPDATE layouts SET version = 10 WHERE what LIKE '%event log%';";
    let Some((place, owner, name, _raw)) = place().await else { return };
    drop(owner);
    let mut raw = place.raw().await;
    sqlx::raw_sql(AssertSqlSafe(format!("{OLDER}{WITHOUT_GUARDS}"))).execute(&mut raw).await.unwrap();
    drop(place.store().await);
    let only = format!("REVOKE EXECUTE ON FUNCTION append_next, append_checked FROM {name}");
    sqlx::raw_sql(AssertSqlSafe(only)).execute(&mut raw).await.unwrap();
    let store = PostgresStore::open(&place.url_as(&name).parse().unwrap()).await.unwrap();
    store.append(to("order-1", at(2), 1)).await.unwrap();
    store.append(to("stock-1", at(1), 1)).await.unwrap();
    store.append(to("order-2", Expected::NEW, 1)).await.unwrap();
    let refused = store.append(to("order-1", at(3), 2)).await.unwrap_err();
    assert!(annals::error_text(&refused).contains("permission denied for function append_next"), "{refused}");
    store.append(to("order-2", at(1), 1)).await.unwrap();
    // Behind somebody of whom it knows nothing.
    place.store().await.append(to("order-3", Expected::NEW, 1)).await.unwrap();
    store.append(to("order-2", at(2), 1)).await.unwrap();
}
