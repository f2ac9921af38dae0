//! What cannot be published is told with the next step, soon, and without secrets.

use crate::{counters::objects, program::Published};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Within this a cluster that is not there has to be told of: some questions of at most 15 seconds each.
const TOLD_WITHIN: Duration = Duration::from_secs(45);

/// A log that is published nowhere.
async fn nowhere() -> Published {
    // No program listens there, which is told at once.
    Published::at("kafka://127.0.0.1:1".into(), "publisher".into()).await
}

fn error(said: &str) -> Value {
    objects(said.lines().last().unwrap()).remove(0)
}

#[tokio::test]
async fn a_topic_that_is_missing_stops_the_publisher_until_it_is_there() {
    let Some(log) = Published::new().await else { return };
    log.shop.raise("a", 1).await;
    for more in ["", "--follow"] {
        let ran = log.run(&log.line(more));
        let error = error(&ran.said);
        assert_eq!((ran.code, &*ran.printed), (Some(1), ""), "{more}");
        let reason = error["reason"].as_str().unwrap();
        assert!(reason.contains(&format!("there is no topic {}counter", log.prefix)), "{reason}");
        assert!(reason.contains("--create-topics PARTITIONS"), "{reason}");
        assert!(error["next"].as_str().unwrap().contains("nothing was skipped"), "{error}");
        let lag = objects(&log.run("lag").printed).remove(0);
        assert!(lag["failure"].as_str().unwrap().contains("there is no topic"), "{lag}");
        assert_eq!((&lag["position"], &lag["holder"]), (&0.into(), &Value::Null));
    }
    assert_eq!(log.publish("--create-topics 1")["records"], 1);
    assert_eq!(objects(&log.run("lag").printed)[0]["failure"], Value::Null);
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_told_of_soon_and_later_all_is_published() {
    let log = nowhere().await;
    log.shop.raise("a", 1).await;
    for (line, thing) in
        [(log.line(""), "publisher"), ("lag --kafka kafka://127.0.0.1:1".into(), "lag --kafka")]
    {
        let began = Instant::now();
        let ran = log.run(&line);
        assert!(began.elapsed() < TOLD_WITHIN, "{:?}", began.elapsed());
        let error = error(&ran.said);
        assert_eq!((ran.code, &error["thing"]), (Some(1), &thing.into()), "{ran:?}");
        // What the log knows is told all the same.
        let told = objects(&ran.printed).iter().any(|lag| lag["name"] == "publisher");
        assert_eq!(told, line.starts_with("lag"), "{ran:?}");
        assert!(error["reason"].as_str().unwrap().contains("kafka://127.0.0.1:1"), "{error}");
        assert!(error["next"].as_str().unwrap().contains("see that the broker runs"), "{error}");
    }
    let lag = objects(&log.run("lag").printed).remove(0);
    assert_eq!((&lag["kind"], &lag["events_behind"]), (&"publisher".into(), &1.into()));
    assert!(lag["failure"].as_str().unwrap().contains("kafka://127.0.0.1:1"), "{lag}");
}

#[tokio::test]
async fn a_url_that_is_none_is_wrong_usage_and_shows_no_secret() {
    let log = nowhere().await;
    for url in [
        "mysql://shop:hunter2@db",
        "kafka:shop:hunter2@127.0.0.1:1",
        "kafka://shop:hunter2@127.0.0.1:port",
        "kafka://shop:hunter2@127.0.0.1:1?pasword=hunter2",
        "kafka://127.0.0.1:1?password=hunter2",
        "kafka://shop:hun?ter2@127.0.0.1:1",
        "kafka://shop:hunter2@127.0.0.1:1?security=plaintext",
        "kafka://Endpoint=sb://x/;SharedAccessKey=hunter2",
    ] {
        for line in [format!("publish --to {url}"), format!("lag --kafka {url}"), format!("publish {url}")] {
            let ran = log.run(&line);
            assert_eq!((ran.code, &*ran.printed), (Some(2), ""), "{line}: {ran:?}");
            assert!(!ran.said.contains("ter2"), "{line}: {}", ran.said);
        }
    }
}

#[tokio::test]
async fn a_password_is_not_shown_where_the_cluster_does_not_answer() {
    let log = Published::at("kafka://shop:hunter2@127.0.0.1:1".into(), "publisher".into()).await;
    log.shop.raise("a", 1).await;
    let ran = log.run(&log.line(""));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let all = format!("{}{}{}", ran.said, ran.printed, log.run("lag").printed);
    assert!(all.contains("kafka://shop@127.0.0.1:1") && !all.contains("hunter2"), "{all}");
}

#[tokio::test]
async fn what_makes_no_sense_is_wrong_usage() {
    let log = nowhere().await;
    for more in [
        "--name Publisher",
        "--name ''",
        "--topic order",
        "--topic order=a/b",
        "--topic-prefix a/b",
        "--create-topics 0",
        "--create-topics 1001",
        "--from yesterday",
        "--oversize maybe",
    ] {
        let ran = log.run(&format!("publish --to kafka://127.0.0.1:1 {more}"));
        assert_eq!((ran.code, &*ran.printed), (Some(2), ""), "{more}: {ran:?}");
    }
    assert_eq!(log.run("publish").code, Some(2));
}
