//! Why a database could not be opened.

use chrono::TimeDelta;
use std::sync::Arc;

/// Why a database could not be opened. Whatever it holds is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// Nobody answers.
    #[error("{place} cannot be reached: {source}; see that the server runs, and check host and port")]
    Unreachable {
        /// Where.
        place: Arc<str>,
        /// What was said.
        #[source]
        source: sqlx::Error,
    },
    /// User or password are wrong, or the server lets this user in from elsewhere only.
    #[error("{place} lets this user not in: {source}; check user and password, and the server's pg_hba.conf")]
    Denied {
        /// Where.
        place: Arc<str>,
        /// What was said.
        #[source]
        source: sqlx::Error,
    },
    /// There is no such database.
    #[error("{place}: there is no such database; make it with createdb, or name another")]
    NoDatabase {
        /// Where.
        place: Arc<str>,
    },
    /// A right is missing.
    #[error("{place}: {source}; let the owner open it once, or grant this user the right")]
    NoRight {
        /// Where.
        place: Arc<str>,
        /// What was said.
        #[source]
        source: sqlx::Error,
    },
    /// The server is too old.
    #[error("{place} runs PostgreSQL {found}, at least {needed} is needed: upgrade the server")]
    TooOld {
        /// Where.
        place: Arc<str>,
        /// Its version.
        found: String,
        /// The oldest one that will do.
        needed: u32,
    },
    /// The server only copies another one.
    #[error("{place} is a standby, which takes no writes: name the primary server")]
    Standby {
        /// Where.
        place: Arc<str>,
    },
    /// A setting would break a promise.
    #[error("{place} has {setting} {got}, not {wanted}: {next_step}")]
    Setting {
        /// Where.
        place: Arc<str>,
        /// Which setting.
        setting: &'static str,
        /// What it should be.
        wanted: &'static str,
        /// What it is.
        got: String,
        /// What to do about it.
        next_step: &'static str,
    },
    /// The clocks differ too much for times to mean anything.
    #[error("{place} has a clock that is {} s from ours: set both clocks by a time server", apart.num_seconds())]
    Clock {
        /// Where.
        place: Arc<str>,
        /// How much its clock is ahead.
        apart: TimeDelta,
    },
    /// A newer program made the tables.
    #[error("{place} holds {what} of layout {version}, this program knows up to {known}: update the program")]
    Newer {
        /// Where.
        place: Arc<str>,
        /// What it holds.
        what: &'static str,
        /// Its layout.
        version: i32,
        /// The newest layout known here.
        known: i32,
    },
    /// The schema holds tables of somebody else.
    #[error(
        "{place}: the schema holds {found}, which is not ours; it was left as it is, name another schema"
    )]
    Foreign {
        /// Where.
        place: Arc<str>,
        /// What is in the way.
        found: String,
    },
    /// The server failed.
    #[error("{place} failed while {doing}: {source}; look at the server's log")]
    Failed {
        /// Where.
        place: Arc<str>,
        /// What was being done.
        doing: &'static str,
        /// What was said.
        #[source]
        source: sqlx::Error,
    },
}

impl ServerError {
    /// Told by the server's code where it gave one.
    pub(crate) fn of(place: &Arc<str>, doing: &'static str, source: sqlx::Error) -> Self {
        let place = place.clone();
        match crate::failure::code(&source).as_deref() {
            Some("28000" | "28P01") => Self::Denied { place, source },
            Some("3D000") => Self::NoDatabase { place },
            Some("42501") => Self::NoRight { place, source },
            Some("25006") => Self::Standby { place },
            None if crate::failure::is_lost(&source) => Self::Unreachable { place, source },
            _ => Self::Failed { place, doing, source },
        }
    }
}
