//! One generation as it is stored: its place, its state and its lease.

use super::halt::{Halt, unreadable};
use annals::{CheckpointError, Epoch, GenerationState, Position, StoreError, SubscriberId};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::time::{SystemTime, UNIX_EPOCH};

/// The row of one generation.
pub(super) struct Generation {
    /// What the other tables know it by.
    pub(super) id: i64,
    pub(super) subscriber: SubscriberId,
    pub(super) version: u32,
    pub(super) state: GenerationState,
    pub(super) checkpoint: Position,
    pub(super) epoch: Epoch,
    pub(super) holder: Option<String>,
    pub(super) lease_us: i64,
    pub(super) lease_until_us: i64,
}

impl Generation {
    /// The generation `subscriber`, if there is one.
    pub(super) fn find(
        connection: &Connection,
        subscriber: &SubscriberId,
    ) -> Result<Option<Self>, rusqlite::Error> {
        let mut find = connection.prepare_cached(include_str!("sql/generation.sql"))?;
        find.query_row(params![subscriber.name(), subscriber.generation()], Self::of).optional()
    }

    /// The generation `subscriber`; refused when there is none.
    pub(super) fn get<E: From<StoreError>>(
        connection: &Connection,
        subscriber: &SubscriberId,
    ) -> Result<Self, Halt<E>> {
        let unknown =
            || StoreError::permanent("looking for a generation", format!("there is no {subscriber}"));
        Self::find(connection, subscriber)?.ok_or_else(|| Halt::Refused(unknown().into()))
    }

    /// The generation of `name` that is live, or the one that is being built: there is one of each at most.
    pub(super) fn in_state(
        connection: &Connection,
        name: &str,
        state: GenerationState,
    ) -> Result<Option<Self>, rusqlite::Error> {
        let mut find = connection.prepare_cached(include_str!("sql/generation_in_state.sql"))?;
        find.query_row(params![name, state_text(state)], Self::of).optional()
    }

    /// Adds a generation at the start of the log, with a number that was never used.
    pub(super) fn add(
        connection: &Connection,
        name: &str,
        version: u32,
        state: GenerationState,
    ) -> Result<SubscriberId, rusqlite::Error> {
        let mut add = connection.prepare_cached(include_str!("sql/generation_add.sql"))?;
        let generation = add.query_row(params![name, version, state_text(state)], |row| row.get(0))?;
        SubscriberId::new(name, generation).map_err(unreadable)
    }

    /// Ends it: its runner can write nothing any more.
    pub(super) fn retire(&self, connection: &Connection) -> Result<(), rusqlite::Error> {
        connection.prepare_cached(include_str!("sql/generation_retire.sql"))?.execute([self.id])?;
        Ok(())
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

    fn of(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            id: row.get(0)?,
            subscriber: subscriber(row, 1)?,
            version: row.get(3)?,
            state: state_of(row.get_ref(4)?.as_str()?)?,
            checkpoint: Position::from_i64(row.get(5)?),
            epoch: epoch_of(row.get(6)?),
            holder: row.get(7)?,
            lease_us: row.get(8)?,
            lease_until_us: row.get(9)?,
        })
    }
}

/// The name in column `at` and the generation in the next one.
pub(super) fn subscriber(row: &Row<'_>, at: usize) -> Result<SubscriberId, rusqlite::Error> {
    SubscriberId::new(row.get_ref(at)?.as_str()?, row.get(at + 1)?).map_err(unreadable)
}

/// As the table names a state.
pub(super) fn state_text(state: GenerationState) -> &'static str {
    match state {
        GenerationState::Building => "building",
        GenerationState::Live => "live",
        GenerationState::Retired => "retired",
    }
}

/// The state that the table names; its CHECK allows no other.
pub(super) fn state_of(text: &str) -> Result<GenerationState, rusqlite::Error> {
    match text {
        "building" => Ok(GenerationState::Building),
        "live" => Ok(GenerationState::Live),
        "retired" => Ok(GenerationState::Retired),
        _ => Err(rusqlite::types::FromSqlError::Other(format!("there is no state {text:?}").into()).into()),
    }
}

/// An epoch as the table keeps it; it counts from 0 and never comes near the end.
pub(super) fn epoch_number(epoch: Epoch) -> i64 {
    i64::try_from(epoch.0).unwrap_or(i64::MAX)
}

fn epoch_of(number: i64) -> Epoch {
    Epoch(number.unsigned_abs())
}

/// Microseconds since 1970 by the clock of this host.
pub(super) fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
