//! Events that a read model refused.

use crate::counters::{Shop, keys, objects};
use annals_cli::Exit;
use serde_json::json;
use std::sync::{Arc, atomic::Ordering};
use tokio_util::sync::CancellationToken;

/// `a` and its mirror have two parked events each: 13, and what follows it.
async fn refused() -> Shop {
    let shop = Shop::new().await;
    for by in [1, 13, 2] {
        shop.raise("a", by).await;
    }
    shop.raise("b", 5).await;
    shop.drain().await;
    shop
}

#[tokio::test]
async fn parked_events_are_listed_and_shown_with_their_reason() {
    let shop = refused().await;
    let listed = shop.json("parked list").await;
    assert_eq!(
        keys(&listed[0]),
        ["attempts", "error", "generation", "key", "name", "parked_at", "position", "stream", "version"]
    );
    assert_eq!((&listed[0]["error"], &listed[1]["error"]), (&json!("13 is refused"), &json!("")));
    assert_eq!(listed.len(), 4);
    assert_eq!(shop.json("parked list totals").await, listed);
    let shown = shop.json("parked show totals a").await;
    assert_eq!((&shown[0]["event"]["payload"]["by"], shown.len()), (&json!(13), 2));
    let (text, _) = shop.run("parked show totals a").await;
    assert!(text.contains("13 is refused") && text.contains("follows it"), "{text}");
}

#[tokio::test]
async fn a_retry_succeeds_once_the_reason_is_mended() {
    let shop = refused().await;
    let (text, done) = shop.run("parked retry totals a --json").await;
    assert_eq!(done.unwrap_err().exit(), Exit::Failed);
    let left = objects(&text).remove(0);
    assert_eq!((&left["still_parked"], &left["error"]), (&json!(2), &json!("13 is refused")));
    shop.totals.mended.store(true, Ordering::Relaxed);
    let done = shop.json("parked retry totals a").await.remove(0);
    assert_eq!(
        done,
        json!({"name": "totals", "key": "a", "action": "retry", "still_parked": 0, "error": null})
    );
    assert_eq!(shop.json("query totals a").await[0]["total"], 16);
    // The lease was given back: the next runner need not wait.
    assert_eq!(shop.json("lag").await[0]["holder"], json!(null));
}

#[tokio::test]
async fn more_parked_events_than_a_page_are_retried_to_the_last() {
    let shop = Shop::new().await;
    shop.raise("all-a", 13).await;
    for _ in 0..2_100 {
        shop.raise("all-a", 1).await;
    }
    shop.drain().await;
    shop.totals.mended.store(true, Ordering::Relaxed);
    assert_eq!(shop.json("parked retry totals all-a").await[0]["still_parked"], 0);
    assert_eq!(shop.json("query totals all-a").await[0]["total"], 2_113);
}

#[tokio::test]
async fn a_discard_drops_the_first_event_only() {
    let shop = refused().await;
    let done = shop.json("parked discard totals a").await.remove(0);
    assert_eq!((&done["action"], &done["still_parked"]), (&json!("discard"), &json!(0)));
    assert_eq!(shop.json("query totals a").await[0]["total"], 3);
}

#[tokio::test]
async fn a_running_process_carries_the_request_out() {
    let shop = refused().await;
    let stop = CancellationToken::new();
    let runner = shop.service.runner(&shop.stores, &Arc::clone(&shop.engine));
    let running = tokio::spawn(runner.run(stop.clone()));
    // The runner has the leases once it has handled what came.
    shop.raise("b", 1).await;
    let head = shop.stores.head().await.unwrap();
    let patience = std::time::Duration::from_secs(20);
    annals::wait_for(&*shop.stores.documents, "totals", head, patience).await.unwrap();
    shop.totals.mended.store(true, Ordering::Relaxed);
    assert_eq!(shop.json("parked retry totals a").await[0]["still_parked"], 0);
    stop.cancel();
    running.await.unwrap();
    assert_eq!(shop.json("query totals a").await[0]["total"], 16);
}

#[tokio::test]
async fn what_is_not_parked_cannot_be_retried() {
    let shop = refused().await;
    for line in ["parked retry totals b", "parked discard totals nothing", "parked show totals b"] {
        let error = shop.run(line).await.1.unwrap_err();
        assert_eq!(error.exit(), Exit::Failed, "{line}");
        assert!(error.to_string().contains("no event is parked under"), "{error}");
    }
    let never = Shop::new().await;
    assert_eq!(never.run("parked retry totals a").await.1.unwrap_err().exit(), Exit::Failed);
    assert!(never.json("parked list").await.is_empty());
}
