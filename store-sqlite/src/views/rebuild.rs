//! How generations begin, take each other's place, and end.

use super::{
    generation::{Generation, state_text},
    halt::{Halt, rows},
};
use annals::{GenerationState, OpenError, PageLimit, StoreError, SubscriberId, SwitchError};
use rusqlite::{Connection, params};

/// The live generation of `name`, made if there is none.
pub(super) fn open(connection: &Connection, name: &str, ours: u32) -> Result<SubscriberId, Halt<OpenError>> {
    match Generation::in_state(connection, name, GenerationState::Live)? {
        Some(live) if live.version == ours => Ok(live.subscriber),
        Some(live) => Err(Halt::Refused(unfit(&live, ours))),
        None => Ok(Generation::add(connection, name, ours, GenerationState::Live)?),
    }
}

/// The generation in which to rebuild `name`: the one that the same version is building, or a new one.
pub(super) fn start(connection: &Connection, name: &str, ours: u32) -> Result<SubscriberId, Halt<OpenError>> {
    if let Some(live) = Generation::in_state(connection, name, GenerationState::Live)?
        && live.version > ours
    {
        return Err(Halt::Refused(unfit(&live, ours)));
    }
    match Generation::in_state(connection, name, GenerationState::Building)? {
        Some(building) if building.version == ours => return Ok(building.subscriber),
        Some(building) => building.retire(connection)?,
        None => {}
    }
    Ok(Generation::add(connection, name, ours, GenerationState::Building)?)
}

/// Makes `to` the live generation and retires the one that is.
pub(super) fn switch(connection: &Connection, to: &SubscriberId) -> Result<(), Halt<SwitchError>> {
    let gone = || Halt::Refused(SwitchError::Gone { subscriber: to.clone() });
    let building = Generation::find(connection, to)?
        .filter(|found| found.state == GenerationState::Building)
        .ok_or_else(gone)?;
    if let Some(live) = Generation::in_state(connection, to.name(), GenerationState::Live)? {
        let (subscriber, at) = (to.clone(), building.checkpoint);
        if at < live.checkpoint {
            return Err(Halt::Refused(SwitchError::Behind { subscriber, at, live: live.checkpoint }));
        }
        live.retire(connection)?;
    }
    let mut set = connection.prepare_cached(include_str!("sql/generation_set_state.sql"))?;
    set.execute(params![building.id, state_text(GenerationState::Live)])?;
    Ok(())
}

/// Retires `building`; one that is retired already stays so.
pub(super) fn abandon(connection: &Connection, building: &SubscriberId) -> Result<(), Halt<StoreError>> {
    let found = Generation::get::<StoreError>(connection, building)?;
    match found.state {
        GenerationState::Building => Ok(found.retire(connection)?),
        GenerationState::Retired => Ok(()),
        GenerationState::Live => {
            Err(refused("abandoning a rebuild", format!("{building} is live: readers see it")))
        }
    }
}

/// Deletes up to `limit` documents of a retired generation, then what was parked in it; true when nothing is left.
pub(super) fn purge(
    connection: &Connection,
    retired: &SubscriberId,
    limit: PageLimit,
) -> Result<bool, Halt<StoreError>> {
    let found = Generation::get::<StoreError>(connection, retired)?;
    if found.state != GenerationState::Retired {
        return Err(refused("purging documents", format!("{retired} is not retired")));
    }
    let mut left = rows(limit);
    for sql in [
        include_str!("sql/purge_documents.sql"),
        include_str!("sql/purge_parked.sql"),
        include_str!("sql/purge_requests.sql"),
    ] {
        let deleted = connection.prepare_cached(sql)?.execute(params![found.id, left])?;
        left = left.saturating_sub_unsigned(deleted as u64);
        if left == 0 {
            break;
        }
    }
    let mut empty = connection.prepare_cached(include_str!("sql/purge_done.sql"))?;
    Ok(empty.query_row([found.id], |row| row.get(0))?)
}

/// Why a program of version `ours` may not go on with a live generation of another version.
fn unfit(live: &Generation, ours: u32) -> OpenError {
    let (name, generation) = (live.subscriber.name().to_string(), live.subscriber.generation());
    if live.version > ours {
        OpenError::Outdated { name, generation, live: live.version, ours }
    } else {
        OpenError::NeedsRebuild { name, generation, live: live.version, ours }
    }
}

fn refused(doing: &'static str, reason: String) -> Halt<StoreError> {
    Halt::Refused(StoreError::permanent(doing, reason))
}
