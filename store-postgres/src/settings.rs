//! What a server promises, read back from it.

use crate::{
    Pooler,
    open::{SETTINGS, Settings},
    session::Connections,
    statement::Statement,
};
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
    /// It only copies another server, which is the one that takes writes.
    pub is_standby: bool,
    /// `on`, or the URL says `unsafe-durability`.
    pub fsync: String,
    /// Not `off`, unless the URL says `unsafe-durability`.
    pub synchronous_commit: String,
    /// `on`, or the URL says `unsafe-durability`.
    pub full_page_writes: String,
    /// The schema that holds the tables.
    pub schema: String,
    /// The user that this program is to the server.
    pub role: String,
    /// What that user may do with the tables: `superuser`, who could also switch off what guards the log, `owner`,
    /// `append` (the log) or `write` (read models), `read`, or `none`.
    pub right: String,
    /// The isolation of this program's transactions; always `read committed`, which appending rests on.
    pub isolation: String,
    /// The version of TLS that the connection uses; none where it goes over the wire in the clear. Behind a pooler,
    /// that of the pooler's connection to the server.
    pub tls: Option<String>,
    /// How long one statement of this program may take, as the server says it.
    pub statement_timeout: String,
    /// How long one waits for a lock.
    pub lock_timeout: String,
    /// How long a transaction of this program may stand still.
    pub idle_in_transaction_session_timeout: String,
    /// What stands in between, as the URL says it.
    pub pooler: Pooler,
    /// How many connections one process has at most to these tables.
    pub connections_max: usize,
    /// How many migrations the tables have seen.
    pub layout: i64,
    /// How many bytes the tables have on the disk, with their indexes.
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

/// What is asked besides, which log and read models answer each for themselves.
pub(crate) struct Tables<'a> {
    /// Who this user is, and what it may do.
    pub(crate) role: &'a Statement,
    /// How large they are.
    pub(crate) size: &'a Statement,
    pub(crate) layout: usize,
    pub(crate) connections_max: usize,
}

/// Reads the settings back from the server.
pub(crate) async fn settings(
    connections: &Connections,
    tables: Tables<'_>,
) -> Result<PostgresSettings, StoreError> {
    const DOING: &str = "reading the settings";
    let failed = |error| connections.failed(DOING, error);
    let rows = connections.rows(DOING, || sqlx::query(SETTINGS).persistent(false)).await?;
    let settings = Settings::of(&rows[0]).map_err(failed)?;
    let roles = connections.rows(DOING, || tables.role.query()).await?;
    let sizes = connections.rows(DOING, || tables.size.query()).await?;
    Ok(PostgresSettings {
        place: connections.server.place.to_string(),
        version: settings.version,
        is_standby: settings.is_standby,
        fsync: settings.fsync,
        synchronous_commit: settings.synchronous_commit,
        full_page_writes: settings.full_page_writes,
        schema: connections.server.options.schema.to_string(),
        role: roles[0].try_get(0).map_err(failed)?,
        right: roles[0].try_get(1).map_err(failed)?,
        isolation: settings.isolation,
        tls: settings.tls,
        statement_timeout: settings.statement_timeout,
        lock_timeout: settings.lock_timeout,
        idle_in_transaction_session_timeout: settings.idle_in_transaction_session_timeout,
        pooler: connections.server.options.pooler,
        connections_max: tables.connections_max,
        layout: tables.layout as i64,
        bytes: sizes[0].try_get(0).map_err(failed)?,
    })
}
