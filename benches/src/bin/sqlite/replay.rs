//! Replays: a read model made from nothing, beside a loop written by hand.

use crate::{plain::PlainReplay, read::timed, sample_log::SampleLog};
use annals::{DocumentStore, EventStore, PageLimit, Projection, Projector, catch_up};
use annals_benches::{
    Args, Figure, Medium, Report, pairs,
    shop::{Line, PerCustomer, PerSku},
};
use annals_sqlite::{SqliteDocuments, SqliteOptions, SqliteStore};
use anyhow::ensure;
use std::{cell::Cell, path::Path, sync::Arc};
use tokio::runtime::Runtime;

const SPREAD: &str = "replay into 100 000 documents";
const HOT: &str = "replay into 50 hot documents";

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    medium: &Medium,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !args.wants_any([SPREAD, HOT]) {
        return Ok(());
    }
    let room = medium.room()?;
    let log = SampleLog::make(&room.path().join("log.db"), SampleLog::events_of(args))?;
    let bench = ReplayBench { args, runtime, medium, log };
    bench.figure(SPREAD, PerCustomer, |line| &line.customer, report)?;
    bench.figure(HOT, PerSku, |line| &line.sku, report)
}

struct ReplayBench<'a> {
    args: &'a Args,
    runtime: &'a Runtime,
    medium: &'a Medium,
    log: SampleLog,
}

impl ReplayBench<'_> {
    fn figure<P: Projection + Clone>(
        &self,
        name: &str,
        projection: P,
        key: fn(&Line) -> &str,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        if !self.args.wants(name) {
            return Ok(());
        }
        let documents = Cell::new(0);
        let ours = || {
            let room = self.medium.room()?;
            let views = Arc::new(SqliteDocuments::open(room.path().join("views.db"))?);
            let events = self.log.events;
            // Open for the turn only: connections of one process share the memory for pages, so both sides would take
            // it from each other.
            let store = Arc::new(SqliteStore::open(&SqliteOptions::new(&self.log.path))?);
            let replay = replay(projection.clone(), store, views.clone());
            let turn = timed(events, || self.runtime.block_on(replay))?;
            let first = self.runtime.block_on(first_documents::<P>(&views))?;
            ensure!(first == documents.get().min(PageLimit::MAX.get()), "there are {first} documents");
            Ok(turn)
        };
        let limit = || {
            let room = self.medium.room()?;
            let plain = PlainReplay::new(&self.log.path, &room.path().join("views.db"))?;
            let turn = timed(self.log.events, || plain.run(key))?;
            documents.set(plain.documents()?);
            Ok(turn)
        };
        let pairs = pairs(self.args.rounds, ours, limit)?;
        report.add(&Figure::of(name, &self.medium.name, "events/s", &pairs).at_least(0.5))
    }
}

/// Fills the read model; answers how many positions it went over.
pub(crate) async fn replay<P: Projection>(
    projection: P,
    store: Arc<dyn EventStore>,
    documents: Arc<SqliteDocuments>,
) -> anyhow::Result<usize> {
    let mut projector = Projector::new(projection, store.clone(), documents);
    Ok(catch_up(&*store, &mut projector).await?.get() as usize)
}

async fn first_documents<P: Projection>(views: &SqliteDocuments) -> anyhow::Result<usize> {
    let Some((live, _)) = views.live(P::NAME).await? else { return Ok(0) };
    Ok(views.documents(&live, None, PageLimit::MAX).await?.len())
}

/// Opens both files and fills the read model once.
pub(crate) async fn replay_files(log: &Path, views: &Path) -> anyhow::Result<usize> {
    let store = Arc::new(SqliteStore::open(&SqliteOptions::new(log))?);
    replay(PerCustomer, store, Arc::new(SqliteDocuments::open(views)?)).await
}
