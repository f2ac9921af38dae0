//! Reading one stream.

use super::{
    harness::EventStoreHarness,
    making::{append, append_to, at, events, stream},
    reading::{page_of, read, whole_stream},
};
use crate::{Commit, PageLimit, Version, VersionRange};

/// Any range of a stream reads in both directions, at most as many as asked for.
pub async fn a_stream_reads_in_ranges_forwards_and_backwards<H: EventStoreHarness>() {
    const LAST: u64 = 7;
    let harness = H::open().await;
    let store = &*harness.store();
    let (a, b) = (stream("order-a"), stream("order-b"));
    for version in 0..LAST {
        append(store, Commit::to(a.clone(), at(version), events(1))).await;
        append_to(store, &b, events(2)).await;
    }
    let ends = (0..=LAST + 1).chain([u64::MAX]);
    for (after, through) in ends.clone().flat_map(|after| ends.clone().map(move |through| (after, through))) {
        for limit in [1, 2, LAST, 1_000] {
            let range = VersionRange::after(Version::new(after)).through(Version::new(through));
            let wanted: Vec<u64> = (1..=LAST).filter(|v| after < *v && *v <= through).collect();
            let forwards: Vec<_> = wanted.iter().copied().take(limit as usize).collect();
            let backwards: Vec<_> = wanted.iter().rev().copied().take(limit as usize).collect();
            for (range, wanted) in [(range, forwards), (range.backwards(), backwards)] {
                let got = read(store.read(&a, range, page_of(limit)).await);
                let versions: Vec<_> = got.iter().map(|event| event.version.get()).collect();
                assert_eq!(versions, wanted, "{range:?}, at most {limit}");
                assert!(got.iter().all(|event| event.stream == a));
            }
        }
    }
}

/// A stream that does not exist is empty, in every range and direction.
pub async fn a_stream_that_does_not_exist_is_empty<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    append_to(store, &stream("order-a"), events(1)).await;
    for name in ["order-", "order-A", "acme/order-a", "orders-a"].map(|name| format!("{name}x")) {
        for range in [VersionRange::ALL, VersionRange::ALL.backwards(), VersionRange::after(Version::new(9))]
        {
            assert!(read(store.read(&stream(&name), range, PageLimit::MAX).await).is_empty(), "{name}");
        }
    }
}

/// A stream longer than the largest page reads in pages, and the largest page is given whole.
pub async fn a_stream_longer_than_a_page_reads_in_pages<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let a = stream("order-a");
    for _ in 0..=PageLimit::MAX.get() / 1_000 {
        append_to(store, &a, events(1_000)).await;
    }
    let page = read(store.read(&a, VersionRange::ALL, PageLimit::MAX).await);
    assert_eq!((page.len(), page[page.len() - 1].version), (10_000, Version::new(10_000)));
    let whole: Vec<_> = whole_stream(store, &a).await.iter().map(|event| event.version.get()).collect();
    assert_eq!(whole, (1..=11_000).collect::<Vec<_>>());
}
