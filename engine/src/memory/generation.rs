//! One generation of one subscriber: its place, its lease, its documents and what is parked.

use crate::{
    Change, CheckpointError, Epoch, GenerationState, Json, Lease, LeaseError, LeaseTerms, PageWrite, Parked,
    ParkedAction, Position, Slot, Step, SubscriberId, SubscriberInfo,
};
use chrono::{DateTime, Utc};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::Instant;

pub(super) struct Generation {
    pub(super) version: u32,
    pub(super) state: GenerationState,
    pub(super) checkpoint: Position,
    /// Where the lanes stand; the checkpoint is the least of them. Empty where it is undivided.
    pub(super) lanes: Vec<Position>,
    epoch: Epoch,
    held: Option<Held>,
    pub(super) failure: Option<(String, DateTime<Utc>)>,
    pub(super) documents: BTreeMap<Arc<str>, Json>,
    pub(super) parked: BTreeMap<(Arc<str>, Position), Parked>,
    pub(super) requests: BTreeMap<Arc<str>, ParkedAction>,
}

/// By whom the lease is held, how long it lasts without a sign of life, and when the last one was.
struct Held {
    holder: String,
    lasts: Duration,
    alive_at: Instant,
}

impl Held {
    fn remaining(&self) -> Duration {
        self.lasts.saturating_sub(self.alive_at.elapsed())
    }
}

impl Generation {
    pub(super) fn new(version: u32, state: GenerationState) -> Self {
        Self {
            version,
            state,
            checkpoint: Position::START,
            lanes: vec![],
            epoch: Epoch::default(),
            held: None,
            failure: None,
            documents: BTreeMap::new(),
            parked: BTreeMap::new(),
            requests: BTreeMap::new(),
        }
    }

    pub(super) fn retire(&mut self) {
        self.state = GenerationState::Retired;
        self.held = None;
    }

    pub(super) fn acquire(&mut self, id: &SubscriberId, terms: &LeaseTerms) -> Result<Lease, LeaseError> {
        if self.state != GenerationState::Retired
            && let Some(held) = self.held()
        {
            return Err(LeaseError::Held {
                subscriber: id.clone(),
                holder: held.holder.clone(),
                remaining_ms: u64::try_from(held.remaining().as_micros().div_ceil(1_000)).unwrap_or(u64::MAX),
            });
        }
        self.take_over(id, terms)
    }

    pub(super) fn take_over(&mut self, id: &SubscriberId, terms: &LeaseTerms) -> Result<Lease, LeaseError> {
        if self.state == GenerationState::Retired {
            return Err(LeaseError::Retired { subscriber: id.clone() });
        }
        let (holder, lasts) = (terms.holder.clone(), terms.lasts);
        self.held = Some(Held { holder, lasts, alive_at: Instant::now() });
        self.epoch.0 += 1;
        Ok(Lease::new(id.clone(), self.epoch, self.checkpoint))
    }

    /// A sign of life, which also is asked before each write: may whoever holds lease number `epoch` still write?
    pub(super) fn renew(&mut self, id: &SubscriberId, epoch: Epoch) -> Result<(), CheckpointError> {
        self.check_lease(id, epoch)?;
        if let Some(held) = &mut self.held {
            held.alive_at = Instant::now();
        }
        Ok(())
    }

    pub(super) fn release(&mut self, id: &SubscriberId, epoch: Epoch) -> Result<(), CheckpointError> {
        self.check_lease(id, epoch)?;
        self.held = None;
        Ok(())
    }

    /// Checks everything first, then writes: so a page is written whole or not at all.
    pub(super) fn commit(
        &mut self,
        lane: Option<u32>,
        step: &Step,
        page: PageWrite,
    ) -> Result<(), CheckpointError> {
        page.check(&step.subscriber)?;
        self.check_lease(&step.subscriber, step.epoch)?;
        let (subscriber, lanes) = (step.subscriber.clone(), self.lanes.len() as u32);
        let at = match lane {
            None if lanes == 0 => self.checkpoint,
            Some(lane) if lane < lanes => self.lanes[lane as usize],
            _ => return Err(CheckpointError::Divided { subscriber }),
        };
        if step.from != at {
            return Err(CheckpointError::Moved { subscriber, expected: step.from, actual: at });
        }
        match lane {
            None => {
                self.renew(&step.subscriber, step.epoch)?;
                self.checkpoint = step.to;
            }
            Some(lane) => {
                self.lanes[lane as usize] = step.to;
                self.checkpoint = self.lanes.iter().min().copied().unwrap_or(self.checkpoint);
            }
        }
        self.write(page);
        Ok(())
    }

