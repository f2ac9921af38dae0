//! What a server promises, read back from it.

use super::{LOG, PostgresStore};
use crate::open::{SETTINGS, Settings};
use annals::StoreError;
use sqlx::Row;

/// What a server promises, read back from it: for people who want to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresSettings {
    /// Where, without the password.
    pub place: String,
    /// The version of the server.
    pub version: String,
    /// `on`, or the URL says `unsafe-durability`.
    pub fsync: String,
    /// Not `off`, unless the URL says `unsafe-durability`.
    pub synchronous_commit: String,
    /// `on`, or the URL says `unsafe-durability`.
    pub full_page_writes: String,
    /// The schema that holds the log.
    pub schema: String,
    /// The user that this program is to the server.
    pub role: String,
    /// What that user may do with the log: `superuser`, who could also switch off what guards it, `owner`, `append`
    /// or `read`.
    pub right: String,
    /// The isolation of this program's transactions; always `read committed`, which appending rests on.
    pub isolation: String,
    /// The version of TLS that the connection uses; none where it goes over the wire in the clear. Behind a pooler,
    /// that of the pooler's connection to the server.
    pub tls: Option<String>,
    /// How many migrations the log has seen.
    pub layout: i64,
    /// How many bytes the log has on the disk, with its indexes.
    pub bytes: i64,
}

impl PostgresSettings {
    /// Whether an acknowledged commit survives a crash of the server.
    pub fn is_durable(&self) -> bool {
        [&self.fsync, &self.synchronous_commit, &self.full_page_writes]
            .iter()
            .all(|setting| *setting != "off")
    }
}

impl PostgresStore {
    /// Reads the settings back from the server.
    pub async fn settings(&self) -> Result<PostgresSettings, StoreError> {
        const DOING: &str = "reading the settings";
        let connections = &self.reader.connections;
        let failed = |error| connections.failed(DOING, error);
        let rows = connections.rows(DOING, || sqlx::query(SETTINGS).persistent(false)).await?;
        let settings = Settings::of(&rows[0]).map_err(failed)?;
        let roles = connections.rows(DOING, || self.reader.sql.role.query()).await?;
        let sizes = connections.rows(DOING, || self.reader.sql.size.query()).await?;
        Ok(PostgresSettings {
            place: connections.server.place.to_string(),
            version: settings.version,
            fsync: settings.fsync,
            synchronous_commit: settings.synchronous_commit,
            full_page_writes: settings.full_page_writes,
            schema: connections.server.options.schema.to_string(),
            role: roles[0].try_get(0).map_err(failed)?,
            right: roles[0].try_get(1).map_err(failed)?,
            isolation: settings.isolation,
            tls: settings.tls,
            layout: LOG.migrations.len() as i64,
            bytes: sizes[0].try_get(0).map_err(failed)?,
        })
    }
}
