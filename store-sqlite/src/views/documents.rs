//! The contract of a store of documents, kept by SQLite.

use super::{
    SqliteDocuments, compare,
    generation::Generation,
    halt::{Halt, rows},
    page, parked, rebuild,
};
use annals::{
    CheckpointError, CompareError, Comparison, DocumentStore, Json, OpenError, PageLimit, PageWrite, Parked,
    ParkedRequest, Position, Slot, Step, StoreError, SubscriberId, SwitchError,
};
use async_trait::async_trait;
use rusqlite::{Connection, params};
use std::sync::Arc;

#[async_trait]
impl DocumentStore for SqliteDocuments {
    async fn load(&self, of: &SubscriberId, keys: &[Arc<str>]) -> Result<Vec<Slot>, StoreError> {
        let (of, keys) = (of.clone(), keys.to_vec());
        self.read("loading documents", move |snapshot| load(snapshot, &of, &keys)).await
    }

    async fn commit(&self, step: &Step, page: PageWrite) -> Result<(), CheckpointError> {
        page.check(&step.subscriber)?;
        let step = step.clone();
        self.write("writing a page", move |tx| page::commit(tx, &step, &page)).await
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
        let (step, into, seen) = (step.clone(), into.clone(), seen.to_vec());
        self.write("writing a page of a part", move |tx| page::commit_part(tx, &step, &into, &seen, &page))
            .await
    }

    async fn documents(
        &self,
        of: &SubscriberId,
        after: Option<&str>,
        limit: PageLimit,
    ) -> Result<Vec<(Arc<str>, Json)>, StoreError> {
        let (of, after) = (of.clone(), after.map(str::to_string));
        self.read("reading documents", move |snapshot| list(snapshot, &of, after.as_deref(), limit)).await
    }

    async fn start_rebuild(&self, name: &str, version: u32) -> Result<SubscriberId, OpenError> {
        SubscriberId::new(name, 1)?;
        let name = name.to_string();
        self.write("starting a rebuild", move |tx| rebuild::start(tx, &name, version)).await
    }

    async fn switch(&self, to: &SubscriberId) -> Result<(), SwitchError> {
        let to = to.clone();
        self.write("switching generations", move |tx| rebuild::switch(tx, &to)).await
    }

    async fn abandon(&self, building: &SubscriberId) -> Result<(), StoreError> {
        let building = building.clone();
        self.write("abandoning a rebuild", move |tx| rebuild::abandon(tx, &building)).await
    }

    async fn purge(&self, retired: &SubscriberId, limit: PageLimit) -> Result<bool, StoreError> {
        let retired = retired.clone();
        self.write("purging documents", move |tx| rebuild::purge(tx, &retired, limit)).await
    }

    async fn compare(&self, old: &SubscriberId, new: &SubscriberId) -> Result<Comparison, CompareError> {
        let (old, new) = (old.clone(), new.clone());
        self.read("comparing generations", move |snapshot| compare::compare(snapshot, &old, &new)).await
    }

    async fn parked(
        &self,
        of: &SubscriberId,
        key: Option<&str>,
        after: Option<(&str, Position)>,
        limit: PageLimit,
    ) -> Result<Vec<Parked>, StoreError> {
        let (of, key) = (of.clone(), key.map(str::to_string));
        let after = after.map(|(key, position)| (key.to_string(), position));
        let list = move |snapshot: &Connection| parked::list(snapshot, &of, key.as_deref(), after, limit);
        self.read("reading parked events", list).await
    }

    async fn request(&self, of: &SubscriberId, request: &ParkedRequest) -> Result<bool, StoreError> {
        let (of, request) = (of.clone(), request.clone());
        let ask = move |tx: &rusqlite::Transaction<'_>| parked::request(tx, &of, &request);
        self.write("asking about parked events", ask).await
    }

    async fn requests(&self, of: &SubscriberId, limit: PageLimit) -> Result<Vec<ParkedRequest>, StoreError> {
        let of = of.clone();
        self.read("reading requests", move |snapshot| parked::requests(snapshot, &of, limit)).await
    }
}

/// A look-up by key for each: measured as fast as one statement over all keys, or faster.
fn load(snapshot: &Connection, of: &SubscriberId, keys: &[Arc<str>]) -> Result<Vec<Slot>, Halt<StoreError>> {
    let generation = Generation::get::<StoreError>(snapshot, of)?.id;
    let mut document = snapshot.prepare_cached(include_str!("sql/document.sql"))?;
    let mut under = snapshot.prepare_cached(include_str!("sql/parked_under.sql"))?;
    // Nothing is parked nearly always: then nobody asks for each key.
    let any_parked: bool = snapshot
        .prepare_cached(include_str!("sql/parked_any.sql"))?
        .query_row([generation], |row| row.get(0))?;
    let mut slots = Vec::with_capacity(keys.len());
    for key in keys {
        let mut rows = document.query(params![generation, &**key])?;
        let document = match rows.next()? {
            Some(row) => Some(Json::stored(row.get_ref(0)?.as_str()?)),
            None => None,
        };
        let parked = any_parked && under.query_row(params![generation, &**key], |row| row.get(0))?;
        slots.push(Slot { document, parked });
    }
    Ok(slots)
}

fn list(
    snapshot: &Connection,
    of: &SubscriberId,
    after: Option<&str>,
    limit: PageLimit,
) -> Result<Vec<(Arc<str>, Json)>, Halt<StoreError>> {
    let generation = Generation::get::<StoreError>(snapshot, of)?.id;
    let sql = match after {
        None => include_str!("sql/documents_first.sql"),
        Some(_) => include_str!("sql/documents_after.sql"),
    };
    let mut page = snapshot.prepare_cached(sql)?;
    page.raw_bind_parameter(1, generation)?;
    page.raw_bind_parameter(2, rows(limit))?;
    if let Some(after) = after {
        page.raw_bind_parameter(3, after)?;
    }
    let mut found = page.raw_query();
    let mut documents = Vec::new();
    while let Some(row) = found.next()? {
        documents.push((row.get_ref(0)?.as_str()?.into(), Json::stored(row.get_ref(1)?.as_str()?)));
    }
    Ok(documents)
}
