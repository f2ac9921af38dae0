//! What a consumer could not handle is listed, shown, and handled again after the mending, by the consumer that runs.

use crate::{
    counters::{Shop, keys, objects},
    program::{PATIENCE, Published, Ran},
    reading::{Consuming, Reading},
};
use annals::{Commit, EventData, EventId, Expected, Json};
use annals_cli::Stores;
use serde_json::{Value, json};
use std::{sync::atomic::Ordering, time::Instant};

/// `a` has two parked events, 13 and what follows it; `c` has one; `b` has none.
async fn refused() -> Option<(Published, Reading, Consuming)> {
    let log = Published::new().await?;
    for (key, by) in [("a", 1), ("a", 13), ("b", 5), ("c", 13), ("a", 2)] {
        log.shop.raise(key, by).await;
    }
    log.publish("--create-topics 2");
    let reading = Reading::of(&log, "counter");
    let consuming = reading.run();
    reading.until_parked(3).await;
    reading.until_raised("b", 1).await;
    Some((log, reading, consuming))
}

fn printed(ran: &Ran) -> Vec<Value> {
    assert_eq!((ran.code, &*ran.said), (Some(0), ""), "{ran:?}");
    objects(&ran.printed)
}

fn error(ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(1), "{ran:?}");
    objects(ran.said.lines().last().unwrap()).remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dead_letters_are_listed_and_shown_with_where_they_are_kept() {
    let Some((log, reading, consuming)) = refused().await else { return };
    // Nobody need run.
    consuming.stop().await;
    let listed = printed(&reading.run_line(&format!("dead-letters list --kafka {}", log.kafka)));
    assert_eq!(
        keys(&listed[0]),
        [
            "attempts",
            "copies",
            "error",
            "from",
            "generation",
            "key",
            "name",
            "parked_at",
            "position",
            "stream",
            "type",
            "version"
        ]
    );
    let told: Vec<_> = listed.iter().map(|it| (&it["key"], &it["error"], &it["type"])).collect();
    let (refused, follows) = (json!("13 is refused"), json!(""));
    let (a, c, raised) = (json!("a"), json!("c"), json!("Raised"));
    assert_eq!(told, [(&a, &refused, &raised), (&a, &follows, &raised), (&c, &refused, &raised)]);
    let topic = format!("{}counter", log.prefix);
    for entry in &listed {
        assert_eq!((&entry["from"]["topic"], &entry["name"]), (&json!(topic), &json!("totals")));
        let copies = entry["copies"].as_array().unwrap();
        assert!(copies.len() == 1 && copies[0]["topic"] == json!(format!("{topic}.dlt")), "{entry}");
    }
    let one = format!("dead-letters list totals --kafka {}", log.kafka);
    assert_eq!(printed(&reading.run_line(&one)), listed);

    let shown = printed(&reading.run_line(&format!("dead-letters show totals a --kafka {}", log.kafka)));
    let payloads: Vec<_> = shown.iter().map(|it| it["event"]["payload"]["by"].clone()).collect();
    assert_eq!(payloads, [13, 2]);
    let headers = &shown[0]["headers"];
    assert_eq!((&headers["dlt-error"], &headers["dlt-topic"]), (&refused, &json!(topic)));
    assert_eq!((&headers["event-type"], &headers["stream"]), (&raised, &json!("counter-a")));
    let text = reading.text(&format!("dead-letters list --kafka {}", log.kafka));
    assert!(text.contains("follows it") && text.contains(&format!("{topic} ")), "{text}");
    let text = reading.text(&format!("dead-letters show totals a --kafka {}", log.kafka));
    assert!(
        text.contains("13 is refused (tried") && text.contains(&format!("kept in {topic}.dlt ")),
        "{text}"
    );
    assert!(text.contains("dlt-error: 13 is refused"), "{text}");
    // Control: a key, or a read model, with nothing parked.
    for (line, reason) in [("totals b", "no event is parked under"), ("sales a", "no consumer has filled")] {
        let ran = reading.run_line(&format!("dead-letters show {line} --kafka {}", log.kafka));
        assert!(error(&ran)["reason"].as_str().unwrap().contains(reason), "{ran:?}");
    }
}

