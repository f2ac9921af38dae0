//! The most memory that a replay takes, each in a process of its own.

use crate::sample::Sample;
use annals_benches::{Args, Figure, Pairs, Report, postgres::Server};
use anyhow::{Context, ensure};
use std::process::Command;
use tokio::runtime::Runtime;

const FLAT: &str = "peak memory of a replay beside one of a tenth of the events";
const SMALL: &str = "peak memory of a replay beside 64 MB";

/// The most that a replay may take, in KiB: 64 MB.
const KIB_MAX: f64 = 64e6 / 1024.0;

/// Logs of these lengths take the same, as far as this.
const FLAT_WITHIN: f64 = 1.1;

/// The short log.
const TENTH: &str = "tenth";

/// Whether any of its figures is asked for.
pub(crate) fn is_wanted(args: &Args) -> bool {
    args.wants_any([FLAT, SMALL])
}

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    server: &Server,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !is_wanted(args) {
        return Ok(());
    }
    let (mut flat, mut small) = (Pairs::default(), Pairs::default());
    let rounds = if args.quick { 1 } else { args.rounds };
    if args.quick {
        report.skip(FLAT, "a quick run is too short to tell");
    } else {
        Sample::make(runtime, server, TENTH, Sample::events_of(args) / 10)?;
    }
    for round in 0..rounds {
        let peak = |log: &str| peak_of(runtime, server, log, &format!("views_of_{log}_{round}"));
        let ours = peak(Sample::SCHEMA)?;
        small.add(ours, KIB_MAX);
        if !args.quick {
            flat.add(ours, peak(TENTH)?);
        }
    }
    if !args.quick {
        report.add(&Figure::of(FLAT, server.medium.name(), "KiB", &flat).at_most(FLAT_WITHIN))?;
    }
    report.add(&Figure::of(SMALL, server.medium.name(), "KiB", &small).at_most(1.0))
}

fn peak_of(runtime: &Runtime, server: &Server, log: &str, views: &str) -> anyhow::Result<f64> {
    let mut child = Command::new(std::env::current_exe()?);
    child.arg("replay").args([&server.url(), log, views]);
    let done = child.output().context("cannot run this program again")?;
    let told = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "the replay in a process of its own failed: {}", told.trim());
    let peak: f64 = String::from_utf8(done.stdout)?.trim().parse()?;
    ensure!(peak > 0.0, "the kernel does not tell how much memory a process took");
    runtime.block_on(server.say(&format!("DROP SCHEMA {views} CASCADE")))?;
    Ok(peak)
}
