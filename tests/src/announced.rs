//! A subscriber that says aloud where it stands.

use crate::Report;
use annals::{
    CheckpointError, LeaseError, LogFilter, LogPage, PageLimit, Position, StoreError, Subscriber,
    SubscriberError, error_text,
};
use async_trait::async_trait;

/// The subscriber behind it, telling a [`Report`] when it begins, has handled a page, or fails.
pub struct Announced {
    /// Who does the work.
    pub subscriber: Box<dyn Subscriber>,
    /// Where to stop for ever, so that the process can be killed there.
    pub hold: Option<Hold>,
}

/// A step of handling a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Hold {
    /// The page was read, and nothing of it is written.
    Before,
    /// The page is written and committed, and nobody was told.
    After,
}

impl Announced {
    async fn hold_at(&mut self, step: Hold, page: &LogPage) {
        if self.hold == Some(step) && !page.events.is_empty() {
            Report::Holding { subscriber: self.subscriber.name().into(), at: page.looked }.tell();
            std::future::pending::<()>().await;
        }
    }

    fn told<T>(&self, doing: &str, outcome: Result<T, SubscriberError>) -> Result<T, SubscriberError> {
        let subscriber = || self.subscriber.name().to_string();
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
        self.subscriber.name()
    }

    fn filter(&self) -> LogFilter {
        self.subscriber.filter()
    }

    fn page_limit(&self) -> PageLimit {
        self.subscriber.page_limit()
    }

    async fn begin(&mut self) -> Result<Position, SubscriberError> {
        let begun = self.subscriber.begin().await;
        let at = self.told("begin", begun)?;
        Report::Began { subscriber: self.name().into(), at }.tell();
        Ok(at)
    }

    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        self.hold_at(Hold::Before, page).await;
        let handled = self.subscriber.handle(page).await;
        self.hold_at(Hold::After, page).await;
        self.told("handle", handled)?;
        Report::Handled { subscriber: self.name().into(), at: page.looked }.tell();
        Ok(())
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        let tended = self.subscriber.tend().await;
        self.told("tend", tended)
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        let ended = self.subscriber.end().await;
        self.told("end", ended)
    }

    async fn report(&mut self, failure: Option<&str>) -> Result<(), StoreError> {
        self.subscriber.report(failure).await
    }
}
