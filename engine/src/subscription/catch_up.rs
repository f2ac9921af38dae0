//! Read a page, handle it, and meanwhile read the next.

use crate::{EventStore, LogFilter, LogPage, PageLimit, Position, StoreError, Subscriber, SubscriberError};
use std::time::Duration;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

/// How often a subscriber that has nothing to read is tended.
pub const TEND_INTERVAL: Duration = Duration::from_secs(1);

/// Pages that a filter left empty move the checkpoint at most this often.
pub const EMPTY_PAGES_INTERVAL: Duration = Duration::from_secs(1);

/// Handles everything that is in the log now; gives the lease back and returns the position it has come to.
pub async fn catch_up(
    store: &dyn EventStore,
    subscriber: &mut dyn Subscriber,
) -> Result<Position, SubscriberError> {
    catch_up_to(store, subscriber, Position::new(u64::MAX)).await
}

/// Handles what is in the log now, up to and with `last` and nothing behind it.
pub async fn catch_up_to(
    store: &dyn EventStore,
    subscriber: &mut dyn Subscriber,
    last: Position,
) -> Result<Position, SubscriberError> {
    let never = CancellationToken::new();
    let outcome = async {
        let mut reading = Reading::begin(store, subscriber).await?;
        reading.last = last;
        reading.read_all(&never).await?;
        reading.settle().await?;
        reading.subscriber.report(None).await?;
        Ok(reading.at)
    }
    .await;
    end(subscriber, outcome).await
}

/// Handles what is in the log and whatever comes, until `stop` is cancelled: then the page in hand is finished,
/// the lease given back, and the position it has come to returned.
pub async fn follow(
    store: &dyn EventStore,
    subscriber: &mut dyn Subscriber,
    stop: &CancellationToken,
) -> Result<Position, SubscriberError> {
    let outcome = follow_until(store, subscriber, stop).await;
    end(subscriber, outcome).await
}

/// As [`follow`], without giving the lease back.
pub(super) async fn follow_until(
    store: &dyn EventStore,
    subscriber: &mut dyn Subscriber,
    stop: &CancellationToken,
) -> Result<Position, SubscriberError> {
    let mut head = store.head();
    let mut reading = Reading::begin(store, subscriber).await?;
    reading.tells_well = true;
    while !stop.is_cancelled() {
        // Seen before reading: what is told meanwhile wakes.
        head.mark_unchanged();
        let before = reading.at;
        reading.read_all(stop).await?;
        reading.tell_well().await?;
        reading.wait(&mut head, reading.at > before, stop).await?;
    }
    reading.settle().await?;
    Ok(reading.at)
}

/// Gives the lease back, unless it was lost; a failure of that is told only where nothing else failed before.
pub(super) async fn end(
    subscriber: &mut dyn Subscriber,
    outcome: Result<Position, SubscriberError>,
) -> Result<Position, SubscriberError> {
    let ended = subscriber.end().await;
    let at = outcome?;
    ended?;
    Ok(at)
}

/// A subscriber on its way through the log.
struct Reading<'a> {
    store: &'a dyn EventStore,
    subscriber: &'a mut dyn Subscriber,
    filter: LogFilter,
    limit: PageLimit,
    /// Everything up to here was read and handed over.
    at: Position,
    /// Not to be read past.
    last: Position,
    /// Empty pages that were not handed over yet, as one.
    empty: Option<LogPage>,
    handed_over: Instant,
    /// Whether it is still to be told that whatever was reported has passed.
    tells_well: bool,
}

