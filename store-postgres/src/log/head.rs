//! The head of the log, and the task that hears of what other processes append.

use super::{
    Sql,
    listener::{LISTENING, Listener},
    notices::{Heard, NOTICE_EVERY, NOTICE_WAIT_MAX},
};
use crate::session::Connections;
use annals::{Position, StoreError};
use sqlx::{Error, Row};
use std::{io, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

/// How often the log is asked how far it is. Notifications come sooner; this is for those that do not come, because
/// the connection is down or a pooler stands in between.
pub const HEAD_POLL: Duration = Duration::from_secs(1);

/// The head of the log. Ends its task when dropped.
#[derive(Debug)]
pub(super) struct Head {
    sender: Arc<watch::Sender<Position>>,
    heard: Heard,
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
        let heard = Heard::default();
        let watcher = Watcher {
            connections,
            sql,
            channel,
            sender: sender.clone(),
            heard: heard.clone(),
            listening: Told::default(),
            looking: Told::default(),
            counting: Told::default(),
            count_at: Instant::now(),
        };
        Self { sender, heard, task: tokio::spawn(watcher.run()) }
    }

    pub(super) fn sender(&self) -> Arc<watch::Sender<Position>> {
        self.sender.clone()
    }

    /// How many notifications came.
    pub(super) fn heard(&self) -> Heard {
        self.heard.clone()
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
    /// Nobody else's. It asks one thing at a time, so there is never more than one.
    connections: Connections,
    sql: Arc<Sql>,
    channel: Option<String>,
    sender: Arc<watch::Sender<Position>>,
    heard: Heard,
    listening: Told,
    looking: Told,
    counting: Told,
    /// When it is counted next who listens.
    count_at: Instant,
}

/// Whether a failure was told already: once a failure, not once a second.
#[derive(Debug, Default)]
struct Told(bool);

/// How long beginning to listen may take: connecting, and saying so.
const LISTEN_WAIT_MAX: Duration = crate::CONNECT_WAIT_MAX.saturating_mul(2);

/// What was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    None,
    /// Of appends that we know of: we have appended behind them since.
    Known,
    /// That the log ends further on. Anybody may say so.
    Some,
    /// The connection is gone.
    Lost,
}

impl Watcher {
    async fn run(mut self) {
        let (mut listener, mut heard, mut look_at) = (None, News::None, Instant::now());
        loop {
            if let (None, Some(channel)) = (&listener, &self.channel) {
                let listening = self.listen(channel).await;
                listener = self.listening.note("listening for appends", listening);
                // Whatever was appended before is seen now, and the rest is heard.
                look_at = Instant::now();
            }
            if heard == News::Some || Instant::now() >= look_at {
                let before = *self.sender.borrow();
                let looked = self.look(before).await;
                let found = self.looking.note("asking for the head of the log", looked);
                // News that could not be followed are followed soon, once.
                let is_missed = found.is_none() && heard == News::Some;
                look_at = Instant::now() + if is_missed { NOTICE_WAIT_MAX } else { HEAD_POLL };
            }
            if Instant::now() >= self.count_at {
                // Whoever cannot be counted is told.
                let others = self.others(listener.as_ref()).await;
                self.heard.note_alone(self.counting.note("counting who listens", others) == Some(0));
                self.count_at = Instant::now() + HEAD_POLL;
            }
            // News are not followed faster than ours come: in many processes that append at once each hears of all.
            heard = match &mut listener {
                Some(listener) if matches!(heard, News::Some | News::Known) => {
                    self.hear(listener, Instant::now() + NOTICE_EVERY, false).await
                }
                Some(listener) => self.hear(listener, look_at, true).await,
                None => {
                    tokio::time::sleep_until(look_at).await;
                    News::None
                }
            };
            if heard == News::Lost {
                listener = None;
            }
        }
    }

