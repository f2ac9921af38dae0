//! Snapshots, kept beside the log.

use super::PostgresStore;
use crate::json_text::{JsonText, text};
use annals::{Fingerprint, Json, Position, Snapshot, SnapshotStore, StoreError, StreamId, Version};
use async_trait::async_trait;
use sqlx::{Error, Row, postgres::PgRow};

#[async_trait]
impl SnapshotStore for PostgresStore {
    async fn snapshot(&self, stream: &StreamId, of: Fingerprint) -> Result<Option<Snapshot>, StoreError> {
        const DOING: &str = "reading a snapshot";
        let (connections, sql) = (&self.reader.connections, &self.reader.sql);
        let query = || sql.snapshot.query().bind(stream.as_str()).bind(of.0);
        let rows = connections.rows(DOING, query).await?;
        let found = rows.first().map(|row| read(row, of)).transpose();
        found.map_err(|error| connections.failed(DOING, error))
    }

    async fn keep(&self, stream: &StreamId, snapshot: Snapshot) -> Result<(), StoreError> {
        let Snapshot { of, version, position, state } = snapshot;
        let (connections, sql) = (&self.reader.connections, &self.reader.sql);
        // Keeping the same one twice changes nothing, so it may be tried again like a read.
        let query = || {
            let query = sql.keep_snapshot.query().bind(stream.as_str()).bind(of.0).bind(version.to_i64());
            query.bind(position.to_i64()).bind(JsonText(state.as_str()))
        };
        connections.rows("keeping a snapshot", query).await.map(|_| ())
    }
}

fn read(row: &PgRow, of: Fingerprint) -> Result<Snapshot, Error> {
    Ok(Snapshot {
        of,
        version: Version::from_i64(row.try_get(0)?),
        position: Position::from_i64(row.try_get(1)?),
        state: Json::stored(text(row, 2)?),
    })
}
