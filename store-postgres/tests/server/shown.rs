//! What people see of read models in plain SQL.

use crate::{
    filling::Filling,
    place::{Place, number},
};
use annals::{Column, CompareError, DocumentStore, PageLimit};
use sqlx::{AssertSqlSafe, PgConnection, Row};

const COLUMNS: &[Column] = &[
    Column::text("status").indexed(),
    Column::integer("total_minor").indexed(),
    Column::time("placed_at").indexed(),
    Column::date("day"),
    Column::boolean("gift"),
    Column::number("weight"),
    Column::json("lines").indexed(),
    Column::text("city").at("/address/city"),
    Column::text("first_sku").at("/lines/0"),
    Column::json("document").at(""),
];

/// All rows as PostgreSQL itself writes them.
async fn rows(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    let sql = format!("SELECT q::text FROM ({sql}) q");
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_string())).execute(connection).await.map(|_| ())
}

/// A connection that sees what is shown without its schema.
async fn looking(place: &Place) -> PgConnection {
    let mut raw = place.raw().await;
    let path = format!("SET search_path = {0}_views, {0}; SET timezone = 'Asia/Tokyo'", place.schema);
    run(&mut raw, &path).await.unwrap();
    raw
}

async fn types(connection: &mut PgConnection, view: &str) -> Vec<String> {
    let sql = format!(
        "SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod) FROM pg_attribute a \
         WHERE a.attrelid = '{view}'::regclass AND a.attnum > 0 ORDER BY a.attnum"
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Broken on purpose: cast the text instead of asking `as_bigint`, and the second document cannot even be written.
#[tokio::test]
async fn a_read_model_is_shown_in_its_columns_and_no_document_breaks_it() {
    let Some(place) = Place::new() else { return };
    let documents = place.documents().await;
    let mut live = Filling::live(&documents, "the-orders").await;
    documents.describe(live.id(), COLUMNS).await.unwrap();
    let whole = r#"{"status": "paid", "total_minor": 9223372036854775807, "placed_at": "2010-12-01T08:26:00.000001Z",
        "day": "2010-12-01", "gift": true, "weight": 0.1000, "lines": ["hat", "scarf"], "address": {"city": "Köln"}}"#;
    let odd = r#"{"status": 7, "total_minor": 18446744073709551615, "placed_at": "2010-02-30T08:26:00Z",
        "day": "yesterday", "gift": 1, "weight": "1", "lines": null, "address": "none"}"#;
    let half = r#"{"total_minor": 1.5, "placed_at": "2010-12-01T09:26:00+01:00", "day": "2011-02-29", "weight": 1e2}"#;
    let long = format!(r#"{{"status": "{}"}}"#, "x".repeat(100_000));
    live.put(4, &[("a", whole), ("b", odd), ("c", half), ("d", &long), ("e", "[]")]).await;

    let mut sql = looking(&place).await;
    assert_eq!(
        types(&mut sql, "the_orders").await,
        [
            "key text",
            "status text",
            "total_minor bigint",
            "placed_at timestamp with time zone",
            "day date",
            "gift boolean",
            "weight numeric",
            "lines jsonb",
            "city text",
            "first_sku text",
            "document jsonb"
        ]
    );
    let seen = "SELECT key, left(status, 4), total_minor, placed_at AT TIME ZONE 'UTC', day, gift, weight, city, first_sku \
                FROM the_orders ORDER BY key";
    assert_eq!(
        rows(&mut sql, seen).await,
        [
            "(a,paid,9223372036854775807,\"2010-12-01 08:26:00.000001\",2010-12-01,t,0.1000,Köln,hat)",
            "(b,7,,,,,,,)",
            "(c,,,\"2010-12-01 08:26:00\",,,100,,)",
            "(d,xxxx,,,,,,,)",
            "(e,,,,,,,,)",
        ]
    );
    let document = "SELECT document = '{\"total_minor\": 1.5, \"placed_at\": \"2010-12-01T09:26:00+01:00\", \
                    \"day\": \"2011-02-29\", \"weight\": 100}' FROM the_orders WHERE key = 'c'";
    assert_eq!(rows(&mut sql, document).await, ["(t)"]);
}

#[tokio::test]
async fn a_declared_index_is_used() {
    let Some(place) = Place::new() else { return };
    let documents = place.documents().await;
    let mut live = Filling::live(&documents, "orders").await;
    documents.describe(live.id(), COLUMNS).await.unwrap();
    let made: Vec<(String, String)> = (0..2_000)
        .map(|n| {
            let (day, hour) = (1 + n % 28, n % 24);
            let document = format!(
                r#"{{"status": "s{n}", "total_minor": {n}, "placed_at": "2010-12-{day:02}T{hour:02}:00:00Z", "lines": ["sku {n}"]}}"#
            );
            (format!("{n:05}"), document)
        })
        .collect();
    let all: Vec<(&str, &str)> = made.iter().map(|(key, document)| (&**key, &**document)).collect();
    live.put(1, &all).await;
    let mut sql = looking(&place).await;
    let id = number(&mut sql, "SELECT id FROM generations").await;
    run(&mut sql, &format!("ANALYZE documents_{id}")).await.unwrap();
    for (index, condition) in [
        ("status", "status = 's77'"),
        ("total_minor", "total_minor BETWEEN 70 AND 75"),
        ("placed_at", "placed_at < '2010-12-01 01:00+00'"),
        ("lines", "lines @> '[\"sku 7\"]'"),
    ] {
        let explain = format!("EXPLAIN SELECT key FROM orders WHERE {condition}");
        let plan = sqlx::query(AssertSqlSafe(explain)).fetch_all(&mut sql).await.unwrap();
        let plan: Vec<&str> = plan.iter().map(|row| row.get(0)).collect();
        assert!(plan.iter().any(|line| line.contains(&format!("d{id}_{index}"))), "{index}: {plan:#?}");
    }
}

/// Broken on purpose: leave the call of `shown::switch` out, and the view still shows what was replaced.
#[tokio::test]
async fn a_switch_shows_the_new_generation_at_once_and_what_rests_on_the_view_stays() {
    let Some(place) = Place::new() else { return };
    let documents = place.documents().await;
    let mut live = Filling::live(&documents, "orders").await;
    documents.describe(live.id(), COLUMNS).await.unwrap();
    live.put(1, &[("a", r#"{"status": "old"}"#)]).await;
    let mut sql = looking(&place).await;
    let role = format!("r_{}", place.schema);
    run(&mut sql, &format!("CREATE ROLE {role}; GRANT SELECT ON orders TO {role}")).await.unwrap();
    run(&mut sql, "CREATE VIEW by_status AS SELECT status, count(*) AS orders FROM orders GROUP BY 1")
        .await
        .unwrap();
    let mut building = Filling::building(&documents, "orders").await;
    documents.describe(building.id(), COLUMNS).await.unwrap();
    building.put(1, &[("a", r#"{"status": "new"}"#), ("b", r#"{"status": "new"}"#)]).await;
    assert_eq!(rows(&mut sql, "SELECT * FROM by_status").await, ["(old,1)"]);

    // Whoever began to read before the switch reads on as it was.
    run(&mut sql, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM generations").await.unwrap();
    documents.switch(building.id()).await.unwrap();
    assert_eq!(rows(&mut looking(&place).await, "SELECT * FROM by_status").await, ["(new,2)"]);
    run(&mut sql, "COMMIT").await.unwrap();
    assert_eq!(rows(&mut sql, "SELECT * FROM by_status").await, ["(new,2)"]);
    let may = format!("SELECT has_table_privilege('{role}', 'orders', 'SELECT')::integer::bigint");
    assert_eq!(number(&mut sql, &may).await, 1);
    building.put(2, &[("b", r#"{"status": "newer"}"#)]).await;
    assert_eq!(rows(&mut sql, "SELECT * FROM by_status ORDER BY 1").await, ["(new,1)", "(newer,1)"]);

    // With its last document the old table goes, indexes and all; a second purge finds nothing to do.
    for _ in 0..2 {
        assert!(documents.purge(live.id(), PageLimit::MAX).await.unwrap());
    }
    let tables = "SELECT count(*) FROM pg_class WHERE relname LIKE 'documents\\_%' AND relkind = 'r' AND relnamespace =";
    let tables = format!("{tables} to_regnamespace('{}')", place.schema);
    assert_eq!(number(&mut sql, &tables).await, 1);
    assert!(documents.documents(live.id(), None, PageLimit::MAX).await.unwrap().is_empty());
    assert!(documents.load(live.id(), &["a".into()]).await.unwrap()[0].document.is_none());
    run(&mut sql, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
}

#[tokio::test]
async fn a_rebuild_that_nobody_described_is_shown_in_the_columns_of_the_one_it_replaces() {
    let Some(place) = Place::new() else { return };
    let documents = place.documents().await;
    let mut live = Filling::live(&documents, "orders").await;
    documents.describe(live.id(), &[Column::text("status")]).await.unwrap();
    live.put(1, &[("a", r#"{"status": "old"}"#)]).await;
    let mut building = Filling::building(&documents, "orders").await;
    building.put(1, &[("a", r#"{"status": "new"}"#)]).await;
    documents.switch(building.id()).await.unwrap();
    assert_eq!(rows(&mut looking(&place).await, "SELECT * FROM orders").await, ["(a,new)"]);
    // One that was never described is not shown.
    let other = Filling::live(&documents, "stock").await;
    let views = "SELECT count(*) FROM pg_class WHERE relname = 'stock' AND relnamespace = to_regnamespace(";
    let views = format!("{views}'{}_views')", place.schema);
    assert_eq!(number(&mut looking(&place).await, &views).await, 0);
    documents.describe(other.id(), &[]).await.unwrap();
    assert_eq!(types(&mut looking(&place).await, "stock").await, ["key text", "document jsonb"]);
}

#[tokio::test]
async fn columns_change_without_a_rebuild() {
    let Some(place) = Place::new() else { return };
    let documents = place.documents().await;
    let mut live = Filling::live(&documents, "orders").await;
    let declare = async |columns: &[Column]| documents.describe(live.id(), columns).await.unwrap();
    let (status, total) = (Column::text("status"), Column::integer("total_minor"));
    declare(&[status.indexed()]).await;
    let mut sql = looking(&place).await;
    let indexes = "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN generations g \
                   ON c.relname = 'documents_' || g.id WHERE c.relnamespace = to_regnamespace('{}')";
    let indexes = indexes.replace("{}", &place.schema);
    assert_eq!(number(&mut sql, &indexes).await, 2);
    run(&mut sql, "CREATE VIEW mine AS SELECT status FROM orders").await.unwrap();
    // One more: what rests on the view stays.
    declare(&[status.indexed(), total.indexed()]).await;
    assert_eq!(types(&mut sql, "orders").await, ["key text", "status text", "total_minor bigint"]);
    assert_eq!(number(&mut sql, &indexes).await, 3);
    // Others: what rests on the view would fall, so it keeps its columns, and shows the same documents.
    declare(&[total]).await;
    assert_eq!(types(&mut sql, "orders").await, ["key text", "status text", "total_minor bigint"]);
    assert_eq!(number(&mut sql, &indexes).await, 1);
    run(&mut sql, "DROP VIEW mine").await.unwrap();
    // The same once more, now that nothing rests on it.
    declare(&[total]).await;
    assert_eq!(types(&mut sql, "orders").await, ["key text", "total_minor bigint"]);
    declare(&[status, total.at("/sum")]).await;
    assert_eq!(types(&mut sql, "orders").await, ["key text", "status text", "total_minor bigint"]);
    declare(&[total.at("/sum")]).await;
    assert_eq!(types(&mut sql, "orders").await, ["key text", "total_minor bigint"]);
    live.put(1, &[("a", r#"{"sum": 3, "total_minor": 4}"#)]).await;
    assert_eq!(rows(&mut sql, "SELECT * FROM orders").await, ["(a,3)"]);
}

/// Control: without `Given::again` nobody but the owner may read the view behind the change; without its REVOKE,
/// whoever gets a right by default gets it back.
#[tokio::test]
async fn who_may_read_a_view_stays_when_its_columns_change() {
    let Some(place) = Place::new() else { return };
    let documents = place.documents().await;
    let live = Filling::live(&documents, "the-orders").await;
    let declare = async |id, columns: &[Column]| documents.describe(id, columns).await.unwrap();
    declare(live.id(), &[Column::text("status"), Column::text("city")]).await;
    let mut sql = looking(&place).await;
    let role = |name: &str| format!("\"{name} {}\"", place.schema);
    let (all, some, other) = (role("All"), role("Some"), role("Other"));
    run(
        &mut sql,
        &format!(
            "CREATE ROLE {all}; CREATE ROLE {some}; CREATE ROLE {other}; \
             ALTER DEFAULT PRIVILEGES IN SCHEMA {}_views GRANT SELECT ON TABLES TO {other}; \
             GRANT SELECT, UPDATE ON the_orders TO {all} WITH GRANT OPTION; \
             GRANT SELECT (status, city) ON the_orders TO {some}; GRANT REFERENCES ON the_orders TO PUBLIC",
            place.schema
        ),
    )
    .await
    .unwrap();
    let held = "SELECT coalesce(relacl::text, '') || coalesce((SELECT string_agg(attname || attacl::text, ' ' ORDER BY attname) \
                FROM pg_attribute WHERE attrelid = c.oid), '') FROM pg_class c WHERE oid = 'the_orders'::regclass";
    let before = rows(&mut sql, held).await;
    assert!(before[0].contains("All") && before[0].contains("Some"), "{before:?}");
    // Of another type: the view is made anew.
    declare(live.id(), &[Column::integer("status"), Column::text("city")]).await;
    assert_eq!(types(&mut sql, "the_orders").await, ["key text", "status bigint", "city text"]);
    assert_eq!(rows(&mut sql, held).await, before);
    // By the switch of a rebuild, and without one of the columns.
    let mut building = Filling::building(&documents, "the-orders").await;
    declare(building.id(), &[Column::text("status")]).await;
    building.put(1, &[("a", r#"{"status": "new"}"#)]).await;
    documents.switch(building.id()).await.unwrap();
    assert_eq!(types(&mut sql, "the_orders").await, ["key text", "status text"]);
    for (role, right, has) in [
        (&all, "has_table_privilege('{}', 'the_orders', 'UPDATE WITH GRANT OPTION')", 1),
        (&some, "has_table_privilege('{}', 'the_orders', 'SELECT')", 0),
        (&some, "has_column_privilege('{}', 'the_orders', 'status', 'SELECT')", 1),
        (&some, "has_table_privilege('{}', 'the_orders', 'REFERENCES')", 1),
        (&other, "has_table_privilege('{}', 'the_orders', 'SELECT')", 0),
    ] {
        let asked = format!("SELECT {}::integer::bigint", right.replace("{}", role.trim_matches('"')));
        assert_eq!(number(&mut sql, &asked).await, has, "{role} {right}");
    }
    for role in [all, some, other] {
        run(&mut sql, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
    }
}

/// What would fall with the view is named, nothing is switched, and once it is gone the switch succeeds.
#[tokio::test]
async fn a_switch_to_other_columns_is_refused_while_something_rests_on_the_old_ones() {
    let Some(place) = Place::new() else { return };
    let documents = place.documents().await;
    let live = Filling::live(&documents, "orders").await;
    documents.describe(live.id(), &[Column::text("status")]).await.unwrap();
    let mut sql = looking(&place).await;
    run(&mut sql, "CREATE VIEW mine AS SELECT status FROM orders").await.unwrap();
    let mut building = Filling::building(&documents, "orders").await;
    documents.describe(building.id(), &[Column::integer("status")]).await.unwrap();
    building.put(1, &[("a", r#"{"status": 3}"#)]).await;
    let refused = annals::error_text(&documents.switch(building.id()).await.unwrap_err());
    assert!(refused.contains("something of yours rests on it"), "{refused}");
    assert_eq!(documents.live("orders").await.unwrap().unwrap().0, *live.id());
    run(&mut sql, "DROP VIEW mine").await.unwrap();
    documents.switch(building.id()).await.unwrap();
    assert_eq!(rows(&mut sql, "SELECT * FROM orders").await, ["(a,3)"]);
}

/// As when two processes rebuild the same read model: the one that compares last finds its live generation gone.
#[tokio::test]
async fn a_generation_that_is_gone_is_compared_with_nothing() {
    let Some(place) = Place::new() else { return };
    let documents = place.documents().await;
    let mut live = Filling::live(&documents, "orders").await;
    live.put(1, &[("a", "1")]).await;
    let mut building = Filling::building(&documents, "orders").await;
    building.put(1, &[("a", "1")]).await;
    assert_eq!(documents.compare(live.id(), building.id()).await.unwrap().differences(), 0);
    documents.switch(building.id()).await.unwrap();
    while !documents.purge(live.id(), PageLimit::MAX).await.unwrap() {}
    let refused = documents.compare(live.id(), building.id()).await;
    assert!(matches!(refused, Err(CompareError::Replaced { .. })), "{refused:?}");
}

/// A report that runs on the view holds nobody up for long: the switch fails, and succeeds when the report has ended.
#[tokio::test]
async fn a_long_report_does_not_keep_the_runner_waiting() {
    let Some(place) = Place::new() else { return };
    let documents = place.documents().await;
    let mut live = Filling::live(&documents, "orders").await;
    documents.describe(live.id(), COLUMNS).await.unwrap();
    let mut report = looking(&place).await;
    run(&mut report, "BEGIN; SELECT * FROM orders").await.unwrap();
    let mut building = Filling::building(&documents, "orders").await;
    building.put(1, &[("a", "{}")]).await;
    let refused = documents.switch(building.id()).await.unwrap_err();
    assert!(matches!(&refused, annals::SwitchError::Store(error) if error.is_transient()), "{refused}");
    live.put(1, &[("a", "{}")]).await;
    run(&mut report, "COMMIT").await.unwrap();
    documents.switch(building.id()).await.unwrap();
}

/// Documents of a schema from before there was a table for each generation.
#[tokio::test]
async fn documents_of_the_first_layout_move_to_tables_of_their_own() {
    let Some(place) = Place::new() else { return };
    let mut sql = place.raw().await;
    let fill = |text: &str| text.replace("{schema}", &place.schema);
    for text in [
        "CREATE SCHEMA {schema}; CREATE TABLE {schema}.layouts(what text PRIMARY KEY, version integer NOT NULL);",
        include_str!("../../src/views/migrations/0001_views.sql"),
        include_str!("../../src/views/migrations/0002_commit_page.sql"),
        "INSERT INTO {schema}.layouts VALUES ('read models of annals', 2);
         INSERT INTO {schema}.generations (name, generation, version, state, checkpoint)
         VALUES ('orders', 1, 1, 'retired', 3), ('orders', 2, 1, 'live', 7), ('policy', 1, 1, 'live', 9);
         INSERT INTO {schema}.documents VALUES (1, 'a', '{\"n\": 1}'), (2, 'a', '{\"n\": 2}'), (2, 'b', '3');",
    ] {
        run(&mut sql, &fill(text)).await.unwrap();
    }
    let documents = place.documents().await;
    let mut live = Filling::live(&documents, "orders").await;
    assert_eq!(live.lease.checkpoint.get(), 7);
    let seen = async || {
        let all = documents.documents(live.id(), None, PageLimit::MAX).await.unwrap();
        all.iter().map(|(key, json)| format!("{key} {}", json.as_str())).collect::<Vec<_>>()
    };
    assert_eq!(seen().await, ["a {\"n\": 2}", "b 3"]);
    live.put(8, &[("b", "4")]).await;
    let all = documents.documents(live.id(), None, PageLimit::MAX).await.unwrap();
    assert_eq!(all[1].1.as_str(), "4");
    assert!(documents.purge(&"orders/1".parse().unwrap(), PageLimit::MAX).await.unwrap());
}

/// Broken on purpose: let a view without a note pass, and theirs is gone.
#[tokio::test]
async fn a_view_of_somebody_else_is_neither_replaced_nor_dropped() {
    let Some(place) = Place::new() else { return };
    let documents = place.documents().await;
    let live = Filling::live(&documents, "orders").await;
    let mut raw = looking(&place).await;
    // One that could be replaced, and one that would have to be dropped.
    for (theirs, view) in
        [("VIEW orders AS SELECT 'theirs'::text AS key", "VIEW"), ("TABLE orders(n integer)", "TABLE")]
    {
        run(&mut raw, &format!("CREATE {theirs}")).await.unwrap();
        let before = types(&mut raw, "orders").await;
        let refused = documents.describe(live.id(), COLUMNS).await.unwrap_err();
        let text = annals::error_text(&refused);
        assert!(text.contains("is that of somebody else already; give it another name"), "{text}");
        assert_eq!(types(&mut raw, "orders").await, before);
        run(&mut raw, &format!("DROP {view} orders")).await.unwrap();
    }
    documents.describe(live.id(), COLUMNS).await.unwrap();
    assert_eq!(number(&mut raw, "SELECT count(*) FROM orders").await, 0);
}
