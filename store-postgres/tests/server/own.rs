//! A server that a test has for itself: to set it otherwise, and to start it anew.

use annals_postgres::PostgresOptions;
use annals_services::OwnServer;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::path::Path;

/// A server; it ends when this is dropped.
pub(crate) struct Own(OwnServer);

impl Own {
    /// A new one that does not run yet; `None` where none can be had, which is said out loud.
    pub(crate) fn new(name: &str) -> Option<Self> {
        if let Err(reason) = annals_services::finding() {
            annals::testing::skip("a test with a PostgreSQL server of its own", &format!("{reason:#}"));
            return None;
        }
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("servers");
        Some(Self(OwnServer::make(&directory, name).unwrap()))
    }

    /// Starts it with `settings` and no others, stopping it first if it runs.
    pub(crate) fn start(&self, settings: &[&str]) {
        self.0.start(settings).unwrap();
    }

    /// Writes a file among its data, which is read when it starts.
    pub(crate) fn write(&self, name: &str, content: &str) {
        self.0.write(name, content).unwrap();
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.0.port()
    }

    /// Its URL under another name for this machine, with options.
    pub(crate) fn options(&self, host: &str, options: &str) -> PostgresOptions {
        format!("{}?{options}", self.0.url(host)).parse().unwrap()
    }

    /// Carries out `sql`, as any other program would.
    pub(crate) async fn run(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.0.url("127.0.0.1")).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_string())).execute(&mut connection).await.unwrap();
    }
}
