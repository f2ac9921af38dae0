//! What stops a publisher for good is shown by `lag`, until it is mended.

use crate::{
    counters::objects,
    program::{Published, Ran},
};
use annals_services::{KafkaBroker, Logins, OwnBroker, kafka_finding, not_run, this_test};
use serde_json::Value;
use std::path::Path;

/// What `lag` says of the publisher.
fn failure(log: &Published) -> Value {
    objects(&log.run("lag").printed).remove(0)["failure"].take()
}

/// That `ran` failed with all of `words`, and that `lag` says so too.
fn assert_shown(log: &Published, ran: &Ran, words: &[&str]) {
    assert_eq!((ran.code, &*ran.printed), (Some(1), ""), "{ran:?}");
    let shown = failure(log).as_str().map(str::to_string).unwrap_or_default();
    for word in words {
        assert!(ran.said.contains(word), "{word}: {}", ran.said);
        assert!(shown.contains(word), "{word}: {shown}");
    }
}

// How each was broken: where a failure is not reported (in the engine's `tell_failure`), `lag` knows of none.
#[tokio::test]
async fn an_event_that_no_broker_takes_stays_shown_until_it_is_left_out() {
    let Some(log) = Published::new().await else { return };
    let topic = format!("{}large", log.prefix);
    log.topics(&["--create", "--topic", &topic, "--partitions", "1", "--config", "max.message.bytes=2000"]);
    log.shop.foreign("large-1", "{}").await;
    log.shop.foreign("large-1", &format!("{{\"x\":\"{}\"}}", "y".repeat(3_000))).await;
    log.shop.foreign("large-1", "{}").await;
    for _ in 0..2 {
        assert_shown(&log, &log.run(&log.line("")), &["position 2", &topic, "2000", "--oversize omit"]);
    }
    let lag = objects(&log.run("lag").printed).remove(0);
    assert_eq!((&lag["position"], &lag["events_behind"]), (&1.into(), &2.into()), "nothing is skipped");
    assert_eq!(log.publish("--oversize omit")["records"], 2);
    assert_eq!(failure(&log), Value::Null);
    let proof = log.proof(&["large"]).await;
    assert!(proof.holds() && proof.records() == 3, "{proof:?}");
}

#[tokio::test]
async fn a_topic_with_more_partitions_than_before_stays_shown() {
    let Some(log) = Published::new().await else { return };
    log.shop.raise("a", 1).await;
    log.publish("--create-topics 2");
    assert_eq!(failure(&log), Value::Null);
    let topic = format!("{}counter", log.prefix);
    log.topics(&["--alter", "--topic", &topic, "--partitions", "3"]);
    log.shop.raise("a", 2).await;
    assert_shown(&log, &log.run(&log.line("")), &[&topic, "3 partitions", "2 when this publisher began"]);
}

#[tokio::test]
async fn a_password_that_is_refused_is_shown_and_the_right_one_goes_on() {
    if let Err(lacking) = kafka_finding() {
        return not_run(&this_test(), format!("{lacking:#}"));
    }
    let room = tempfile::tempdir().unwrap();
    let logins = Logins::new(&[("alice", "correct-horse-battery")]).unwrap();
    let broker = KafkaBroker::at(room.path().join("broker"), false).unwrap().with_logins(logins).unwrap();
    let broker = OwnBroker::of(broker).unwrap();
    broker.start(&[]).unwrap();
    let authority = broker.broker().authority();
    let place = broker.broker().sasl_bootstrap().unwrap();
    let kafka = format!("kafka://alice@{place}?ca={}", authority.display());
    let log = Published::at(kafka, "guarded".into()).await;
    log.shop.raise("a", 1).await;

    let publish = |password: &str| {
        let file = room.path().join("password");
        std::fs::write(&file, password).unwrap();
        log.run(&with_password(&log, &file))
    };
    let ran = publish("battery-horse-correct");
    assert_shown(&log, &ran, &["alice", "password"]);
    let all = format!("{}{}", ran.said, log.run("lag").printed);
    assert!(!all.contains("battery-horse-correct"), "{all}");
    assert_eq!(publish("correct-horse-battery").only()["records"], 1);
    assert_eq!(failure(&log), Value::Null);
}

/// Publishes with the password in `file`.
fn with_password(log: &Published, file: &Path) -> String {
    let to = format!("{}&password-file={}", log.kafka, file.display());
    log.line("--create-topics 1").replace(&log.kafka, &to)
}
