//! One try to fill the new generation, to meet the live one and to take its place.

use super::{Rebuild, RebuildError, Rebuilt, watched::Watched};
use crate::{
    CheckpointError, CompareError, Comparison, GenerationState, Lease, LeaseError, LogPage, Position,
    StoreError, SubscriberId, SwitchError, catch_up_to, error_text,
};

/// How a try ended.
pub(super) enum Round {
    /// There is a result.
    Done(Rebuilt),
    /// The live generation has moved on meanwhile.
    Again {
        /// How many events were taken in.
        more: u64,
    },
}

/// The generation that was found to be as the live one, once it was: it need not be compared again to be switched to.
#[derive(Default)]
pub(super) struct Matched(Option<(SubscriberId, Comparison)>);

/// The live generation as a round finds it.
struct Live {
    id: SubscriberId,
    at: Position,
    /// Where it stands still.
    lease: Option<Lease>,
}

impl Rebuild {
    /// One try. With `still` the live generation stands still meanwhile; with `matched` both are compared.
    pub(super) async fn round(
        &self,
        still: bool,
        matched: Option<&mut Matched>,
        progress: &mut (dyn FnMut(&LogPage) + Send),
    ) -> Result<Round, RebuildError> {
        let Some(live) = self.find_live(still).await? else { return Ok(Round::Again { more: 0 }) };
        let outcome = self.meet(live.as_ref(), matched, progress).await;
        if let Some(lease) = live.and_then(|live| live.lease) {
            self.let_go(&lease).await;
        }
        outcome
    }

    /// The live generation, if there is one; nothing where it was replaced while it was looked at.
    async fn find_live(&self, still: bool) -> Result<Option<Option<Live>>, StoreError> {
        let found = self.generations().await?.into_iter().find(|info| info.state == GenerationState::Live);
        let Some(found) = found else { return Ok(Some(None)) };
        let (id, at) = (found.subscriber, found.checkpoint);
        if !still {
            return Ok(Some(Some(Live { id, at, lease: None })));
        }
        match self.documents.take_over(&id, &self.terms).await {
            Ok(lease) => Ok(Some(Some(Live { id, at: lease.checkpoint, lease: Some(lease) }))),
            Err(LeaseError::Retired { .. }) => Ok(None),
            Err(LeaseError::Store(error)) => Err(error),
            Err(other) => Err(StoreError::permanent("having the live generation stand still", other)),
        }
    }

    /// The runner of the live generation goes on, if there still is one.
    async fn let_go(&self, lease: &Lease) {
        match self.documents.release(lease).await {
            Ok(()) | Err(CheckpointError::Retired { .. } | CheckpointError::Fenced { .. }) => {}
            // It runs out.
            Err(error) => {
                tracing::warn!(subscriber = %lease.subscriber, error = %error_text(&error), "the lease was not given back");
            }
        }
    }

    /// Fills the generation, compares it where that is asked for, brings it to the head, makes it live, and deletes
    /// what it replaces.
    async fn meet(
        &self,
        live: Option<&Live>,
        mut matched: Option<&mut Matched>,
        progress: &mut (dyn FnMut(&LogPage) + Send),
    ) -> Result<Round, RebuildError> {
        let (name, version) = (self.projection.name(), self.projection.version());
        let generation = self.documents.start_rebuild(name, version).await?;
        let mut events = 0;
        if let (Some(live), Some(matched)) = (live, matched.as_deref_mut())
            && matched.0.as_ref().is_none_or(|(of, _)| *of != generation)
        {
            // The live generation need not stand at the head: it is met where it stands.
            events = self.take_in(&generation, live.at, progress).await?.1;
            let Some(found) = self.compared(live, &generation).await? else {
                return Ok(Round::Again { more: events });
            };
            if found.differences() > 0 {
                let (position, comparison) = (found.position, Some(found));
                return Ok(Round::Done(Rebuilt {
                    generation,
                    position,
                    events,
                    comparison,
                    switched: false,
                }));
            }
            matched.0 = Some((generation.clone(), found));
        }
        let comparison = matched.and_then(|matched| matched.0.as_ref().map(|(_, found)| found.clone()));
        let (position, more) = self.take_in(&generation, Position::new(u64::MAX), progress).await?;
        events += more;
        let stood = live.filter(|live| live.lease.is_some()).map(|live| live.at);
        match self.documents.switch(&generation).await {
            Ok(()) => {}
            // The log ends before the live generation: no other try helps.
            Err(error @ SwitchError::Behind { live, .. }) if stood == Some(live) => return Err(error.into()),
            Err(SwitchError::Behind { .. }) => return Ok(Round::Again { more: events }),
            // Another process filled it too, and came first.
            Err(SwitchError::Gone { .. }) if self.is_live(&generation).await? => {}
            Err(error) => return Err(error.into()),
        }
        self.sweep(live.map_or(0, |live| live.id.generation())).await?;
        Ok(Round::Done(Rebuilt { generation, position, events, comparison, switched: true }))
    }

    /// How both differ; nothing where one was moved on or replaced meanwhile.
    async fn compared(
        &self,
        live: &Live,
        generation: &SubscriberId,
    ) -> Result<Option<Comparison>, RebuildError> {
        match self.documents.compare(&live.id, generation).await {
            Ok(found) => Ok(Some(found)),
            // It was left ahead by an earlier rebuild, and the live one has nobody to move it on: begin anew.
            Err(CompareError::Apart { old, new }) if new > old && old == live.at => {
                match self.documents.abandon(generation).await {
                    Ok(()) => self.purge(generation).await?,
                    // It was no earlier one: it has taken its place.
                    Err(_) if self.is_live(generation).await? => {}
                    Err(error) => return Err(error.into()),
                }
                Ok(None)
            }
            Err(CompareError::Apart { .. } | CompareError::Replaced { .. }) => Ok(None),
            Err(CompareError::Store(error)) => Err(error.into()),
        }
    }

    /// Brings `generation` up to `last`: where it then stands, and how many events it took in.
    async fn take_in(
        &self,
        generation: &SubscriberId,
        last: Position,
        progress: &mut (dyn FnMut(&LogPage) + Send),
    ) -> Result<(Position, u64), RebuildError> {
        let (store, documents) = (self.store.clone(), self.documents.clone());
        let (generation, terms) = (generation.clone(), self.terms.clone());
        let inner = self.projection.building_in_lanes(store, documents, generation, terms, self.lanes);
        let mut watched = Watched { inner, progress, events: 0 };
        let position = catch_up_to(&*self.store, &mut watched, last).await?;
        Ok((position, watched.events))
    }
}
