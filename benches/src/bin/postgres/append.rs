//! Appends of one event: one writer, and many.

use crate::{
    load::{Load, RESTRICTED, SINGLES},
    pgbench::Pgbench,
    writers::Writers,
};
use annals_benches::{
    Args, Figure, Report, once, pairs,
    postgres::{Medium, Server},
};
use annals_postgres::{PostgresStore, Right};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// How many bytes the server has written to its log so far.
const LOG_BYTES: &str = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint";

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    server: &Server,
    report: &mut Report,
) -> anyhow::Result<()> {
    if server.medium == Medium::Tmpfs && args.wants(RESTRICTED.name) {
        restricted(args, runtime, server, report)?;
    }
    if !args.wants_any(SINGLES.iter().map(|load| load.name)) {
        return Ok(());
    }
    for (number, load) in (1..).zip(&SINGLES).filter(|(_, load)| args.wants(load.name)) {
        let store = Arc::new(runtime.block_on(server.store(&format!("annals_{number}")))?);
        let writers = Writers::new(store, number, load.writers, load.events_a_commit, args.turn());
        let pgbench = Pgbench::new(server, number, load.writers, args.turn())?;
        let ours = || Ok(writers.turn(runtime)?.turn);
        let pairs = pairs(args.rounds, ours, || pgbench.turn())?;
        let figure = Figure::of(load.name, server.medium.name(), "events/s", &pairs);
        report.add(&figure.at_least(load.goal(server.medium)))?;
        counted(load, runtime, server, &writers, report)?;
    }
    Ok(())
}

/// The only other one of its kind on a server has the next number.
const RESTRICTED_NUMBER: u64 = SINGLES.len() as u64 + 1;

fn restricted(args: &Args, runtime: &Runtime, server: &Server, report: &mut Report) -> anyhow::Result<()> {
    let schema = "annals_restricted";
    let store = runtime.block_on(async {
        server.say("CREATE ROLE appender LOGIN").await?;
        server.store(schema).await?.grant("appender", Right::Append).await?;
        let options = format!("postgres://appender@127.0.0.1:{}/postgres?schema={schema}", server.port());
        anyhow::Ok(PostgresStore::open(&options.parse()?).await?)
    })?;
    let load = &RESTRICTED;
    let writers =
        Writers::new(Arc::new(store), RESTRICTED_NUMBER, load.writers, load.events_a_commit, args.turn());
    let pgbench = Pgbench::new(server, RESTRICTED_NUMBER, load.writers, args.turn())?;
    let pairs = pairs(args.rounds, || Ok(writers.turn(runtime)?.turn), || pgbench.turn())?;
    let figure = Figure::of(load.name, server.medium.name(), "events/s", &pairs);
    report.add(&figure.at_least(load.goal(server.medium)))
}

/// How many transactions that wrote something the server has begun so far.
const TRANSACTIONS: &str = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint";

/// What noise does not touch.
fn counted(
    load: &Load,
    runtime: &Runtime,
    server: &Server,
    writers: &Writers,
    report: &mut Report,
) -> anyhow::Result<()> {
    let bytes = || runtime.block_on(server.number(LOG_BYTES));
    let transactions = || runtime.block_on(server.number(TRANSACTIONS));
    let (flushes_before, bytes_before, transactions_before) = (server.flushes()?, bytes()?, transactions()?);
    let appended = writers.turn(runtime)?;
    let transactions = (transactions()? - transactions_before) as f64 / appended.waits.len().max(1) as f64;
    let (flushes, bytes) = (server.flushes()? - flushes_before, bytes()? - bytes_before);
    let medium = server.medium.name();
    let per_flush = appended.events as f64 / (flushes as f64).max(1.0);
    let figure = |what: &str, unit: &str, value| {
        Figure::of(format!("{}: {what}", load.name), medium, unit, &once(value, 0.0))
    };
    let name = format!("{}: events a flush of the server's log", load.name);
    let carried = Figure::of(name, medium, "events", &once(per_flush, load.writers as f64));
    report.add(&match load.goal_a_flush() {
        Some(goal) => carried.at_least(goal),
        None => carried,
    })?;
    report.add(&figure(
        "bytes of the server's log an event",
        "bytes",
        bytes as f64 / appended.events as f64,
    ))?;
    report.add(&figure("statements that write, an append", "statements", transactions))?;
    report.add(&figure("wait of 99 of 100", "ms", appended.wait_ms(99.0)))
}
