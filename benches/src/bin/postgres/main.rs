//! `cargo xtask bench postgres`: annals on PostgreSQL beside pgbench and plain statements on the same server and
//! layout.
#![expect(clippy::print_stdout, reason = "a command line speaks by printing")]

use annals_benches::{
    Args, Report,
    postgres::{Medium, Server, stop_servers_on_signals},
};
use clap::{Parser, Subcommand};
use sample::Sample;
use tokio::runtime::Runtime;

mod load;
mod pgbench;
mod plain;
mod plain_replay;
mod sample;
mod straight;
mod writers;

mod append;
mod growth;
mod hot;
mod hundred;
mod memory;
mod pool;
mod processes;
mod read;
mod replay;
mod waking;

/// As the programs have it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Measures annals on PostgreSQL beside pgbench and plain statements")]
struct Cli {
    #[command(flatten)]
    args: Args,
    #[command(subcommand)]
    part: Option<Part>,
}

/// What this program runs as a process of its own.
#[derive(Subcommand)]
enum Part {
    /// Appends as one of several processes
    #[command(hide = true)]
    Appender { url: String, seed: u64, each: usize },
    /// Follows the log and tells what it has seen, and when
    #[command(hide = true)]
    Follower { url: String, after: u64, events: usize },
    /// Fills a read model and tells how much memory that took
    #[command(hide = true)]
    Replay { url: String, log: String, views: String },
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let (args, runtime) = (&cli.args, Runtime::new()?);
    match &cli.part {
        None => measure(args, &runtime),
        Some(Part::Appender { url, seed, each }) => processes::append_here(&runtime, url, *seed, *each),
        Some(Part::Follower { url, after, events }) => {
            runtime.block_on(waking::follow_here(url, *after, *events))
        }
        Some(Part::Replay { url, log, views }) => {
            println!("{}", runtime.block_on(replay::replay_here(url, log, views))?);
            Ok(())
        }
    }
}

fn measure(args: &Args, runtime: &Runtime) -> anyhow::Result<()> {
    stop_servers_on_signals(runtime)?;
    let mut report = Report::begin("annals on PostgreSQL beside pgbench and plain statements", args);
    for medium in Medium::ALL {
        let server = match Server::start(medium) {
            Ok(server) => server,
            Err(why) => {
                report.skip(medium.name(), format_args!("{why:#}"));
                continue;
            }
        };
        runtime.block_on(server.prepare())?;
        append::measure(args, runtime, &server, &mut report)?;
        hundred::measure(args, runtime, &server, &mut report)?;
        // What is read does not wait for a flush, and a quick run has no time to fill one more log.
        let reads = medium != Medium::SlowFlushes && !(args.quick && medium == Medium::Tmpfs);
        if reads {
            read_and_replay(args, runtime, &server, &mut report)?;
        }
        pool::measure(args, runtime, &server, &mut report)?;
        if args.quick && medium == Medium::SlowFlushes {
            continue;
        }
        hot::measure(args, runtime, &server, &mut report)?;
        processes::measure(args, &server, &mut report)?;
        waking::measure(args, runtime, &server, &mut report)?;
        if medium != Medium::SlowFlushes {
            growth::measure(args, runtime, &server, &mut report)?;
        }
    }
    report.end();
    Ok(())
}

/// What needs a log that is full.
fn read_and_replay(
    args: &Args,
    runtime: &Runtime,
    server: &Server,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !read::is_wanted(args) && !replay::is_wanted(args) && !memory::is_wanted(args) {
        return Ok(());
    }
    let sample = Sample::make(runtime, server, Sample::SCHEMA, Sample::events_of(args))?;
    read::measure(args, runtime, server, &sample, report)?;
    replay::measure(args, runtime, server, &sample, report)?;
    memory::measure(args, runtime, server, report)
}
