//! The contract of checkpoints and leases, kept by SQLite.

use super::{
    SqliteDocuments,
    generation::{now_us, state_of, subscriber},
    halt::{Halt, time},
    lease::{self, FromHolder},
    page, rebuild,
};
use annals::{
    CheckpointError, Checkpoints, Lease, LeaseError, LeaseTerms, OpenError, PageWrite, Position, Step,
    StoreError, SubscriberId, SubscriberInfo,
};
use async_trait::async_trait;
use rusqlite::{Connection, types::ValueRef};
use tokio::sync::watch;

#[async_trait]
impl Checkpoints for SqliteDocuments {
    async fn open(&self, name: &str, version: u32) -> Result<SubscriberId, OpenError> {
        SubscriberId::new(name, 1)?;
        let name = name.to_string();
        self.write("opening a subscriber", move |tx| rebuild::open(tx, &name, version)).await
    }

    async fn acquire(&self, subscriber: &SubscriberId, terms: &LeaseTerms) -> Result<Lease, LeaseError> {
        let (subscriber, terms) = (subscriber.clone(), terms.clone());
        self.write("taking a lease", move |tx| lease::acquire(tx, &subscriber, &terms, FromHolder::No))
            .await?
    }

    async fn take_over(&self, subscriber: &SubscriberId, terms: &LeaseTerms) -> Result<Lease, LeaseError> {
        let (subscriber, terms) = (subscriber.clone(), terms.clone());
        let take =
            move |tx: &rusqlite::Transaction<'_>| lease::acquire(tx, &subscriber, &terms, FromHolder::Yes);
        self.write("taking a lease over", take).await?
    }

    async fn renew(&self, lease: &Lease) -> Result<(), CheckpointError> {
        let lease = lease.clone();
        self.write("renewing a lease", move |tx| lease::renew(tx, &lease)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), CheckpointError> {
        let lease = lease.clone();
        self.write("giving a lease back", move |tx| lease::release(tx, &lease)).await
    }

    async fn advance(&self, step: &Step) -> Result<(), CheckpointError> {
        let step = step.clone();
        self.write("moving a checkpoint", move |tx| page::commit(tx, &step, &PageWrite::default())).await
    }

    async fn report(&self, subscriber: &SubscriberId, failure: Option<&str>) -> Result<(), StoreError> {
        let (subscriber, failure) = (subscriber.clone(), failure.map(str::to_string));
        self.write("reporting a failure", move |tx| lease::report(tx, &subscriber, failure.as_deref())).await
    }

    async fn subscribers(&self) -> Result<Vec<SubscriberInfo>, StoreError> {
        self.read("listing subscribers", subscribers).await
    }

    fn moved(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }
}

fn subscribers(connection: &Connection) -> Result<Vec<SubscriberInfo>, Halt<StoreError>> {
    let mut list = connection.prepare_cached(include_str!("sql/generations.sql"))?;
    let mut rows = list.query([now_us()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let state = state_of(row.get_ref(3)?.as_str()?)?;
        let checkpoint = Position::from_i64(row.get(4)?);
        let mut info = SubscriberInfo::new(subscriber(row, 0)?, row.get(2)?, state, checkpoint);
        info.holder = row.get(5)?;
        info.parked = row.get::<_, i64>(6)?.unsigned_abs();
        let failed_at = match row.get_ref(8)? {
            ValueRef::Null => None,
            _ => Some(time(row, 8)?),
        };
        info.failure = row.get::<_, Option<String>>(7)?.zip(failed_at);
        found.push(info);
    }
    Ok(found)
}
