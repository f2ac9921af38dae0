//! Lanes: documents are divided by key, and written beside each other, each lane with a checkpoint of its own.

use super::fold::Touches;
use crate::{
    DocumentStore, LANES_MAX, LogPage, PageWrite, Position, Projection, Step, SubscriberError,
    subscription::Place,
};
use chrono::Utc;
use futures_util::future::join_all;
use std::sync::Arc;
use tokio::time::Instant;

/// In how many lanes a generation is to be written, and where they stand.
pub(super) struct Lanes {
    wanted: u32,
    /// Empty where it is undivided.
    at: Vec<Position>,
    alive_at: Option<Instant>,
}

impl Lanes {
    pub(super) fn wanted(count: u32) -> Self {
        Self { wanted: count.clamp(1, LANES_MAX), at: vec![], alive_at: None }
    }

    /// Finds the lanes that there are. Their number changes only when all stand at one position: until then the
    /// generation goes on in as many as it has.
    pub(super) async fn begin(
        &mut self,
        place: &Place,
        documents: &dyn DocumentStore,
    ) -> Result<(), SubscriberError> {
        self.at = documents.lanes(place.lease()?).await?;
        self.alive_at = None;
        self.divide(self.wanted, place, documents).await
    }

    /// The lane of `key`; none where the generation is undivided.
    pub(super) fn of(&self, key: &str) -> Option<(u32, Position)> {
        let lane = lane_of(key, self.at.len());
        self.at.get(lane).map(|at| (lane as u32, *at))
    }

    pub(super) fn are_there(&self) -> bool {
        !self.at.is_empty()
    }

    /// Writes a page in all lanes at once; one that is ahead takes only what it has not. What is to be parked.
    pub(super) async fn handle<P: Projection>(
        &mut self,
        projection: &P,
        place: &mut Place,
        documents: &dyn DocumentStore,
        page: &LogPage,
    ) -> Result<PageWrite, SubscriberError> {
        if self.alive_at.is_none_or(|alive_at| alive_at.elapsed() >= place.lasts() / 3) {
            place.renew().await?;
            self.alive_at = Some(Instant::now());
        }
        let touches = Touches::of(projection, &page.events)?;
        let mut places = vec![vec![]; self.at.len()];
        for (place, key) in touches.keys().iter().enumerate() {
            places[lane_of(key, self.at.len())].push(place);
        }
        let (touches, lease) = (&touches, place.lease()?.clone());
        let writing = self.at.iter().zip(places).enumerate().map(|(lane, (&from, places))| {
            let (subscriber, epoch) = (lease.subscriber.clone(), lease.epoch);
            async move {
                if from >= page.looked {
                    return Ok(vec![]);
                }
                let step = Step { subscriber, epoch, from, to: page.looked };
                let keys: Vec<Arc<str>> = places.iter().map(|&place| touches.keys()[place].clone()).collect();
                let slots = documents.load(&step.subscriber, &keys).await?;
                let write = touches.fold_part(&places, from, slots, Utc::now())?;
                let parked = write.park.clone();
                documents.commit_lane(lane as u32, &step, write).await?;
                Ok::<_, SubscriberError>(parked)
            }
        });
        // All are awaited to their end: no commit is cancelled because another lane failed.
        let written = join_all(writing).await;
        let mut told = PageWrite::default();
        let mut failed = None;
        for (at, outcome) in self.at.iter_mut().zip(written) {
            match outcome {
                Ok(parked) => {
                    *at = (*at).max(page.looked);
                    told.park.extend(parked);
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        place.stepped(page.looked);
        self.divide(self.wanted, place, documents).await?;
        Ok(told)
    }

    /// Makes the generation one again, so that whoever comes next finds it undivided; not where lanes stand apart.
    pub(super) async fn end(
        &mut self,
        place: &Place,
        documents: &dyn DocumentStore,
    ) -> Result<(), SubscriberError> {
        match place.lease() {
            Ok(_) => self.divide(1, place, documents).await,
            Err(_) => Ok(()),
        }
    }

    async fn divide(
        &mut self,
        count: u32,
        place: &Place,
        documents: &dyn DocumentStore,
    ) -> Result<(), SubscriberError> {
        let level = self.at.windows(2).all(|two| two[0] == two[1]);
        if !level || self.at.len().max(1) == count as usize {
            return Ok(());
        }
        let lease = place.lease()?;
        if documents.divide(lease, count).await? {
            let at = self.at.first().copied().unwrap_or(lease.checkpoint);
            self.at = if count > 1 { vec![at; count as usize] } else { vec![] };
        } else {
            // This store writes in one lane only.
            self.wanted = 1;
        }
        Ok(())
    }
}

/// Always the same for a key, whatever the program or its version: FNV-1a of 64 bits, stirred once at the end because
/// by itself it leaves neighbouring keys in one lane.
fn lane_of(key: &str, lanes: usize) -> usize {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let stirred = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (stirred ^ (stirred >> 33)).checked_rem(lanes as u64).unwrap_or(0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_lane_for_ever() {
        assert_eq!(["", "hat", "scarf", "order 17"].map(|key| lane_of(key, 16)), [2, 3, 10, 11]);
        let mut counts = [0; 4];
        (0..1_000).for_each(|n| counts[lane_of(&format!("key {n}"), 4)] += 1);
        assert!(counts.iter().all(|count| *count > 200), "{counts:?}");
        assert_eq!(lane_of("hat", 0), 0);
    }
}
