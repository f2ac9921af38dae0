//! What the functions call while they act with the rights of the owner.

use super::{
    Next,
    behind::TWO,
    one::{FIRST, ONE, One, place},
};
use crate::place::refusal;
use sqlx::AssertSqlSafe;

/// They act with the owner's rights, so nothing in them may be looked up where the caller says.
///
/// Controls: with `l.position = head` for the first condition of `append_one`, what the role made is called; so it is
/// with any of the complete names of `append_in_turn` made short (but for the one that tells of an error), and without
/// the search paths of `refuse_typed` and `check_written`.
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
        ("<>", "timestamptz", "timestamptz", "boolean"),
        ("<>", "text", "text", "boolean"),
        (">=", "bigint", "bigint", "boolean"),
        (">", "bigint", "int", "boolean"),
        (">", "bigint", "bigint", "boolean"),
        ("<", "bigint", "int", "boolean"),
        (">", "int", "int", "boolean"),
        ("+", "bigint", "bigint", "bigint"),
        ("-", "bigint", "bigint", "bigint"),
        ("<>", "int", "int", "boolean"),
        ("<=", "int", "int", "boolean"),
        ("-", "bigint", "int", "bigint"),
        ("+", "bigint", "int", "bigint"),
        ("|", "bigint", "bigint", "bigint"),
        ("<<", "bigint", "int", "bigint"),
        ("||", "text", "text", "text"),
        ("~", "text", "text", "boolean"),
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
        ("strpos(text, text)", "int"),
        ("current_setting(text, boolean)", "text"),
        ("current_setting(text)", "text"),
        ("cardinality(bigint[])", "int"),
        ("cardinality(uuid[])", "int"),
        ("unnest(bigint[])", "bigint"),
        ("has_table_privilege(name, oid, text)", "boolean"),
        ("pg_advisory_xact_lock(bigint)", "boolean"),
        ("pg_try_advisory_xact_lock(bigint)", "boolean"),
        ("pg_notify(text, text)", "text"),
        ("lesser(bigint, bigint)", "bigint"),
    ] {
        made.push_str(&format!(
            "CREATE FUNCTION {function} RETURNS {result} LANGUAGE sql AS 'SELECT {evil}.called()::{result}';"
        ));
    }
    made.push_str("CREATE AGGREGATE min(bigint) (SFUNC = lesser, STYPE = bigint);");
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
    // Behind these, the next event of the first stream, and one of a stream that begins.
    for (function, versions, names) in
        [("append_in_turn", "{4,1}", "{order-3}"), ("append_behind", "{5,1}", "{order-4}")]
    {
        let sql = Next { versions, names, ..TWO }.call(function, ", true");
        let sql = sql.replace("pg_postmaster", "pg_catalog.pg_postmaster");
        let said = sqlx::query_scalar::<_, i16>(AssertSqlSafe(sql)).fetch_one(&mut raw).await;
        assert_eq!(said.unwrap(), 0, "{function}");
    }
    sqlx::raw_sql("SET annals.appending = 'off'").execute(&mut raw).await.unwrap();
    let next = One { head: 9, version: 6, ..one };
    assert!(refusal(&mut raw, &next.sql()).await.contains("added by the append functions only"));
    assert!(refusal(&mut raw, "SELECT 1 FROM log WHERE position = 1::bigint").await.contains("called as"));
    let drop = format!("DROP SCHEMA {evil} CASCADE");
    sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut place.raw().await).await.unwrap();
}
