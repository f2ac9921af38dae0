//! Filling read models from topics.

use super::{
    Filled, Filling,
    failing::interrupted_early,
    handled::Shown,
    passing,
    reading::{Done, Reading},
    remark::remark,
};
use crate::{
    CliError, ConsumeTerms, Progress, Service, Stores,
    operations::consume::ForeignRecords,
    publication::{cluster, kafka_failed, topic_names},
};
use annals::{Position, Registered, error_text};
use annals_kafka::{Consumer, ConsumerTerms, Foreign, Handler, KafkaOptions, TopicConsumed, TopicNames};
use futures_util::future::join_all;
use std::{collections::BTreeSet, time::Duration};
use tokio_util::sync::CancellationToken;

/// How often a cluster that does not answer is asked again, by whoever follows.
const REACH_INTERVAL: Duration = Duration::from_secs(1);

/// Read models and the topics that fill them, each read model by a consumer group of its own.
pub(crate) struct Consumption {
    options: KafkaOptions,
    group: String,
    topics: TopicNames,
    terms: ConsumerTerms,
    pub(super) pass_over: Vec<(String, Position)>,
    pub(super) projections: Vec<Registered>,
    left_out: Vec<&'static str>,
}

/// What came of one read model.
struct Outcome {
    filled: Vec<Filled>,
    note: Option<String>,
    done: Result<Done, CliError>,
}

impl Consumption {
    /// As it is wanted.
    ///
    /// # Errors
    /// Wrong usage when the URL or a topic's name is none, a read model is not there or cannot be filled from topics, or
    /// what is to be passed over is no part of one.
    pub(crate) fn of(wanted: &ConsumeTerms, service: &Service) -> Result<Self, CliError> {
        let options = cluster("--from", &wanted.from)?;
        let topics = topic_names(&wanted.topic_prefix, &wanted.topics)?;
        let (projections, left_out) = projections(&wanted.names, service)?;
        passing::check(&wanted.pass_over, &projections)?;
        let foreign = match wanted.foreign {
            ForeignRecords::Stop => Foreign::Stop,
            ForeignRecords::PassOver => Foreign::PassOver,
        };
        let create_topics = wanted.create_topics;
        let terms = ConsumerTerms { foreign, create_topics, ..ConsumerTerms::default() };
        let (group, pass_over) = (wanted.group.clone(), wanted.pass_over.clone());
        Ok(Self { options, group, topics, terms, pass_over, projections, left_out })
    }

    /// The consumer groups.
    pub(crate) fn groups(&self) -> Vec<String> {
        self.projections.iter().map(|projection| self.group_of(projection)).collect()
    }

    /// Read models that nobody named and that topics cannot fill.
    pub(crate) fn left_out(&self) -> &[&'static str] {
        &self.left_out
    }

    /// Fills the read models with what the topics hold now, and carries out what was asked for about parked events; less
    /// when `stop` is cancelled. What was done, and what failed: consuming again goes on there.
    ///
    /// # Errors
    /// When nothing could be begun.
    pub(crate) async fn catch_up(
        &self,
        stores: &Stores,
        progress: Progress,
        stop: &CancellationToken,
    ) -> Result<Filling, CliError> {
        let Some(begun) = stop.run_until_cancelled(self.begin(stores, false)).await else {
            return Err(interrupted_early());
        };
        begun?;
        let shown = Shown::of(progress);
        let each =
            self.projections.iter().map(|projection| self.fill(projection, stores, Some(&shown), stop));
        let outcomes = join_all(each).await;
        let stopped = outcomes.iter().any(|outcome| matches!(outcome.done, Ok(Done::Stopped)));
        let mut told = told(outcomes);
        told.failed.extend(stopped.then(interrupted_early));
        Ok(told)
    }

    /// Fills the read models with what there is and what comes, until `stop`; what passes by itself is waited for.
    ///
    /// # Errors
    /// When nothing could be begun.
    pub(crate) async fn follow(
        &self,
        stores: &Stores,
        stop: &CancellationToken,
    ) -> Result<Filling, CliError> {
        let Some(begun) = stop.run_until_cancelled(self.begin(stores, true)).await else {
            return Ok(Filling::default());
        };
        begun?;
        let stop = stop.child_token();
        let each = self.projections.iter().map(|projection| async {
            let outcome = self.fill(projection, stores, None, &stop).await;
            // Whoever watches over this program is to see that one of them ended.
            stop.cancel();
            outcome
        });
        Ok(told(join_all(each).await))
    }

    /// Sees that the cluster answers, where it `waits` when it does, and passes over what is to be passed over.
    async fn begin(&self, stores: &Stores, waits: bool) -> Result<(), CliError> {
        let mut told = false;
        while let Err(error) = self.options.reach().await {
            if !waits || !error.is_transient() {
                return Err(kafka_failed("consume", &error));
            }
            if !std::mem::replace(&mut told, true) {
                tracing::warn!(error = %error_text(&error), "the cluster is waited for");
            }
            tokio::time::sleep(REACH_INTERVAL).await;
        }
        self.pass_over(stores).await
    }

