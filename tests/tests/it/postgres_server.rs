//! A PostgreSQL server of a story's own, which it may stop.

use crate::small_disk::SmallDisk;
use annals_services::{Account, PostgresServer, StopMode, finding, free_port, not_run, reachable_directory};
use std::process::Command;
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
        let made = Self::make(what, settings)?;
        made.run();
        Some(made)
    }

    /// With a part of its data, `base` or `pg_wal`, on `disk`.
    pub(crate) fn start_on(disk: &SmallDisk, part: &str, what: &str) -> Option<Self> {
        let made = Self::make(what, &[])?;
        let (here, there) = (made.server.data().join(part), disk.file(part));
        // With its owner.
        assert!(Command::new("cp").arg("-a").args([&here, &there]).status().unwrap().success());
        std::fs::remove_dir_all(&here).unwrap();
        std::os::unix::fs::symlink(&there, &here).unwrap();
        made.run();
        Some(made)
    }

    fn make(what: &str, settings: &[&str]) -> Option<Self> {
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
        Some(Self { server, port: free_port().unwrap(), _room: room })
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
