//! Why publishing ended, for people.

use crate::CliError;
use annals::{SubscriberError, error_text};
use annals_kafka::{KafkaFailed, PublishError};

/// What Kafka said, if it was Kafka.
fn said(error: &SubscriberError) -> Option<&PublishError> {
    match error {
        SubscriberError::Elsewhere { source, .. } => source.downcast_ref(),
        _ => None,
    }
}

/// Whether it will be so until somebody mends it.
pub(super) fn lasts(error: &SubscriberError) -> bool {
    match (error, said(error)) {
        (_, Some(PublishError::Kafka(failed))) => !failed.is_transient(),
        (_, Some(PublishError::Ended)) => false,
        (_, Some(_)) | (SubscriberError::Open(_) | SubscriberError::Ahead { .. }, None) => true,
        _ => false,
    }
}

/// The publisher `name` could not go on.
pub(super) fn publisher_failed(name: &str, error: &SubscriberError) -> CliError {
    match (error, said(error)) {
        (_, Some(PublishError::Kafka(failed))) => kafka_failed(name, failed),
        // These say themselves what to do first.
        (_, Some(error)) => CliError::because(name, error)
            .next("publish again when that is done: it goes on where it stopped, and nothing was skipped"),
        (SubscriberError::Lease(_), None) => CliError::because(name, error)
            .next("let the other one publish, or wait for its lease to end; see `lag` for who it is"),
        _ => CliError::because(name, error),
    }
}

/// Something that was tried on behalf of `thing` failed in Kafka.
pub(crate) fn kafka_failed(thing: &str, failed: &KafkaFailed) -> CliError {
    let (text, next_step) = (error_text(failed), failed.next_step());
    let reason = text.strip_suffix(next_step).unwrap_or(&text).trim_end_matches([' ', ';']);
    CliError::failed(thing, reason).next(next_step)
}
