//! Events that were parked and come again.

use super::{PartProjector, Races};
use crate::{
    CheckpointError, LogPage, PART_RACES_MAX, PageLimit, Parked, Position, Projection, Slot, StoreError,
    SubscriberError, SubscriberId,
    projection::{fold::Touches, projector::tell_parked},
};
use chrono::Utc;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// What is parked, by key and position.
type Waiting = HashMap<(Arc<str>, Position), Parked>;

impl<P: Projection> PartProjector<P> {
    /// Folds what of the page is still parked, settles it or parks it anew, and moves the checkpoint, all or nothing.
    pub(super) async fn take_again(&self, page: &LogPage) -> Result<(), SubscriberError> {
        let (into, place) = self.place.running()?;
        let step = place.step(page.looked)?;
        let mut races = Races::new();
        let mut kept = HashSet::new();
        loop {
            let touches = Touches::of(&self.projection, &page.events)?.out_of_order();
            // The documents first: what is settled meanwhile is found out when they are written.
            let slots = self.documents.load(into, touches.keys()).await?;
            let seen: Vec<(Arc<str>, Slot)> = touches.keys().iter().cloned().zip(slots.clone()).collect();
            let waiting = self.waiting(into, page, &seen).await?;
            let touches = touches.only_where(|key, position| waiting.contains_key(&(key.clone(), position)));
            let mut write = touches.fold(slots, Utc::now())?;
            for entry in &mut write.park {
                let before = waiting.get(&(entry.key.clone(), entry.position));
                entry.attempts = entry.attempts.saturating_add(before.map_or(0, |before| before.attempts));
            }
            let refused: HashSet<_> = write.park.iter().map(|entry| (&entry.key, entry.position)).collect();
            let settled = waiting.keys().filter(|(key, position)| !refused.contains(&(key, *position)));
            write.settled = settled.cloned().collect();
            self.keep(page, &write, &mut kept).await?;
            tell_parked::<P>(&write);
            match self.documents.commit_part(&step, into, &seen, write).await {
                Err(CheckpointError::Raced { .. }) if races.count < PART_RACES_MAX => {
                    races.wait(P::NAME).await
                }
                outcome => return Ok(outcome?),
            }
        }
    }

    /// Under which of these keys events of the page are parked.
    async fn waiting(
        &self,
        into: &SubscriberId,
        page: &LogPage,
        seen: &[(Arc<str>, Slot)],
    ) -> Result<Waiting, StoreError> {
        let mut waiting = Waiting::new();
        for (key, _) in seen.iter().filter(|(_, slot)| slot.parked) {
            for event in &page.events {
                let before = Position::new(event.position.get().saturating_sub(1));
                let from = Some((&**key, before));
                let found = self.documents.parked(into, Some(key), from, PageLimit::ONE).await?;
                let found = found.into_iter().filter(|entry| entry.position == event.position);
                waiting.extend(found.map(|entry| ((key.clone(), entry.position), entry)));
            }
        }
        Ok(waiting)
    }
}
