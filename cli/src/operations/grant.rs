//! `grant`: what other roles of PostgreSQL may do with the log and the read models.

use crate::{CliError, Output, Stores, text::plain};
use annals_postgres::{GrantError, Right};
use clap::{Args, ValueEnum};
use serde::Serialize;

/// Which role gets which right.
#[derive(Debug, Clone, Args)]
pub struct Grant {
    /// What it may do
    right: Wanted,

    /// The role, made with CREATE ROLE
    role: String,
}

/// What a role may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
enum Wanted {
    /// Append to the log, by the functions that number the events, and read all
    Append,
    /// Read the log and the read models
    Read,
}

/// What was granted.
#[derive(Debug, Serialize)]
struct Granted {
    role: String,
    right: Wanted,
    /// Where the log is; none where that is not PostgreSQL.
    log: Option<String>,
    /// Where the read models are, which it may read; none where that is not PostgreSQL, or where there are none yet.
    read_models: Option<String>,
}

pub(super) async fn run(stores: &Stores, wanted: Grant, output: &mut Output) -> Result<(), CliError> {
    let Grant { right, role } = wanted;
    let (log, views) = (stores.log_in_postgres(), stores.views_in_postgres());
    if log.is_none() && (right == Wanted::Append || views.is_none()) {
        let what = if right == Wanted::Append { "the log is not" } else { "no log and no read models are" };
        let refused = CliError::usage("grant", format!("{what} in PostgreSQL, where roles have rights"));
        return Err(
            refused.next("name it with --store postgres://…; of a file, its own rights say who may use it")
        );
    }
    let failed = |error: GrantError| {
        let refused = CliError::because(format!("grant to {}", plain(&role)), &error);
        error.next_step().into_iter().fold(refused, CliError::next)
    };
    let mut granted = Granted { role: role.clone(), right, log: None, read_models: None };
    if let Some(log) = log {
        let of_log = if right == Wanted::Append { Right::Append } else { Right::Read };
        log.grant(&role, of_log).await.map_err(failed)?;
        granted.log = Some(log.place().into());
    }
    if let Some(views) = views {
        views.grant_reading(&role).await.map_err(failed)?;
        granted.read_models = Some(views.place().into());
    } else if stores.lack_read_models() {
        output.note("there are no read models yet: grant again when there are");
    }
    output.answer(&granted, describe)
}

fn describe(granted: &Granted) -> String {
    let Granted { role, right, log, read_models } = granted;
    let what = if *right == Wanted::Append { "append to and read" } else { "read" };
    let log = log.as_ref().map(|place| format!("{} may {what} the log in {place}", plain(role)));
    let views = read_models.as_ref();
    let views = views.map(|place| format!("{} may read the read models in {place}", plain(role)));
    [log, views].into_iter().flatten().collect::<Vec<_>>().join("\n")
}
