//! `lag --kafka` tells how far those are who read what is published.

use crate::{
    counters::{keys, objects},
    program::{PATIENCE, Published},
    reading::Reading,
};
use rdkafka::{
    ClientConfig,
    producer::{BaseProducer, BaseRecord, Producer},
};
use serde_json::{Value, json};

fn groups(printed: &str) -> Vec<Value> {
    objects(printed).into_iter().filter(|lag| lag["kind"] == "group").collect()
}

fn behind(lags: &[Value]) -> u64 {
    lags.iter().map(|lag| lag["offsets_behind"].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn lag_tells_how_far_each_group_is_that_reads_what_is_published() {
    let Some(log) = Published::new().await else { return };
    for by in 1..=3 {
        log.shop.raise("a", by).await;
    }
    log.publish("--create-topics 2");
    let asking = format!("lag --kafka {}", log.kafka);
    // Control: nobody has read it yet.
    assert_eq!(groups(&log.run(&asking).printed), Vec::<Value>::new());

    let reading = Reading::of(&log, "counter");
    let consuming = reading.run();
    reading.until_raised("a", 3).await;
    consuming.stop().await;
    let told = groups(&log.run(&asking).printed);
    assert_eq!(told.len(), 2);
    assert_eq!(keys(&told[0]), ["committed", "end", "kind", "name", "offsets_behind", "partition", "topic"]);
    let topic = format!("{}counter", log.prefix);
    assert!(told.iter().all(|lag| lag["name"] == json!(reading.group) && lag["topic"] == json!(topic)));
    assert_eq!(behind(&told), 0, "{told:?}");

    log.shop.raise("a", 4).await;
    log.publish("");
    let told = groups(&log.run(&asking).printed);
    assert!((1..=3).contains(&behind(&told)), "with the marks of transactions: {told:?}");
    // The same of the one group, beside the publisher, and in a service that has no log.
    let only = format!("{asking} --group {}", reading.group);
    let beside = log.run(&only);
    assert_eq!(groups(&beside.printed), told);
    assert_eq!(objects(&beside.printed)[0]["kind"], "publisher");
    let without = reading.run_line(&only);
    assert_eq!((without.code, objects(&without.printed)), (Some(0), told), "{without:?}");
}

#[tokio::test]
async fn a_group_that_nobody_knows_is_told_with_the_next_step() {
    let Some(log) = Published::new().await else { return };
    let ran = log.run(&format!("lag --kafka {} --group {}-nobody", log.kafka, log.name));
    assert_eq!((ran.code, groups(&ran.printed)), (Some(1), vec![]), "{ran:?}");
    let error = objects(&ran.said).remove(0);
    assert!(error["reason"].as_str().unwrap().contains("has committed anything"), "{error}");
    assert!(error["next"].as_str().unwrap().contains("see that its consumer runs"), "{error}");
    // Which cluster, must be said.
    assert_eq!(log.run("lag --group orders").code, Some(2));
}

/// Broken on purpose: where the first failure ends the asking, the second publisher is not told of.
#[tokio::test]
async fn what_can_be_learnt_of_others_is_told_where_one_publisher_cannot_be_read() {
    let Some(mut log) = Published::new().await else { return };
    log.shop.raise("a", 1).await;
    log.publish("--create-topics 1");
    let gone = format!("{}counter", log.prefix);
    let second = format!("{}-second", log.name);
    let first = std::mem::replace(&mut log.name, second);
    log.prefix = format!("{}.", log.name);
    log.publish("--create-topics 1");
    log.topics(&["--delete", "--topic", &gone]);
    let ran = log.run(&format!("lag --kafka {}", log.kafka));
    let told = objects(&ran.printed);
    let names: Vec<_> = told.iter().map(|lag| lag["name"].as_str().unwrap()).collect();
    assert_eq!((ran.code, names), (Some(1), vec![&*first, &*log.name]));
    assert_eq!((&told[0]["kafka"], &told[1]["kafka"]["position"]), (&Value::Null, &json!(1)));
    let error = objects(&ran.said).remove(0);
    assert_eq!(error["thing"], json!(first), "{error}");
}

/// How it was broken: both ends asked of the reader of what is committed (`TopicLag::read`), and the sum over all topics
/// told as 0 by the program. The numbers are then those without the open transaction, and 0 beside 5.
#[tokio::test]
async fn what_is_sent_and_not_committed_is_told_apart() {
    let Some(log) = Published::new().await else { return };
    for by in 1..=3 {
        log.shop.raise("a", by).await;
    }
    log.publish("--create-topics 2");
    let topic = format!("{}counter", log.prefix);
    let told = || {
        let kafka =
            objects(&log.run(&format!("lag --kafka {}", log.kafka)).printed).remove(0)["kafka"].take();
        let of_topic = &kafka["topics"][&topic];
        assert_eq!(kafka["position"], 3);
        [&kafka["uncommitted"], &of_topic["uncommitted"], &of_topic["end"], &of_topic["committed_end"]]
            .map(|number| number.as_u64().unwrap())
    };
    // Three records and the end of their transaction.
    assert_eq!(told(), [0, 0, 4, 4]);

    let open: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", log.kafka.trim_start_matches("kafka://"))
        .set("transactional.id", format!("{}-open", log.name))
        .create()
        .unwrap();
    open.init_transactions(PATIENCE).unwrap();
    open.begin_transaction().unwrap();
    for _ in 0..5 {
        open.send(BaseRecord::<str, str>::to(&topic).partition(0).payload("{}")).unwrap();
    }
    open.flush(PATIENCE).unwrap();
    assert_eq!(told(), [5, 5, 9, 4]);
}
