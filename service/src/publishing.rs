//! `--publish URL`: the log goes out to Kafka while the shop works, and a consumer's look at it proves that.

use crate::work::interruption;
use annals::{LogFilter, PageLimit, Position};
use annals_cli::{CliError, Proven, Publication, PublishTerms, Published, StoreUrl, Stores};
use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;
use std::fmt;
use tokio_util::sync::CancellationToken;

/// With how many partitions topics are made.
const PARTITIONS: u32 = 4;

/// Whether to publish, and where to.
#[derive(Debug, Clone, Default, Args)]
pub struct PublishTo {
    /// Publish the events to this cluster too: kafka://HOST:PORT. Publisher and topics are named for the log
    #[arg(long, value_name = "URL")]
    pub publish: Option<StoreUrl>,
}

/// The shop's way to a cluster. Who publishes and where to is named for the log, by the time of its first event: a log
/// goes on where it was, and another one, also on the same cluster, has topics of its own.
#[derive(Debug, Clone)]
pub(crate) struct Publishing {
    to: StoreUrl,
}

/// What was published, and what a consumer found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PublishedReport {
    /// The cluster, without secrets.
    pub to: String,
    /// The name of the publisher.
    pub name: String,
    /// What the names of its topics begin with.
    pub topic_prefix: String,
    /// What a consumer found that read all of them.
    #[serde(flatten)]
    pub proven: Proven,
}

impl PublishTo {
    /// Looks whether the cluster is there, before anything is begun.
    pub(crate) async fn reach(&self) -> Result<Option<Publishing>, CliError> {
        let Some(to) = &self.publish else { return Ok(None) };
        Publication::of(&PublishTerms::to(to.clone()))?.reach().await?;
        Ok(Some(Publishing { to: to.clone() }))
    }
}

impl Publishing {
    /// Publishes what is in the log and what comes, until `stop`.
    pub(crate) async fn follow(self, stores: Stores, stop: CancellationToken) -> Result<(), CliError> {
        let mut head = stores.store.head();
        // The log is named by its first event.
        let begun = stop.run_until_cancelled(head.wait_for(|head| *head > Position::START)).await;
        match begun.map(|begun| begun.map(drop)) {
            None | Some(Err(_)) => Ok(()),
            Some(Ok(())) => self.of_log(&stores).await?.follow(&stores, stop).await.map(drop),
        }
    }

    /// Publishes what is left, then reads everything back.
    pub(crate) async fn prove(
        &self,
        stores: &Stores,
        interrupted: &CancellationToken,
    ) -> Result<PublishedReport, CliError> {
        let terms = self.terms(stores).await?;
        let publication = Publication::of(&terms)?;
        let Published { to, name, .. } = publication.catch_up(stores, None, interrupted).await?;
        let proven = interrupted.run_until_cancelled(publication.prove(stores)).await;
        let proven = proven.ok_or_else(interruption)??;
        Ok(PublishedReport { to, name, topic_prefix: terms.topic_prefix, proven })
    }

    async fn of_log(&self, stores: &Stores) -> Result<Publication, CliError> {
        Publication::of(&self.terms(stores).await?)
    }

    async fn terms(&self, stores: &Stores) -> Result<PublishTerms, CliError> {
        let first = stores.store.read_log(Position::START, PageLimit::ONE, &LogFilter::all()).await;
        let first = first.map_err(|error| CliError::because("log", &error))?;
        let began = first.events.first().map_or(DateTime::UNIX_EPOCH, |event| event.recorded_at);
        let log = named(began);
        Ok(PublishTerms {
            name: format!("publisher-{log}"),
            topic_prefix: format!("northwind.{log}."),
            create_topics: Some(PARTITIONS),
            ..PublishTerms::to(self.to.clone())
        })
    }
}

/// A log is called by the time of its first event, to the microsecond: the same command gives first events of the same
/// id, but never two at one time.
fn named(began: DateTime<Utc>) -> String {
    began.format("%Y%m%d-%H%M%S-%6f").to_string()
}

impl PublishedReport {
    /// Fails unless everything is there, once and in order.
    pub(crate) fn judge(&self) -> Result<(), CliError> {
        if self.proven.holds {
            return Ok(());
        }
        let wrong = self.proven.topics.iter().filter(|(_, topic)| !topic.holds()).map(|(name, _)| &**name);
        let reason = format!(
            "a consumer does not find each event once and in order in {}",
            wrong.collect::<Vec<_>>().join(", ")
        );
        Err(CliError::failed("published", reason)
            .next("see the figures above; if nobody else writes to these topics, this is a fault of ours"))
    }

    /// What to run next, for a log that is there with `stores`.
    pub(crate) fn next_steps(&self, stores: &str) -> String {
        let Self { to, name, topic_prefix, proven } = self;
        let brokers = to.rsplit(['/', '@']).next().unwrap_or_default();
        let topic = proven.topics.keys().next().map_or("", String::as_str);
        format!(
            "go on publishing, and see what Kafka's own consumer sees:\n  \
             northwind publish --to {to} --name {name} --topic-prefix {topic_prefix} --follow{stores}\n  \
             kafka-console-consumer.sh --bootstrap-server {brokers} --topic {topic} --from-beginning \
             --isolation-level read_committed --property print.key=true --timeout-ms 10000"
        )
    }
}

impl fmt::Display for PublishedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Proven { holds, records, events, topics, .. } = &self.proven;
        write!(f, "published          {records} records of {events} events to {}, ", self.to)?;
        f.write_str(if *holds { "each once and in order" } else { "NOT each once and in order" })?;
        for (name, topic) in topics {
            write!(
                f,
                "\n  {name}  {} records, {} keys, {} partitions",
                topic.records, topic.streams, topic.partitions
            )?;
            if !topic.holds() {
                write!(
                    f,
                    " of {} events: {} gaps, {} repeated, {} out of order, {} misplaced, {} foreign",
                    topic.events,
                    topic.missing,
                    topic.repeated,
                    topic.out_of_order,
                    topic.misplaced,
                    topic.foreign
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_logs_are_told_apart_and_a_log_keeps_its_name() {
        let began = DateTime::from_timestamp_micros(1_767_601_800_000_001).unwrap();
        assert_eq!(named(began), "20260105-083000-000001");
        assert_ne!(named(began), named(began + chrono::TimeDelta::microseconds(1)));
    }
}
