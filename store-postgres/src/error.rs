//! Why a database could not be opened.

use crate::failure::{code, is_lost, next_step};
use chrono::TimeDelta;
use sqlx::Error;
use std::{io, sync::Arc};

/// Why a database could not be opened. Whatever it holds is as it was.
///
/// Shown as the place, the reason, and what to do about it, which [`ServerError::next_step`] tells alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// Nobody answers.
    #[error("{place} cannot be reached: {source}; {REACH}")]
    Unreachable {
        /// Where.
        place: Arc<str>,
        /// What was said.
        #[source]
        source: Error,
    },
    /// There is no TLS, or the certificate is not the one that was asked for.
    #[error("{place} cannot be spoken to with TLS: {source}; {next_step}")]
    Tls {
        /// Where.
        place: Arc<str>,
        /// What was said.
        #[source]
        source: Error,
        /// What to do about it.
        next_step: &'static str,
    },
    /// User or password are wrong, or the server lets this user in from elsewhere only.
    #[error("{place} lets this user not in: {source}; {LOGIN}")]
    Denied {
        /// Where.
        place: Arc<str>,
        /// What was said.
        #[source]
        source: Error,
    },
    /// There is no such database.
    #[error("{place}: there is no such database; {MAKE}")]
    NoDatabase {
        /// Where.
        place: Arc<str>,
    },
    /// A right is missing.
    #[error("{place}: {source}; {GRANT}")]
    NoRight {
        /// Where.
        place: Arc<str>,
        /// What was said.
        #[source]
        source: Error,
    },
    /// A pooler stands in between that the URL does not name.
    #[error("{place} seems to be a pooler: {said}; {POOLER}")]
    Pooler {
        /// Where.
        place: Arc<str>,
        /// How that shows.
        said: String,
    },
    /// The server is too old.
    #[error("{place} runs PostgreSQL {found}, at least {needed} is needed: {UPGRADE}")]
    TooOld {
        /// Where.
        place: Arc<str>,
        /// Its version.
        found: String,
        /// The oldest one that will do.
        needed: u32,
    },
    /// The server only copies another one.
    #[error("{place} is a standby, which takes no writes: {PRIMARY}")]
    Standby {
        /// Where.
        place: Arc<str>,
    },
    /// Transactions of this user may not write.
    #[error("{place} is read-only for this user: {WRITE}")]
    ReadOnly {
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
    #[error("{place} has a clock that is {} s from ours: {CLOCKS}", apart.num_seconds())]
    Clock {
        /// Where.
        place: Arc<str>,
        /// How much its clock is ahead.
        apart: TimeDelta,
    },
    /// A newer program made the tables.
    #[error("{place} holds {what} of layout {version}, this program knows up to {known}: {UPDATE}")]
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
    #[error("{place}: the schema holds {found}, which is not ours; {ANOTHER}")]
    Foreign {
        /// Where.
        place: Arc<str>,
        /// What is in the way.
        found: String,
    },
    /// The server failed.
    #[error("{place} failed while {doing}: {source}; {next_step}")]
    Failed {
        /// Where.
        place: Arc<str>,
        /// What was being done.
        doing: &'static str,
        /// What was said.
        #[source]
        source: Error,
        /// What to do about it.
        next_step: &'static str,
    },
}

const REACH: &str = "see that the server runs, and check host and port";
const TURN_TLS_ON: &str = "see that ssl is on at the server and that the URL has its name, or say sslmode=disable: then \
                           everything, passwords too, can be read on the way";
const OUR_CERTIFICATE: &str = "where the server asks for a certificate, show it with sslcert=PATH and sslkey=PATH one that \
                               was signed by whom its ssl_ca_file names";
const CERTIFICATE: &str = "name the host as its certificate does, and who signed that with sslrootcert=PATH";
const LOGIN: &str = "check user and password, sslcert=PATH and sslkey=PATH where the server asks for a certificate, and \
                     its pg_hba.conf";
const MAKE: &str = "make it with createdb, or name another";
const GRANT: &str = "let the owner open it once, or give this user a right: grant append|read ROLE";
const POOLER: &str = "add pooler=transaction to the URL, or name the server itself";
const UPGRADE: &str = "upgrade the server";
const PRIMARY: &str = "name the primary server";
const WRITE: &str = "name the primary server, or turn default_transaction_read_only off for this user";
const CLOCKS: &str = "set both clocks by a time server";
const UPDATE: &str = "update the program";
const ANOTHER: &str = "it was left as it is, name another schema";

impl ServerError {
    /// What a person does about it.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => REACH,
            Self::Denied { .. } => LOGIN,
            Self::NoDatabase { .. } => MAKE,
            Self::NoRight { .. } => GRANT,
            Self::Pooler { .. } => POOLER,
            Self::TooOld { .. } => UPGRADE,
            Self::Standby { .. } => PRIMARY,
            Self::ReadOnly { .. } => WRITE,
            Self::Clock { .. } => CLOCKS,
            Self::Newer { .. } => UPDATE,
            Self::Foreign { .. } => ANOTHER,
            Self::Tls { next_step, .. }
            | Self::Setting { next_step, .. }
            | Self::Failed { next_step, .. } => next_step,
        }
    }

    /// Told by the server's code where it gave one.
    pub(crate) fn of(place: &Arc<str>, doing: &'static str, source: Error) -> Self {
        let place = place.clone();
        match (code(&source).as_deref(), &source) {
            (Some("28000" | "28P01"), _) => Self::Denied { place, source },
            (Some("3D000"), _) => Self::NoDatabase { place },
            (Some("42501"), _) => Self::NoRight { place, source },
            (Some("25006"), _) => Self::ReadOnly { place },
            (None, Error::Tls(_)) => Self::Tls { place, source, next_step: TURN_TLS_ON },
            // What TLS found wrong comes so from the driver: on the server's side, then on ours.
            (None, Error::Io(error)) if is_our_certificate_refused(error) => {
                Self::Tls { place, source, next_step: OUR_CERTIFICATE }
            }
            (None, Error::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                Self::Tls { place, source, next_step: CERTIFICATE }
            }
            (None, _) if is_lost(&source) => Self::Unreachable { place, source },
            _ => Self::Failed { place, doing, next_step: next_step(&source), source },
        }
    }
}

/// Whether the server broke the handshake off over the certificate that we have shown, or have not.
fn is_our_certificate_refused(error: &io::Error) -> bool {
    // The driver hands on the text of rustls, and no more.
    let text = error.to_string();
    text.contains("received fatal alert") && (text.contains("Certificate") || text.contains("UnknownCA"))
}
