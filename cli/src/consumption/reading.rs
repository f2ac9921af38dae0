//! One read model that is filled from topics.

use super::handled::{Behind, Ends, Shown};
use crate::{CliError, publication::kafka_failed, text::plain};
use annals::{DocumentStore, OpenError, Position, Registered};
use annals_kafka::{ConsumeError, Consumed, Consumer, PartitionError};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// One read model that is filled from topics.
pub(super) struct Reading<'a> {
    pub(super) projection: &'a Registered,
    pub(super) group: &'a str,
    pub(super) documents: &'a Arc<dyn DocumentStore>,
    pub(super) consumed: &'a Consumed,
}

/// How it ended where nothing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// All that there was when it began is handled; or it followed for as long as it was to.
    Whole,
    /// It was stopped before.
    Stopped,
}

impl Reading<'_> {
    /// Runs `consumer` until all that is there now is handled, which is `shown`; without that, until `stop`.
    pub(super) async fn run(
        &self,
        consumer: Consumer,
        shown: Option<&Shown>,
        stop: &CancellationToken,
    ) -> Result<Done, CliError> {
        self.begin().await?;
        let ends: Option<Ends> = match shown {
            Some(_) => Some(consumer.ends().await.map_err(|error| self.failed(&error))?),
            None => None,
        };
        let ending = CancellationToken::new();
        let _ends_with_this = ending.clone().drop_guard();
        let mut running = tokio::spawn(consumer.run(ending.clone()));
        let outcome = tokio::select! {
            biased;
            ended = &mut running => {
                let ended = ended.unwrap_or(Err(ConsumeError::Ended));
                return Err(self.failed(&ended.err().unwrap_or(ConsumeError::Ended)));
            }
            outcome = self.until(ends.as_ref().zip(shown), stop) => outcome,
        };
        // What stands still is told before its partitions are given back.
        ending.cancel();
        let ended = running.await.unwrap_or(Err(ConsumeError::Ended));
        outcome.and_then(|done| ended.map(|()| done).map_err(|error| self.failed(&error)))
    }

    async fn until(&self, ends: Option<(&Ends, &Shown)>, stop: &CancellationToken) -> Result<Done, CliError> {
        if let Some((ends, shown)) = ends {
            return self.all_handled(ends, shown, stop).await;
        }
        stop.cancelled().await;
        match self.consumed.stopped().first() {
            Some((_, _, error)) => Err(self.stands_still(error)),
            None => Ok(Done::Whole),
        }
    }

    /// Makes its place, where there is none, and sees that it is one for parts.
    async fn begin(&self) -> Result<(), CliError> {
        let (name, ours) = (self.projection.name(), self.projection.version());
        let live = self.documents.open(name, ours).await.map_err(|error| match error {
            OpenError::NeedsRebuild { live, .. } => {
                let reason = format!("what is there is of version {live}, this program has version {ours}");
                CliError::failed(name, reason)
                    .next("fill it anew: name another place with --read-models, and another --group")
            }
            error => CliError::because(name, &error),
        })?;
        let all = self.documents.subscribers().await;
        let all = all.map_err(|error| CliError::because(name, &error))?;
        match all.iter().find(|info| info.subscriber == live) {
            Some(info) if info.checkpoint > Position::START => {
                Err(CliError::failed(name, "a log fills it there, and topics would count everything again")
                    .next(
                        "name a place of its own with --read-models, as in --read-models sqlite:reporting.db",
                    ))
            }
            _ => Ok(()),
        }
    }

    fn failed(&self, error: &ConsumeError) -> CliError {
        let failed = |next: &str| CliError::because(self.projection.name(), error).next(next);
        match error {
            ConsumeError::Kafka(kafka) => kafka_failed(self.projection.name(), kafka),
            ConsumeError::NoTopic { topic } => {
                let reason = format!("there is no topic {topic}");
                CliError::failed(self.projection.name(), reason).next(
                    "see that it is published under that name (--topic-prefix, --topic), or begin with an empty one: \
                     --create-topics PARTITIONS",
                )
            }
            ConsumeError::Alike { .. } => failed("name one of the topics otherwise"),
            _ => failed("run the same command again: it goes on where it stopped"),
        }
    }

    /// A partition stands still until somebody has done something.
    pub(super) fn stands_still(&self, error: &PartitionError) -> CliError {
        let failed = CliError::because(self.projection.name(), error);
        match error.passed_over_by() {
            Some((part, to)) => failed.next(format_args!(
                "to go on without it, add --pass-over {part}={to}; nothing was skipped, and other partitions go on"
            )),
            None => failed.next("consume again when that is done: nothing was skipped, and other partitions go on"),
        }
    }

    /// Nothing moves, for no reason that will surely last.
    pub(super) fn stuck(&self, behind: Option<&Behind>) -> CliError {
        let (name, group) = (self.projection.name(), self.group);
        let Some(Behind { topic, partition, at, end, holder, failure }) = behind else {
            let reason = "what was asked for about parked events is not carried out";
            return CliError::failed(name, reason).next("list them with `dead-letters list`, and ask again");
        };
        let why = match (failure, holder) {
            (Some(failure), _) => plain(failure).into_owned(),
            (None, Some(holder)) => format!("{holder} runs it"),
            (None, None) => format!("nobody runs it here, though group {group} may be elsewhere"),
        };
        let stands = format!("{topic} {partition} stands still at position {at}, with events up to {end}");
        CliError::failed(name, format_args!("{stands}: {why}")).next(format_args!(
            "see that no consumer of group {group} fills another place: each place of read models has a --group of its own"
        ))
    }
}