impl<'a> Reading<'a> {
    async fn begin(
        store: &'a dyn EventStore,
        subscriber: &'a mut dyn Subscriber,
    ) -> Result<Reading<'a>, SubscriberError> {
        let at = subscriber.begin().await?;
        check_not_ahead(store, subscriber.name(), at).await?;
        let (filter, limit) = (subscriber.filter(), subscriber.page_limit());
        let last = Position::new(u64::MAX);
        let handed_over = Instant::now();
        Ok(Self { store, subscriber, filter, limit, at, last, empty: None, handed_over, tells_well: false })
    }

    /// Reads and hands over until nothing is left, or `stop` is cancelled.
    async fn read_all(&mut self, stop: &CancellationToken) -> Result<(), SubscriberError> {
        if self.at >= self.last {
            return Ok(());
        }
        let mut page = read(self.store, &self.filter, self.limit, self.at, self.last).await?;
        // Whatever was read when `stop` came is not begun: only the page in hand is finished.
        while page.looked > page.after && !stop.is_cancelled() {
            let done = page.is_at_head() || page.looked >= self.last;
            let looked = page.looked;
            if done {
                return self.hand_over(page).await;
            }
            // The next page is read while this one is handled, and asked for first: handling may keep this task busy.
            // Both are awaited to their end: a commit is never cancelled to stop a read.
            let (store, filter, limit, last) = (self.store, self.filter.clone(), self.limit, self.last);
            let (next, handled) =
                tokio::join!(read(store, &filter, limit, looked, last), self.hand_over(page));
            handled?;
            page = next?;
        }
        Ok(())
    }

    async fn hand_over(&mut self, mut page: LogPage) -> Result<(), SubscriberError> {
        self.at = page.looked;
        if let Some(empty) = self.empty.take() {
            page.after = empty.after;
        }
        if page.events.is_empty() && self.handed_over.elapsed() < EMPTY_PAGES_INTERVAL {
            self.tell_behind(page.head, page.looked);
            self.empty = Some(page);
            return Ok(());
        }
        // Told before as well: who cannot handle the page stays behind.
        self.tell_behind(page.head, page.after);
        self.handle(&page).await?;
        self.tell_behind(page.head, page.looked);
        self.handed_over = Instant::now();
        self.tell_well().await
    }

    /// Where one event cannot be handled, all before it is: the checkpoint comes to stand right in front of it.
    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        let mut handled = self.subscriber.handle(page).await;
        let before = |error: &SubscriberError, page: &LogPage| page.before(error.stops_at()?);
        let mut rest = handled.as_ref().err().and_then(|error| before(error, page));
        while let Some(page) = rest.take() {
            match self.subscriber.handle(&page).await {
                Ok(()) => self.tell_behind(page.head, page.looked),
                Err(error) => {
                    rest = before(&error, &page);
                    handled = Err(error);
                }
            }
        }
        handled
    }

    /// Whatever was reported has passed, also where a process that is gone reported it.
    async fn tell_well(&mut self) -> Result<(), SubscriberError> {
        if std::mem::take(&mut self.tells_well) {
            self.subscriber.report(None).await?;
        }
        Ok(())
    }

    /// How far `handled` lies behind the head, as far as that is known.
    fn tell_behind(&self, head: Position, handled: Position) {
        metrics::gauge!("annals_events_behind", "subscriber" => self.subscriber.name().to_string())
            .set(head.since(handled) as f64);
    }

    /// Hands over what the filter left empty, so that the checkpoint stands where reading has come to.
    async fn settle(&mut self) -> Result<(), SubscriberError> {
        if let Some(empty) = self.empty.take() {
            self.subscriber.handle(&empty).await?;
            self.handed_over = Instant::now();
        }
        Ok(())
    }

    /// Waits until the log has grown or it is time to stop, tending the subscriber meanwhile.
    ///
    /// A head that is ahead is believed while reading gets on. One that led to nothing is not: then only another one
    /// wakes, or the time to tend.
    async fn wait(
        &mut self,
        head: &mut watch::Receiver<Position>,
        got_on: bool,
        stop: &CancellationToken,
    ) -> Result<(), SubscriberError> {
        let at = self.at;
        loop {
            let moved = async {
                if !got_on {
                    head.changed().await?;
                }
                // Its guard is dropped at once: it would hold up the store.
                head.wait_for(|head| *head > at).await.map(drop)
            };
            let woken = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                moved = moved => Some(moved),
                () = tokio::time::sleep(TEND_INTERVAL) => None,
            };
            if let Some(moved) = woken {
                return Ok(
                    moved.map_err(|gone| StoreError::permanent("waiting, because it was closed", gone))?
                );
            }
            self.settle().await?;
            self.subscriber.tend().await?;
            let told = *head.borrow();
            if told != at {
                check_not_ahead(self.store, self.subscriber.name(), at).await?;
            }
            if told > at {
                return Ok(());
            }
        }
    }
}

/// A log that was restored to an earlier state, or taken for another, must not be followed from a place it has not.
async fn check_not_ahead(
    store: &dyn EventStore,
    subscriber: &str,
    at: Position,
) -> Result<(), SubscriberError> {
    // Asked of the log itself: what `head` tells of other processes may be a moment old.
    let head = store.read_log(at, PageLimit::ONE, &LogFilter::all()).await?.head;
    if at > head {
        return Err(SubscriberError::Ahead { subscriber: subscriber.to_string(), checkpoint: at, head });
    }
    Ok(())
}

async fn read(
    store: &dyn EventStore,
    filter: &LogFilter,
    limit: PageLimit,
    after: Position,
    last: Position,
) -> Result<LogPage, StoreError> {
    Ok(store.read_log(after, limit, filter).await?.up_to(last))
}
