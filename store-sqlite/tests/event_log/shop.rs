//! A log in a directory of its own.

use annals::{Commit, EventData, EventId, Expected, Json, StreamId, Version};
use annals_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::Connection;
use std::path::PathBuf;

/// A log in a directory of its own, which goes with it.
pub(crate) struct Shop {
    dir: tempfile::TempDir,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("shop.db")
    }

    pub(crate) fn store(&self) -> SqliteStore {
        SqliteStore::open(&SqliteOptions::new(self.path())).unwrap()
    }

    /// As any other program would open it.
    pub(crate) fn raw(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

pub(crate) fn stream(name: &str) -> StreamId {
    name.parse().unwrap()
}

pub(crate) fn event() -> EventData {
    EventData::raw(EventId::random(), "Counted", 1, Json::empty())
}

pub(crate) fn events(count: usize) -> Vec<EventData> {
    (0..count).map(|_| event()).collect()
}

pub(crate) fn at(version: u64) -> Expected {
    Expected::Exactly(Version::new(version))
}

pub(crate) fn to(name: &str, expected: Expected, count: usize) -> Commit {
    Commit::to(stream(name), expected, events(count))
}