/// Broken on purpose, and seen to fail this: an answer as soon as the request is made.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_running_consumer_handles_them_again_once_the_reason_is_mended() {
    let Some((log, reading, consuming)) = refused().await else { return };
    let early = reading.run_line("dead-letters replay totals a");
    let told = objects(&early.printed).remove(0);
    assert_eq!(
        told,
        json!({"name": "totals", "key": "a", "action": "replay", "still_parked": 2, "error": "13 is refused"})
    );
    assert!(error(&early)["next"].as_str().unwrap().contains("dead-letters discard"), "{early:?}");
    let both = reading.run_line("dead-letters replay --all");
    assert_eq!(objects(&both.printed).len(), 2);
    assert!(error(&both)["reason"].as_str().unwrap().contains("2 keys are refused again"), "{both:?}");

    reading.totals.mended.store(true, Ordering::Relaxed);
    let done = objects(&reading.run_line("dead-letters replay totals a c").printed);
    assert_eq!(done.len(), 2, "{done:?}");
    // The part of another partition may still be busy with what was asked before, and answers that it is refused.
    let begun = Instant::now();
    while reading.run_line("dead-letters replay --all").code != Some(0) {
        assert!(begun.elapsed() < PATIENCE, "{done:?}");
    }
    let (a, c) = (reading.document("a").await.unwrap(), reading.document("c").await.unwrap());
    assert_eq!((&a["total"], &c["total"]), (&json!(16), &json!(13)));
    let listing = format!("dead-letters list --kafka {}", log.kafka);
    assert_eq!(printed(&reading.run_line(&listing)), Vec::<Value>::new());
    let nothing = reading.run_line("dead-letters replay totals a");
    assert!(error(&nothing)["reason"].as_str().unwrap().contains("no event is parked"), "{nothing:?}");
    assert_eq!(reading.run_line("dead-letters replay --all").code, Some(0));
    consuming.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_a_consumer_the_request_waits_for_one() {
    let Some((_log, reading, consuming)) = refused().await else { return };
    consuming.stop().await;
    let ran = reading.run_line("dead-letters replay totals --all");
    let error = error(&ran);
    assert!(error["reason"].as_str().unwrap().contains("no consumer runs it"), "{error}");
    assert!(error["next"].as_str().unwrap().contains("start its consumer"), "{error}");
    reading.totals.mended.store(true, Ordering::Relaxed);
    let consuming = reading.run();
    reading.until_parked(0).await;
    assert_eq!(reading.document("a").await.unwrap()["total"], 16);
    consuming.stop().await;
}

/// Broken on purpose, and seen to fail this: `parked` that asks the log for whatever is parked.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_discard_drops_the_first_only_and_a_log_is_not_asked_for_it() {
    let Some((log, reading, consuming)) = refused().await else { return };
    // The events are in this log, but it is not the one that is asked for what a consumer has parked.
    let here = Shop::on(Stores::of(log.shop.stores.store.clone(), reading.documents.clone()));
    for line in ["parked retry totals a", "parked discard totals a", "parked show totals a"] {
        let error = here.run(line).await.1.unwrap_err().to_string();
        assert!(error.contains("a consumer of Kafka fills it"), "{line}: {error}");
    }
    let done = printed(&reading.run_line("dead-letters discard totals a")).remove(0);
    assert_eq!((&done["action"], &done["still_parked"]), (&json!("discard"), &json!(0)));
    assert_eq!(reading.document("a").await.unwrap()["total"], 3);
    reading.until_parked(1).await;
    consuming.stop().await;
}

/// Broken on purpose, and seen to fail this: the letter shown as it is, with an empty payload.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_that_is_too_large_for_its_topic_is_shown_from_where_it_came() {
    let Some(log) = Published::new().await else { return };
    let (topic, note) = (format!("{}counter", log.prefix), "x".repeat(4_000));
    let (letters, limit) = (format!("{topic}.dlt"), "max.message.bytes=3000");
    log.topics(&["--create", "--topic", &letters, "--partitions", "1", "--config", limit]);
    let payload = Json::parse(&format!("{{\"by\":13,\"note\":\"{note}\"}}")).unwrap();
    let event = EventData::raw(EventId::random(), "Raised", 1, payload);
    let commit = Commit::to("counter-a".parse().unwrap(), Expected::Any, [event]);
    log.shop.stores.store.append(commit).await.unwrap();
    log.publish("--create-topics 1");
    let reading = Reading::of(&log, "counter");
    let consuming = reading.run();
    reading.until_parked(1).await;
    let line = format!("dead-letters show totals a --kafka {}", log.kafka);
    let shown = printed(&reading.run_line(&line)).remove(0);
    assert_eq!(shown["headers"]["payload-omitted"].as_str().map(|bytes| bytes.len()), Some(4), "{shown}");
    assert_eq!(shown["event"]["payload"]["note"], json!(note));
    consuming.stop().await;
}

#[test]
fn what_is_to_be_replayed_must_be_said() {
    let usage = |line: &str| crate::counters::parse(line).err().map(|error| error.exit_code());
    for line in ["dead-letters replay", "dead-letters replay totals", "dead-letters replay totals a --all"] {
        assert_eq!(usage(line), Some(2), "{line}");
    }
    assert_eq!(usage("dead-letters list"), Some(2));
    for line in
        ["dead-letters replay --all", "dead-letters replay totals --all", "dead-letters replay totals a b"]
    {
        assert_eq!(usage(line), None, "{line}");
    }
}
