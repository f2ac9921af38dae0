//! How far consumer groups are behind.

use crate::{
    KafkaFailed, KafkaOptions,
    client::{
        ANSWER_MAX, Hearing, all_topics, asked, bounds_of, hear, one_partition, partitions, polled, told,
    },
};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use tokio::task::{JoinError, JoinSet};

/// How many groups a cluster may have for [`PartitionLag::of_all`] to ask each of them.
pub const GROUPS_MAX: usize = 1_000;

/// How many groups are asked at once.
const GROUPS_AT_ONCE: usize = 8;

/// How far a group is behind in one partition, by what it has committed to Kafka: a second behind what it has handled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PartitionLag {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset behind the last record that the group has handled; none where it has handled none.
    pub committed: Option<i64>,
    /// The offset behind the last committed record of the partition.
    pub end: i64,
    /// How many offsets lie between. Marks of transactions have offsets too, so it may be more than there are records;
    /// 0 exactly where no record is left.
    pub behind: u64,
}

/// Why it is not told how far all groups are behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GroupsError {
    /// There are too many of them to ask each.
    #[error("the cluster has {groups} consumer groups, and at most {GROUPS_MAX} are asked: name one")]
    TooMany {
        /// How many.
        groups: usize,
    },
    /// Kafka failed.
    #[error(transparent)]
    Kafka(#[from] KafkaFailed),
}

/// In which topics it is asked how far a group is.
type Topics = BTreeMap<String, u32>;

