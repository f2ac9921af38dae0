//! Kafka's own producer: as `kafka-producer-perf-test` runs it, and with the headers of our records.

use crate::{
    broker::{Broker, PARTITIONS},
    events, plain,
};
use annals_benches::{Medium, Turn};
use anyhow::{Context, ensure};
use std::{
    fs,
    process::{Command, Output},
};

/// The settings that the publisher has too, but for `linger.ms`, of which ours is 1: no run showed a difference.
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
    let said = said_by(java, "ProducerPerformance")?;
    let rate = rate_in(&said).with_context(|| format!("ProducerPerformance says no rate: {said}"))?;
    Ok((rate.into(), broker.bytes_a_record(&topic, records)?))
}

/// The same client with keys, partitions and headers as ours have them.
pub(crate) fn with_headers(broker: &Broker, records: u64) -> anyhow::Result<(Turn, f64)> {
    let topic = broker.name("headers");
    broker.make_topic(&topic)?;
    let room = Medium::disk()?.room()?;
    let source = room.path().join("WithHeaders.java");
    fs::write(&source, include_str!("WithHeaders.java"))?;
    let mut java = broker.tool.class(source.to_str().context("a path that is no text")?)?;
    java.args([&broker.bootstrap(), &topic, &records.to_string(), &PARTITIONS.to_string()]);
    java.args([&events::PAYLOAD_BYTES.to_string(), &TRANSACTION_MS.to_string()]);
    java.args(PROPERTIES).arg("--");
    java.args(plain::HEADERS.map(|(name, value)| format!("{name}={value}")));
    let said = said_by(java, "WithHeaders.java")?;
    let rate: f64 = said.trim().parse().with_context(|| format!("WithHeaders.java says no rate: {said}"))?;
    Ok((rate.into(), broker.bytes_a_record(&topic, records)?))
}

fn said_by(mut java: Command, name: &str) -> anyhow::Result<String> {
    let Output { status, stdout, stderr } = java.output().with_context(|| format!("cannot run {name}"))?;
    ensure!(status.success(), "{name} failed: {}", String::from_utf8_lossy(&stderr).trim());
    Ok(String::from_utf8_lossy(&stdout).into_owned())
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
