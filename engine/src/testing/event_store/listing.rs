//! Listing streams.

use super::{
    harness::EventStoreHarness,
    making::{append_to, events, stream},
    names::hostile_keys,
    reading::{page_of, read},
};
use crate::{EventStore, PageLimit, StreamFilter, StreamId, StreamInfo, Version};

/// Streams are listed by tenant and category, each once with its version, in pages, ordered by the bytes of their
/// names.
pub async fn streams_are_listed_in_the_order_of_their_bytes_in_pages<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let categories = ["order", "order_line", "orderxline", "stock", "a", "z9"];
    let mut all: Vec<StreamId> = Vec::new();
    for (i, key) in hostile_keys().iter().enumerate() {
        let tenant = [None, Some("acme"), Some("acme_2"), Some("acmex2")][i % 4];
        for category in categories.iter().skip(i % 3).step_by(2) {
            all.push(StreamId::of(tenant, category, key).expect("a name"));
        }
    }
    for (i, stream) in all.iter().enumerate() {
        append_to(store, stream, events(1 + i as u64 % 3)).await;
    }
    let version = |stream: &StreamId| 1 + all.iter().position(|s| s == stream).unwrap_or(0) as u64 % 3;
    let mut sorted = all.clone();
    sorted.sort_by(|a, b| a.as_str().as_bytes().cmp(b.as_str().as_bytes()));
    let mut filters = vec![
        StreamFilter::all(),
        StreamFilter::all().tenant("nobody"),
        StreamFilter::all().category("nothing"),
        StreamFilter::all().category("acme"),
    ];
    for tenant in ["acme", "acme_2", "acmex2"] {
        filters.push(StreamFilter::all().tenant(tenant));
        filters.push(StreamFilter::all().tenant(tenant).category("order_line"));
    }
    filters.extend(categories.map(|category| StreamFilter::all().category(category)));
    for filter in filters {
        let wanted: Vec<_> = sorted
            .iter()
            .filter(|stream| filter.takes(stream))
            .map(|stream| StreamInfo::new(stream.clone(), Version::new(version(stream))))
            .collect();
        for limit in [1, 7, 10_000] {
            assert_eq!(list(store, &filter, page_of(limit)).await, wanted, "{filter:?} in pages of {limit}");
        }
    }
}

/// A listing goes on behind a name that no stream has.
pub async fn a_listing_goes_on_behind_a_name_that_is_none<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    for name in ["order-b", "order-d"] {
        append_to(store, &stream(name), events(1)).await;
    }
    for (after, wanted) in [
        ("acme/order-z", vec!["order-b", "order-d"]),
        ("order-a", vec!["order-b", "order-d"]),
        ("order-c", vec!["order-d"]),
        ("order-d", vec![]),
        ("order-e", vec![]),
    ] {
        let listed = read(store.streams(&StreamFilter::all(), Some(&stream(after)), PageLimit::MAX).await);
        let names: Vec<_> = listed.iter().map(|info| info.stream.as_str()).collect();
        assert_eq!(names, wanted, "behind {after}");
    }
}

async fn list(store: &dyn EventStore, filter: &StreamFilter, limit: PageLimit) -> Vec<StreamInfo> {
    let mut all: Vec<StreamInfo> = Vec::new();
    loop {
        let after = all.last().map(|info| info.stream.clone());
        let page = read(store.streams(filter, after.as_ref(), limit).await);
        assert!(page.len() <= limit.get());
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}
