//! `cargo xtask bench kafka`: publishing beside Kafka's own `ProducerPerformance` on the same broker, consuming beside
//! a loop by hand.
#![expect(clippy::print_stdout, reason = "a command line speaks by printing")]

use annals_benches::{Args, Report};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use tokio::runtime::Runtime;

mod broker;
mod events;
mod limit;
mod parcel_rows;
mod parcels;
mod plain;
mod plain_consumer;

mod away;
mod consume;
mod latency;
mod memory;
mod publish;
mod read_model;

/// As the programs have it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(
    about = "Measures publishing to Kafka beside Kafka's own producer, and consuming beside a loop by hand"
)]
struct Cli {
    #[command(flatten)]
    args: Args,
    #[command(subcommand)]
    part: Option<Part>,
}

/// What this program runs as a process of its own.
#[derive(Subcommand)]
enum Part {
    /// Publishes a log and prints the most memory that took, in KiB
    #[command(hide = true)]
    Publish { log: PathBuf, url: String, name: String },
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let (args, runtime) = (&cli.args, Runtime::new()?);
    if let Some(Part::Publish { log, url, name }) = &cli.part {
        println!("{}", memory::peak_here(&runtime, log, url, name)?);
        return Ok(());
    }
    let mut report =
        Report::begin("annals with Apache Kafka, beside ProducerPerformance and a loop by hand", args);
    let broker = broker::Broker::start()?;
    publish::measure(args, &runtime, &broker, &mut report)?;
    memory::measure(args, &runtime, &broker, &mut report)?;
    consume::measure(args, &runtime, &broker, &mut report)?;
    latency::measure(args, &runtime, &broker, &mut report)?;
    read_model::measure(args, &runtime, &broker, &mut report)?;
    // The last: it kills the broker, and leaves its topics there.
    away::measure(args, &runtime, &broker, &mut report)?;
    report.end();
    Ok(())
}
