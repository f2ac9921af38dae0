//! A policy whose type the holder need not know.

use annals::{Checkpoints, Engine, Policy, PolicyRunner, Subscriber};
use std::sync::Arc;

/// A policy whose type the holder need not know: its name, and a way to run it.
pub(super) struct AnyPolicy {
    pub(super) name: &'static str,
    make: Box<Make>,
}

type Make = dyn Fn(Arc<Engine>, Arc<dyn Checkpoints>) -> Box<dyn Subscriber> + Send + Sync;

impl AnyPolicy {
    pub(super) fn new<P: Policy + Clone>(policy: P) -> Self {
        let make = move |engine, checkpoints| {
            let runner: Box<dyn Subscriber> =
                Box::new(PolicyRunner::new(policy.clone(), engine, checkpoints));
            runner
        };
        Self { name: P::NAME, make: Box::new(make) }
    }

    pub(super) fn subscriber(
        &self,
        engine: &Arc<Engine>,
        checkpoints: Arc<dyn Checkpoints>,
    ) -> Box<dyn Subscriber> {
        (self.make)(engine.clone(), checkpoints)
    }
}
