//! From URLs to places that this program knows.

use crate::{CliError, Global, Service, StoreUrl};
use annals_postgres::PostgresOptions;
use annals_sqlite::{SqliteOptions, views_beside};

/// The schemes that this program knows, for messages.
const SCHEMES: &str = "sqlite:FILE, postgres://USER@HOST/DATABASE and memory:";

/// Where something is kept.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Memory,
    Sqlite(SqliteOptions),
    Postgres(Box<PostgresOptions>),
}

/// Where the log is, and where the read models are.
pub(super) fn places(service: &Service, global: &Global) -> Result<(Place, Place), CliError> {
    let log = place("--store", &global.store_url(service.name()))?;
    let Some(url) = &global.read_models else {
        let views = match &log {
            Place::Memory => Place::Memory,
            Place::Sqlite(options) => Place::Sqlite(SqliteOptions::new(views_beside(&options.path))),
            // In the same schema: no name of a table is in both.
            Place::Postgres(options) => Place::Postgres(options.clone()),
        };
        return Ok((log, views));
    };
    let refused =
        |reason: &str, next: &str| Err(CliError::usage(format!("--read-models {url}"), reason).next(next));
    let views = place("--read-models", url)?;
    match (&log, &views) {
        (Place::Memory, Place::Sqlite(_) | Place::Postgres(_)) => refused(
            "the log is in memory, so its read models would outlive it",
            "leave --read-models out, or keep the log where it stays too",
        ),
        (_, Place::Sqlite(_)) if url.reveal().contains('?') => {
            refused("read models have no options", "leave out what begins with ?")
        }
        (Place::Sqlite(log), Place::Sqlite(views)) if log.path == views.path => {
            refused("the log is in that file", "name another file")
        }
        _ => Ok((log, views)),
    }
}

fn place(option: &str, url: &StoreUrl) -> Result<Place, CliError> {
    let refused =
        |reason: String, next: String| CliError::usage(format!("{option} {url}"), reason).next(next);
    let unknown = |reason: String| {
        let next = format!(
            "write {option} sqlite:FILE, as in {option} sqlite:northwind.db, {option} postgres://USER@HOST/DATABASE, \
             or {option} memory:"
        );
        refused(reason, next)
    };
    match url.scheme() {
        "memory" if url.reveal() == "memory:" => Ok(Place::Memory),
        "memory" => Err(unknown("there is one store in memory, and it is called memory:".into())),
        // The error quotes what it was given, so what it is given has no secrets.
        "sqlite" => url.reveal().parse().map(Place::Sqlite).map_err(|error| {
            let told = url.to_string().parse::<SqliteOptions>().err().unwrap_or(error);
            unknown(told.to_string())
        }),
        // The error quotes nothing that may be a secret.
        "postgres" | "postgresql" => match url.reveal().parse::<PostgresOptions>() {
            Ok(options) => Ok(Place::Postgres(Box::new(options))),
            Err(error) => Err(refused(error.reason().into(), error.next_step().into())),
        },
        _ => Err(unknown(format!("this program knows no such store; it knows {SCHEMES}"))),
    }
}
