//! The thread that reads for all partitions of one member.

use super::{
    ConsumeError,
    back::Back,
    member::{AtWork, Member},
    partition::Partition,
    task::PartTask,
    waiting::{Fed, queue},
};
use crate::{
    KafkaOptions,
    client::{ANSWER_MAX, is_about_logging_in, partitions_surely, told},
};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, RDKafkaErrorCode},
    message::OwnedMessage,
};
use std::{sync::Arc, time::Duration};
use tokio::{runtime::Handle, sync::mpsc};
use tokio_util::sync::CancellationToken;

/// How long the reader waits for a record before it looks whether something else is to be done.
const POLL_WAIT: Duration = Duration::from_millis(50);

/// The same while partitions are paused that may go on soon.
const POLL_WAIT_PAUSED: Duration = Duration::from_millis(5);

/// How long the answer may take what the group has committed; then it is asked again a little later.
const COMMITTED_WAIT_MAX: Duration = Duration::from_secs(3);

/// Makes the task of a partition; what it says goes to the reader.
pub(super) type MakeTask = dyn Fn(
        Partition,
        Arc<BaseConsumer<Member>>,
        mpsc::UnboundedSender<(Partition, Back)>,
        CancellationToken,
    ) -> PartTask
    + Send;

/// Reads for all partitions of one member. Blocks: for a thread of its own.
pub(super) struct Reader {
    pub(super) options: KafkaOptions,
    pub(super) consumer: Arc<BaseConsumer<Member>>,
    pub(super) make: Box<MakeTask>,
    pub(super) runtime: Handle,
    pub(super) stop: CancellationToken,
}

impl Reader {
    /// Reads until it is stopped; then all partitions have finished their pages, and the group knows that this member
    /// left.
    pub(super) fn run(self) -> Result<(), ConsumeError> {
        let (rewind, rewinds) = mpsc::unbounded_channel();
        let outcome = self.read(&rewind, rewinds);
        self.member().end_all();
        outcome
    }

    fn read(
        &self,
        rewind: &mpsc::UnboundedSender<(Partition, Back)>,
        mut rewinds: mpsc::UnboundedReceiver<(Partition, Back)>,
    ) -> Result<(), ConsumeError> {
        let mut wait = POLL_WAIT;
        while !self.stop.is_cancelled() {
            match self.consumer.poll(wait) {
                Some(Ok(record)) => {
                    self.member().hearing().answered();
                    self.feed(record.detach())?;
                }
                Some(Err(error)) => self.hear(error)?,
                None => {}
            }
            self.begin_new(rewind);
            while let Ok((partition, back)) = rewinds.try_recv() {
                self.rewind(&partition, back);
            }
            wait = if self.resume()? { POLL_WAIT_PAUSED } else { POLL_WAIT };
        }
        Ok(())
    }

    fn member(&self) -> &Member {
        self.consumer.context()
    }

    fn begin_new(&self, rewind: &mpsc::UnboundedSender<(Partition, Back)>) {
        let mut assignment = self.member().assignment();
        for partition in std::mem::take(&mut assignment.new) {
            let (feed, waiting) = queue();
            let stop = self.stop.child_token();
            let task = (self.make)(partition.clone(), self.consumer.clone(), rewind.clone(), stop.clone());
            let (ends, ended) = std::sync::mpsc::channel();
            let (stopped, work) = (stop.clone(), task);
            self.runtime.spawn(async move {
                // Dropped with the task, finished or not.
                let _ends = ends;
                work.run(waiting, stopped).await;
            });
            let at_work = AtWork { feed, paused: false, fed: None, stop, ended };
            assignment.at_work.entry(partition.topic).or_default().insert(partition.number, at_work);
        }
    }

    fn feed(&self, record: OwnedMessage) -> Result<(), ConsumeError> {
        let mut assignment = self.member().assignment();
        let at_work = assignment.at_work.get_mut(record.topic());
        let partition = Partition { topic: record.topic().into(), number: record.partition() };
        let Some(at_work) = at_work.and_then(|numbers| numbers.get_mut(&partition.number)) else {
            // Of a partition that was taken away a moment ago.
            return Ok(());
        };
        at_work.fed = Some(record.offset() + 1);
        if !at_work.feed.feed(Fed::Record(record)) {
            // A task that was stopped may be gone before this thread looks whether it is to stop too.
            return if at_work.stop.is_cancelled() { Ok(()) } else { Err(ConsumeError::Ended) };
        }
        if !at_work.paused && at_work.feed.is_full() {
            self.act("pausing a partition", one(&partition).and_then(|list| self.consumer.pause(&list)))?;
            at_work.paused = true;
        }
        Ok(())
    }

