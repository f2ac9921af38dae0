//! What a client of librdkafka reports while it works.

mod asking;

pub(crate) use asking::{all_topics, asked, bounds_of, end_of, hear, partitions, partitions_surely, polled};

use crate::{KafkaFailed, KafkaOptions, secrets::Secrets, url::TokenSource};
use chrono::Utc;
use rdkafka::{
    ClientContext, Message, Offset, TopicPartitionList,
    client::OAuthToken,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, ConsumerContext},
    error::{KafkaError, RDKafkaErrorCode},
    message::DeliveryResult,
    producer::{BaseProducer, ProducerContext},
};
use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long one question to the cluster may take: its metadata, an offset, a topic to be made.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(15);

/// How much of what the client says is told, in characters.
const REASON_CHARS_MAX: usize = 400;

/// Settings that are never to be seen.
const SECRET_SETTINGS: [&str; 8] = [
    "sasl.oauthbearer.assertion.private.key.passphrase",
    "sasl.oauthbearer.assertion.private.key.pem",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.config",
    "sasl.password",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
];

/// Hears what a client reports, and keeps the worst of it.
#[derive(Clone, Default)]
pub(crate) struct Hearing {
    token: Option<TokenSource>,
    secrets: Secrets,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    /// The first delivery that failed.
    undelivered: Option<KafkaError>,
    /// What the client could not mend by itself, such as a refused password.
    broken: Option<KafkaError>,
    /// Not one broker is reached, or nobody gave a token to knock with.
    shut_out: bool,
    /// Where records that go on arrive, if that is wanted: for each topic and partition the offset behind the last one.
    ends: Option<Ends>,
    /// The last that it said about a connection, in its own words.
    reason: Option<Arc<str>>,
    /// Until when the last token is good, in milliseconds since 1970.
    token_until_ms: i64,
}

impl Heard {
    fn is_over(&mut self) {
        (self.broken, self.reason, self.shut_out) = (None, None, false);
    }

    fn says(&mut self, reason: &str) {
        self.reason = Some(reason.chars().take(REASON_CHARS_MAX).collect::<String>().into());
    }
}

/// For each topic, and each partition of it, an offset.
pub(crate) type Ends = BTreeMap<String, Vec<i64>>;

impl Hearing {
    /// From here on `ends` follow what arrives.
    pub(crate) fn follow(&self, ends: Ends) {
        self.heard().ends.get_or_insert_default().extend(ends);
    }

    /// Behind what has arrived.
    pub(crate) fn ends(&self) -> Option<Ends> {
        self.heard().ends.clone()
    }

    /// The first delivery that failed, if one did.
    pub(crate) fn undelivered(&self) -> Option<KafkaError> {
        self.heard().undelivered.clone()
    }

    /// Why the client does not get through, if it said so.
    pub(crate) fn broken(&self) -> Option<KafkaError> {
        self.heard().broken.clone()
    }

    /// Why there is nothing to wait for: no broker is reached, or none is asked for lack of a token, for a reason that
    /// does not pass by itself.
    pub(crate) fn hopeless(&self) -> Option<KafkaError> {
        let heard = self.heard();
        let lasts = |error: &KafkaError| error.rdkafka_error_code().is_some_and(is_about_logging_in);
        heard.broken.clone().filter(|broken| heard.shut_out && lasts(broken))
    }

    /// Whether something stands in the way of connections.
    fn is_shut_out(&self) -> bool {
        let heard = self.heard();
        heard.shut_out || heard.reason.is_some()
    }

    /// Somebody is reached: what was heard before is over.
    pub(crate) fn answered(&self) {
        self.heard().is_over();
    }

    /// What the client said last about a connection: for people.
    pub(crate) fn reason(&self) -> Option<Arc<str>> {
        self.heard().reason.clone()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Hearing {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        let message = self.secrets.hidden(message);
        // Why a connection was lost is not always an error that it reports.
        if facility == "FAIL" {
            self.heard().says(&message);
        }
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
        let reason = self.secrets.hidden(reason);
        tracing::info!(%error, %reason, "the client of Kafka reports");
        let Some(code) = error.rdkafka_error_code() else { return };
        let mut heard = self.heard();
        match code {
            // That no broker is left says less than why.
            RDKafkaErrorCode::AllBrokersDown => {
                heard.shut_out = true;
                heard.broken.get_or_insert(error);
                return;
            }
            code if is_about_logging_in(code) => heard.broken = Some(error),
            RDKafkaErrorCode::BrokerTransportFailure => {}
            _ => return,
        }
        heard.says(&reason);
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let missing = || "no token is given: name a file with token-file=PATH".to_string();
        let token = self.token.as_ref().ok_or_else(missing).and_then(|source| source());
        let token = token.inspect_err(|_| {
            let mut heard = self.heard();
            // The client asks well before that, and again.
            heard.shut_out |= heard.token_until_ms <= Utc::now().timestamp_millis();
        })?;
        self.heard().token_until_ms = token.until_ms;
        self.secrets.add_token(&token.token);
        let (token, principal_name, lifetime_ms) = (token.token, token.principal, token.until_ms);
        Ok(OAuthToken { token, principal_name, lifetime_ms })
    }
}

/// Whether this does not pass by itself.
pub(crate) fn is_about_logging_in(code: RDKafkaErrorCode) -> bool {
    let lasting = [
        RDKafkaErrorCode::Authentication,
        RDKafkaErrorCode::SaslAuthenticationFailed,
        RDKafkaErrorCode::SSL,
        RDKafkaErrorCode::Resolve,
    ];
    lasting.contains(&code)
}

impl ConsumerContext for Hearing {}

impl ProducerContext for Hearing {
    type DeliveryOpaque = ();

