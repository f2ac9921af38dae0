//! Reading: the whole log, and single streams, beside plain SELECTs over one connection.

use crate::{
    plain::{Owned, load_plain, scan_plain},
    server::Server,
    writers::append_all,
};
use annals::{
    Commit, EventStore, Expected, LogFilter, PageLimit, Position, StreamId, Version, VersionRange, catch_up,
};
use annals_benches::{Args, Counting, Figure, Report, Stopwatch, Turn, pairs, shop::Maker};
use anyhow::ensure;
use std::{cell::RefCell, sync::Arc};
use tokio::runtime::Runtime;

const SCAN: &str = "scan to owned records";
const PAGES: &str = "scan to owned records, a page after the other";
const LOADS: [(&str, u64); 3] =
    [("load of 10 events", 10), ("load of 100 events", 100), ("load of 1 000 events", 1_000)];

const SEED: u64 = 400;
const SCHEMA: &str = "read";

/// So many streams of each length grow at a time: their events lie between each other.
const GROWING: usize = 16;

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    server: &Server,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !args.wants_any([SCAN, PAGES].into_iter().chain(LOADS.map(|(name, _)| name))) {
        return Ok(());
    }
    let store: Arc<dyn EventStore> = Arc::new(runtime.block_on(server.store(SCHEMA))?);
    let events = if args.quick { 60_000 } else { 1_000_000 };
    let streams = runtime.block_on(fill(store.clone(), events))?;
    let plain = RefCell::new(runtime.block_on(server.connect())?);
    let events = streams.iter().map(|(length, streams)| streams.len() * *length as usize).sum();
    let limit = || timed(events, || runtime.block_on(scan_plain(&mut plain.borrow_mut())));
    if args.wants(SCAN) {
        let pairs = pairs(args.rounds, || timed(events, || runtime.block_on(follow(&*store))), limit)?;
        report.add(&Figure::of(SCAN, server.medium.name(), "events/s", &pairs).at_least(0.8))?;
    }
    if args.wants(PAGES) {
        let pairs = pairs(args.rounds, || timed(events, || runtime.block_on(scan(&*store))), limit)?;
        report.add(&Figure::of(PAGES, server.medium.name(), "events/s", &pairs))?;
    }
    for (name, length) in LOADS.into_iter().filter(|(name, _)| args.wants(name)) {
        let of_length = streams.iter().find(|(of, _)| *of == length).map(|(_, streams)| &streams[..]);
        let most = if args.quick { 10_000 } else { 100_000 } / length as usize;
        let some: Vec<StreamId> = of_length.unwrap_or_default().iter().take(most).cloned().collect();
        let events = some.len() * length as usize;
        let ours = || timed(events, || runtime.block_on(load(&*store, &some)));
        let limit = || {
            timed(events, || {
                let mut came = 0;
                for stream in &some {
                    let read: Vec<Owned> =
                        runtime.block_on(load_plain(&mut plain.borrow_mut(), stream.as_str()))?;
                    came += std::hint::black_box(read).len();
                }
                Ok(came)
            })
        };
        let pairs = pairs(args.rounds, ours, limit)?;
        report.add(&Figure::of(name, server.medium.name(), "events/s", &pairs).at_least(0.8))?;
    }
    Ok(())
}

/// A third of the events in streams of each length, one event a commit; the streams by their length.
async fn fill(store: Arc<dyn EventStore>, events: usize) -> anyhow::Result<Vec<(u64, Vec<StreamId>)>> {
    let (mut maker, mut all, mut of_writer) = (Maker::new(SEED), vec![], vec![]);
    for (_, length) in LOADS {
        let rounds = events / LOADS.len() / length as usize / GROWING;
        let mut streams = vec![];
        for writer in 0..GROWING {
            let mut commits = vec![];
            for round in 0..rounds {
                let id = StreamId::new("order", format_args!("{length}-{writer}-{round}"))?;
                for version in 0..length {
                    let events = maker.events(&id, 1)?;
                    commits.push(Commit::to(id.clone(), Expected::Exactly(Version::new(version)), events));
                }
                streams.push(id);
            }
            of_writer.push(commits);
        }
        all.push((length, streams));
    }
    append_all(store, of_writer).await?;
    Ok(all)
}

/// How many events a second; `events` must have come.
fn timed(events: usize, read: impl FnOnce() -> anyhow::Result<usize>) -> anyhow::Result<Turn> {
    let watch = Stopwatch::start();
    let came = read()?;
    let turn = watch.stop(events);
    ensure!(came == events, "{came} events came instead of {events}");
    Ok(turn)
}

/// As subscribers read: the next page is asked for before one is handled.
async fn follow(store: &dyn EventStore) -> anyhow::Result<usize> {
    let mut counting = Counting::default();
    catch_up(store, &mut counting).await?;
    Ok(counting.events)
}

async fn scan(store: &dyn EventStore) -> anyhow::Result<usize> {
    let (mut at, mut count) = (Position::START, 0);
    loop {
        let page = store.read_log(at, PageLimit::DEFAULT, &LogFilter::all()).await?;
        count += page.events.len();
        at = page.looked;
        if page.is_at_head() {
            return Ok(count);
        }
    }
}

async fn load(store: &dyn EventStore, streams: &[StreamId]) -> anyhow::Result<usize> {
    let mut count = 0;
    for stream in streams {
        count += store.read(stream, VersionRange::ALL, PageLimit::DEFAULT).await?.len();
    }
    Ok(count)
}