    /// Lets partitions go on whose tasks have caught up; whether some are left that have not. Nothing is fed to what is
    /// paused, so a task that is gone shows here.
    fn resume(&self) -> Result<bool, ConsumeError> {
        let mut waiting = false;
        for (topic, numbers) in &mut self.member().assignment().at_work {
            for (&number, at_work) in numbers.iter_mut().filter(|(_, at_work)| at_work.paused) {
                if at_work.feed.is_closed() && !at_work.stop.is_cancelled() {
                    return Err(ConsumeError::Ended);
                }
                if !at_work.feed.has_room() {
                    waiting = true;
                    continue;
                }
                let partition = Partition { topic: topic.clone(), number };
                match one(&partition).and_then(|list| self.consumer.resume(&list)) {
                    Ok(()) => at_work.paused = false,
                    Err(error) => {
                        tracing::warn!(%error, %partition, "a partition does not go on; it is tried again");
                        waiting = true;
                    }
                }
            }
        }
        Ok(waiting)
    }

    /// Goes back in a partition; its task drops what comes before it is told so.
    fn rewind(&self, partition: &Partition, back: Back) {
        let outcome = self.go_back(partition, back);
        let assignment = self.member().assignment();
        let at_work = assignment.at_work.get(&partition.topic);
        if let Some(at_work) = at_work.and_then(|numbers| numbers.get(&partition.number)) {
            // Where its task is gone, the next record tells.
            at_work.feed.feed(Fed::Rewound(outcome));
        }
    }

    /// Where it went.
    fn go_back(&self, partition: &Partition, back: Back) -> Result<Back, KafkaError> {
        let back = match back {
            Back::Before(count) => self.before_the_group(partition, count)?,
            known => known,
        };
        let to = match back {
            Back::To(offset) => Offset::Offset(offset),
            Back::Beginning | Back::Before(_) => Offset::Beginning,
        };
        tracing::info!(%partition, ?to, "going back");
        self.consumer.seek(&partition.topic, partition.number, to, ANSWER_MAX)?;
        Ok(back)
    }

    /// Where the group has committed nothing, the client has begun with the oldest record.
    fn before_the_group(&self, partition: &Partition, count: i64) -> Result<Back, KafkaError> {
        let committed = self.consumer.committed_offsets(one(partition)?, COMMITTED_WAIT_MAX)?;
        let Some(found) = committed.find_partition(&partition.topic, partition.number) else {
            return Ok(Back::Beginning);
        };
        found.error()?;
        Ok(match found.offset() {
            Offset::Offset(committed) if committed > count => Back::To(committed - count),
            _ => Back::Beginning,
        })
    }

    /// An error that may pass is waited out, as the client does; any other ends the reading.
    fn hear(&self, error: KafkaError) -> Result<(), ConsumeError> {
        let hearing = self.member().hearing();
        let (lasting, ends) = (hearing.hopeless(), matches!(error, KafkaError::MessageConsumptionFatal(_)));
        // One broker does not let us in, or a token was not renewed in time: others go on with what they have.
        let waits = lasting.is_none() && error.rdkafka_error_code().is_some_and(is_about_logging_in);
        let unknown = error.rdkafka_error_code() == Some(RDKafkaErrorCode::UnknownTopicOrPartition);
        let failed =
            self.options.failed_as(hearing, "reading", lasting.unwrap_or_else(|| told(error, hearing)));
        if !ends && (failed.is_transient() || waits || (unknown && self.topics_are_there()?)) {
            tracing::info!(error = %failed, "reading goes on");
            return Ok(());
        }
        Err(failed.into())
    }

    /// Whether all topics are there: a broker that has just come back may not know one for a moment.
    fn topics_are_there(&self) -> Result<bool, ConsumeError> {
        let (failed, reader) = (|error| self.options.failed("reading", error), self.options.reader()?);
        let subscribed = self.consumer.subscription().map_err(failed)?;
        for topic in subscribed.elements().iter().map(|found| found.topic().to_string()) {
            if partitions_surely(&self.options, &reader, &topic)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn act(&self, doing: &'static str, outcome: Result<(), KafkaError>) -> Result<(), ConsumeError> {
        outcome.map_err(|error| self.options.failed(doing, error).into())
    }
}

fn one(partition: &Partition) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    list.add_partition(&partition.topic, partition.number);
    Ok(list)
}
