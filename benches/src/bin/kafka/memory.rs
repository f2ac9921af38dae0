//! The most memory that publishing takes, each in a process of its own.

use crate::{
    broker::{Broker, CATEGORY},
    events,
    publish::{events_of, publisher},
};
use annals::{EventStore, catch_up};
use annals_benches::{Args, Figure, Medium, Pairs, Report, peak_memory_kib};
use annals_sqlite::{SqliteOptions, SqliteStore};
use anyhow::{Context, ensure};
use std::{path::Path, process::Command, sync::Arc};
use tokio::runtime::Runtime;

const FLAT: &str = "peak memory of publishing beside a third of the events";

/// The shorter log takes some seconds already: what waits in the client has its full length by then.
const LONGER: u64 = 3;

/// Logs of these lengths take the same, as far as this.
const FLAT_WITHIN: f64 = 1.1;

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    broker: &Broker,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !args.wants(FLAT) {
        return Ok(());
    }
    if args.quick {
        report.skip(FLAT, "a quick run is too short to tell");
        return Ok(());
    }
    let room = Medium::disk()?.room()?;
    let (long, short) = (room.path().join("long.db"), room.path().join("short.db"));
    for (log, count) in [(&long, LONGER * events_of(args)), (&short, events_of(args))] {
        let store: Arc<dyn EventStore> = Arc::new(SqliteStore::open(&SqliteOptions::new(log))?);
        runtime.block_on(events::fill(&store, count))?;
    }
    let mut pairs = Pairs::default();
    for _ in 0..args.rounds {
        let limit = peak_of(broker, &short)?;
        pairs.add(peak_of(broker, &long)?, limit);
    }
    report.add(&Figure::of(FLAT, "disk", "KiB", &pairs).at_most(FLAT_WITHIN))
}

fn peak_of(broker: &Broker, log: &Path) -> anyhow::Result<f64> {
    let name = broker.name("memory");
    let mut child = Command::new(std::env::current_exe()?);
    let done = child.arg("publish").arg(log).args([&broker.url(), &name]).output();
    let done = done.context("cannot run this program again")?;
    let told = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "publishing in a process of its own failed: {}", told.trim());
    broker.remove_topic(&format!("{name}.{CATEGORY}"))?;
    Ok(String::from_utf8(done.stdout)?.trim().parse()?)
}

/// Publishes the log at `log`; the most memory that this process then has taken, in KiB.
pub(crate) fn peak_here(runtime: &Runtime, log: &Path, url: &str, name: &str) -> anyhow::Result<u64> {
    let store: Arc<dyn EventStore> = Arc::new(SqliteStore::open(&SqliteOptions::new(log))?);
    let mut publisher = publisher(name, url.parse()?, &store)?;
    runtime.block_on(catch_up(&*store, &mut publisher))?;
    peak_memory_kib().context("the kernel does not tell how much memory a process took")
}
