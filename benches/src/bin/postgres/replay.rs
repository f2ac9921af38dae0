//! Replays: a read model made from nothing, beside a loop written by hand.

use crate::{
    plain_replay::{By, PlainReplay},
    read::timed,
    sample::Sample,
};
use annals::{DocumentStore, EventStore, PageLimit, Projection, Projector, catch_up};
use annals_benches::{
    Args, Figure, Report, Turn, pairs,
    postgres::Server,
    shop::{PerCustomer, PerOrder},
};
use annals_postgres::{PostgresDocuments, PostgresStore};
use anyhow::ensure;
use std::{cell::Cell, sync::Arc};
use tokio::runtime::Runtime;

/// Name, keys and lanes.
const FIGURES: [(&str, By, u32); 3] = [
    ("replay into a document an order, in stream order", By::Order, 1),
    ("replay into 100 000 documents, random keys", By::Customer, 1),
    ("replay into 100 000 documents, random keys, 2 lanes", By::Customer, 2),
];

/// Whether any of its figures is asked for.
pub(crate) fn is_wanted(args: &Args) -> bool {
    args.wants_any(FIGURES.map(|(name, ..)| name))
}

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    server: &Server,
    sample: &Sample,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut plain = None;
    for (name, by, lanes) in FIGURES.into_iter().filter(|(name, ..)| args.wants(name)) {
        let plain = match &mut plain {
            Some(plain) => plain,
            None => plain.insert(runtime.block_on(PlainReplay::new(server))?),
        };
        let documents = Cell::new(0);
        let turn = Cell::new(0);
        let ours = || {
            turn.set(turn.get() + 1);
            // Read models of their own, gone afterwards.
            let schema = format!("views_{by:?}_{lanes}_{}", turn.get()).to_lowercase();
            let options = server.options(&schema)?;
            let views = Arc::new(runtime.block_on(PostgresDocuments::open(&options))?);
            let (turn, first) = match by {
                By::Customer => replayed(PerCustomer, runtime, sample, &views, lanes)?,
                By::Order => replayed(PerOrder, runtime, sample, &views, lanes)?,
            };
            ensure!(first == documents.get().min(PageLimit::MAX.get()), "there are {first} documents");
            drop(views);
            runtime.block_on(server.say(&format!("DROP SCHEMA {schema} CASCADE")))?;
            Ok(turn)
        };
        let limit = || {
            runtime.block_on(plain.empty())?;
            let turn = timed(sample.events, || runtime.block_on(plain.run(by)))?;
            documents.set(runtime.block_on(plain.documents())?);
            Ok(turn)
        };
        let pairs = pairs(args.rounds, ours, limit)?;
        report.add(&Figure::of(name, server.medium.name(), "events/s", &pairs).at_least(0.6))?;
    }
    Ok(())
}

/// Fills the read model; answers how long that took, and how many documents a first page of it holds.
fn replayed<P: Projection>(
    projection: P,
    runtime: &Runtime,
    sample: &Sample,
    views: &Arc<PostgresDocuments>,
    lanes: u32,
) -> anyhow::Result<(Turn, usize)> {
    let replay = replay(projection, sample.store.clone(), views.clone(), lanes);
    let turn = timed(sample.events, || runtime.block_on(replay))?;
    Ok((turn, runtime.block_on(first_documents(P::NAME, views))?))
}

/// Fills the read model; answers how many positions it went over.
async fn replay<P: Projection>(
    projection: P,
    store: Arc<dyn EventStore>,
    documents: Arc<PostgresDocuments>,
    lanes: u32,
) -> anyhow::Result<usize> {
    let mut projector = Projector::new(projection, store.clone(), documents).lanes(lanes);
    Ok(catch_up(&*store, &mut projector).await?.get() as usize)
}

async fn first_documents(name: &str, views: &PostgresDocuments) -> anyhow::Result<usize> {
    let Some((live, _)) = views.live(name).await? else { return Ok(0) };
    Ok(views.documents(&live, None, PageLimit::MAX).await?.len())
}

/// What a process of its own does: fills one read model, and tells how much memory that took at most, in KiB.
pub(crate) async fn replay_here(url: &str, log: &str, views: &str) -> anyhow::Result<u64> {
    let options = |schema: &str| format!("{url}?schema={schema}").parse();
    let store = Arc::new(PostgresStore::open(&options(log)?).await?);
    replay(PerCustomer, store, Arc::new(PostgresDocuments::open(&options(views)?).await?), 1).await?;
    Ok(annals_benches::peak_memory_kib().unwrap_or_default())
}
