//! C14: the head and its notifications.

use super::{
    harness::{EventStoreHarness, writers},
    making::{append_to, events, stream},
    reading::{WAIT_SECONDS_MAX, head_comes_to, log_page, page_of},
};
use crate::{EventStore, LogFilter, Position};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// C14: the head comes to every commit, for those who listened before and for those who come later; what lies up to
/// the head can be read.
pub async fn c14_the_head_comes_to_every_commit<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    assert_eq!(*store.head().borrow(), Position::START);
    let listening = store.head();
    for _ in 0..20 {
        let committed = append_to(store, &stream("order-1"), events(2)).await;
        head_comes_to(store, committed.position).await;
        assert_eq!(*listening.borrow(), committed.position);
        assert_eq!(*store.head().borrow(), committed.position);
    }
}

/// C14: whoever does nothing but wait for the head and read up to it misses no event, whoever writes.
pub async fn c14_the_head_loses_no_wake_up<H: EventStoreHarness>() {
    const WRITERS: usize = 8;
    const COMMITS: usize = 50;
    let harness = H::open().await;
    let stores = writers(&harness).await;
    let mut readers = JoinSet::new();
    for store in &stores {
        readers.spawn(wait_and_read(store.clone(), WRITERS * COMMITS));
    }
    let mut tasks = JoinSet::new();
    for (writer, store) in stores.iter().cycle().take(WRITERS).cloned().enumerate() {
        tasks.spawn(async move {
            for _ in 0..COMMITS {
                append_to(&*store, &stream(&format!("order-{writer}")), events(1)).await;
            }
        });
    }
    tasks.join_all().await;
    readers.join_all().await;
}

/// C14: what another writer commits is seen here too, without anything written here.
pub async fn c14_commits_of_others_are_seen<H: EventStoreHarness>() {
    let harness = H::open().await;
    let Some(other) = harness.second().await else {
        return super::super::promise::does_not_apply(
            "c14_commits_of_others_are_seen",
            "the store has no second writer",
        );
    };
    let store = harness.store();
    for (from, to) in [(&store, &other), (&other, &store), (&other, &store)] {
        let committed = append_to(&**from, &stream("order-1"), events(1)).await;
        head_comes_to(&**to, committed.position).await;
        head_comes_to(&**from, committed.position).await;
    }
}

/// Reads only when the head has moved, until it has seen `wanted` events. A head that moves back, or ahead of what
/// can be read, fails.
async fn wait_and_read(store: Arc<dyn EventStore>, wanted: usize) {
    let mut head = store.head();
    let (mut seen, mut after, mut told) = (0, Position::START, Position::START);
    while seen < wanted {
        let now = *head.borrow_and_update();
        assert!(now >= told, "the head went back from {told} to {now}");
        told = now;
        while after < now {
            let page = log_page(&*store, after, page_of(7), &LogFilter::all()).await;
            assert!(page.looked > after, "the head says {now}, but there is nothing to read behind {after}");
            seen += page.events.len();
            after = page.looked;
        }
        if seen < wanted {
            let changed = tokio::time::timeout(Duration::from_secs(WAIT_SECONDS_MAX), head.changed()).await;
            assert!(
                matches!(changed, Ok(Ok(()))),
                "a wake-up was lost: {seen} of {wanted} events were seen, the head was last {now}"
            );
        }
    }
}