    /// Fills one read model with what there is now, which is `shown`; or with what comes, until `stop`.
    async fn fill(
        &self,
        projection: &Registered,
        stores: &Stores,
        shown: Option<&Shown>,
        stop: &CancellationToken,
    ) -> Outcome {
        let (consumer, asking) = match (self.consumer(projection, stores), self.consumer(projection, stores))
        {
            (Ok(consumer), Ok(asking)) => (consumer, asking),
            (Err(error), _) | (_, Err(error)) => {
                return Outcome { filled: vec![], note: None, done: Err(error) };
            }
        };
        let (group, topics) = (self.group_of(projection), self.topics_of(projection));
        let (consumed, documents) = (consumer.consumed(), &stores.documents);
        let (options, topics_read) = (&self.options, &topics);
        let reading = Reading {
            projection,
            options,
            group: &group,
            topics: topics_read,
            documents,
            consumed: &consumed,
        };
        let passes = self.terms.foreign == Foreign::PassOver;
        let (done, by_others) = match stop.run_until_cancelled(reading.begin(&asking, shown, passes)).await {
            None => (Ok(Done::Stopped), None),
            Some(Err(error)) => (Err(error), None),
            Some(Ok(begun)) => (reading.run(consumer, &begun, shown, stop).await, begun.by_others),
        };
        // What was passed over, nobody has read.
        let by_others = by_others.filter(|_| self.pass_over.is_empty());
        let counts = consumed.topics();
        let note = remark(projection.name(), &group, by_others, counts.values());
        // Of what was not even begun there is nothing to say.
        let begun = topics.into_iter().filter(|topic| done.is_ok() || counts.contains_key(topic));
        let filled = begun.map(|topic| {
            let counted = counts.get(&topic).copied().unwrap_or_default();
            let TopicConsumed { handled, skipped, repeated, foreign, parked, .. } = counted;
            let (name, group) = (projection.name().into(), group.clone());
            Filled { name, group, topic, handled, skipped, repeated, foreign, parked }
        });
        Outcome { filled: filled.collect(), note, done }
    }

    /// A member of the group that fills `projection`.
    pub(super) fn consumer(&self, projection: &Registered, stores: &Stores) -> Result<Consumer, CliError> {
        let handler = Handler::registered(projection, stores.documents.clone());
        let handler = handler.ok_or_else(|| has_no_parts(projection.name()))?;
        let (group, topics) = (self.group_of(projection), self.topics_of(projection));
        Ok(Consumer::new(&group, self.options.clone(), topics, handler, self.terms.clone()))
    }

    fn group_of(&self, projection: &Registered) -> String {
        format!("{}-{}", self.group, projection.name())
    }

    fn topics_of(&self, projection: &Registered) -> BTreeSet<String> {
        categories(projection)
            .into_iter()
            .flatten()
            .map(|category| self.topics.of(category).to_string())
            .collect()
    }
}

/// The read models that are to be filled, and those of this program that nobody named and topics cannot fill.
fn projections(
    names: &[String],
    service: &Service,
) -> Result<(Vec<Registered>, Vec<&'static str>), CliError> {
    let mut wanted = vec![];
    for name in names.iter().collect::<BTreeSet<_>>() {
        let projection = service.known_projection(name)?;
        categories(projection).ok_or_else(|| has_no_parts(name))?;
        wanted.push(projection.clone());
    }
    if !names.is_empty() {
        return Ok((wanted, vec![]));
    }
    let (filled, others): (Vec<_>, Vec<_>) =
        service.projections().iter().cloned().partition(|projection| categories(projection).is_some());
    if filled.is_empty() {
        let none = CliError::usage("consume", "this program has no read model that topics can fill");
        return Err(none.next("use that of the service"));
    }
    Ok((filled, others.iter().map(Registered::name).collect()))
}

/// Whose events the projection takes; none where topics cannot fill it.
fn categories(projection: &Registered) -> Option<BTreeSet<&str>> {
    let sources = projection.parts()?.takes().sources()?;
    sources.iter().map(|source| source.category.as_deref()).collect()
}

fn has_no_parts(name: &str) -> CliError {
    CliError::usage(name, "it is of a kind that only a log fills").next("leave it out, and name the others")
}

/// What all of them have done, and what failed.
fn told(outcomes: Vec<Outcome>) -> Filling {
    let mut told = Filling::default();
    for Outcome { filled, note, done } in outcomes {
        told.filled.extend(filled);
        told.notes.extend(note);
        told.failed.extend(done.err());
    }
    told
}
