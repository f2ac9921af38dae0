//! How long appends wait with 64 writers, beside a pool of as many connections that append with the same checks.

use crate::{
    straight::Straight,
    writers::{Appended, Writers},
};
use annals_benches::{Args, Figure, Report, Stopwatch, pairs, postgres::Server, shop::Maker};
use sqlx::PgConnection;
use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::Instant,
};
use tokio::{runtime::Runtime, task::JoinSet};
use uuid::Uuid;

const WAIT: &str = "append, 64 writers: wait of 99 of 100, beside a pool of 64 connections";
const STRAIGHT: &str = "insert of 64 rows, one loop: wait of 99 of 100, beside a pool of 64 connections";
const STRAIGHT_RATE: &str = "insert of 64 rows, one loop, beside a pool of 64 connections";
pub(crate) const WRITERS: usize = 64;
const SEED: u64 = 500;

/// Streams of the pool begin here.
const FIRST_STREAM: i64 = 1 << 40;

/// It plans as our connections do: what the server believes of a table that was just filled made it four times as slow.
pub(crate) const AS_OURS: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off; SET jit = off";

/// How many appends a turn of the pool holds for each connection.
const EACH: usize = 40;

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    server: &Server,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !args.wants_any([WAIT, STRAIGHT, STRAIGHT_RATE]) {
        return Ok(());
    }
    let pool = Pool::new(runtime, server)?;
    let limit = || Ok(pool.turn(runtime)?.wait_ms(99.0).into());
    if args.wants(WAIT) {
        let store = Arc::new(runtime.block_on(server.store("beside_pool"))?);
        let ours = Writers::new(store, SEED, WRITERS, 1, args.turn());
        let pairs = pairs(args.rounds, || Ok(ours.turn(runtime)?.wait_ms(99.0).into()), limit)?;
        report.add(&Figure::of(WAIT, server.medium.name(), "ms", &pairs).at_most(0.2))?;
    }
    // What the server and its flushes leave of that goal, whoever appends.
    let straight = Straight::new(runtime, server, pool.payload.clone())?;
    if args.wants(STRAIGHT) {
        let pairs = pairs(args.rounds, || Ok(straight.turn(runtime)?.wait_ms(99.0).into()), limit)?;
        report.add(&Figure::of(STRAIGHT, server.medium.name(), "ms", &pairs))?;
    }
    if args.wants(STRAIGHT_RATE) {
        let pairs = pairs(args.rounds, || Ok(straight.turn(runtime)?.turn), || Ok(pool.turn(runtime)?.turn))?;
        report.add(&Figure::of(STRAIGHT_RATE, server.medium.name(), "events/s", &pairs))?;
    }
    Ok(())
}

/// Each writer has a connection and a stream of its own.
struct Pool {
    connections: RefCell<Vec<PgConnection>>,
    payload: String,
    version: Cell<i64>,
}

impl Pool {
    fn new(runtime: &Runtime, server: &Server) -> anyhow::Result<Self> {
        let mut connections = vec![];
        for _ in 0..WRITERS {
            let mut connection = runtime.block_on(server.connect())?;
            runtime.block_on(sqlx::raw_sql(AS_OURS).execute(&mut connection))?;
            connections.push(connection);
        }
        let payload = Maker::new(SEED).events(&"order-1".parse()?, 1)?.remove(0).payload.as_str().to_owned();
        Ok(Self { connections: RefCell::new(connections), payload, version: Cell::new(0) })
    }

    fn turn(&self, runtime: &Runtime) -> anyhow::Result<Appended> {
        let connections = std::mem::take(&mut *self.connections.borrow_mut());
        let first = self.version.replace(self.version.get() + EACH as i64);
        let all = append_all(connections, self.payload.clone(), first);
        let (appended, connections) = runtime.block_on(all)?;
        *self.connections.borrow_mut() = connections;
        Ok(appended)
    }
}

async fn append_all(
    connections: Vec<PgConnection>,
    payload: String,
    first: i64,
) -> anyhow::Result<(Appended, Vec<PgConnection>)> {
    let (watch, mut writers) = (Stopwatch::start(), JoinSet::new());
    for (stream, mut connection) in (FIRST_STREAM..).zip(connections) {
        let payload = payload.clone();
        writers.spawn(async move {
            let mut waits = Vec::with_capacity(EACH);
            for expected in (first..).take(EACH) {
                let began = Instant::now();
                let insert = sqlx::query(include_str!("insert_checked.sql")).bind(stream).bind(expected);
                let insert = insert.bind(Uuid::now_v7()).bind(&payload);
                let written = insert.execute(&mut connection).await?.rows_affected();
                anyhow::ensure!(written == 1, "the stream is elsewhere");
                waits.push(began.elapsed());
            }
            anyhow::Ok((connection, waits))
        });
    }
    let (mut connections, mut waits) = (vec![], vec![]);
    while let Some(done) = writers.join_next().await {
        let (connection, waited) = done??;
        connections.push(connection);
        waits.extend(waited);
    }
    waits.sort_unstable();
    let events = WRITERS * EACH;
    Ok((Appended { turn: watch.stop(events), events, waits }, connections))
}
