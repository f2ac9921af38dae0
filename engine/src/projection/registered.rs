//! A projection whose types the holder need not know.

use super::Projector;
use crate::{DocumentStore, EventStore, LeaseTerms, Projection, Subscriber, SubscriberId};
use std::{fmt, sync::Arc};

/// A projection whose types the holder need not know: for runners, rebuilds and command lines.
#[derive(Clone)]
pub struct Registered {
    name: &'static str,
    version: u32,
    make: Arc<Make>,
}

type Make = dyn Fn(Arc<dyn EventStore>, Arc<dyn DocumentStore>, Option<SubscriberId>, LeaseTerms) -> Box<dyn Subscriber>
    + Send
    + Sync;

impl Registered {
    /// `projection`, of whatever type.
    pub fn new<P: Projection + Clone>(projection: P) -> Self {
        let make = move |store, documents, building: Option<SubscriberId>, terms| {
            let projector = Projector::new(projection.clone(), store, documents).lease_terms(terms);
            let boxed: Box<dyn Subscriber> = match building {
                Some(generation) => Box::new(projector.building(generation)),
                None => Box::new(projector),
            };
            boxed
        };
        Self::custom(P::NAME, P::VERSION, make)
    }

    /// A projection of another kind. `make` makes a subscriber that runs a generation which is being built, where one
    /// is given, and else the live one.
    pub fn custom(
        name: &'static str,
        version: u32,
        make: impl Fn(
            Arc<dyn EventStore>,
            Arc<dyn DocumentStore>,
            Option<SubscriberId>,
            LeaseTerms,
        ) -> Box<dyn Subscriber>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { name, version, make: Arc::new(make) }
    }

    /// The name of the read model.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The version of the projection.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// A subscriber that runs the live generation.
    pub fn live(
        &self,
        store: Arc<dyn EventStore>,
        documents: Arc<dyn DocumentStore>,
        terms: LeaseTerms,
    ) -> Box<dyn Subscriber> {
        (self.make)(store, documents, None, terms)
    }

    /// A subscriber that fills `generation`, which is being built.
    pub fn building(
        &self,
        store: Arc<dyn EventStore>,
        documents: Arc<dyn DocumentStore>,
        generation: SubscriberId,
        terms: LeaseTerms,
    ) -> Box<dyn Subscriber> {
        (self.make)(store, documents, Some(generation), terms)
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.name, self.version)
    }
}
