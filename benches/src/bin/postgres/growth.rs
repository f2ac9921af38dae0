//! Whether appends take longer behind a long log. Takes half an hour: only with `--long`, and on the disk.

use crate::writers::{Appended, Writers, append_all};
use annals::{Commit, EventStore, Expected, StreamId};
use annals_benches::{
    Args, Figure, Report, once,
    postgres::{Medium, Server},
    shop::Maker,
};
use std::{sync::Arc, time::Duration};
use tokio::runtime::Runtime;

const GROWTH: &str = "append, 1 writer: median wait at 10 000 000 events beside that at 10 000";
const SHORT: usize = 10_000;
const LONG: usize = 10_000_000;

/// How the log grows: so many tasks, each a stream, so many events a commit, so many commits at a time.
const FILLERS: usize = 4;
const A_COMMIT: u32 = 500;
const COMMITS: usize = 50;
const SEED: u64 = 600;

/// How long each of the two is measured.
const TURN: Duration = Duration::from_secs(5);

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    server: &Server,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !args.long || server.medium != Medium::Disk || !args.wants(GROWTH) {
        return Ok(());
    }
    let store: Arc<dyn EventStore> = Arc::new(runtime.block_on(server.store("growth"))?);
    let (mut maker, mut events) = (Maker::new(SEED), 0);
    let mut median_ms = |to: usize, seed: u64| -> anyhow::Result<f64> {
        while events < to {
            let most = (to - events).div_ceil(FILLERS * A_COMMIT as usize).min(COMMITS);
            let commits = commits(&mut maker, events, most)?;
            events += runtime.block_on(append_all(store.clone(), commits))?.events;
        }
        let writers = Writers::new(store.clone(), seed, 1, 1, TURN);
        writers.turn(runtime)?;
        let appended: Appended = writers.turn(runtime)?;
        events += appended.events;
        Ok(appended.wait_ms(50.0))
    };
    let (short, long) = (median_ms(SHORT, SEED + 1)?, median_ms(LONG, SEED + 2)?);
    report.add(&Figure::of(GROWTH, server.medium.name(), "ms", &once(long, short)).at_most(1.3))
}

fn commits(maker: &mut Maker, after: usize, count: usize) -> anyhow::Result<Vec<Vec<Commit>>> {
    let commits = |filler: usize| {
        let id = StreamId::new("order", format_args!("filled-{after}-{filler}"))?;
        let commit = |_| Ok(Commit::to(id.clone(), Expected::Any, maker.events(&id, A_COMMIT)?));
        (0..count).map(commit).collect::<anyhow::Result<Vec<_>>>()
    };
    (0..FILLERS).map(commits).collect()
}
