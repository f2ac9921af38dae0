//! A PostgreSQL server of its own for each medium.
#![expect(clippy::print_stderr, reason = "whoever waits is told what is left")]

use crate::Preload;
use annals_postgres::{PostgresOptions, PostgresStore};
use annals_services::{Account, PostgresServer, free_port, reachable_directory};
use anyhow::Context;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tempfile::TempDir;
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

/// How much longer a flush takes where it is slow, in microseconds.
const LONGER_US: u64 = 1_000;

/// No checkpoint falls into a turn: it would meet one side of a pair.
const SETTINGS: [&str; 3] = ["max_wal_size=16GB", "checkpoint_timeout=1h", "shared_buffers=512MB"];

/// On what a server keeps its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// On the disk of this machine.
    Disk,
    /// In memory.
    Tmpfs,
    /// In memory, and each flush takes a millisecond.
    SlowFlushes,
}

impl Medium {
    /// In the order in which they are measured.
    pub const ALL: [Self; 3] = [Self::Disk, Self::Tmpfs, Self::SlowFlushes];

    /// As tables show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Tmpfs => "tmpfs",
            Self::SlowFlushes => "tmpfs + 1 ms",
        }
    }

    fn files(self) -> anyhow::Result<crate::Medium> {
        match self {
            Self::Disk => crate::Medium::disk(),
            Self::Tmpfs | Self::SlowFlushes => {
                crate::Medium::tmpfs().context("there is no tmpfs at /dev/shm")
            }
        }
    }
}

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct Server {
    /// On what it keeps its files.
    pub medium: Medium,
    port: u16,
    server: Arc<PostgresServer>,
    room: TempDir,
    preload: Preload,
}

impl Server {
    /// Starts one.
    ///
    /// # Errors
    /// When its programs, an account for it or the medium are lacking, or it does not start.
    pub fn start(medium: Medium) -> anyhow::Result<Self> {
        let room = open_to_all(medium.files()?.room()?)?;
        let account = Account::needed()?;
        let directory = reachable_directory(room.path(), account.as_ref())?.join("postgres");
        let mut server = PostgresServer::at(directory, true)?;
        for setting in SETTINGS {
            server = server.with_setting(setting);
        }
        let preload = Preload::compile(crate::Medium::disk()?.room()?)?;
        let longer_us = if medium == Medium::SlowFlushes { LONGER_US } else { 0 };
        for (name, value) in preload.for_server(longer_us)? {
            server = server.with_variable(name, value);
        }
        let server = Self { medium, port: free_port()?, server: Arc::new(server), room, preload };
        running().push((server.server.clone(), server.room.path().to_owned()));
        server.server.make()?;
        server.server.start(server.port)?;
        Ok(server)
    }

    /// A directory that the account of the server may read, on its medium.
    pub fn room(&self) -> &Path {
        self.room.path()
    }

    /// How often its processes have flushed files so far, or data of one.
    ///
    /// # Errors
    /// When nobody counts.
    pub fn flushes(&self) -> anyhow::Result<u64> {
        Ok(self.preload.counts().context("flushes are not counted")?.syncs)
    }

    /// One of the programs that come with the server.
    pub fn program(&self, name: &str) -> Command {
        self.server.program(name)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of its database.
    pub fn url(&self) -> String {
        PostgresServer::url(self.port)
    }

    /// Where a log of this name is.
    ///
    /// # Errors
    /// When the name is none that is allowed.
    pub fn options(&self, schema: &str) -> anyhow::Result<PostgresOptions> {
        Ok(format!("{}?schema={schema}", self.url()).parse()?)
    }

    /// Makes the tables of both sides.
    ///
    /// # Errors
    /// What the server says.
    pub async fn prepare(&self) -> anyhow::Result<()> {
        drop(self.store("annals").await?);
        self.say(include_str!("postgres/bare.sql")).await
    }

    /// The log of this name, made if need be.
    ///
    /// # Errors
    /// What the server says.
    pub async fn store(&self, schema: &str) -> anyhow::Result<PostgresStore> {
        Ok(PostgresStore::open(&self.options(schema)?).await?)
    }

    /// As any other program connects.
    ///
    /// # Errors
    /// What the server says.
    pub async fn connect(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(&self.url()).await?)
    }

    /// Carries out statements of ours.
    ///
    /// # Errors
    /// What the server says.
    pub async fn say(&self, sql: &str) -> anyhow::Result<()> {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.connect().await?).await?;
        Ok(())
    }

    /// The one number that a statement of ours answers.
    ///
    /// # Errors
    /// What the server says.
    pub async fn number(&self, sql: &str) -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut self.connect().await?).await?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        running().retain(|(server, _)| !Arc::ptr_eq(server, &self.server));
        if let Err(error) = self.server.remove() {
            eprintln!("error: the server on {} was not stopped: {error:#}", self.medium.name());
        }
    }
}

/// The servers of this process, each with the directory that goes with it.
type Running = Vec<(Arc<PostgresServer>, PathBuf)>;

fn running() -> MutexGuard<'static, Running> {
    static RUNNING: Mutex<Running> = Mutex::new(vec![]);
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a shell calls a program that was ended by Ctrl-C.
const EXIT_INTERRUPTED: i32 = 130;

/// When this program is asked to end (Ctrl-C, SIGTERM), its servers end before it, and their files go.
///
/// # Errors
/// When signals cannot be had.
pub fn stop_servers_on_signals(runtime: &Runtime) -> anyhow::Result<()> {
    let _entered = runtime.enter();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    runtime.spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        for (server, room) in running().iter() {
            if let Err(error) = server.remove() {
                eprintln!("error: a server was not stopped: {error:#}");
            }
            if let Err(error) = fs::remove_dir_all(room) {
                eprintln!("error: {} is left: {error}", room.display());
            }
        }
        std::process::exit(EXIT_INTERRUPTED);
    });
    Ok(())
}

/// The account of a server must be able to go in.
fn open_to_all(room: TempDir) -> anyhow::Result<TempDir> {
    fs::set_permissions(room.path(), fs::Permissions::from_mode(0o755)).context("cannot open a directory")?;
    Ok(room)
}
