//! From a store to Kafka, as fast as it goes.

use crate::{
    broker::{Broker, CATEGORY, PARTITIONS},
    events, limit,
    plain::{self, With},
};
use annals::{EventStore, MemoryDocuments, MemoryStore, catch_up};
use annals_benches::{Args, Figure, Medium, Pairs, Report, Stopwatch, Turn, once, pairs};
use annals_kafka::{KafkaOptions, Publisher, PublisherTerms, TopicNames};
use annals_postgres::PostgresStore;
use annals_services::{OwnServer, finding};
use annals_sqlite::{SqliteOptions, SqliteStore};
use anyhow::ensure;
use std::sync::Arc;
use tokio::runtime::Runtime;

const SQLITE: &str = "publish, log in SQLite";
const POSTGRES: &str = "publish, log in PostgreSQL";
const MEMORY: &str = "publish, log in memory: the producing stage alone";
const ALIKE: &str = "publish, log in memory: the producing stage, beside transactions of as many records";
const DRIVER: &str = "publish, log in memory, beside a plain loop over librdkafka with such headers";
const CLIENT: &str = "publish, log in memory, beside Kafka's own producer with such headers";
const BARE: &str = "plain idempotent loop over librdkafka, no headers";
const BYTES: &str = "bytes a record in the broker's log, beside the same without headers";

/// Records of both sides are of one size, as far as this.
const ALIKE_WITHIN: f64 = 0.05;

/// How many events a log holds.
pub(crate) fn events_of(args: &Args) -> u64 {
    if args.quick { 100_000 } else { 1_000_000 }
}

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    broker: &Broker,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !args.wants_any([SQLITE, POSTGRES, MEMORY, ALIKE, DRIVER, CLIENT, BARE, BYTES]) {
        return Ok(());
    }
    let (count, room) = (events_of(args), Medium::disk()?.room()?);
    let memory: Arc<dyn EventStore> = Arc::new(MemoryStore::default());
    runtime.block_on(events::fill(&memory, count))?;
    // What headers make of a record, and what Kafka's own producer is given to send as much.
    let (_, in_log) = publish(runtime, broker, &memory, count)?;
    let (_, without) = plain::send(broker, count, With::Nothing)?;
    report.add(&Figure::of(BYTES, "disk", "bytes", &once(in_log, without)))?;
    let size = limit::size_for(broker, in_log)?;
    let mut alike = |name, other: &dyn Fn() -> anyhow::Result<(Turn, f64)>| {
        if !args.wants(name) {
            return Ok(());
        }
        let limit = || {
            let (limit, bytes) = other()?;
            ensure_alike(bytes, in_log)?;
            Ok(limit)
        };
        let pairs = pairs(args.rounds, || Ok(publish(runtime, broker, &memory, count)?.0), limit)?;
        report.add(&Figure::of(name, "disk", "events/s", &pairs))
    };
    alike(DRIVER, &|| plain::send(broker, count, With::Headers))?;
    alike(CLIENT, &|| limit::with_headers(broker, count))?;
    let mut measured = |name: &str, goal: Option<f64>, store: &Arc<dyn EventStore>, transaction_ms| {
        if !args.wants(name) {
            return Ok(());
        }
        let limit = || {
            let (limit, bytes) = limit::producer_performance(broker, count, size, transaction_ms)?;
            ensure_alike(bytes, in_log)?;
            Ok(limit)
        };
        let pairs = pairs(args.rounds, || Ok(publish(runtime, broker, store, count)?.0), limit)?;
        let figure = Figure::of(name, "disk", "events/s", &pairs);
        report.add(&goal.map_or_else(|| figure.clone(), |goal| figure.clone().at_least(goal)))
    };
    measured(MEMORY, Some(0.9), &memory, limit::TRANSACTION_MS)?;
    measured(ALIKE, None, &memory, limit::LONG_TRANSACTION_MS)?;
    let sqlite: Arc<dyn EventStore> =
        Arc::new(SqliteStore::open(&SqliteOptions::new(room.path().join("log.db")))?);
    if args.wants(SQLITE) {
        runtime.block_on(events::fill(&sqlite, count))?;
    }
    measured(SQLITE, Some(0.5), &sqlite, limit::TRANSACTION_MS)?;
    if args.wants(POSTGRES) {
        match finding() {
            Err(why) => report.skip(POSTGRES, format_args!("{why:#}")),
            Ok(_) => {
                let server = OwnServer::make(room.path(), "postgres")?;
                server.start(&[])?;
                let store = runtime.block_on(PostgresStore::open(&server.url("127.0.0.1").parse()?))?;
                let store: Arc<dyn EventStore> = Arc::new(store);
                runtime.block_on(events::fill(&store, count))?;
                measured(POSTGRES, Some(0.5), &store, limit::TRANSACTION_MS)?;
            }
        }
    }
    if args.wants(BARE) {
        let mut pairs = Pairs::default();
        for _ in 0..args.rounds {
            pairs.add(plain::send(broker, count, With::Nothing)?.0, 0.0);
        }
        report.add(&Figure::of(BARE, "disk", "events/s", &pairs))?;
    }
    Ok(())
}

fn ensure_alike(bytes: f64, in_log: f64) -> anyhow::Result<()> {
    ensure!((bytes / in_log - 1.0).abs() < ALIKE_WITHIN, "{bytes} bytes a record instead of {in_log}");
    Ok(())
}

/// Publishes the log to topics of its own; so many a second, from the first session on, and the bytes a record.
fn publish(
    runtime: &Runtime,
    broker: &Broker,
    store: &Arc<dyn EventStore>,
    count: u64,
) -> anyhow::Result<(Turn, f64)> {
    let name = broker.name("publisher");
    let mut publisher = publisher(&name, broker.options()?, store)?;
    let stopwatch = Stopwatch::start();
    let at = runtime.block_on(catch_up(&**store, &mut publisher))?;
    let turn = stopwatch.stop(count as usize);
    ensure!(at.get() == count, "published up to {at}, not {count}");
    Ok((turn, broker.bytes_a_record(&format!("{name}.{CATEGORY}"), count)?))
}

/// A publisher to topics of its own, which keeps its checkpoint in memory.
pub(crate) fn publisher(
    name: &str,
    options: KafkaOptions,
    store: &Arc<dyn EventStore>,
) -> anyhow::Result<Publisher> {
    let topics = TopicNames::prefixed(&format!("{name}."))?;
    let terms = PublisherTerms { topics, create_topics: Some(PARTITIONS), ..PublisherTerms::default() };
    let checkpoints = Arc::new(MemoryDocuments::default());
    Ok(Publisher::new(name, options, terms, store.clone(), checkpoints))
}
