//! The contract of a store of documents, kept by PostgreSQL.

use super::{
    PostgresDocuments, compare,
    generation::{number, unknown},
    lanes, rebuild, shown,
    transaction::Transaction,
};
use crate::failure::is_missing_table;
use annals::{
    CheckpointError, Column, CompareError, Comparison, DocumentStore, Json, Lease, OpenError, PageLimit,
    PageWrite, Parked, ParkedRequest, Position, Slot, Step, StoreError, SubscriberId, SwitchError,
};
use async_trait::async_trait;
use sqlx::{Error, Row, postgres::PgRow};
use std::sync::Arc;

#[async_trait]
impl DocumentStore for PostgresDocuments {
    async fn load(&self, of: &SubscriberId, keys: &[Arc<str>]) -> Result<Vec<Slot>, StoreError> {
        const DOING: &str = "loading documents";
        if keys.is_empty() {
            return Ok(vec![]);
        }
        let names: Vec<&str> = keys.iter().map(|key| &**key).collect();
        let mut rows = vec![];
        for _ in 0..2 {
            let id = self.known_id_of(DOING, of).await?;
            let statement = self.sql.load.of_generation(id);
            let query = || statement.query().bind(of.name()).bind(number(of)).bind(names.clone());
            match self.connections.try_rows(query).await {
                Ok(found) => rows = found,
                Err(error) if is_missing_table(&error) => {
                    self.ids().remove(of);
                    match self.id_of(DOING, of).await {
                        // Somebody restored the database, as below.
                        Ok(now) if now != id => continue,
                        Err(error) if error.is_transient() => return Err(error),
                        // It was replaced, and nothing is left of it.
                        _ => return Ok(vec![Slot::default(); keys.len()]),
                    }
                }
                Err(error) => return Err(self.failed(DOING, error)),
            }
            if !rows.is_empty() {
                break;
            }
            // Somebody restored the database, and it has another number now.
            self.ids().remove(of);
        }
        if rows.is_empty() {
            return Err(unknown(of));
        }
        let read = |row: &PgRow| {
            let document = row.try_get::<Option<&str>, _>(0)?.map(Json::stored);
            Ok(Slot { document, parked: row.try_get(1)? })
        };
        rows.iter().map(read).collect::<Result<_, _>>().map_err(|error| self.failed(DOING, error))
    }

    async fn commit(&self, step: &Step, page: PageWrite) -> Result<(), CheckpointError> {
        page.check(&step.subscriber)?;
        self.write_page("writing a page", None, step, &page).await
    }

    async fn divide(&self, lease: &Lease, count: u32) -> Result<bool, CheckpointError> {
        let mut tx = self.begin("dividing a generation").await?;
        let done = lanes::divide(&mut tx, lease, count).await;
        tx.end(done).await.map(|()| true)
    }

    async fn lanes(&self, lease: &Lease) -> Result<Vec<Position>, CheckpointError> {
        let mut tx = self.begin("looking for lanes").await?;
        let done = lanes::of(&mut tx, lease).await;
        tx.end(done).await
    }

    async fn commit_lane(&self, lane: u32, step: &Step, page: PageWrite) -> Result<(), CheckpointError> {
        page.check(&step.subscriber)?;
        self.write_page("writing a page of a lane", Some(lane), step, &page).await
    }

    async fn commit_part(
        &self,
        step: &Step,
        into: &SubscriberId,
        seen: &[(Arc<str>, Slot)],
        page: PageWrite,
    ) -> Result<(), CheckpointError> {
        page.check(into)?;
        page.check_seen(seen)?;
        self.write_part(step, into, seen, &page).await
    }

    async fn documents(
        &self,
        of: &SubscriberId,
        after: Option<&str>,
        limit: PageLimit,
    ) -> Result<Vec<(Arc<str>, Json)>, StoreError> {
        const DOING: &str = "reading documents";
        let (id, limit) = (self.id_of(DOING, of).await?, limit.get() as i64);
        let (first, behind) =
            (self.sql.documents_first.of_generation(id), self.sql.documents_after.of_generation(id));
        let query = || match after {
            None => first.query().bind(limit),
            Some(after) => behind.query().bind(limit).bind(after),
        };
        let rows = match self.connections.try_rows(query).await {
            Err(error) if is_missing_table(&error) => return Ok(vec![]),
            rows => rows.map_err(|error| self.failed(DOING, error))?,
        };
        let read =
            |row: &PgRow| Ok((row.try_get::<&str, _>(0)?.into(), Json::stored(row.try_get::<&str, _>(1)?)));
        rows.iter().map(read).collect::<Result<_, Error>>().map_err(|error| self.failed(DOING, error))
    }

    async fn describe(&self, of: &SubscriberId, columns: &[Column]) -> Result<(), StoreError> {
        let mut tx = self.begin("describing a read model").await?;
        let done = shown::describe(&mut tx, of, columns).await;
        tx.end(done).await
    }

    async fn start_rebuild(&self, name: &str, version: u32) -> Result<SubscriberId, OpenError> {
        SubscriberId::new(name, 1)?;
        let mut tx = self.begin("starting a rebuild").await?;
        let done = rebuild::start(&mut tx, name, version).await;
        tx.end(done).await
    }

    async fn switch(&self, to: &SubscriberId) -> Result<(), SwitchError> {
        let mut tx = self.begin("switching generations").await?;
        let done = rebuild::switch(&mut tx, to).await;
        tx.end(done).await
    }

    async fn abandon(&self, building: &SubscriberId) -> Result<(), StoreError> {
        let mut tx = self.begin("abandoning a rebuild").await?;
        let done = rebuild::abandon(&mut tx, building).await;
        tx.end(done).await
    }

    async fn purge(&self, retired: &SubscriberId, limit: PageLimit) -> Result<bool, StoreError> {
        let mut tx = self.begin("purging documents").await?;
        let done = rebuild::purge(&mut tx, retired, limit).await;
        tx.end(done).await
    }

    async fn compare(&self, old: &SubscriberId, new: &SubscriberId) -> Result<Comparison, CompareError> {
        let mut tx = Transaction::begin(self, "comparing generations", compare::SNAPSHOT).await?;
        let done = compare::compare(&mut tx, old, new).await;
        tx.end(done).await
    }

    async fn parked(
        &self,
        of: &SubscriberId,
        key: Option<&str>,
        after: Option<(&str, Position)>,
        limit: PageLimit,
    ) -> Result<Vec<Parked>, StoreError> {
        self.list_parked(of, key, after, limit).await
    }

    async fn request(&self, of: &SubscriberId, request: &ParkedRequest) -> Result<bool, StoreError> {
        self.ask(of, request).await
    }

    async fn requests(&self, of: &SubscriberId, limit: PageLimit) -> Result<Vec<ParkedRequest>, StoreError> {
        self.list_requests(of, limit).await
    }
}
