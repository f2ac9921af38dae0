//! `consume` fills read models from topics, as the log would have filled them.

use crate::{
    counters::{Shop, objects},
    program::{PATIENCE, Published},
    reading::Reading,
};
use annals::MemoryStore;
use annals_cli::{CliError, Stores};
use serde_json::{Value, json};
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether what is awaited is there.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// A service that has no log, and read models where `reading` has them.
pub(crate) fn service_of(reading: &Reading) -> Shop {
    Shop::on(Stores::of(Arc::new(MemoryStore::new()), reading.documents.clone()))
}

/// `consume` of what `log` publishes, with `more`.
pub(crate) fn line(log: &Published, more: &str) -> String {
    let Published { kafka, name, prefix, .. } = log;
    format!("consume --from {kafka} --group {name} --topic-prefix {prefix} {more}")
}

/// Consumes, which must succeed; what was done.
async fn consumed(shop: &Shop, log: &Published) -> Value {
    let mut told = shop.json(&line(log, "")).await;
    assert_eq!(told.len(), 1, "{told:?}");
    told.remove(0)
}

/// How far the group is behind, as `lag` tells it where there is no log.
fn behind(log: &Published, reading: &Reading) -> u64 {
    let asked = format!("lag --kafka {} --group {}-totals", log.kafka, log.name);
    let ran = reading.run_line(&asked);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told = objects(&ran.printed);
    assert_eq!(told.len(), 3, "a line for each partition: {told:?}");
    told.iter().map(|lag| lag["offsets_behind"].as_u64().unwrap()).sum()
}

/// Raises several counters, has the log's own read models follow, and publishes; how many events there are then.
pub(crate) async fn raised(log: &Published, by: u64) -> u64 {
    for key in ["a", "b", "c", "d", "e"] {
        log.shop.raise(key, by).await;
    }
    log.shop.drain().await;
    log.publish("--create-topics 3");
    log.shop.stores.head().await.unwrap().get()
}

/// How it was broken: without waiting for the checkpoints (in `Reading::all_handled`, whatever is behind taken for
/// nothing), it ends before anything is handled.
#[tokio::test(flavor = "multi_thread")]
async fn read_models_are_those_of_the_log_and_the_next_run_goes_on() {
    let Some(log) = Published::new().await else { return };
    let reading = Reading::of(&log, "counter");
    let shop = service_of(&reading);
    let mut before = 0;
    for by in 1..=3 {
        let events = raised(&log, by).await;
        if by > 1 {
            assert!(behind(&log, &reading) > 0, "round {by}");
        }
        let topic = format!("{}counter", log.prefix);
        let told = json!({
            "name": "totals", "group": format!("{}-totals", log.name), "topic": topic,
            "handled": events - before, "skipped": 0, "repeated": 0, "foreign": 0, "parked": 0,
        });
        assert_eq!(consumed(&shop, &log).await, told);
        assert_eq!(shop.json("query totals").await, log.shop.json("query totals").await);
        assert_eq!(behind(&log, &reading), 0, "round {by}");
        before = events;
    }
    assert_eq!(consumed(&shop, &log).await["handled"], 0);
    // The same for people.
    let (text, done) = shop.run(&line(&log, "totals")).await;
    done.unwrap();
    let titles = text.lines().next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(titles, "read model group topic handled skipped repeated foreign parked");
}

/// How it was broken: without `PartTask::begin_where_nothing_comes`, nothing comes, and it gives up after a minute.
#[tokio::test(flavor = "multi_thread")]
async fn read_models_that_were_thrown_away_are_filled_again_by_the_same_group() {
    let Some(log) = Published::new().await else { return };
    let events = raised(&log, 1).await;
    for _ in 0..2 {
        let reading = Reading::of(&log, "counter");
        let shop = service_of(&reading);
        assert_eq!(consumed(&shop, &log).await["handled"], events);
        assert_eq!(shop.json("query totals").await, log.shop.json("query totals").await);
    }
}

/// How it was broken: looked back into only where nothing was handled yet, it gives up after a minute.
#[tokio::test(flavor = "multi_thread")]
async fn read_models_that_were_put_back_from_a_copy_are_filled_up_by_the_same_group() {
    let Some(log) = Published::new().await else { return };
    let reading = Reading::of(&log, "counter");
    let before = raised(&log, 1).await;
    assert_eq!(consumed(&service_of(&reading), &log).await["handled"], before);
    let copy = reading.copy();
    let events = raised(&log, 2).await;
    assert_eq!(consumed(&service_of(&reading), &log).await["handled"], events - before);
    let shop = service_of(&copy);
    assert_eq!(consumed(&shop, &log).await["handled"], events - before);
    assert_eq!(shop.json("query totals").await, log.shop.json("query totals").await);
}

