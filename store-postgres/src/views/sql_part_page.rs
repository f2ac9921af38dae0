//! A page of a part of a SQL projection: rows and parked events of one generation, the checkpoint of another, in one
//! transaction.

use super::{
    PostgresDocuments,
    generation::Generation,
    parked::{parked_behind, requests_of},
    part::part_outcome,
    sql_page::Again,
    sql_rows::{Behind, keys, parked_keys, write_rows},
    transaction::{Halt, Transaction},
};
use crate::{LOCK_WAIT_MAX, STATEMENT_WAIT_MAX, SqlProjection, Told, server::lock_wait};
use annals::{
    CheckpointError, PageLimit, PageWrite, Parked, ParkedRequest, PartMode, Position, Step, StoreError,
    SubscriberId,
};
use chrono::Utc;
use sqlx::Error;
use std::{collections::HashMap, sync::Arc};

/// What is being done, as errors name it.
const DOING: &str = "handling a page of a part";

/// Where a part writes: into one generation, under the lease of another.
pub(super) struct PartStep<'p, P: SqlProjection> {
    pub(super) projection: &'p P,
    pub(super) into: &'p SubscriberId,
    pub(super) step: Step,
}

/// The turn of a page of a part.
pub(super) struct Turn<'s> {
    tx: Transaction<'s>,
    /// The number of the generation that is written into.
    into: i64,
}

/// What somebody wants done with the parked events of one key, as it was read before.
pub(super) struct Asked {
    pub(super) request: ParkedRequest,
    /// All that was parked under the key.
    pub(super) parked: Vec<Parked>,
    pub(super) again: Again,
}

/// Why a page was taken back.
pub(super) enum Undone {
    /// These are to be parked, and that is not wanted yet.
    Parks(Vec<Parked>),
    Failed(CheckpointError),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl PostgresDocuments {
    /// A transaction that has `into` for itself: pages of all parts come one after the other, so that the author's
    /// statements need not think of others, and nobody retires it meanwhile.
    pub(super) async fn begin_in_turn(&self, into: &SubscriberId) -> Result<Turn<'_>, CheckpointError> {
        let mut tx = self.begin(DOING).await?;
        match wait_for_turn(&mut tx, into).await {
            Ok(into) => Ok(Turn { tx, into }),
            Err(halt) => tx.end(Err(halt)).await,
        }
    }
}

async fn wait_for_turn(tx: &mut Transaction<'_>, into: &SubscriberId) -> Result<i64, Halt<CheckpointError>> {
    // The page of somebody else may take longer than a lock is waited for otherwise.
    tx.set(&lock_wait(STATEMENT_WAIT_MAX)).await?;
    let found = Generation::get::<CheckpointError>(tx, into).await?;
    tx.set(&lock_wait(LOCK_WAIT_MAX)).await?;
    // Before the author's statements look for tables that may be gone.
    found.check_takes_parts().map_err(Halt::Refused)?;
    Ok(found.id)
}

