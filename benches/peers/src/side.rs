//! What both sides do: tasks that add lines to orders, each to orders of its own.

use annals_benches::{
    Stopwatch, Turn,
    shop::{Line, Maker},
};
use async_trait::async_trait;
use std::{cell::Cell, sync::Arc, time::Duration};
use tokio::{runtime::Runtime, sync::Barrier, task::JoinSet};
use uuid::Uuid;

pub(crate) const WRITERS: usize = 64;

/// A connection for each writer: more than the peers propose, and better for them where flushes are slow.
pub(crate) const CONNECTIONS: u32 = 64;

/// An order takes so many lines; then its writer begins another.
const LINES_AN_ORDER: u64 = 10;

const FIRST_EACH: usize = 10;
const EACH_MAX: usize = 4_000;

/// A library.
#[async_trait]
pub(crate) trait Side: Send + Sync {
    /// Adds `line` to `order`, which holds `before` of them and nobody else changes.
    async fn add(&self, order: Uuid, before: u64, line: Line) -> anyhow::Result<()>;
}

/// Writers of one side, for a turn at a time.
pub(crate) struct Writers {
    side: Arc<dyn Side>,
    turn: Duration,
    each: Cell<usize>,
}

impl Writers {
    pub(crate) fn new(side: Arc<dyn Side>, turn: Duration) -> Self {
        Self { side, turn, each: Cell::new(FIRST_EACH) }
    }

    /// How many lines a second.
    pub(crate) fn turn(&self, runtime: &Runtime) -> anyhow::Result<Turn> {
        let turn = runtime.block_on(add_all(self.side.clone(), self.each.get()))?;
        let fits = self.turn.as_secs_f64() * turn.value / WRITERS as f64;
        self.each.set((fits as usize).clamp(FIRST_EACH, EACH_MAX));
        Ok(turn)
    }
}

async fn add_all(side: Arc<dyn Side>, each: usize) -> anyhow::Result<Turn> {
    let ready = Arc::new(Barrier::new(WRITERS + 1));
    let mut writers = JoinSet::new();
    let mut maker = Maker::new(1);
    for _ in 0..WRITERS {
        let lines: Vec<Line> = (0..each).map(|_| maker.line()).collect();
        let (side, ready) = (side.clone(), ready.clone());
        writers.spawn(async move {
            ready.wait().await;
            let mut order = Uuid::now_v7();
            for (line, before) in lines.into_iter().zip((0..LINES_AN_ORDER).cycle()) {
                if before == 0 {
                    order = Uuid::now_v7();
                }
                side.add(order, before, line).await?;
            }
            anyhow::Ok(())
        });
    }
    ready.wait().await;
    let watch = Stopwatch::start();
    while let Some(done) = writers.join_next().await {
        done??;
    }
    Ok(watch.stop(WRITERS * each))
}
