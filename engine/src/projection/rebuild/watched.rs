//! A subscriber whose pages somebody watches.

use crate::{LogFilter, LogPage, Position, StoreError, Subscriber, SubscriberError};
use async_trait::async_trait;

/// Shows each page to whoever watches.
pub(super) struct Watched<'a> {
    pub(super) inner: Box<dyn Subscriber>,
    pub(super) progress: &'a mut (dyn FnMut(&LogPage) + Send),
    pub(super) events: u64,
}

#[async_trait]
impl Subscriber for Watched<'_> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn filter(&self) -> LogFilter {
        self.inner.filter()
    }

    async fn begin(&mut self) -> Result<Position, SubscriberError> {
        self.inner.begin().await
    }

    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        self.inner.handle(page).await?;
        self.events += page.events.len() as u64;
        (self.progress)(page);
        Ok(())
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        self.inner.tend().await
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        self.inner.end().await
    }

    async fn report(&mut self, failure: Option<&str>) -> Result<(), StoreError> {
        self.inner.report(failure).await
    }
}
