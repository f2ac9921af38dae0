//! Reads and keeps snapshots. They are a cache: whatever goes wrong with one is told and passed over.

use super::load::Loaded;
use crate::{Aggregate, Fingerprint, Snapshot, SnapshotStore, StreamId, Version};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// How many snapshots are being written at once; one that would be more is left out.
pub const SNAPSHOTS_AT_ONCE_MAX: usize = 8;

/// The state kept for the stream, or the empty one.
pub(super) async fn from_snapshot<A: Aggregate>(
    snapshots: Option<&dyn SnapshotStore>,
    stream: &StreamId,
) -> Loaded<A> {
    let (Some(snapshots), Some(policy)) = (snapshots, A::SNAPSHOTS) else { return Loaded::empty() };
    let found = match Fingerprint::of::<A>(&policy) {
        Ok(fingerprint) => snapshots.snapshot(stream, fingerprint).await,
        Err(error) => {
            tracing::warn!(%stream, %error, "the empty state cannot be written, so no snapshot is used");
            return Loaded::empty();
        }
    };
    let snapshot = match found {
        Ok(Some(snapshot)) => snapshot,
        Ok(None) => return Loaded::empty(),
        Err(error) => {
            tracing::warn!(%stream, error = %crate::error_text(&error), "the snapshot was not read");
            return Loaded::empty();
        }
    };
    match (policy.read)(&snapshot.state) {
        Ok(state) => Loaded {
            state: Arc::new(state),
            version: snapshot.version,
            position: snapshot.position,
            may_be_old: false,
            snapshot: Some(snapshot.version),
        },
        Err(error) => {
            tracing::warn!(%stream, %error, "the snapshot is unreadable; the stream is read from its beginning");
            Loaded::empty()
        }
    }
}

/// Writes snapshots beside the commands that call for them.
pub(super) struct Keeper(Arc<Semaphore>);

impl Keeper {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(SNAPSHOTS_AT_ONCE_MAX)))
    }

    /// Keeps the state if enough events have come to the stream since `before`.
    pub(super) fn consider<A: Aggregate>(
        &self,
        snapshots: Option<&Arc<dyn SnapshotStore>>,
        stream: &StreamId,
        before: Version,
        loaded: &Loaded<A>,
    ) {
        let (Some(snapshots), Some(policy)) = (snapshots, A::SNAPSHOTS) else { return };
        if before.get() / policy.every_events == loaded.version.get() / policy.every_events {
            return;
        }
        let Ok(permit) = self.0.clone().try_acquire_owned() else {
            metrics::counter!("annals_snapshots_left_out").increment(1);
            return;
        };
        let (Ok(of), Ok(state)) = (Fingerprint::of::<A>(&policy), (policy.write)(&loaded.state)) else {
            tracing::warn!(%stream, "the state cannot be written as JSON, so no snapshot is kept");
            return;
        };
        let snapshot = Snapshot { of, version: loaded.version, position: loaded.position, state };
        let (snapshots, stream) = (snapshots.clone(), stream.clone());
        tokio::spawn(async move {
            if let Err(error) = snapshots.keep(&stream, snapshot).await {
                tracing::warn!(%stream, error = %crate::error_text(&error), "the snapshot was not kept");
            }
            drop(permit);
        });
    }

    /// Waits until all snapshots that were begun are written.
    pub(super) async fn idle(&self) {
        // The semaphore is never closed, so this cannot fail.
        let all = self.0.acquire_many(SNAPSHOTS_AT_ONCE_MAX as u32).await;
        drop(all);
    }
}
