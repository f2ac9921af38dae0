//! Appends: many senders, one sender, and many events at a time.

use crate::plain::PlainLog;
use annals::{Commit, EventStore};
use annals_benches::{Args, Figure, Kind, Medium, Pairs, Report, Stopwatch, Turn, pairs, shop::Senders};
use annals_sqlite::{SqliteOptions, SqliteStore};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::{runtime::Runtime, sync::Barrier, task::JoinSet};

/// Who appends how much at a time, and what is expected of it.
pub(crate) struct Load {
    pub(crate) name: &'static str,
    pub(crate) senders: usize,
    pub(crate) events_a_commit: u32,
    disk: Option<f64>,
    tmpfs: Option<f64>,
    /// With flushes that take a millisecond longer.
    pub(crate) slow: Option<f64>,
}

/// What is measured. A plain transaction holds what all senders together have in flight.
pub(crate) const LOADS: [Load; 3] = [
    Load {
        name: "append, 64 writers x 1 event",
        senders: 64,
        events_a_commit: 1,
        disk: Some(0.80),
        tmpfs: Some(0.72),
        slow: Some(0.90),
    },
    Load {
        name: "append, 1 writer x 1 event",
        senders: 1,
        events_a_commit: 1,
        disk: Some(0.70),
        tmpfs: None,
        slow: None,
    },
    Load {
        name: "append, 8 writers x 100 events",
        senders: 8,
        events_a_commit: 100,
        disk: Some(0.90),
        tmpfs: Some(0.90),
        slow: None,
    },
];

/// Two different seeds, so that nothing one side made helps the other.
const SEEDS: (u64, u64) = (1, 2);

/// A turn holds at least and at most so many commits of each sender.
const COMMITS_EACH: (usize, usize) = (20, 20_000);

/// A turn holds at most so many events, so that they fit in memory.
const EVENTS_A_TURN_MAX: usize = 400_000;

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    medium: &Medium,
    report: &mut Report,
) -> anyhow::Result<()> {
    for load in LOADS.iter().filter(|load| args.wants(load.name)) {
        let room = medium.room()?;
        let mut bench = AppendBench::new(room.path(), load, args.turn())?;
        let pairs = bench.pairs(args.rounds, runtime)?;
        let figure = Figure::of(load.name, &medium.name, "events/s", &pairs);
        let goal = if medium.kind == Kind::Disk { load.disk } else { load.tmpfs };
        report.add(&with_goal(figure, goal))?;
        if load.senders > 1 {
            let name = format!("{}: events a transaction", load.name);
            let per_transaction =
                annals_benches::once(bench.events_a_transaction()?, load.in_flight() as f64);
            report.add(&Figure::of(name, &medium.name, "events", &per_transaction))?;
        }
    }
    Ok(())
}

pub(crate) fn with_goal(figure: Figure, goal: Option<f64>) -> Figure {
    match goal {
        Some(goal) => figure.at_least(goal),
        None => figure,
    }
}

impl Load {
    /// How many events are on their way at a time.
    pub(crate) fn in_flight(&self) -> usize {
        self.senders * self.events_a_commit as usize
    }
}

/// Two logs, one of annals and one of a plain loop, and who appends to them.
pub(crate) struct AppendBench {
    ours: SqliteOptions,
    plain: PlainLog,
    senders: Senders,
    plain_senders: Senders,
    commits_each: usize,
    in_flight: usize,
}

impl AppendBench {
    pub(crate) fn new(room: &Path, load: &Load, turn: Duration) -> anyhow::Result<Self> {
        let mut bench = Self {
            ours: SqliteOptions::new(room.join("ours.db")),
            plain: PlainLog::new(&room.join("plain.db"))?,
            senders: Senders::new(SEEDS.0, load.senders, load.events_a_commit),
            plain_senders: Senders::new(SEEDS.1, load.senders, load.events_a_commit),
            commits_each: COMMITS_EACH.0,
            in_flight: load.in_flight(),
        };
        // How much fits in a turn is for the plain loop to say.
        let a_second = bench.plain_turn()?.value / bench.in_flight as f64;
        let fits = turn.as_secs_f64() * a_second;
        let most = COMMITS_EACH.1.min(EVENTS_A_TURN_MAX / bench.in_flight);
        bench.commits_each = (fits as usize).clamp(COMMITS_EACH.0, most);
        Ok(bench)
    }

    pub(crate) fn pairs(&mut self, rounds: u32, runtime: &Runtime) -> anyhow::Result<Pairs> {
        let bench = std::cell::RefCell::new(self);
        pairs(rounds, || bench.borrow_mut().our_turn(runtime), || bench.borrow_mut().plain_turn())
    }

    pub(crate) fn our_turn(&mut self, runtime: &Runtime) -> anyhow::Result<Turn> {
        let commits = self.senders.commits(self.commits_each)?;
        // Open for the turn only: connections of one process share the memory for pages, so both sides would take it
        // from each other.
        let store = Arc::new(SqliteStore::open(&self.ours)?);
        runtime.block_on(append_all(store, commits))
    }

    pub(crate) fn plain_turn(&mut self) -> anyhow::Result<Turn> {
        let rows = self.plain.rows(self.plain_senders.commits(self.commits_each)?)?;
        self.plain.write(&rows, self.in_flight)
    }

    /// How many events a turn holds.
    pub(crate) fn events_a_turn(&self) -> usize {
        self.commits_each * self.in_flight
    }

    /// All events of a transaction are recorded at one time.
    fn events_a_transaction(&self) -> anyhow::Result<f64> {
        let log = rusqlite::Connection::open(&self.ours.path)?;
        let counts = "SELECT count(*), count(DISTINCT recorded_at) FROM log";
        let (events, times): (f64, f64) = log.query_row(counts, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(events / times.max(1.0))
    }
}

/// Each sender appends one commit after the other; from when all may begin until all are done.
pub(crate) async fn append_all(store: Arc<SqliteStore>, of_sender: Vec<Vec<Commit>>) -> anyhow::Result<Turn> {
    let events = of_sender.iter().flatten().map(Commit::events).sum();
    let ready = Arc::new(Barrier::new(of_sender.len() + 1));
    let mut senders = JoinSet::new();
    for commits in of_sender {
        let (store, ready) = (store.clone(), ready.clone());
        senders.spawn(async move {
            ready.wait().await;
            for commit in commits {
                store.append(commit).await?;
            }
            anyhow::Ok(())
        });
    }
    ready.wait().await;
    let watch = Stopwatch::start();
    while let Some(done) = senders.join_next().await {
        done??;
    }
    Ok(watch.stop(events))
}
