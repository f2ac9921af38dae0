//! Appends beside a publisher that follows, its broker there and its broker killed, and beside none.

use crate::{broker::Broker, events, publish::publisher};
use annals::{Commit, EventStore, Expected, Runner};
use annals_benches::{Args, Figure, Medium, Pairs, Report, Stopwatch, Turn};
use annals_kafka::{KafkaOptions, PublisherLag};
use annals_sqlite::{SqliteOptions, SqliteStore};
use anyhow::ensure;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, task::JoinSet};
use tokio_util::sync::CancellationToken;

const THERE: &str = "append, a publisher follows and its broker is there, beside no publisher";
const AWAY: &str = "append while the broker is away, beside no publisher";
const BOTH: &str = "append while the broker is away, beside when it is there";

/// So many appends wait for the disk together.
const AT_ONCE: usize = 64;

/// For so long it is appended before it counts.
const WARM_UP: Duration = Duration::from_secs(1);

/// How often it is looked whether a publisher has come to the end of that.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// How long that may take before it is given up.
const CATCH_UP_MAX: Duration = Duration::from_secs(60);

/// A turn is so many times as long as others: the publisher's queue is full of what the broker does not take long before
/// its end.
const LONGER: u32 = 2;

/// Who else is at work while it is appended. The broker is killed before the turn begins, unless it is wanted: one that
/// has just started takes a processor for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nobody,
    PublisherAndBroker,
    PublisherWithoutBroker,
}

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    broker: &Broker,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !args.wants_any([THERE, AWAY, BOTH]) {
        return Ok(());
    }
    let lasts = LONGER * args.turn();
    for medium in Medium::all(|what, why| report.skip(what, why))? {
        let turn = |beside| runtime.block_on(append_beside(broker, &medium, beside, lasts));
        let (mut there, mut away, mut both) = (Pairs::default(), Pairs::default(), Pairs::default());
        // The first turn of each does not count.
        for round in 0..=args.rounds {
            let alone = turn(Beside::Nobody)?;
            let with = turn(Beside::PublisherAndBroker)?;
            let without_broker = turn(Beside::PublisherWithoutBroker)?;
            if round > 0 {
                there.add(with, alone);
                away.add(without_broker, alone);
                both.add(without_broker, with);
            }
        }
        for (name, pairs) in [(THERE, there), (AWAY, away), (BOTH, both)] {
            report.add(&Figure::of(name, &*medium.name, "events/s", &pairs))?;
        }
    }
    Ok(())
}

/// Appends to a new log for so long; so many a second. An append that fails ends it.
async fn append_beside(
    broker: &Broker,
    medium: &Medium,
    beside: Beside,
    lasts: Duration,
) -> anyhow::Result<Turn> {
    let room = medium.room()?;
    let store: Arc<dyn EventStore> =
        Arc::new(SqliteStore::open(&SqliteOptions::new(room.path().join("log.db")))?);
    let (name, stop) = (broker.name("away"), CancellationToken::new());
    let runner = Runner::new(store.clone());
    let runner = match beside {
        Beside::Nobody => runner,
        _ => runner.with(publisher(&name, broker.options()?, &store)?),
    };
    let publishing = tokio::spawn(runner.run(stop.clone()));
    let before = append(&store, WARM_UP).await?;
    if beside != Beside::Nobody {
        until_published(&broker.options()?, &name, before).await?;
    }
    if beside != Beside::PublisherAndBroker {
        broker.kill()?;
    }
    let stopwatch = Stopwatch::start();
    let appended = append(&store, lasts).await?;
    let turn = stopwatch.stop(appended as usize);
    if beside != Beside::PublisherAndBroker {
        // Without it, the publisher would wait for what it has on its way before it ends.
        broker.start_again()?;
    }
    stop.cancel();
    for ended in publishing.await? {
        // That it could not publish meanwhile is what was wanted.
        if beside != Beside::PublisherWithoutBroker {
            ended.outcome?;
        }
    }
    Ok(turn)
}

/// Waits until the publisher `name` has come to position `end`: it follows.
async fn until_published(options: &KafkaOptions, name: &str, end: u64) -> anyhow::Result<()> {
    let began = Instant::now();
    while PublisherLag::read(options, name).await?.is_none_or(|lag| lag.position.get() < end) {
        ensure!(began.elapsed() < CATCH_UP_MAX, "{name} has not come to {end}");
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    Ok(())
}

/// Appends one event after the other, as many at once; how many there were.
async fn append(store: &Arc<dyn EventStore>, lasts: Duration) -> anyhow::Result<u64> {
    let (next, until) = (Arc::new(AtomicU64::new(0)), Instant::now() + lasts);
    let mut appending = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (store, next) = (store.clone(), next.clone());
        appending.spawn(async move {
            while Instant::now() < until {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let (stream, event) = (events::stream_of(n)?, events::event(n)?);
                store.append(Commit::to(stream, Expected::Any, vec![event])).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = appending.join_next().await {
        done??;
    }
    Ok(next.load(Ordering::Relaxed))
}
