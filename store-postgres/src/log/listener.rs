//! A session that hears of what others append, and can be counted by them.

use super::{Sql, notices::NOTICE_WAIT_MAX};
use crate::server::Server;
use sqlx::{
    Error, Row,
    postgres::{PgListener, PgNotification, PgPoolOptions},
};

/// What a notification says with which somebody begins to listen. Whoever does not know that takes it for news.
pub(super) const LISTENING: &str = "listening";

/// A session that listens.
pub(super) struct Listener {
    session: PgListener,
    /// Others count it.
    pub(super) is_counted: bool,
}

impl Listener {
    /// Listens on `channel`, and lets others count it if that can be.
    pub(super) async fn begin(server: &Server, sql: &Sql, channel: &str) -> Result<Self, Error> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(crate::CONNECT_WAIT_MAX)
            .connect_lazy_with(server.connect_options());
        let mut session = PgListener::connect_with(&pool).await?;
        // It would listen again by itself and say so to nobody.
        session.eager_reconnect(false);
        session.listen(channel).await?;
        let said = sql.listens.query().bind(LISTENING).fetch_one(&mut session).await;
        let is_counted = said.and_then(|row| row.try_get(0)).unwrap_or_else(|error| {
            tracing::warn!(
                error = annals::error_text(&error),
                "other stores may take up to {NOTICE_WAIT_MAX:?} to tell this one of an append, because it cannot say \
                 that it listens; let its user call pg_try_advisory_lock_shared and pg_notify"
            );
            false
        });
        Ok(Self { session, is_counted })
    }

    /// The next that comes; none when the connection is lost. Not begun anew by being broken off: nothing is lost.
    pub(super) async fn next(&mut self) -> Option<PgNotification> {
        self.session.try_recv().await.ok().flatten()
    }
}
