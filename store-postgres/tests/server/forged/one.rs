//! The function for one event, called with numbers of one's own making.

use super::{log_and_role, writes};
use crate::place::{Place, at, number, refusal, to};
use annals::{EventStore, Expected, METADATA_BYTES_MAX, PAYLOAD_BYTES_MAX};
use annals_postgres::PostgresStore;
use sqlx::{AssertSqlSafe, PgConnection};

/// What the function is called with.
#[derive(Clone, Copy)]
struct One {
    started: &'static str,
    head: i64,
    stream: i64,
    version: i64,
    id: &'static str,
    of_type: i32,
    metadata: &'static str,
    payload: &'static str,
    begins: &'static str,
}

/// The third event of `order-1`, whose type is the first, behind the two of `order-1` and one of `stock-1`.
const ONE: One = One {
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
const FIRST: One = One { stream: 4, version: 1, begins: "'acme/order-9'", ..ONE };

impl One {
    fn sql(&self) -> String {
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
async fn place() -> Option<(Place, PostgresStore, String, PgConnection)> {
    let (place, owner, name, mut raw) = log_and_role().await?;
    sqlx::raw_sql("SET annals.appending = 'on'").execute(&mut raw).await.unwrap();
    Some((place, owner, name, raw))
}

/// Controls: without the condition on `q.version`, a version is skipped; without that on categories, an order is counted;
/// without those on lengths, texts of any size are written.
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

/// It acts with the owner's rights, so nothing in it may be looked up where the caller says.
///
/// Controls: with `l.position = head` for the first condition, what the role made is called, and so it is without the
/// search path of `refuse_insert`.
#[tokio::test]
async fn what_acts_with_the_rights_of_the_owner_calls_nothing_of_the_caller() {
    let Some((place, _owner, name, mut raw)) = place().await else { return };
    let evil = format!("evil_{name}");
    let make = format!("CREATE SCHEMA {evil} AUTHORIZATION {name}");
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut place.raw().await).await.unwrap();
    let mut made = format!(
        "SET search_path = {evil}, pg_catalog, {}; CREATE FUNCTION called() RETURNS text LANGUAGE plpgsql AS \
         $$BEGIN RAISE EXCEPTION 'called as %', current_user USING ERRCODE = '23000'; END$$;",
        place.schema
    );
    for (number, (operator, left, right, result)) in [
        ("=", "bigint", "bigint", "boolean"),
        ("=", "text", "text", "boolean"),
        ("=", "int", "int", "boolean"),
        ("=", "timestamptz", "timestamptz", "boolean"),
        ("<>", "int", "int", "boolean"),
        ("<=", "int", "int", "boolean"),
        ("-", "bigint", "int", "bigint"),
        ("+", "bigint", "int", "bigint"),
        ("|", "bigint", "bigint", "bigint"),
        ("<<", "bigint", "int", "bigint"),
        ("||", "text", "text", "text"),
    ]
    .into_iter()
    .enumerate()
    {
        made.push_str(&format!(
            "CREATE FUNCTION f{number}({left}, {right}) RETURNS {result} LANGUAGE sql AS \
             'SELECT {evil}.called()::{result}'; \
             CREATE OPERATOR {operator} (FUNCTION = f{number}, LEFTARG = {left}, RIGHTARG = {right});"
        ));
    }
    for (function, result) in [
        ("clock_timestamp()", "timestamptz"),
        ("pg_postmaster_start_time()", "timestamptz"),
        ("octet_length(text)", "int"),
        ("split_part(text, text, int)", "text"),
        ("current_setting(text, boolean)", "text"),
        ("pg_try_advisory_xact_lock(bigint)", "boolean"),
        ("pg_notify(text, text)", "text"),
    ] {
        made.push_str(&format!(
            "CREATE FUNCTION {function} RETURNS {result} LANGUAGE sql AS 'SELECT {evil}.called()::{result}';"
        ));
    }
    for of_type in ["timestamptz", "int4", "int8", "text", "oid", "regclass"] {
        made.push_str(&format!("CREATE DOMAIN {of_type} AS pg_catalog.{of_type} CHECK (false);"));
    }
    sqlx::raw_sql(AssertSqlSafe(made)).execute(&mut raw).await.unwrap();
    // The caller's own names are of no account here.
    let one = One { started: "pg_catalog.pg_postmaster_start_time()", ..ONE };
    let another = One { of_type: 2, ..one };
    let first = One { head: 4, stream: 5, started: one.started, ..FIRST };
    for (one, outcome) in [(another, 1), (one, 0), (first, 0)] {
        let said = sqlx::query_scalar::<_, i16>(AssertSqlSafe(one.sql())).fetch_one(&mut raw).await;
        assert_eq!(said.unwrap(), outcome);
    }
    sqlx::raw_sql("SET annals.appending = 'off'").execute(&mut raw).await.unwrap();
    let next = One { head: 5, version: 4, ..one };
    assert!(refusal(&mut raw, &next.sql()).await.contains("added by the append functions only"));
    assert!(refusal(&mut raw, "SELECT 1 FROM log WHERE position = 1::bigint").await.contains("called as"));
    let drop = format!("DROP SCHEMA {evil} CASCADE");
    sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut place.raw().await).await.unwrap();
}

/// Such a role appends one event by the function that is made for that, and was given the right to when its log came
/// from an older layout.
///
/// Control: without the loop at the end of `0012_append_behind.sql`, the role is refused.
#[tokio::test]
async fn whoever_could_append_before_appends_by_the_function_for_one_event() {
    const OLDER: &str = "DROP FUNCTION append_one, append_behind; UPDATE layouts SET version = 10 WHERE what LIKE '%event log%'";
    let Some((place, owner, name, _raw)) = place().await else { return };
    drop(owner);
    let mut raw = place.raw().await;
    sqlx::raw_sql(OLDER).execute(&mut raw).await.unwrap();
    drop(place.store().await);
    let only = format!("REVOKE EXECUTE ON FUNCTION append_next, append_checked FROM {name}");
    sqlx::raw_sql(AssertSqlSafe(only)).execute(&mut raw).await.unwrap();
    let store = PostgresStore::open(&place.url_as(&name).parse().unwrap()).await.unwrap();
    store.append(to("order-1", at(2), 1)).await.unwrap();
    store.append(to("stock-1", at(1), 1)).await.unwrap();
    store.append(to("order-2", Expected::NEW, 1)).await.unwrap();
    let refused = store.append(to("order-1", at(3), 2)).await.unwrap_err();
    assert!(annals::error_text(&refused).contains("permission denied for function append_next"), "{refused}");
}
