//! `cargo xtask up` and `down`: the real parts that tests need, started without containers.
//!
//! They lie under `services/` in the target directory, listen on free ports of this machine only, and are stopped by
//! what is written there, never by a program's name.

mod place;
mod postgres;

use std::process::ExitCode;

use crate::workspace::Workspace;
pub(crate) use place::target_dir;
use postgres::Postgres;
pub(crate) use postgres::finding as postgres_finding;

/// Where tests look for the server; without it they skip, out loud.
pub(crate) const POSTGRES_URL: &str = "ANNALS_POSTGRES_URL";

/// What was started, and stops when this is dropped.
pub(crate) struct Services {
    postgres: Result<Postgres, String>,
}

impl Services {
    /// Starts all there are. What cannot be started is told by [`Services::missing`].
    pub(crate) fn start(workspace: &Workspace) -> Self {
        lack_of_pooler_is_told();
        let started = Postgres::start(&target_dir(&workspace.root), postgres::Stay::UntilDropped);
        Self { postgres: started.map_err(|error| format!("{error:#}")) }
    }

    /// What tests find in their environment.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        self.postgres.iter().map(|postgres| (POSTGRES_URL, postgres.url())).collect()
    }

    /// Each service that is not there, with the reason.
    pub(crate) fn missing(&self) -> Vec<(&'static str, String)> {
        self.postgres.as_ref().err().map(|why| ("postgres", why.clone())).into_iter().collect()
    }
}

/// Starts everything and leaves it running.
pub(crate) fn up() -> anyhow::Result<ExitCode> {
    let workspace = Workspace::load()?;
    lack_of_pooler_is_told();
    let postgres = Postgres::start(&target_dir(&workspace.root), postgres::Stay::UntilDown)?;
    println!("export {POSTGRES_URL}='{}'", postgres.url());
    println!("# stop it with: cargo xtask down");
    Ok(ExitCode::SUCCESS)
}

/// Stops what `up` or an interrupted run left.
pub(crate) fn down() -> anyhow::Result<ExitCode> {
    let workspace = Workspace::load()?;
    match Postgres::stop_left(&target_dir(&workspace.root))? {
        true => println!("stopped: postgres"),
        false => println!("nothing was running"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Tests start poolers of their own; without the program they pass over, out loud.
fn lack_of_pooler_is_told() {
    if let Err(lacking) = annals_services::install_pgbouncer() {
        eprintln!("{lacking:#}; tests behind a pooler will be skipped");
    }
}
