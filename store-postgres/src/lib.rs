//! PostgreSQL for annals: the store for several processes and large logs.
//!
//! [`PostgresStore`] keeps the event log and its snapshots, [`PostgresDocuments`] the read side; both live in one
//! schema of one database, or apart. PostgreSQL 15 or newer.

mod error;
mod failure;
mod json_text;
mod log;
mod migrate;
mod open;
mod rights;
mod schema;
mod server;
mod session;
mod settings;
mod sql_projection;
mod statement;
mod url;
mod views;

pub use error::ServerError;
pub use failure::ServerFailed;
pub use log::{
    HEAD_POLL, NOTICE_EVERY, NOTICE_WAIT_MAX, PostgresStore, RECONNECT_WAIT_FIRST, RECONNECT_WAIT_MAX,
    RECONNECTED_WITHIN,
};
pub use open::{CLOCKS_APART_MAX, SERVER_VERSION_MIN};
pub use rights::{GrantError, ROLE_BYTES_MAX, Right};
pub use schema::{SCHEMA_BYTES_MAX, Schema, SchemaError};
pub use server::{
    CONNECT_WAIT_MAX, CONNECTIONS_MAX, IDLE_IN_TRANSACTION_MAX, LOCK_WAIT_MAX, MAKING_WAIT_MAX,
    SQL_PAGE_WAIT_MAX, STATEMENT_WAIT_MAX,
};
pub use settings::PostgresSettings;
pub use sql_projection::{SqlProjection, SqlRefusal, Told};
pub use url::{Pooler, PostgresOptions, UrlError};
pub use views::{PostgresDocuments, SqlParts, SqlProjector};
