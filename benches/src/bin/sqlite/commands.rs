//! Commands end to end: load, decide, append. Beside appending alone, on the same streams.

use crate::append::append_all;
use annals::{Commit, Context, Engine, Expected, StreamId};
use annals_benches::{
    Args, Figure, Medium, Report, Stopwatch, Turn, pairs,
    shop::{AddLine, Maker, Order},
};
use annals_sqlite::{SqliteOptions, SqliteStore};
use std::sync::Arc;
use tokio::{runtime::Runtime, sync::Barrier, task::JoinSet};

const CACHED: &str = "commands, 64 writers, with the cache";
const UNCACHED: &str = "commands, 64 writers, without the cache";

const WRITERS: usize = 64;

/// How many orders there are, and how many events each has before anything is measured.
const ORDERS: usize = 10_000;
const EVENTS_BEFORE: u32 = 5;

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    medium: &Medium,
    report: &mut Report,
) -> anyhow::Result<()> {
    for (name, cached) in [(CACHED, true), (UNCACHED, false)] {
        if !args.wants(name) {
            continue;
        }
        let room = medium.room()?;
        let store = Arc::new(SqliteStore::open(&SqliteOptions::new(room.path().join("log.db")))?);
        runtime.block_on(append_all(store.clone(), before(&mut Maker::new(5))?))?;
        let engine = Engine::new(store.clone());
        let engine = Arc::new(if cached { engine } else { engine.cache_entries_max(0) });
        let each = if args.quick { 100 } else { 800 };
        // Apart, so that neither repeats an id of the other.
        let (mut maker, mut plain_maker) = (Maker::new(6), Maker::new(7));
        let pairs = pairs(
            args.rounds,
            || runtime.block_on(execute_all(engine.clone(), commands(&mut maker, each)?)),
            || runtime.block_on(append_all(store.clone(), appends(&mut plain_maker, each)?)),
        )?;
        report.add(&Figure::of(name, &medium.name, "commands/s beside appends/s", &pairs))?;
    }
    Ok(())
}

fn key(number: usize) -> String {
    format!("{number:010x}")
}

fn stream(number: usize) -> anyhow::Result<StreamId> {
    Ok(StreamId::new("order", key(number))?)
}

fn before(maker: &mut Maker) -> anyhow::Result<Vec<Vec<Commit>>> {
    let mut of_writer = vec![vec![]; WRITERS];
    for number in 0..ORDERS {
        let id = stream(number)?;
        let events = maker.events(&id, EVENTS_BEFORE)?;
        of_writer[number % WRITERS].push(Commit::to(id, Expected::NEW, events));
    }
    Ok(of_writer)
}

/// For each writer, commands on orders of any number, each with its context.
fn commands(maker: &mut Maker, each: usize) -> anyhow::Result<Vec<Vec<(String, AddLine, Context)>>> {
    let mut command = || (key(maker.below(ORDERS)), AddLine(maker.line()), Context::of(maker.command()));
    Ok((0..WRITERS).map(|_| (0..each).map(|_| command()).collect()).collect())
}

fn appends(maker: &mut Maker, each: usize) -> anyhow::Result<Vec<Vec<Commit>>> {
    let mut commit = || {
        let id = stream(maker.below(ORDERS))?;
        let events = maker.events(&id, 1)?;
        anyhow::Ok(Commit::to(id, Expected::Any, events))
    };
    (0..WRITERS).map(|_| (0..each).map(|_| commit()).collect()).collect()
}

async fn execute_all(
    engine: Arc<Engine>,
    of_writer: Vec<Vec<(String, AddLine, Context)>>,
) -> anyhow::Result<Turn> {
    let count = of_writer.iter().map(Vec::len).sum();
    let ready = Arc::new(Barrier::new(of_writer.len() + 1));
    let mut writers = JoinSet::new();
    for commands in of_writer {
        let (engine, ready) = (engine.clone(), ready.clone());
        writers.spawn(async move {
            ready.wait().await;
            for (id, command, context) in commands {
                engine.execute::<Order>(&id, &command, context).await?;
            }
            anyhow::Ok(())
        });
    }
    ready.wait().await;
    let watch = Stopwatch::start();
    while let Some(done) = writers.join_next().await {
        done??;
    }
    Ok(watch.stop(count))
}
