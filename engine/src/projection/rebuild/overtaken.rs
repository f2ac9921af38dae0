//! What becomes of a rebuild while others rebuild the same read model, and what it leaves behind.

use super::{Rebuild, RebuildError};
use crate::{
    CheckpointError, GenerationState, LeaseError, PageLimit, StoreError, SubscriberError, SubscriberId,
    SubscriberInfo, SwitchError,
};

impl Rebuild {
    /// Whether to begin anew after `error`: yes where another process replaced the generation that this one filled. A
    /// program of another version is not got in the way of: it would be replaced in its turn, for ever.
    pub(super) async fn overtaken(&self, error: RebuildError) -> Result<(), RebuildError> {
        let replaced = matches!(
            error,
            RebuildError::Switch(SwitchError::Gone { .. })
                | RebuildError::Fill(
                    SubscriberError::Checkpoint(CheckpointError::Retired { .. })
                        | SubscriberError::Lease(LeaseError::Retired { .. })
                )
        );
        let theirs = |info: &SubscriberInfo| {
            info.state == GenerationState::Building && info.version != self.projection.version()
        };
        if !replaced || self.generations().await?.iter().any(theirs) {
            return Err(error);
        }
        Ok(())
    }

    /// Whether `generation` is what readers see.
    pub(super) async fn is_live(&self, generation: &SubscriberId) -> Result<bool, StoreError> {
        let live =
            |info: &SubscriberInfo| info.subscriber == *generation && info.state == GenerationState::Live;
        Ok(self.generations().await?.iter().any(live))
    }

    /// Deletes what was replaced of the generations from number `first` on: by this rebuild, or by one that was killed
    /// before it could.
    pub(super) async fn sweep(&self, first: u32) -> Result<(), StoreError> {
        for info in self.generations().await? {
            if info.subscriber.generation() >= first && info.state == GenerationState::Retired {
                self.purge(&info.subscriber).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn purge(&self, retired: &SubscriberId) -> Result<(), StoreError> {
        while !self.documents.purge(retired, PageLimit::MAX).await? {}
        Ok(())
    }

    /// All generations of this read model.
    pub(super) async fn generations(&self) -> Result<Vec<SubscriberInfo>, StoreError> {
        let mut all = self.documents.subscribers().await?;
        all.retain(|info| info.subscriber.name() == self.projection.name());
        Ok(all)
    }
}
