//! The PostgreSQL server that the stories were given.

use annals_services::{not_run, this_test};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::time::{Duration, Instant, SystemTime};

/// Names the server; `cargo xtask test` sets it, and `cargo xtask up` prints it.
const URL: &str = "ANNALS_POSTGRES_URL";

/// The URL of a schema that nobody has used; `None` where there is no server, which is said out loud.
pub(crate) fn schema() -> Option<String> {
    let Ok(url) = std::env::var(URL) else {
        not_run(&this_test(), format!("{URL} is not set; run cargo xtask test, or cargo xtask up"));
        return None;
    };
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    Some(format!("{url}?schema=story_{}_{now}_{count}", std::process::id()))
}

/// A connection as any other program has one, which finds what is shown of the schema of `url`, then its tables.
pub(crate) async fn looking(url: &str) -> PgConnection {
    let (place, schema) = url.split_once("?schema=").unwrap();
    let mut connection = PgConnection::connect(place).await.unwrap();
    run(&mut connection, &format!("SET search_path = {schema}_views, {schema}")).await;
    connection
}

pub(crate) async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_string())).execute(connection).await.unwrap();
}

/// The first column of each row, as text.
pub(crate) async fn texts(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    let sql = format!("SELECT q::text FROM ({sql}) AS a(q)");
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// How long it is asked for an answer at most.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Asks until the answer is `wanted`, at most [`ANSWER_WITHIN`].
pub(crate) async fn until(connection: &mut PgConnection, sql: &str, wanted: &str) {
    let begun = Instant::now();
    while texts(connection, sql).await != [wanted] {
        assert!(begun.elapsed() < ANSWER_WITHIN, "{sql} is not {wanted} within {ANSWER_WITHIN:?}");
        tokio::task::yield_now().await;
    }
}
