use annals::{LogFilter, LogPage, Position, StoreError, Subscriber, SubscriberError};
use async_trait::async_trait;

/// A subscriber that does as little as one can: it counts events, from the beginning.
#[derive(Debug, Default)]
pub struct Counting {
    /// So many came.
    pub events: usize,
}

#[async_trait]
impl Subscriber for Counting {
    fn name(&self) -> &str {
        "counting"
    }

    fn filter(&self) -> LogFilter {
        LogFilter::all()
    }

    async fn begin(&mut self) -> Result<Position, SubscriberError> {
        Ok(Position::START)
    }

    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        self.events += page.events.len();
        Ok(())
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        Ok(())
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        Ok(())
    }

    async fn report(&mut self, _: Option<&str>) -> Result<(), StoreError> {
        Ok(())
    }
}
