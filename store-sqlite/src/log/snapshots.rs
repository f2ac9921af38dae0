//! Snapshots, kept by the writer in the transaction of the next batch.

use super::{SqliteStore, sql};
use annals::{
    Fingerprint, Json, Position, Snapshot, SnapshotStore, StoreError, StreamId, Version, batch::WriterEnded,
};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Result, params};
use tokio::sync::oneshot;

/// A snapshot on its way to the writer.
#[derive(Debug)]
pub(super) struct Keep {
    stream: StreamId,
    snapshot: Snapshot,
    answer: Answer,
}

type Answer = oneshot::Sender<std::result::Result<(), StoreError>>;

impl Keep {
    pub(super) fn new(stream: StreamId, snapshot: Snapshot, answer: Answer) -> Self {
        Self { stream, snapshot, answer }
    }

    pub(super) fn answer(self, result: std::result::Result<(), StoreError>) {
        // Nobody listens when the future was dropped; what was kept stays kept.
        let _ = self.answer.send(result);
    }
}

#[async_trait]
impl SnapshotStore for SqliteStore {
    async fn snapshot(
        &self,
        stream: &StreamId,
        of: Fingerprint,
    ) -> std::result::Result<Option<Snapshot>, StoreError> {
        self.readers.here("reading a snapshot", |reader| reader.snapshot(stream, of)).await
    }

    async fn keep(&self, stream: &StreamId, snapshot: Snapshot) -> std::result::Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queue().aside(Keep::new(stream.clone(), snapshot, answer)).await?;
        answered.await.unwrap_or_else(|_| Err(StoreError::permanent("keeping a snapshot", WriterEnded)))
    }
}

pub(super) fn keep(connection: &Connection, keep: &Keep) -> Result<()> {
    let Snapshot { of, version, position, state } = &keep.snapshot;
    connection.prepare_cached(sql::KEEP_SNAPSHOT)?.execute(params![
        keep.stream.as_str(),
        of.0,
        version.to_i64(),
        position.to_i64(),
        state.as_str(),
    ])?;
    Ok(())
}

pub(super) fn read(connection: &Connection, stream: &StreamId, of: Fingerprint) -> Result<Option<Snapshot>> {
    let mut statement = connection.prepare_cached(sql::SNAPSHOT)?;
    let found = statement.query_row(params![stream.as_str(), of.0], |row| {
        Ok(Snapshot {
            of,
            version: Version::from_i64(row.get(0)?),
            position: Position::from_i64(row.get(1)?),
            state: Json::stored(row.get_ref(2)?.as_str()?),
        })
    });
    found.optional()
}
