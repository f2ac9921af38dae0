//! Replays: a read model made from nothing, beside a loop written by hand.

use crate::{plain_replay::PlainReplay, read::timed, sample::Sample};
use annals::{DocumentStore, EventStore, PageLimit, Projection, Projector, catch_up};
use annals_benches::{Args, Figure, Report, pairs, postgres::Server, shop::PerCustomer};
use annals_postgres::{PostgresDocuments, PostgresStore};
use anyhow::ensure;
use std::{cell::Cell, sync::Arc};
use tokio::runtime::Runtime;

/// Name and lanes. Keys lie at random in the log.
const FIGURES: [(&str, u32); 2] =
    [("replay into 100 000 documents", 1), ("replay into 100 000 documents, 2 lanes", 2)];

/// Whether any of its figures is asked for.
pub(crate) fn is_wanted(args: &Args) -> bool {
    args.wants_any(FIGURES.map(|(name, _)| name))
}

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    server: &Server,
    sample: &Sample,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut plain = None;
    for (name, lanes) in FIGURES.into_iter().filter(|(name, _)| args.wants(name)) {
        let plain = match &mut plain {
            Some(plain) => plain,
            None => plain.insert(runtime.block_on(PlainReplay::new(server))?),
        };
        let documents = Cell::new(0);
        let turn = Cell::new(0);
        let ours = || {
            turn.set(turn.get() + 1);
            // Read models of their own, gone afterwards.
            let schema = format!("views_{lanes}_{}", turn.get());
            let options = server.options(&schema)?;
            let views = Arc::new(runtime.block_on(PostgresDocuments::open(&options))?);
            let replay = replay(sample.store.clone(), views.clone(), lanes);
            let turn = timed(sample.events, || runtime.block_on(replay))?;
            let first = runtime.block_on(first_documents(&views))?;
            ensure!(first == documents.get().min(PageLimit::MAX.get()), "there are {first} documents");
            drop(views);
            runtime.block_on(server.say(&format!("DROP SCHEMA {schema} CASCADE")))?;
            Ok(turn)
        };
        let limit = || {
            runtime.block_on(plain.empty())?;
            let turn = timed(sample.events, || runtime.block_on(plain.run()))?;
            documents.set(runtime.block_on(plain.documents())?);
            Ok(turn)
        };
        let pairs = pairs(args.rounds, ours, limit)?;
        report.add(&Figure::of(name, server.medium.name(), "events/s", &pairs).at_least(0.6))?;
    }
    Ok(())
}

/// Fills the read model; answers how many positions it went over.
async fn replay(
    store: Arc<dyn EventStore>,
    documents: Arc<PostgresDocuments>,
    lanes: u32,
) -> anyhow::Result<usize> {
    let mut projector = Projector::new(PerCustomer, store.clone(), documents).lanes(lanes);
    Ok(catch_up(&*store, &mut projector).await?.get() as usize)
}

async fn first_documents(views: &PostgresDocuments) -> anyhow::Result<usize> {
    let Some((live, _)) = views.live(PerCustomer::NAME).await? else { return Ok(0) };
    Ok(views.documents(&live, None, PageLimit::MAX).await?.len())
}

/// What a process of its own does: fills one read model, and tells how much memory that took at most, in KiB.
pub(crate) async fn replay_here(url: &str, log: &str, views: &str) -> anyhow::Result<u64> {
    let options = |schema: &str| format!("{url}?schema={schema}").parse();
    let store = Arc::new(PostgresStore::open(&options(log)?).await?);
    replay(store, Arc::new(PostgresDocuments::open(&options(views)?).await?), 1).await?;
    Ok(annals_benches::peak_memory_kib().unwrap_or_default())
}
