//! Taking, keeping and giving back a lease, by the clock of the server.

use super::{
    generation::{Generation, epoch_of},
    transaction::{Halt, Transaction},
};
use annals::{CheckpointError, GenerationState, Lease, LeaseError, LeaseTerms, StoreError, SubscriberId};
use sqlx::Row;
use std::time::Duration;

/// The longest lease, in microseconds: a hundred years, so that no sum overflows.
const LEASE_US_MAX: i64 = 100 * 365 * 24 * 3_600 * 1_000_000;

/// What became of asking for a lease; both are to be committed.
pub(super) type Answer = Result<Lease, LeaseError>;

/// What becomes of a lease that somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FromHolder {
    /// It is left alone.
    No,
    /// It is taken from whoever has it.
    Yes,
}

/// Takes the lease of `id`.
pub(super) async fn acquire(
    tx: &mut Transaction<'_>,
    id: &SubscriberId,
    terms: &LeaseTerms,
    from_holder: FromHolder,
) -> Result<Answer, Halt<LeaseError>> {
    let subscriber = id.clone();
    let Some(found) = Generation::find(tx, id).await? else {
        return Ok(Err(LeaseError::Unknown { subscriber }));
    };
    if found.state == GenerationState::Retired {
        return Ok(Err(LeaseError::Retired { subscriber }));
    }
    if let Some(holder) = &found.holder
        && found.lease_left_us > 0
        && from_holder == FromHolder::No
    {
        let mut left_us = found.lease_left_us;
        // A clock that was set back makes it last longer than a whole lease: it is one whole lease from now on.
        if left_us > found.lease_us {
            extend(tx, found.id).await?;
            left_us = found.lease_us;
        }
        let remaining_ms = left_us.unsigned_abs().div_ceil(1_000);
        return Ok(Err(LeaseError::Held { subscriber, holder: holder.clone(), remaining_ms }));
    }
    let take = tx.sql().lease_take.query().bind(found.id).bind(&terms.holder).bind(microseconds(terms.lasts));
    let rows = tx.rows(take).await?;
    Ok(Ok(Lease::new(subscriber, epoch_of(rows[0].try_get(0)?), found.checkpoint)))
}

/// A sign of life.
pub(super) async fn renew(tx: &mut Transaction<'_>, lease: &Lease) -> Result<(), Halt<CheckpointError>> {
    let found = Generation::get(tx, &lease.subscriber).await?;
    found.check_lease(lease.epoch)?;
    extend(tx, found.id).await
}

/// Gives the lease back.
pub(super) async fn release(tx: &mut Transaction<'_>, lease: &Lease) -> Result<(), Halt<CheckpointError>> {
    let found = Generation::get(tx, &lease.subscriber).await?;
    found.check_lease(lease.epoch)?;
    tx.act(tx.sql().lease_release.query().bind(found.id)).await?;
    Ok(())
}

/// Records why `subscriber` cannot go on, or that it can.
pub(super) async fn report(
    tx: &mut Transaction<'_>,
    subscriber: &SubscriberId,
    failure: Option<&str>,
) -> Result<(), Halt<StoreError>> {
    let found = Generation::get::<StoreError>(tx, subscriber).await?;
    tx.act(tx.sql().report.query().bind(found.id).bind(failure)).await?;
    Ok(())
}

async fn extend<E>(tx: &mut Transaction<'_>, id: i64) -> Result<(), Halt<E>> {
    tx.act(tx.sql().lease_extend.query().bind(id)).await?;
    Ok(())
}

fn microseconds(lasts: Duration) -> i64 {
    i64::try_from(lasts.as_micros()).unwrap_or(LEASE_US_MAX).min(LEASE_US_MAX)
}
