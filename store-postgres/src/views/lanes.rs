//! Lanes: parts of one generation, written beside each other.

use super::{
    generation::Generation,
    transaction::{Halt, Transaction},
};
use annals::{CheckpointError, Lease, Position};

/// Where the lanes of the lease's generation stand.
pub(super) async fn of(
    tx: &mut Transaction<'_>,
    lease: &Lease,
) -> Result<Vec<Position>, Halt<CheckpointError>> {
    let found = Generation::get(tx, &lease.subscriber).await?;
    found.check_lease(lease.epoch)?;
    Ok(found.lanes)
}

/// Divides the lease's generation into `count` lanes, or into none.
pub(super) async fn divide(
    tx: &mut Transaction<'_>,
    lease: &Lease,
    count: u32,
) -> Result<(), Halt<CheckpointError>> {
    let found = Generation::get(tx, &lease.subscriber).await?;
    found.check_lease(lease.epoch)?;
    let (subscriber, expected, actual) = (found.subscriber.clone(), found.furthest(), found.checkpoint);
    if expected != actual {
        return Err(Halt::Refused(CheckpointError::Moved { subscriber, expected, actual }));
    }
    let at = found.checkpoint.to_i64();
    tx.act(tx.sql().lanes_drop.query().bind(found.id)).await?;
    tx.act(tx.sql().checkpoint_set.query().bind(found.id).bind(at)).await?;
    if count > 1 {
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        tx.act(tx.sql().lanes_add.query().bind(found.id).bind(count).bind(at)).await?;
    }
    Ok(())
}
