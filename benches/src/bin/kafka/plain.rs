//! A plain loop over librdkafka: the same keys, values and partitions, no transactions; without headers, or with as
//! many and as long ones.

use crate::{
    broker::{Broker, PARTITIONS},
    events,
};
use annals_benches::{Stopwatch, Turn};
use annals_kafka::headers;
use anyhow::{Context, bail};
use rdkafka::{
    ClientConfig,
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
};
use std::time::Duration;

const FLUSH_MAX: Duration = Duration::from_secs(60);

/// What a record of ours says besides, the same for each: nothing is written down in the loop.
pub(crate) const HEADERS: [(&str, &str); 10] = [
    (headers::EVENT_ID, "0193a5b2-7c41-8d3e-9f10-2b6c8d4e7a55"),
    (headers::EVENT_TYPE, "Noted"),
    (headers::STREAM, "parcel-01234"),
    (headers::SCHEMA_VERSION, "1"),
    (headers::STREAM_VERSION, "55"),
    (headers::POSITION, "512345"),
    (headers::PREVIOUS_POSITION, "512337"),
    (headers::RECORDED_AT, "2026-11-29T20:15:30.123456Z"),
    (headers::CORRELATION_ID, "0193a5b2-7c41-7d3e-9f10-2b6c8d4e7a55"),
    (headers::CAUSATION_ID, "0193a5b2-7c41-7d3e-9f10-2b6c8d4e7a56"),
];

/// Whether records have headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum With {
    Headers,
    Nothing,
}

/// Sends `records`; so many a second, and the bytes a record in the log of the broker.
pub(crate) fn send(broker: &Broker, records: u64, with: With) -> anyhow::Result<(Turn, f64)> {
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
        if with == With::Headers {
            let empty = OwnedHeaders::new_with_capacity(HEADERS.len());
            let all = HEADERS
                .iter()
                .fold(empty, |all, (key, value)| all.insert(Header { key, value: Some(*value) }));
            record = record.headers(all);
        }
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
    Ok((turn, broker.bytes_a_record(&topic, records)?))
}
