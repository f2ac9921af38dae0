//! Policies: events turned into commands for other aggregates.

mod runner;
#[cfg(test)]
mod tests;

pub use runner::{COMMAND_ATTEMPTS_MAX, COMMANDS_AT_ONCE_MAX, PolicyRunner};

use crate::{
    Aggregate, Context, Done, Engine, EventSet, ExecuteError, RecordedEvent, StreamId, StreamIdError,
};
use async_trait::async_trait;
use std::{any::Any, error::Error, fmt};

/// Reacts to events with commands for other aggregates. Pure and without state.
///
/// The ids of the commands follow from the event, so a command that left an event changes nothing when it is sent again,
/// whatever the aggregate would decide by then. That happens after a crash, and when a runner that stood still past its
/// lease goes on beside its successor: neither can be kept from sending what it has in hand.
///
/// A command that may be refused should leave an event saying so: whoever asked learns of it by reading. One that leaves
/// none, rejected or with nothing to do, is taken as answered; but sent again, it is decided anew, on what commands of
/// later events have made of the aggregate meanwhile.
pub trait Policy: Send + Sync + 'static {
    /// The name of the subscriber: `[a-z][a-z0-9-]*`. A storage contract: command ids derive from it.
    const NAME: &'static str;

    /// What it takes.
    type Event: EventSet;

    /// The commands that the event calls for. Those for one aggregate are carried out in this order.
    fn react(&self, event: &Self::Event, recorded: &RecordedEvent) -> Vec<Issued>;
}

/// A command on its way to an aggregate, whose type the holder need not know.
pub struct Issued(Box<dyn Command>);

/// A rejection of an aggregate that is not known here.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct AnyRejection(Box<dyn Error + Send + Sync>);

impl Issued {
    /// `command` for the aggregate `id`, under the tenant of the event that called for it.
    pub fn to<A: Aggregate>(id: &A::Id, command: A::Command) -> Self
    where
        A::Command: fmt::Debug + PartialEq,
    {
        Self(Box::new(To::<A> { key: id.to_string(), command }))
    }

    /// The stream it goes to, under `tenant`.
    pub fn target(&self, tenant: Option<&str>) -> Result<StreamId, StreamIdError> {
        StreamId::of(tenant, self.0.category(), self.0.key())
    }

    /// Carries out commands for one aggregate, in order, as [`Engine::execute_all_on`] does. Ends early, without a
    /// failure, where a command is for another type of aggregate than the first.
    pub async fn execute_all(
        commands: &[&Self],
        engine: &Engine,
        target: &StreamId,
        contexts: Vec<Context>,
    ) -> Vec<Result<Done, ExecuteError<AnyRejection>>> {
        let Some(first) = commands.first() else { return vec![] };
        let all: Vec<&dyn Command> = commands.iter().map(|issued| &*issued.0).collect();
        first.0.execute_all(&all, engine, target, contexts).await
    }
}

struct To<A: Aggregate> {
    key: String,
    command: A::Command,
}

#[async_trait]
trait Command: fmt::Debug + Send + Sync {
    fn category(&self) -> &'static str;
    fn key(&self) -> &str;
    fn any(&self) -> &dyn Any;
    fn equals(&self, other: &dyn Any) -> bool;
    /// Carries out as many of `all`, in order, as are of this type; this is the first of them.
    async fn execute_all(
        &self,
        all: &[&dyn Command],
        engine: &Engine,
        target: &StreamId,
        contexts: Vec<Context>,
    ) -> Vec<Result<Done, ExecuteError<AnyRejection>>>;
}

#[async_trait]
impl<A: Aggregate> Command for To<A>
where
    A::Command: fmt::Debug + PartialEq,
{
    fn category(&self) -> &'static str {
        <A::Event as crate::DomainEvent>::CATEGORY
    }

    fn key(&self) -> &str {
        &self.key
    }

    fn any(&self) -> &dyn Any {
        self
    }

    fn equals(&self, other: &dyn Any) -> bool {
        other
            .downcast_ref::<Self>()
            .is_some_and(|other| other.key == self.key && other.command == self.command)
    }

    async fn execute_all(
        &self,
        all: &[&dyn Command],
        engine: &Engine,
        target: &StreamId,
        contexts: Vec<Context>,
    ) -> Vec<Result<Done, ExecuteError<AnyRejection>>> {
        let alike = all.iter().map_while(|command| command.any().downcast_ref::<Self>());
        let run: Vec<_> = alike.map(|command| &command.command).zip(contexts).collect();
        let outcomes = engine.execute_all_on::<A>(target, &run).await;
        let untyped = |error: ExecuteError<_>| {
            error.map_rejected(|rejection: A::Rejection| AnyRejection(rejection.into()))
        };
        outcomes.into_iter().map(|outcome| outcome.map_err(untyped)).collect()
    }
}

impl<A: Aggregate> fmt::Debug for To<A>
where
    A::Command: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}: {:?}", <A::Event as crate::DomainEvent>::CATEGORY, self.key, self.command)
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for Issued {
    fn eq(&self, other: &Self) -> bool {
        self.0.equals(other.0.any())
    }
}
