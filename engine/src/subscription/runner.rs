//! Follows with several subscribers at once.

use super::supervise::supervise;
use crate::{EventStore, Position, Subscriber, SubscriberError};
use std::{fmt, sync::Arc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Follows the log with several subscribers, each in a task of its own, until it is stopped.
///
/// A subscriber that fails is reported, and tried again with growing waits: see
/// [`RESTART_FIRST`](crate::RESTART_FIRST) and [`RESTART_MAX`](crate::RESTART_MAX). One whose lease another process
/// holds stands by.
pub struct Runner {
    store: Arc<dyn EventStore>,
    subscribers: Vec<Box<dyn Subscriber>>,
}

/// How a subscriber ended after the runner was stopped.
#[derive(Debug)]
pub struct Ended {
    /// Its name.
    pub subscriber: String,
    /// Where it had come to, or what it failed with last.
    pub outcome: Result<Position, SubscriberError>,
}

impl Runner {
    /// A runner without subscribers.
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self { store, subscribers: vec![] }
    }

    /// Follows with this subscriber too.
    #[must_use]
    pub fn with(mut self, subscriber: impl Subscriber + 'static) -> Self {
        self.subscribers.push(Box::new(subscriber));
        self
    }

    /// Follows with these subscribers too.
    #[must_use]
    pub fn with_all(mut self, subscribers: impl IntoIterator<Item = Box<dyn Subscriber>>) -> Self {
        self.subscribers.extend(subscribers);
        self
    }

    /// Runs until `stop` is cancelled and every subscriber has finished the page in hand; says how each ended.
    ///
    /// # Panics
    /// When code of a subscriber panicked: the others are stopped first.
    pub async fn run(self, stop: CancellationToken) -> Vec<Ended> {
        let mut tasks = JoinSet::new();
        for mut subscriber in self.subscribers {
            let (store, stop) = (self.store.clone(), stop.clone());
            tasks.spawn(async move {
                let outcome = supervise(&*store, subscriber.as_mut(), &stop).await;
                Ended { subscriber: subscriber.name().to_string(), outcome }
            });
        }
        let (mut ended, mut panicked) = (vec![], None);
        while let Some(task) = tasks.join_next().await {
            match task {
                Ok(end) => ended.push(end),
                Err(error) => {
                    stop.cancel();
                    panicked = panicked.or(error.try_into_panic().ok());
                }
            }
        }
        if let Some(panic) = panicked {
            std::panic::resume_unwind(panic);
        }
        ended
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.subscribers.iter().map(|subscriber| subscriber.name())).finish()
    }
}
