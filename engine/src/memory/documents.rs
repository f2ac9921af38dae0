//! The store of documents in memory.

use super::{
    checkpoints::unfit,
    compare::compare,
    generation::{Generation, Generations, live_of},
};
use crate::{
    CheckpointError, CompareError, Comparison, DocumentStore, GenerationState, Json, Lease, OpenError,
    PageLimit, PageWrite, Parked, ParkedRequest, Position, Slot, Step, StoreError, SubscriberId,
    SubscriberIdError, SwitchError,
};
use async_trait::async_trait;
use std::{
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::watch;

/// Documents, checkpoints and leases in memory; gone with the process.
pub struct MemoryDocuments {
    generations: Mutex<Generations>,
    pub(super) moved: watch::Sender<u64>,
}

impl MemoryDocuments {
    /// Without any subscriber.
    pub fn new() -> Self {
        Self { generations: Mutex::default(), moved: watch::Sender::new(0) }
    }

    pub(super) fn generations(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().expect("nothing panics while it holds the generations")
    }

    pub(super) fn with<T, E: From<StoreError>>(
        &self,
        id: &SubscriberId,
        act: impl FnOnce(&mut Generation) -> Result<T, E>,
    ) -> Result<T, E> {
        act(self.generations().get_mut(id).ok_or_else(|| unknown(id))?)
    }

    pub(super) fn write(
        &self,
        lane: Option<u32>,
        step: &Step,
        page: PageWrite,
    ) -> Result<(), CheckpointError> {
        self.with(&step.subscriber, |generation| generation.commit(lane, step, page))?;
        self.moved.send_modify(|count| *count += 1);
        Ok(())
    }
}

impl Default for MemoryDocuments {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl DocumentStore for MemoryDocuments {
    async fn load(&self, of: &SubscriberId, keys: &[Arc<str>]) -> Result<Vec<Slot>, StoreError> {
        self.with(of, |generation| {
            let slot = |key: &Arc<str>| Slot {
                document: generation.documents.get(key).cloned(),
                parked: generation.has_parked(key),
            };
            Ok(keys.iter().map(slot).collect())
        })
    }

    async fn commit(&self, step: &Step, page: PageWrite) -> Result<(), CheckpointError> {
        self.write(None, step, page)
    }

    async fn divide(&self, lease: &Lease, count: u32) -> Result<bool, CheckpointError> {
        self.with(&lease.subscriber, |generation| generation.divide(lease, count))?;
        Ok(true)
    }

    async fn lanes(&self, lease: &Lease) -> Result<Vec<Position>, CheckpointError> {
        self.with(&lease.subscriber, |generation| {
            generation.check_lease(&lease.subscriber, lease.epoch)?;
            Ok(generation.lanes.clone())
        })
    }

    async fn commit_lane(&self, lane: u32, step: &Step, page: PageWrite) -> Result<(), CheckpointError> {
        self.write(Some(lane), step, page)
    }

    async fn commit_part(
        &self,
        step: &Step,
        into: &SubscriberId,
        seen: &[(Arc<str>, Slot)],
        page: PageWrite,
    ) -> Result<(), CheckpointError> {
        page.check(into)?;
        page.check_seen(seen)?;
        let mut all = self.generations();
        all.get(into).ok_or_else(|| unknown(into))?.check_part(into, seen)?;
        let part = all.get_mut(&step.subscriber).ok_or_else(|| unknown(&step.subscriber))?;
        // It checks before it writes, so what comes behind it cannot be refused.
        part.commit(None, step, PageWrite::default())?;
        if let Some(into) = all.get_mut(into) {
            into.write(page);
        }
        drop(all);
        self.moved.send_modify(|count| *count += 1);
        Ok(())
    }

    async fn documents(
        &self,
        of: &SubscriberId,
        after: Option<&str>,
        limit: PageLimit,
    ) -> Result<Vec<(Arc<str>, Json)>, StoreError> {
        let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.with(of, |generation| {
            let documents = generation.documents.range::<str, _>((behind, Bound::Unbounded));
            Ok(documents.take(limit.get()).map(|(key, json)| (key.clone(), json.clone())).collect())
        })
    }

    async fn start_rebuild(&self, name: &str, version: u32) -> Result<SubscriberId, OpenError> {
        let mut all = self.generations();
        if let Some((live, of)) = live_of(&all, name).filter(|(_, of)| *of > version) {
            return Err(unfit(&live, of, version));
        }
        let new = next_generation(&all, name)?;
        let building =
            all.iter_mut().find(|(id, found)| id.name() == name && found.state == GenerationState::Building);
        if let Some((id, found)) = building {
            if found.version == version {
                return Ok(id.clone());
            }
            found.retire();
        }
        all.insert(new.clone(), Generation::new(version, GenerationState::Building));
        Ok(new)
    }

    async fn switch(&self, to: &SubscriberId) -> Result<(), SwitchError> {
        let mut all = self.generations();
        let building = all.get(to).filter(|found| found.state == GenerationState::Building);
        let at = building.ok_or_else(|| SwitchError::Gone { subscriber: to.clone() })?.checkpoint;
        if let Some((old, _)) = live_of(&all, to.name())
            && let Some(old) = all.get_mut(&old)
        {
            if at < old.checkpoint {
                return Err(SwitchError::Behind { subscriber: to.clone(), at, live: old.checkpoint });
            }
            old.retire();
        }
        if let Some(new) = all.get_mut(to) {
            new.state = GenerationState::Live;
        }
        // Whoever waits for the live generation to come to a position must look again.
        self.moved.send_modify(|count| *count += 1);
        Ok(())
    }

    async fn abandon(&self, building: &SubscriberId) -> Result<(), StoreError> {
        self.with(building, |generation| match generation.state {
            GenerationState::Building => {
                generation.retire();
                Ok(())
            }
            GenerationState::Retired => Ok(()),
            GenerationState::Live => {
                Err(refused("abandoning a rebuild", format!("{building} is live: readers see it")))
            }
        })
    }

    async fn purge(&self, retired: &SubscriberId, limit: PageLimit) -> Result<bool, StoreError> {
        self.with(retired, |generation| {
            if generation.state != GenerationState::Retired {
                return Err(refused("purging documents", format!("{retired} is not retired")));
            }
            for _ in 0..limit.get() {
                generation.documents.pop_first();
            }
            Ok(generation.documents.is_empty())
        })
    }

    async fn compare(&self, old: &SubscriberId, new: &SubscriberId) -> Result<Comparison, CompareError> {
        let all = self.generations();
        let find = |id: &SubscriberId| match all.get(id) {
            Some(found) if found.state == GenerationState::Retired => {
                Err(CompareError::Replaced { subscriber: id.clone() })
            }
            Some(found) => Ok(found),
            None => Err(unknown(id).into()),
        };
        let (old, new) = (find(old)?, find(new)?);
        // Lanes that stand apart are at no position at all.
        if old.checkpoint != new.furthest() || old.furthest() != new.checkpoint {
            return Err(CompareError::Apart { old: old.checkpoint, new: new.furthest() });
        }
        Ok(compare(old, new))
    }

    async fn parked(
        &self,
        of: &SubscriberId,
        key: Option<&str>,
        after: Option<(&str, Position)>,
        limit: PageLimit,
    ) -> Result<Vec<Parked>, StoreError> {
        let behind = after
            .map_or(Bound::Unbounded, |(key, position)| Bound::Excluded((Arc::<str>::from(key), position)));
        self.with(of, |generation| {
            let parked = generation.parked.range((behind, Bound::Unbounded)).map(|(_, parked)| parked);
            let wanted = parked.filter(|parked| key.is_none_or(|key| *parked.key == *key));
            Ok(wanted.take(limit.get()).cloned().collect())
        })
    }

    async fn request(&self, of: &SubscriberId, request: &ParkedRequest) -> Result<bool, StoreError> {
        self.with(of, |generation| {
            let parked = generation.has_parked(&request.key);
            if parked {
                generation.requests.insert(request.key.clone(), request.action);
            }
            Ok(parked)
        })
    }

    async fn requests(&self, of: &SubscriberId, limit: PageLimit) -> Result<Vec<ParkedRequest>, StoreError> {
        self.with(of, |generation| {
            let requests = generation.requests.iter().take(limit.get());
            Ok(requests.map(|(key, action)| ParkedRequest { key: key.clone(), action: *action }).collect())
        })
    }
}

/// The number that the next generation of `name` gets: never one that was used.
pub(super) fn next_generation(all: &Generations, name: &str) -> Result<SubscriberId, SubscriberIdError> {
    let used = all.keys().filter(|id| id.name() == name).map(SubscriberId::generation).max();
    SubscriberId::new(name, used.unwrap_or(0) + 1)
}

pub(super) fn unknown(id: &SubscriberId) -> StoreError {
    refused("looking for a generation", format!("there is no {id}"))
}

fn refused(doing: &'static str, reason: String) -> StoreError {
    StoreError::permanent(doing, reason)
}
