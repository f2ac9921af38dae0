//! A server whose users have passwords.

use annals_services::{OwnServer, not_run};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::path::Path;

/// The owner of everything is trusted; all others are asked for their password.
const LOGINS: &str = "\
host all annals 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
";

/// A server; it ends when this is dropped.
pub(crate) struct Own(OwnServer);

impl Own {
    /// A new one that runs; `None` where none can be had, which is said out loud.
    pub(crate) fn running(name: &str) -> Option<Self> {
        if let Err(reason) = annals_services::finding() {
            not_run(name, format!("{reason:#}"));
            return None;
        }
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("servers");
        let own = Self(OwnServer::make(&directory, name).unwrap());
        own.0.write("pg_hba.conf", LOGINS).unwrap();
        own.start(&[]);
        Some(own)
    }

    /// Starts it anew, with `settings` and no others.
    pub(crate) fn start(&self, settings: &[&str]) {
        self.0.start(settings).unwrap();
    }

    /// Starts it anew as the standby of a server that is gone.
    pub(crate) fn become_standby(&self) {
        self.0.write("standby.signal", "").unwrap();
        self.start(&["hot_standby=on"]);
    }

    /// Ends it.
    pub(crate) fn stop(&self) {
        self.0.stop().unwrap();
    }

    /// The URL for its owner.
    pub(crate) fn url(&self) -> String {
        self.0.url("127.0.0.1")
    }

    /// The URL for another user, `NAME` or `NAME:PASSWORD`.
    pub(crate) fn url_as(&self, user: &str) -> String {
        self.url().replacen("annals", user, 1)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port()
    }

    /// Carries out `sql`, as any other program would.
    pub(crate) fn run(&self, sql: &str) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = PgConnection::connect(&self.url()).await.unwrap();
            // One by one: some want no transaction around them.
            for statement in sql.split("; ") {
                sqlx::raw_sql(AssertSqlSafe(statement.to_string())).execute(&mut connection).await.unwrap();
            }
        });
    }
}
