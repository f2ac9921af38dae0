//! What operators ask for about parked events, carried out by a part.

use super::{ParkedEvents, PartProjector};
use crate::{
    CheckpointError, PageLimit, PageWrite, Parked, ParkedRequest, Position, Projection, RecordedEvent, Slot,
    StoreError, SubscriberError, SubscriberId, TEND_INTERVAL, error_text, projection::retry::retried,
    subscription::Place,
};
use async_trait::async_trait;
use std::collections::HashMap;
use tokio::time::Instant;

/// How many parked events are looked for at once, but for those of the last key: so many are in memory.
const FOUND_AT_ONCE: usize = PageLimit::DEFAULT.get();

impl<P: Projection> PartProjector<P> {
    /// Carries out what operators asked for since the last look, which is at most [`TEND_INTERVAL`] ago.
    pub(super) async fn answer_requests(&mut self) -> Result<(), SubscriberError> {
        if self.asked.is_some_and(|asked| asked.elapsed() < TEND_INTERVAL) {
            return Ok(());
        }
        let (into, place) = self.place.running()?;
        // What was kept may take a while to be read.
        place.renewing(self.answer(into, place)).await?;
        self.asked = Some(Instant::now());
        Ok(())
    }

    async fn answer(&self, into: &SubscriberId, place: &Place) -> Result<(), SubscriberError> {
        let at = place.lease()?.checkpoint;
        let mut requests = self.documents.requests(into, PageLimit::DEFAULT).await?.into_iter().peekable();
        while requests.peek().is_some() {
            let (mut batch, mut wanted) = (vec![], vec![]);
            while wanted.len() < FOUND_AT_ONCE
                && let Some(request) = requests.next()
            {
                let key = Some(&*request.key);
                let parked = self.documents.parked(into, key, None, PageLimit::DEFAULT).await?;
                // What is dropped need not be found.
                wanted.extend_from_slice(request.divide(&parked).1);
                batch.push(request);
            }
            let found = match Found::of(&*self.kept, &wanted).await {
                Ok(found) => found,
                // The request is still there for the next look; what comes need not wait for it.
                Err(error) => {
                    let error = error_text(&error);
                    tracing::warn!(subscriber = self.place.name(), %error, "parked events are looked for again later");
                    return Ok(());
                }
            };
            for request in batch {
                let (slot, write) = self.again(into, &request, &found).await?;
                // Asked behind what was read: another part that came first had read what it has dropped.
                if !self.documents.requests(into, PageLimit::DEFAULT).await?.contains(&request) {
                    continue;
                }
                let seen = [(request.key.clone(), slot)];
                // The checkpoint stays where it is: the step only proves that the lease is still ours.
                match self.documents.commit_part(&place.step(at)?, into, &seen, write).await {
                    // Another part came first: it has carried the request out, or it is there at the next look.
                    Err(CheckpointError::Raced { .. }) => {}
                    outcome => outcome?,
                }
            }
        }
        Ok(())
    }

    /// What carrying out `request` writes. Events that are no more there stay parked, and say so.
    async fn again(
        &self,
        into: &SubscriberId,
        request: &ParkedRequest,
        found: &Found<'_>,
    ) -> Result<(Slot, PageWrite), SubscriberError> {
        match retried(&self.projection, found, &*self.documents, into, request).await {
            Err(SubscriberError::Store(error)) if !error.is_transient() => {
                let key = std::slice::from_ref(&request.key);
                let slot = self.documents.load(into, key).await?.pop().unwrap_or_default();
                let park = self.documents.parked(into, Some(&request.key), None, PageLimit::ONE).await?;
                let told = |entry| Parked { error: error_text(&error), ..entry };
                let park = park.into_iter().map(told).collect();
                Ok((slot, PageWrite { park, ..PageWrite::default() }))
            }
            outcome => outcome,
        }
    }
}

/// Parked events of many keys, looked for at once.
struct Found<'k> {
    kept: &'k dyn ParkedEvents,
    known: HashMap<Position, Result<RecordedEvent, String>>,
}

impl<'k> Found<'k> {
    /// # Errors
    /// What may pass only.
    async fn of(kept: &'k dyn ParkedEvents, wanted: &[Parked]) -> Result<Self, StoreError> {
        let mut known = HashMap::new();
        if !wanted.is_empty() {
            let found = match kept.find(wanted).await {
                Err(error) if error.is_transient() => return Err(error),
                // Each of them says so.
                Err(error) => vec![Err(error_text(&error)); wanted.len()],
                Ok(found) => found,
            };
            known.extend(wanted.iter().map(|entry| entry.position).zip(found));
        }
        Ok(Self { kept, known })
    }
}

#[async_trait]
impl ParkedEvents for Found<'_> {
    async fn keep(&self, parked: &[(&Parked, &RecordedEvent)]) -> Result<(), StoreError> {
        self.kept.keep(parked).await
    }

    async fn find(&self, parked: &[Parked]) -> Result<Vec<Result<RecordedEvent, String>>, StoreError> {
        let known = parked.iter().map(|entry| self.known.get(&entry.position).cloned());
        match known.collect() {
            Some(all) => Ok(all),
            // One was parked since.
            None => self.kept.find(parked).await,
        }
    }
}
