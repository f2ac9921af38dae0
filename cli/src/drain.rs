//! Running all subscribers until nothing is left to do.

use crate::{CliError, Service, Stores, standstill::Standstill};
use annals::{Engine, LeaseError, Position, Subscriber, SubscriberError, catch_up};
use futures_util::future::try_join_all;
use std::{sync::Arc, time::Duration};

/// How long a subscriber that another process runs may stand still before draining gives up.
pub const STANDSTILL_MAX: Duration = Duration::from_secs(60);

/// How often the place of a subscriber is looked at that another process runs.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Runs every projection and policy of `service` until all have handled the whole log and the policies have nothing
/// more to ask for. Returns the head of the log they all stand at; every lease is given back.
///
/// For a process that runs them no longer: stop its [`Runner`](annals::Runner) first. One that another process runs
/// is waited for, as long as it moves. While others keep writing, this need not end.
///
/// Calls `progress` with the head and the place of the subscriber that is furthest behind.
///
/// # Errors
/// The first failure of a subscriber; whatever it had done is kept, and draining again goes on there.
pub async fn drain(
    service: &Service,
    stores: &Stores,
    engine: &Arc<Engine>,
    progress: &mut (dyn FnMut(Position, Position) + Send),
) -> Result<Position, CliError> {
    loop {
        let head = stores.head().await.map_err(|error| CliError::because("drain", &error))?;
        let all = service.subscribers(stores, engine).into_iter().map(|one| bring(stores, one, head));
        let ended = try_join_all(all).await?;
        let now = stores.head().await.map_err(|error| CliError::because("drain", &error))?;
        progress(now, ended.into_iter().min().unwrap_or(now));
        // All have handled what there was, and in doing so have asked for nothing that left an event.
        if now == head {
            engine.snapshots_kept().await;
            return Ok(head);
        }
    }
}

/// Brings one subscriber at least to `head`.
async fn bring(
    stores: &Stores,
    mut subscriber: Box<dyn Subscriber>,
    head: Position,
) -> Result<Position, CliError> {
    let name = subscriber.name().to_string();
    let mut standstill = Standstill::new(STANDSTILL_MAX);
    loop {
        match catch_up(&*stores.store, subscriber.as_mut()).await {
            Ok(at) => return Ok(at),
            Err(SubscriberError::Lease(LeaseError::Held { subscriber, holder, .. })) => {
                let at =
                    stores.place_of(&subscriber).await.map_err(|error| CliError::because(&name, &error))?;
                if at >= head {
                    return Ok(at);
                }
                if !standstill.bears(at) {
                    let reason = format!("{holder} runs it, and it stands still at position {at}");
                    return Err(CliError::failed(&name, reason).next("see `lag` for why it does not go on"));
                }
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
            Err(error) => return Err(CliError::because(&name, &error)),
        }
    }
}
