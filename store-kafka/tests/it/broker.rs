//! A broker for all tests, with topics of their own.

use annals_kafka::KafkaOptions;
use annals_services::{KafkaTool, OwnBroker, kafka_finding, not_run, this_test};
use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

/// Where the broker is that `cargo xtask up` has started; without one, says so.
pub(crate) fn shared() -> Option<KafkaOptions> {
    match std::env::var("ANNALS_KAFKA_URL") {
        Ok(url) => Some(url.parse().unwrap()),
        Err(_) => {
            not_run(&this_test(), "ANNALS_KAFKA_URL is not set; run cargo xtask test, or cargo xtask up");
            None
        }
    }
}

/// Where that broker is, as Kafka's own tools want it.
pub(crate) fn bootstrap() -> String {
    std::env::var("ANNALS_KAFKA_URL").unwrap().trim_start_matches("kafka://").into()
}

/// Kafka's own tool for topics.
pub(crate) fn topics(bootstrap: &str, arguments: &[&str]) -> String {
    KafkaTool::find().unwrap().topics(bootstrap, arguments).unwrap()
}

/// Changes a setting of a topic, as in `max.message.bytes=20000`.
pub(crate) fn set(bootstrap: &str, topic: &str, setting: &str) {
    let alter = ["--alter", "--entity-type", "topics", "--entity-name", topic, "--add-config", setting];
    let arguments = [&["--bootstrap-server", bootstrap], &alter[..]].concat();
    KafkaTool::find().unwrap().run("kafka.admin.ConfigCommand", &arguments).unwrap();
}

/// A name that no other test has.
pub(crate) fn unique(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
    format!("{what}-{}-{now}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A broker for one test, which does not run yet; where none is installed, says so.
pub(crate) fn own(name: &str) -> Option<OwnBroker> {
    if let Err(lacking) = kafka_finding() {
        not_run(&this_test(), format!("{lacking:#}"));
        return None;
    }
    Some(OwnBroker::make(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("brokers"), name).unwrap())
}
