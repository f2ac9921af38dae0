//! Documents, checkpoints, leases and parked events in one schema.

mod checkpoints;
mod columns;
mod compare;
mod documents;
mod generation;
mod lanes;
mod lease;
mod page;
mod parked;
mod part;
mod readers;
mod rebuild;
mod shown;
mod sql_page;
mod sql_part;
mod sql_part_page;
mod sql_projector;
mod sql_retry;
mod sql_rows;
mod tables;
mod transaction;

use crate::{
    PostgresOptions, ServerError,
    migrate::Layout,
    open::{Purpose, exists, open},
    server::{CONNECTIONS_MAX, Server},
    session::Connections,
    settings::{PostgresSettings, Tables, settings},
    statement::{Statement, statements},
};
use annals::{StoreError, SubscriberId};
pub use sql_part::SqlParts;
pub use sql_projector::SqlProjector;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::sync::watch;
use transaction::Transaction;

/// The tables of the read side.
const VIEWS: Layout = Layout {
    what: "read models of annals",
    migrations: &[
        include_str!("views/migrations/0001_views.sql"),
        include_str!("views/migrations/0002_commit_page.sql"),
        include_str!("views/migrations/0003_tables_of_generations.sql"),
        include_str!("views/migrations/0004_shown.sql"),
        include_str!("views/migrations/0005_lanes.sql"),
        include_str!("views/migrations/0006_commit_part.sql"),
    ],
};

statements!(
    /// The statements of the read side, one a file.
    Sql {
        columns_to_show = "views/sql/columns_to_show.sql",
        commit_page = "views/sql/commit_page.sql",
        commit_part = "views/sql/commit_part.sql",
        compare = "views/sql/compare.sql",
        compare_examples = "views/sql/compare_examples.sql",
        checkpoint_set = "views/sql/checkpoint_set.sql",
        columns = "views/sql/columns.sql",
        columns_set = "views/sql/columns_set.sql",
        documents_add = "views/sql/documents_add.sql",
        documents_after = "views/sql/documents_after.sql",
        documents_drop = "views/sql/documents_drop.sql",
        documents_first = "views/sql/documents_first.sql",
        documents_tables = "views/sql/documents_tables.sql",
        documents_there = "views/sql/documents_there.sql",
        generation = "views/sql/generation.sql",
        generation_add = "views/sql/generation_add.sql",
        generation_live = "views/sql/generation_live.sql",
        generation_locked = "views/sql/generation_locked.sql",
        generation_retire = "views/sql/generation_retire.sql",
        generation_shown = "views/sql/generation_shown.sql",
        generations = "views/sql/generations.sql",
        generations_of = "views/sql/generations_of.sql",
        lanes = "views/sql/lanes.sql",
        lanes_add = "views/sql/lanes_add.sql",
        lanes_drop = "views/sql/lanes_drop.sql",
        lease_extend = "views/sql/lease_extend.sql",
        lease_release = "views/sql/lease_release.sql",
        lease_take = "views/sql/lease_take.sql",
        load = "views/sql/load.sql",
        name_lock = "views/sql/name_lock.sql",
        parked_keys = "views/sql/parked_keys.sql",
        parked_page = "views/sql/parked_page.sql",
        parked_page_of_key = "views/sql/parked_page_of_key.sql",
        purge_documents = "views/sql/purge_documents.sql",
        purge_done = "views/sql/purge_done.sql",
        purge_parked = "views/sql/purge_parked.sql",
        purge_requests = "views/sql/purge_requests.sql",
        purge_left = "views/sql/purge_left.sql",
        readers = "views/sql/readers.sql",
        report = "views/sql/report.sql",
        rights_of = "views/sql/rights_of.sql",
        role = "views/sql/role.sql",
        request = "views/sql/request.sql",
        requests = "views/sql/requests.sql",
        shown_columns = "views/sql/shown_columns.sql",
        shown_of = "views/sql/shown_of.sql",
        size = "views/sql/size.sql",
        tables_drop = "views/sql/tables_drop.sql",
        tables_of = "views/sql/tables_of.sql",
        tables_there = "views/sql/tables_there.sql",
    }
);

