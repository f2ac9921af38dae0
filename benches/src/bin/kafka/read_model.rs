//! From a commit in PostgreSQL, through topics, to a read model in PostgreSQL: the whole way between two services.

use crate::{
    broker::{Broker, CATEGORY},
    latency::{CALM, WARM_UP_S, add, append, waits},
    parcels::Parcels,
    publish::publisher,
};
use annals::{
    EventStore, LogFilter, LogPage, PageLimit, PartProjector, Position, Projection, Runner, StoreError,
    Subscriber, SubscriberError,
};
use annals_benches::{Args, Medium, Report};
use annals_kafka::{Consumer, ConsumerTerms, Handler};
use annals_postgres::{PostgresDocuments, PostgresOptions, PostgresStore};
use annals_services::{OwnServer, finding};
use anyhow::{Context, ensure};
use async_trait::async_trait;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, sync::mpsc};
use tokio_util::sync::CancellationToken;

const NAME: &str = "from commit in PostgreSQL to a read model there, through topics, at 2 000 events/s";

/// How long it waits for the next page before it gives up.
const NEXT_MAX: Duration = Duration::from_secs(30);

/// What was written, and when.
type Written = (Vec<Position>, Instant);

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    broker: &Broker,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !args.wants(NAME) {
        return Ok(());
    }
    if let Err(why) = finding() {
        report.skip(NAME, format_args!("{why:#}"));
        return Ok(());
    }
    let (warm_up, seconds) = (WARM_UP_S * CALM, if args.quick { 4 } else { 20 });
    for medium in Medium::all(|what, why| report.skip(what, why))? {
        let room = medium.room()?;
        let server = OwnServer::make(room.path(), "postgres")?;
        server.start(&[])?;
        let url = server.url("127.0.0.1");
        let waits = runtime.block_on(run(broker, &url, warm_up, warm_up + seconds * CALM))?;
        add(report, NAME, &medium.name, None, &waits)?;
    }
    Ok(())
}

/// The waits from the answer to a commit until its event is in the read model, in order of length, of those behind
/// `warm_up`.
async fn run(broker: &Broker, url: &str, warm_up: u64, count: u64) -> anyhow::Result<Vec<Duration>> {
    let log: PostgresOptions = format!("{url}?schema=log").parse()?;
    let elsewhere: PostgresOptions = format!("{url}?schema=elsewhere").parse()?;
    let store: Arc<dyn EventStore> = Arc::new(PostgresStore::open(&log).await?);
    let documents = Arc::new(PostgresDocuments::open(&elsewhere).await?);
    let (name, stop) = (broker.name("read-model"), CancellationToken::new());
    let topic = format!("{name}.{CATEGORY}");
    broker.make_topic(&topic)?;
    let (tell, mut told) = mpsc::unbounded_channel();
    let handler = Handler::parts(Parcels::NAME, documents.clone(), move |part, mode, kept, terms| {
        let projector = PartProjector::new(Parcels, part, documents.clone(), kept);
        Box::new(Timed { projector: projector.mode(mode).lease_terms(terms), tell: tell.clone() })
    });
    let consumer =
        Consumer::new(&name, broker.options()?, [topic.as_str()], handler, ConsumerTerms::default());
    let consuming = tokio::spawn(consumer.run(stop.clone()));
    let publisher = publisher(&name, broker.options()?, &store)?;
    let publishing = tokio::spawn(Runner::new(store.clone()).with(publisher).run(stop.clone()));
    let seeing = tokio::spawn(async move {
        let (mut seen, mut count_seen) = (vec![Instant::now(); count as usize], 0);
        while count_seen < count {
            let next = tokio::time::timeout(NEXT_MAX, told.recv()).await;
            let (positions, at): Written = next.context("no page came")?.context("the consumer ended")?;
            for position in &positions {
                *seen.get_mut(position.get() as usize - 1).context("a position beyond the end")? = at;
            }
            count_seen += positions.len() as u64;
        }
        anyhow::Ok(seen)
    });
    let committed = append(&store, Some(CALM), count).await?;
    let seen = seeing.await??;
    stop.cancel();
    consuming.await??;
    for ended in publishing.await? {
        ended.outcome?;
    }
    broker.remove_topic(&topic)?;
    let waits = waits(&committed, &seen, warm_up);
    ensure!(waits.len() as u64 == count - warm_up, "{} waits", waits.len());
    Ok(waits)
}

/// Tells when a page is written.
struct Timed {
    projector: PartProjector<Parcels>,
    tell: mpsc::UnboundedSender<Written>,
}

#[async_trait]
impl Subscriber for Timed {
    fn name(&self) -> &str {
        self.projector.name()
    }

    fn filter(&self) -> LogFilter {
        self.projector.filter()
    }

    fn page_limit(&self) -> PageLimit {
        self.projector.page_limit()
    }

    async fn begin(&mut self) -> Result<Position, SubscriberError> {
        self.projector.begin().await
    }

    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        self.projector.handle(page).await?;
        let positions = page.events.iter().map(|event| event.position).collect();
        // Nobody listens any more when all has come.
        let _ = self.tell.send((positions, Instant::now()));
        Ok(())
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        self.projector.tend().await
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        self.projector.end().await
    }

    async fn report(&mut self, failure: Option<&str>) -> Result<(), StoreError> {
        self.projector.report(failure).await
    }
}
