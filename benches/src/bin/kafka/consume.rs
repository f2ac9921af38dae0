//! From Kafka into a read model in PostgreSQL, as fast as it goes.

use crate::{
    broker::{Broker, CATEGORY, PARTITIONS},
    events::{self, STREAMS},
    parcel_rows,
    parcels::{Parcel, Parcels},
    plain_consumer::PlainConsumer,
    publish::{events_of, publisher},
};
use annals::{
    Checkpoints, DocumentStore, EventStore, Json, LogFilter, MemoryStore, PageLimit, Position, Projection,
    catch_up, part_name,
};
use annals_benches::{Args, Figure, Medium, Report, Stopwatch, Turn, pairs};
use annals_kafka::{Consumer, ConsumerTerms, Handler, partition_of};
use annals_postgres::{PostgresDocuments, PostgresOptions};
use annals_services::{OwnServer, finding};
use anyhow::{Context, ensure};
use sqlx::{Connection, PgConnection};
use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

const DOCUMENTS: &str = "consume, 10 000 documents in PostgreSQL, beside a loop by hand";
const ROWS: &str = "consume, 10 000 rows in a table of its own, beside a loop by hand";

/// One of so many of the events that are published: each goes to a database.
const SHARE: u64 = 4;

/// No checkpoint of the server falls into a turn: it would meet one side of a pair.
const SETTINGS: [&str; 3] = ["max_wal_size=16GB", "checkpoint_timeout=1h", "shared_buffers=512MB"];

/// How often it is asked whether everything has come.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// How long one turn may take before it is given up.
const TURN_MAX: Duration = Duration::from_secs(600);

/// Where the read model lies.
#[derive(Clone, Copy)]
enum Kind {
    Documents,
    Rows,
}

/// A topic full of events, and where each of its partitions ends.
struct Filled {
    topic: String,
    count: u64,
    ends: Vec<Position>,
}

pub(crate) fn measure(
    args: &Args,
    runtime: &Runtime,
    broker: &Broker,
    report: &mut Report,
) -> anyhow::Result<()> {
    let kinds = [(DOCUMENTS, Kind::Documents), (ROWS, Kind::Rows)];
    let kinds: Vec<_> = kinds.into_iter().filter(|(name, _)| args.wants(name)).collect();
    if kinds.is_empty() {
        return Ok(());
    }
    if let Err(why) = finding() {
        kinds.iter().for_each(|(name, _)| report.skip(name, format_args!("{why:#}")));
        return Ok(());
    }
    let room = Medium::disk()?.room()?;
    let server = OwnServer::make(room.path(), "postgres")?;
    server.start(&SETTINGS)?;
    let (url, filled) = (server.url("127.0.0.1"), runtime.block_on(fill(broker, events_of(args) / SHARE))?);
    let turn = Cell::new(0);
    let limit = || {
        let group = broker.name("by-hand");
        let plain = PlainConsumer { bootstrap: &broker.bootstrap(), topic: &filled.topic, group: &group };
        runtime.block_on(plain.consume(&url, filled.count))
    };
    for (name, kind) in kinds {
        let ours = || {
            turn.set(turn.get() + 1);
            runtime.block_on(consume(broker, &filled, kind, &url, &format!("views_{}", turn.get())))
        };
        report.add(&Figure::of(name, "disk", "events/s", &pairs(args.rounds, ours, limit)?))?;
    }
    broker.remove_topic(&filled.topic)
}

/// Publishes `count` events to a topic of their own.
async fn fill(broker: &Broker, count: u64) -> anyhow::Result<Filled> {
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::default());
    events::fill(&store, count).await?;
    let name = broker.name("consumed");
    catch_up(&*store, &mut publisher(&name, broker.options()?, &store)?).await?;
    let (mut ends, mut at) = (vec![Position::START; PARTITIONS as usize], Position::START);
    while at.get() < count {
        let page = store.read_log(at, PageLimit::MAX, &LogFilter::all()).await?;
        for event in &page.events {
            let partition = partition_of(event.key().as_bytes(), PARTITIONS);
            *ends.get_mut(partition as usize).context("there is such a partition")? = event.position;
        }
        at = page.looked;
    }
    Ok(Filled { topic: format!("{name}.{CATEGORY}"), count, ends })
}

/// Fills a read model of its own, from joining a group until all checkpoints are at the ends.
async fn consume(
    broker: &Broker,
    filled: &Filled,
    kind: Kind,
    url: &str,
    schema: &str,
) -> anyhow::Result<Turn> {
    let options: PostgresOptions = format!("{url}?schema={schema}").parse()?;
    let documents = Arc::new(PostgresDocuments::open(&options).await?);
    let (group, stop) = (broker.name("consumer"), CancellationToken::new());
    let handler = match kind {
        Kind::Documents => Handler::projection(Parcels, documents.clone()),
        Kind::Rows => parcel_rows::handler(documents.clone()),
    };
    let name = handler.name();
    let topics = [filled.topic.as_str()];
    let consumer = Consumer::new(&group, broker.options()?, topics, handler, ConsumerTerms::default());
    let parts: Vec<(String, Position)> =
        (0..).zip(&filled.ends).map(|(n, end)| (part(name, filled, n), *end)).collect();
    let began = Instant::now();
    let stopwatch = Stopwatch::start();
    let consuming = tokio::spawn(consumer.run(stop.clone()));
    let mut looks = tokio::time::interval(LOOK_INTERVAL);
    loop {
        looks.tick().await;
        ensure!(!consuming.is_finished() && began.elapsed() < TURN_MAX, "not everything was consumed");
        let all = documents.subscribers().await?;
        let came = |(part, end): &(String, Position)| {
            all.iter().any(|info| info.subscriber.name() == part && info.checkpoint >= *end)
        };
        if parts.iter().all(came) {
            break;
        }
    }
    let turn = stopwatch.stop(filled.count as usize);
    stop.cancel();
    consuming.await??;
    let found = match kind {
        Kind::Documents => notes_in_documents(&documents).await?,
        Kind::Rows => notes_in_rows(url, schema).await?,
    };
    ensure!(found == (STREAMS, filled.count), "{} events in {}", found.1, found.0);
    drop(documents);
    let drop_schema = format!("DROP SCHEMA {schema} CASCADE");
    sqlx::raw_sql(sqlx::AssertSqlSafe(drop_schema)).execute(&mut PgConnection::connect(url).await?).await?;
    Ok(turn)
}

/// How many parcels there are, and how many events of them were counted.
async fn notes_in_documents(documents: &PostgresDocuments) -> anyhow::Result<(u64, u64)> {
    let (live, _) = documents.live(Parcels::NAME).await?.context("there is a read model")?;
    let found = documents.documents(&live, None, PageLimit::MAX).await?;
    let notes = found.iter().map(|(_, json): &(_, Json)| Ok(json.read::<Parcel>()?.notes));
    Ok((found.len() as u64, notes.sum::<anyhow::Result<u64>>()?))
}

async fn notes_in_rows(url: &str, schema: &str) -> anyhow::Result<(u64, u64)> {
    let count = format!("SELECT count(*), sum(notes)::bigint FROM {schema}_views.parcel_rows_plain_parcels");
    let count = sqlx::query_as::<_, (i64, i64)>(sqlx::AssertSqlSafe(count));
    let (parcels, notes) = count.fetch_one(&mut PgConnection::connect(url).await?).await?;
    Ok((parcels.unsigned_abs(), notes.unsigned_abs()))
}

fn part(name: &str, filled: &Filled, partition: i32) -> String {
    part_name(name, 1, &Consumer::part(&filled.topic, partition))
}
