//! Behind pgbouncer in transaction mode, where every transaction may meet another connection and nothing stays
//! prepared: both suites, all of them.
//!
//! Control: with `Session::of(connection, false)` in `server.rs`, so that no transaction is held around a statement, a
//! statement meets what another one has prepared: appends fail, and reads get rows of other shapes.

use crate::place::Place;
use annals_services::{Account, Pgbouncer, pgbouncer_finding, reachable_directory};
use std::path::Path;

mod documents;
mod log;
mod unnamed;

/// A schema, and a pooler in front of its server.
pub(crate) struct Pooled {
    pub(crate) place: Place,
    pooler: Pgbouncer,
}

impl Pooled {
    pub(crate) fn missing() -> Option<String> {
        Place::missing().or_else(|| pgbouncer_finding().err().map(|lacking| format!("{lacking:#}")))
    }

    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// With lines of its settings.
    fn with(lines: &str) -> Self {
        let place = Place::new().unwrap();
        let port = place.address().rsplit_once(':').unwrap().1.parse().unwrap();
        Self { pooler: in_front_of(port, &place.schema, lines), place }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}&pooler=transaction", self.place.url_at(self.pooler.port()))
    }
}

/// A pooler in front of the server at `port`, with lines of its settings.
pub(crate) fn in_front_of(port: u16, name: &str, lines: &str) -> Pgbouncer {
    let account = Account::needed().unwrap();
    let wanted = Path::new(env!("CARGO_TARGET_TMPDIR")).join("poolers");
    let directory = reachable_directory(&wanted, account.as_ref()).unwrap().join(name);
    Pgbouncer::start_with(&directory, port, lines).unwrap()
}