/// Keeps documents, checkpoints, leases and parked events in one schema of a PostgreSQL database, which may be that of
/// the log or another one.
///
/// Any number of instances, in any number of processes, may use it at once. A page is written by one call: documents,
/// deletions, parked events and the checkpoint together, only under the newest lease. Documents are `jsonb`: the same
/// value comes back, not the same text.
///
/// **For people**, each read model is a view in the schema `NAME_views` beside the schema `NAME` of the tables, called
/// as the read model with `_` for `-`: the key of each document and the columns that the projection declares
/// ([`COLUMNS`](annals::Projection::COLUMNS)), or the whole document where it declares none. It always shows the live
/// generation: a switch re-points it in its own transaction, and keeps what was granted on it also where its columns
/// change. Whoever may read that schema sees all of it, and nothing else. Who may read the table `generations` may read
/// each new generation and each new view. A read model whose name has more than 63 bytes is not shown.
///
/// **Leases** run by the clock of the server. Each instance uses up to [`CONNECTIONS_MAX`](crate::CONNECTIONS_MAX)
/// connections.
#[derive(Debug)]
pub struct PostgresDocuments {
    connections: Connections,
    sql: Sql,
    ids: Mutex<HashMap<SubscriberId, i64>>,
    moved: watch::Sender<u64>,
}

impl PostgresDocuments {
    /// Connects, and makes or updates the tables.
    ///
    /// # Errors
    /// As [`PostgresStore::open`](crate::PostgresStore::open).
    pub async fn open(options: &PostgresOptions) -> Result<Self, ServerError> {
        Self::open_for(options, Purpose::Write).await
    }

    /// The same for whoever only reads: a standby will do. What would be written to one is refused with an error that
    /// names the next step.
    ///
    /// # Errors
    /// As [`open`](Self::open); a standby is none.
    pub async fn open_to_look(options: &PostgresOptions) -> Result<Self, ServerError> {
        Self::open_for(options, Purpose::Look).await
    }

    async fn open_for(options: &PostgresOptions, purpose: Purpose) -> Result<Self, ServerError> {
        let server = Arc::new(Server::of(options));
        drop(open(&server, &VIEWS, purpose).await?);
        let sql = Sql::of(&options.schema, options.prepares());
        let (ids, moved) = (Mutex::default(), watch::Sender::new(0));
        Ok(Self { connections: Connections::to(server), sql, ids, moved })
    }

    /// Whether there are read models already; makes none.
    ///
    /// # Errors
    /// [`ServerError`] when the server cannot be reached or lets us not in.
    pub async fn exists(options: &PostgresOptions) -> Result<bool, ServerError> {
        exists(options, &VIEWS).await
    }

    /// Reads the settings back from the server.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn settings(&self) -> Result<PostgresSettings, StoreError> {
        let tables = Tables {
            role: &self.sql.role,
            size: &self.sql.size,
            layout: VIEWS.migrations.len(),
            connections_max: CONNECTIONS_MAX,
        };
        settings(&self.connections, tables).await
    }

    /// Where they are, without the password.
    pub fn place(&self) -> &str {
        &self.connections.server.place
    }

    pub(crate) fn connections(&self) -> &Connections {
        &self.connections
    }

    /// The statement that lists the tables of documents.
    pub(crate) fn documents_tables(&self) -> &Statement {
        &self.sql.documents_tables
    }

    /// A transaction that writes.
    async fn begin(&self, doing: &'static str) -> Result<Transaction<'_>, StoreError> {
        // Whatever somebody's default is: behind a lock is seen what was committed before.
        Transaction::begin(self, doing, "BEGIN ISOLATION LEVEL READ COMMITTED").await
    }

    /// Wakes those who wait for [`moved`](annals::Checkpoints::moved).
    fn tell_moved(&self) {
        self.moved.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn failed(&self, doing: &'static str, error: sqlx::Error) -> StoreError {
        self.connections.failed(doing, error)
    }
}
