//! A user whom a broker refuses transactions is told of both ways out, and either helps.

use crate::{counters::objects, program::Published};
use annals_services::{
    KafkaBroker, KafkaTool, Logins, OwnBroker, RIGHTS_CHECKED, kafka_finding, not_run, this_test,
};
use serde_json::{Value, json};

const PASSWORD: &str = "correct-horse-battery";

/// Control: with the right, the same command publishes.
#[tokio::test]
async fn publishing_ends_where_transactions_are_refused_and_says_what_helps() {
    if let Err(lacking) = kafka_finding() {
        return not_run(&this_test(), format!("{lacking:#}"));
    }
    let room = tempfile::tempdir().unwrap();
    let logins = Logins::new(&[("alice", PASSWORD)]).unwrap();
    let broker = KafkaBroker::at(room.path().join("broker"), false).unwrap().with_logins(logins).unwrap();
    let broker = OwnBroker::of(broker).unwrap();
    broker.start(&RIGHTS_CHECKED).unwrap();
    let allow = |what: &[&str]| KafkaTool::find().unwrap().allow(&broker.bootstrap(), "alice", what).unwrap();
    allow(&["--operation", "Create", "--operation", "Write", "--operation", "Read", "--topic", "*"]);
    let password = room.path().join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    let (place, ca) = (broker.broker().sasl_bootstrap().unwrap(), broker.broker().authority());
    let login = format!("ca={}&password-file={}", ca.display(), password.display());
    let url = format!("kafka://alice@{place}?mechanism=SCRAM-SHA-256&{login}");

    let mut log = Published::at(url, "shop-events".into()).await;
    log.shop.raise("a", 1).await;
    log.shop.raise("a", 2).await;
    for more in ["--create-topics 2", "--create-topics 2 --follow"] {
        let ran = log.run(&log.line(more));
        assert_eq!((ran.code, &*ran.printed), (Some(1), ""), "{more}: {ran:?}");
        let error = objects(ran.said.lines().last().unwrap()).remove(0);
        assert_eq!(error["thing"], "shop-events");
        let (reason, next) = (error["reason"].as_str().unwrap(), error["next"].as_str().unwrap());
        assert!(reason.contains("Transactional Id authorization failed"), "{error}");
        assert!(
            next.contains("WRITE under the transactional id, which is called like the publisher"),
            "{error}"
        );
        assert!(next.contains("--delivery at-least-once"), "{error}");
        let lag = objects(&log.run("lag").printed).remove(0);
        assert!(lag["failure"].as_str().unwrap().contains(next), "{lag}");
        assert_eq!(
            (&lag["position"], &lag["events_behind"], &lag["holder"]),
            (&json!(0), &json!(2), &Value::Null)
        );
    }
    assert_eq!(log.publish("--create-topics 2 --delivery at-least-once")["records"], 2);
    assert_eq!(objects(&log.run("lag").printed)[0]["failure"], Value::Null);
    let proof = log.proof(&["counter"]).await;
    assert!(proof.holds() && proof.records() == 2, "{proof:?}");

    allow(&["--operation", "Write", "--transactional-id", "shop-again"]);
    (log.name, log.prefix) = ("shop-again".into(), "shop-again.".into());
    assert_eq!(log.publish("--create-topics 2")["records"], 2);
    let proof = log.proof(&["counter"]).await;
    assert!(proof.holds() && proof.records() == 2, "{proof:?}");
}
