//! Kafka's own producer, as `kafka-producer-perf-test` runs it.

use crate::broker::Broker;
use annals_benches::Turn;
use anyhow::{Context, ensure};

/// The settings that the publisher has too.
const PROPERTIES: [&str; 5] =
    ["acks=all", "enable.idempotence=true", "batch.size=1048576", "linger.ms=5", "buffer.memory=67108864"];

/// As long as a transaction of ours may be open at the end of a log. Far behind it, ours hold up to 50 000 records.
pub(crate) const TRANSACTION_MS: u32 = 100;

/// In so long it sends about 50 000 records, as ours hold them far behind the end of a log.
pub(crate) const LONG_TRANSACTION_MS: u32 = 140;

/// Sends `records` of `bytes` each, in transactions of so long; so many a second as it says itself, and the bytes a record in the
/// log of the broker.
pub(crate) fn producer_performance(
    broker: &Broker,
    records: u64,
    bytes: usize,
    transaction_ms: u32,
) -> anyhow::Result<(Turn, f64)> {
    let topic = broker.name("limit");
    broker.make_topic(&topic)?;
    let mut java = broker.tool.class("org.apache.kafka.tools.ProducerPerformance")?;
    java.args([
        "--topic",
        &topic,
        "--num-records",
        &records.to_string(),
        "--record-size",
        &bytes.to_string(),
    ]);
    java.args([
        "--throughput",
        "-1",
        "--transactional-id",
        &topic,
        "--transaction-duration-ms",
        &transaction_ms.to_string(),
    ]);
    java.arg("--producer-props").arg(format!("bootstrap.servers={}", broker.bootstrap())).args(PROPERTIES);
    let done = java.output().context("cannot run ProducerPerformance")?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    ensure!(
        done.status.success(),
        "ProducerPerformance failed: {}",
        String::from_utf8_lossy(&done.stderr).trim()
    );
    let rate = rate_in(&said).with_context(|| format!("ProducerPerformance says no rate: {said}"))?;
    let in_log = broker.bytes_of(&topic)? as f64 / records as f64;
    broker.remove_topic(&topic)?;
    Ok((rate.into(), in_log))
}

/// The rate in its last line: `N records sent, N records/sec (…`.
fn rate_in(said: &str) -> Option<f64> {
    let last = said.lines().rfind(|line| line.contains("records sent"))?;
    let rate = last.split(", ").nth(1)?.split(' ').next()?;
    rate.replace(',', "").parse().ok()
}

/// The size at which its records take `in_log` bytes each in the log of the broker.
pub(crate) fn size_for(broker: &Broker, in_log: f64) -> anyhow::Result<usize> {
    const PROBED: usize = 400;
    let (_, with_frame) = producer_performance(broker, 20_000, PROBED, TRANSACTION_MS)?;
    let frame = with_frame - PROBED as f64;
    Ok((in_log - frame).max(1.0) as usize)
}
