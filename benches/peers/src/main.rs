//! `cargo xtask bench peers`: commands (load, decide, append) and bare appends of annals beside those of other
//! libraries, on the same servers, with 64 writers.

use annals_benches::{
    Args, Figure, Pairs, Report, pairs,
    postgres::{Medium, Server, stop_servers_on_signals},
};
use clap::Parser;
use std::sync::Arc;
use tokio::runtime::Runtime;

mod annals_side;
mod cqrs_es_side;
mod disintegrate_side;
mod esrs_side;
mod side;

use side::{CONNECTIONS, Side, Writers};

const CQRS_ES: &str = "cqrs-es 0.5";
const ESRS: &str = "esrs 0.18";
const DISINTEGRATE: &str = "disintegrate 4";

/// What our commands reach with the cache of aggregates, where a flush takes its time.
const BESIDE_CQRS_ES: f64 = 8.0;

#[derive(Parser)]
#[command(about = "Measures annals beside other libraries on PostgreSQL")]
struct Cli {
    #[command(flatten)]
    args: Args,
}

fn main() -> anyhow::Result<()> {
    let Cli { args } = Cli::parse();
    let runtime = Runtime::new()?;
    stop_servers_on_signals(&runtime)?;
    let mut report = Report::begin("annals beside other libraries on PostgreSQL, 64 writers", &args);
    for medium in Medium::ALL {
        let server = match Server::start(medium) {
            Ok(server) => server,
            Err(why) => {
                report.skip(medium.name(), format_args!("{why:#}"));
                continue;
            }
        };
        measure(&args, &runtime, &server, &mut report)?;
    }
    report.end();
    Ok(())
}

fn measure(args: &Args, runtime: &Runtime, server: &Server, report: &mut Report) -> anyhow::Result<()> {
    let medium = server.medium;
    let cached = Arc::new(runtime.block_on(annals_side::Commands::open(server, "cached", true))?);
    let uncached = Arc::new(runtime.block_on(annals_side::Commands::open(server, "uncached", false))?);
    let appends = Arc::new(runtime.block_on(annals_side::Appends::open(server))?);
    let pool = || async {
        sqlx::postgres::PgPoolOptions::new().max_connections(CONNECTIONS).connect(&server.url()).await
    };
    let cqrs_es = Arc::new(runtime.block_on(async { cqrs_es_side::Commands::open(pool().await?).await })?);
    let esrs = Arc::new(runtime.block_on(async { esrs_side::Commands::open(pool().await?).await })?);

    let beside = |what: &str, peer: &str| format!("{what}, beside {peer}");
    for (what, ours) in
        [("commands with the cache", cached as Arc<dyn Side>), ("commands without the cache", uncached)]
    {
        let has_goal = what == "commands with the cache" && medium != Medium::Tmpfs;
        let name = beside(what, CQRS_ES);
        if args.wants(&name) {
            let figure = figure(name, args, runtime, medium, ours.clone(), cqrs_es.clone())?;
            report.add(&if has_goal { figure.at_least(BESIDE_CQRS_ES) } else { figure })?;
        }
        let name = beside(what, ESRS);
        if args.wants(&name) {
            report.add(&figure(name, args, runtime, medium, ours.clone(), esrs.clone())?)?;
        }
    }
    let name = beside("bare appends", DISINTEGRATE);
    if args.wants(&name) {
        // It asks for PostgreSQL 16 or newer.
        match runtime.block_on(async { disintegrate_side::Appends::open(pool().await?).await }) {
            Ok(peer) => report.add(&figure(name, args, runtime, medium, appends, Arc::new(peer))?)?,
            Err(why) => report.skip(&name, format_args!("it does not run here: {why:#}")),
        }
    }
    Ok(())
}

fn figure(
    name: String,
    args: &Args,
    runtime: &Runtime,
    medium: Medium,
    ours: Arc<dyn Side>,
    peer: Arc<dyn Side>,
) -> anyhow::Result<Figure> {
    let (ours, peer) = (Writers::new(ours, args.turn()), Writers::new(peer, args.turn()));
    let pairs: Pairs = pairs(args.rounds, || ours.turn(runtime), || peer.turn(runtime))?;
    Ok(Figure::of(name, medium.name(), "a second", &pairs))
}