    fn delivery(&self, delivery: &DeliveryResult<'_>, (): ()) {
        match delivery {
            Ok(message) => {
                let (topic, partition, behind) = (message.topic(), message.partition(), message.offset() + 1);
                let mut heard = self.heard();
                heard.is_over();
                let known = heard.ends.as_mut().and_then(|ends| ends.get_mut(topic));
                let known = known.and_then(|ends| ends.get_mut(usize::try_from(partition).ok()?));
                known.into_iter().for_each(|end| *end = behind.max(*end));
            }
            Err((error, message)) => {
                let (topic, partition) = (message.topic(), message.partition());
                tracing::info!(%error, topic, partition, "a record was not delivered");
                self.heard().undelivered.get_or_insert_with(|| error.clone());
            }
        }
    }
}

impl KafkaOptions {
    pub(crate) fn hearing(&self) -> Hearing {
        Hearing { token: self.token.clone(), secrets: self.secrets(), heard: Arc::default() }
    }

    fn secrets(&self) -> Secrets {
        let config = self.config();
        Secrets::of(SECRET_SETTINGS.iter().filter_map(|name| config.get(name)))
    }

    /// This machine makes no thread.
    pub(crate) fn threadless(&self, doing: &'static str, error: &std::io::Error) -> KafkaFailed {
        self.failed(doing, KafkaError::ClientCreation(error.to_string()))
    }

    pub(crate) fn failed(&self, doing: &'static str, error: KafkaError) -> KafkaFailed {
        let error = match error {
            // What does not fit together is told in words that may hold settings.
            KafkaError::ClientCreation(said) => {
                KafkaError::ClientCreation(self.secrets().hidden(&said).into_owned())
            }
            other => other,
        };
        KafkaFailed::new(self.place(), doing, error)
    }

    /// The same, with what the client said about its connections where that says more.
    pub(crate) fn failed_as(&self, hearing: &Hearing, doing: &'static str, error: KafkaError) -> KafkaFailed {
        let about_a_connection = is_vague(&error)
            || error
                .rdkafka_error_code()
                .is_some_and(|code| is_about_logging_in(code) || code == RDKafkaErrorCode::AllBrokersDown);
        let reason = hearing.reason().filter(|_| about_a_connection);
        self.failed(doing, error).saying(reason)
    }

    /// A client to ask and to read with, that belongs to no group. It sees what is committed only.
    pub(crate) fn reader(&self) -> Result<BaseConsumer<Hearing>, KafkaFailed> {
        // A group is named because the driver wants one; nothing is ever committed to it.
        self.reader_at("annals", "read_committed")
    }

    /// The same, that sees everything.
    pub(crate) fn reader_of_all(&self) -> Result<BaseConsumer<Hearing>, KafkaFailed> {
        self.reader_at("annals", "read_uncommitted")
    }

    /// The same, to ask what `group` has committed.
    pub(crate) fn asking_for(&self, group: &str) -> Result<BaseConsumer<Hearing>, KafkaFailed> {
        self.reader_at(group, "read_committed")
    }

    fn reader_at(&self, group: &str, isolation: &str) -> Result<BaseConsumer<Hearing>, KafkaFailed> {
        let mut config = self.config();
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", "10")
            .set("auto.offset.reset", "earliest")
            .set("isolation.level", isolation);
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
    match hearing.broken() {
        Some(broken) if is_vague(&error) => broken,
        _ => error,
    }
}

/// Whether the error says no more than that no answer came.
fn is_vague(error: &KafkaError) -> bool {
    let vague = [
        Some(RDKafkaErrorCode::OperationTimedOut),
        Some(RDKafkaErrorCode::BrokerTransportFailure),
        Some(RDKafkaErrorCode::MessageTimedOut),
    ];
    vague.contains(&error.rdkafka_error_code())
}

/// Kept so that both kinds of clients are named once.
pub(crate) type Producer = BaseProducer<Hearing>;

#[cfg(test)]
mod tests;