/// How it was broken: without `PartTask::begin_where_nothing_comes`.
#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_share_the_work_and_both_end_when_all_of_it_is_done() {
    let Some(log) = Published::new().await else { return };
    let mut before = 0;
    let reading = Reading::of(&log, "counter");
    let (one, other) = (service_of(&reading), service_of(&reading));
    for by in 1..=3 {
        let events = raised(&log, by).await;
        let both = async {
            let done = consumed(&one, &log).await;
            (done, one.json("query totals").await)
        };
        let ((done, seen), done_too) = tokio::join!(both, consumed(&other, &log));
        let handled = |done: &Value| done["handled"].as_u64().unwrap();
        assert_eq!(handled(&done) + handled(&done_too), events - before, "{done} {done_too}");
        assert_eq!(seen, log.shop.json("query totals").await);
        before = events;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_handles_what_comes_until_it_is_stopped() {
    let Some(log) = Published::new().await else { return };
    let mut events = raised(&log, 1).await;
    let reading = Reading::of(&log, "counter");
    let (shop, stop) = (service_of(&reading), CancellationToken::new());
    let following = line(&log, "--follow --json");
    let following = shop.run_until(&following, &stop);
    let watching = async {
        for by in 2..=4 {
            until_equal(&log, &shop).await;
            events = raised(&log, by).await;
        }
        until_equal(&log, &shop).await;
        stop.cancel();
    };
    let ((printed, done), ()) = tokio::join!(following, watching);
    done.unwrap();
    assert_eq!(objects(&printed)[0]["handled"], events);
    for info in annals::Checkpoints::subscribers(&*reading.documents).await.unwrap() {
        assert_eq!(info.holder, None, "its lease was given back: {info:?}");
    }
}

pub(crate) async fn until_equal(log: &Published, shop: &Shop) {
    let begun = Instant::now();
    loop {
        let (found, done) = shop.run("query totals --json").await;
        if done.is_ok() && objects(&found) == log.shop.json("query totals").await {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{found}");
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stopped_early_says_so_and_goes_on_later() {
    let Some(log) = Published::new().await else { return };
    let events = raised(&log, 1).await;
    let reading = Reading::of(&log, "counter");
    let (shop, stopped) = (service_of(&reading), CancellationToken::new());
    stopped.cancel();
    let (_, done) = shop.run_until(&line(&log, ""), &stopped).await;
    let error: CliError = done.unwrap_err();
    assert!(error.to_string().contains("stopped before everything was handled"), "{error}");
    assert_eq!(consumed(&shop, &log).await["handled"], events);
}

/// How it was broken: without a look at what was asked for (`Look::asked`), it ends with the events still parked.
#[tokio::test(flavor = "multi_thread")]
async fn poison_is_parked_and_the_next_run_handles_it_again_where_that_was_asked_for() {
    let Some(log) = Published::new().await else { return };
    for (key, by) in [("a", 1), ("a", 13), ("b", 5), ("a", 2)] {
        log.shop.raise(key, by).await;
    }
    log.publish("--create-topics 3");
    let reading = Reading::of(&log, "counter");
    let shop = service_of(&reading);
    let done = consumed(&shop, &log).await;
    assert_eq!((&done["handled"], &done["parked"]), (&json!(4), &json!(2)), "13 and what follows it");
    assert_eq!((reading.raises("a").await, reading.raises("b").await), (1, 1));

    let listed = reading.run_line(&format!("dead-letters list --kafka {}", log.kafka));
    assert_eq!((listed.code, objects(&listed.printed).len()), (Some(0), 2), "{listed:?}");
    let shown = reading.run_line(&format!("dead-letters show totals a --kafka {}", log.kafka));
    assert_eq!(objects(&shown.printed)[0]["event"]["payload"]["by"], 13, "{shown:?}");
    // Nobody runs it, so the request waits for the next run. Control: the reason is there still.
    for (mended, raises) in [(false, 1), (true, 3)] {
        shop.totals.mended.store(mended, Ordering::Relaxed);
        let asked = reading.run_line("dead-letters replay totals a");
        assert!(asked.code == Some(1) && asked.said.contains("no consumer runs it"), "{asked:?}");
        assert_eq!(consumed(&shop, &log).await["handled"], 0);
        assert_eq!(reading.raises("a").await, raises);
    }
    let listed = reading.run_line(&format!("dead-letters list --kafka {}", log.kafka));
    assert_eq!(objects(&listed.printed), Vec::<Value>::new());
}
