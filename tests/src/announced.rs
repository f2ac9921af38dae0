//! A subscriber that says aloud where it stands.

use crate::Report;
use annals::{
    CheckpointError, LeaseError, LogFilter, LogPage, Position, StoreError, Subscriber, SubscriberError,
    error_text,
};
use async_trait::async_trait;

/// The subscriber behind it, telling a [`Report`] when it begins, has handled a page, or fails.
pub struct Announced(pub Box<dyn Subscriber>);

impl Announced {
    fn told<T>(&self, doing: &str, outcome: Result<T, SubscriberError>) -> Result<T, SubscriberError> {
        let subscriber = || self.0.name().to_string();
        outcome.inspect_err(|error| {
            match error {
                SubscriberError::Lease(LeaseError::Held { holder, remaining_ms, .. }) => Report::StandsBy {
                    subscriber: subscriber(),
                    holder: holder.clone(),
                    remaining_ms: *remaining_ms,
                },
                SubscriberError::Checkpoint(CheckpointError::Fenced { .. }) => {
                    Report::Fenced { subscriber: subscriber(), doing: doing.into() }
                }
                error => {
                    Report::Failed { what: format!("{} {doing}", subscriber()), error: error_text(error) }
                }
            }
            .tell();
        })
    }
}

#[async_trait]
impl Subscriber for Announced {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn filter(&self) -> LogFilter {
        self.0.filter()
    }

    async fn begin(&mut self) -> Result<Position, SubscriberError> {
        let begun = self.0.begin().await;
        let at = self.told("begin", begun)?;
        Report::Began { subscriber: self.name().into(), at }.tell();
        Ok(at)
    }

    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        let handled = self.0.handle(page).await;
        self.told("handle", handled)?;
        Report::Handled { subscriber: self.name().into(), at: page.looked }.tell();
        Ok(())
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        let tended = self.0.tend().await;
        self.told("tend", tended)
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        let ended = self.0.end().await;
        self.told("end", ended)
    }

    async fn report(&mut self, failure: Option<&str>) -> Result<(), StoreError> {
        self.0.report(failure).await
    }
}
