//! Appends of one event: one writer, and many.

use crate::{
    load::{Load, SINGLES},
    pgbench::Pgbench,
    writers::Writers,
};
use annals_benches::{Args, Figure, Report, once, pairs, postgres::Server};
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
    report.add(&figure("events a flush of the server's log", "events", per_flush))?;
    report.add(&figure(
        "bytes of the server's log an event",
        "bytes",
        bytes as f64 / appended.events as f64,
    ))?;
    report.add(&figure("statements that write, an append", "statements", transactions))?;
    report.add(&figure("wait of 99 of 100", "ms", appended.wait_ms(99.0)))
}