    /// Writes what a page makes of the documents; everything was checked before.
    pub(super) fn write(&mut self, page: PageWrite) {
        for (key, change) in page.changes {
            match change {
                Change::Put(document) => self.documents.insert(key, document),
                Change::Delete => self.documents.remove(&key),
            };
        }
        for place in page.settled {
            self.requests.remove(&place.0);
            self.parked.remove(&place);
        }
        for parked in page.park {
            self.park(parked);
        }
    }

    /// Whether a part may write into this, which has seen these documents.
    pub(super) fn check_part(
        &self,
        id: &SubscriberId,
        seen: &[(Arc<str>, Slot)],
    ) -> Result<(), CheckpointError> {
        let subscriber = id.clone();
        if self.state == GenerationState::Retired {
            return Err(CheckpointError::Retired { subscriber });
        }
        if !self.lanes.is_empty() {
            return Err(CheckpointError::Divided { subscriber });
        }
        if self.checkpoint != Position::START {
            let (expected, actual) = (Position::START, self.checkpoint);
            return Err(CheckpointError::Moved { subscriber, expected, actual });
        }
        let same = |(key, slot): &&(Arc<str>, Slot)| {
            self.documents.get(key) == slot.document.as_ref() && self.has_parked(key) == slot.parked
        };
        match seen.iter().find(|seen| !same(seen)) {
            None => Ok(()),
            Some((key, _)) => Err(CheckpointError::raced(id, key)),
        }
    }

    pub(super) fn divide(&mut self, lease: &Lease, count: u32) -> Result<(), CheckpointError> {
        self.check_lease(&lease.subscriber, lease.epoch)?;
        let furthest = self.furthest();
        if furthest != self.checkpoint {
            let (subscriber, actual) = (lease.subscriber.clone(), self.checkpoint);
            return Err(CheckpointError::Moved { subscriber, expected: furthest, actual });
        }
        self.lanes = if count > 1 { vec![self.checkpoint; count as usize] } else { vec![] };
        Ok(())
    }

    /// Where the lane stands that is furthest on.
    pub(super) fn furthest(&self) -> Position {
        self.lanes.iter().max().copied().unwrap_or(self.checkpoint)
    }

    fn park(&mut self, parked: Parked) {
        let place = (parked.key.clone(), parked.position);
        match self.parked.get_mut(&place) {
            Some(again) => {
                again.error = parked.error;
                again.attempts = parked.attempts;
                self.requests.remove(&place.0);
            }
            None => {
                self.parked.insert(place, parked);
            }
        }
    }

    /// Whether events are parked under `key`.
    pub(super) fn has_parked(&self, key: &str) -> bool {
        let from = (Arc::from(key), Position::START);
        self.parked.range(from..).next().is_some_and(|((of, _), _)| **of == *key)
    }

    pub(super) fn info(&self, id: &SubscriberId) -> SubscriberInfo {
        let mut info = SubscriberInfo::new(id.clone(), self.version, self.state, self.checkpoint);
        info.holder = self.held().map(|held| held.holder.clone());
        info.parked = self.parked.len() as u64;
        info.failure = self.failure.clone();
        info
    }

    /// The lease, unless it has run out.
    fn held(&self) -> Option<&Held> {
        self.held.as_ref().filter(|held| !held.remaining().is_zero())
    }

    pub(super) fn check_lease(&self, id: &SubscriberId, ours: Epoch) -> Result<(), CheckpointError> {
        let subscriber = id.clone();
        if self.state == GenerationState::Retired {
            return Err(CheckpointError::Retired { subscriber });
        }
        if ours != self.epoch {
            return Err(CheckpointError::Fenced { subscriber, ours, now: self.epoch });
        }
        Ok(())
    }
}

/// All generations there are, ordered by name and generation.
pub(super) type Generations = BTreeMap<SubscriberId, Generation>;

/// The live generation of `name`.
pub(super) fn live_of(all: &Generations, name: &str) -> Option<(SubscriberId, u32)> {
    all.iter()
        .find(|(id, found)| id.name() == name && found.state == GenerationState::Live)
        .map(|(id, found)| (id.clone(), found.version))
}
