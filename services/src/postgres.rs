//! A PostgreSQL server of our own.

mod binaries;
mod own;

use crate::{
    account::{self, Account},
    command::{output, succeeds},
    make_private,
};
use anyhow::Context;
use binaries::Binaries;
pub use binaries::finding;
pub use own::OwnServer;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Who owns everything in a server.
pub const USER: &str = "annals";

/// Whose password is asked for: to test what a wrong one does. All others of this machine are trusted.
const LOGINS: &str = "\
host all keeper 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
";

/// How many tests connect at once, with about ten connections each.
const CONNECTIONS_MAX: u32 = 400;

/// How long a server may take to start or stop, in seconds.
pub const WAIT_SECONDS_MAX: u32 = 60;

/// Where a server lies, and with what it is run. It is the same server for whoever names the same directory; nothing is
/// stopped when this is dropped.
#[derive(Debug)]
pub struct PostgresServer {
    binaries: Binaries,
    account: Option<Account>,
    directory: PathBuf,
    settings: Vec<String>,
    environment: Vec<(String, String)>,
}

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopMode {
    /// Ends connections, and writes everything down.
    Fast,
    /// As if the machine had failed: it recovers from its log when it starts again.
    Immediate,
}

impl PostgresServer {
    /// The server that lies, or is to lie, in `directory`, which its account must be able to reach. Where
    /// `may_install`, lacking programs are installed as far as we may.
    ///
    /// # Errors
    /// When its programs or an account to run it with are lacking.
    pub fn at(directory: PathBuf, may_install: bool) -> anyhow::Result<Self> {
        let binaries = if may_install { Binaries::find_or_install()? } else { Binaries::find()? };
        let account = Account::needed()?;
        Ok(Self { binaries, account, directory, settings: vec![], environment: vec![] })
    }

    /// With a setting besides, `name=value`.
    #[must_use]
    pub fn with_setting(mut self, setting: impl Into<String>) -> Self {
        self.settings.push(setting.into());
        self
    }

    /// With a variable in the environment of the server.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// What it keeps is below.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where databases are.
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// The URL of the database that there always is.
    pub fn url(port: u16) -> String {
        format!("postgres://{USER}@127.0.0.1:{port}/postgres")
    }

    /// Makes the directory and an empty database cluster, in place of what was there. Not flushed: if the machine fails
    /// now, it is made again.
    ///
    /// # Errors
    /// When the directory cannot be made, or what `initdb` says.
    pub fn make(&self) -> anyhow::Result<()> {
        make_private(&self.directory, self.account.as_ref())?;
        let mut make = self.program("initdb");
        make.arg("-D").arg(self.data());
        make.args(["-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]);
        output(&mut make)?;
        fs::write(self.data().join("pg_hba.conf"), LOGINS).context("cannot say who may log in")
    }

    /// Starts it, and waits until it answers. With the settings that acknowledged commits rest on: `fsync` and
    /// `synchronous_commit` are on, as by default.
    ///
    /// # Errors
    /// When it does not start: what it says.
    pub fn start(&self, port: u16) -> anyhow::Result<()> {
        let log = self.directory.join("log");
        let mut settings = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' \
             -c max_connections={CONNECTIONS_MAX} -c log_min_messages=warning"
        );
        for setting in &self.settings {
            settings.push_str(&format!(" -c {setting}"));
        }
        let mut start = self.control("start");
        start.envs(self.environment.iter().map(|(name, value)| (name, value)));
        start.arg("-l").arg(&log).args(["-o", &settings]);
        // Inherited pipes would keep whoever waits for their end waiting for as long as the server runs.
        start.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = start.status().context("cannot run pg_ctl")?.success();
        let said = || fs::read_to_string(&log).unwrap_or_default();
        anyhow::ensure!(started, "postgres does not start: {}", said().trim());
        Ok(())
    }

    /// Whether it runs.
    ///
    /// # Errors
    /// When `pg_ctl` cannot be run.
    pub fn runs(&self) -> anyhow::Result<bool> {
        succeeds(self.program("pg_ctl").arg("status").arg("-D").arg(self.data()))
    }

    /// Stops it if it runs, and waits until it has ended.
    ///
    /// # Errors
    /// What `pg_ctl` says.
    pub fn stop(&self, mode: StopMode) -> anyhow::Result<()> {
        if self.data().exists() && self.runs()? {
            let mode = if mode == StopMode::Fast { "fast" } else { "immediate" };
            output(self.control("stop").args(["-m", mode]))?;
        }
        Ok(())
    }

    /// Stops it at once and removes its directory.
    ///
    /// # Errors
    /// When it does not stop, or its files cannot be removed.
    pub fn remove(&self) -> anyhow::Result<()> {
        self.stop(StopMode::Immediate)?;
        fs::remove_dir_all(&self.directory).context("cannot remove its files")
    }

    /// One of the programs that come with the server, with the rights of its account.
    pub fn program(&self, name: &str) -> Command {
        account::command(self.account.as_ref(), &self.binaries.path(name))
    }

    /// `pg_ctl`, which finds the server by its data directory and waits until it is done.
    fn control(&self, action: &str) -> Command {
        let mut control = self.program("pg_ctl");
        control.arg(action).arg("-D").arg(self.data()).args(["-w", "-t", &WAIT_SECONDS_MAX.to_string()]);
        control
    }
}
