//! How a connection is made, and how long it may take over anything.

use crate::{PostgresOptions, session::Session};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Error, PgConnection, postgres::PgConnectOptions};
use std::{io, sync::Arc, time::Duration};

/// How long connecting may take.
pub const CONNECT_WAIT_MAX: Duration = Duration::from_secs(5);

/// How long one statement may take; then the server ends it, and the error is transient.
pub const STATEMENT_WAIT_MAX: Duration = Duration::from_secs(60);

/// How long one statement waits for a lock that somebody else holds.
pub const LOCK_WAIT_MAX: Duration = Duration::from_secs(10);

/// How long a transaction of ours may stand still, because this process was stopped, before the server ends it.
pub const IDLE_IN_TRANSACTION_MAX: Duration = Duration::from_secs(10);

/// How many connections one store has at most for reading; further reads wait. The log has one more that appends and
/// one that listens.
pub const CONNECTIONS_MAX: usize = 8;

/// What the server does not answer by then, it does not answer: the network is gone.
pub(crate) const ANSWER_MAX: Duration = STATEMENT_WAIT_MAX.saturating_add(Duration::from_secs(5));

/// A server as this program knows it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) options: PostgresOptions,
    /// Its URL without secrets, for messages.
    pub(crate) place: Arc<str>,
    settings: String,
}

impl Server {
    pub(crate) fn of(options: &PostgresOptions) -> Self {
        let place = options.to_string().into();
        Self { options: options.clone(), place, settings: settings() }
    }

    /// A new connection.
    pub(crate) async fn connect(&self) -> Result<Session, Error> {
        let pooled = !self.options.prepares();
        let opened = async {
            let mut connection = PgConnection::connect_with(&self.connect_options()).await?;
            // Behind a pooler they would stay on a connection that somebody else gets next.
            if !pooled {
                sqlx::raw_sql(AssertSqlSafe(self.settings.clone())).execute(&mut connection).await?;
            }
            Ok(Session::of(connection, pooled))
        };
        tokio::time::timeout(CONNECT_WAIT_MAX, opened).await.unwrap_or_else(|_| Err(timed_out()))
    }

    /// Nothing is logged: statements carry what the events say.
    pub(crate) fn connect_options(&self) -> PgConnectOptions {
        let options = self.options.connect.clone().disable_statement_logging();
        // Poolers refuse what they do not know when a session begins.
        if self.options.prepares() {
            options
        } else {
            options.extra_float_digits(None).statement_cache_capacity(0)
        }
    }
}

/// One plan for all: those made while the tables were empty would scan them later. All statements have an index. The
/// append functions need to see what was committed before they got their lock, so nobody's default isolation counts.
fn settings() -> String {
    format!(
        "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; \
         SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off; \
         SET default_transaction_isolation = 'read committed'",
        STATEMENT_WAIT_MAX.as_millis(),
        LOCK_WAIT_MAX.as_millis(),
        IDLE_IN_TRANSACTION_MAX.as_millis(),
    )
}

pub(crate) fn timed_out() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"))
}
