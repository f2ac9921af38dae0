//! A loop written by hand: a member of a group that adds to a table, batch by batch, with its offsets in the same
//! transaction. It checks nothing, and what it writes can only be added up.

use annals_benches::{Stopwatch, Turn};
use anyhow::{Context, ensure};
use rdkafka::{
    ClientConfig, Message,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::BorrowedMessage,
};
use serde::Deserialize;
use sqlx::{Connection, PgConnection};
use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

/// So many records are folded in memory and written in one transaction.
const BATCH_RECORDS: usize = 1_000;

/// How long it waits for the next record before it gives up.
const NEXT_MAX: Duration = Duration::from_secs(60);

/// How long it waits at a time.
const POLL_WAIT: Duration = Duration::from_millis(100);

/// What the consumer of ours asks of the client.
const SETTINGS: [(&str, &str); 8] = [
    ("isolation.level", "read_committed"),
    ("auto.offset.reset", "earliest"),
    ("partition.assignment.strategy", "cooperative-sticky"),
    ("enable.auto.commit", "false"),
    ("queued.min.messages", "4096"),
    ("queued.max.messages.kbytes", "16384"),
    ("fetch.queue.backoff.ms", "5"),
    ("fetch.wait.max.ms", "50"),
];

pub(crate) struct PlainConsumer<'a> {
    pub(crate) bootstrap: &'a str,
    pub(crate) topic: &'a str,
    pub(crate) group: &'a str,
}

#[derive(Deserialize)]
struct Noted {
    n: i64,
}

/// What one batch makes: for each key how many, and the last one; for each partition the offset behind it.
#[derive(Default)]
struct Batch {
    records: usize,
    parcels: HashMap<String, (i64, i64)>,
    offsets: BTreeMap<i32, i64>,
}

impl PlainConsumer<'_> {
    /// Fills a table, from joining the group until `count` records are in it.
    pub(crate) async fn consume(&self, url: &str, count: u64) -> anyhow::Result<Turn> {
        let mut connection = PgConnection::connect(url).await?;
        sqlx::raw_sql(include_str!("plain_parcels.sql")).execute(&mut connection).await?;
        let mut config = ClientConfig::new();
        config.extend(SETTINGS.map(|(name, value)| (name.into(), value.into())));
        config.set("bootstrap.servers", self.bootstrap).set("group.id", self.group);
        let stopwatch = Stopwatch::start();
        let consumer: BaseConsumer = config.create()?;
        consumer.subscribe(&[self.topic])?;
        let mut seen = 0;
        while seen < count {
            let mut batch = Batch::default();
            batch.take(&next(&consumer).with_context(|| format!("nothing came after {seen}"))??)?;
            while batch.records < BATCH_RECORDS
                && let Some(record) = consumer.poll(Duration::ZERO)
            {
                batch.take(&record?)?;
            }
            seen += batch.records as u64;
            batch.write(&mut connection).await?;
        }
        let turn = stopwatch.stop(count as usize);
        let sum = sqlx::query_scalar("SELECT sum(notes)::bigint FROM plain_parcels");
        let notes: i64 = sum.fetch_one(&mut connection).await?;
        ensure!(notes as u64 == count, "{notes} events are in the table, not {count}");
        Ok(turn)
    }
}

/// A poll ends early when the group has something to say.
fn next(consumer: &BaseConsumer) -> Option<Result<BorrowedMessage<'_>, KafkaError>> {
    let began = Instant::now();
    while began.elapsed() < NEXT_MAX {
        if let Some(came) = consumer.poll(POLL_WAIT) {
            return Some(came);
        }
    }
    None
}

impl Batch {
    fn take(&mut self, record: &BorrowedMessage<'_>) -> anyhow::Result<()> {
        let key = std::str::from_utf8(record.key().context("a record has a key")?)?;
        let Noted { n } = serde_json::from_slice(record.payload().context("a record has a value")?)?;
        match self.parcels.get_mut(key) {
            Some((notes, last)) => (*notes, *last) = (*notes + 1, n),
            None => drop(self.parcels.insert(key.into(), (1, n))),
        }
        self.offsets.insert(record.partition(), record.offset() + 1);
        self.records += 1;
        Ok(())
    }

    async fn write(&self, connection: &mut PgConnection) -> anyhow::Result<()> {
        let keys: Vec<&str> = self.parcels.keys().map(String::as_str).collect();
        let (notes, last): (Vec<i64>, Vec<i64>) = self.parcels.values().copied().unzip();
        let (partitions, offsets): (Vec<i32>, Vec<i64>) = self.offsets.iter().unzip();
        let mut transaction = connection.begin().await?;
        let add = sqlx::query(include_str!("plain_parcels_add.sql")).bind(keys).bind(notes).bind(last);
        add.execute(&mut *transaction).await?;
        let step = sqlx::query(include_str!("plain_offsets_set.sql")).bind(partitions).bind(offsets);
        step.execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }
}
