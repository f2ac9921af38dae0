//! What is in the log is published once, however often that is asked for, and only what is wanted.

use crate::{counters::objects, program::Published};
use annals_services::KafkaTool;
use serde_json::json;

#[tokio::test]
async fn what_is_there_is_published_once_however_often() {
    let Some(log) = Published::new().await else { return };
    for by in 1..=10 {
        log.shop.raise("a", by).await;
        log.shop.raise("b", by).await;
        log.shop.foreign(&format!("other-{by}"), "{}").await;
    }
    let first = log.publish("--create-topics 3");
    assert_eq!(
        (&first["records"], &first["position"], &first["name"]),
        (&json!(30), &json!(30), &json!(log.name))
    );
    let counts = json!({(format!("{}counter", log.prefix)): 20, (format!("{}other", log.prefix)): 10});
    assert_eq!((&first["topics"], &first["to"]), (&counts, &json!(log.kafka)));

    let again = log.publish("");
    assert_eq!(
        (&again["records"], &again["position"], &again["topics"]),
        (&json!(0), &json!(30), &json!({}))
    );
    log.shop.raise("a", 11).await;
    assert_eq!(log.publish("")["records"], 1);
    let proof = log.proof(&["counter", "other"]).await;
    assert!(proof.holds() && proof.records() == 31, "{proof:?}");
    // Control: another publisher knows nothing of the first, and what it adds to the same topics is found.
    let (line, another) = (log.line(""), format!("{}-two", log.name));
    let second = log.run(&line.replace(&format!("--name {}", log.name), &format!("--name {another}"))).only();
    assert_eq!(second["records"], 31);
    let proof = log.proof(&["counter", "other"]).await;
    assert!(
        !proof.holds() && proof.topics.values().map(|topic| topic.repeated).sum::<u64>() == 31,
        "{proof:?}"
    );
}

/// What Kafka's own consumer shows of `topic`: a line for each of so many records, with headers, key and value.
fn shown_by_kafka(log: &Published, topic: &str, records: &str) -> Vec<String> {
    let broker = log.kafka.trim_start_matches("kafka://");
    let reading =
        ["--bootstrap-server", broker, "--topic", topic, "--from-beginning", "--max-messages", records];
    let showing = ["--isolation-level", "read_committed", "--timeout-ms", "30000"];
    let parts = ["--property", "print.headers=true", "--property", "print.key=true"];
    let tool = KafkaTool::find().unwrap();
    let shown = tool
        .run("org.apache.kafka.tools.consumer.ConsoleConsumer", &[&reading[..], &showing, &parts].concat());
    shown.unwrap().lines().map(str::to_string).collect()
}

