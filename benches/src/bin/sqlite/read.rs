//! Reading: the whole log, and single streams.

use crate::{
    plain::PlainReader,
    sample_log::{LENGTHS, SampleLog},
};
use annals::{EventStore, LogFilter, PageLimit, Position, StreamId, VersionRange, catch_up};
use annals_benches::{Args, Counting, Figure, Medium, Report, Stopwatch, Turn, pairs, shop::Maker};
use annals_sqlite::{SqliteOptions, SqliteStore};
use anyhow::ensure;
use tokio::runtime::Runtime;

/// As projections and publishers read: the next page is read while one is handled.
const SCAN: &str = "scan to owned records";

const PAGES: &str = "scan to owned records, a page after the other";
const LOADS: [&str; LENGTHS.len()] = ["load of 10 events", "load of 100 events", "load of 1 000 events"];

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    medium: &Medium,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !args.wants_any([SCAN, PAGES].into_iter().chain(LOADS)) {
        return Ok(());
    }
    let room = medium.room()?;
    let log = SampleLog::make(&room.path().join("log.db"), SampleLog::events_of(args))?;
    // Open for a turn only: connections of one process share the memory for pages, so both sides would take it from
    // each other.
    let open = || SqliteStore::open(&SqliteOptions::new(&log.path));
    let plain = || {
        let plain = PlainReader::new(&log.path)?;
        timed(log.events, || plain.scan())
    };
    if args.wants(SCAN) {
        let ours = || {
            let store = open()?;
            timed(log.events, || runtime.block_on(follow(&store)))
        };
        let pairs = pairs(args.rounds, ours, plain)?;
        report.add(&Figure::of(SCAN, &medium.name, "events/s", &pairs).at_least(0.8))?;
    }
    if args.quick {
        report.skip(PAGES, "it has no goal, and a quick run no time for it");
    } else if args.wants(PAGES) {
        let ours = || {
            let store = open()?;
            timed(log.events, || runtime.block_on(scan(&store)))
        };
        let pairs = pairs(args.rounds, ours, plain)?;
        report.add(&Figure::of(PAGES, &medium.name, "events/s", &pairs))?;
    }
    for (length, name) in LENGTHS.into_iter().zip(LOADS).filter(|(_, name)| args.wants(name)) {
        let streams = shuffled(args, &log, length)?;
        let events = streams.len() * length as usize;
        let ours = || {
            let store = open()?;
            timed(events, || runtime.block_on(load_all(&store, &streams)))
        };
        let limit = || {
            let plain = PlainReader::new(&log.path)?;
            timed(events, || load_all_plain(&plain, &streams))
        };
        let pairs = pairs(args.rounds, ours, limit)?;
        report.add(&Figure::of(name, &medium.name, "events/s", &pairs).at_least(0.8))?;
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

async fn follow(store: &SqliteStore) -> anyhow::Result<usize> {
    let mut counting = Counting::default();
    catch_up(store, &mut counting).await?;
    Ok(counting.events)
}

async fn scan(store: &SqliteStore) -> anyhow::Result<usize> {
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

async fn load_all(store: &SqliteStore, streams: &[StreamId]) -> anyhow::Result<usize> {
    let mut count = 0;
    for stream in streams {
        count += store.read(stream, VersionRange::ALL, PageLimit::DEFAULT).await?.len();
    }
    Ok(count)
}

fn load_all_plain(plain: &PlainReader, streams: &[StreamId]) -> anyhow::Result<usize> {
    let (mut load, mut count) = (plain.load()?, 0);
    for stream in streams {
        let loaded = load.stream(stream.as_str(), PageLimit::DEFAULT.get())?;
        count += std::hint::black_box(loaded).len();
    }
    Ok(count)
}

/// Streams in no order that their events lie in.
fn shuffled(args: &Args, log: &SampleLog, length: u64) -> anyhow::Result<Vec<StreamId>> {
    let mut streams = log.streams(length)?;
    let mut maker = Maker::new(4);
    for at in (1..streams.len()).rev() {
        streams.swap(at, maker.below(at + 1));
    }
    let events_max = if args.quick { 30_000 } else { 300_000 };
    streams.truncate(events_max / length as usize);
    Ok(streams)
}
