//! What the faults need besides the sound store.

use super::{
    faulty::{Fault, Faulty},
    *,
};
use std::{
    collections::HashSet,
    sync::Mutex,
    time::{Duration, Instant},
};

/// After so long a lease that hears no sign of life is given away; as long as that of the promise.
const LEASE_LASTS: Duration = Duration::from_millis(300);

/// Why the lock is sound.
const NOBODY_PANICS: &str = "nobody panics with it";

/// What the store of a fault keeps.
pub(super) struct Needs {
    /// For notifications that nobody sends.
    pub(super) nobody: watch::Sender<u64>,
    made: Instant,
    busy: Arc<Mutex<HashSet<Arc<str>>>>,
}

impl Default for Needs {
    fn default() -> Self {
        Self { nobody: watch::Sender::new(0), made: Instant::now(), busy: Arc::default() }
    }
}

/// Documents that nobody else may write meanwhile.
pub(super) struct Alone {
    keys: Vec<Arc<str>>,
    busy: Arc<Mutex<HashSet<Arc<str>>>>,
}

impl Needs {
    /// Whether leases that were taken when the store was made have run out.
    pub(super) fn is_old(&self) -> bool {
        self.made.elapsed() > LEASE_LASTS
    }

    /// Takes the documents one after another, and fails where another has one of them: as a database does that finds
    /// two who wait for each other.
    pub(super) async fn alone(&self, seen: &[(Arc<str>, Slot)]) -> Result<Alone, StoreError> {
        let mut alone = Alone { keys: vec![], busy: self.busy.clone() };
        for (key, _) in seen {
            if !self.busy.lock().expect(NOBODY_PANICS).insert(key.clone()) {
                return Err(StoreError::transient("writing", "two wait for each other"));
            }
            alone.keys.push(key.clone());
            tokio::task::yield_now().await;
        }
        Ok(alone)
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let mut busy = self.busy.lock().expect(NOBODY_PANICS);
        busy.retain(|key| !self.keys.contains(key));
    }
}

impl Faulty {
    pub(super) fn is(&self, fault: Fault) -> bool {
        self.1 == fault
    }

    pub(super) async fn known(&self, id: &SubscriberId) -> Result<SubscriberInfo, StoreError> {
        let all = self.0.subscribers().await?;
        let found = all.into_iter().find(|info| info.subscriber == *id);
        found.ok_or_else(|| StoreError::permanent("looking for a generation", "there is none"))
    }

    /// The step as the faulty store takes it.
    pub(super) async fn taken(&self, step: &Step) -> Result<Step, CheckpointError> {
        let mut step = step.clone();
        if self.is(Fault::CountsTwice) {
            step.from = self.known(&step.subscriber).await?.checkpoint;
        }
        if self.is(Fault::FencesNobody) {
            step.epoch = self.newest(&step).await;
        }
        Ok(step)
    }

    /// The epoch that counts, as a fenced renewal tells it.
    pub(super) async fn newest(&self, step: &Step) -> Epoch {
        let lease = Lease::new(step.subscriber.clone(), step.epoch, step.from);
        match self.0.renew(&lease).await {
            Err(CheckpointError::Fenced { now, .. }) => now,
            _ => step.epoch,
        }
    }

    pub(super) fn outcome(&self, outcome: Result<(), CheckpointError>) -> Result<(), CheckpointError> {
        match outcome {
            Err(CheckpointError::Retired { .. }) if self.is(Fault::LetsTheRetiredWrite) => Ok(()),
            outcome => outcome,
        }
    }

    /// The step as a lane of the faulty store takes it.
    pub(super) async fn taken_in_lane(&self, lane: u32, step: &Step) -> Result<Step, CheckpointError> {
        let mut step = step.clone();
        if self.is(Fault::CountsLanesTwice) {
            let lanes = self.0.lanes(&Lease::new(step.subscriber.clone(), step.epoch, step.from)).await?;
            step.from = lanes.get(lane as usize).copied().unwrap_or(step.from);
        }
        Ok(step)
    }

    /// Whose documents are shown for those of `of`.
    pub(super) async fn first(&self, of: &SubscriberId) -> Result<SubscriberId, StoreError> {
        match self.1 {
            Fault::SharesDocuments => {
                let all = self.0.subscribers().await?;
                Ok(all.into_iter().next().map_or(of.clone(), |info| info.subscriber))
            }
            _ => Ok(of.clone()),
        }
    }
}
