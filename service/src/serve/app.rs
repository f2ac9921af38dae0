use super::{
    accepted::Accepted,
    key::{IdempotencyKey, fingerprint},
    problem::Problem,
};
use annals::{Aggregate, Done, Engine, PageLimit, Version, VersionRange};
use annals_cli::{Service, Stores};
use axum::http::StatusCode;
use serde::Serialize;
use std::sync::Arc;

/// On whose behalf.
const ACTOR: &str = "http";

/// The entry of an event's metadata that tells what request led to it.
const REQUEST_ENTRY: &str = "request";

/// What the handlers work with.
#[derive(Clone)]
pub(super) struct App {
    pub(super) service: Arc<Service>,
    pub(super) stores: Stores,
    pub(super) engine: Arc<Engine>,
}

impl App {
    /// Carries a command out, once for a key. `said` is what the client asked for: under a key that is known it must be
    /// the same.
    ///
    /// # Errors
    /// The problem to answer with; `refused` says with which status the domain's own are told.
    pub(super) async fn carry_out<A: Aggregate>(
        &self,
        id: &A::Id,
        command: &A::Command,
        key: &IdempotencyKey,
        said: &impl Serialize,
        refused: impl FnOnce(&A::Rejection) -> StatusCode,
    ) -> Result<Accepted, Problem> {
        let request = fingerprint(said)?;
        let context = key.context().actor(ACTOR).entry(REQUEST_ENTRY, &*request);
        let done = self.engine.execute::<A>(id, command, context).await;
        let done = done.map_err(|error| Problem::of_command(error, refused))?;
        if done.repeated && !self.asked_for(&done, &request).await? {
            return Err(Problem::key_reused());
        }
        Ok(Accepted::new(&done))
    }

    /// Whether it was this request that led to the events of `done`.
    async fn asked_for(&self, done: &Done, request: &str) -> Result<bool, Problem> {
        let last =
            VersionRange::after(Version::new(done.version.get().saturating_sub(1))).through(done.version);
        let read = self.stores.store.read(&done.stream, last, PageLimit::ONE).await;
        let events = read.map_err(|error| Problem::of_store(&error))?;
        let asked = events.first().and_then(|event| event.metadata().entries.get(REQUEST_ENTRY).cloned());
        Ok(asked.as_deref() == Some(request))
    }
}
