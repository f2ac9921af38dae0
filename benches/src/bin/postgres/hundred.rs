//! Appends of a hundred events, beside plain statements that insert a hundred rows each.

use crate::writers::Writers;
use annals::Commit;
use annals_benches::{Args, Figure, Report, Stopwatch, Turn, pairs, postgres::Server, shop::Senders};
use sqlx::PgConnection;
use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::Duration,
};
use tokio::{runtime::Runtime, task::JoinSet};
use uuid::Uuid;

/// Name and writers of each figure.
const LOADS: [(&str, usize); 2] =
    [("append, 1 writer x 100 events", 1), ("append, 8 writers x 100 events", 8)];

const EVENTS: u32 = 100;
const FIRST_EACH: usize = 5;
const EACH_MAX: usize = 2_000;

/// Apart from every seed of [`Writers`], so that no id is made twice.
const PLAIN_SEED: u64 = 1_000;
const OUR_SEED: u64 = 100;

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    server: &Server,
    report: &mut Report,
) -> anyhow::Result<()> {
    for (number, (name, writers)) in (0..).zip(LOADS).filter(|(_, (name, _))| args.wants(name)) {
        let store = Arc::new(runtime.block_on(server.store(&format!("hundreds_{number}")))?);
        let ours = Writers::new(store, OUR_SEED + number, writers, EVENTS, args.turn());
        let plain = Plain::new(runtime, server, number, writers, args.turn())?;
        let pairs = pairs(args.rounds, || Ok(ours.turn(runtime)?.turn), || plain.turn(runtime))?;
        let figure = Figure::of(name, server.medium.name(), "events/s", &pairs);
        // Several connections insert on several cores; a log with one order has one lane.
        report.add(&if writers == 1 { figure.at_least(0.9) } else { figure })?;
    }
    Ok(())
}

/// Connections that insert into the bare table.
struct Plain {
    connections: RefCell<Vec<PgConnection>>,
    senders: RefCell<Senders>,
    /// Streams of this figure begin here.
    first_stream: i64,
    version: Cell<i64>,
    turn: Duration,
    each: Cell<usize>,
}

/// What one statement binds.
#[derive(Default)]
struct Rows {
    versions: Vec<i64>,
    ids: Vec<Uuid>,
    indexes: Vec<i16>,
    metadata: Vec<String>,
    payloads: Vec<String>,
}

impl Plain {
    fn new(
        runtime: &Runtime,
        server: &Server,
        number: u64,
        writers: usize,
        turn: Duration,
    ) -> anyhow::Result<Self> {
        let connect = async {
            let mut connections = vec![];
            for _ in 0..writers {
                connections.push(server.connect().await?);
            }
            anyhow::Ok(connections)
        };
        let connections = RefCell::new(runtime.block_on(connect)?);
        let senders = RefCell::new(Senders::new(PLAIN_SEED + number, writers, EVENTS));
        let first_stream = ((number as i64) + 1) << 20;
        Ok(Self {
            connections,
            senders,
            first_stream,
            version: Cell::new(0),
            turn,
            each: Cell::new(FIRST_EACH),
        })
    }

    fn turn(&self, runtime: &Runtime) -> anyhow::Result<Turn> {
        let mut version = self.version.get();
        let commits = self.senders.borrow_mut().commits(self.each.get())?;
        let count = commits.iter().map(Vec::len).sum::<usize>() * EVENTS as usize;
        let of_writer: Vec<Vec<Rows>> = commits
            .into_iter()
            .map(|commits| {
                version = self.version.get();
                commits.into_iter().map(|commit| Rows::of(commit, &mut version)).collect()
            })
            .collect();
        self.version.set(version);
        let connections = std::mem::take(&mut *self.connections.borrow_mut());
        let (turn, connections) =
            runtime.block_on(insert_all(connections, of_writer, self.first_stream, count))?;
        *self.connections.borrow_mut() = connections;
        let fits = self.turn.as_secs_f64() * turn.value / count as f64 * self.each.get() as f64;
        self.each.set((fits as usize).clamp(FIRST_EACH, EACH_MAX));
        Ok(turn)
    }
}

impl Rows {
    fn of(commit: Commit, version: &mut i64) -> Self {
        let mut rows = Self::default();
        for (index, event) in commit.into_writes().into_iter().flat_map(|write| write.events).enumerate() {
            *version += 1;
            rows.versions.push(*version);
            rows.ids.push(event.id.uuid());
            rows.indexes.push(index as i16);
            rows.metadata.push(event.metadata.as_str().to_owned());
            rows.payloads.push(event.payload.as_str().to_owned());
        }
        rows
    }
}

async fn insert_all(
    connections: Vec<PgConnection>,
    of_writer: Vec<Vec<Rows>>,
    first_stream: i64,
    count: usize,
) -> anyhow::Result<(Turn, Vec<PgConnection>)> {
    let watch = Stopwatch::start();
    let mut writers = JoinSet::new();
    for (stream, (mut connection, statements)) in (first_stream..).zip(connections.into_iter().zip(of_writer))
    {
        writers.spawn(async move {
            for Rows { versions, ids, indexes, metadata, payloads } in statements {
                let insert =
                    sqlx::query(include_str!("insert_rows.sql")).bind(stream).bind(versions).bind(ids);
                insert.bind(indexes).bind(metadata).bind(payloads).execute(&mut connection).await?;
            }
            anyhow::Ok(connection)
        });
    }
    let mut connections = vec![];
    while let Some(done) = writers.join_next().await {
        connections.push(done??);
    }
    Ok((watch.stop(count), connections))
}