impl PartitionLag {
    /// Of every partition of `topics`, for `group`; a topic that is not there has none.
    ///
    /// # Errors
    /// When Kafka fails.
    pub async fn of(
        options: &KafkaOptions,
        group: &str,
        topics: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<Self>, KafkaFailed> {
        let (asking, group) = (options.clone(), group.to_string());
        let topics: BTreeSet<String> = topics.into_iter().map(Into::into).collect();
        let ask = move || {
            let reader = asking.reader()?;
            let topics = counted(&asking, &reader, &topics)?;
            Self::read(&asking, &reader, &group, &topics, false)
        };
        tokio::task::spawn_blocking(ask).await.unwrap_or_else(|error| Err(gone(options, &error)))
    }

    /// Of every partition of the topics in which `group` has committed anything; none where it never did.
    ///
    /// # Errors
    /// When Kafka fails.
    pub async fn of_group(options: &KafkaOptions, group: &str) -> Result<Vec<Self>, KafkaFailed> {
        let (asking, group) = (options.clone(), group.to_string());
        let ask = move || {
            let reader = asking.reader()?;
            let topics = all_topics(&asking, &reader)?;
            Self::read(&asking, &reader, &group, &topics, true)
        };
        tokio::task::spawn_blocking(ask).await.unwrap_or_else(|error| Err(gone(options, &error)))
    }

    /// Of all groups that have committed anything in `topics`, by their names: those of `topics` in which they did.
    ///
    /// # Errors
    /// When Kafka fails, or has more than [`GROUPS_MAX`] groups.
    pub async fn of_all(
        options: &KafkaOptions,
        topics: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<BTreeMap<String, Vec<Self>>, GroupsError> {
        let (asking, names): (_, BTreeSet<String>) =
            (options.clone(), topics.into_iter().map(Into::into).collect());
        let list = move || {
            let reader = asking.reader()?;
            // First what can be asked again and again until the client is logged in: of several brokers each must
            // answer the other question at once, or there is a part of the answer only.
            let topics = counted(&asking, &reader, &names)?;
            if topics.is_empty() {
                return Ok((topics, vec![]));
            }
            let failed = |error| failed(&asking, &reader, error);
            let listed = reader.fetch_group_list(None, ANSWER_MAX).map_err(failed)?;
            let groups: Vec<String> = listed.groups().iter().map(|group| group.name().to_string()).collect();
            Ok::<_, KafkaFailed>((topics, groups))
        };
        let listed = tokio::task::spawn_blocking(list).await;
        let (topics, groups) = listed.unwrap_or_else(|error| Err(gone(options, &error)))?;
        if groups.len() > GROUPS_MAX {
            return Err(GroupsError::TooMany { groups: groups.len() });
        }
        let (mut found, mut asked) = (BTreeMap::new(), JoinSet::new());
        let mut groups = groups.into_iter();
        loop {
            while asked.len() < GROUPS_AT_ONCE
                && let Some(group) = groups.next()
            {
                let (asking, topics) = (options.clone(), topics.clone());
                asked.spawn_blocking(move || {
                    let lags = Self::read(&asking, &asking.reader()?, &group, &topics, true)?;
                    Ok::<_, KafkaFailed>((group, lags))
                });
            }
            let Some(answer) = asked.join_next().await else { return Ok(found) };
            let (group, lags) = answer.unwrap_or_else(|error| Err(gone(options, &error)))?;
            if !lags.is_empty() {
                found.insert(group, lags);
            }
        }
    }

    /// With `known`, only of topics in which the group has committed anything.
    fn read(
        options: &KafkaOptions,
        reader: &BaseConsumer<Hearing>,
        group: &str,
        topics: &Topics,
        known: bool,
    ) -> Result<Vec<Self>, KafkaFailed> {
        let failed = |error| failed(options, reader, error);
        let mut list = TopicPartitionList::new();
        for (topic, partitions) in topics {
            for partition in 0..*partitions {
                list.add_partition(topic, partition as i32);
            }
        }
        if list.count() == 0 {
            return Ok(vec![]);
        }
        // It asks for the offsets of its group and joins nothing.
        let asks: BaseConsumer<Hearing> = options.asking_for(group)?;
        let ask = |wait| asks.committed_offsets(list.clone(), wait);
        let committed = asked(asks.context(), || hear(&asks), ask);
        let committed = committed.map_err(|error| self::failed(options, &asks, error))?;
        let places = committed.elements();
        let begun: BTreeSet<&str> = places
            .iter()
            .filter(|place| offset(place.offset()).is_some())
            .map(|place| place.topic())
            .collect();
        let mut found = vec![];
        for place in places.iter().filter(|place| !known || begun.contains(place.topic())) {
            let (topic, partition, committed) = (place.topic(), place.partition(), offset(place.offset()));
            let (low, end) = bounds_of(reader, topic, partition).map_err(failed)?;
            let from = committed.unwrap_or(low).clamp(low, end);
            let between = end.saturating_sub(from).unsigned_abs();
            let behind = match between > 0 && is_read(reader, topic, partition, from).map_err(failed)? {
                true => 0,
                false => between,
            };
            found.push(Self { topic: topic.into(), partition, committed, end, behind });
        }
        Ok(found)
    }
}

fn offset(offset: Offset) -> Option<i64> {
    match offset {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }
}

/// How many partitions each of `topics` has; those that are not there are left out.
fn counted(
    options: &KafkaOptions,
    reader: &BaseConsumer<Hearing>,
    topics: &BTreeSet<String>,
) -> Result<Topics, KafkaFailed> {
    let mut found = Topics::new();
    for topic in topics {
        found.extend(partitions(options, reader, topic)?.map(|count| (topic.clone(), count)));
    }
    Ok(found)
}

const ASKING: &str = "asking how far a group is behind";

fn failed(options: &KafkaOptions, reader: &BaseConsumer<Hearing>, error: KafkaError) -> KafkaFailed {
    options.failed_as(reader.context(), ASKING, told(error, reader.context()))
}

fn gone(options: &KafkaOptions, _: &JoinError) -> KafkaFailed {
    options.failed(ASKING, KafkaError::Canceled)
}

/// Whether no record is left from `offset` on: what lies there are marks of transactions.
fn is_read(
    reader: &BaseConsumer<Hearing>,
    topic: &str,
    partition: i32,
    offset: i64,
) -> Result<bool, KafkaError> {
    reader.assign(&one_partition(topic, partition, offset)?)?;
    let answer = match polled(reader, ANSWER_MAX) {
        Some(Ok(_)) => Ok(false),
        Some(Err(KafkaError::PartitionEOF(_))) => Ok(true),
        Some(Err(error)) => Err(error),
        None => Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut)),
    };
    // It is heard again, and then must have no records to say.
    reader.unassign()?;
    answer
}
