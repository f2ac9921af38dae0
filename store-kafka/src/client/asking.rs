//! Questions to a cluster, each asked until there is an answer or it is known that none will come.

use super::{ANSWER_MAX, Hearing, is_vague, told};
use crate::{KafkaFailed, KafkaOptions};
use rdkafka::{
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long it is tried to reach any broker at all.
const REACHED_MAX: Duration = Duration::from_secs(5);

/// How long each question waits while none is reached.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// How often a topic is looked for that seems to be gone.
const GONE_LOOKS: u32 = 6;

/// The time between two such looks.
const GONE_LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// How long the first of the questions waits that one question is asked as, each further one twice as long: in between
/// the client is heard, so that a refused password is told at once and not when the time is over.
const ASK_FIRST: Duration = Duration::from_millis(250);

/// Asks until there is an answer, for [`ANSWER_MAX`] in all, or until the client says that none will come. `hear` lets
/// the client say it, and gives it the token that it may want. That nobody leads a partition yet, or somebody else by
/// now, is no answer: brokers come to know it one after the other.
pub(crate) fn asked<T>(
    hearing: &Hearing,
    hear: impl FnMut(),
    ask: impl Fn(Duration) -> Result<T, KafkaError>,
) -> Result<T, KafkaError> {
    asked_while(is_unsettled, hearing, hear, ask)
}

/// The same, where an error is no answer that `is_unsettled`.
fn asked_while<T>(
    is_unsettled: impl Fn(&KafkaError) -> bool,
    hearing: &Hearing,
    mut hear: impl FnMut(),
    ask: impl Fn(Duration) -> Result<T, KafkaError>,
) -> Result<T, KafkaError> {
    let (begun, mut wait) = (Instant::now(), ASK_FIRST);
    loop {
        hear();
        let error = match ask(wait) {
            Err(error) if is_vague(&error) => error,
            Err(error) if is_unsettled(&error) => {
                std::thread::sleep(wait);
                error
            }
            Err(error) => return Err(error),
            Ok(answer) => {
                hearing.answered();
                return Ok(answer);
            }
        };
        hear();
        if let Some(hopeless) = hearing.hopeless() {
            return Err(hopeless);
        }
        let (max, next) = match hearing.is_shut_out() {
            true => (REACHED_MAX, ASK_AGAIN),
            false => (ANSWER_MAX, wait * 2),
        };
        let left = max.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Err(told(error, hearing));
        }
        wait = next.min(left);
    }
}

/// Whether it passes when the brokers agree again on who leads.
fn is_unsettled(error: &KafkaError) -> bool {
    let unsettled = [
        RDKafkaErrorCode::LeaderNotAvailable,
        RDKafkaErrorCode::NotLeaderForPartition,
        RDKafkaErrorCode::ReplicaNotAvailable,
        RDKafkaErrorCode::FencedLeaderEpoch,
        RDKafkaErrorCode::UnknownLeaderEpoch,
        RDKafkaErrorCode::CoordinatorLoadInProgress,
        RDKafkaErrorCode::CoordinatorNotAvailable,
        RDKafkaErrorCode::NotCoordinator,
    ];
    error.rdkafka_error_code().is_some_and(|code| unsettled.contains(&code))
}

/// How many partitions `topic` has; none where there is no such topic.
pub(crate) fn partitions(
    options: &KafkaOptions,
    reader: &BaseConsumer<Hearing>,
    topic: &str,
) -> Result<Option<u32>, KafkaFailed> {
    let hearing = reader.context();
    let failed = |error| options.failed_as(hearing, "asking for the partitions of a topic", error);
    let ask = |wait| {
        let metadata = reader.fetch_metadata(Some(topic), wait)?;
        let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else {
            return Ok(None);
        };
        match found.error().map(RDKafkaErrorCode::from) {
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => Ok(None),
            Some(code) => Err(KafkaError::MetadataFetch(code)),
            None => Ok(u32::try_from(found.partitions().len()).ok().filter(|count| *count > 0)),
        }
    };
    asked(hearing, || hear(reader), ask).map_err(failed)
}

