//! The place of a subscriber: which generation it runs, its lease and its checkpoint.

use crate::{
    CheckpointError, Checkpoints, Lease, LeaseTerms, LogPage, Position, Step, StoreError, SubscriberError,
    SubscriberId, SubscriberInfo, error_text, part_name,
};
use std::{sync::Arc, time::Duration};

/// How long a lease lasts without a sign of life, unless told otherwise: so long a subscriber stands still after its
/// process was killed.
pub const LEASE_LASTS: Duration = Duration::from_secs(5);

impl Default for LeaseTerms {
    fn default() -> Self {
        Self { holder: format!("process {}", std::process::id()), lasts: LEASE_LASTS }
    }
}

/// What every subscriber with a checkpoint does alike: which generation it runs, its lease, its checkpoint. For whoever
/// writes a [`Subscriber`](crate::Subscriber).
pub struct Place {
    checkpoints: Arc<dyn Checkpoints>,
    name: Arc<str>,
    version: u32,
    terms: LeaseTerms,
    /// Set when a certain generation is run, and not the one that is live.
    building: Option<SubscriberId>,
    known: Option<SubscriberId>,
    lease: Option<Lease>,
}

impl Place {
    /// Of the live generation of `name`, which `begin` makes where there is none.
    pub fn live(checkpoints: Arc<dyn Checkpoints>, name: impl Into<Arc<str>>, version: u32) -> Self {
        let (name, terms) = (name.into(), LeaseTerms::default());
        Self { checkpoints, name, version, terms, building: None, known: None, lease: None }
    }

    /// Of `generation`, which is being built.
    #[must_use]
    pub fn building(self, generation: SubscriberId) -> Self {
        Self { building: Some(generation), ..self }
    }

    /// Takes the lease on these terms.
    #[must_use]
    pub fn terms(self, terms: LeaseTerms) -> Self {
        Self { terms, ..self }
    }

    /// Takes the lease, and says where the subscriber stands.
    pub async fn begin(&mut self) -> Result<Position, SubscriberError> {
        self.lease = None;
        let id = match &self.building {
            Some(generation) => generation.clone(),
            None => self.checkpoints.open(&self.name, self.version).await?,
        };
        self.known = Some(id.clone());
        let lease = self.checkpoints.acquire(&id, &self.terms).await?;
        let at = lease.checkpoint;
        self.lease = Some(lease);
        Ok(at)
    }

    /// The same, for whoever fills a read model from a log: refused where parts fill it, since its checkpoint says
    /// nothing of what they have written. That is no failure of the read model, and is not recorded as one.
    ///
    /// # Errors
    /// [`SubscriberError::FilledByParts`], besides.
    pub async fn begin_from_log(&mut self) -> Result<Position, SubscriberError> {
        let at = self.begin().await?;
        if let Err(error) = self.check_no_parts().await {
            self.end().await?;
            if matches!(error, SubscriberError::FilledByParts { .. }) {
                self.report(None).await?;
                self.known = None;
            }
            return Err(error);
        }
        Ok(at)
    }

    /// Before something is written from the start of a log, which may come long after the beginning: parts may have
    /// begun meanwhile.
    ///
    /// # Errors
    /// [`SubscriberError::FilledByParts`], besides those of the store.
    pub async fn check_no_parts(&self) -> Result<(), SubscriberError> {
        let Lease { subscriber: of, checkpoint, .. } = self.held()?;
        if *checkpoint != Position::START {
            return Ok(());
        }
        let named = part_name(of.name(), of.generation(), "");
        let all = self.checkpoints.subscribers().await?;
        let of_it = |info: &&SubscriberInfo| info.subscriber.name().starts_with(&named);
        match all.iter().filter(of_it).find(|info| info.checkpoint > Position::START) {
            None => Ok(()),
            Some(info) => Err(SubscriberError::FilledByParts {
                subscriber: self.name.to_string(),
                part: info.subscriber.name().into(),
            }),
        }
    }

    /// The generation that is run; known after `begin`.
    pub fn id(&self) -> Result<&SubscriberId, SubscriberError> {
        Ok(&self.held()?.subscriber)
    }

