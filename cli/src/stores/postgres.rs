//! Stores in PostgreSQL databases.

use super::{Access, Integrity, Log, ReadSide, Views};
use crate::{CliError, Service};
use annals_postgres::{PostgresDocuments, PostgresOptions, PostgresStore, ServerError};
use std::sync::Arc;

/// Opens the log in a schema.
pub(super) async fn open_log(
    service: &Service,
    log: &PostgresOptions,
    access: Access,
) -> Result<Log, CliError> {
    let failed = |error| refused(log, &error);
    if access != Access::Create && !PostgresStore::exists(log).await.map_err(failed)? {
        return Err(CliError::failed(log, "there is no event log in it").next(service.first_step()));
    }
    let opened = match access {
        Access::Look => PostgresStore::open_to_look(log).await,
        Access::Replay | Access::Create => PostgresStore::open(log).await,
    };
    let store = Arc::new(opened.map_err(failed)?);
    Ok(Log { store: store.clone(), snapshots: Some(store.clone()), integrity: Integrity::Postgres(store) })
}

/// Whether there is no log in the schema.
pub(super) async fn lacks_log(log: &PostgresOptions) -> Result<bool, CliError> {
    PostgresStore::exists(log).await.map(|there| !there).map_err(|error| refused(log, &error))
}

/// Opens the read models in a schema.
pub(super) async fn open_views(views: &PostgresOptions, access: Access) -> Result<Views, CliError> {
    let failed = |error| refused(views, &error);
    if access == Access::Look && !PostgresDocuments::exists(views).await.map_err(failed)? {
        // Nothing was projected yet, and looking makes no tables.
        return Ok(Views::missing());
    }
    let opened = match access {
        Access::Look => PostgresDocuments::open_to_look(views).await,
        Access::Replay | Access::Create => PostgresDocuments::open(views).await,
    };
    let documents = Arc::new(opened.map_err(failed)?);
    Ok(Views { documents: documents.clone(), read_side: ReadSide::Postgres(documents) })
}

fn refused(options: &PostgresOptions, error: &ServerError) -> CliError {
    let (shown, text, next_step) = (options.to_string(), error.to_string(), error.next_step());
    let reason = text.strip_prefix(&shown).unwrap_or(&text);
    let reason = reason.strip_suffix(next_step).unwrap_or(reason);
    CliError::failed(shown, reason.trim_matches([' ', ':', ';'])).next(next_step)
}
