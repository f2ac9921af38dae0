//! A projection whose types the holder need not know.

use super::{ParkedEvents, PartMode, PartProjector, Projector};
use crate::{DocumentStore, EventStore, LeaseTerms, LogFilter, Projection, Subscriber, SubscriberId};
use std::{fmt, sync::Arc};

/// A projection whose types the holder need not know: for runners, rebuilds and command lines.
#[derive(Clone)]
pub struct Registered {
    name: &'static str,
    version: u32,
    make: Arc<Make>,
    parts: Option<RegisteredParts>,
}

type Make = dyn Fn(Arc<dyn EventStore>, Arc<dyn DocumentStore>, Run) -> Box<dyn Subscriber> + Send + Sync;

/// How a projection is run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Run {
    /// The generation that is being built; else the live one is run.
    pub building: Option<SubscriberId>,
    /// On what terms the lease is taken.
    pub terms: LeaseTerms,
    /// In how many lanes it writes; a kind that has none ignores it.
    pub lanes: u32,
}

/// The parts of a projection whose types the holder need not know: for consumers.
#[derive(Clone)]
pub struct RegisteredParts {
    takes: LogFilter,
    make: Arc<MakePart>,
}

type MakePart = dyn Fn(&str, PartMode, Arc<dyn DocumentStore>, Arc<dyn ParkedEvents>, LeaseTerms) -> Box<dyn Subscriber>
    + Send
    + Sync;

impl Registered {
    /// `projection`, of whatever type.
    pub fn new<P: Projection + Clone>(projection: P) -> Self {
        let parts = RegisteredParts::new(projection.clone());
        let make = move |store, documents, run: Run| {
            let projector = Projector::new(projection.clone(), store, documents);
            let projector = projector.lease_terms(run.terms).lanes(run.lanes);
            let boxed: Box<dyn Subscriber> = match run.building {
                Some(generation) => Box::new(projector.building(generation)),
                None => Box::new(projector),
            };
            boxed
        };
        Self { parts: Some(parts), ..Self::custom(P::NAME, P::VERSION, make) }
    }

    /// A projection of another kind. `make` makes a subscriber that runs it. It has no parts
    /// unless [`with_parts`](Self::with_parts) says so.
    pub fn custom(
        name: &'static str,
        version: u32,
        make: impl Fn(Arc<dyn EventStore>, Arc<dyn DocumentStore>, Run) -> Box<dyn Subscriber>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { name, version, make: Arc::new(make), parts: None }
    }

    /// With what makes its parts, for a kind that has some.
    #[must_use]
    pub fn with_parts(self, parts: RegisteredParts) -> Self {
        Self { parts: Some(parts), ..self }
    }

    /// The name of the read model.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The version of the projection.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What makes its parts; none for a kind that has none.
    pub fn parts(&self) -> Option<&RegisteredParts> {
        self.parts.as_ref()
    }

    /// A subscriber that runs the live generation.
    pub fn live(
        &self,
        store: Arc<dyn EventStore>,
        documents: Arc<dyn DocumentStore>,
        terms: LeaseTerms,
    ) -> Box<dyn Subscriber> {
        (self.make)(store, documents, Run { building: None, terms, lanes: 1 })
    }

    /// A subscriber that fills `generation`, which is being built.
    pub fn building(
        &self,
        store: Arc<dyn EventStore>,
        documents: Arc<dyn DocumentStore>,
        generation: SubscriberId,
        terms: LeaseTerms,
    ) -> Box<dyn Subscriber> {
        self.building_in_lanes(store, documents, generation, terms, 1)
    }

    /// The same, which writes in `lanes` lanes at once: see [`Projector::lanes`].
    pub fn building_in_lanes(
        &self,
        store: Arc<dyn EventStore>,
        documents: Arc<dyn DocumentStore>,
        generation: SubscriberId,
        terms: LeaseTerms,
        lanes: u32,
    ) -> Box<dyn Subscriber> {
        (self.make)(store, documents, Run { building: Some(generation), terms, lanes })
    }
}

impl RegisteredParts {
    fn new<P: Projection + Clone>(projection: P) -> Self {
        Self::custom(LogFilter::of::<P::Event>(), move |part, mode, documents, kept, terms| {
            let projector = PartProjector::new(projection.clone(), part, documents, kept);
            Box::new(projector.mode(mode).lease_terms(terms))
        })
    }

    /// Parts of a projection of another kind, which takes the events of `takes`. `make` makes a subscriber that runs
    /// one of them: its name, its mode, where its documents are, what keeps those that it parks, and its lease.
    pub fn custom(
        takes: LogFilter,
        make: impl Fn(
            &str,
            PartMode,
            Arc<dyn DocumentStore>,
            Arc<dyn ParkedEvents>,
            LeaseTerms,
        ) -> Box<dyn Subscriber>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { takes, make: Arc::new(make) }
    }

    /// Which events the projection takes.
    pub fn takes(&self) -> &LogFilter {
        &self.takes
    }

    /// A subscriber that runs `part` of the live generation: see [`PartProjector`].
    pub fn live(
        &self,
        part: &str,
        mode: PartMode,
        documents: Arc<dyn DocumentStore>,
        kept: Arc<dyn ParkedEvents>,
        terms: LeaseTerms,
    ) -> Box<dyn Subscriber> {
        (self.make)(part, mode, documents, kept, terms)
    }
}

impl fmt::Debug for RegisteredParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "parts of {:?}", self.takes)
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.name, self.version)
    }
}
