//! One read model that is filled from topics.

use super::{
    failing::{consumer_failed, stands_still},
    handled::{Ends, Shown},
};
use crate::CliError;
use annals::{DocumentStore, OpenError, Position, Registered, SubscriberInfo, part_of};
use annals_kafka::{
    ConsumeError, Consumed, Consumer, KafkaOptions, PartitionError, PartitionLag, RecordError,
};
use std::{collections::BTreeSet, sync::Arc};
use tokio_util::sync::CancellationToken;

/// One read model that is filled from topics.
pub(super) struct Reading<'a> {
    pub(super) projection: &'a Registered,
    pub(super) options: &'a KafkaOptions,
    pub(super) group: &'a str,
    pub(super) topics: &'a BTreeSet<String>,
    pub(super) documents: &'a Arc<dyn DocumentStore>,
    pub(super) consumed: &'a Consumed,
}

/// What there was when it began.
pub(super) struct Begun {
    ends: Ends,
    /// Records behind the ends in front of which partitions stand still.
    foreign: Vec<RecordError>,
    /// How far it was filled before, where this group has read nothing yet.
    pub(super) by_others: Option<Position>,
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
    /// Makes its place, where there is none, sees that it is one for parts, and looks what there is; where it is done
    /// with that, also where the topics end, as `consumer` sees them, and unless `passes` what is foreign there.
    pub(super) async fn begin(
        &self,
        consumer: &Consumer,
        shown: Option<&Shown>,
        passes: bool,
    ) -> Result<Begun, CliError> {
        let filled_up_to = self.open().await?;
        let (by_others, ends, foreign) = tokio::join!(
            self.by_others(filled_up_to),
            async { if shown.is_some() { consumer.ends().await } else { Ok(Ends::new()) } },
            async { if shown.is_some() && !passes { consumer.foreign_ends().await } else { Ok(vec![]) } },
        );
        let failed = |error| consumer_failed(self.projection.name(), &error);
        Ok(Begun { ends: ends.map_err(failed)?, foreign: foreign.map_err(failed)?, by_others })
    }

    /// Runs `consumer` until all that there was when it began is handled, which is `shown`; without that, until `stop`.
    pub(super) async fn run(
        &self,
        consumer: Consumer,
        begun: &Begun,
        shown: Option<&Shown>,
        stop: &CancellationToken,
    ) -> Result<Done, CliError> {
        let ending = CancellationToken::new();
        let _ends_with_this = ending.clone().drop_guard();
        let mut running = tokio::spawn(consumer.run(ending.clone()));
        let failed = |error| consumer_failed(self.projection.name(), &error);
        let outcome = tokio::select! {
            biased;
            ended = &mut running => {
                let ended = ended.unwrap_or(Err(ConsumeError::Ended));
                return Err(failed(ended.err().unwrap_or(ConsumeError::Ended)));
            }
            outcome = self.until(begun, shown, stop) => outcome,
        };
        // What stands still is told before its partitions are given back.
        ending.cancel();
        let ended = running.await.unwrap_or(Err(ConsumeError::Ended));
        outcome.and_then(|done| ended.map(|()| done).map_err(failed))
    }

    async fn until(
        &self,
        begun: &Begun,
        shown: Option<&Shown>,
        stop: &CancellationToken,
    ) -> Result<Done, CliError> {
        let done = match shown {
            Some(shown) => self.all_handled(&begun.ends, shown, stop).await?,
            None => {
                stop.cancelled().await;
                Done::Whole
            }
        };
        let stopped = self.consumed.stopped().into_iter().map(|(_, _, error)| error);
        // Nobody need have come to it yet.
        let foreign = begun.foreign.iter().cloned().map(PartitionError::Foreign);
        match stopped.chain(foreign).next() {
            Some(error) if done == Done::Whole => Err(stands_still(self.projection.name(), &error)),
            _ => Ok(done),
        }
    }

    /// Makes its place, where there is none, and sees that it is one for parts; how far these are.
    async fn open(&self) -> Result<Position, CliError> {
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
            _ => Ok(self.up_to(&all)),
        }
    }

    /// How far the furthest of its parts is.
    fn up_to(&self, all: &[SubscriberInfo]) -> Position {
        let ours = |info: &&SubscriberInfo| {
            part_of(info.subscriber.name()).is_some_and(|(of, ..)| of == self.projection.name())
        };
        all.iter().filter(ours).map(|info| info.checkpoint).max().unwrap_or(Position::START)
    }

    /// `up_to`, where the group has read nothing of the topics.
    async fn by_others(&self, up_to: Position) -> Option<Position> {
        if up_to == Position::START {
            return None;
        }
        // Only a remark hangs on it: what fails here fails elsewhere too.
        let lags = PartitionLag::of(self.options, self.group, self.topics).await.ok()?;
        let new = !lags.is_empty() && lags.iter().all(|lag| lag.committed.is_none());
        new.then_some(up_to)
    }
}
