//! From a commit to a follower that has it: in the same process, and in another one.

use crate::writers::append_all;
use annals::{Commit, EventStore, Expected, LogFilter, PageLimit, Position, StreamId};
use annals_benches::{Args, Figure, Report, once, postgres::Server, shop::Maker};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

/// Name, whether the follower has a store of its own as in another process, and how long it may take, in milliseconds.
const WAYS: [(&str, bool, f64); 2] = [
    ("from commit to a follower, same process, 99 of 100", false, 5.0),
    ("from commit to a follower, other process, 99 of 100", true, 50.0),
];

/// Appends besides those that are timed: under load.
const WRITERS: usize = 8;
const EACH: usize = 300;
const TIMED: usize = 300;
const SEED: u64 = 300;

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    server: &Server,
    report: &mut Report,
) -> anyhow::Result<()> {
    for (number, (name, apart, ms_max)) in (0..).zip(WAYS).filter(|(_, (name, ..))| args.wants(name)) {
        let ms = runtime.block_on(delay_ms(server, SEED + number, apart))?;
        report.add(&Figure::of(name, server.medium.name(), "ms", &once(ms, ms_max)).at_most(1.0))?;
    }
    Ok(())
}

async fn delay_ms(server: &Server, seed: u64, apart: bool) -> anyhow::Result<f64> {
    let store: Arc<dyn EventStore> = Arc::new(server.store("annals").await?);
    // What another process would have: connections and a listener of its own.
    let follower: Arc<dyn EventStore> =
        if apart { Arc::new(server.store("annals").await?) } else { store.clone() };
    let mut maker = Maker::new(seed);
    let mut commits = |name: &str, count: usize| -> anyhow::Result<Vec<Commit>> {
        let id = StreamId::new("order", format_args!("waking-{seed}-{name}"))?;
        let commit = |_| Ok(Commit::to(id.clone(), Expected::Any, maker.events(&id, 1)?));
        (0..count).map(commit).collect()
    };
    let others =
        (0..WRITERS).map(|writer| commits(&writer.to_string(), EACH)).collect::<anyhow::Result<_>>()?;
    let timed = commits("timed", TIMED)?;
    let begin = *follower.head().borrow();
    // Whoever follows has its connection: opening one takes as long as fifty commits.
    follower.read_log(begin, PageLimit::ONE, &LogFilter::all()).await?;
    let seen = tokio::spawn(follow(follower, begin, TIMED + WRITERS * EACH));
    let load = tokio::spawn(append_all(store.clone(), others));
    let mut committed = vec![];
    for commit in timed {
        committed.push((store.append(commit).await?.position, Instant::now()));
    }
    load.await??;
    let seen = seen.await??;
    let mut delays: Vec<Duration> = committed
        .iter()
        .filter_map(|(position, at)| {
            let page = seen.iter().find(|(looked, _)| looked >= position)?;
            Some(page.1.saturating_duration_since(*at))
        })
        .collect();
    delays.sort_unstable();
    let at = delays.len() * 99 / 100;
    Ok(delays.get(at).map_or(f64::NAN, |delay| delay.as_secs_f64() * 1e3))
}

/// Reads behind `after` as a subscriber does until so many events came; up to where, and when.
async fn follow(
    store: Arc<dyn EventStore>,
    after: Position,
    events: usize,
) -> anyhow::Result<Vec<(Position, Instant)>> {
    let (mut head, mut at, mut came, mut seen) = (store.head(), after, 0, vec![]);
    while came < events {
        let page = store.read_log(at, PageLimit::DEFAULT, &LogFilter::all()).await?;
        came += page.events.len();
        if page.looked > at {
            at = page.looked;
            seen.push((at, Instant::now()));
        } else {
            head.wait_for(|head| *head > at).await?;
        }
    }
    Ok(seen)
}