/// The same of a topic that was there: a broker that knows nothing of it may have just come back, and is asked again, a
/// second long.
pub(crate) fn partitions_surely(
    options: &KafkaOptions,
    reader: &BaseConsumer<Hearing>,
    topic: &str,
) -> Result<Option<u32>, KafkaFailed> {
    for look in 0..GONE_LOOKS {
        if look > 0 {
            std::thread::sleep(GONE_LOOK_INTERVAL);
        }
        if let Some(found) = partitions(options, reader, topic)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Every topic of the cluster that this user may see, with how many partitions it has.
pub(crate) fn all_topics(
    options: &KafkaOptions,
    reader: &BaseConsumer<Hearing>,
) -> Result<BTreeMap<String, u32>, KafkaFailed> {
    let hearing = reader.context();
    let failed = |error| options.failed_as(hearing, "asking for the topics of the cluster", error);
    let answer = asked(hearing, || hear(reader), |wait| reader.fetch_metadata(None, wait));
    let metadata = answer.map_err(failed)?;
    let there = metadata.topics().iter().filter(|topic| topic.error().is_none());
    Ok(there.map(|topic| (topic.name().into(), topic.partitions().len() as u32)).collect())
}

/// Where `partition` of `topic` ends for `reader`, which is assigned nothing yet.
pub(crate) fn end_of(reader: &BaseConsumer<Hearing>, topic: &str, partition: i32) -> Result<i64, KafkaError> {
    bounds_of(reader, topic, partition).map(|(_, high)| high)
}

/// The same, with where it begins.
pub(crate) fn bounds_of(
    reader: &BaseConsumer<Hearing>,
    topic: &str,
    partition: i32,
) -> Result<(i64, i64), KafkaError> {
    let ask = |wait| reader.fetch_watermarks(topic, partition, wait);
    // Whoever asks has seen the topic: who leads it may not know of it yet.
    let unknown =
        |error: &KafkaError| error.rdkafka_error_code() == Some(RDKafkaErrorCode::UnknownTopicOrPartition);
    asked_while(|error| is_unsettled(error) || unknown(error), reader.context(), || hear(reader), ask)
}

/// What comes next to a reader that was told what to read, within `wait`. It is in no group, though the driver wants
/// one named: that this user may use none of that name is no matter.
pub(crate) fn polled(
    reader: &BaseConsumer<Hearing>,
    wait: Duration,
) -> Option<Result<BorrowedMessage<'_>, KafkaError>> {
    let (begun, of_group) = (Instant::now(), Some(RDKafkaErrorCode::GroupAuthorizationFailed));
    loop {
        match reader.poll(wait.saturating_sub(begun.elapsed())) {
            Some(Err(error)) if error.rdkafka_error_code() == of_group => {}
            came => return came,
        }
    }
}

/// Lets a reader that is assigned nothing say what it has to say. One that was not heard yet has no token to log in
/// with.
pub(crate) fn hear(reader: &BaseConsumer<Hearing>) {
    while reader.poll(Duration::ZERO).is_some() {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// What comes of asking where the first answer is `code`, and how often it was asked.
    fn asked_after(code: RDKafkaErrorCode) -> (Result<u32, KafkaError>, u32) {
        let count = Cell::new(0);
        let ask = |_| {
            count.set(count.get() + 1);
            if count.get() == 1 { Err(KafkaError::MetadataFetch(code)) } else { Ok(7) }
        };
        (asked(&Hearing::default(), || {}, ask), count.get())
    }

    /// Seen on three brokers, once in 36 new publishers, at the first look at a topic that was just made.
    #[test]
    fn where_brokers_do_not_agree_yet_it_is_asked_again() {
        for code in [
            RDKafkaErrorCode::NotLeaderForPartition,
            RDKafkaErrorCode::LeaderNotAvailable,
            RDKafkaErrorCode::OperationTimedOut,
        ] {
            assert_eq!(asked_after(code), (Ok(7), 2), "{code}");
        }
        let refused = RDKafkaErrorCode::TopicAuthorizationFailed;
        assert_eq!(asked_after(refused), (Err(KafkaError::MetadataFetch(refused)), 1));
    }
}