#[tokio::test]
async fn kafkas_own_consumer_shows_what_is_published_in_the_words_of_cloud_events_where_that_is_wanted() {
    let Some(log) = Published::new().await else { return };
    log.shop.raise("a", 1).await;
    log.shop.raise("a", 2).await;
    log.publish("--create-topics 1 --cloud-events urn:shop:counters");
    let topic = format!("{}counter", log.prefix);
    let lines = shown_by_kafka(&log, &topic, "2");
    assert_eq!(lines.len(), 2, "{lines:#?}");
    for (line, (position, value)) in lines.iter().zip([(1, r#"{"by":1}"#), (2, r#"{"by":2}"#)]) {
        let [headers, key, shown] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert_eq!((key, shown), ("a", value));
        let headers: Vec<&str> = headers.split(',').collect();
        let position = format!("position:{position}");
        for header in ["ce_specversion:1.0", "ce_source:urn:shop:counters", "ce_type:Raised", &position] {
            assert!(headers.contains(&header), "{header}: {line}");
        }
    }
    // Control: none of these words where nobody asked for them.
    log.shop.raise("b", 3).await;
    log.publish("");
    let lines = shown_by_kafka(&log, &topic, "3");
    assert_eq!(lines.iter().filter(|line| line.contains("ce_")).count(), 2, "{lines:#?}");
}

#[tokio::test]
async fn a_new_publisher_begins_where_it_is_told_and_then_goes_on() {
    let Some(log) = Published::new().await else { return };
    for by in 1..=5 {
        log.shop.raise("a", by).await;
    }
    assert_eq!(log.publish("--create-topics 1 --from now")["records"], 0);
    log.shop.raise("a", 6).await;
    log.shop.raise("a", 7).await;
    // Where it began is forgotten: it has a place of its own.
    assert_eq!(log.publish("--create-topics 1 --from beginning")["records"], 2);
    let proof = log.proof(&["counter"]).await;
    assert!(proof.records() == 2 && proof.holds(), "{proof:?}");

    let Some(other) = Published::new().await else { return };
    for by in 1..=5 {
        other.shop.raise("a", by).await;
    }
    assert_eq!(other.publish("--create-topics 1 --from 3")["records"], 2);
}

#[tokio::test]
async fn only_what_is_wanted_goes_to_the_topics_that_are_named() {
    let Some(log) = Published::new().await else { return };
    for by in 1..=4 {
        log.shop.raise("a", by).await;
        log.shop.foreign("other-a", "{}").await;
        log.shop.foreign("third-a", "{}").await;
    }
    let named = format!("{}sales", log.prefix);
    let some = log.publish(&format!(
        "--create-topics 1 --category counter --category other --type Raised --topic counter={named}"
    ));
    assert_eq!((&some["records"], &some["position"]), (&json!(4), &json!(12)));
    assert_eq!(some["topics"], json!({(named): 4}));
    let proof = log.proof(&["sales"]).await;
    assert!(proof.records() == 4 && proof.holds(), "{proof:?}");
}

#[tokio::test]
async fn lag_tells_of_the_publisher_and_of_what_kafka_has() {
    let Some(log) = Published::new().await else { return };
    for by in 1..=3 {
        log.shop.raise("a", by).await;
    }
    log.publish("--create-topics 2");
    log.shop.raise("a", 4).await;
    log.shop.raise("a", 5).await;
    let lag = |more: &str| {
        let ran = log.run(&format!("lag {more}"));
        assert_eq!((ran.code, &*ran.said), (Some(0), ""));
        objects(&ran.printed).remove(0)
    };
    let plain = lag("");
    assert_eq!(
        (&plain["name"], &plain["position"], &plain["events_behind"]),
        (&json!(log.name), &json!(3), &json!(2))
    );
    assert!(plain["seconds_behind"].as_f64().unwrap() > 0.0 && plain.get("kafka").is_none(), "{plain}");
    assert_eq!(
        (&plain["kind"], &plain["holder"], &plain["failure"]),
        (&json!("unknown"), &json!(null), &json!(null))
    );

    let asked = lag(&format!("--kafka {}", log.kafka));
    let (kafka, topic) = (&asked["kafka"], format!("{}counter", log.prefix));
    assert_eq!(
        (&asked["kind"], &kafka["position"], &kafka["uncommitted"]),
        (&json!("publisher"), &json!(3), &json!(0))
    );
    // Three records and the end of their transaction.
    let topic = &kafka["topics"][&topic];
    assert_eq!(
        (&topic["partitions"], &topic["end"], &topic["committed_end"]),
        (&json!(2), &json!(4), &json!(4))
    );
}

#[tokio::test]
async fn without_transactions_it_is_all_there_once_too() {
    let Some(log) = Published::new().await else { return };
    for by in 1..=3 {
        log.shop.raise("a", by).await;
    }
    let line = "--create-topics 2 --delivery at-least-once";
    assert_eq!(log.publish(line)["records"], 3);
    assert_eq!(log.publish(line)["records"], 0);
    let proof = log.proof(&["counter"]).await;
    assert!(proof.holds() && proof.records() == 3, "{proof:?}");
    // It has no transactions, and so no control record: where it writes to says the store.
    let asked = objects(&log.run(&format!("lag --kafka {}", log.kafka)).printed).remove(0);
    let topic = format!("{}counter", log.prefix);
    assert_eq!((&asked["kind"], &asked["position"]), (&json!("publisher"), &json!(3)), "{asked}");
    let kafka = &asked["kafka"];
    assert_eq!((&kafka["position"], &kafka["uncommitted"]), (&json!(3), &json!(0)), "{asked}");
    assert_eq!(
        (&kafka["topics"][&topic]["end"], &kafka["topics"][&topic]["partitions"]),
        (&json!(3), &json!(2))
    );
}
