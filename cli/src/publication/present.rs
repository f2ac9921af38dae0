//! Publishing to Kafka.

use super::{
    Proven, ProvenTopic, Published, Sent, SentTopic,
    counting::{Counting, Counts},
    failing::{kafka_failed, publisher_failed},
    filter::filter,
};
use crate::{
    CliError, Progress, PublishTerms, StoreUrl, Stores,
    operations::publish::{Deliver, From, Oversized},
};
use annals::{
    DocumentStore, PageLimit, Position, Runner, StoreError, Subscriber, SubscriberError, catch_up, error_text,
};
use annals_kafka::{
    CloudEvents, Delivery, KafkaOptions, Oversize, Proof, PublishError, Publisher, PublisherLag,
    PublisherTerms, Start, TopicNames,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

/// A log's way to a cluster of Kafka: which events, as whom, to which topics.
#[derive(Debug, Clone)]
pub struct Publication {
    name: String,
    options: KafkaOptions,
    terms: PublisherTerms,
}

impl Publication {
    /// As it is wanted.
    ///
    /// # Errors
    /// Wrong usage when the URL or a topic's name is none.
    pub fn of(wanted: &PublishTerms) -> Result<Self, CliError> {
        let options = cluster("--to", &wanted.to)?;
        let topics = topic_names(&wanted.topic_prefix, &wanted.topics)?;
        let terms = PublisherTerms {
            delivery: match wanted.delivery {
                Deliver::ExactlyOnce => Delivery::ExactlyOnce,
                Deliver::AtLeastOnce => Delivery::AtLeastOnce,
            },
            topics,
            filter: filter(&wanted.categories, &wanted.types),
            start: match wanted.from {
                From::Beginning => Start::Beginning,
                From::Now => Start::Now,
                From::Behind(position) => Start::Behind(position),
            },
            create_topics: wanted.create_topics,
            oversize: match wanted.oversize {
                Oversized::Stop => Oversize::Stop,
                Oversized::Omit => Oversize::Omit,
            },
            cloud_events: wanted.cloud_events.clone().map(|source| CloudEvents { source }),
            ..PublisherTerms::default()
        };
        Ok(Self { name: wanted.name.clone(), options, terms })
    }

    /// The name of its publisher.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Asks the cluster for an answer, so that one that is not there is told of before anything else is begun.
    ///
    /// # Errors
    /// When none comes within 15 seconds.
    pub async fn reach(&self) -> Result<(), CliError> {
        self.options.reach().await.map_err(|error| kafka_failed(&self.name, &error))
    }

    /// Publishes everything that is in the log now; less when `stop` is cancelled.
    ///
    /// # Errors
    /// When the publisher cannot go on, which `lag` shows too, or was stopped: publishing again goes on there.
    pub async fn catch_up(
        &self,
        stores: &Stores,
        progress: Option<Progress>,
        stop: &CancellationToken,
    ) -> Result<Published, CliError> {
        let began = Instant::now();
        let (mut publisher, counts) = self.publisher(stores, progress, CancellationToken::new());
        let (failed, ended) = match stop.run_until_cancelled(catch_up(&*stores.store, &mut publisher)).await {
            Some(Ok(at)) => return Ok(self.published(&counts, at, began)),
            Some(Err(error)) => {
                let recorded = publisher.report(Some(&error_text(&error))).await;
                (publisher_failed(&self.name, &error), recorded.map_err(SubscriberError::from))
            }
            // What it had begun is taken back; the lease need not be waited for.
            None => (stopped(), publisher.end().await),
        };
        if let Err(error) = ended {
            tracing::error!(publisher = self.name, error = %error_text(&error), "its end was not recorded");
        }
        Err(failed)
    }

    /// Publishes what is in the log and what comes, until `stop`; what passes by itself is waited for.
    ///
    /// # Errors
    /// What will not pass by itself: `lag` shows that too.
    pub async fn follow(&self, stores: &Stores, stop: CancellationToken) -> Result<Published, CliError> {
        let began = Instant::now();
        let stop = stop.child_token();
        let (publisher, counts) = self.publisher(stores, None, stop.clone());
        let ended = Runner::new(stores.store.clone()).with(publisher).run(stop).await;
        match ended.into_iter().next().map(|ended| ended.outcome) {
            Some(Ok(at)) => Ok(self.published(&counts, at, began)),
            Some(Err(error)) => Err(publisher_failed(&self.name, &error)),
            None => Err(CliError::failed(&self.name, "it did not run")),
        }
    }

    /// Reads all topics of the categories in the log from their beginnings, as a consumer would, and compares with the
    /// log. Only for a publisher that began with the log, to topics that are its own.
    ///
    /// # Errors
    /// When something cannot be read; what it says is in the outcome, good or bad.
    pub async fn prove(&self, stores: &Stores) -> Result<Proven, CliError> {
        let expected =
            self.events_by_topic(stores).await.map_err(|error| CliError::because("log", &error))?;
        let topics: BTreeSet<String> = expected.keys().cloned().collect();
        let proof = Proof::read(&self.options, topics).await;
        let proof = proof.map_err(|error| kafka_failed(&self.name, &error))?;
        let proven = |(name, events): (String, u64)| {
            let found = proof.topics.get(&name).cloned().unwrap_or_default();
            let topic = ProvenTopic {
                events,
                records: found.records,
                streams: found.streams,
                partitions: found.partitions,
                missing: found.missing,
                repeated: found.repeated,
                out_of_order: found.out_of_order,
                misplaced: found.misplaced,
                foreign: found.foreign,
            };
            (name, topic)
        };
        Ok(Proven::of(expected.into_iter().map(proven).collect()))
    }

    async fn events_by_topic(&self, stores: &Stores) -> Result<BTreeMap<String, u64>, StoreError> {
        let (mut events, mut at) = (BTreeMap::new(), Position::START);
        loop {
            let page = stores.store.read_log(at, PageLimit::MAX, &self.terms.filter).await?;
            for event in &page.events {
                *events.entry(self.terms.topics.of(event.stream.category()).to_string()).or_default() += 1;
            }
            if page.looked == page.after {
                return Ok(events);
            }
            at = page.looked;
        }
    }

    fn publisher(
        &self,
        stores: &Stores,
        progress: Option<Progress>,
        stop: CancellationToken,
    ) -> (Counting, Counts) {
        let (options, terms) = (self.options.clone(), self.terms.clone());
        let checkpoints = stores.documents.clone();
        let publisher = Publisher::new(&self.name, options, terms, stores.store.clone(), checkpoints);
        let (topics, counts) = (self.terms.topics.clone(), Counts::default());
        (Counting { publisher, topics, counts: counts.clone(), progress, stop }, counts)
    }

    fn published(&self, counts: &Counts, position: Position, began: Instant) -> Published {
        let topics = counts.get();
        Published {
            name: self.name.clone(),
            to: self.options.to_string(),
            records: topics.values().sum(),
            topics,
            position,
            seconds: began.elapsed().as_secs_f64(),
        }
    }
}

impl fmt::Display for Publication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.options.fmt(f)
    }
}

