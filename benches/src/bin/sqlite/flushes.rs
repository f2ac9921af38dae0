//! Appends where each flush takes a millisecond longer, in a process of its own: a C library is loaded before it,
//! which also counts flushes and bytes.

use crate::append::{AppendBench, LOADS, with_goal};
use annals_benches::{Args, Figure, Medium, Preload, Report, SyncCounts, Turn, once};
use anyhow::{Context, bail};
use std::process::{Command, Stdio};
use tokio::runtime::Runtime;

/// How much longer a flush takes, in microseconds.
const LONGER_US: u64 = 1_000;

const MEDIUM: &str = "tmpfs + 1 ms";

/// Measures in a process of its own.
pub(crate) fn measure_apart(args: &Args, report: &mut Report) -> anyhow::Result<()> {
    if !args.wants_any(LOADS.iter().map(|load| load.name)) {
        return Ok(());
    }
    let Some(tmpfs) = Medium::tmpfs() else {
        report.skip(MEDIUM, "there is no tmpfs at /dev/shm");
        return Ok(());
    };
    let preload = match Preload::compile(Medium::disk()?.room()?) {
        Ok(preload) => preload,
        Err(why) => {
            report.skip(MEDIUM, format_args!("{why:#}"));
            return Ok(());
        }
    };
    drop(tmpfs);
    let mut child = Command::new(std::env::current_exe()?);
    child.args(["--json", "--rounds", &args.rounds.to_string()]).stderr(Stdio::inherit());
    if let Some(only) = &args.only {
        child.args(["--only", only]);
    }
    if args.quick {
        child.arg("--quick");
    }
    preload.before(child.arg("flushes"), LONGER_US);
    let done = child.output().context("cannot run this program again")?;
    if !done.status.success() {
        bail!("the part with slow flushes ended with {}", done.status);
    }
    for line in String::from_utf8(done.stdout)?.lines() {
        report.add(&serde_json::from_str::<Figure>(line)?)?;
    }
    Ok(())
}

/// Measures in this process, which has the library.
pub(crate) fn measure_here(args: &Args, runtime: &Runtime) -> anyhow::Result<()> {
    let mut report = Report::begin("slow flushes", args);
    let medium = Medium::tmpfs().context("there is no tmpfs at /dev/shm")?;
    if SyncCounts::now().is_none() {
        bail!("the library that counts flushes is not loaded");
    }
    for load in LOADS.iter().filter(|load| args.wants(load.name)) {
        let room = medium.room()?;
        let mut bench = AppendBench::new(room.path(), load, args.turn())?;
        let pairs = bench.pairs(args.rounds, runtime)?;
        report.add(&with_goal(Figure::of(load.name, MEDIUM, "events/s", &pairs), load.slow))?;
        let events = bench.events_a_turn();
        let ours = counted(events, || bench.our_turn(runtime))?;
        let plain = counted(events, || bench.plain_turn())?;
        let flushes = once(ours.0, plain.0);
        report.add(&Figure::of(format!("{}: flushes an event", load.name), MEDIUM, "flushes", &flushes))?;
        let bytes = once(ours.1, plain.1);
        report.add(&Figure::of(format!("{}: bytes written an event", load.name), MEDIUM, "bytes", &bytes))?;
    }
    Ok(())
}

/// Flushes and bytes for each event of a turn.
fn counted(events: usize, turn: impl FnOnce() -> anyhow::Result<Turn>) -> anyhow::Result<(f64, f64)> {
    let before = SyncCounts::now().context("flushes are not counted")?;
    turn()?;
    let counted = SyncCounts::now().context("flushes are not counted")?.since(before);
    Ok((counted.syncs as f64 / events as f64, counted.bytes as f64 / events as f64))
}
