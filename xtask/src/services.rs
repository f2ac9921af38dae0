//! `cargo xtask up` and `down`: the real parts that tests need, started without containers.
//!
//! They lie under `services/` in the target directory, listen on free ports of this machine only, and are stopped by
//! what is written there, never by a program's name.

mod kafka;
mod place;
mod postgres;
mod state;

use std::process::ExitCode;

use crate::workspace::Workspace;
use kafka::Kafka;
pub(crate) use kafka::kafka_finding;
pub(crate) use place::target_dir;
use postgres::Postgres;
pub(crate) use postgres::finding as postgres_finding;
use state::Stay;

/// Where tests look for the server; without it they skip, out loud.
const POSTGRES_URL: &str = "ANNALS_POSTGRES_URL";

/// The same for the broker.
const KAFKA_URL: &str = "ANNALS_KAFKA_URL";

/// What was started, and stops when this is dropped.
pub(crate) struct Services {
    postgres: Result<Postgres, String>,
    kafka: Result<Kafka, String>,
    /// Tests start poolers of their own.
    pooler: Result<(), String>,
}

impl Services {
    /// Starts all there are. What cannot be started is told by [`Services::missing`].
    pub(crate) fn start(workspace: &Workspace) -> Self {
        Self::start_to(workspace, Stay::UntilDropped)
    }

    fn start_to(workspace: &Workspace, stay: Stay) -> Self {
        let target = target_dir(&workspace.root);
        let postgres = Postgres::start(&target, stay).map_err(|error| format!("{error:#}"));
        let kafka = Kafka::start(&target, stay).map_err(|error| format!("{error:#}"));
        let pooler = annals_services::install_pgbouncer().map_err(|error| format!("{error:#}"));
        Self { postgres, kafka, pooler }
    }

    /// What tests find in their environment.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let postgres = self.postgres.iter().map(|postgres| (POSTGRES_URL, postgres.url()));
        postgres.chain(self.kafka.iter().map(|kafka| (KAFKA_URL, kafka.url()))).collect()
    }

    /// Each service that is not there, with the reason.
    pub(crate) fn missing(&self) -> Vec<(&'static str, String)> {
        let postgres = self.postgres.as_ref().err().map(|why| ("postgres", why.clone()));
        let kafka = self.kafka.as_ref().err().map(|why| ("kafka", why.clone()));
        let pooler = self.pooler.as_ref().err().map(|why| ("pgbouncer", why.clone()));
        postgres.into_iter().chain(kafka).chain(pooler).collect()
    }
}

/// Starts everything and leaves it running. Fails when something cannot be started, but the rest runs.
pub(crate) fn up() -> anyhow::Result<ExitCode> {
    let services = Services::start_to(&Workspace::load()?, Stay::UntilDown);
    for (name, url) in services.environment() {
        println!("export {name}='{url}'");
    }
    println!("# stop it with: cargo xtask down");
    let missing = services.missing();
    for (name, why) in &missing {
        eprintln!("error: there is no {name}: {why}");
    }
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Stops what `up` or an interrupted run left.
pub(crate) fn down() -> anyhow::Result<ExitCode> {
    let target = target_dir(&Workspace::load()?.root);
    // Both are tried, whatever becomes of one.
    let stopped = [("postgres", Postgres::stop_left(&target)), ("kafka", Kafka::stop_left(&target))];
    let mut names = Vec::new();
    for (name, stopped) in stopped {
        if stopped? {
            names.push(name);
        }
    }
    match names.is_empty() {
        true => println!("nothing was running"),
        false => println!("stopped: {}", names.join(", ")),
    }
    Ok(ExitCode::SUCCESS)
}
