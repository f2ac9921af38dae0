//! C10, C12: what others do to the database, and what is broken off.

use super::{
    super::promise::does_not_apply,
    harness::{EventStoreHarness, writers},
    making::{append, append_to, event, events, stream},
    reading::{WAIT_SECONDS_MAX, whole_log, whole_stream_behind_cuts},
};
use crate::{AppendError, Commit, EventStore, Expected, StreamId};
use std::{future::Future, sync::Arc, task::Poll, time::Duration};
use tokio::{sync::watch, task::JoinSet};

/// C10: an unrelated transaction that stays open in the same database delays no reader: what is appended beside it is
/// read at once.
pub async fn c10_an_unrelated_open_transaction_delays_no_reader<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    append_to(store, &stream("order-1"), events(1)).await;
    let Some(transaction) = harness.unrelated_transaction().await else {
        return does_not_apply(
            "c10_an_unrelated_open_transaction_delays_no_reader",
            "the store shares no database",
        );
    };
    let beside = async {
        append_to(store, &stream("order-1"), events(2)).await;
        whole_log(store).await.len()
    };
    let seen = tokio::time::timeout(Duration::from_secs(WAIT_SECONDS_MAX), beside).await;
    assert_eq!(seen, Ok(3), "readers wait for the unrelated transaction");
    drop(transaction);
}

/// How many commits are answered between two cuts. Not a time: on a busy machine connecting again could take longer
/// than that, and nothing would ever be answered.
const ANSWERED_BETWEEN_CUTS: usize = 8;

/// C12: an append whose connection is lost fails transiently, and sending the commit again until it is answered
/// leaves it once.
pub async fn c12_a_lost_connection_is_transient_and_the_repeat_is_safe<H: EventStoreHarness>() {
    const WRITERS: usize = 8;
    const COMMITS: usize = 40;
    let harness = H::open().await;
    // Before the first cut: what is being opened may fail of one.
    let writers = writers(&harness).await;
    if !harness.cut_connections().await {
        return does_not_apply(
            "c12_a_lost_connection_is_transient_and_the_repeat_is_safe",
            "there is no connection",
        );
    }
    let (answered, mut all_answered) = watch::channel(0);
    let mut tasks = JoinSet::new();
    for (writer, store) in writers.into_iter().cycle().take(WRITERS).enumerate() {
        let answered = answered.clone();
        tasks.spawn(async move {
            let mut lost = 0;
            for _ in 0..COMMITS {
                lost += send_until_answered(&*store, &stream(&format!("order-{writer}"))).await;
                answered.send_modify(|count| *count += 1);
            }
            lost
        });
    }
    drop(answered);
    let mut cut_at = 0;
    // Until all writers have ended, or one has failed.
    while all_answered.wait_for(|answered| *answered >= cut_at).await.is_ok() {
        harness.cut_connections().await;
        cut_at += ANSWERED_BETWEEN_CUTS;
    }
    let lost: usize = tasks.join_all().await.into_iter().sum();
    assert!(lost > 0, "no append was told that its connection is lost");
    for writer in 0..WRITERS {
        let stored = whole_stream_behind_cuts(&*harness.store(), &stream(&format!("order-{writer}"))).await;
        assert_eq!(stored.len(), 2 * COMMITS, "each commit is there once");
    }
}

/// Appends two events, sending the same commit again while the store fails transiently; how often it did.
async fn send_until_answered(store: &dyn EventStore, stream: &StreamId) -> usize {
    const ATTEMPTS_MAX: usize = 1_000;
    let commit = Commit::to(stream.clone(), Expected::Any, events(2));
    for lost in 0..ATTEMPTS_MAX {
        match store.append(commit.clone()).await {
            Ok(_) => return lost,
            Err(AppendError::Store(error)) if error.is_transient() => tokio::task::yield_now().await,
            Err(error) => panic!("expected a transient failure, got {error:?}"),
        }
    }
    panic!("{ATTEMPTS_MAX} attempts failed, the last ones long after the connection was cut");
}

/// An append whose caller does not wait for the answer leaves its commit whole or not at all, and can be sent again.
pub async fn an_append_that_nobody_waits_for_is_whole_or_not_there<H: EventStoreHarness>() {
    const APPENDS: u64 = 64;
    let harness = H::open().await;
    let store: Arc<dyn EventStore> = harness.store();
    let mut sent = Vec::new();
    for i in 0..APPENDS {
        let commit = Commit::to(stream("order-1"), Expected::Any, [event(i), event(i)]).and(
            stream(&format!("stock-{i}")),
            Expected::Any,
            [event(i)],
        );
        poll_some(store.append(commit.clone()), i % 4).await;
        sent.push(commit);
    }
    for (i, commit) in sent.into_iter().enumerate() {
        append(&*store, commit).await;
        assert_eq!(whole_stream_behind_cuts(&*store, &stream(&format!("stock-{i}"))).await.len(), 1);
    }
    assert_eq!(whole_stream_behind_cuts(&*store, &stream("order-1")).await.len() as u64, 2 * APPENDS);
    assert_eq!(whole_log(&*store).await.len() as u64, 3 * APPENDS);
}

/// Polls a future so many times at most, then drops it.
async fn poll_some<T>(future: impl Future<Output = T>, times: u64) {
    let mut future = std::pin::pin!(future);
    let mut left = times;
    std::future::poll_fn(|context| {
        if left == 0 || future.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
