//! Orders that are placed in a process of their own, and published.

use crate::process::Process;
use annals::catch_up;
use annals_kafka::{KafkaOptions, Publisher, PublisherTerms, TopicNames};
use annals_tests::Shop;
use std::path::Path;

/// How many partitions the topics have.
pub(crate) const PARTITIONS: u32 = 4;

/// Starts a process that places so many `orders` of the burst `seed`, which no other burst has, and ends when read
/// models and policies have handled them.
pub(crate) fn placing(log: &Path, orders: u32, seed: u64, lease_ms: &str) -> Process {
    let (log, orders, seed) = (log.to_str().unwrap(), orders.to_string(), seed.to_string());
    let mut arguments = vec!["orders", log, "--orders", &orders, "--skus", "40", "--seed", &seed];
    arguments.extend(["--from", "0", "--at-once", "64", "--lease-ms", lease_ms]);
    Process::start(arguments)
}

/// Publishes what the log holds by now to topics whose names begin with `prefix`.
pub(crate) async fn publish(shop: &Shop, url: &str, prefix: &str) {
    let options: KafkaOptions = url.parse().unwrap();
    let topics = TopicNames::prefixed(prefix).unwrap();
    let terms = PublisherTerms { topics, create_topics: Some(PARTITIONS), ..PublisherTerms::default() };
    let mut publisher = Publisher::new("shop", options, terms, shop.store.clone(), shop.documents.clone());
    catch_up(&*shop.store, &mut publisher).await.unwrap();
}
