//! A PostgreSQL server of a story's own, which it may stop.

use annals_services::{Account, PostgresServer, StopMode, finding, free_port, not_run, reachable_directory};
use tempfile::TempDir;

/// A server of its own, gone with it.
pub(crate) struct Server {
    server: PostgresServer,
    port: u16,
    _room: TempDir,
}

impl Server {
    /// With `settings` besides; `None` when none is installed, which is said out loud.
    pub(crate) fn start(what: &str, settings: &[&str]) -> Option<Self> {
        if let Err(lacking) = finding() {
            not_run(what, format!("{lacking:#}"));
            return None;
        }
        let room = tempfile::tempdir().unwrap();
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(room.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let account = Account::needed().unwrap();
        let directory = reachable_directory(room.path(), account.as_ref()).unwrap().join("postgres");
        let server = PostgresServer::at(directory, false).unwrap();
        let server = settings.iter().fold(server, |server, setting| server.with_setting(*setting));
        server.make().unwrap();
        let started = Self { server, port: free_port().unwrap(), _room: room };
        started.run();
        Some(started)
    }

    /// Opens also where the server was told not to flush.
    pub(crate) fn url(&self) -> String {
        format!("{}?schema=story&unsafe-durability", PostgresServer::url(self.port))
    }

    /// Starts it again.
    pub(crate) fn run(&self) {
        self.server.start(self.port).unwrap();
    }

    /// As if its machine had failed.
    pub(crate) fn fail(&self) {
        self.server.stop(StopMode::Immediate).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.server.remove().unwrap();
    }
}
