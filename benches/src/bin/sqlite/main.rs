//! `cargo xtask bench sqlite`: annals on SQLite beside a plain rusqlite program with the same tables, indexes,
//! triggers and settings.
#![expect(clippy::print_stdout, reason = "a command line speaks by printing")]

use annals_benches::{Args, Medium, Report, peak_memory_kib};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use tokio::runtime::Runtime;

mod plain;

mod append;
mod commands;
mod flushes;
mod memory;
mod read;
mod replay;
mod sample_log;

/// As the programs have it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Measures annals on SQLite beside a plain rusqlite program")]
struct Cli {
    #[command(flatten)]
    args: Args,
    #[command(subcommand)]
    part: Option<Part>,
}

/// What this program runs as a process of its own.
#[derive(Subcommand)]
enum Part {
    /// Measures appends where flushes are slow and counted; JSON on stdout
    #[command(hide = true)]
    Flushes,
    /// Replays a log once and tells the most memory it took, in KiB
    #[command(hide = true)]
    Replay { log: PathBuf, views: PathBuf },
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let (args, runtime) = (&cli.args, Runtime::new()?);
    match &cli.part {
        None => measure(args, &runtime),
        Some(Part::Flushes) => flushes::measure_here(args, &runtime),
        Some(Part::Replay { log, views }) => {
            runtime.block_on(replay::replay_files(log, views))?;
            println!("{}", peak_memory_kib().unwrap_or(0));
            Ok(())
        }
    }
}

fn measure(args: &Args, runtime: &Runtime) -> anyhow::Result<()> {
    let mut report = Report::begin("annals on SQLite beside plain rusqlite", args);
    let media = Medium::all(|what, why| report.skip(what, why))?;
    for medium in &media {
        append::measure(args, runtime, medium, &mut report)?;
    }
    flushes::measure_apart(args, &mut report)?;
    for medium in &media {
        read::measure(args, runtime, medium, &mut report)?;
        replay::measure(args, runtime, medium, &mut report)?;
        memory::measure(args, medium, &mut report)?;
        commands::measure(args, runtime, medium, &mut report)?;
    }
    report.end();
    Ok(())
}
