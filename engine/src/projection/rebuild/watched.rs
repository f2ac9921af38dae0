//! A subscriber whose pages somebody watches.

use crate::{LogFilter, LogPage, PageLimit, Position, StoreError, Subscriber, SubscriberError};
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

    fn page_limit(&self) -> PageLimit {
        self.inner.page_limit()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Wants its events one by one.
    struct OneByOne;

    #[async_trait]
    impl Subscriber for OneByOne {
        fn name(&self) -> &str {
            "one-by-one"
        }

        fn filter(&self) -> LogFilter {
            LogFilter::all()
        }

        fn page_limit(&self) -> PageLimit {
            PageLimit::ONE
        }

        async fn begin(&mut self) -> Result<Position, SubscriberError> {
            Ok(Position::START)
        }

        async fn handle(&mut self, _: &LogPage) -> Result<(), SubscriberError> {
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

    /// Left to the trait's default, as it was, each page holds all three.
    #[tokio::test]
    async fn a_rebuild_gives_its_subscriber_no_more_at_once_than_it_wants() {
        let (store, _) = crate::fixture::shop();
        for order in 1..=3 {
            crate::fixture::place(&*store, order, &[("hat", 1)]).await;
        }
        let mut pages = vec![];
        let mut progress = |page: &LogPage| pages.push(page.events.len());
        let mut watched = Watched { inner: Box::new(OneByOne), progress: &mut progress, events: 0 };
        crate::catch_up(&*store, &mut watched).await.unwrap();
        assert_eq!(watched.events, 3);
        assert_eq!(pages, [1, 1, 1]);
    }
}
