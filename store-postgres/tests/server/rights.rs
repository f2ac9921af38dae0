//! What a role may do that only appends or only reads.

use crate::place::{Place, at, number, refusal, to};
use annals::{AppendError, EventStore, Expected, Position};
use annals_postgres::{PostgresStore, Right};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// A role of its own with `right`, and a connection as that role.
async fn role(place: &Place, store: &PostgresStore, right: Right) -> (String, PgConnection) {
    let name = format!("r_{}", uuid::Uuid::now_v7().simple());
    let make = format!("CREATE ROLE {name} LOGIN");
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut place.raw().await).await.unwrap();
    store.grant(&name, right).await.unwrap();
    let url = place.url_as(&name);
    let mut connection = PgConnection::connect(url.split('?').next().unwrap()).await.unwrap();
    let path = format!("SET search_path = {}", place.schema);
    sqlx::raw_sql(AssertSqlSafe(path)).execute(&mut connection).await.unwrap();
    (name, connection)
}

#[tokio::test]
async fn whoever_appends_can_neither_change_history_nor_forge_it() {
    let Some(place) = Place::new() else { return };
    let owner = place.store().await;
    let (name, mut as_role) = role(&place, &owner, Right::Append).await;
    let store = PostgresStore::open(&place.url_as(&name).parse().unwrap()).await.unwrap();
    store.append(to("order-1", Expected::NEW, 2)).await.unwrap();
    store
        .append(to("order-1", at(2), 1).and(
            crate::place::stream("stock-1"),
            Expected::NEW,
            [crate::place::event()],
        ))
        .await
        .unwrap();
    owner.append(to("order-1", at(3), 1)).await.unwrap();
    // The other writer went on: this one takes the long way.
    assert_eq!(store.append(to("order-1", at(4), 1)).await.unwrap().position, Position::new(6));
    for sql in [
        "UPDATE log SET version = 9",
        "DELETE FROM log",
        "TRUNCATE log",
        "SET annals.appending = 'on'; INSERT INTO streams VALUES (7, 'order-7')",
        "SET annals.appending = 'on'; INSERT INTO log SELECT 7, stream, 7, now(), gen_random_uuid(), type, 0, 1, 0, NULL, \
         '{}', '{}' FROM log WHERE position = 1",
        "UPDATE types SET name = 'Other'",
        "DROP TABLE log",
        "ALTER TABLE log DISABLE TRIGGER ALL",
    ] {
        let said = refusal(&mut as_role, sql).await;
        assert!(said.contains("permission denied") || said.contains("must be owner"), "{sql}: {said}");
    }
    // Numbers of its own choice: a skipped version, a stream that is none, one that begins elsewhere.
    let next = |new: &str, stream: u64, version: u64| {
        format!(
            "SELECT append_next(pg_postmaster_start_time(), 6, {new}, ARRAY[{stream}]::bigint[], \
             ARRAY[{version}]::bigint[], ARRAY[gen_random_uuid()], ARRAY[1], ARRAY[0]::smallint[], ARRAY[1]::smallint[], \
             ARRAY['{{}}']::json[], ARRAY['{{}}']::json[])"
        )
    };
    const NONE: &str = "'{}', '{}'";
    for sql in [
        next(NONE, 1, 9),
        next(NONE, 99, 1),
        next(NONE, 7, 1),
        next("ARRAY[99]::bigint[], ARRAY['order-99']", 1, 6),
        next(NONE, 1, 0),
    ] {
        let said = refusal(&mut as_role, &sql).await;
        assert!(said.contains("versions follow each other"), "{sql}: {said}");
    }
    // Not at the head: answered, and nothing is written.
    for head in [3, 5, 8] {
        let sql = next(NONE, 1, 6).replace("(), 6,", &format!("(), {head},"));
        let _ = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut as_role).await;
    }
    assert_eq!(number(&mut as_role, "SELECT count(*) * 100 + max(position) FROM log").await, 606);
    assert_eq!(store.append(to("order-1", at(5), 1)).await.unwrap().position, Position::new(7));
}

#[tokio::test]
async fn whoever_reads_cannot_append() {
    let Some(place) = Place::new() else { return };
    let owner = place.store().await;
    owner.append(to("order-1", Expected::NEW, 2)).await.unwrap();
    let (name, _) = role(&place, &owner, Right::Read).await;
    let store = PostgresStore::open(&place.url_as(&name).parse().unwrap()).await.unwrap();
    let found = store
        .read(&crate::place::stream("order-1"), annals::VersionRange::ALL, annals::PageLimit::DEFAULT)
        .await;
    assert_eq!(found.unwrap().len(), 2);
    let refused = store.append(to("order-1", at(2), 1)).await.unwrap_err();
    let AppendError::Store(error) = &refused else { panic!("{refused}") };
    assert!(!error.is_transient());
    assert!(annals::error_text(error).contains("ask the owner"), "{}", annals::error_text(error));
    assert!(owner.grant("a\" OR true", Right::Append).await.is_err());
}

/// As where the servers belong to somebody else, who lets nobody be a superuser.
///
/// Control: with `annals.appending` as a setting of the functions, they cannot be made.
#[tokio::test]
async fn whoever_owns_the_log_need_not_be_a_superuser() {
    let Some(place) = Place::new() else { return };
    let name = format!("r_{}", uuid::Uuid::now_v7().simple());
    let make = format!(
        "CREATE ROLE {name} LOGIN; \
         DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {name}', current_database()); END $$"
    );
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut place.raw().await).await.unwrap();
    let options = place.url_as(&name).parse().unwrap();
    let store = PostgresStore::open(&options).await.unwrap();
    annals_postgres::PostgresDocuments::open(&options).await.unwrap();
    assert_eq!(store.settings().await.unwrap().right, "owner");
    store.append(to("order-1", Expected::NEW, 2)).await.unwrap();
    let other = PostgresStore::open(&options).await.unwrap();
    other.append(to("order-1", at(2), 1)).await.unwrap();
    // Somebody else went on: this one takes the long way.
    assert_eq!(store.append(to("order-1", at(3), 1)).await.unwrap().position, Position::new(4));
    // The guard is up again behind each call, in its transaction too.
    let url = place.url_as(&name);
    let mut owner = PgConnection::connect(url.split('?').next().unwrap()).await.unwrap();
    let append = format!(
        "SET search_path = {}; BEGIN; SELECT append_next(pg_postmaster_start_time(), 4, '{{}}', '{{}}', ARRAY[1]::bigint[], \
         ARRAY[5]::bigint[], ARRAY[gen_random_uuid()], ARRAY[1], ARRAY[0]::smallint[], ARRAY[1]::smallint[], \
         ARRAY['{{}}']::json[], ARRAY['{{}}']::json[])",
        place.schema
    );
    sqlx::raw_sql(AssertSqlSafe(append)).execute(&mut owner).await.unwrap();
    assert_eq!(number(&mut owner, "SELECT count(*) FROM log").await, 5);
    let said = refusal(&mut owner, "INSERT INTO streams VALUES (9, 'order-9')").await;
    assert!(said.contains("added by the append functions only"), "{said}");
}
