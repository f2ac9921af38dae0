//! The place of a part: the generation it writes into, and its own lease and checkpoint.

use super::part_name;
use crate::{Checkpoints, LeaseTerms, OpenError, Place, Position, StoreError, SubscriberError, SubscriberId};
use std::sync::Arc;

/// What every part of a projection does alike: which generation it writes into, what it is called after that, and its
/// own [`Place`]. For whoever writes parts of another kind of projection.
pub struct PartPlace {
    checkpoints: Arc<dyn Checkpoints>,
    of: &'static str,
    version: u32,
    part: Arc<str>,
    terms: LeaseTerms,
    /// Set when a certain generation is written into, and not the one that is live.
    building: Option<SubscriberId>,
    name: String,
    running: Option<(SubscriberId, Place)>,
}

impl PartPlace {
    /// Of `part` of the projection called `of`: a name that fits the grammar of [`SubscriberId`] behind that.
    pub fn new(checkpoints: Arc<dyn Checkpoints>, of: &'static str, version: u32, part: &str) -> Self {
        let (terms, name) = (LeaseTerms::default(), part_name(of, 1, part));
        Self { checkpoints, of, version, part: part.into(), terms, building: None, name, running: None }
    }

    /// Writes into `generation`, which is being built, and not into the live one.
    #[must_use]
    pub fn building(self, generation: Option<SubscriberId>) -> Self {
        Self { building: generation, ..self }
    }

    /// Takes the lease on these terms.
    #[must_use]
    pub fn terms(self, terms: LeaseTerms) -> Self {
        Self { terms, ..self }
    }

    /// What the part is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens what is written into, takes the lease of the part, and says where it stands.
    pub async fn begin(&mut self) -> Result<Position, SubscriberError> {
        self.running = None;
        let into = self.opened().await?;
        // Parts belong to one generation: another one begins anew.
        self.name = part_name(self.of, into.generation(), &self.part);
        let place = Place::live(self.checkpoints.clone(), self.name.as_str(), self.version);
        let mut place = place.terms(self.terms.clone());
        let begun = place.begin().await;
        // Kept also where the lease is another's: failures are reported there.
        self.running = Some((into, place));
        begun
    }

    async fn opened(&self) -> Result<SubscriberId, OpenError> {
        match &self.building {
            Some(generation) => Ok(generation.clone()),
            None => self.checkpoints.open(self.of, self.version).await,
        }
    }

    /// What is written into, and the place of the part; known after `begin`.
    pub fn running(&self) -> Result<&(SubscriberId, Place), StoreError> {
        self.running.as_ref().ok_or_else(not_begun)
    }

    /// Moves the checkpoint, with nothing besides.
    pub async fn advance(&mut self, to: Position) -> Result<(), SubscriberError> {
        self.running.as_mut().ok_or_else(not_begun)?.1.advance(to).await
    }

    /// A step was written.
    pub fn stepped(&mut self, to: Position) {
        if let Some((_, place)) = &mut self.running {
            place.stepped(to);
        }
    }

    /// Gives the lease back, if it is still ours.
    pub async fn end(&mut self) -> Result<(), SubscriberError> {
        match &mut self.running {
            Some((_, place)) => place.end().await,
            None => Ok(()),
        }
    }

    /// Records why the part cannot go on, or that it can.
    pub async fn report(&self, failure: Option<&str>) -> Result<(), StoreError> {
        match &self.running {
            Some((_, place)) => place.report(failure).await,
            None => Ok(()),
        }
    }
}

fn not_begun() -> StoreError {
    StoreError::permanent("handling a page, because the subscriber was not begun", "no lease")
}
