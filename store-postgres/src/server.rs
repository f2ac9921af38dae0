//! How a connection is made, and how long it may take over anything.

use crate::{PostgresOptions, ServerError, failure::code, session::Session};
use sqlx::{ConnectOptions, Connection, Error, PgConnection, postgres::PgConnectOptions};
use std::{io, sync::Arc, time::Duration};

/// How long connecting may take.
pub const CONNECT_WAIT_MAX: Duration = Duration::from_secs(4);

/// How long one statement may take; then the server ends it, and the error is transient.
pub const STATEMENT_WAIT_MAX: Duration = Duration::from_secs(60);

/// How long one statement waits for a lock that somebody else holds.
pub const LOCK_WAIT_MAX: Duration = Duration::from_secs(10);

/// How long a transaction of ours may stand still, because this process was stopped, before the server ends it.
pub const IDLE_IN_TRANSACTION_MAX: Duration = Duration::from_secs(10);

/// How many connections one store has at most for reading; further reads wait. The log has one more that appends, one
/// that listens and one that asks where it ends.
pub const CONNECTIONS_MAX: usize = 8;

/// What the server does not answer by then, it does not answer: the network is gone. The driver sets no keepalive on
/// its sockets, so that is how a connection is given up whose other end vanished without a word; one that lay idle is
/// given up when it is next used.
pub(crate) const ANSWER_MAX: Duration = STATEMENT_WAIT_MAX.saturating_add(Duration::from_secs(5));

/// How long a command may take that makes something of a size that nobody knows before, such as an index; and how long
/// comparing two generations may take.
pub const MAKING_WAIT_MAX: Duration = Duration::from_secs(4 * 3_600);

/// How long a SQL projection may take over one page, all its statements together.
pub const SQL_PAGE_WAIT_MAX: Duration = Duration::from_secs(300);

/// Said by every connection when it begins. A pooler refuses it, or leaves it out and is found out by that.
const DIRECT: &str = "annals.direct";

/// A server as this program knows it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) options: PostgresOptions,
    /// Its URL without secrets, for messages.
    pub(crate) place: Arc<str>,
    plans: Plans,
}

impl Server {
    pub(crate) fn of(options: &PostgresOptions) -> Self {
        Self { options: options.clone(), place: options.to_string().into(), plans: Plans::Any }
    }

    /// For statements of the log, each of which has an index.
    pub(crate) fn of_log(options: &PostgresOptions) -> Self {
        Self { plans: Plans::ByIndex, ..Self::of(options) }
    }

    /// A new connection, after a look at whether it leads to the server itself if the URL says so.
    pub(crate) async fn connect_first(&self) -> Result<Session, ServerError> {
        let failed = |source| match code(&source).as_deref() {
            // So pgbouncer tells everything that it does not like; the server itself only what breaks its protocol.
            Some("08P01") if self.options.prepares() => self.is_pooler(source.to_string()),
            _ => ServerError::of(&self.place, "connecting", source),
        };
        let mut session = self.connect().await.map_err(failed)?;
        if self.options.prepares() && !session.is_set(DIRECT).await.map_err(failed)? {
            return Err(self.is_pooler("it leaves out what is said at connecting".into()));
        }
        Ok(session)
    }

    /// A new connection.
    pub(crate) async fn connect(&self) -> Result<Session, Error> {
        let opened = async {
            let connection = PgConnection::connect_with(&self.connect_options()).await?;
            Ok(Session::of(connection, !self.options.prepares(), self.plans))
        };
        tokio::time::timeout(CONNECT_WAIT_MAX, opened).await.unwrap_or_else(|_| Err(timed_out()))
    }

    /// Nothing is logged: statements carry what the events say.
    pub(crate) fn connect_options(&self) -> PgConnectOptions {
        let options = self.options.connect.clone().disable_statement_logging();
        // Poolers refuse what they do not know when a session begins, and what is set would stay on a connection that
        // somebody else gets next.
        if self.options.prepares() {
            options.options(settings().chain(self.plans.settings()))
        } else {
            options.extra_float_digits(None).statement_cache_capacity(0)
        }
    }

    fn is_pooler(&self, said: String) -> ServerError {
        ServerError::Pooler { place: self.place.clone(), said }
    }
}

/// What a connection begins with, so that saying it costs no round trip; it counts for more than what the user or the
/// database is set to. One plan for all: those made while the tables were empty would scan them later. All statements
/// have an index. The append functions need to see what was committed before they got their lock, so nobody's default
/// isolation counts.
fn settings() -> impl Iterator<Item = (&'static str, String)> {
    let fixed = [
        ("plan_cache_mode", "force_generic_plan".into()),
        ("enable_seqscan", "off".into()),
        ("jit", "off".into()),
        ("default_transaction_isolation", "read committed".into()),
        (DIRECT, "on".into()),
    ];
    waits().into_iter().chain(fixed)
}

/// How long the server lets us take, as it counts: in milliseconds.
fn waits() -> [(&'static str, String); 3] {
    [
        ("statement_timeout", STATEMENT_WAIT_MAX),
        ("lock_timeout", LOCK_WAIT_MAX),
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_MAX),
    ]
    .map(|(name, wait)| (name, wait.as_millis().to_string()))
}

/// How the server is to carry out what it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plans {
    /// As it thinks best.
    Any,
    /// In the order of an index, row by row. Of a log that was just filled the server knows little: it took a page for
    /// one row, and sorted all that lies behind it, for each page.
    ByIndex,
}

impl Plans {
    fn settings(self) -> impl Iterator<Item = (&'static str, String)> {
        const OTHERS: [&str; 4] = ["enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "enable_sort"];
        let off = if self == Self::ByIndex { &OTHERS[..] } else { &[] };
        off.iter().map(|name| (*name, "off".to_string()))
    }
}

/// `begin`, and the same waits for that transaction alone, in one message: behind a pooler nothing could be said when
/// the session began.
pub(crate) fn begin_within_waits(begin: &str, plans: Plans) -> String {
    let said = waits().into_iter().chain(plans.settings());
    said.fold(begin.to_string(), |text, (name, value)| format!("{text}; SET LOCAL {name} = {value}"))
}

/// How long a lock is waited for, until the transaction ends.
pub(crate) fn lock_wait(wait: Duration) -> String {
    format!("SET LOCAL lock_timeout = {}", wait.as_millis())
}

pub(crate) fn timed_out() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"))
}
