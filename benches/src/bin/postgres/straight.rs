//! The least that a batch takes: one connection inserts as many rows as there are writers, one statement after the other,
//! with nobody to take them from and nobody to answer.

use crate::{
    pool::{AS_OURS, WRITERS},
    writers::Appended,
};
use annals_benches::{Stopwatch, postgres::Server};
use sqlx::PgConnection;
use std::{
    cell::{Cell, RefCell},
    time::Instant,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// Other streams than those of the pool.
const FIRST_STREAM: i64 = 1 << 41;

/// As many statements as ours send in a turn.
const STATEMENTS: usize = 400;

pub(crate) struct Straight {
    connection: RefCell<PgConnection>,
    payload: String,
    version: Cell<i64>,
}

impl Straight {
    pub(crate) fn new(runtime: &Runtime, server: &Server, payload: String) -> anyhow::Result<Self> {
        let mut connection = runtime.block_on(server.connect())?;
        runtime.block_on(sqlx::raw_sql(AS_OURS).execute(&mut connection))?;
        Ok(Self { connection: RefCell::new(connection), payload, version: Cell::new(0) })
    }

    pub(crate) fn turn(&self, runtime: &Runtime) -> anyhow::Result<Appended> {
        let (mut waits, watch) = (Vec::with_capacity(STATEMENTS), Stopwatch::start());
        let connection = &mut *self.connection.borrow_mut();
        for _ in 0..STATEMENTS {
            self.version.set(self.version.get() + 1);
            let began = Instant::now();
            runtime.block_on(self.insert(connection))?;
            waits.push(began.elapsed());
        }
        waits.sort_unstable();
        let events = WRITERS * STATEMENTS;
        Ok(Appended { turn: watch.stop(events), events, waits })
    }

    async fn insert(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let streams: Vec<i64> = (FIRST_STREAM..).take(WRITERS).collect();
        let ids: Vec<Uuid> = std::iter::repeat_with(Uuid::now_v7).take(WRITERS).collect();
        let insert = sqlx::query(include_str!("insert_batch.sql")).bind(streams);
        let insert = insert.bind(vec![self.version.get(); WRITERS]).bind(ids);
        insert.bind(vec![self.payload.as_str(); WRITERS]).execute(connection).await.map(drop)
    }
}
