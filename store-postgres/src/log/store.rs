//! The store: appends go to the writer, reads to the readers.

use super::{
    LOG, Sql,
    head::Head,
    reader::Reader,
    writer::{self, Writer},
};
use crate::{
    PostgresOptions, ServerError,
    open::{Opened, Purpose, exists, open},
    server::{CONNECTIONS_MAX, Server},
    session::Connections,
    settings::{PostgresSettings, Tables, settings},
};
use annals::{
    AppendError, Commit, Committed, EventId, EventStore, LogFilter, LogPage, PageLimit, Position,
    RecordedEvent, StoreError, StreamFilter, StreamId, StreamInfo, VersionRange,
    batch::{self, AppendQueue},
};
use async_trait::async_trait;
use sqlx::Row;
use std::sync::Arc;
use tokio::sync::watch;

/// An event store in one schema of a PostgreSQL database, with snapshots beside the events. Keeps every promise of
/// [`EventStore`].
///
/// - Appends of many tasks are written by one task, as many as wait in one statement; each is answered when the
///   server has flushed it. A server with `fsync` or `synchronous_commit` off is refused (**C3**), unless the URL says
///   `unsafe-durability`.
/// - Any number of processes may append at once; their commits follow one another. Readers in other processes hear of
///   an append by a notification, one within [`NOTICE_EVERY`](super::NOTICE_EVERY) at most, and within
///   [`NOTICE_WAIT_MAX`](super::NOTICE_WAIT_MAX) when many processes append, or no other store listens; they ask every
///   [`HEAD_POLL`](super::HEAD_POLL) besides.
/// - When the connection is lost in the middle of an append, the answer is a transient error; whoever sends the commit
///   again gets its first result if it had arrived. The next append connects again, after a wait that grows to a second:
///   within [`RECONNECTED_WITHIN`](crate::RECONNECTED_WITHIN) after the server is back. A connection that died without a
///   word, as when the network goes, is noticed only when an answer has been missing for 65 seconds.
/// - The database refuses to change or remove rows of the log, or to type some in, to its owner too. To a role that may
///   only append it refuses whatever would break the log's structure or limits; what an event says is its own.
/// - Uses one connection to append, one to listen, one to ask where the log ends, and up to [`CONNECTIONS_MAX`](crate::CONNECTIONS_MAX) to read.
///
/// Dropping the store carries out what waits, as long as the runtime lives.
#[derive(Debug)]
pub struct PostgresStore {
    pub(super) reader: Reader,
    head: Head,
    appends: AppendQueue,
}

impl PostgresStore {
    /// Connects, makes or updates the tables, and starts the writer. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// [`ServerError`] when the server cannot be reached or lets us not in, when it is too old, a standby, or set so
    /// that acknowledged events could be lost, when its clock is far from ours, when a newer program made the tables,
    /// or when the schema holds tables of somebody else.
    pub async fn open(options: &PostgresOptions) -> Result<Self, ServerError> {
        Self::open_for(options, Purpose::Write).await
    }

    /// The same for whoever only reads: a standby will do. What is appended to one is refused with an error that names
    /// the next step.
    ///
    /// # Errors
    /// As [`open`](Self::open); a standby is none.
    pub async fn open_to_look(options: &PostgresOptions) -> Result<Self, ServerError> {
        Self::open_for(options, Purpose::Look).await
    }

    async fn open_for(options: &PostgresOptions, purpose: Purpose) -> Result<Self, ServerError> {
        let server = Arc::new(Server::of_log(options));
        let Opened { mut session, is_standby } = open(&server, &LOG, purpose).await?;
        let sql = Arc::new(Sql::of(&options.schema, options.prepares()));
        let failed = |source| ServerError::of(&server.place, "reading the head of the log", source);
        let rows = session.rows(sql.channel.query()).await.map_err(failed)?;
        let channel = rows[0].try_get(0).map_err(failed)?;
        // Behind a pooler nothing is heard, and a standby tells nothing.
        let channel = Some(channel).filter(|_: &String| options.prepares() && !is_standby);
        let rows = session.rows(sql.head.query()).await.map_err(failed)?;
        let position = Position::from_i64(rows[0].try_get(0).map_err(failed)?);

        let connections = Connections::to(server.clone());
        // Asked on a connection of its own: reads that take long delay no wake-up.
        let head = Head::watching(Connections::to(server.clone()), sql.clone(), channel, position);
        let (appends, intake) = batch::queue();
        let writer = Writer::new(server, sql.clone(), session, head.sender(), head.heard());
        tokio::spawn(writer::run(writer, intake));
        Ok(Self { reader: Reader::new(connections, sql), head, appends })
    }

    /// Whether there is a log already; makes none.
    ///
    /// # Errors
    /// [`ServerError`] when the server cannot be reached or lets us not in.
    pub async fn exists(options: &PostgresOptions) -> Result<bool, ServerError> {
        exists(options, &LOG).await
    }

    /// Reads the settings back from the server.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn settings(&self) -> Result<PostgresSettings, StoreError> {
        let connections = self.connections();
        // One appends, one asks where the log ends; one listens, unless a pooler stands in between.
        let besides = if connections.server.options.prepares() { 3 } else { 2 };
        let tables = Tables {
            role: &self.reader.sql.role,
            size: &self.reader.sql.size,
            layout: LOG.migrations.len(),
            connections_max: CONNECTIONS_MAX + besides,
        };
        settings(connections, tables).await
    }

    /// Where it is, without the password.
    pub fn place(&self) -> &str {
        &self.connections().server.place
    }

    pub(crate) fn connections(&self) -> &Connections {
        &self.reader.connections
    }
}

#[async_trait]
impl EventStore for PostgresStore {
    async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        self.appends.append(commit).await
    }

    async fn append_chain(&self, commits: Vec<Commit>) -> Vec<Result<Committed, AppendError>> {
        self.appends.append_chain(commits).await
    }

    async fn read(
        &self,
        stream: &StreamId,
        range: VersionRange,
        limit: PageLimit,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.reader.read(stream, range, limit).await
    }

    async fn streams(
        &self,
        filter: &StreamFilter,
        after: Option<&StreamId>,
        limit: PageLimit,
    ) -> Result<Vec<StreamInfo>, StoreError> {
        self.reader.streams(filter, after, limit).await
    }

    async fn read_log(
        &self,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Result<LogPage, StoreError> {
        self.reader.read_log(after, limit, filter).await
    }

    async fn committed(
        &self,
        stream: &StreamId,
        first_event: EventId,
    ) -> Result<Option<Committed>, StoreError> {
        self.reader.committed(stream, first_event).await
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }
}
