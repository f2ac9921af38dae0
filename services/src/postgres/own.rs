//! A server that somebody has for himself: to set it otherwise, to start it anew, and gone when it is dropped.

use super::{PostgresServer, StopMode, USER};
use crate::{Account, free_port, reachable_directory};
use anyhow::Context;
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

/// A server that ends, and takes its files with it, when this is dropped.
#[derive(Debug)]
pub struct OwnServer {
    server: PostgresServer,
    port: u16,
}

impl OwnServer {
    /// A new one that does not run yet, in a directory below `wanted` if its account can go there. `name` tells it
    /// apart from others of this process.
    ///
    /// # Errors
    /// When its programs are not installed, or it cannot be made.
    pub fn make(wanted: &Path, name: &str) -> anyhow::Result<Self> {
        let directory = reachable_directory(wanted, Account::needed()?.as_ref())?;
        let server = PostgresServer::at(directory.join(format!("{name}-{}", std::process::id())), false)?;
        let own = Self { server, port: free_port()? };
        own.server.make()?;
        Ok(own)
    }

    /// Starts it with `settings`, each `name=value`, and no others; stops it first if it runs.
    ///
    /// # Errors
    /// What it says when it does not stop or start.
    pub fn start(&self, settings: &[&str]) -> anyhow::Result<()> {
        self.stop()?;
        let server = PostgresServer::at(self.server.directory().into(), false)?;
        settings.iter().fold(server, |server, setting| server.with_setting(*setting)).start(self.port)
    }

    /// Stops it if it runs.
    ///
    /// # Errors
    /// What it says when it does not stop.
    pub fn stop(&self) -> anyhow::Result<()> {
        self.server.stop(StopMode::Fast)
    }

    /// Writes a file among its data, for its account alone. It is read when the server starts.
    ///
    /// # Errors
    /// When it cannot be written or given away.
    pub fn write(&self, name: &str, content: &str) -> anyhow::Result<()> {
        let (path, data) = (self.server.data().join(name), self.server.data());
        let write = || {
            fs::write(&path, content)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            let owner = fs::metadata(&data)?;
            chown(&path, Some(owner.uid()), Some(owner.gid()))
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    /// Where it listens, on this machine only.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of the database that there always is, for the owner of everything, under a name of this machine.
    pub fn url(&self, host: &str) -> String {
        format!("postgres://{USER}@{host}:{}/postgres", self.port)
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        if let Err(error) = self.server.remove() {
            eprintln!(
                "error: a server was not stopped: {error:#}; it lies in {}",
                self.server.directory().display()
            );
        }
    }
}
