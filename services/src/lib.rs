//! Servers that tests, benches and the developer's commands need: installed binaries, a directory, a free port and an
//! unprivileged account of their own, without containers. Each is stopped by its directory, never by a name.
#![expect(clippy::print_stderr, reason = "whoever waits for an installation is told why")]

mod account;
mod command;
mod directory;
mod java;
mod kafka;
mod libraries;
mod loud;
mod pgbouncer;
mod postgres;

pub use account::Account;
pub use command::installed;
pub use directory::{make_private, reachable_directory};
pub use java::Java;
pub use kafka::{KafkaBroker, KafkaTool, Logins, OwnBroker, RIGHTS_CHECKED, kafka_finding};
pub use libraries::{install_libraries, libraries_finding};
pub use loud::{NOT_RUN, not_run, this_test};
pub use pgbouncer::{Pgbouncer, install_pgbouncer, pgbouncer_finding};
pub use postgres::{OwnServer, PostgresServer, StopMode, USER, WAIT_SECONDS_MAX, finding};

use anyhow::Context;
use std::net::TcpListener;

/// A port of this machine that nobody listens on now.
///
/// # Errors
/// When there is none.
pub fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("cannot find a free port")?;
    Ok(listener.local_addr()?.port())
}
