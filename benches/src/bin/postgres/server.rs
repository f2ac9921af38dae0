//! A server of its own for each medium.

use annals_benches::Preload;
use annals_postgres::{PostgresOptions, PostgresStore};
use annals_services::{Account, PostgresServer, free_port, reachable_directory};
use anyhow::Context;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};
use tempfile::TempDir;

/// How much longer a flush takes where it is slow, in microseconds.
const LONGER_US: u64 = 1_000;

/// No checkpoint falls into a turn: it would meet one side of a pair.
const SETTINGS: [&str; 3] = ["max_wal_size=16GB", "checkpoint_timeout=1h", "shared_buffers=512MB"];

/// On what a server keeps its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    Disk,
    Tmpfs,
    /// In memory, and each flush takes a millisecond.
    SlowFlushes,
}

impl Medium {
    pub(crate) const ALL: [Self; 3] = [Self::Disk, Self::Tmpfs, Self::SlowFlushes];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Tmpfs => "tmpfs",
            Self::SlowFlushes => "tmpfs + 1 ms",
        }
    }

    fn files(self) -> anyhow::Result<annals_benches::Medium> {
        match self {
            Self::Disk => annals_benches::Medium::disk(),
            Self::Tmpfs | Self::SlowFlushes => {
                annals_benches::Medium::tmpfs().context("there is no tmpfs at /dev/shm")
            }
        }
    }
}

/// A server that runs until this is dropped.
pub(crate) struct Server {
    pub(crate) medium: Medium,
    port: u16,
    server: PostgresServer,
    room: TempDir,
    preload: Preload,
}

impl Server {
    pub(crate) fn start(medium: Medium) -> anyhow::Result<Self> {
        let room = open_to_all(medium.files()?.room()?)?;
        let account = Account::needed()?;
        let directory = reachable_directory(room.path(), account.as_ref())?.join("postgres");
        let mut server = PostgresServer::at(directory, true)?;
        for setting in SETTINGS {
            server = server.with_setting(setting);
        }
        let preload = Preload::compile(annals_benches::Medium::disk()?.room()?)?;
        let longer_us = if medium == Medium::SlowFlushes { LONGER_US } else { 0 };
        for (name, value) in preload.for_server(longer_us)? {
            server = server.with_variable(name, value);
        }
        server.make()?;
        let server = Self { medium, port: free_port()?, server, room, preload };
        server.server.start(server.port)?;
        Ok(server)
    }

    /// A directory that the account of the server may read, on its medium.
    pub(crate) fn room(&self) -> &Path {
        self.room.path()
    }

    /// How often its processes have flushed files so far, or data of one.
    pub(crate) fn flushes(&self) -> anyhow::Result<u64> {
        Ok(self.preload.counts().context("flushes are not counted")?.syncs)
    }

    /// One of the programs that come with the server.
    pub(crate) fn program(&self, name: &str) -> Command {
        self.server.program(name)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        PostgresServer::url(self.port)
    }

    /// Where a log of this name is.
    pub(crate) fn options(&self, schema: &str) -> anyhow::Result<PostgresOptions> {
        Ok(format!("{}?schema={schema}", self.url()).parse()?)
    }

    /// Makes the tables of both sides.
    pub(crate) async fn prepare(&self) -> anyhow::Result<()> {
        drop(self.store("annals").await?);
        self.say(include_str!("bare.sql")).await
    }

    pub(crate) async fn store(&self, schema: &str) -> anyhow::Result<PostgresStore> {
        Ok(PostgresStore::open(&self.options(schema)?).await?)
    }

    /// As any other program connects.
    pub(crate) async fn connect(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(&self.url()).await?)
    }

    /// Carries out statements of ours.
    pub(crate) async fn say(&self, sql: &str) -> anyhow::Result<()> {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.connect().await?).await?;
        Ok(())
    }

    /// The one number that a statement of ours answers.
    pub(crate) async fn number(&self, sql: &str) -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut self.connect().await?).await?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.server.remove() {
            eprintln!("error: the server on {} was not stopped: {error:#}", self.medium.name());
        }
    }
}

/// The account of a server must be able to go in.
fn open_to_all(room: TempDir) -> anyhow::Result<TempDir> {
    fs::set_permissions(room.path(), fs::Permissions::from_mode(0o755)).context("cannot open a directory")?;
    Ok(room)
}
