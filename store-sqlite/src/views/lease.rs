//! Taking, keeping and giving back a lease.

use super::{
    generation::{Generation, epoch_number, now_us},
    halt::Halt,
};
use annals::{
    CheckpointError, Epoch, GenerationState, Lease, LeaseError, LeaseTerms, StoreError, SubscriberId,
};
use rusqlite::{Connection, params};
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
pub(super) fn acquire(
    connection: &Connection,
    id: &SubscriberId,
    terms: &LeaseTerms,
    from_holder: FromHolder,
) -> Result<Answer, Halt<LeaseError>> {
    let subscriber = id.clone();
    let Some(found) = Generation::find(connection, id)? else {
        return Ok(Err(LeaseError::Unknown { subscriber }));
    };
    if found.state == GenerationState::Retired {
        return Ok(Err(LeaseError::Retired { subscriber }));
    }
    let now = now_us();
    if let Some(holder) = &found.holder
        && found.lease_until_us > now
        && from_holder == FromHolder::No
    {
        let remaining_us = shorten(connection, &found, now)?;
        let remaining_ms = remaining_us.unsigned_abs().div_ceil(1_000);
        return Ok(Err(LeaseError::Held { subscriber, holder: holder.clone(), remaining_ms }));
    }
    let epoch = Epoch(found.epoch.0 + 1);
    let lasts = microseconds(terms.lasts);
    let mut take = connection.prepare_cached(include_str!("sql/lease_take.sql"))?;
    take.execute(params![found.id, epoch_number(epoch), terms.holder, lasts, now + lasts])?;
    Ok(Ok(Lease::new(subscriber, epoch, found.checkpoint)))
}

/// How long a held lease still lasts. A clock that was set back makes that longer than a whole lease: then it is
/// one whole lease from now on, and that is written down, so that waiting for it comes to an end.
fn shorten(connection: &Connection, found: &Generation, now: i64) -> Result<i64, rusqlite::Error> {
    let remaining_us = found.lease_until_us - now;
    if remaining_us > found.lease_us {
        extend(connection, found.id)?;
        return Ok(found.lease_us);
    }
    Ok(remaining_us)
}

/// A sign of life.
pub(super) fn renew(connection: &Connection, lease: &Lease) -> Result<(), Halt<CheckpointError>> {
    let found = Generation::get(connection, &lease.subscriber)?;
    found.check_lease(lease.epoch)?;
    Ok(extend(connection, found.id)?)
}

/// Gives the lease back.
pub(super) fn release(connection: &Connection, lease: &Lease) -> Result<(), Halt<CheckpointError>> {
    let found = Generation::get(connection, &lease.subscriber)?;
    found.check_lease(lease.epoch)?;
    connection.prepare_cached(include_str!("sql/lease_release.sql"))?.execute([found.id])?;
    Ok(())
}

/// Records why `subscriber` cannot go on, or that it can.
pub(super) fn report(
    connection: &Connection,
    subscriber: &SubscriberId,
    failure: Option<&str>,
) -> Result<(), Halt<StoreError>> {
    let found = Generation::get::<StoreError>(connection, subscriber)?;
    let failed_at = failure.map(|_| now_us());
    let mut report = connection.prepare_cached(include_str!("sql/report.sql"))?;
    report.execute(params![found.id, failure, failed_at])?;
    Ok(())
}

fn extend(connection: &Connection, id: i64) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(include_str!("sql/lease_extend.sql"))?.execute([id, now_us()])?;
    Ok(())
}

fn microseconds(lasts: Duration) -> i64 {
    i64::try_from(lasts.as_micros()).unwrap_or(LEASE_US_MAX).min(LEASE_US_MAX)
}
