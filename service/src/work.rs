//! The shop at work in this process: commands come in while policies and read models follow.

use crate::publishing::Publishing;
use annals::{Engine, GenerationState, Position};
use annals_cli::{CliError, Progress, Service, Stores, drain};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How often progress is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// How often it is looked whether everything rests.
const REST_INTERVAL: Duration = Duration::from_millis(25);

/// So often in a row nothing may have moved for it to rest.
const RESTED_LOOKS: u32 = 2;

/// Policies and read models following in tasks of their own.
pub(crate) struct Work<'a> {
    service: &'a Service,
    stores: &'a Stores,
    engine: Arc<Engine>,
    stop: CancellationToken,
    following: JoinHandle<Vec<annals::Ended>>,
    /// Beside the others: what it cannot do holds nobody up.
    publishing: Option<JoinHandle<Result<(), CliError>>>,
}

impl<'a> Work<'a> {
    pub(crate) fn begin(service: &'a Service, stores: &'a Stores, engine: &Arc<Engine>) -> Self {
        let stop = CancellationToken::new();
        let following = tokio::spawn(service.runner(stores, engine).run(stop.clone()));
        Self { service, stores, engine: engine.clone(), stop, following, publishing: None }
    }

    /// And a publisher beside them, where one is wanted.
    pub(crate) fn publishing(self, wanted: Option<&Publishing>) -> Self {
        let follow = |publishing: &Publishing| {
            tokio::spawn(publishing.clone().follow(self.stores.clone(), self.stop.clone()))
        };
        Self { publishing: wanted.map(follow), ..self }
    }

    /// Has `sending` send commands, then goes on until nothing is left to do, and gives the leases back. Says what
    /// `sending` gave, and the head of the log.
    ///
    /// # Errors
    /// Those of `sending`, and an interruption: after the pages in hand, with the leases given back.
    pub(crate) async fn through<T>(
        self,
        sending: impl Future<Output = Result<T, CliError>>,
        interrupted: &CancellationToken,
    ) -> Result<(T, Position), CliError> {
        let sent = sending.await;
        if sent.is_ok() {
            interrupted.run_until_cancelled(self.until_it_rests()).await.transpose()?;
        }
        let (service, stores, engine) = (self.service, self.stores, self.engine.clone());
        let published = self.stop().await;
        let sent = sent?;
        published?;
        let mut told = |_, _| {};
        // What rests has hardly anything left; what failed meanwhile, and was only logged, is told here.
        let drained = interrupted.run_until_cancelled(drain(service, stores, &engine, &mut told)).await;
        Ok((sent, drained.unwrap_or_else(|| Err(interruption()))?))
    }

    /// Stops following: behind the pages in hand, with the leases given back.
    ///
    /// # Errors
    /// Why the publisher could not go on.
    ///
    /// # Panics
    /// When a policy or projection, or the publisher, has panicked.
    pub(crate) async fn stop(self) -> Result<(), CliError> {
        self.stop.cancel();
        match self.following.await {
            Ok(ended) => tracing::debug!(?ended, "stopped"),
            Err(error) => resume(error),
        }
        match self.publishing {
            None => Ok(()),
            Some(publishing) => publishing.await.unwrap_or_else(|error| {
                resume(error);
                Ok(())
            }),
        }
    }

    /// Is cancelled when a policy or projection has panicked, which stops all of them.
    pub(crate) fn broken(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Until neither the log nor a subscriber has moved for a while.
    async fn until_it_rests(&self) -> Result<(), CliError> {
        let mut seen = None;
        let mut rested = 0;
        while rested < RESTED_LOOKS {
            tokio::time::sleep(REST_INTERVAL).await;
            let now = self.places().await.map_err(|error| CliError::because("the read models", &error))?;
            rested = if seen.as_ref() == Some(&now) { rested + 1 } else { 0 };
            seen = Some(now);
        }
        Ok(())
    }

    /// The head of the log, and where each subscriber stands.
    async fn places(&self) -> Result<(Position, Vec<Position>), annals::StoreError> {
        let all = self.stores.documents.subscribers().await?;
        Ok((self.stores.head().await?, all.into_iter().map(|info| info.checkpoint).collect()))
    }
}

/// A task that has panicked takes this one with it.
fn resume(error: JoinError) {
    if let Ok(panic) = error.try_into_panic() {
        std::panic::resume_unwind(panic);
    }
}

/// How a command ends that was interrupted. Running it again goes on: every command has an id of its own.
pub(crate) fn interruption() -> CliError {
    CliError::failed("interrupted", "it was stopped before it was done; what was done is kept")
        .next("run the same command again: it goes on where it stopped")
}

/// How many events the subscriber furthest behind has still to look at.
pub(crate) async fn lag_events(stores: &Stores, service: &Service) -> Result<u64, annals::StoreError> {
    let head = stores.head().await?;
    let all = stores.documents.subscribers().await?;
    let place = |name: &str| {
        let live =
            all.iter().find(|info| info.subscriber.name() == name && info.state == GenerationState::Live);
        live.map_or(Position::START, |info| info.checkpoint)
    };
    let furthest_behind = service.subscriber_names().map(place).min().unwrap_or(head);
    Ok(head.get().saturating_sub(furthest_behind.get()))
}

/// Keeps saying on `progress` how many events there are and how far the read side is behind, until dropped.
pub(crate) fn watch(
    progress: &Progress,
    what: &'static str,
    stores: &Stores,
    service: &Arc<Service>,
) -> DropGuard {
    let (progress, stores, service) = (progress.clone(), stores.clone(), service.clone());
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(stopped.run_until_cancelled_owned(async move {
        loop {
            let told = async {
                Ok::<_, annals::StoreError>((stores.head().await?, lag_events(&stores, &service).await?))
            };
            // Progress that cannot be told is left out; what fails for good fails where the work is done.
            if let Ok((head, lag)) = told.await {
                progress.says(format_args!("{what} · {head} events · {lag} behind"));
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }));
    stop.drop_guard()
}
