//! Topics that a publisher needs, made where it may.

use crate::{
    KafkaFailed, KafkaOptions,
    client::{ANSWER_MAX, Hearing, told},
};
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    error::{KafkaError, RDKafkaErrorCode},
};

/// As many copies of each record as the cluster gives by itself.
const REPLICATION_OF_CLUSTER: i32 = -1;

/// What becomes of the records of a topic that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeps {
    /// What the cluster says: a week, as a rule.
    AsUsual,
    /// The last one of each key stays.
    LastOfKey,
    /// All stay until a person deletes them.
    All,
}

impl Keeps {
    /// The setting of a topic, if it needs one.
    pub(crate) fn setting(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::AsUsual => None,
            Self::LastOfKey => Some(("cleanup.policy", "compact")),
            Self::All => Some(("retention.ms", "-1")),
        }
    }
}

/// Makes `topic`, for which the driver must be able to log in with more than a token: it takes no token here (its issue
/// 757). One that is there already is left as it is.
pub(crate) async fn create_topic(
    options: &KafkaOptions,
    topic: &str,
    partitions: u32,
    keeps: Keeps,
) -> Result<(), KafkaFailed> {
    let failed = |error| options.failed("creating a topic", error);
    let (admin, hearing) = admin(options)?;
    let count = i32::try_from(partitions).unwrap_or(i32::MAX);
    let mut wanted = NewTopic::new(topic, count, TopicReplication::Fixed(REPLICATION_OF_CLUSTER));
    if let Some((name, value)) = keeps.setting() {
        wanted = wanted.set(name, value);
    }
    let answers = admin.create_topics([&wanted], &within().operation_timeout(Some(ANSWER_MAX))).await;
    match answers.map_err(|error| failed(told(error, &hearing)))?.into_iter().next() {
        Some(Err((_, code))) if code != RDKafkaErrorCode::TopicAlreadyExists => {
            Err(failed(told(KafkaError::AdminOp(code), &hearing)))
        }
        _ => Ok(()),
    }
}

/// What a topic takes where it does not say so: the default of Apache Kafka.
const RECORD_BYTES_MAX: usize = 1_048_588;

/// The largest record that `topic` takes, in bytes. Not asked with a token, as above.
pub(crate) async fn record_bytes_max(options: &KafkaOptions, topic: &str) -> Result<usize, KafkaFailed> {
    if options.by_token() {
        return Ok(RECORD_BYTES_MAX);
    }
    let failed = |error| options.failed("asking for the settings of a topic", error);
    let (admin, hearing) = admin(options)?;
    let asked = admin.describe_configs([&ResourceSpecifier::Topic(topic)], &within()).await;
    let settings = asked.map_err(|error| failed(told(error, &hearing)))?;
    // Whoever may write to a topic may not always read its settings.
    let said = settings.into_iter().flatten().next();
    let said = said.as_ref().and_then(|topic| topic.get("max.message.bytes")?.value.as_ref()?.parse().ok());
    Ok(said.unwrap_or(RECORD_BYTES_MAX))
}

fn admin(options: &KafkaOptions) -> Result<(AdminClient<Hearing>, Hearing), KafkaFailed> {
    let hearing = options.hearing();
    let made = options.config().create_with_context(hearing.clone());
    Ok((made.map_err(|error| options.failed("connecting", error))?, hearing))
}

fn within() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(ANSWER_MAX))
}
