//! Reading everything there is, and checking each page on the way.

use super::making::stream;
use crate::{
    EventStore, LogFilter, LogPage, PageLimit, Position, RecordedEvent, StoreError, StreamFilter, StreamId,
    VersionRange, error_text, retry,
};
use std::time::Duration;

/// How long something may take that should come at once, or within a poll, in seconds.
pub(super) const WAIT_SECONDS_MAX: u64 = 10;

/// A page of this many.
pub(super) fn page_of(number: u64) -> PageLimit {
    PageLimit::new(number).unwrap_or_else(|error| panic!("{error}"))
}

/// What a read answered, which must not fail.
pub(super) fn read<T>(answer: Result<T, StoreError>) -> T {
    answer.unwrap_or_else(|error| panic!("a read failed: {}", error_text(&error)))
}

/// All events of a stream, in pages of the default size.
pub(super) async fn whole_stream(store: &dyn EventStore, stream: &StreamId) -> Vec<RecordedEvent> {
    let pages = async |range| store.read(stream, range, PageLimit::DEFAULT).await;
    whole(pages).await
}

/// The same where connections were cut a moment ago: a pooler may still hand one out that is gone.
pub(super) async fn whole_stream_behind_cuts(
    store: &dyn EventStore,
    stream: &StreamId,
) -> Vec<RecordedEvent> {
    let pages = async |range| retry::transient(|| store.read(stream, range, PageLimit::DEFAULT)).await;
    whole(pages).await
}

async fn whole(
    pages: impl AsyncFn(VersionRange) -> Result<Vec<RecordedEvent>, StoreError>,
) -> Vec<RecordedEvent> {
    let (mut events, mut range): (Vec<RecordedEvent>, _) = (Vec::new(), VersionRange::ALL);
    loop {
        let page = read(pages(range).await);
        let Some(last) = page.last() else { return events };
        range = VersionRange::after(last.version);
        events.extend(page);
    }
}

/// One page of the log, checked for what holds of every page.
pub(super) async fn log_page(
    store: &dyn EventStore,
    after: Position,
    limit: PageLimit,
    filter: &LogFilter,
) -> LogPage {
    let page = read(store.read_log(after, limit, filter).await);
    assert_eq!(page.after, after, "a page says behind which position it lies");
    assert!(page.events.len() <= limit.get(), "a page holds {} of at most {limit:?}", page.events.len());
    assert!(page.looked >= after, "it looked up to {}, which lies before {after}", page.looked);
    let mut last = after;
    for event in &page.events {
        assert!(event.position > last, "position {} follows {last} in a page", event.position);
        assert!(filter.takes(event), "{} in {} is not what was asked for", event.event_type, event.stream);
        last = event.position;
    }
    assert!(last <= page.looked, "it gave position {last} but looked only up to {}", page.looked);
    assert!(page.looked > after || page.is_at_head(), "it looked at nothing, but is not at the head");
    page
}

/// What `filter` takes of the whole log, in pages of `limit`.
pub(super) async fn whole_log_in(
    store: &dyn EventStore,
    limit: PageLimit,
    filter: &LogFilter,
) -> Vec<RecordedEvent> {
    let (mut events, mut after) = (Vec::new(), Position::START);
    loop {
        let page = log_page(store, after, limit, filter).await;
        after = page.looked;
        let at_head = page.is_at_head();
        events.extend(page.events);
        if at_head {
            return events;
        }
    }
}

/// The whole log.
pub(super) async fn whole_log(store: &dyn EventStore) -> Vec<RecordedEvent> {
    whole_log_in(store, PageLimit::DEFAULT, &LogFilter::all()).await
}

/// The head of the log as a reader sees it, which may be ahead of the notifications.
pub(super) async fn head_of(store: &dyn EventStore) -> Position {
    read(store.read_log(Position::START, PageLimit::ONE, &LogFilter::all()).await).head
}

/// Waits until the notifications have come to `position`.
pub(super) async fn head_comes_to(store: &dyn EventStore, position: Position) {
    let mut head = store.head();
    let bound = Duration::from_secs(WAIT_SECONDS_MAX);
    match tokio::time::timeout(bound, head.wait_for(|head| *head >= position)).await {
        Ok(Ok(_)) => {}
        Ok(Err(closed)) => panic!("the store closed its notifications: {closed}"),
        Err(_) => panic!("the head did not come to {position} within {WAIT_SECONDS_MAX} s"),
    }
}

/// Asserts that a store holds no event and no stream.
pub(super) async fn assert_empty(store: &dyn EventStore) {
    let log = whole_log(store).await;
    assert!(log.is_empty(), "nothing was to be left, but the log holds {log:?}");
    let streams = read(store.streams(&StreamFilter::all(), None, PageLimit::DEFAULT).await);
    assert!(streams.is_empty(), "nothing was to be left, but there is {streams:?}");
    let counted = whole_stream(store, &stream("order-1")).await;
    assert!(counted.is_empty(), "nothing was to be left, but order-1 holds {counted:?}");
}
