//! The shop at work in this process: commands come in while policies and read models follow.

use annals::{Engine, GenerationState, Position};
use annals_cli::{CliError, Progress, Service, Stores, drain};
use std::{fmt, sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How often progress is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Policies and read models following in tasks of their own.
pub(crate) struct Work<'a> {
    service: &'a Service,
    stores: &'a Stores,
    engine: Arc<Engine>,
    stop: CancellationToken,
    following: JoinHandle<Vec<annals::Ended>>,
}

impl<'a> Work<'a> {
    pub(crate) fn begin(service: &'a Service, stores: &'a Stores, engine: &Arc<Engine>) -> Self {
        let stop = CancellationToken::new();
        let following = tokio::spawn(service.runner(stores, engine).run(stop.clone()));
        Self { service, stores, engine: engine.clone(), stop, following }
    }

    /// Finishes the pages in hand and gives the leases back.
    ///
    /// What failed meanwhile was logged, and stays to be done: [`finish`](Self::finish) tells of what lasts.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        match self.following.await {
            Ok(ended) => tracing::debug!(?ended, "stopped"),
            Err(error) => {
                if let Ok(panic) = error.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }

    /// Runs policies and read models until nothing is left to do, then gives the leases back.
    pub(crate) async fn finish(self, interrupted: &CancellationToken) -> Result<Position, CliError> {
        let Self { service, stores, ref engine, .. } = self;
        let engine = engine.clone();
        self.stop().await;
        let mut told = |_, _| {};
        tokio::select! {
            biased;
            drained = drain(service, stores, &engine, &mut told) => drained,
            // What was done is kept. A page in hand may come again, which changes nothing.
            () = interrupted.cancelled() => Err(interruption("bringing the read models up to date")),
        }
    }
}

/// How a command ends that was interrupted. Running it again goes on: every command has an id of its own.
pub(crate) fn interruption(doing: impl fmt::Display) -> CliError {
    CliError::failed("interrupted", format!("stopped while {doing}; what was done is kept"))
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