impl<P: SqlProjection> PartStep<'_, P> {
    /// Handles `told`, which comes in `mode`. Parks what is refused if `accepts` says so, and else takes it all back.
    pub(super) async fn handle(
        &self,
        mut turn: Turn<'_>,
        told: Vec<Told<'_, P::Event>>,
        mode: PartMode,
        accepts: impl FnOnce(&mut [Parked]) -> bool,
    ) -> Result<Vec<Parked>, Undone> {
        let done = self.write(&mut turn, told, mode, accepts).await;
        turn.tx.end(done).await
    }

    async fn write(
        &self,
        Turn { tx, into: id }: &mut Turn<'_>,
        mut told: Vec<Told<'_, P::Event>>,
        mode: PartMode,
        accepts: impl FnOnce(&mut [Parked]) -> bool,
    ) -> Result<Vec<Parked>, Halt<Undone>> {
        self.lock(tx).await.map_err(undone)?;
        let id = *id;
        let keys = keys(self.projection, &told);
        let (behind, waiting) = match mode {
            PartMode::InOrder => (Behind::Waits(parked_keys(tx, id, keys.values()).await?), None),
            PartMode::OutOfOrder => (Behind::GoesOn, None),
            PartMode::Again => (Behind::GoesOn, Some(waiting(tx, id, &keys).await?)),
        };
        if let Some(waiting) = &waiting {
            told.retain(|told| waiting.contains_key(&told.recorded.position));
        }
        let mut park = write_rows(tx, self.projection, id, told, &keys, behind, Utc::now()).await?;
        for entry in &mut park {
            let before = waiting.as_ref().and_then(|waiting| waiting.get(&entry.position));
            entry.attempts = entry.attempts.saturating_add(before.map_or(0, |before| before.attempts));
        }
        if !accepts(&mut park) {
            return Err(Halt::Refused(Undone::Parks(park)));
        }
        let still = |at: &Position| park.iter().any(|entry| entry.position == *at);
        let settled = waiting.iter().flatten().filter(|(at, _)| !still(at));
        let settled = settled.map(|(at, entry)| (entry.key.clone(), *at)).collect();
        let write = PageWrite { park, settled, ..PageWrite::default() };
        self.end(tx, &write).await.map_err(undone)?;
        Ok(write.park)
    }

    /// Carries out what was asked for, unless somebody else has, or what is parked is no more what was read.
    pub(super) async fn answer(
        &self,
        mut turn: Turn<'_>,
        mut told: Vec<Told<'_, P::Event>>,
        mut asked: Asked,
    ) -> Result<(), CheckpointError> {
        let keys = keys(self.projection, &told);
        asked.again.up_to_another_key(&keys);
        told.retain(|told| asked.again.tries(told.recorded.position));
        let done = self.write_again(&mut turn, told, &keys, asked).await;
        turn.tx.end(done).await
    }

    async fn write_again(
        &self,
        Turn { tx, into: id }: &mut Turn<'_>,
        told: Vec<Told<'_, P::Event>>,
        keys: &HashMap<Position, Arc<str>>,
        asked: Asked,
    ) -> Result<(), Halt<CheckpointError>> {
        self.lock(tx).await?;
        let id = *id;
        let Asked { request, parked, again } = asked;
        // Others may have parked more behind it meanwhile.
        let now = parked_behind(tx, id, &request.key, Position::START, PageLimit::DEFAULT).await?;
        let same = now.first() == parked.first() && parked.iter().all(|entry| now.contains(entry));
        if !same || !requests_of(tx, id, PageLimit::DEFAULT).await?.contains(&request) {
            return Ok(());
        }
        let behind = Behind::Waits(Default::default());
        let park = write_rows(tx, self.projection, id, told, keys, behind, Utc::now()).await?;
        self.end(tx, &again.write(park)).await
    }

    /// Until the end, nobody takes the lease over.
    async fn lock(&self, tx: &mut Transaction<'_>) -> Result<(), Halt<CheckpointError>> {
        Generation::get::<CheckpointError>(tx, &self.step.subscriber).await?.check_lease(self.step.epoch)
    }

    /// Writes what is parked and settled, and makes the step.
    async fn end(&self, tx: &mut Transaction<'_>, write: &PageWrite) -> Result<(), Halt<CheckpointError>> {
        write.check(self.into).map_err(Halt::Refused)?;
        let rows = tx.rows(tx.store().part_query(&self.step, self.into, &[], write)).await?;
        part_outcome(&rows[0], &self.step, self.into)?.map_err(Halt::Refused)
    }
}

fn undone(halt: Halt<CheckpointError>) -> Halt<Undone> {
    match halt {
        Halt::Refused(error) => Halt::Refused(Undone::Failed(error)),
        Halt::Database(error) => Halt::Database(error),
    }
}

/// What of these is still parked.
async fn waiting(
    tx: &mut Transaction<'_>,
    id: i64,
    keys: &HashMap<Position, Arc<str>>,
) -> Result<HashMap<Position, Parked>, Error> {
    let mut waiting = HashMap::new();
    for (position, key) in keys {
        let before = Position::new(position.get().saturating_sub(1));
        let found = parked_behind(tx, id, key, before, PageLimit::ONE).await?;
        waiting.extend(
            found.into_iter().filter(|entry| entry.position == *position).map(|entry| (*position, entry)),
        );
    }
    Ok(waiting)
}
