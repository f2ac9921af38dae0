//! A publisher that is watched: what it publishes is counted, and what will not pass by itself ends it.

use super::failing::lasts;
use crate::Progress;
use annals::{LogFilter, LogPage, PageLimit, Position, StoreError, Subscriber, SubscriberError, error_text};
use annals_kafka::{Publisher, TopicNames};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio_util::sync::CancellationToken;

/// How many records went to each topic.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts(Arc<Mutex<BTreeMap<String, u64>>>);

impl Counts {
    pub(super) fn get(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, page: &LogPage, topics: &TopicNames) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for event in &page.events {
            *counts.entry(topics.of(event.stream.category()).to_string()).or_default() += 1;
        }
    }
}

/// A publisher that is watched.
pub(super) struct Counting {
    pub(super) publisher: Publisher,
    pub(super) topics: TopicNames,
    pub(super) counts: Counts,
    pub(super) progress: Option<Progress>,
    /// Cancelled by a failure that will not pass by itself: whoever runs it then ends.
    pub(super) stop: CancellationToken,
}

impl Counting {
    /// Lets people see a failure, as `lag` does, and ends on one that will not pass by itself.
    async fn judge<T>(&mut self, outcome: Result<T, SubscriberError>) -> Result<T, SubscriberError> {
        if let Err(error) = &outcome
            && lasts(error)
        {
            if let Err(unreported) = self.publisher.report(Some(&error_text(error))).await {
                tracing::error!(error = %error_text(&unreported), "the failure was not recorded");
            }
            self.stop.cancel();
        }
        outcome
    }
}

#[async_trait]
impl Subscriber for Counting {
    fn name(&self) -> &str {
        self.publisher.name()
    }

    fn filter(&self) -> LogFilter {
        self.publisher.filter()
    }

    fn page_limit(&self) -> PageLimit {
        self.publisher.page_limit()
    }

    async fn begin(&mut self) -> Result<Position, SubscriberError> {
        let begun = self.publisher.begin().await;
        self.judge(begun).await
    }

    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        let handled = self.publisher.handle(page).await;
        self.judge(handled).await?;
        self.counts.add(page, &self.topics);
        if let Some(progress) = &self.progress {
            progress.at(page.looked.get(), page.head.get());
        }
        Ok(())
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        self.publisher.tend().await
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        self.publisher.end().await
    }

    async fn report(&mut self, failure: Option<&str>) -> Result<(), StoreError> {
        self.publisher.report(failure).await
    }
}
