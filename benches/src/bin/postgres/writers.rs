//! Our side: tasks that append to a store, one commit after the other.

use annals::{Commit, EventStore};
use annals_benches::{Stopwatch, Turn, shop::Senders};
use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, sync::Barrier, task::JoinSet};

/// A first turn, to find out how many fit in one.
const FIRST_EACH: usize = 20;

/// A turn holds at most so many events, so that they fit in memory.
const EVENTS_A_TURN_MAX: usize = 400_000;

/// Tasks that append what was made before the turn began.
pub(crate) struct Writers {
    store: Arc<dyn EventStore>,
    senders: RefCell<Senders>,
    events_at_once: usize,
    turn: Duration,
    each: Cell<usize>,
}

/// What a turn of ours shows.
pub(crate) struct Appended {
    pub(crate) turn: Turn,
    pub(crate) events: usize,
    /// How long each append took, shortest first.
    pub(crate) waits: Vec<Duration>,
}

impl Writers {
    pub(crate) fn new(
        store: Arc<dyn EventStore>,
        seed: u64,
        writers: usize,
        events_a_commit: u32,
        turn: Duration,
    ) -> Self {
        let senders = RefCell::new(Senders::new(seed, writers, events_a_commit));
        let events_at_once = writers * events_a_commit as usize;
        Self { store, senders, events_at_once, turn, each: Cell::new(FIRST_EACH) }
    }

    /// One turn.
    pub(crate) fn turn(&self, runtime: &Runtime) -> anyhow::Result<Appended> {
        let commits = self.senders.borrow_mut().commits(self.each.get())?;
        let appended = runtime.block_on(append_all(self.store.clone(), commits))?;
        let fits = self.turn.as_secs_f64() * appended.turn.value / self.events_at_once as f64;
        let most = (EVENTS_A_TURN_MAX / self.events_at_once).max(FIRST_EACH);
        self.each.set((fits as usize).clamp(FIRST_EACH, most));
        Ok(appended)
    }
}

impl Appended {
    /// So many of a hundred appends took no longer.
    pub(crate) fn wait_ms(&self, percent: f64) -> f64 {
        let at =
            ((self.waits.len() as f64 * percent / 100.0) as usize).min(self.waits.len().saturating_sub(1));
        self.waits.get(at).map_or(0.0, |wait| wait.as_secs_f64() * 1e3)
    }
}

/// Each writer appends one commit after the other; from when all may begin until all are done.
pub(crate) async fn append_all(
    store: Arc<dyn EventStore>,
    of_writer: Vec<Vec<Commit>>,
) -> anyhow::Result<Appended> {
    let events = of_writer.iter().flatten().map(Commit::events).sum();
    let ready = Arc::new(Barrier::new(of_writer.len() + 1));
    let mut writers = JoinSet::new();
    for commits in of_writer {
        let (store, ready) = (store.clone(), ready.clone());
        writers.spawn(async move {
            let mut waits = Vec::with_capacity(commits.len());
            ready.wait().await;
            for commit in commits {
                let began = Instant::now();
                store.append(commit).await?;
                waits.push(began.elapsed());
            }
            anyhow::Ok(waits)
        });
    }
    ready.wait().await;
    let (watch, mut waits) = (Stopwatch::start(), vec![]);
    while let Some(done) = writers.join_next().await {
        waits.extend(done??);
    }
    let turn = watch.stop(events);
    waits.sort_unstable();
    Ok(Appended { turn, events, waits })
}
