//! What a consumer feeds: a projection or a policy, whose types it need not know.

use annals::{
    Checkpoints, DocumentStore, Engine, LeaseTerms, ParkedEvents, PartMode, PartProjector, Policy,
    PolicyRunner, Projection, Registered, Subscriber, SubscriberId,
};
use std::{fmt, sync::Arc};

/// A projection or a policy that a consumer feeds: the same as everywhere.
#[derive(Clone)]
pub struct Handler {
    name: &'static str,
    /// Set where it parks what it refuses: where its parts keep their checkpoints.
    parks: Option<Arc<dyn Checkpoints>>,
    make: Arc<Make>,
}

type Make = dyn Fn(&str, PartMode, Arc<dyn ParkedEvents>, LeaseTerms) -> Box<dyn Subscriber> + Send + Sync;

impl Handler {
    /// Folds what comes into the live documents of `projection`.
    pub fn projection<P: Projection + Clone>(projection: P, documents: Arc<dyn DocumentStore>) -> Self {
        Self::folding(projection, documents, None)
    }

    /// Folds what comes into `generation`, which is being built ([`DocumentStore::start_rebuild`]): a consumer of a
    /// group of its own fills it from the beginning of the topics, then [`DocumentStore::switch`] makes it the live
    /// one.
    pub fn rebuild<P: Projection + Clone>(
        projection: P,
        documents: Arc<dyn DocumentStore>,
        generation: SubscriberId,
    ) -> Self {
        Self::folding(projection, documents, Some(generation))
    }

    fn folding<P: Projection + Clone>(
        projection: P,
        documents: Arc<dyn DocumentStore>,
        generation: Option<SubscriberId>,
    ) -> Self {
        let parks: Arc<dyn Checkpoints> = documents.clone();
        let make = move |part: &str, mode, kept, terms| {
            let projector = PartProjector::new(projection.clone(), part, documents.clone(), kept);
            let projector = projector.mode(mode).building(generation.clone()).lease_terms(terms);
            Box::new(projector) as Box<dyn Subscriber>
        };
        Self::parts(P::NAME, parks, make)
    }

    /// Feeds a projection of another kind, called `name`: `make` makes a subscriber that runs one part of it, in a mode,
    /// keeping what it parks, under a lease. `checkpoints` are where the parts keep theirs, in one transaction with what
    /// they write. For tables in PostgreSQL, `SqlParts` of `annals-postgres`.
    pub fn parts(
        name: &'static str,
        checkpoints: Arc<dyn Checkpoints>,
        make: impl Fn(&str, PartMode, Arc<dyn ParkedEvents>, LeaseTerms) -> Box<dyn Subscriber>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { name, parks: Some(checkpoints), make: Arc::new(make) }
    }

    /// Folds what comes into the live generation of a projection whose types nobody here knows; none for a kind that has
    /// no parts.
    pub fn registered(projection: &Registered, documents: Arc<dyn DocumentStore>) -> Option<Self> {
        let parts = projection.parts()?.clone();
        let parks: Arc<dyn Checkpoints> = documents.clone();
        let make =
            move |part: &str, mode, kept, terms| parts.live(part, mode, documents.clone(), kept, terms);
        Some(Self::parts(projection.name(), parks, make))
    }

    /// Sends the commands that `policy` calls for to `engine`, those for one aggregate in the order of their events where
    /// these are of one aggregate too. Their ids follow from the events, so one that leaves an event counts once, however
    /// often it is sent; as for others, see [`Policy`].
    pub fn policy<P: Policy + Clone>(
        policy: P,
        engine: Arc<Engine>,
        checkpoints: Arc<dyn Checkpoints>,
    ) -> Self {
        let make = move |part: &str, _, _, terms| {
            let runner = PolicyRunner::part(policy.clone(), part, engine.clone(), checkpoints.clone());
            Box::new(runner.lease_terms(terms)) as Box<dyn Subscriber>
        };
        Self { name: P::NAME, parks: None, make: Arc::new(make) }
    }

    /// The name of the projection or policy.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where its parts keep their checkpoints; none where it refuses nothing, and so parks nothing.
    pub(super) fn parks(&self) -> Option<&Arc<dyn Checkpoints>> {
        self.parks.as_ref()
    }

    pub(super) fn part(
        &self,
        part: &str,
        mode: PartMode,
        kept: Arc<dyn ParkedEvents>,
        terms: LeaseTerms,
    ) -> Box<dyn Subscriber> {
        (self.make)(part, mode, kept, terms)
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handler({})", self.name)
    }
}