fn stopped() -> CliError {
    CliError::failed("interrupted", "it was stopped before everything was published")
        .next("run the same command again: it goes on where it stopped")
}

/// What topics are called.
///
/// # Errors
/// Wrong usage when a topic's name is none.
pub(crate) fn topic_names(prefix: &str, named: &[(String, String)]) -> Result<TopicNames, CliError> {
    let mut topics =
        TopicNames::prefixed(prefix).map_err(|error| CliError::usage("--topic-prefix", error))?;
    for (category, topic) in named {
        topics = topics.named(category, topic).map_err(|error| CliError::usage("--topic", error))?;
    }
    Ok(topics)
}

/// Reads a URL. What is said about one that is none quotes nothing that may be a secret.
pub(crate) fn cluster(option: &str, url: &StoreUrl) -> Result<KafkaOptions, CliError> {
    let parsed = url.reveal().parse::<KafkaOptions>();
    parsed.map_err(|error| CliError::usage(format!("{option} {url}"), error.reason()).next(error.next_step()))
}

/// Whether `command` can ask the cluster at `url`, before anything else is begun.
///
/// # Errors
/// Wrong usage when the URL is none.
pub(crate) fn check_cluster(_command: &str, option: &str, url: Option<&StoreUrl>) -> Result<(), CliError> {
    url.map_or(Ok(()), |url| cluster(option, url).map(drop))
}

/// Asks the cluster at `url` for an answer.
///
/// # Errors
/// When none comes within 15 seconds, or the URL is none.
pub(crate) async fn reach_cluster(url: &StoreUrl) -> Result<(), CliError> {
    let reached = cluster("--kafka", url)?.reach().await;
    reached.map_err(|error| kafka_failed("lag --kafka", &error))
}

/// What the cluster at `url` knows of the publisher `name`; none where it is no publisher, or has never published.
///
/// # Errors
/// When it does not answer, what it knows cannot be read, or the URL is none.
pub(crate) async fn sent_by(
    url: &StoreUrl,
    documents: &dyn DocumentStore,
    name: &str,
) -> Result<Option<Sent>, CliError> {
    let options = cluster("--kafka", url)?;
    let lag = PublisherLag::read(&options, name).await.map_err(|error| match error {
        PublishError::Kafka(failed) => kafka_failed(name, &failed),
        error => CliError::because(name, &error),
    })?;
    let lag = match lag {
        Some(lag) => Some(lag),
        None => PublisherLag::read_at_least_once(&options, documents, name)
            .await
            .map_err(|error| publisher_failed(name, &error))?,
    };
    let sent_topic = |(topic, lag): (String, annals_kafka::TopicLag)| {
        let annals_kafka::TopicLag { partitions, end, committed_end, uncommitted, .. } = lag;
        (topic, SentTopic { partitions, end, committed_end, uncommitted })
    };
    Ok(lag.map(|PublisherLag { position, uncommitted, topics, .. }| Sent {
        position,
        uncommitted,
        topics: topics.into_iter().map(sent_topic).collect(),
    }))
}
