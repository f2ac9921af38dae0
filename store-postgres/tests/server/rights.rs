//! What a role may do that only appends or only reads.

use crate::{
    filling::Filling,
    place::{Place, at, number, refusal, to},
};
use annals::{AppendError, Checkpoints, DocumentStore, EventStore, Expected, PageLimit, Position};
use annals_postgres::{PostgresDocuments, PostgresStore, Right};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// A role of its own with `right`, and a connection as that role.
pub(crate) async fn role(place: &Place, store: &PostgresStore, right: Right) -> (String, PgConnection) {
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
}

#[tokio::test]
async fn a_right_is_given_to_one_role_by_its_owner_or_refused() {
    let Some(place) = Place::new() else { return };
    let owner = place.store().await;
    let documents = place.documents().await;
    // Whatever it is called, it is that role, and nothing else is carried out.
    let odd = format!("Odd \"{}\"; DROP TABLE log; --\n$$ {{role}} '%I'", &place.schema[26..]);
    let quoted = format!("\"{}\"", odd.replace('"', "\"\""));
    let mut raw = place.raw().await;
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE ROLE {quoted} LOGIN"))).execute(&mut raw).await.unwrap();
    for _ in 0..2 {
        for right in [Right::Read, Right::Append, Right::Read] {
            owner.grant(&odd, right).await.unwrap();
            documents.grant_reading(&odd).await.unwrap();
        }
    }
    let held = "SELECT count(*) FROM information_schema.role_table_grants WHERE table_schema = current_schema() \
                AND table_name = 'log' AND grantee <> 'annals'";
    assert_eq!(number(&mut raw, held).await, 1);
    sqlx::raw_sql(AssertSqlSafe(format!("DROP OWNED BY {quoted}; DROP ROLE {quoted}")))
        .execute(&mut raw)
        .await
        .unwrap();

    let (reader, _) = role(&place, &owner, Right::Read).await;
    for (name, says) in [
        ("a\" OR true", "there is no role"),
        ("public", "which is everybody"),
        ("", "names no role"),
        ("a\0b", "names no role"),
        (&"r".repeat(64), "names no role"),
    ] {
        for refused in [owner.grant(name, Right::Append).await, documents.grant_reading(name).await] {
            let refused = refused.unwrap_err();
            assert!(refused.to_string().contains(says) && refused.next_step().is_some(), "{refused}");
        }
    }
    // PostgreSQL itself would only warn, and do nothing.
    let as_reader = PostgresStore::open(&place.url_as(&reader).parse().unwrap()).await.unwrap();
    let refused = as_reader.grant(&reader, Right::Append).await.unwrap_err();
    assert!(
        matches!(&refused, annals_postgres::GrantError::NotOwner { owner } if owner == "annals"),
        "{refused}"
    );
    assert_eq!(as_reader.settings().await.unwrap().right, "read");
}

/// Control: without `readers::share` the table of the rebuild cannot be read, nor the view of a read model that is new.
#[tokio::test]
async fn whoever_reads_read_models_reads_those_of_later_rebuilds_and_changes_none() {
    let Some(place) = Place::new() else { return };
    let owner = place.store().await;
    let documents = place.documents().await;
    let columns = [annals::Column::text("status")];
    let mut live = Filling::live(&documents, "orders").await;
    documents.describe(live.id(), &columns).await.unwrap();
    live.put(1, &[("a", r#"{"status": "old"}"#)]).await;
    let (name, mut as_role) = role(&place, &owner, Right::Read).await;
    documents.grant_reading(&name).await.unwrap();
    let reader = PostgresDocuments::open(&place.url_as(&name).parse().unwrap()).await.unwrap();
    let mut building = Filling::building(&documents, "orders").await;
    building.put(1, &[("a", r#"{"status": "new"}"#)]).await;
    documents.switch(building.id()).await.unwrap();
    let mut stock = Filling::live(&documents, "stock").await;
    documents.describe(stock.id(), &columns).await.unwrap();
    stock.put(1, &[("hat", r#"{"status": "there"}"#)]).await;

    for (id, key) in [(building.id(), "a"), (stock.id(), "hat")] {
        let read = reader.documents(id, None, PageLimit::MAX).await.unwrap();
        assert_eq!(read.iter().map(|(key, _)| &**key).collect::<Vec<_>>(), [key]);
        let seen = format!("SELECT count(*) FROM {}_views.{}", place.schema, id.name());
        assert_eq!(number(&mut as_role, &seen).await, 1);
    }
    assert!(!reader.subscribers().await.unwrap().is_empty());
    assert_eq!(reader.settings().await.unwrap().right, "read");
    let refused = reader.switch(building.id()).await.unwrap_err();
    assert!(annals::error_text(&refused).contains("lacks the right"), "{}", annals::error_text(&refused));
    let table = number(&mut as_role, "SELECT max(id) FROM generations").await;
    for sql in [
        "UPDATE generations SET checkpoint = 0".to_string(),
        "DELETE FROM parked".into(),
        "INSERT INTO requests VALUES (1, 'a', 'retry')".into(),
        format!("UPDATE documents_{table} SET body = '1'"),
        format!("TRUNCATE documents_{table}"),
        format!("DROP VIEW {}_views.orders", place.schema),
        format!("CREATE TABLE {}_views.mine (n integer)", place.schema),
    ] {
        let said = refusal(&mut as_role, &sql).await;
        assert!(said.contains("permission denied") || said.contains("must be owner"), "{sql}: {said}");
    }
}

/// As where the servers belong to somebody else, who lets nobody be a superuser.
///
/// Control: with `annals.appending` as a setting of the functions, they cannot be made.
#[tokio::test]
async fn whoever_owns_the_log_need_not_be_a_superuser() {
    let Some(place) = Place::new() else { return };
    let url = place.url_as(&place.make_owner().await);
    let options = url.parse().unwrap();
    let store = PostgresStore::open(&options).await.unwrap();
    annals_postgres::PostgresDocuments::open(&options).await.unwrap();
    assert_eq!(store.settings().await.unwrap().right, "owner");
    store.append(to("order-1", Expected::NEW, 2)).await.unwrap();
    let other = PostgresStore::open(&options).await.unwrap();
    other.append(to("order-1", at(2), 1)).await.unwrap();
    // Somebody else went on: this one takes the long way.
    assert_eq!(store.append(to("order-1", at(3), 1)).await.unwrap().position, Position::new(4));
    // The guard is up again behind each call, in its transaction too.
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
