//! Checkpoints and leases in memory.

use super::{
    documents::{MemoryDocuments, next_generation, unknown},
    generation::{Generation, live_of},
};
use crate::{
    CheckpointError, Checkpoints, GenerationState, Lease, LeaseError, LeaseTerms, OpenError, PageWrite, Step,
    StoreError, SubscriberId, SubscriberInfo,
};
use async_trait::async_trait;
use chrono::Utc;
use tokio::sync::watch;

#[async_trait]
impl Checkpoints for MemoryDocuments {
    async fn open(&self, name: &str, version: u32) -> Result<SubscriberId, OpenError> {
        let mut all = self.generations();
        match live_of(&all, name) {
            Some((live, of)) if of == version => Ok(live),
            Some((live, of)) => Err(unfit(&live, of, version)),
            None => {
                let first = next_generation(&all, name)?;
                all.insert(first.clone(), Generation::new(version, GenerationState::Live));
                Ok(first)
            }
        }
    }

    async fn acquire(&self, subscriber: &SubscriberId, terms: &LeaseTerms) -> Result<Lease, LeaseError> {
        match self.generations().get_mut(subscriber) {
            Some(generation) => generation.acquire(subscriber, terms),
            None => Err(LeaseError::Unknown { subscriber: subscriber.clone() }),
        }
    }

    async fn take_over(&self, subscriber: &SubscriberId, terms: &LeaseTerms) -> Result<Lease, LeaseError> {
        match self.generations().get_mut(subscriber) {
            Some(generation) => generation.take_over(subscriber, terms),
            None => Err(LeaseError::Unknown { subscriber: subscriber.clone() }),
        }
    }

    async fn renew(&self, lease: &Lease) -> Result<(), CheckpointError> {
        self.with(&lease.subscriber, |generation| generation.renew(&lease.subscriber, lease.epoch))
    }

    async fn release(&self, lease: &Lease) -> Result<(), CheckpointError> {
        self.with(&lease.subscriber, |generation| generation.release(&lease.subscriber, lease.epoch))
    }

    async fn advance(&self, step: &Step) -> Result<(), CheckpointError> {
        self.write(None, step, PageWrite::default())
    }

    async fn report(&self, subscriber: &SubscriberId, failure: Option<&str>) -> Result<(), StoreError> {
        let failure = failure.map(|text| (text.to_string(), Utc::now()));
        let mut all = self.generations();
        all.get_mut(subscriber).ok_or_else(|| unknown(subscriber))?.failure = failure;
        Ok(())
    }

    async fn subscribers(&self) -> Result<Vec<SubscriberInfo>, StoreError> {
        Ok(self.generations().iter().map(|(id, generation)| generation.info(id)).collect())
    }

    fn moved(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }
}

/// Why a program of version `ours` may not go on with a live generation of another version.
pub(super) fn unfit(generation: &SubscriberId, live: u32, ours: u32) -> OpenError {
    let (name, generation) = (generation.name().to_string(), generation.generation());
    if live > ours {
        OpenError::Outdated { name, generation, live, ours }
    } else {
        OpenError::NeedsRebuild { name, generation, live, ours }
    }
}
