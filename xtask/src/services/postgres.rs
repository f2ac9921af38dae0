//! A PostgreSQL server of our own: installed binaries, own data directory, a free port, an unprivileged account.

mod install;
mod state;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use super::account::{self, Account};
use super::command::{output, succeeds};
use super::place;
use install::Binaries;
pub(crate) use install::finding;
use state::State;

/// Who owns everything in it.
const USER: &str = "annals";

/// Whose password is asked for: to test what a wrong one does. All others of this machine are trusted.
const LOGINS: &str = "\
host all keeper 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
";

/// How many tests connect at once, with about ten connections each.
const CONNECTIONS_MAX: u32 = 400;

/// How long the server may take to start or stop, in seconds.
const WAIT_SECONDS_MAX: u32 = 60;

/// How long a server is to run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stay {
    /// Until the value is dropped; if this process is killed before, the next run ends it.
    UntilDropped,
    /// Until `cargo xtask down`.
    UntilDown,
}

/// A server that runs.
pub(super) struct Postgres {
    server: Server,
    port: u16,
    ends_with_us: bool,
}

/// Where a server lies, and with what it is run.
struct Server {
    binaries: Binaries,
    account: Option<Account>,
    directory: PathBuf,
}

impl Postgres {
    /// Starts a new server, or takes the one that `up` left running. One that a killed run left is ended first.
    pub(super) fn start(target: &Path, stay: Stay) -> anyhow::Result<Self> {
        let server = Server::find(target, true)?;
        if let Some(state) = State::read(&server.directory) {
            if state.until_down && server.runs()? {
                return Ok(Self { server, port: state.port, ends_with_us: false });
            }
            state.refuse_if_in_use()?;
            server.stop()?;
        }
        place::make_private(&server.directory, server.account.as_ref())?;
        server.make()?;
        let port = free_port()?;
        State::new(port, stay == Stay::UntilDown).write(&server.directory)?;
        let postgres = Self { server, port, ends_with_us: stay == Stay::UntilDropped };
        postgres.server.start(port)?;
        Ok(postgres)
    }

    /// Ends the server that runs there, whoever started it; false when there is none.
    pub(super) fn stop_left(target: &Path) -> anyhow::Result<bool> {
        let Ok(server) = Server::find(target, false) else { return Ok(false) };
        let Some(state) = State::read(&server.directory) else { return Ok(false) };
        state.refuse_if_in_use()?;
        server.stop()?;
        fs::remove_dir_all(&server.directory).context("cannot remove its files")?;
        Ok(true)
    }

    /// Where it is reached.
    pub(super) fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if !self.ends_with_us {
            return;
        }
        let ended = self.server.stop();
        if let Err(error) = ended.and_then(|()| Ok(fs::remove_dir_all(&self.server.directory)?)) {
            eprintln!("error: postgres was not stopped: {error:#}; end it with: cargo xtask down");
        }
    }
}

impl Server {
    fn find(target: &Path, may_install: bool) -> anyhow::Result<Self> {
        let binaries = if may_install { Binaries::find_or_install()? } else { Binaries::find()? };
        let account = Account::needed()?;
        let directory = place::directory(target, "postgres", account.as_ref())?;
        Ok(Self { binaries, account, directory })
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn command(&self, program: &str) -> Command {
        account::command(self.account.as_ref(), &self.binaries.path(program))
    }

    /// Makes an empty database cluster. Not flushed: if the machine fails now, it is made again.
    fn make(&self) -> anyhow::Result<()> {
        let mut make = self.command("initdb");
        make.arg("-D").arg(self.data());
        make.args(["-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]);
        output(&mut make)?;
        fs::write(self.data().join("pg_hba.conf"), LOGINS).context("cannot say who may log in")
    }

    /// With the settings that acknowledged commits rest on: fsync and synchronous_commit are on, as by default.
    fn start(&self, port: u16) -> anyhow::Result<()> {
        let log = self.directory.join("log");
        let settings = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' \
             -c max_connections={CONNECTIONS_MAX} -c log_min_messages=warning"
        );
        let mut start = self.control("start");
        start.arg("-l").arg(&log).args(["-o", &settings]);
        // Inherited pipes would keep `output` waiting for as long as the server runs.
        start.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = start.status().context("cannot run pg_ctl")?.success();
        let said = || fs::read_to_string(&log).unwrap_or_default();
        anyhow::ensure!(started, "postgres does not start: {}", said().trim());
        Ok(())
    }

    fn runs(&self) -> anyhow::Result<bool> {
        succeeds(self.command("pg_ctl").arg("status").arg("-D").arg(self.data()))
    }

    /// At once: nothing in it is needed any more.
    fn stop(&self) -> anyhow::Result<()> {
        if self.data().exists() && self.runs()? {
            output(self.control("stop").args(["-m", "immediate"]))?;
        }
        Ok(())
    }

    /// `pg_ctl`, which finds the server by its data directory and waits until it is done.
    fn control(&self, action: &str) -> Command {
        let mut control = self.command("pg_ctl");
        control.arg(action).arg("-D").arg(self.data()).args(["-w", "-t", &WAIT_SECONDS_MAX.to_string()]);
        control
    }
}

/// One that nobody listens on now.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("cannot find a free port")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests;
