//! The event store in memory.

use super::log::Log;
use crate::{
    AppendError, Commit, Committed, EventId, EventStore, Fingerprint, LogFilter, LogPage, PageLimit,
    Position, RecordedEvent, Snapshot, SnapshotStore, StoreError, StreamFilter, StreamId, StreamInfo,
    VersionRange,
};
use async_trait::async_trait;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};
use tokio::sync::watch;

/// An event store in memory, with snapshots. Everything is gone with the process: it keeps every promise of
/// [`EventStore`] but **C3**.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use annals::{Commit, EventData, EventId, EventStore, Expected, Json, MemoryStore};
/// let store = MemoryStore::new();
/// let placed = EventData::raw(EventId::random(), "Placed", 1, Json::empty());
/// let committed = store.append(Commit::to("order-7".parse()?, Expected::NEW, [placed])).await?;
/// assert_eq!(committed.position, *store.head().borrow());
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct MemoryStore {
    log: Mutex<Log>,
    head: watch::Sender<Position>,
    snapshots: Mutex<HashMap<StreamId, Snapshot>>,
}

impl MemoryStore {
    /// An empty log.
    pub fn new() -> Self {
        Self { log: Mutex::default(), head: watch::Sender::new(Position::START), snapshots: Mutex::default() }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().expect("nothing panics while it holds the log")
    }

    fn snapshots(&self) -> MutexGuard<'_, HashMap<StreamId, Snapshot>> {
        self.snapshots.lock().expect("nothing panics while it holds the snapshots")
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        let mut log = self.log();
        let committed = log.append(commit)?;
        // Under the lock: otherwise the head could be told in another order than the commits, and move back.
        if !committed.repeated {
            self.head.send_replace(committed.position);
        }
        Ok(committed)
    }

    async fn read(
        &self,
        stream: &StreamId,
        range: VersionRange,
        limit: PageLimit,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        Ok(self.log().read(stream, range, limit))
    }

    async fn streams(
        &self,
        filter: &StreamFilter,
        after: Option<&StreamId>,
        limit: PageLimit,
    ) -> Result<Vec<StreamInfo>, StoreError> {
        Ok(self.log().streams(filter, after, limit))
    }

    async fn read_log(
        &self,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Result<LogPage, StoreError> {
        Ok(self.log().read_log(after, limit, filter))
    }

    async fn committed(
        &self,
        stream: &StreamId,
        first_event: EventId,
    ) -> Result<Option<Committed>, StoreError> {
        Ok(self.log().committed(stream, first_event))
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }
}

#[async_trait]
impl SnapshotStore for MemoryStore {
    async fn snapshot(&self, stream: &StreamId, of: Fingerprint) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.snapshots().get(stream).filter(|kept| kept.of == of).cloned())
    }

    async fn keep(&self, stream: &StreamId, snapshot: Snapshot) -> Result<(), StoreError> {
        let mut snapshots = self.snapshots();
        let newer = |kept: &Snapshot| kept.of == snapshot.of && kept.version > snapshot.version;
        if !snapshots.get(stream).is_some_and(newer) {
            snapshots.insert(stream.clone(), snapshot);
        }
        Ok(())
    }
}
