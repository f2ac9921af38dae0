//! The contract of checkpoints and leases, kept by PostgreSQL.

use super::{
    PostgresDocuments,
    generation::{state_of, subscriber, version},
    lease::{self, FromHolder},
    rebuild,
};
use annals::{
    CheckpointError, Checkpoints, Lease, LeaseError, LeaseTerms, OpenError, PageWrite, Position, Step,
    StoreError, SubscriberId, SubscriberInfo,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{Error, Row, postgres::PgRow};
use tokio::sync::watch;

#[async_trait]
impl Checkpoints for PostgresDocuments {
    async fn open(&self, name: &str, version: u32) -> Result<SubscriberId, OpenError> {
        SubscriberId::new(name, 1)?;
        let mut tx = self.begin("opening a subscriber").await?;
        let done = rebuild::open(&mut tx, name, version).await;
        tx.end(done).await
    }

    async fn acquire(&self, subscriber: &SubscriberId, terms: &LeaseTerms) -> Result<Lease, LeaseError> {
        let mut tx = self.begin("taking a lease").await?;
        let done = lease::acquire(&mut tx, subscriber, terms, FromHolder::No).await;
        tx.end(done).await?
    }

    async fn take_over(&self, subscriber: &SubscriberId, terms: &LeaseTerms) -> Result<Lease, LeaseError> {
        let mut tx = self.begin("taking a lease over").await?;
        let done = lease::acquire(&mut tx, subscriber, terms, FromHolder::Yes).await;
        tx.end(done).await?
    }

    async fn renew(&self, lease: &Lease) -> Result<(), CheckpointError> {
        let mut tx = self.begin("renewing a lease").await?;
        let done = lease::renew(&mut tx, lease).await;
        tx.end(done).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), CheckpointError> {
        let mut tx = self.begin("giving a lease back").await?;
        let done = lease::release(&mut tx, lease).await;
        tx.end(done).await
    }

    async fn advance(&self, step: &Step) -> Result<(), CheckpointError> {
        self.write_page("moving a checkpoint", None, step, &PageWrite::default()).await
    }

    async fn report(&self, subscriber: &SubscriberId, failure: Option<&str>) -> Result<(), StoreError> {
        let mut tx = self.begin("reporting a failure").await?;
        let done = lease::report(&mut tx, subscriber, failure).await;
        tx.end(done).await
    }

    async fn subscribers(&self) -> Result<Vec<SubscriberInfo>, StoreError> {
        const DOING: &str = "listing subscribers";
        let rows = self.connections.rows(DOING, || self.sql.generations.query()).await?;
        rows.iter().map(info).collect::<Result<_, _>>().map_err(|error| self.failed(DOING, error))
    }

    fn moved(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }
}

fn info(row: &PgRow) -> Result<SubscriberInfo, Error> {
    let subscriber = subscriber(row.try_get(0)?, row.try_get(1)?)?;
    let checkpoint = Position::from_i64(row.try_get(4)?);
    let mut info =
        SubscriberInfo::new(subscriber, version(row.try_get(2)?), state_of(row.try_get(3)?)?, checkpoint);
    info.holder = row.try_get(5)?;
    info.parked = row.try_get::<i64, _>(6)?.unsigned_abs();
    let failed_at: Option<DateTime<Utc>> = row.try_get(8)?;
    info.failure = row.try_get::<Option<String>, _>(7)?.zip(failed_at);
    Ok(info)
}
