//! What follows from an error of Kafka, told by its code, never by its text.

use annals::StoreError;
use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode as Code},
    types::RDKafkaConfRes as Refusal,
};
use std::sync::Arc;

/// What Kafka, or the way to it, failed with, and what to do about it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{place}: {doing}: {source}{}; {next_step}", self.said())]
pub struct KafkaFailed {
    place: Arc<str>,
    doing: &'static str,
    next_step: &'static str,
    transient: bool,
    reason: Option<Arc<str>>,
    #[source]
    source: Box<KafkaError>,
}

impl KafkaFailed {
    /// `doing` is what was tried, as in "creating a topic".
    pub(crate) fn new(place: &Arc<str>, doing: &'static str, source: KafkaError) -> Self {
        let (transient, next_step) = judge(code_of(&source));
        let source = Box::new(without_values(source));
        Self { place: place.clone(), doing, next_step, transient, reason: None, source }
    }

    /// With the words of the client itself.
    pub(crate) fn saying(self, reason: Option<Arc<str>>) -> Self {
        Self { reason, ..self }
    }

    fn said(&self) -> String {
        self.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default()
    }

    /// Whether the same may succeed later.
    pub fn is_transient(&self) -> bool {
        self.transient
    }

    /// What to do about it; its text ends with it.
    pub fn next_step(&self) -> &'static str {
        self.next_step
    }

    /// The code that Kafka gave.
    pub fn code(&self) -> Option<Code> {
        code_of(&self.source)
    }
}

/// The code of an error, also where the driver keeps it apart: in what an administrator's request was refused with.
fn code_of(error: &KafkaError) -> Option<Code> {
    match error {
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    }
}

impl From<KafkaFailed> for StoreError {
    fn from(failed: KafkaFailed) -> Self {
        match failed.transient {
            true => Self::transient("talking to Kafka", failed),
            false => Self::permanent("talking to Kafka", failed),
        }
    }
}

/// Why the client does not take a setting.
pub(crate) fn refusal(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::RD_KAFKA_CONF_UNKNOWN => "there is no such setting",
        _ => "this build of the client does not have it, or does not take this value",
    }
}

/// The value of a setting that the client refuses may be a secret, and the client quotes it. Its name says enough.
fn without_values(error: KafkaError) -> KafkaError {
    match error {
        KafkaError::ClientConfig(why, _, name, _) => {
            let reason = format!("({})", refusal(why));
            KafkaError::ClientConfig(why, "the client refuses".into(), name, reason)
        }
        other => other,
    }
}

/// Whether the same may succeed later, and what to do.
fn judge(code: Option<Code>) -> (bool, &'static str) {
    let Some(code) = code else { return (false, "look at the settings of the connection") };
    match code {
        Code::MessageSizeTooLarge | Code::InvalidMessageSize | Code::MessageBatchTooLarge => (
            false,
            "raise max.message.bytes of the topic (and message.max.bytes of the broker), or publish with --oversize omit",
        ),
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition => {
            (false, "create the topic, or let the publisher do it with --create-topics PARTITIONS")
        }
        Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed => {
            (false, "this user lacks the right: ask who runs the broker for one that has it")
        }
        Code::TransactionalIdAuthorizationFailed => (
            false,
            "have this user allowed to WRITE under the transactional id, which is called like the publisher, or publish with --delivery at-least-once",
        ),
        Code::SaslAuthenticationFailed | Code::Authentication => {
            (false, "see that user, password or token and the mechanism are right")
        }
        Code::SSL => {
            (false, "see that the broker speaks TLS there, and that its certificate is trusted: ca=PATH")
        }
        Code::Fenced
        | Code::InvalidProducerEpoch
        | Code::ProducerFenced
        | Code::PurgeQueue
        | Code::PurgeInflight => (
            true,
            "another publisher of that name took over, or this one was silent for too long: it begins again",
        ),
        Code::UnsupportedFeature | Code::UnsupportedVersion | Code::NotImplemented => {
            (false, "this broker has no transactions: publish with --delivery at-least-once")
        }
        Code::InvalidReplicationFactor => {
            (false, "create the topics yourself with a replication factor that the cluster can give")
        }
        Code::Resolve
        | Code::AllBrokersDown
        | Code::BrokerTransportFailure
        | Code::OperationTimedOut
        | Code::MessageTimedOut
        | Code::RequestTimedOut => (
            true,
            "see that the broker runs, can be reached under the names that it advertises, and expects what security= says",
        ),
        Code::KafkaStorageError => (true, "see that the broker's disk is well and has room"),
        _ => (true, "look at the broker's log"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::{ClientConfig, producer::BaseProducer};

    /// Broken on purpose, and seen to fail this: only the driver's own look for a code, which finds none here.
    #[test]
    fn a_topic_that_may_not_be_made_is_told_with_the_next_step() {
        let failed =
            |code| KafkaFailed::new(&"kafka://x:1".into(), "creating a topic", KafkaError::AdminOp(code));
        for (code, transient, next_step) in [
            (Code::TopicAuthorizationFailed, false, "lacks the right"),
            (Code::TransactionalIdAuthorizationFailed, false, "--delivery at-least-once"),
            (Code::InvalidReplicationFactor, false, "replication factor"),
            (Code::OperationTimedOut, true, "see that the broker runs"),
            (Code::NotController, true, "broker's log"),
        ] {
            let failed = failed(code);
            assert_eq!((failed.code(), failed.is_transient()), (Some(code), transient));
            assert!(failed.next_step().contains(next_step), "{failed}");
        }
    }

    /// Broken on purpose, and seen to fail this: the error of the client kept as it came.
    #[test]
    fn a_setting_that_the_client_refuses_is_told_without_its_value() {
        for (name, value) in [
            ("sasl.pasword", "hunter2"),
            ("sasl.oauthbearer.client.secret", "hunter2"),
            ("security.protocol", "hunter2"),
            ("ssl.cipher.suites", "hunter2"),
            ("builtin.features", "gzip,hunter2"),
        ] {
            let made: Result<BaseProducer, _> = ClientConfig::new().set(name, value).create();
            let Err(error) = made else { continue };
            let failed = KafkaFailed::new(&"kafka://x:1".into(), "connecting", error);
            let told = annals::error_text(&failed);
            assert!(!format!("{told} {failed:?}").contains("hunter"), "{told}");
            let names_it = told.contains(name) || matches!(*failed.source, KafkaError::ClientCreation(_));
            assert!(names_it, "{told}");
        }
    }
}
