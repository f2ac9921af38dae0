//! The most memory that a replay takes, each in a process of its own.

use crate::sample_log::SampleLog;
use annals_benches::{Args, Figure, Medium, Pairs, Report};
use anyhow::{Context, ensure};
use std::{path::Path, process::Command};

const FLAT: &str = "peak memory of a replay beside one of a tenth of the events";
const SMALL: &str = "peak memory of a replay beside 64 MB";

/// The most that a replay may take, in KiB: 64 MB.
const KIB_MAX: f64 = 64e6 / 1024.0;

/// Logs of these lengths take the same, as far as this.
const FLAT_WITHIN: f64 = 1.1;

pub(crate) fn measure(args: &Args, medium: &Medium, report: &mut Report) -> anyhow::Result<()> {
    if !args.wants_any([FLAT, SMALL]) {
        return Ok(());
    }
    let room = medium.room()?;
    let events = SampleLog::events_of(args);
    let long = SampleLog::make(&room.path().join("long.db"), events)?;
    let (mut flat, mut small) = (Pairs::default(), Pairs::default());
    if args.quick {
        report.skip(FLAT, "a quick run is too short to tell");
        small.add(peak_of(&long.path, &room.path().join("views.db"))?, KIB_MAX);
        return report.add(&Figure::of(SMALL, &medium.name, "KiB", &small).at_most(1.0));
    }
    let short = SampleLog::make(&room.path().join("short.db"), events / 10)?;
    for round in 0..args.rounds {
        let peak = |log: &SampleLog, name: &str| {
            let views = room.path().join(format!("{name}-{round}.db"));
            peak_of(&log.path, &views)
        };
        let (limit, ours) = (peak(&short, "short")?, peak(&long, "long")?);
        flat.add(ours, limit);
        small.add(ours, KIB_MAX);
    }
    report.add(&Figure::of(FLAT, &medium.name, "KiB", &flat).at_most(FLAT_WITHIN))?;
    report.add(&Figure::of(SMALL, &medium.name, "KiB", &small).at_most(1.0))
}

fn peak_of(log: &Path, views: &Path) -> anyhow::Result<f64> {
    let mut child = Command::new(std::env::current_exe()?);
    let done = child.arg("replay").args([log, views]).output().context("cannot run this program again")?;
    let told = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "the replay in a process of its own failed: {}", told.trim());
    let peak: f64 = String::from_utf8(done.stdout)?.trim().parse()?;
    ensure!(peak > 0.0, "the kernel does not tell how much memory a process took");
    Ok(peak)
}
