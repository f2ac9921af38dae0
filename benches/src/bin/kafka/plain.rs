//! A plain loop over librdkafka: the same keys, values and partitions, no headers, no transactions.

use crate::{
    broker::{Broker, PARTITIONS},
    events,
};
use annals_benches::{Stopwatch, Turn};
use anyhow::{Context, bail};
use rdkafka::{
    ClientConfig,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
};
use std::time::Duration;

const FLUSH_MAX: Duration = Duration::from_secs(60);

/// Sends `records`; so many a second, and the bytes a record in the log of the broker.
pub(crate) fn send(broker: &Broker, records: u64) -> anyhow::Result<(Turn, f64)> {
    let topic = broker.name("plain");
    broker.make_topic(&topic)?;
    let all: Vec<(String, String)> = (0..records)
        .map(|n| Ok((events::stream_of(n)?.key().to_string(), events::payload(n))))
        .collect::<anyhow::Result<_>>()?;
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", broker.bootstrap())
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", "5")
        .set("batch.size", "1048576")
        .set("delivery.report.only.error", "true")
        .create()
        .context("cannot make a producer")?;
    let stopwatch = Stopwatch::start();
    for (key, value) in &all {
        let partition = annals_kafka::partition_of(key.as_bytes(), PARTITIONS) as i32;
        let mut record = BaseRecord::to(&topic).partition(partition).key(key).payload(value);
        while let Err((error, back)) = producer.send(record) {
            match error {
                KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => record = back,
                error => bail!("a plain producer failed: {error}"),
            }
            std::thread::yield_now();
        }
    }
    producer.flush(FLUSH_MAX)?;
    let turn = stopwatch.stop(all.len());
    let in_log = broker.bytes_of(&topic)? as f64 / records as f64;
    broker.remove_topic(&topic)?;
    Ok((turn, in_log))
}
