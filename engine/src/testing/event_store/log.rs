//! C6, C7 and filters: reading the log.

use super::{
    harness::{EventStoreHarness, writers},
    making::{append_to, event, event_of, events, stream},
    racing::assert_versions,
    reading::{head_of, log_page, page_of, whole_log, whole_log_in},
};
use crate::{COMMIT_EVENTS_MAX, LOOKED_POSITIONS_MAX, LogFilter, PageLimit, Position, RecordedEvent, Source};
use tokio::task::JoinSet;

/// C6: a reader of a rare type makes progress over more positions than one call looks at, and misses nothing.
pub async fn c6_a_rare_type_makes_progress<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let common = stream("stock-hat");
    let rare = stream("acme/order-1");
    append_to(store, &rare, vec![event_of("Rare")]).await;
    for _ in 0..=LOOKED_POSITIONS_MAX / COMMIT_EVENTS_MAX as u64 {
        append_to(store, &common, events(COMMIT_EVENTS_MAX as u64)).await;
    }
    append_to(store, &rare, vec![event_of("Rare")]).await;
    let filters = [
        LogFilter::any_of([Source::all().types(["Rare"])]),
        LogFilter::any_of([Source::all().category("order")]),
        LogFilter::all().tenant("acme"),
    ];
    let calls_max = 10 + 2 * head_of(store).await.get() / LOOKED_POSITIONS_MAX;
    for filter in filters {
        let (mut found, mut after, mut calls) = (0, Position::START, 0);
        loop {
            let page = log_page(store, after, PageLimit::DEFAULT, &filter).await;
            let step = page.looked.since(after);
            assert!(
                !H::CONTIGUOUS_POSITIONS || step <= LOOKED_POSITIONS_MAX,
                "it looked at {step} positions in one call"
            );
            found += page.events.len();
            (after, calls) = (page.looked, calls + 1);
            if page.is_at_head() {
                break;
            }
            assert!(calls < calls_max, "after {calls} calls it has come to {after} only");
        }
        assert_eq!(found, 2, "{filter:?}");
    }
}

/// C6: pages of every size hold the same events, and a full page passes over nothing.
pub async fn c6_pages_of_every_size_hold_the_same<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    for i in 0..40 {
        append_to(store, &stream(&format!("order-{}", i % 7)), vec![event(i), event_of("Odd")]).await;
    }
    for filter in [LogFilter::all(), LogFilter::any_of([Source::all().types(["Odd"])])] {
        let whole = ids(&whole_log_in(store, PageLimit::MAX, &filter).await);
        for limit in [1, 2, 3, 39, 40, 41, 79, 80, 81] {
            assert_eq!(ids(&whole_log_in(store, page_of(limit), &filter).await), whole, "pages of {limit}");
        }
    }
}

/// C6: at the head there is nothing more; `looked` then stays, and later events come behind it.
pub async fn c6_at_the_head_a_page_is_empty<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let page = log_page(store, Position::START, PageLimit::DEFAULT, &LogFilter::all()).await;
    assert!(page.events.is_empty() && page.is_at_head());
    assert_eq!((page.looked, page.head), (Position::START, Position::START));
    let committed = append_to(store, &stream("order-1"), events(3)).await;
    let page = log_page(store, page.looked, page_of(3), &LogFilter::all()).await;
    assert_eq!((page.events.len(), page.looked, page.head), (3, committed.position, committed.position));
    assert!(page.is_at_head());
    let behind = log_page(store, page.looked, PageLimit::DEFAULT, &LogFilter::all()).await;
    assert!(behind.events.is_empty() && behind.is_at_head());
    assert_eq!(behind.looked, page.looked);
    // Past events that the filter leaves out, it comes to the head too.
    let none = LogFilter::any_of([Source::all().types(["Nothing"])]);
    let filtered = log_page(store, Position::START, PageLimit::ONE, &none).await;
    assert!(filtered.events.is_empty());
    assert_eq!(filtered.looked, committed.position);
    let beyond = log_page(store, page.head.plus(10), PageLimit::ONE, &LogFilter::all()).await;
    assert!(beyond.events.is_empty());
}

/// C7: within a stream, position order is version order, also when all write to it at once without expecting
/// anything.
pub async fn c7_position_order_is_version_order<H: EventStoreHarness>() {
    let harness = H::open().await;
    let mut tasks = JoinSet::new();
    for (writer, store) in writers(&harness).await.into_iter().cycle().take(32).enumerate() {
        tasks.spawn(async move {
            for i in 0..20 {
                append_to(&*store, &stream(&format!("order-{}", i % 2)), events(1 + (writer as u64 + i) % 2))
                    .await;
            }
        });
    }
    tasks.join_all().await;
    let log = whole_log(&*harness.store()).await;
    assert_eq!(log.len(), 32 * 20 * 3 / 2);
    assert_versions(&log);
}

/// A filter takes what it names by category, type and tenant, and nothing else.
pub async fn log_filters_take_what_they_name<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let names = ["order-1", "acme/order-1", "acme/stock-1", "acme_2/order-1", "order_line-1", "orderxline-1"];
    for name in names {
        append_to(store, &stream(name), ["Placed", "placed", "Pl%", "Shipped"].map(event_of).into()).await;
    }
    let all = whole_log(store).await;
    let category = |name: &'static str| Source::all().category(name);
    for filter in [
        LogFilter::all(),
        LogFilter::all().tenant("acme"),
        LogFilter::all().tenant("nobody"),
        LogFilter::any_of([category("order")]),
        LogFilter::any_of([category("order_line")]),
        LogFilter::any_of([category("nothing")]),
        LogFilter::any_of([Source::all().types(["Placed"])]),
        LogFilter::any_of([Source::all().types(["Pl%", "Shipped", "Unheard"])]),
        LogFilter::any_of([category("order").types(["Placed"]), category("stock").types(["Shipped"])]),
        LogFilter::any_of([category("order").types(["Placed"]), category("order")]).tenant("acme_2"),
        LogFilter::any_of([Source::all(), category("stock")]),
        LogFilter::any_of([category("order").types(Vec::<String>::new())]),
        LogFilter::any_of([]),
        LogFilter::any_of([]).tenant("acme"),
    ] {
        let wanted: Vec<_> = all.iter().filter(|event| filter.takes(event)).cloned().collect();
        for limit in [1, 5, 1_000] {
            let got = whole_log_in(store, page_of(limit), &filter).await;
            assert_eq!(ids(&got), ids(&wanted), "{filter:?} in pages of {limit}");
        }
    }
}

fn ids(events: &[RecordedEvent]) -> Vec<crate::EventId> {
    events.iter().map(|event| event.id).collect()
}
