//! The head of the log, and the task that hears of what other processes append.

use super::Sql;
use crate::{server::Server, session::Connections};
use annals::{Position, StoreError};
use sqlx::{
    Error, Row,
    postgres::{PgListener, PgPoolOptions},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle};

/// How often the log is asked how far it is. Notifications come sooner; this is for those that do not come, because
/// the connection is down or a pooler stands in between.
pub const HEAD_POLL: Duration = Duration::from_secs(1);

/// The head of the log. Ends its task when dropped.
#[derive(Debug)]
pub(super) struct Head {
    sender: Arc<watch::Sender<Position>>,
    task: JoinHandle<()>,
}

impl Head {
    /// Starts to listen on `channel`, where anything can be heard.
    pub(super) fn watching(
        connections: Connections,
        sql: Arc<Sql>,
        channel: Option<String>,
        head: Position,
    ) -> Self {
        let sender = Arc::new(watch::Sender::new(head));
        let watcher = Watcher { connections, sql, channel, sender: sender.clone(), failing: false };
        Self { sender, task: tokio::spawn(watcher.run()) }
    }

    pub(super) fn sender(&self) -> Arc<watch::Sender<Position>> {
        self.sender.clone()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Position> {
        self.sender.subscribe()
    }
}

impl Drop for Head {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Watcher {
    connections: Connections,
    sql: Arc<Sql>,
    channel: Option<String>,
    sender: Arc<watch::Sender<Position>>,
    failing: bool,
}

impl Watcher {
    async fn run(mut self) {
        let mut listener = None;
        loop {
            if let (None, Some(channel)) = (&listener, &self.channel) {
                let listening = self.listen(channel).await;
                listener = self.note("listening for appends", listening);
            }
            // After it began to listen: whatever was appended before is seen here, and the rest is heard.
            let looked = self.look().await;
            self.note("asking for the head of the log", looked);
            if !self.hear(&mut listener).await {
                listener = None;
            }
        }
    }

    /// Notifications, until the next look is due; false when the connection is lost.
    async fn hear(&self, listener: &mut Option<PgListener>) -> bool {
        let due = tokio::time::sleep(HEAD_POLL);
        tokio::pin!(due);
        let Some(listener) = listener else {
            due.await;
            return true;
        };
        loop {
            tokio::select! {
                () = &mut due => return true,
                heard = listener.try_recv() => match heard {
                    Ok(Some(heard)) => {
                        if let Ok(head) = heard.payload().parse() {
                            tell(&self.sender, Position::new(head));
                        }
                    }
                    Ok(None) | Err(_) => return false,
                },
            }
        }
    }

    async fn listen(&self, channel: &str) -> Result<PgListener, StoreError> {
        listen(&self.connections.server, channel)
            .await
            .map_err(|error| self.connections.failed("listening", error))
    }

    async fn look(&self) -> Result<(), StoreError> {
        let rows = self.connections.rows("reading the head of the log", || self.sql.head.query()).await?;
        let head = rows[0].try_get(0).map_err(|error| self.connections.failed("reading the head", error))?;
        tell(&self.sender, Position::from_i64(head));
        Ok(())
    }

    /// Once a failure, not once a second.
    fn note<T>(&mut self, doing: &str, done: Result<T, StoreError>) -> Option<T> {
        match done {
            Ok(done) => {
                self.failing = false;
                Some(done)
            }
            Err(error) => {
                if !self.failing {
                    tracing::warn!(error = annals::error_text(&error), "{doing} failed; it is tried again");
                }
                self.failing = true;
                None
            }
        }
    }
}

async fn listen(server: &Server, channel: &str) -> Result<PgListener, Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(crate::CONNECT_WAIT_MAX)
        .connect_lazy_with(server.connect_options());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(channel).await?;
    Ok(listener)
}

/// Moves the head forward, never back: the writer and the watcher both tell it.
pub(super) fn tell(sender: &watch::Sender<Position>, head: Position) {
    sender.send_if_modified(|told| {
        let moved = head > *told;
        *told = head.max(*told);
        moved
    });
}
