//! Runs a policy: many commands at once, those for one aggregate in order.

use super::{Issued, Policy};
use crate::{
    Checkpoints, Context, Engine, EventSet, ExecuteError, LeaseTerms, LogFilter, LogPage, Position,
    RecordedEvent, StoreError, StreamId, Subscriber, SubscriberError, subscription::Place,
};
use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use std::{
    collections::{HashMap, hash_map::Entry},
    error::Error,
    sync::Arc,
};

/// How many commands of one policy are carried out at once, each for another aggregate.
pub const COMMANDS_AT_ONCE_MAX: usize = 64;

/// How often a command is sent again when it was contended, before the policy fails and is tried again as a whole.
pub const COMMAND_ATTEMPTS_MAX: u32 = 5;

/// Runs a policy as a subscriber of the log.
///
/// The commands of a page go out together, those for one aggregate in log order. The checkpoint moves when all of them
/// are answered; after a crash the page comes again, and commands that left events are recognised by their ids. A
/// rejection is an answer, logged as a warning and counted (`annals_policy_rejections`). A command that fails for
/// another reason stops the policy until it passes.
pub struct PolicyRunner<P: Policy> {
    policy: P,
    engine: Arc<Engine>,
    /// That of its place: of a part, not that of the policy.
    name: Arc<str>,
    place: Place,
    reads: Reads,
}

/// Which pages it is given.
#[derive(Clone, Copy)]
enum Reads {
    /// The log from end to end: each page begins where the one before it ended.
    All,
    /// What lies between its pages goes to other parts.
    Part,
}

/// A command, the event that called for it, and its place among the commands of that event.
struct Sent<'a> {
    issued: Issued,
    cause: &'a RecordedEvent,
    ordinal: u32,
}

impl<P: Policy> PolicyRunner<P> {
    /// Runs `policy` with commands to `engine`, keeping its place in `checkpoints`.
    pub fn new(policy: P, engine: Arc<Engine>, checkpoints: Arc<dyn Checkpoints>) -> Self {
        Self::called(Reads::All, P::NAME.into(), policy, engine, checkpoints)
    }

    /// The same, for one part of the events: those that come in an order of their own, as from a partition of a topic.
    /// It has a lease and a checkpoint of its own, called as [`part_name`](crate::part_name) says; the ids of commands
    /// do not depend on it.
    pub fn part(policy: P, part: &str, engine: Arc<Engine>, checkpoints: Arc<dyn Checkpoints>) -> Self {
        Self::called(Reads::Part, crate::part_name(P::NAME, 1, part).into(), policy, engine, checkpoints)
    }

    fn called(
        reads: Reads,
        name: Arc<str>,
        policy: P,
        engine: Arc<Engine>,
        checkpoints: Arc<dyn Checkpoints>,
    ) -> Self {
        let place = Place::live(checkpoints, name.clone(), 1);
        Self { policy, engine, name, place, reads }
    }

    /// Takes the lease on these terms.
    #[must_use]
    pub fn lease_terms(self, terms: LeaseTerms) -> Self {
        Self { place: self.place.terms(terms), ..self }
    }

    /// What the page calls for, by the stream it goes to; the streams in the order of their first command.
    fn called_for<'a>(&self, page: &'a LogPage) -> Result<Vec<(StreamId, Vec<Sent<'a>>)>, SubscriberError> {
        let mut targets: Vec<(StreamId, Vec<Sent<'a>>)> = vec![];
        let mut places: HashMap<StreamId, usize> = HashMap::new();
        for cause in &page.events {
            let mut all = vec![];
            P::Event::decode(cause, &mut |event| all.extend(self.policy.react(&event, cause)))?;
            for (issued, ordinal) in all.into_iter().zip(0..) {
                let target =
                    issued.target(cause.stream.tenant()).map_err(|error| self.poison(cause, error))?;
                let place = match places.entry(target) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(new) => {
                        targets.push((new.key().clone(), vec![]));
                        *new.insert(targets.len() - 1)
                    }
                };
                targets[place].1.push(Sent { issued, cause, ordinal });
            }
        }
        Ok(targets)
    }

    async fn carry_out(&self, target: StreamId, commands: Vec<Sent<'_>>) -> Result<(), SubscriberError> {
        let (mut done, mut attempt) = (0, 1);
        while done < commands.len() {
            let rest = &commands[done..];
            let issued: Vec<&Issued> = rest.iter().map(|sent| &sent.issued).collect();
            let context = |sent: &Sent<'_>| Context::caused_by(sent.cause, P::NAME, &target, sent.ordinal);
            let contexts = rest.iter().map(context).collect();
            for outcome in Issued::execute_all(&issued, &self.engine, &target, contexts).await {
                match outcome {
                    Ok(_) => {}
                    Err(ExecuteError::Rejected(rejection)) => {
                        metrics::counter!("annals_policy_rejections", "policy" => P::NAME).increment(1);
                        tracing::warn!(policy = P::NAME, %target, %rejection, "a command was rejected");
                    }
                    Err(ExecuteError::Contended { .. }) if attempt < COMMAND_ATTEMPTS_MAX => {
                        attempt += 1;
                        break;
                    }
                    Err(error) => return Err(self.poison(commands[done].cause, error)),
                }
                (done, attempt) = (done + 1, 1);
            }
        }
        Ok(())
    }

    fn poison(&self, cause: &RecordedEvent, source: impl Error + Send + Sync + 'static) -> SubscriberError {
        SubscriberError::Poison {
            subscriber: self.name.to_string(),
            stream: cause.stream.clone(),
            position: cause.position,
            source: source.into(),
        }
    }
}

#[async_trait]
impl<P: Policy> Subscriber for PolicyRunner<P> {
    fn name(&self) -> &str {
        &self.name
    }

    fn filter(&self) -> LogFilter {
        LogFilter::of::<P::Event>()
    }

    async fn begin(&mut self) -> Result<Position, SubscriberError> {
        self.place.begin().await
    }

    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        let is_due = match self.reads {
            Reads::All => self.place.is_next(page)?,
            Reads::Part => self.place.is_due(page)?,
        };
        if !is_due {
            return Ok(());
        }
        let targets = self.called_for(page)?;
        let mut going = Vec::with_capacity(targets.len());
        for (target, commands) in targets {
            going.push(self.carry_out(target, commands).boxed());
        }
        let all = stream::iter(going).buffer_unordered(COMMANDS_AT_ONCE_MAX).try_collect::<()>();
        self.place.renewing(all).await?;
        self.place.advance(page.looked).await?;
        metrics::counter!("annals_events_handled", "subscriber" => self.name.to_string())
            .increment(page.events.len() as u64);
        Ok(())
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        self.place.renew().await
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        self.place.end().await
    }

    async fn report(&mut self, failure: Option<&str>) -> Result<(), StoreError> {
        self.place.report(failure).await
    }
}
