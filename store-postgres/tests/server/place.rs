//! A schema of its own on the server that the tests were given.

use annals::{Commit, EventData, EventId, Expected, Json, StreamId, Version};
use annals_postgres::{PostgresDocuments, PostgresOptions, PostgresStore, ServerError};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::time::Duration;
use tokio::time::timeout;

/// Where the server is; `cargo xtask test` sets it, and `cargo xtask up` prints it.
const URL: &str = "ANNALS_POSTGRES_URL";

/// Long enough for whoever is to get in line.
const LINE_WAIT_MAX: Duration = Duration::from_secs(30);

/// A schema of its own.
pub(crate) struct Place {
    url: String,
    pub(crate) schema: String,
}

impl Place {
    /// Why there is none.
    pub(crate) fn missing() -> Option<String> {
        std::env::var(URL)
            .is_err()
            .then(|| format!("{URL} is not set; run cargo xtask test, or cargo xtask up"))
    }

    /// A new one; `None` when there is no server, which is said out loud.
    pub(crate) fn new() -> Option<Self> {
        if let Some(reason) = Self::missing() {
            annals::testing::skip("a test of PostgreSQL", &reason);
            return None;
        }
        let schema = format!("t_{}", uuid::Uuid::now_v7().simple());
        Some(Self { url: std::env::var(URL).unwrap(), schema })
    }

    pub(crate) fn url(&self) -> String {
        format!("{}?schema={}", self.url, self.schema)
    }

    /// The same through another address.
    pub(crate) fn url_at(&self, port: u16) -> String {
        let (user, rest) = self.url.split_once('@').unwrap();
        let (_, database) = rest.split_once('/').unwrap();
        format!("{user}@127.0.0.1:{port}/{database}?schema={}", self.schema)
    }

    /// The same for another user.
    pub(crate) fn url_as(&self, user: &str) -> String {
        format!("postgres://{user}@{}", self.url().split_once('@').unwrap().1)
    }

    /// A user who may make schemas, and is no superuser.
    pub(crate) async fn make_owner(&self) -> String {
        let name = format!("r_{}", uuid::Uuid::now_v7().simple());
        let make = format!(
            "CREATE ROLE {name} LOGIN; \
             DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {name}', current_database()); END $$"
        );
        sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut self.raw().await).await.unwrap();
        name
    }

    /// Where the server listens.
    pub(crate) fn address(&self) -> String {
        let (_, rest) = self.url.split_once('@').unwrap();
        rest.split('/').next().unwrap().to_string()
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        self.url().parse().unwrap()
    }

    pub(crate) async fn store(&self) -> PostgresStore {
        self.open().await.unwrap()
    }

    pub(crate) async fn open(&self) -> Result<PostgresStore, ServerError> {
        PostgresStore::open(&self.options()).await
    }

    pub(crate) async fn documents(&self) -> PostgresDocuments {
        PostgresDocuments::open(&self.options()).await.unwrap()
    }

    /// As any other program would connect.
    pub(crate) async fn raw(&self) -> PgConnection {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        let path = format!("SET search_path = {}", self.schema);
        sqlx::raw_sql(AssertSqlSafe(path)).execute(&mut connection).await.unwrap();
        connection
    }

    /// A connection that holds the lock of the log, until it ends or says `pg_advisory_unlock_all`.
    pub(crate) async fn holding_the_log(&self) -> PgConnection {
        let mut raw = self.raw().await;
        let hold = "SELECT pg_advisory_lock((1634889313::bigint << 32) | 'log'::regclass::oid::bigint)";
        sqlx::raw_sql(hold).execute(&mut raw).await.unwrap();
        raw
    }

    /// Ends every connection that stores have to this schema.
    pub(crate) async fn cut(&self) {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
        let name = format!("annals {}", self.schema);
        sqlx::query(cut).bind(name).execute(&mut self.raw().await).await.unwrap();
    }

    /// Until so many of those connections wait for a lock.
    pub(crate) async fn in_line(&self, count: i64) {
        let mut raw = self.raw().await;
        let waiting = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'annals {}' AND wait_event_type = 'Lock'",
            self.schema
        );
        let seen = async { while number(&mut raw, &waiting).await < count {} };
        timeout(LINE_WAIT_MAX, seen).await.unwrap_or_else(|_| panic!("{count} were to be in line"));
    }
}

/// What a statement says to whoever may not do it.
pub(crate) async fn refusal(connection: &mut PgConnection, sql: &str) -> String {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_string())).execute(connection).await;
    done.expect_err(sql).to_string()
}

/// The one number that a statement answers.
pub(crate) async fn number(connection: &mut PgConnection, sql: &str) -> i64 {
    sqlx::query(AssertSqlSafe(sql.to_string())).fetch_one(connection).await.unwrap().get(0)
}

pub(crate) fn stream(name: &str) -> StreamId {
    name.parse().unwrap()
}

pub(crate) fn event() -> EventData {
    EventData::raw(EventId::random(), "Counted", 1, Json::empty())
}

pub(crate) fn at(version: u64) -> Expected {
    Expected::Exactly(Version::new(version))
}

pub(crate) fn to(name: &str, expected: Expected, count: usize) -> Commit {
    Commit::to(stream(name), expected, (0..count).map(|_| event()))
}