    /// What comes until then, and no longer than until the first news if they are awaited `eagerly`.
    async fn hear(&mut self, listener: &mut Listener, until: Instant, eagerly: bool) -> News {
        let due = tokio::time::sleep_until(until);
        tokio::pin!(due);
        let mut furthest = None;
        loop {
            let notification = tokio::select! {
                () = &mut due => break,
                heard = listener.next() => heard,
            };
            let Some(notification) = notification else { return News::Lost };
            self.heard.one_more();
            if notification.payload() == LISTENING {
                self.count_at = Instant::now();
            }
            // A notification needs no right, so its head is only a hint, and one that is none is followed.
            let head = notification.payload().parse().unwrap_or(u64::MAX);
            if eagerly && !self.is_known(head) {
                return News::Some;
            }
            furthest = furthest.max(Some(head));
        }
        match furthest {
            None => News::None,
            Some(head) if self.is_known(head) => News::Known,
            Some(_) => News::Some,
        }
    }

    /// Whether we know that the log ends there, or further on.
    fn is_known(&self, head: u64) -> bool {
        Position::new(head) <= *self.sender.borrow()
    }

    async fn listen(&self, channel: &str) -> Result<Listener, StoreError> {
        let listening = Listener::begin(&self.connections.server, &self.sql, channel);
        // A server that lets us in and then says nothing must not hold up those who ask.
        tokio::time::timeout(LISTEN_WAIT_MAX, listening)
            .await
            .unwrap_or_else(|late| Err(Error::Io(io::Error::new(io::ErrorKind::TimedOut, late))))
            .map_err(|error| self.connections.failed("listening", error))
    }

    /// How many other stores listen.
    async fn others(&self, listener: Option<&Listener>) -> Result<i64, StoreError> {
        let rows = self.connections.rows("counting who listens", || self.sql.listeners.query()).await?;
        let all: i64 =
            rows[0].try_get(0).map_err(|error| self.connections.failed("counting who listens", error))?;
        Ok(all - i64::from(listener.is_some_and(|listener| listener.is_counted)))
    }

    /// Reads the head; `before` is what was told when that began.
    async fn look(&self, before: Position) -> Result<(), StoreError> {
        let rows = self.connections.rows("reading the head of the log", || self.sql.head.query()).await?;
        let head = rows[0].try_get(0).map_err(|error| self.connections.failed("reading the head", error))?;
        found(&self.sender, before, Position::from_i64(head));
        Ok(())
    }
}

impl Told {
    fn note<T>(&mut self, doing: &str, done: Result<T, StoreError>) -> Option<T> {
        match done {
            Ok(done) => {
                self.0 = false;
                Some(done)
            }
            Err(error) => {
                if !self.0 {
                    tracing::warn!(error = annals::error_text(&error), "{doing} failed; it is tried again");
                }
                self.0 = true;
                None
            }
        }
    }
}

/// Moves the head forward, never back: the writer and the watcher both tell it.
pub(super) fn tell(sender: &watch::Sender<Position>, head: Position) {
    sender.send_if_modified(|told| {
        let moved = head > *told;
        *told = head.max(*told);
        moved
    });
}

/// Tells a head that was read after `before` had been told, which was committed by then: a log that ends in front of
/// it was restored to an older state, and that is told too.
fn found(sender: &watch::Sender<Position>, before: Position, head: Position) {
    if head >= before {
        return tell(sender, head);
    }
    sender.send_if_modified(|told| {
        let is_as_before = *told == before;
        if is_as_before {
            tracing::warn!(%before, %head, "the log ends in front of where it ended: it was restored");
            *told = head;
        }
        is_as_before
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_moves_back_only_when_the_log_lost_its_end() {
        let (sender, at) = (watch::Sender::new(Position::new(10)), Position::new);
        let told = || sender.borrow().get();
        found(&sender, at(10), at(12));
        assert_eq!(told(), 12);
        // Read before the writer told of more.
        found(&sender, at(10), at(11));
        assert_eq!(told(), 12);
        tell(&sender, at(9));
        assert_eq!(told(), 12);
        found(&sender, at(12), at(7));
        assert_eq!(told(), 7);
        // The writer has told of more since: the next look tells.
        tell(&sender, at(8));
        found(&sender, at(7), at(6));
        assert_eq!(told(), 8);
    }
}
