//! A server that a test has for itself: to set it otherwise, and to start it anew.

use annals_postgres::PostgresOptions;
use annals_services::{Account, PostgresServer, StopMode, free_port, reachable_directory};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

/// A server; it ends when this is dropped.
pub(crate) struct Own {
    server: PostgresServer,
    pub(crate) port: u16,
}

impl Own {
    /// A new one that does not run yet; `None` where none can be had, which is said out loud.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let account = Account::needed().unwrap();
        let wanted = Path::new(env!("CARGO_TARGET_TMPDIR")).join("servers");
        let directory = reachable_directory(&wanted, account.as_ref()).unwrap();
        let directory = directory.join(format!("{name}-{}", std::process::id()));
        match PostgresServer::at(directory, false) {
            Ok(server) => {
                server.make().unwrap();
                Some(Self { server, port: free_port().unwrap() })
            }
            Err(reason) => {
                annals::testing::skip("a test with a PostgreSQL server of its own", &reason.to_string());
                None
            }
        }
    }

    /// Starts it with `settings` and no others, stopping it first if it runs.
    pub(crate) fn start(&self, settings: &[&str]) {
        self.server.stop(StopMode::Fast).unwrap();
        let server = PostgresServer::at(self.server.directory().into(), false).unwrap();
        settings
            .iter()
            .fold(server, |server, setting| server.with_setting(*setting))
            .start(self.port)
            .unwrap();
    }

    /// Stops it, and writes a file among its data that its account alone may read.
    pub(crate) fn write(&self, name: &str, content: &str) {
        self.server.stop(StopMode::Fast).unwrap();
        let (path, owner) = (self.server.data().join(name), fs::metadata(self.server.data()).unwrap());
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        use std::os::unix::fs::{MetadataExt, chown};
        chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }

    /// Its URL under another name for this machine, with options.
    pub(crate) fn url(&self, host: &str, options: &str) -> String {
        format!("postgres://{}@{host}:{}/postgres?{options}", annals_services::USER, self.port)
    }

    pub(crate) fn options(&self, host: &str, options: &str) -> PostgresOptions {
        self.url(host, options).parse().unwrap()
    }

    /// Carries out `sql`, as any other program would.
    pub(crate) async fn run(&self, sql: &str) {
        let mut connection = PgConnection::connect(&PostgresServer::url(self.port)).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_string())).execute(&mut connection).await.unwrap();
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Err(error) = self.server.remove() {
            annals::testing::skip("removing a server", &format!("{error:#}"));
        }
    }
}
