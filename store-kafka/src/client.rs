//! What a client of librdkafka reports while it works.

use crate::{KafkaFailed, KafkaOptions, url::TokenSource};
use rdkafka::{
    ClientContext, Message, Offset, TopicPartitionList,
    client::OAuthToken,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, RDKafkaErrorCode},
    message::DeliveryResult,
    producer::{BaseProducer, ProducerContext},
};
use std::{
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long one question to the cluster may take: its metadata, an offset, a topic to be made.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(15);

/// Hears what a client reports, and keeps the worst of it.
#[derive(Clone, Default)]
pub(crate) struct Hearing {
    token: Option<TokenSource>,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    /// The first delivery that failed.
    undelivered: Option<KafkaError>,
    /// What the client could not mend by itself, such as a refused password.
    broken: Option<KafkaError>,
}

impl Hearing {
    /// The first delivery that failed, if one did.
    pub(crate) fn undelivered(&self) -> Option<KafkaError> {
        self.heard().undelivered.clone()
    }

    /// Why the client does not get through, if it said so.
    pub(crate) fn broken(&self) -> Option<KafkaError> {
        self.heard().broken.clone()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Hearing {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(facility, "{message}");
            }
            // What it calls an error it mends by itself or returns: whoever called tells it with the next step.
            RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => tracing::info!(facility, "{message}"),
            _ => tracing::debug!(facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::info!(%error, reason, "the client of Kafka reports");
        let code = error.rdkafka_error_code();
        let lasting = [
            RDKafkaErrorCode::Authentication,
            RDKafkaErrorCode::SaslAuthenticationFailed,
            RDKafkaErrorCode::SSL,
            RDKafkaErrorCode::AllBrokersDown,
            RDKafkaErrorCode::Resolve,
        ];
        if code.is_some_and(|code| lasting.contains(&code)) {
            let mut heard = self.heard();
            // That no broker is left says less than why.
            if heard.broken.is_none() || code != Some(RDKafkaErrorCode::AllBrokersDown) {
                heard.broken = Some(error);
            }
        }
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let source = self.token.as_ref().ok_or("no token is given: name a file with token-file=PATH")?;
        let token = source()?;
        let (token, principal_name, lifetime_ms) = (token.token, token.principal, token.until_ms);
        Ok(OAuthToken { token, principal_name, lifetime_ms })
    }
}

impl ConsumerContext for Hearing {}

impl ProducerContext for Hearing {
    type DeliveryOpaque = ();

    fn delivery(&self, delivery: &DeliveryResult<'_>, (): ()) {
        if let Err((error, message)) = delivery {
            let (topic, partition) = (message.topic(), message.partition());
            tracing::info!(%error, topic, partition, "a record was not delivered");
            self.heard().undelivered.get_or_insert_with(|| error.clone());
        }
    }
}

impl KafkaOptions {
    pub(crate) fn hearing(&self) -> Hearing {
        Hearing { token: self.token.clone(), heard: Arc::default() }
    }

    pub(crate) fn failed(&self, doing: &'static str, error: KafkaError) -> KafkaFailed {
        KafkaFailed::new(self.place(), doing, error)
    }

    /// A client to ask and to read with, that belongs to no group. It sees what is committed only.
    pub(crate) fn reader(&self) -> Result<BaseConsumer<Hearing>, KafkaFailed> {
        let mut config = self.config();
        // A group is named because the driver wants one; nothing is ever committed to it.
        config
            .set("group.id", "annals")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", "10")
            .set("isolation.level", "read_committed");
        config.create_with_context(self.hearing()).map_err(|error| self.failed("connecting", error))
    }
}

/// A list of one partition, to be read from `offset` on.
pub(crate) fn one_partition(
    topic: &str,
    partition: i32,
    offset: i64,
) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(offset))?;
    Ok(list)
}

/// Why a call failed, in the words of what the client reported before where it did.
pub(crate) fn told(error: KafkaError, hearing: &Hearing) -> KafkaError {
    let vague = [
        Some(RDKafkaErrorCode::OperationTimedOut),
        Some(RDKafkaErrorCode::BrokerTransportFailure),
        Some(RDKafkaErrorCode::MessageTimedOut),
    ];
    match hearing.broken() {
        Some(broken) if vague.contains(&error.rdkafka_error_code()) => broken,
        _ => error,
    }
}

/// For each partition of `topic` its number; none where there is no such topic.
pub(crate) fn partitions(
    options: &KafkaOptions,
    reader: &BaseConsumer<Hearing>,
    topic: &str,
) -> Result<Option<u32>, KafkaFailed> {
    let asked = reader.fetch_metadata(Some(topic), ANSWER_MAX);
    let failed = |error| options.failed("asking for the partitions of a topic", error);
    let metadata = asked.map_err(|error| failed(told(error, reader.context())))?;
    let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else { return Ok(None) };
    match found.error().map(RDKafkaErrorCode::from) {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => Ok(None),
        Some(code) => Err(failed(KafkaError::MetadataFetch(code))),
        None => Ok(u32::try_from(found.partitions().len()).ok().filter(|count| *count > 0)),
    }
}

/// Kept so that both kinds of clients are named once.
pub(crate) type Producer = BaseProducer<Hearing>;
