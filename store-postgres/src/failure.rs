//! What follows from an error of the server, told by its code, never by its text.

use annals::StoreError;
use sqlx::Error;
use std::sync::Arc;

/// What our own functions say when the server is not the one that the writer knew.
const STARTED_ANEW: &str = "AN001";

/// What the server or the way to it failed with, and what to do about it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{place}: {source}; {next_step}")]
pub struct ServerFailed {
    place: Arc<str>,
    next_step: &'static str,
    transient: bool,
    #[source]
    source: Arc<Error>,
}

impl ServerFailed {
    pub(crate) fn new(place: &Arc<str>, source: Error) -> Self {
        let (transient, next_step) = judge(&source);
        Self { place: place.clone(), next_step, transient, source: Arc::new(source) }
    }

    pub(crate) fn store_error(&self, doing: &'static str) -> StoreError {
        match self.transient {
            true => StoreError::transient(doing, self.clone()),
            false => StoreError::permanent(doing, self.clone()),
        }
    }
}

/// The code that the server gave, where it was the server that failed.
pub(crate) fn code(error: &Error) -> Option<String> {
    error.as_database_error()?.code().map(Into::into)
}

/// An id, a version, a position or a stream is there already.
pub(crate) fn is_taken(error: &Error) -> bool {
    code(error).is_some_and(|code| code == "23505")
}

/// A table is not there.
pub(crate) fn is_missing_table(error: &Error) -> bool {
    code(error).is_some_and(|code| code == "42P01")
}

/// Something else rests on what should be dropped.
pub(crate) fn has_dependents(error: &Error) -> bool {
    code(error).is_some_and(|code| code == "2BP01")
}

/// What a projection wrote is refused for what it says: a value, a constraint, a size, a trigger of the author's. (A
/// server that has reached a limit of its own refuses the parking as well, so nothing is parked for that.)
pub(crate) fn is_refused(error: &Error) -> bool {
    code(error).is_some_and(|code| ["22", "23", "54", "P0"].iter().any(|class| code.starts_with(class)))
}

/// Somebody holds a lock for longer than we wait.
pub(crate) fn is_locked(error: &Error) -> bool {
    code(error).is_some_and(|code| code == "55P03")
}

/// An event stands at that position already; a stream is known by the position of its first event.
pub(crate) fn is_position_taken(error: &Error) -> bool {
    breaks(error, "log_pkey") || breaks(error, "streams_pkey")
}

/// A stream of that name is there already.
pub(crate) fn is_stream_taken(error: &Error) -> bool {
    breaks(error, "streams_name_key")
}

fn breaks(error: &Error, constraint: &str) -> bool {
    is_taken(error) && error.as_database_error().is_some_and(|error| error.constraint() == Some(constraint))
}

/// Of all that class 54 tells, what a text is refused for: its parts lie deeper in each other than the stack of the server.
const NESTED_TOO_DEEP: &str = "54001";

/// What was sent cannot be kept: one event of a batch spoils it all, so they are sent one by one.
pub(crate) fn is_about_data(error: &Error) -> bool {
    code(error).is_some_and(|code| code.starts_with("22") || code == NESTED_TOO_DEEP)
        || matches!(error, Error::Encode(_))
}

/// The connection is of no use any more.
pub(crate) fn is_lost(error: &Error) -> bool {
    match code(error) {
        Some(code) => ["08", "57P", "25P03", "25P04", STARTED_ANEW].iter().any(|lost| code.starts_with(lost)),
        None => matches!(
            error,
            Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed | Error::PoolClosed
        ),
    }
}

/// What to do about it.
pub(crate) fn next_step(error: &Error) -> &'static str {
    judge(error).1
}

/// Whether the same may succeed later, and what to do.
fn judge(error: &Error) -> (bool, &'static str) {
    let code = code(error).unwrap_or_default();
    match code.as_str() {
        "" if matches!(error, Error::InvalidArgument(_)) => (false, "give it another name"),
        "" if is_lost(error) => {
            (true, "the connection was lost: see that the server runs and can be reached")
        }
        "40001" | "40P01" => (true, "somebody else was in the way: try again"),
        "55P03" => (true, "somebody holds a lock for long: look at pg_stat_activity, or try again"),
        // Ended by the server while it stood still; 25P04 is the limit of whole transactions of newer ones.
        "25P03" | "25P04" => (true, "this process stood still for too long in a transaction: try again"),
        "57014" => (true, "it took too long: look at the load of the server, or try again"),
        "2BP01" => (false, "something of yours rests on it, such as a view: drop that, then try again"),
        "53300" => (true, "the server has no connection left: raise max_connections, or run fewer programs"),
        "53100" => (false, "the disk of the server is full: make room, then try again"),
        "25006" => (false, "the server is a standby or read-only: name the primary one"),
        "42501" => (false, "this user lacks the right: ask the owner of the schema for a role that has it"),
        "42P01" | "3F000" => (false, "tables are missing: see that the schema is the one that was opened"),
        STARTED_ANEW => (true, "the server was started anew: try again"),
        code if code.starts_with("08") || code.starts_with("57P") => {
            (true, "the server is going down or coming up: try again")
        }
        code if code.starts_with("53") => (true, "the server lacks resources: look at its log, or try again"),
        code if code.starts_with("22") || code == NESTED_TOO_DEEP => {
            (false, "the server cannot keep this text")
        }
        // For one the queue of notifications, which some program that stands still in a transaction keeps full.
        code if code.starts_with("54") => {
            (true, "the server has reached a limit of its own: look at its log, or try again")
        }
        _ => (false, "look at the server's log"),
    }
}
