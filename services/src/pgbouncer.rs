//! A pooler of our own: pgbouncer in transaction mode, in front of a server of ours.

use crate::{
    USER,
    account::{self, Account, is_root},
    command::{installed, output},
    directory::make_private,
    free_port,
};
use anyhow::{Context, ensure};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The package that is lacking, as apt names it.
const PACKAGE: &str = "pgbouncer";

/// Debian keeps it where only root looks.
const PLACES: [&str; 3] = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];

/// Fewer connections to the server than clients have to the pooler, so that they change hands.
const SERVER_CONNECTIONS: u32 = 4;

/// A pooler that runs until this is dropped.
#[derive(Debug)]
pub struct Pgbouncer {
    process: Child,
    port: u16,
}

impl Pgbouncer {
    /// Starts one for the server at `server_port` of this machine, with its files in `directory`, which its account
    /// must be able to reach.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn start(directory: &Path, server_port: u16) -> anyhow::Result<Self> {
        Self::start_with(directory, server_port, "")
    }

    /// The same with lines of `pgbouncer.ini` besides.
    ///
    /// # Errors
    /// When it is not installed or does not start.
    pub fn start_with(directory: &Path, server_port: u16, lines: &str) -> anyhow::Result<Self> {
        let (program, account, port) = (find()?, Account::needed()?, free_port()?);
        make_private(directory, account.as_ref())?;
        let (users, settings) = (directory.join("users.txt"), directory.join("pgbouncer.ini"));
        fs::write(&users, format!("\"{USER}\" \"\"\n")).context("cannot write users.txt")?;
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={server_port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nauth_type = trust\nauth_file = {}\npool_mode = transaction\nunix_socket_dir =\n\
             default_pool_size = {SERVER_CONNECTIONS}\nmax_client_conn = 200\n{lines}\n",
            users.display()
        );
        fs::write(&settings, text).context("cannot write pgbouncer.ini")?;
        let mut command = account::command(account.as_ref(), &program);
        command.arg(&settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().context("cannot run pgbouncer")?;
        let mut said = BufReader::new(process.stderr.take().context("nothing can be heard")?).lines();
        let mut last = String::new();
        let is_up = said.by_ref().map_while(Result::ok).any(|line| {
            last.clone_from(&line);
            line.contains("process up")
        });
        let started = Self { process, port };
        ensure!(is_up, "pgbouncer does not start: {last}");
        // Read on, or it stops when nobody takes what it says.
        std::thread::spawn(move || said.for_each(drop));
        Ok(started)
    }

    /// Where it listens on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Pgbouncer {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Installs it where it is missing and we are root where there is apt.
///
/// # Errors
/// When it is missing all the same: what to install.
pub fn install_pgbouncer() -> anyhow::Result<()> {
    let Err(lacking) = find() else { return Ok(()) };
    if !is_root()? || !installed("apt-get") {
        return Err(lacking);
    }
    eprintln!("installing {PACKAGE} with apt-get");
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    // Not its service, which would start with the machine.
    install.env("RUNLEVEL", "1").args(["install", "--yes", "--no-install-recommends", PACKAGE]);
    output(&mut install).context(lacking)?;
    find().map(drop)
}

/// The version of the pooler.
///
/// # Errors
/// When it is not installed: what to install.
pub fn pgbouncer_finding() -> anyhow::Result<String> {
    let version = output(Command::new(find()?).arg("--version"))?;
    Ok(version.lines().next().unwrap_or_default().to_owned())
}

fn find() -> anyhow::Result<PathBuf> {
    let found = PLACES.iter().map(PathBuf::from).find(|path| path.is_file());
    found.with_context(|| format!("pgbouncer is not installed: install {PACKAGE}"))
}
