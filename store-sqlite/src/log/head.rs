//! The head of the log, and the thread that looks for what other processes append.

use super::sql;
use crate::{FileError, open::open_reader};
use annals::Position;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Result};
use std::{
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::watch;

/// How often the file is asked for what other processes appended, while somebody listens.
pub const FOREIGN_POLL: Duration = Duration::from_millis(20);

/// The head of the log. Ends its thread when dropped.
#[derive(Debug)]
pub(super) struct Head {
    sender: Arc<watch::Sender<Position>>,
    state: Arc<State>,
    /// `None` once it has ended.
    watcher: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    ended: Mutex<bool>,
    changed: Condvar,
}

impl Head {
    /// Starts to watch the log in `path`.
    pub(super) fn watching(path: &Path) -> std::result::Result<Self, FileError> {
        let connection = open_reader(path)?;
        let sender = Arc::new(watch::Sender::new(Position::START));
        let state = Arc::new(State::default());
        let watcher =
            Watcher { connection, sender: sender.clone(), state: state.clone(), data_version: None };
        let watcher = std::thread::Builder::new()
            .name("annals-head".into())
            .spawn(|| watcher.run())
            .map_err(|source| FileError::Path { path: path.into(), source })?;
        Ok(Self { sender, state, watcher: Some(watcher) })
    }

    pub(super) fn sender(&self) -> Arc<watch::Sender<Position>> {
        self.sender.clone()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Position> {
        let receiver = self.sender.subscribe();
        // Under the lock: otherwise the watcher could miss its first listener and sleep on.
        let _held = self.state.lock();
        self.state.changed.notify_one();
        receiver
    }
}

impl Head {
    /// Stops watching, and closes the file.
    pub(super) fn end(&mut self) {
        *self.state.lock() = true;
        self.state.changed.notify_one();
        if let Some(watcher) = self.watcher.take()
            && watcher.join().is_err()
        {
            tracing::error!("the thread that watches the head of the log panicked");
        }
    }
}

impl Drop for Head {
    fn drop(&mut self) {
        self.end();
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.ended.lock().expect("nothing panics while it holds this")
    }
}

struct Watcher {
    connection: Connection,
    sender: Arc<watch::Sender<Position>>,
    state: Arc<State>,
    data_version: Option<i64>,
}

impl Watcher {
    fn run(mut self) {
        let mut failing = false;
        while self.wait() {
            let looked = self.look();
            match &looked {
                // Once a failure, not fifty times a second.
                Err(error) if !failing => tracing::warn!(%error, "the head of the log cannot be read"),
                _ => {}
            }
            failing = looked.is_err();
        }
    }

    /// Until the next look is due; false at the end.
    fn wait(&self) -> bool {
        let mut ended = self.state.lock();
        if self.sender.receiver_count() > 0 {
            let waited = self.state.changed.wait_timeout(ended, FOREIGN_POLL);
            ended = waited.expect("nothing panics while it holds this").0;
        }
        while !*ended && self.sender.receiver_count() == 0 {
            ended = self.state.changed.wait(ended).expect("nothing panics while it holds this");
        }
        !*ended
    }

    fn look(&mut self) -> Result<()> {
        let now = self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if self.data_version != Some(now) {
            tell(&self.sender, read(&self.connection)?.0);
            self.data_version = Some(now);
        }
        Ok(())
    }
}

/// Moves the head forward, never back: the writer and the watcher both tell it.
pub(super) fn tell(sender: &watch::Sender<Position>, head: Position) {
    sender.send_if_modified(|told| {
        let moved = head > *told;
        *told = head.max(*told);
        moved
    });
}

/// The position and the time of the last event.
pub(super) fn read(connection: &Connection) -> Result<(Position, DateTime<Utc>)> {
    let found = connection
        .prepare_cached(sql::HEAD)?
        .query_row([], |row| Ok((Position::from_i64(row.get(0)?), super::row::time(1, row.get(1)?)?)))
        .optional()?;
    Ok(found.unwrap_or((Position::START, DateTime::UNIX_EPOCH)))
}