    /// The step to `to`; known after `begin`.
    pub fn step(&self, to: Position) -> Result<Step, SubscriberError> {
        let lease = self.held()?;
        Ok(Step { subscriber: lease.subscriber.clone(), epoch: lease.epoch, from: lease.checkpoint, to })
    }

    /// Whether `page` is still to be handled: false where the checkpoint lies at or behind its end.
    ///
    /// # Errors
    /// [`SubscriberError::Misplaced`] when the checkpoint lies within it: its first events would count twice.
    pub fn is_due(&self, page: &LogPage) -> Result<bool, SubscriberError> {
        let at = self.held()?.checkpoint;
        if page.looked <= at {
            return Ok(false);
        }
        if page.after < at { Err(self.misplaced(page, at)) } else { Ok(true) }
    }

    /// The same, for a reader of the whole log: a page that begins beyond the checkpoint is misplaced too, as the
    /// events between would never count.
    pub fn is_next(&self, page: &LogPage) -> Result<bool, SubscriberError> {
        let (due, at) = (self.is_due(page)?, self.held()?.checkpoint);
        if due && page.after > at { Err(self.misplaced(page, at)) } else { Ok(due) }
    }

    fn misplaced(&self, page: &LogPage, checkpoint: Position) -> SubscriberError {
        let subscriber = self.name.to_string();
        SubscriberError::Misplaced { subscriber, checkpoint, after: page.after, looked: page.looked }
    }

    /// A step was written.
    pub fn stepped(&mut self, to: Position) {
        if let Some(lease) = &mut self.lease {
            lease.checkpoint = to;
        }
    }

    /// Moves the checkpoint, with nothing besides.
    pub async fn advance(&mut self, to: Position) -> Result<(), SubscriberError> {
        let step = self.step(to)?;
        self.checkpoints.advance(&step).await?;
        self.stepped(to);
        Ok(())
    }

    /// A sign of life.
    pub async fn renew(&self) -> Result<(), SubscriberError> {
        Ok(self.checkpoints.renew(self.held()?).await?)
    }

    /// Carries `work` out, with signs of life beside it; gives it up when the lease is lost.
    ///
    /// Work goes on while a sign of life is under way: both may want one of a few connections, and work that stands
    /// still would hold one for ever.
    pub async fn renewing<T>(
        &self,
        work: impl Future<Output = Result<T, SubscriberError>>,
    ) -> Result<T, SubscriberError> {
        let lost = async {
            loop {
                tokio::time::sleep(self.terms.lasts / 3).await;
                match self.renew().await {
                    Ok(()) => {}
                    // There is time for two more; and if the lease is lost, the write is refused.
                    Err(SubscriberError::Checkpoint(CheckpointError::Store(error)))
                        if error.is_transient() =>
                    {
                        tracing::debug!(error = %error_text(&error), "a sign of life is late");
                    }
                    Err(error) => break error,
                }
            }
        };
        tokio::select! {
            biased;
            done = work => done,
            error = lost => Err(error),
        }
    }

    /// Gives the lease back, if it is still ours.
    pub async fn end(&mut self) -> Result<(), SubscriberError> {
        let Some(lease) = self.lease.take() else { return Ok(()) };
        match self.checkpoints.release(&lease).await {
            // Somebody else has it already: there is nothing to give back.
            Err(CheckpointError::Fenced { .. } | CheckpointError::Retired { .. }) => Ok(()),
            outcome => Ok(outcome?),
        }
    }

    /// Records why the subscriber cannot go on, or that it can.
    pub async fn report(&self, failure: Option<&str>) -> Result<(), StoreError> {
        match &self.known {
            Some(id) => self.checkpoints.report(id, failure).await,
            None => Ok(()),
        }
    }

    /// How long the lease lasts without a sign of life.
    pub fn lasts(&self) -> Duration {
        self.terms.lasts
    }

    /// The lease; known after `begin`.
    pub fn lease(&self) -> Result<&Lease, SubscriberError> {
        self.held()
    }

    fn held(&self) -> Result<&Lease, SubscriberError> {
        let missing =
            || StoreError::permanent("handling a page, because the subscriber was not begun", "no lease");
        Ok(self.lease.as_ref().ok_or_else(missing)?)
    }
}
