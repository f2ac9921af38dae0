//! Why filling a read model ended, for people.

use super::handled::Behind;
use crate::{CliError, publication::kafka_failed, text::plain};
use annals_kafka::{ConsumeError, PartitionError, PublishError};

/// The consumer that fills `name` could not go on.
pub(super) fn consumer_failed(name: &str, error: &ConsumeError) -> CliError {
    let failed = |next: &str| CliError::because(name, error).next(next);
    match error {
        ConsumeError::Kafka(kafka)
        | ConsumeError::Topic(PublishError::Kafka(kafka))
        | ConsumeError::DeadLetters(PublishError::Kafka(kafka)) => kafka_failed(name, kafka),
        // These say themselves what to do first.
        ConsumeError::Topic(_) | ConsumeError::DeadLetters(_) => {
            failed("consume again when that is done: it goes on where it stopped")
        }
        ConsumeError::NoTopic { topic } => {
            CliError::failed(name, format_args!("there is no topic {topic}")).next(
                "see that it is published under that name (--topic-prefix, --topic), or begin with an empty one: \
                 --create-topics PARTITIONS",
            )
        }
        ConsumeError::Alike { .. } => failed("name one of the topics otherwise"),
        _ => failed("run the same command again: it goes on where it stopped"),
    }
}

/// A partition stands still until somebody has done something.
pub(super) fn stands_still(name: &str, error: &PartitionError) -> CliError {
    let failed = CliError::because(name, error);
    match (error, error.passed_over_by()) {
        (PartitionError::Foreign(_), _) => failed.next(
            "to go on without such records, add --foreign pass-over; nothing was skipped, and other partitions go on",
        ),
        (_, Some((part, to))) => failed.next(format_args!(
            "to go on without it, add --pass-over {part}={to}; nothing was skipped, and other partitions go on"
        )),
        (_, None) => {
            failed.next("consume again when that is done: nothing was skipped, and other partitions go on")
        }
    }
}

/// Nothing moves, for no reason that will surely last.
pub(super) fn stuck(name: &str, group: &str, behind: Option<&Behind>) -> CliError {
    let Some(Behind { topic, partition, at, end, holder, failure }) = behind else {
        let reason = "what was asked for about parked events is not carried out";
        return CliError::failed(name, reason).next("list them with `dead-letters list`, and ask again");
    };
    let stands = format!("{topic} {partition} stands still at position {at}, with events up to {end}");
    let stuck = |why: &str| CliError::failed(name, format_args!("{stands}: {why}"));
    match (failure, holder) {
        // Who met it may be another member of the group.
        (Some(failure), _) => stuck(&plain(failure)).next(
            "do what it says, then consume again; what is to be passed over, --pass-over PART=POSITION or --foreign \
             pass-over does",
        ),
        (None, holder) => {
            let why = match holder {
                Some(holder) => format!("{holder} runs it"),
                None => format!("nobody runs it here, though group {group} may be elsewhere"),
            };
            stuck(&why).next(format_args!(
                "see that no consumer of group {group} fills another place: each place of read models has a --group of \
                 its own"
            ))
        }
    }
}

/// It was stopped early.
pub(super) fn interrupted_early() -> CliError {
    CliError::failed("interrupted", "it was stopped before everything was handled")
        .next("run the same command again: it goes on where it stopped")
}
