//! Filling read models from topics.

use super::{
    Filled,
    handled::Shown,
    reading::{Done, Reading},
};
use crate::{
    CliError, ConsumeTerms, Progress, Service, Stores,
    publication::{cluster, kafka_failed, topic_names},
    text::plain,
};
use annals::{Position, Registered};
use annals_kafka::{
    Consumer, ConsumerTerms, Handler, KafkaOptions, PassOverError, TopicConsumed, TopicNames, pass_over,
};
use futures_util::future::join_all;
use std::collections::BTreeSet;
use tokio_util::sync::CancellationToken;

/// Read models and the topics that fill them, each read model by a consumer group of its own.
pub(crate) struct Consumption {
    options: KafkaOptions,
    group: String,
    topics: TopicNames,
    terms: ConsumerTerms,
    pass_over: Vec<(String, Position)>,
    projections: Vec<Registered>,
    left_out: Vec<&'static str>,
}

/// What came of one read model.
struct Outcome {
    filled: Vec<Filled>,
    done: Result<Done, CliError>,
}

impl Consumption {
    /// As it is wanted.
    ///
    /// # Errors
    /// Wrong usage when the URL or a topic's name is none, or a read model is not there or cannot be filled from topics.
    pub(crate) fn of(wanted: &ConsumeTerms, service: &Service) -> Result<Self, CliError> {
        let options = cluster("--from", &wanted.from)?;
        let topics = topic_names(&wanted.topic_prefix, &wanted.topics)?;
        let (projections, left_out) = projections(&wanted.names, service)?;
        let terms = ConsumerTerms { create_topics: wanted.create_topics, ..ConsumerTerms::default() };
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
    ) -> Result<(Vec<Filled>, Vec<CliError>), CliError> {
        self.begin(stores).await?;
        let shown = Shown::of(progress);
        let each =
            self.projections.iter().map(|projection| self.fill(projection, stores, Some(&shown), stop));
        let outcomes = join_all(each).await;
        let stopped = outcomes.iter().any(|outcome| matches!(outcome.done, Ok(Done::Stopped)));
        let (filled, mut failed) = told(outcomes);
        failed.extend(stopped.then(interrupted_early));
        Ok((filled, failed))
    }

    /// Fills the read models with what there is and what comes, until `stop`; what passes by itself is waited for.
    ///
    /// # Errors
    /// When nothing could be begun.
    pub(crate) async fn follow(
        &self,
        stores: &Stores,
        stop: &CancellationToken,
    ) -> Result<(Vec<Filled>, Vec<CliError>), CliError> {
        self.begin(stores).await?;
        let stop = stop.child_token();
        let each = self.projections.iter().map(|projection| async {
            let outcome = self.fill(projection, stores, None, &stop).await;
            // Whoever watches over this program is to see that one of them ended.
            stop.cancel();
            outcome
        });
        Ok(told(join_all(each).await))
    }

    /// Sees that the cluster answers, and passes over what is to be passed over.
    async fn begin(&self, stores: &Stores) -> Result<(), CliError> {
        self.options.reach().await.map_err(|error| kafka_failed("consume", &error))?;
        for (part, to) in &self.pass_over {
            match pass_over(&*stores.documents, part, *to).await {
                // The same command again.
                Ok(()) | Err(PassOverError::Behind { .. }) => {}
                Err(PassOverError::Unknown { .. }) => {
                    let unknown = CliError::failed(plain(part), "there is no such part here");
                    return Err(unknown.next("take its name from the error that told of it"));
                }
                Err(error) => return Err(CliError::because(plain(part), &error)),
            }
        }
        Ok(())
    }

    /// Fills one read model with what there is now, which is `shown`; or with what comes, until `stop`.
    async fn fill(
        &self,
        projection: &Registered,
        stores: &Stores,
        shown: Option<&Shown>,
        stop: &CancellationToken,
    ) -> Outcome {
        let (group, topics) = (self.group_of(projection), self.topics_of(projection));
        let Some(handler) = Handler::registered(projection, stores.documents.clone()) else {
            return Outcome { filled: vec![], done: Err(has_no_parts(projection.name())) };
        };
        let consumer =
            Consumer::new(&group, self.options.clone(), topics.clone(), handler, self.terms.clone());
        let consumed = consumer.consumed();
        let reading =
            Reading { projection, group: &group, documents: &stores.documents, consumed: &consumed };
        let done = reading.run(consumer, shown, stop).await;
        let counts = consumed.topics();
        // Of what was not even begun there is nothing to say.
        let begun = topics.into_iter().filter(|topic| done.is_ok() || counts.contains_key(topic));
        let filled = begun.map(|topic| {
            let counted = counts.get(&topic).copied().unwrap_or_default();
            let TopicConsumed { handled, skipped, repeated, parked, .. } = counted;
            let (name, group) = (projection.name().into(), group.clone());
            Filled { name, group, topic, handled, skipped, repeated, parked }
        });
        Outcome { filled: filled.collect(), done }
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
fn told(outcomes: Vec<Outcome>) -> (Vec<Filled>, Vec<CliError>) {
    let (mut filled, mut failed) = (vec![], vec![]);
    for outcome in outcomes {
        filled.extend(outcome.filled);
        failed.extend(outcome.done.err());
    }
    (filled, failed)
}

fn interrupted_early() -> CliError {
    CliError::failed("interrupted", "it was stopped before everything was handled")
        .next("run the same command again: it goes on where it stopped")
}
