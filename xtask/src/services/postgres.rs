//! The PostgreSQL server of tests, and what is remembered of it between commands.

use std::path::Path;

use super::state::{State, Stay};
use annals_services::{Account, PostgresServer, StopMode, free_port, reachable_directory};

pub(crate) use annals_services::finding;

/// A server that runs.
pub(super) struct Postgres {
    server: PostgresServer,
    port: u16,
    ends_with_us: bool,
}

impl Postgres {
    /// Starts a new server, or takes the one that `up` left running. One that a killed run left is ended first.
    pub(super) fn start(target: &Path, stay: Stay) -> anyhow::Result<Self> {
        let server = find(target, true)?;
        if let Some(state) = State::read(server.directory()) {
            if state.until_down && server.runs()? {
                return Ok(Self { server, port: state.port, ends_with_us: false });
            }
            state.refuse_if_in_use()?;
            server.stop(StopMode::Immediate)?;
        }
        server.make()?;
        let port = free_port()?;
        State::new(port, stay == Stay::UntilDown).write(server.directory())?;
        let postgres = Self { server, port, ends_with_us: stay == Stay::UntilDropped };
        postgres.server.start(port)?;
        Ok(postgres)
    }

    /// Ends the server that runs there, whoever started it; false when there is none.
    pub(super) fn stop_left(target: &Path) -> anyhow::Result<bool> {
        let Ok(server) = find(target, false) else { return Ok(false) };
        let Some(state) = State::read(server.directory()) else { return Ok(false) };
        state.refuse_if_in_use()?;
        server.remove()?;
        Ok(true)
    }

    /// Where it is reached.
    pub(super) fn url(&self) -> String {
        PostgresServer::url(self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.ends_with_us
            && let Err(error) = self.server.remove()
        {
            eprintln!("error: postgres was not stopped: {error:#}; end it with: cargo xtask down");
        }
    }
}

fn find(target: &Path, may_install: bool) -> anyhow::Result<PostgresServer> {
    let account = Account::needed()?;
    let directory = reachable_directory(&target.join("services"), account.as_ref())?.join("postgres");
    PostgresServer::at(directory, may_install)
}

#[cfg(test)]
mod tests;
