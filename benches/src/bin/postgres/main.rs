//! `cargo xtask bench postgres`: annals on PostgreSQL beside pgbench and plain statements on the same server and layout.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks by printing")]

use annals_benches::{Args, Report};
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use tokio::runtime::Runtime;

mod load;
mod pgbench;
mod plain;
mod server;
mod writers;

mod append;
mod hot;
mod hundred;
mod processes;
mod read;
mod waking;

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
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let (args, runtime) = (&cli.args, Runtime::new()?);
    match &cli.part {
        None => measure(args, &runtime),
        Some(Part::Appender { url, seed, each }) => processes::append_here(&runtime, url, *seed, *each),
    }
}

fn measure(args: &Args, runtime: &Runtime) -> anyhow::Result<()> {
    let mut report = Report::begin("annals on PostgreSQL beside pgbench and plain statements", args);
    for medium in server::Medium::ALL {
        let server = match server::Server::start(medium) {
            Ok(server) => server,
            Err(why) => {
                report.skip(medium.name(), format_args!("{why:#}"));
                continue;
            }
        };
        runtime.block_on(server.prepare())?;
        append::measure(args, runtime, &server, &mut report)?;
        hundred::measure(args, runtime, &server, &mut report)?;
        if medium == server::Medium::SlowFlushes && args.quick {
            continue;
        }
        read::measure(args, runtime, &server, &mut report)?;
        hot::measure(args, runtime, &server, &mut report)?;
        processes::measure(args, &server, &mut report)?;
        waking::measure(args, runtime, &server, &mut report)?;
    }
    report.end();
    Ok(())
}
