//! One generation as it is stored: its place, its state and its lease.

use super::{
    PostgresDocuments, readers,
    transaction::{Halt, Transaction},
};
use annals::{CheckpointError, Epoch, GenerationState, Position, StoreError, SubscriberId};
use sqlx::{Error, Row, postgres::PgRow};
use std::{collections::HashMap, sync::MutexGuard};

/// The row of one generation.
pub(super) struct Generation {
    /// What the other tables know it by.
    pub(super) id: i64,
    pub(super) subscriber: SubscriberId,
    pub(super) version: u32,
    pub(super) state: GenerationState,
    pub(super) checkpoint: Position,
    /// Where its lanes stand; the checkpoint is the least of them. Empty where it is undivided.
    pub(super) lanes: Vec<Position>,
    pub(super) epoch: Epoch,
    pub(super) holder: Option<String>,
    pub(super) lease_us: i64,
    /// By the clock of the server; negative when it has run out.
    pub(super) lease_left_us: i64,
}

impl Generation {
    /// The generation `subscriber`, if there is one; nobody else changes it until the transaction ends.
    pub(super) async fn find(
        tx: &mut Transaction<'_>,
        subscriber: &SubscriberId,
    ) -> Result<Option<Self>, Error> {
        let query = tx.sql().generation_locked.query().bind(subscriber.name()).bind(number(subscriber));
        match tx.rows(query).await?.first() {
            Some(row) => Ok(Some(Self::of(row)?.with_lanes(tx).await?)),
            None => Ok(None),
        }
    }

    /// The same; refused when there is none.
    pub(super) async fn get<E: From<StoreError>>(
        tx: &mut Transaction<'_>,
        subscriber: &SubscriberId,
    ) -> Result<Self, Halt<E>> {
        let found = Self::find(tx, subscriber).await?;
        found.ok_or_else(|| Halt::Refused(unknown(subscriber).into()))
    }

    /// The same in a snapshot, which locks nothing.
    pub(super) async fn seen<E: From<StoreError>>(
        tx: &mut Transaction<'_>,
        subscriber: &SubscriberId,
    ) -> Result<Self, Halt<E>> {
        let query = tx.sql().generation.query().bind(subscriber.name()).bind(number(subscriber));
        let rows = tx.rows(query).await?;
        let found = rows.first().ok_or_else(|| Halt::Refused(unknown(subscriber).into()))?;
        Ok(Self::of(found)?.with_lanes(tx).await?)
    }

    /// The live generation of `name`, if there is one, in a snapshot, which locks nothing.
    pub(super) async fn live(tx: &mut Transaction<'_>, name: &str) -> Result<Option<Self>, Error> {
        let rows = tx.rows(tx.sql().generation_shown.query().bind(name)).await?;
        rows.first().map(Self::of).transpose()
    }

    /// The live generation of `name` and the one that is being built, where there are such.
    pub(super) async fn current(
        tx: &mut Transaction<'_>,
        name: &str,
    ) -> Result<(Option<Self>, Option<Self>), Error> {
        let rows = tx.rows(tx.sql().generations_of.query().bind(name)).await?;
        let (mut live, mut building) = (None, None);
        for row in &rows {
            let found = Self::of(row)?.with_lanes(tx).await?;
            match found.state {
                GenerationState::Live => live = Some(found),
                _ => building = Some(found),
            }
        }
        Ok((live, building))
    }

    /// Adds a generation at the start of the log, with a number that was never used.
    pub(super) async fn add(
        tx: &mut Transaction<'_>,
        name: &str,
        version: u32,
        state: GenerationState,
    ) -> Result<SubscriberId, Error> {
        let query =
            tx.sql().generation_add.query().bind(name).bind(i64::from(version)).bind(state_text(state));
        let rows = tx.rows(query).await?;
        let id: i64 = rows[0].try_get(1)?;
        tx.act(tx.sql().documents_add.of_generation(id).query()).await?;
        readers::share(tx, &format!("{{schema}}.documents_{id}")).await?;
        subscriber(name, rows[0].try_get(0)?)
    }

    /// Ends it: its runner can write nothing any more.
    pub(super) async fn retire(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        tx.act(tx.sql().generation_retire.query().bind(self.id)).await.map(|_| ())
    }

    /// Whether whoever holds lease number `ours` may still write.
    pub(super) fn check_lease(&self, ours: Epoch) -> Result<(), Halt<CheckpointError>> {
        let subscriber = self.subscriber.clone();
        if self.state == GenerationState::Retired {
            return Err(Halt::Refused(CheckpointError::Retired { subscriber }));
        }
        if ours != self.epoch {
            return Err(Halt::Refused(CheckpointError::Fenced { subscriber, ours, now: self.epoch }));
        }
        Ok(())
    }

