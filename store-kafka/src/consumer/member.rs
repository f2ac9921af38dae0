//! A member of a consumer group, and which partitions it has been given.

use super::{partition::Partition, waiting::Feed};
use crate::client::Hearing;
use rdkafka::{
    ClientContext, Statistics, TopicPartitionList,
    client::OAuthToken,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance},
    error::{KafkaError, KafkaResult},
    statistics,
};
use std::{
    collections::HashMap,
    error::Error,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How long a partition that is taken away may take to finish the page in hand. A page that takes longer is written all
/// the same, or refused, if its lease has run out: whoever has the partition next waits for that.
pub const REVOKED_WAIT_MAX: Duration = Duration::from_secs(20);

/// A partition at work.
pub(super) struct AtWork {
    pub(super) feed: Feed,
    pub(super) paused: bool,
    /// Behind the last record that it was given; none where it was given none.
    pub(super) fed: Option<i64>,
    pub(super) stop: CancellationToken,
    /// Closed when the task is gone, however it ended. No runtime is needed to wait for it: that may be gone too.
    pub(super) ended: Receiver<()>,
}

/// What the client's callbacks and the reader share. All of it happens on the reader's thread.
pub(super) struct Assignment {
    /// Given, and not at work yet.
    pub(super) new: Vec<Partition>,
    pub(super) at_work: HashMap<Arc<str>, HashMap<i32, AtWork>>,
}

/// Hears what the client reports, and ends the work on partitions that are taken away before others may begin it.
pub(crate) struct Member {
    hearing: Hearing,
    group: Arc<str>,
    assignment: Mutex<Assignment>,
}

impl Member {
    pub(super) fn new(hearing: Hearing, group: Arc<str>) -> Self {
        let assignment = Assignment { new: vec![], at_work: HashMap::new() };
        Self { hearing, group, assignment: Mutex::new(assignment) }
    }

    pub(super) fn hearing(&self) -> &Hearing {
        &self.hearing
    }

    pub(super) fn assignment(&self) -> MutexGuard<'_, Assignment> {
        self.assignment.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the work on all partitions.
    pub(super) fn end_all(&self) {
        let all = std::mem::take(&mut self.assignment().at_work);
        self.end(all.into_values().flat_map(HashMap::into_values).collect());
    }

    fn end(&self, work: Vec<AtWork>) {
        work.iter().for_each(|at_work| at_work.stop.cancel());
        let begun = Instant::now();
        for at_work in work {
            let left = REVOKED_WAIT_MAX.saturating_sub(begun.elapsed());
            if at_work.ended.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                tracing::warn!(
                    group = &*self.group,
                    "a partition is taken away in the middle of a long page"
                );
            }
        }
    }

    fn tell_behind(&self, topic: &str, number: i32, records: f64) {
        let labels =
            [("group", self.group.to_string()), ("topic", topic.into()), ("partition", number.to_string())];
        metrics::gauge!("annals_records_behind", &labels).set(records);
    }

    /// Ends the work on the partitions of `list`; those of them that were paused.
    fn taken_away(&self, list: &TopicPartitionList) -> TopicPartitionList {
        let (mut gone, mut paused) = (vec![], TopicPartitionList::new());
        {
            let mut assignment = self.assignment();
            for element in list.elements() {
                let (topic, number) = (element.topic(), element.partition());
                assignment.new.retain(|new| (&*new.topic, new.number) != (topic, number));
                let at_work = assignment.at_work.get_mut(topic);
                let at_work = at_work.and_then(|numbers| numbers.remove(&number));
                if at_work.as_ref().is_some_and(|at_work| at_work.paused) {
                    paused.add_partition(topic, number);
                }
                gone.extend(at_work);
                // Whoever has it next tells how far it is behind.
                self.tell_behind(topic, number, 0.0);
            }
        }
        tracing::info!(group = &*self.group, partitions = list.count(), "partitions are taken away");
        self.end(gone);
        paused
    }
}

impl ClientContext for Member {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.hearing.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.hearing.error(error, reason);
    }

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.hearing.generate_oauth_token(config)
    }

    fn stats(&self, statistics: Statistics) {
        let assignment = self.assignment();
        for (topic, found) in &statistics.topics {
            let at_work = assignment.at_work.get(&**topic);
            for (number, partition) in &found.partitions {
                // Others are not ours to tell of: some were taken away.
                let Some(at_work) = at_work.and_then(|numbers| numbers.get(number)) else { continue };
                let Some(behind) = behind(partition, at_work.fed) else { continue };
                self.tell_behind(topic, *number, behind as f64);
            }
        }
    }
}

impl ConsumerContext for Member {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Revoke(list) => {
                let paused = self.taken_away(list);
                // The client keeps a pause for when the partition comes back, and the next work on it knows of none.
                if let Err(error) = consumer.resume(&paused) {
                    tracing::warn!(%error, group = &*self.group, "partitions that are taken away stay paused");
                }
            }
            Rebalance::Assign(_) => {}
            Rebalance::Error(error) => {
                tracing::warn!(%error, group = &*self.group, "the group could not be joined")
            }
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(list) = rebalance {
            let given =
                |(topic, number): &(String, i32)| Partition { topic: topic.as_str().into(), number: *number };
            let places: Vec<(String, i32)> =
                list.elements().iter().map(|found| (found.topic().to_string(), found.partition())).collect();
            tracing::info!(group = &*self.group, partitions = places.len(), "partitions are given");
            self.assignment().new.extend(places.iter().map(given));
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        // For people only: where a part stands says its own checkpoint.
        if let Err(error) = result {
            tracing::debug!(%error, group = &*self.group, "offsets were not committed");
        }
    }
}

/// How many offsets lie between what the group has committed and the end, as [`PartitionLag`](crate::PartitionLag)
/// tells it: 0 exactly where no record is left behind the last one that was `fed`. None while that is unknown.
fn behind(partition: &statistics::Partition, fed: Option<i64>) -> Option<i64> {
    let statistics::Partition { next_offset, ls_offset, stored_offset, fetchq_cnt, .. } = *partition;
    // Marks of transactions lie behind the last record, and nobody commits past them.
    let fetched = ls_offset >= 0 && next_offset >= ls_offset && fetchq_cnt == 0;
    let handled = fed.is_none_or(|fed| stored_offset >= fed);
    match fetched && handled {
        true => Some(0),
        // Unknown until the group has committed something.
        false => Some(partition.consumer_lag).filter(|behind| *behind >= 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_record_is_left_where_only_marks_of_transactions_are() {
        let all = statistics::Partition {
            next_offset: 12,
            ls_offset: 12,
            stored_offset: 11,
            consumer_lag: 1,
            ..Default::default()
        };
        assert_eq!((behind(&all, Some(11)), behind(&all, None)), (Some(0), Some(0)));
        // Controls: a record that is in hand, still on its way, or waits in the client.
        assert_eq!(behind(&all, Some(12)), Some(1));
        assert_eq!(behind(&statistics::Partition { next_offset: 11, ..all.clone() }, Some(11)), Some(1));
        assert_eq!(behind(&statistics::Partition { fetchq_cnt: 1, ..all.clone() }, Some(11)), Some(1));
        let unknown = statistics::Partition { consumer_lag: -1, ..all };
        assert_eq!(behind(&unknown, Some(12)), None);
    }
}
