//! How generations begin, take each other's place, and end.

use super::{
    generation::Generation,
    shown,
    transaction::{Halt, Transaction},
};
use annals::{GenerationState, OpenError, PageLimit, StoreError, SubscriberId, SwitchError};

/// The live generation of `name`, made if there is none.
pub(super) async fn open(
    tx: &mut Transaction<'_>,
    name: &str,
    ours: u32,
) -> Result<SubscriberId, Halt<OpenError>> {
    // Where there is one, nobody is waited for: a page may hold its row for minutes.
    if let Some(live) = Generation::live(tx, name).await?.filter(|live| live.version == ours) {
        return Ok(live.subscriber);
    }
    tx.rows(tx.sql().name_lock.query().bind(name)).await?;
    match Generation::current(tx, name).await?.0 {
        Some(live) if live.version == ours => Ok(live.subscriber),
        Some(live) => Err(Halt::Refused(unfit(&live, ours))),
        None => Ok(Generation::add(tx, name, ours, GenerationState::Live).await?),
    }
}

/// The generation in which to rebuild `name`: the one that the same version is building, or a new one.
pub(super) async fn start(
    tx: &mut Transaction<'_>,
    name: &str,
    ours: u32,
) -> Result<SubscriberId, Halt<OpenError>> {
    tx.rows(tx.sql().name_lock.query().bind(name)).await?;
    let (live, building) = Generation::current(tx, name).await?;
    if let Some(live) = live.filter(|live| live.version > ours) {
        return Err(Halt::Refused(unfit(&live, ours)));
    }
    match building {
        Some(building) if building.version == ours => return Ok(building.subscriber),
        Some(building) => building.retire(tx).await?,
        None => {}
    }
    Ok(Generation::add(tx, name, ours, GenerationState::Building).await?)
}

/// Makes `to` the live generation and retires the one that is.
pub(super) async fn switch(tx: &mut Transaction<'_>, to: &SubscriberId) -> Result<(), Halt<SwitchError>> {
    // Nobody describes a generation meanwhile.
    tx.rows(tx.sql().name_lock.query().bind(to.name())).await?;
    let (live, building) = Generation::current(tx, to.name()).await?;
    let building = building
        .filter(|found| found.subscriber == *to)
        .ok_or_else(|| Halt::Refused(SwitchError::Gone { subscriber: to.clone() }))?;
    if let Some(live) = &live
        && building.checkpoint < live.checkpoint
    {
        let (subscriber, at) = (to.clone(), building.checkpoint);
        return Err(Halt::Refused(SwitchError::Behind { subscriber, at, live: live.checkpoint }));
    }
    // Only now: a runner that is not held up would be ahead again before the view is made.
    shown::switch(tx, to).await?;
    if let Some(live) = live {
        live.retire(tx).await?;
    }
    tx.act(tx.sql().generation_live.query().bind(building.id)).await?;
    Ok(())
}

/// Retires `building`; one that is retired already stays so.
pub(super) async fn abandon(
    tx: &mut Transaction<'_>,
    building: &SubscriberId,
) -> Result<(), Halt<StoreError>> {
    let found = Generation::get::<StoreError>(tx, building).await?;
    match found.state {
        GenerationState::Building => Ok(found.retire(tx).await?),
        GenerationState::Retired => Ok(()),
        GenerationState::Live => {
            Err(refused("abandoning a rebuild", format!("{building} is live: readers see it")))
        }
    }
}

/// Deletes up to `limit` documents of a retired generation, then what was parked in it; true when nothing is left.
pub(super) async fn purge(
    tx: &mut Transaction<'_>,
    retired: &SubscriberId,
    limit: PageLimit,
) -> Result<bool, Halt<StoreError>> {
    let found = Generation::get::<StoreError>(tx, retired).await?;
    if found.state != GenerationState::Retired {
        return Err(refused("purging documents", format!("{retired} is not retired")));
    }
    let sql = tx.sql();
    let mut left = limit.get() as i64;
    if tx.answer(sql.documents_there.of_generation(found.id).query()).await? {
        left = left.saturating_sub_unsigned(
            tx.act(sql.purge_documents.of_generation(found.id).query().bind(left)).await?,
        );
        if tx.answer(sql.purge_left.of_generation(found.id).query()).await? {
            return Ok(false);
        }
        shown::drop_tables(tx, found.id).await?;
    }
    for statement in [&sql.purge_parked, &sql.purge_requests] {
        if left > 0 {
            let deleted = tx.act(statement.query().bind(found.id).bind(left)).await?;
            left = left.saturating_sub_unsigned(deleted);
        }
    }
    tx.act(sql.lanes_drop.query().bind(found.id)).await?;
    Ok(tx.answer(sql.purge_done.query().bind(found.id)).await?)
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