    /// Whether parts may write into it, as `commit_part` asks.
    pub(super) fn check_takes_parts(&self) -> Result<(), CheckpointError> {
        let subscriber = self.subscriber.clone();
        if self.state == GenerationState::Retired {
            return Err(CheckpointError::Retired { subscriber });
        }
        if !self.lanes.is_empty() {
            return Err(CheckpointError::Divided { subscriber });
        }
        match self.checkpoint {
            Position::START => Ok(()),
            actual => Err(CheckpointError::Moved { subscriber, expected: Position::START, actual }),
        }
    }

    /// Where the lane stands that is furthest on.
    pub(super) fn furthest(&self) -> Position {
        self.lanes.iter().max().copied().unwrap_or(self.checkpoint)
    }

    /// Asked when the generation is locked: until then lanes are written.
    async fn with_lanes(mut self, tx: &mut Transaction<'_>) -> Result<Self, Error> {
        let rows = tx.rows(tx.sql().lanes.query().bind(self.id)).await?;
        let at = |row: &PgRow| row.try_get(0).map(Position::from_i64);
        self.lanes = rows.iter().map(at).collect::<Result<_, _>>()?;
        self.checkpoint = self.lanes.iter().min().copied().unwrap_or(self.checkpoint);
        Ok(self)
    }

    fn of(row: &PgRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.try_get(0)?,
            subscriber: subscriber(row.try_get(1)?, row.try_get(2)?)?,
            version: version(row.try_get(3)?),
            state: state_of(row.try_get(4)?)?,
            checkpoint: Position::from_i64(row.try_get(5)?),
            lanes: vec![],
            epoch: epoch_of(row.try_get(6)?),
            holder: row.try_get(7)?,
            lease_us: row.try_get(8)?,
            lease_left_us: row.try_get(9)?,
        })
    }
}

impl PostgresDocuments {
    /// As [`id_of`](Self::id_of), remembered: the statement must ask whether it is still so.
    pub(super) async fn known_id_of(
        &self,
        doing: &'static str,
        of: &SubscriberId,
    ) -> Result<i64, StoreError> {
        let known = self.ids().get(of).copied();
        if let Some(id) = known {
            return Ok(id);
        }
        let id = self.id_of(doing, of).await?;
        self.ids().insert(of.clone(), id);
        Ok(id)
    }

    pub(super) fn ids(&self) -> MutexGuard<'_, HashMap<SubscriberId, i64>> {
        self.ids.lock().expect("nothing panics while it holds the ids")
    }

    /// What the other tables know a generation by, for reading.
    pub(super) async fn id_of(&self, doing: &'static str, of: &SubscriberId) -> Result<i64, StoreError> {
        let query = || self.sql.generation.query().bind(of.name()).bind(number(of));
        let rows = self.connections.rows(doing, query).await?;
        let found = rows.first().ok_or_else(|| unknown(of))?;
        found.try_get(0).map_err(|error| self.failed(doing, error))
    }
}

pub(super) fn unknown(subscriber: &SubscriberId) -> StoreError {
    StoreError::permanent("looking for a generation", format!("there is no {subscriber}"))
}

/// The number of a generation as the table keeps it.
pub(super) fn number(subscriber: &SubscriberId) -> i32 {
    i32::try_from(subscriber.generation()).unwrap_or(i32::MAX)
}

pub(super) fn subscriber(name: &str, generation: i32) -> Result<SubscriberId, Error> {
    SubscriberId::new(name, generation.unsigned_abs()).map_err(|error| Error::Decode(Box::new(error)))
}

pub(super) fn version(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// An epoch as the table keeps it; it counts from 0 and never comes near the end.
pub(super) fn epoch_number(epoch: Epoch) -> i64 {
    i64::try_from(epoch.0).unwrap_or(i64::MAX)
}

pub(super) fn epoch_of(number: i64) -> Epoch {
    Epoch(number.unsigned_abs())
}

/// As the table names a state.
fn state_text(state: GenerationState) -> &'static str {
    match state {
        GenerationState::Building => "building",
        GenerationState::Live => "live",
        GenerationState::Retired => "retired",
    }
}

/// The state that the table names; its CHECK allows no other.
pub(super) fn state_of(text: &str) -> Result<GenerationState, Error> {
    match text {
        "building" => Ok(GenerationState::Building),
        "live" => Ok(GenerationState::Live),
        "retired" => Ok(GenerationState::Retired),
        _ => Err(Error::Decode(format!("there is no state {text:?}").into())),
    }
}
