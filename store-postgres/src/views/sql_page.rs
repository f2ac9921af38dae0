//! A page of a SQL projection: one transaction for rows, parked events and the checkpoint.

use super::{
    PostgresDocuments,
    generation::Generation,
    page::outcome,
    sql_rows::{Behind, keys, parked_keys, write_rows},
    transaction::{Halt, Transaction},
};
use crate::{SqlProjection, Told};
use annals::{CheckpointError, PageWrite, Parked, Position, Step};
use chrono::{DateTime, Utc};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// What somebody wants done with the parked events of one key, read before.
pub(super) struct Again {
    pub(super) key: Arc<str>,
    /// What is dropped without being tried.
    pub(super) dropped: Vec<Parked>,
    /// What is tried again, in order.
    pub(super) tried: Vec<Parked>,
    /// The first behind them that cannot be tried, with the reason.
    pub(super) missing: Option<Parked>,
}

impl Again {
    /// Tries none from the first on that the projection would park under another key today: under that one it may have
    /// counted. It stays, and says so.
    pub(super) fn up_to_another_key(&mut self, keys: &HashMap<Position, Arc<str>>) {
        let another = |entry: &Parked| keys.get(&entry.position).is_some_and(|key| *key != self.key);
        let Some(first) = self.tried.iter().position(another) else { return };
        let entry = self.tried.swap_remove(first);
        self.tried.truncate(first);
        let key = &keys[&entry.position];
        let error =
            format!("the projection parks it under {key:?} today: discard it, or make the read model anew");
        self.missing = Some(Parked { error, ..entry });
    }

    /// Whether the event at `position` is tried.
    pub(super) fn tries(&self, position: Position) -> bool {
        self.tried.iter().any(|entry| entry.position == position)
    }

    /// What is written, where `park` is refused of what was tried.
    pub(super) fn write(&self, park: Vec<Parked>) -> PageWrite {
        let still: HashSet<Position> = park.iter().map(|entry| entry.position).collect();
        let done = self.tried.iter().filter(|entry| !still.contains(&entry.position));
        let settled = self.dropped.iter().chain(done);
        let settled = settled.map(|entry| (self.key.clone(), entry.position)).collect();
        let mut park: Vec<Parked> = park.into_iter().filter_map(|now| counted(now, &self.tried)).collect();
        // Where one before it is refused, that one says what is in the way.
        let missing = self.missing.as_ref().filter(|_| park.is_empty());
        park.extend(missing.cloned());
        PageWrite { park, settled, ..PageWrite::default() }
    }
}

impl PostgresDocuments {
    /// Lets `projection` handle `told`, and makes `step`; says what was parked. With `again`, these are parked events.
    pub(super) async fn handle_page<P: SqlProjection>(
        &self,
        projection: &P,
        step: &Step,
        told: Vec<Told<'_, P::Event>>,
        again: Option<&Again>,
    ) -> Result<Vec<Parked>, CheckpointError> {
        let mut tx = self.begin("handling a page").await?;
        let done = handle(&mut tx, projection, step, told, again, Utc::now()).await;
        tx.end(done).await
    }
}

async fn handle<P: SqlProjection>(
    tx: &mut Transaction<'_>,
    projection: &P,
    step: &Step,
    told: Vec<Told<'_, P::Event>>,
    again: Option<&Again>,
    now: DateTime<Utc>,
) -> Result<Vec<Parked>, Halt<CheckpointError>> {
    // The row is locked until the end: whoever takes the lease over waits for this page, or finds it written.
    let found = Generation::get::<CheckpointError>(tx, &step.subscriber).await?;
    found.check_lease(step.epoch)?;
    let mut keys = keys(projection, &told);
    let parked = match again {
        Some(again) => {
            keys.values_mut().for_each(|key| *key = again.key.clone());
            HashSet::new()
        }
        None => parked_keys(tx, found.id, keys.values()).await?,
    };
    let park = write_rows(tx, projection, found.id, told, &keys, Behind::Waits(parked), now).await?;
    let write = match again {
        Some(again) => again.write(park),
        None => PageWrite { park, ..PageWrite::default() },
    };
    let rows = tx.rows(tx.store().page_query(None, step, &write)).await?;
    outcome(&rows[0], step)?.map_err(Halt::Refused)?;
    Ok(write.park)
}

/// The entry with one more attempt, when it was tried: one that merely follows it stays as it is.
fn counted(now: Parked, before: &[Parked]) -> Option<Parked> {
    let before = before.iter().find(|entry| entry.position == now.position)?;
    let attempts = before.attempts.saturating_add(now.attempts);
    let error = if now.error.is_empty() { before.error.clone() } else { now.error };
    Some(Parked { attempts, error, parked_at: before.parked_at, ..now })
}
