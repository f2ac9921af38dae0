//! A broker for all tests, with topics of their own.

use annals_kafka::KafkaOptions;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where the broker is that `cargo xtask up` has started; without one, says so.
pub(crate) fn shared() -> Option<KafkaOptions> {
    match std::env::var("ANNALS_KAFKA_URL") {
        Ok(url) => Some(url.parse().unwrap()),
        Err(_) => {
            println!(
                "NOT RUN on Kafka: ANNALS_KAFKA_URL is not set; run cargo xtask test, or cargo xtask up"
            );
            None
        }
    }
}

/// A name that no other test has.
pub(crate) fn unique(what: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
    format!("{what}-{}-{now}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
