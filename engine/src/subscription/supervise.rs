//! A subscriber that fails is told of and tried again; it never dies silently.

use super::catch_up::{end, follow_until};
use crate::{
    AnyRejection, CheckpointError, EventStore, ExecuteError, LeaseError, OpenError, Position, Subscriber,
    SubscriberError, error_text,
};
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The wait before a failed subscriber is tried again; each further one in a row is twice as long, with jitter.
pub const RESTART_FIRST: Duration = Duration::from_millis(100);

/// The longest such wait. There is no last try: only a person can decide to give a read model up.
pub const RESTART_MAX: Duration = Duration::from_secs(30);

/// The longest such wait while a store fails for now: a subscriber goes on soon after it is back.
pub const RESTART_PASSING_MAX: Duration = Duration::from_secs(3);

/// The wait before the generation is followed that took the place of a retired one.
const RETIRED_WAIT: Duration = Duration::from_millis(1);

/// Follows until `stop`, through failures.
pub(super) async fn supervise(
    store: &dyn EventStore,
    subscriber: &mut dyn Subscriber,
    stop: &CancellationToken,
) -> Result<Position, SubscriberError> {
    let mut failures = RestartWaits::default();
    loop {
        let outcome = follow_until(store, subscriber, stop).await;
        if stop.is_cancelled() {
            return end(subscriber, outcome).await;
        }
        let wait = match outcome {
            Ok(at) => return end(subscriber, Ok(at)).await,
            Err(SubscriberError::Lease(LeaseError::Held { remaining_ms, holder, .. })) => {
                tracing::debug!(
                    subscriber = subscriber.name(),
                    holder,
                    remaining_ms,
                    "standing by for the lease"
                );
                Duration::from_millis(remaining_ms.max(1)).min(Duration::from_secs(1))
            }
            // A rebuild took the place of what was followed: no failure, and nothing to wait for.
            Err(
                SubscriberError::Checkpoint(CheckpointError::Retired { subscriber: retired })
                | SubscriberError::Lease(LeaseError::Retired { subscriber: retired }),
            ) => {
                tracing::info!(%retired, "going on with the generation that took its place");
                RETIRED_WAIT
            }
            // Another process has it now: by itself, after this one stood still, or for a rebuild that switches.
            Err(SubscriberError::Checkpoint(CheckpointError::Fenced { subscriber: taken, .. })) => {
                tracing::warn!(subscriber = %taken, "the lease was taken over; standing by");
                RESTART_FIRST
            }
            Err(error) => {
                let wait = failures.after(&error);
                tell_failure(subscriber, &error, wait).await;
                // The lease is given back so that the next try, here or elsewhere, need not wait for it.
                if let Err(error) = subscriber.end().await {
                    tracing::debug!(subscriber = subscriber.name(), error = %error_text(&error), "the lease was not given back");
                }
                wait
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Records, logs and counts why `subscriber` failed; it is tried again after `wait`. For whoever runs subscribers by
/// another loop than a [`Runner`](crate::Runner)'s.
pub async fn tell_failure(subscriber: &mut dyn Subscriber, error: &SubscriberError, wait: Duration) {
    let text = error_text(error);
    metrics::counter!("annals_subscriber_failures", "subscriber" => subscriber.name().to_string())
        .increment(1);
    tracing::error!(subscriber = subscriber.name(), error = %text, ?wait, "the subscriber failed; it is tried again");
    // Whoever has the lease is well, and must not be reported as failed.
    let elsewhere = match error {
        SubscriberError::Checkpoint(CheckpointError::Fenced { .. }) => true,
        SubscriberError::Lease(LeaseError::Store(error)) => error.is_transient(),
        _ => false,
    };
    if elsewhere {
        return;
    }
    if let Err(unreported) = subscriber.report(Some(&text)).await {
        tracing::error!(subscriber = subscriber.name(), error = %error_text(&unreported), "the failure was not recorded");
    }
}

/// Waits between the tries of a subscriber that fails: they grow, with jitter, while one failure follows another soon,
/// from [`RESTART_FIRST`] to [`RESTART_MAX`].
#[derive(Debug, Default)]
pub struct RestartWaits {
    waits: Option<Waits>,
    last: Option<tokio::time::Instant>,
}

/// What comes next, whichever way it failed: both grow with each failure.
#[derive(Debug)]
struct Waits {
    passing: ExponentialBackoff,
    any: ExponentialBackoff,
}

impl RestartWaits {
    /// The wait after a failure with `error`: at most [`RESTART_PASSING_MAX`] where a store failed for now.
    pub fn after(&mut self, error: &SubscriberError) -> Duration {
        let (passing, any) = self.both();
        if passes(error) { passing } else { any }
    }

    /// The wait after another failure.
    #[expect(
        clippy::should_implement_trait,
        reason = "it is no row of values: each depends on when it is asked for"
    )]
    pub fn next(&mut self) -> Duration {
        self.both().1
    }

    /// While a store fails for now, and otherwise.
    fn both(&mut self) -> (Duration, Duration) {
        // A failure long after the last one begins a new row.
        if self.last.is_some_and(|last| last.elapsed() > 2 * RESTART_MAX) {
            *self = Self::default();
        }
        self.last = Some(tokio::time::Instant::now());
        // Jitter comes on top, up to as much again. Cut off behind it, all who wait for one store would come at once.
        let begin = || Waits { passing: growing_to(RESTART_PASSING_MAX / 2), any: growing_to(RESTART_MAX) };
        let Waits { passing, any } = self.waits.get_or_insert_with(begin);
        let passing = passing.next().unwrap_or(RESTART_PASSING_MAX).min(RESTART_PASSING_MAX);
        (passing, any.next().unwrap_or(RESTART_MAX).min(2 * RESTART_MAX))
    }
}

fn growing_to(max: Duration) -> ExponentialBackoff {
    let builder = ExponentialBuilder::default().with_jitter().with_min_delay(RESTART_FIRST);
    builder.with_max_delay(max).without_max_times().build()
}

/// Whether a store failed, or others were faster, and only for now.
fn passes(error: &SubscriberError) -> bool {
    match error {
        SubscriberError::Store(error)
        | SubscriberError::Open(OpenError::Store(error))
        | SubscriberError::Lease(LeaseError::Store(error))
        | SubscriberError::Checkpoint(CheckpointError::Store(error)) => error.is_transient(),
        // A command of a policy: the store behind the engine.
        SubscriberError::Poison { source, .. } => {
            let failed = source.downcast_ref::<ExecuteError<AnyRejection>>();
            match failed {
                Some(ExecuteError::Failed(failure)) => failure.is_transient(),
                Some(ExecuteError::Contended { .. }) => true,
                _ => false,
            }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Failure, StoreError};

    const TRIES: usize = 30;

    fn waits(error: impl Fn() -> SubscriberError) -> Vec<Duration> {
        let mut waits = RestartWaits::default();
        (0..TRIES).map(|_| waits.after(&error())).collect()
    }

    fn passing() -> StoreError {
        StoreError::transient("being tested", "as asked")
    }

    fn staying() -> StoreError {
        StoreError::permanent("being tested", "as asked")
    }

    /// As a policy tells that a command failed.
    fn of_a_command(error: StoreError) -> SubscriberError {
        SubscriberError::Poison {
            subscriber: "reserve".into(),
            stream: "order-1".parse().unwrap(),
            position: Position::new(1),
            source: ExecuteError::<AnyRejection>::Failed(Failure::Store(error)).into(),
        }
    }

    /// Broken on purpose: `after` without `passing`, and a subscriber waits half a minute for a store that is back;
    /// `passes` without `Poison`, and a policy does.
    #[test]
    fn a_store_that_fails_for_now_is_tried_again_within_five_seconds() {
        assert!(RESTART_PASSING_MAX < Duration::from_secs(5));
        let longest = |error: &dyn Fn() -> SubscriberError| waits(error).into_iter().max().unwrap();
        assert!(longest(&|| passing().into()) <= RESTART_PASSING_MAX);
        assert!(longest(&|| of_a_command(passing())) <= RESTART_PASSING_MAX);
        assert!(longest(&|| staying().into()) >= RESTART_MAX);
        assert!(longest(&|| of_a_command(staying())) >= RESTART_MAX);
        // Others were faster.
        let contended = || SubscriberError::Poison {
            subscriber: "reserve".into(),
            stream: "order-1".parse().unwrap(),
            position: Position::new(1),
            source: ExecuteError::<AnyRejection>::Contended {
                stream: "stock-hat".parse().unwrap(),
                attempts: 8,
            }
            .into(),
        };
        assert!(longest(&contended) <= RESTART_PASSING_MAX);
    }

    /// Broken on purpose: the longest wait with its jitter cut off, and all subscribers come at once.
    #[test]
    fn whoever_waits_for_a_store_comes_at_a_time_of_its_own() {
        let waits = waits(|| passing().into());
        let (longest, last) = (waits.iter().max().unwrap(), &waits[TRIES - 10..]);
        assert!(last.iter().all(|wait| *wait >= RESTART_PASSING_MAX / 2), "{last:?}");
        assert!(last.iter().filter(|wait| *wait == longest).count() <= 1, "{last:?}");
    }
}
