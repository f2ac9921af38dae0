//! What a service is made of: the one thing the commands need to know about a domain.

mod aggregate;
mod policy;

pub(crate) use aggregate::{AnyAggregate, Folded};
use policy::AnyPolicy;

use crate::{CliError, Stores, text::plain, url::masked};
use aggregate::Of;
use annals::{Aggregate, Engine, LeaseTerms, Policy, Projection, Registered, Runner, Subscriber};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, sync::Arc};

/// A service: its name, its aggregates, projections and policies.
///
/// ```
/// # use annals::{Aggregate, DomainEvent};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)] enum Counted { Up }
/// # impl DomainEvent for Counted { const CATEGORY: &'static str = "counter"; }
/// # #[derive(Default, Clone, Serialize)] struct Counter { count: u32 }
/// # impl Aggregate for Counter {
/// #     type Id = str; type Command = (); type Event = Counted; type Rejection = std::convert::Infallible;
/// #     fn decide(&self, _: &()) -> Result<Vec<Counted>, Self::Rejection> { Ok(vec![Counted::Up]) }
/// #     fn evolve(&mut self, _: &Counted) { self.count += 1 }
/// # }
/// let service = annals_cli::Service::new("counters").aggregate::<Counter>().begin_with("`counters demo`");
/// ```
pub struct Service {
    name: &'static str,
    begin_with: Option<&'static str>,
    aggregates: BTreeMap<&'static str, Arc<dyn AnyAggregate>>,
    projections: Vec<Registered>,
    policies: Vec<AnyPolicy>,
}

impl Service {
    /// A service without a domain. Its name is that of the program, and names its files: `NAME.db`.
    pub fn new(name: &'static str) -> Self {
        let (aggregates, projections, policies) = (BTreeMap::new(), vec![], vec![]);
        Self { name, begin_with: None, aggregates, projections, policies }
    }

    /// What somebody runs who has no log yet; continues "run ", as in `` `northwind demo` ``.
    #[must_use]
    pub fn begin_with(self, commands: &'static str) -> Self {
        Self { begin_with: Some(commands), ..self }
    }

    /// With this kind of aggregate.
    ///
    /// # Panics
    /// When its category is registered already.
    #[must_use]
    pub fn aggregate<A: Aggregate + Serialize>(mut self) -> Self {
        let aggregate = Of::<A>::new();
        let category = aggregate.category();
        let before = self.aggregates.insert(category, Arc::new(aggregate));
        assert!(before.is_none(), "two aggregates of category {category}");
        self
    }

    /// With this read model.
    ///
    /// # Panics
    /// When its name is registered already.
    #[must_use]
    pub fn projection<P: Projection + Clone>(mut self, projection: P) -> Self {
        self.expect_new(P::NAME);
        self.projections.push(Registered::new(projection));
        self
    }

    /// With these read models.
    ///
    /// # Panics
    /// When one of their names is registered already.
    #[must_use]
    pub fn projections_of(mut self, projections: impl IntoIterator<Item = Registered>) -> Self {
        for projection in projections {
            self.expect_new(projection.name());
            self.projections.push(projection);
        }
        self
    }

    /// With this policy.
    ///
    /// # Panics
    /// When its name is registered already.
    #[must_use]
    pub fn policy<P: Policy + Clone>(mut self, policy: P) -> Self {
        self.expect_new(P::NAME);
        self.policies.push(AnyPolicy::new(policy));
        self
    }

    /// The name of the program.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its read models, in the order they were registered.
    pub fn projections(&self) -> &[Registered] {
        &self.projections
    }

    /// The names of all its subscribers: projections, then policies, in the order they were registered.
    pub fn subscriber_names(&self) -> impl Iterator<Item = &'static str> {
        let policies = self.policies.iter().map(|policy| policy.name);
        self.projections.iter().map(Registered::name).chain(policies)
    }

    /// An engine over `stores`. A process has one and shares it: its commands for one stream then pass one gate.
    pub fn engine(&self, stores: &Stores) -> Arc<Engine> {
        let engine = Engine::new(stores.store.clone());
        Arc::new(match &stores.snapshots {
            Some(snapshots) => engine.with_snapshots(snapshots.clone()),
            None => engine,
        })
    }

    /// A runner with all projections and policies; the policies send their commands to `engine`.
    pub fn runner(&self, stores: &Stores, engine: &Arc<Engine>) -> Runner {
        Runner::new(stores.store.clone()).with_all(self.subscribers(stores, engine))
    }

    /// All projections and policies.
    pub(crate) fn subscribers(&self, stores: &Stores, engine: &Arc<Engine>) -> Vec<Box<dyn Subscriber>> {
        let live = |projection: &Registered| {
            projection.live(stores.store.clone(), stores.documents.clone(), LeaseTerms::default())
        };
        let policies = self.policies.iter().map(|policy| policy.subscriber(engine, stores.documents.clone()));
        self.projections.iter().map(live).chain(policies).collect()
    }

    /// The projection of a read model; wrong usage where there is none of that name.
    pub(crate) fn known_projection(&self, name: &str) -> Result<&Registered, CliError> {
        self.projections.iter().find(|projection| projection.name() == name).ok_or_else(|| {
            let told = masked(name).unwrap_or_else(|| name.into());
            let unknown = CliError::usage(plain(&told), "there is no such read model");
            let names: Vec<&str> = self.projections.iter().map(Registered::name).collect();
            match &*names {
                [] => unknown.next("this program has none: use that of the service"),
                names => unknown.next(format_args!("name one of: {}", names.join(", "))),
            }
        })
    }

    pub(crate) fn is_policy(&self, name: &str) -> bool {
        self.policies.iter().any(|policy| policy.name == name)
    }

    pub(crate) fn aggregate_of(&self, category: &str) -> Option<&dyn AnyAggregate> {
        self.aggregates.get(category).map(|aggregate| &**aggregate)
    }

    /// What somebody does who has no log yet.
    pub(crate) fn first_step(&self) -> String {
        match self.begin_with {
            Some(commands) => format!("run {commands} first, or name another with --store URL"),
            None => "name the log with --store URL".into(),
        }
    }

    fn expect_new(&self, name: &str) {
        assert!(self.subscriber_names().all(|known| known != name), "two subscribers are called {name}");
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("name", &self.name)
            .field("aggregates", &self.aggregates.keys())
            .field("subscribers", &self.subscriber_names().collect::<Vec<_>>())
            .finish()
    }
}
