//! From a commit in the store to a consumer that reads committed records only.

use crate::{
    broker::{Broker, CATEGORY, PARTITIONS},
    events,
    publish::publisher,
};
use annals::{Commit, EventStore, Expected, Runner};
use annals_benches::{Args, Figure, Medium, Report, once};
use annals_kafka::Incoming;
use annals_sqlite::{SqliteOptions, SqliteStore};
use anyhow::{Context, ensure};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, sync::Semaphore};
use tokio_util::sync::CancellationToken;

/// How many events a second come in.
pub(crate) const CALM: u64 = 2_000;

/// So many appends wait for the disk together under full load.
const AT_ONCE: usize = 64;

/// How long the consumer waits for the next record before it gives up.
const NEXT_MAX: Duration = Duration::from_secs(30);

/// For so long, about, events come that do not count: until topics are known, sessions have begun, what was appended
/// meanwhile is caught up with, and the broker, which has just been started, is compiled. Without it the first two
/// seconds are all that 99 of 100 tell of.
pub(crate) const WARM_UP_S: u64 = 10;

/// So many events a second are taken for full load, to tell how many make a run.
const FULL: u64 = 20 * CALM;

struct Load {
    name: &'static str,
    /// A second; as many as go in where there is none.
    rate: Option<u64>,
    goal_ms: f64,
}

const LOADS: [Load; 2] = [
    Load { name: "from commit to a consumer at 2 000 events/s", rate: Some(CALM), goal_ms: 60.0 },
    Load { name: "from commit to a consumer under full load", rate: None, goal_ms: 150.0 },
];

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    broker: &Broker,
    report: &mut Report,
) -> anyhow::Result<()> {
    let seconds = if args.quick { 4 } else { 20 };
    let media = Medium::all(|what, why| report.skip(what, why))?;
    let loads = LOADS.iter().filter(|load| args.wants(load.name));
    for (load, medium) in loads.flat_map(|load| media.iter().map(move |medium| (load, medium))) {
        let rate = load.rate.unwrap_or(FULL);
        let warm_up = WARM_UP_S * rate;
        let waits = runtime.block_on(run(broker, load, medium, warm_up, warm_up + seconds * rate))?;
        add(report, load.name, &medium.name, Some(load.goal_ms), &waits)?;
    }
    Ok(())
}

/// Adds two figures: how long half of `waits`, which are sorted, are at most, and 99 of 100.
pub(crate) fn add(
    report: &mut Report,
    name: &str,
    medium: &str,
    goal_ms: Option<f64>,
    waits: &[Duration],
) -> anyhow::Result<()> {
    for (share, of, goal) in [(0.5, "50", None), (0.99, "99", goal_ms)] {
        let at = waits.get((waits.len() as f64 * share) as usize).context("nothing was measured")?;
        let ms = once(at.as_secs_f64() * 1_000.0, goal.unwrap_or(0.0));
        let figure = Figure::of(format!("{name}, {of} of 100"), medium, "ms", &ms);
        report.add(&if goal.is_some() { figure.at_most(1.0) } else { figure })?;
    }
    Ok(())
}

/// How long each of `seen` was seen behind its commit, in order of length, of those behind `warm_up`.
pub(crate) fn waits(committed: &[Instant], seen: &[Instant], warm_up: u64) -> Vec<Duration> {
    let both = committed.iter().zip(seen).skip(warm_up as usize);
    let mut waits: Vec<Duration> =
        both.map(|(committed, seen)| seen.saturating_duration_since(*committed)).collect();
    waits.sort_unstable();
    waits
}

/// The waits from the answer to a commit until a consumer has its event, in order of length, of those behind `warm_up`.
///
/// `medium` holds the store. The broker's files are on the disk: where the store's are too, each flush of the store
/// makes the broker wait.
async fn run(
    broker: &Broker,
    load: &Load,
    medium: &Medium,
    warm_up: u64,
    count: u64,
) -> anyhow::Result<Vec<Duration>> {
    let room = medium.room()?;
    let store: Arc<dyn EventStore> =
        Arc::new(SqliteStore::open(&SqliteOptions::new(room.path().join("log.db")))?);
    let (name, stop) = (broker.name("latency"), CancellationToken::new());
    let topic = format!("{name}.{CATEGORY}");
    broker.make_topic(&topic)?;
    let consuming = {
        let (bootstrap, topic) = (broker.bootstrap(), topic.clone());
        tokio::task::spawn_blocking(move || consume(&bootstrap, &topic, count))
    };
    let publisher = publisher(&name, broker.options()?, &store)?;
    let publishing = tokio::spawn(Runner::new(store.clone()).with(publisher).run(stop.clone()));
    let committed = append(&store, load.rate, count).await?;
    let seen = consuming.await??;
    stop.cancel();
    for ended in publishing.await? {
        ended.outcome?;
    }
    broker.remove_topic(&topic)?;
    Ok(waits(&committed, &seen, warm_up))
}

/// Appends `count` events; when each was answered, by position.
pub(crate) async fn append(
    store: &Arc<dyn EventStore>,
    rate: Option<u64>,
    count: u64,
) -> anyhow::Result<Vec<Instant>> {
    let began = tokio::time::Instant::now();
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut appending = tokio::task::JoinSet::new();
    for n in 0..count {
        if let Some(rate) = rate {
            tokio::time::sleep_until(began + Duration::from_micros(n * 1_000_000 / rate)).await;
        }
        let permit = permits.clone().acquire_owned().await?;
        let (store, stream, event) = (store.clone(), events::stream_of(n)?, events::event(n)?);
        appending.spawn(async move {
            let done = store.append(Commit::to(stream, Expected::Any, vec![event])).await;
            drop(permit);
            done.map(|done| (done.position.get(), Instant::now()))
        });
    }
    let mut all = vec![Instant::now(); count as usize];
    while let Some(done) = appending.join_next().await {
        let (position, at) = done??;
        *all.get_mut(position as usize - 1).context("a position beyond the end")? = at;
    }
    Ok(all)
}

/// When a consumer had each of `count` events, by position.
fn consume(bootstrap: &str, topic: &str, count: u64) -> anyhow::Result<Vec<Instant>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "latency")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("fetch.wait.max.ms", "10")
        .create()?;
    let mut list = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        list.add_partition_offset(topic, partition as i32, Offset::Beginning)?;
    }
    consumer.assign(&list)?;
    let mut all = vec![Instant::now(); count as usize];
    for seen in 0..count {
        let record =
            consumer.poll(NEXT_MAX).with_context(|| format!("nothing came after {seen} records"))??;
        let at = Instant::now();
        let position = Incoming::read(&record)?.event.position.get();
        ensure!((1..=count).contains(&position), "a record of position {position}");
        all[position as usize - 1] = at;
    }
    Ok(all)
}
