//! Reading: the whole log, and single streams, beside plain SELECTs over one connection.

use crate::{
    plain::{Owned, load_plain, scan_plain},
    sample::Sample,
};
use annals::{EventStore, LogFilter, PageLimit, Position, StreamId, VersionRange, catch_up};
use annals_benches::{Args, Counting, Figure, Report, Stopwatch, Turn, pairs, postgres::Server};
use anyhow::ensure;
use std::cell::RefCell;
use tokio::runtime::Runtime;

const SCAN: &str = "scan to owned records";
const PAGES: &str = "scan to owned records, a page after the other";
const LOADS: [(&str, u64); 3] =
    [("load of 10 events", 10), ("load of 100 events", 100), ("load of 1 000 events", 1_000)];

/// Whether any of its figures is asked for.
pub(crate) fn is_wanted(args: &Args) -> bool {
    args.wants_any([SCAN, PAGES].into_iter().chain(LOADS.map(|(name, _)| name)))
}

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    server: &Server,
    sample: &Sample,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !is_wanted(args) {
        return Ok(());
    }
    let (store, events) = (&sample.store, sample.events);
    let plain = RefCell::new(runtime.block_on(server.connect())?);
    let limit = || timed(events, || runtime.block_on(scan_plain(&mut plain.borrow_mut())));
    if args.wants(SCAN) {
        let pairs = pairs(args.rounds, || timed(events, || runtime.block_on(follow(&**store))), limit)?;
        report.add(&Figure::of(SCAN, server.medium.name(), "events/s", &pairs).at_least(0.8))?;
    }
    if args.wants(PAGES) && !args.quick {
        let pairs = pairs(args.rounds, || timed(events, || runtime.block_on(scan(&**store))), limit)?;
        report.add(&Figure::of(PAGES, server.medium.name(), "events/s", &pairs))?;
    }
    for (name, length) in LOADS.into_iter().filter(|(name, _)| args.wants(name)) {
        let most = if args.quick { 10_000 } else { 100_000 } / length as usize;
        let some: Vec<StreamId> = sample.streams(length).into_iter().take(most).collect();
        let events = some.len() * length as usize;
        let ours = || timed(events, || runtime.block_on(load(&**store, &some)));
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

/// How many events a second; `events` must have come.
pub(crate) fn timed(events: usize, read: impl FnOnce() -> anyhow::Result<usize>) -> anyhow::Result<Turn> {
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
