//! The work on one partition: records become pages of a part.

use super::{
    Consumed, ConsumerTerms, First, Foreign, PartitionError, TopicConsumed,
    back::Back,
    consumed::Parking,
    held::Held,
    member::Member,
    partition::Partition,
    retry::{Again, RetryLetters},
    sieve::{Counts, Sieved, sieve},
    terms::PAGE_RECORDS_MAX,
    waiting::{Fed, Waiting},
};
use crate::{Chain, KafkaOptions, client::one_partition};
use annals::{
    CheckpointError, EMPTY_PAGES_INTERVAL, LeaseError, LogFilter, LogPage, Position, RestartWaits,
    Subscriber, SubscriberError, TEND_INTERVAL, error_text, tell_failure,
};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

/// The work on one partition, from when it was given to when it is taken away.
pub(super) struct PartTask {
    pub(super) options: KafkaOptions,
    pub(super) partition: Partition,
    pub(super) subscriber: Box<dyn Subscriber>,
    pub(super) terms: ConsumerTerms,
    pub(super) consumer: Arc<BaseConsumer<Member>>,
    /// Where the reader is asked to go back.
    pub(super) rewind: mpsc::UnboundedSender<(Partition, Back)>,
    /// Records that came and are not handled.
    pub(super) held: Arc<Held>,
    pub(super) parking: Parking,
    pub(super) consumed: Consumed,
    /// Set where what is refused comes again.
    pub(super) retries: Option<Arc<RetryLetters>>,
    /// Set where the partition is one of a retry topic.
    pub(super) again: Option<Again>,
}

/// Where the work stands.
pub(super) struct Work {
    pub(super) waiting: Waiting,
    pub(super) stop: CancellationToken,
    filter: LogFilter,
    pub(super) chain: Chain,
    /// Read from the beginning, since the last record that followed.
    pub(super) rewound: bool,
    /// A record has come that was handled already, or that follows: so does whatever comes behind it.
    pub(super) joined: bool,
    /// How far before the offset of the group it was read again, since the last record that followed.
    pub(super) looked_back: i64,
    /// Seen, but with nothing in it that is handled: the checkpoint follows a little later.
    unsettled: bool,
    /// The offset behind all that is seen.
    seen_up_to: Option<i64>,
    /// The offset behind all that the checkpoint is behind, until it is gone back to.
    pub(super) settled_at: Option<i64>,
    written: Instant,
    /// Whatever was reported before has passed.
    pub(super) told: bool,
    /// What was seen since the checkpoint: what is not written is seen again, and counted then.
    pub(super) counts: Counts,
    /// The record that stopped it last: it is counted once, however often it is tried.
    stopped_at: Option<i64>,
}

impl PartTask {
    /// Works until `stop`, through failures; then the page in hand is finished and the lease given back.
    pub(super) async fn run(mut self, waiting: Waiting, stop: CancellationToken) {
        let filter = self.subscriber.filter();
        let (chain, written) = (Chain::default(), Instant::now());
        let mut work = Work {
            waiting,
            stop,
            filter,
            chain,
            rewound: false,
            joined: false,
            looked_back: 0,
            unsettled: false,
            seen_up_to: None,
            settled_at: None,
            written,
            told: false,
            counts: Counts::default(),
            stopped_at: None,
        };
        let mut failures = RestartWaits::default();
        while !work.stop.is_cancelled() {
            let wait = match self.follow(&mut work).await {
                Ok(()) => break,
                Err(SubscriberError::Lease(LeaseError::Held { remaining_ms, holder, .. })) => {
                    tracing::debug!(partition = %self.partition, holder, remaining_ms, "standing by for the lease");
                    Duration::from_millis(remaining_ms.max(1)).min(TEND_INTERVAL)
                }
                Err(
                    SubscriberError::Checkpoint(CheckpointError::Retired { .. })
                    | SubscriberError::Lease(LeaseError::Retired { .. }),
                ) => {
                    // Another generation takes its place, whose parts begin anew; or none, where it was given up.
                    work.rewound = false;
                    failures.next()
                }
                // As everywhere: what fails while it is to stop, such as a search that was broken off, is no failure.
                Err(error) if work.stop.is_cancelled() => {
                    tracing::info!(partition = %self.partition, error = %error_text(&error), "stopped meanwhile");
                    break;
                }
                Err(error) => {
                    let wait = failures.after(&error);
                    tell_failure(&mut *self.subscriber, &error, wait).await;
                    self.end().await;
                    wait
                }
            };
            tokio::select! {
                () = work.stop.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.end().await;
        self.consumed.goes_on(&self.partition);
    }

    async fn end(&mut self) {
        if let Err(error) = self.subscriber.end().await {
            tracing::debug!(partition = %self.partition, error = %error_text(&error), "the lease was not given back");
        }
    }

    async fn follow(&mut self, work: &mut Work) -> Result<(), SubscriberError> {
        let at = self.subscriber.begin().await?;
        if at < work.chain.last() {
            // Records were seen and dropped that are behind no checkpoint yet: they must be read again, also where no
            // other one comes.
            work.followed();
            work.joined = false;
        }
        (work.chain, work.unsettled, work.told) = (Chain::behind(at), false, false);
        work.seen_up_to = None;
        work.counts = Counts::default();
        if let Some(letters) = &self.retries {
            letters.sends_as(self.subscriber.name(), None);
        }
        loop {
            match self.again {
                None => self.handle_held(work).await?,
                Some(_) => self.handle_copies(work).await?,
            }
            let fed = tokio::select! {
                biased;
                () = work.stop.cancelled() => break,
                fed = work.waiting.next() => fed,
                () = tokio::time::sleep(TEND_INTERVAL) => {
                    self.settle(work).await?;
                    self.subscriber.tend().await?;
                    self.tell_well(work).await?;
                    self.begin_where_nothing_comes(work).await?;
                    continue;
                }
            };
            // The reader is gone: so is the member.
            let Some(fed) = fed else { break };
            self.take(fed);
            while self.held.len() < PAGE_RECORDS_MAX
                && let Some(fed) = work.waiting.next_now()
            {
                self.take(fed);
            }
        }
        self.settle(work).await
    }

    /// That the reader went back is of no interest here: whoever asked for it and failed meanwhile asks again.
    fn take(&self, fed: Fed) {
        if let Fed::Record(record) = fed {
            self.held.push(record);
        }
    }

    /// Handles what is held, page by page, until nothing is left. Where one event cannot be handled, all before it is.
    async fn handle_held(&mut self, work: &mut Work) -> Result<(), SubscriberError> {
        let mut most = PAGE_RECORDS_MAX;
        while !self.held.is_empty() && !work.stop.is_cancelled() {
            let new = work.chain.last() == Position::START;
            // Nothing lies before its first record.
            work.rewound |= new && self.held.first_offset() == Some(0);
            let begins = new && self.terms.first == First::Oldest;
            if begins && !work.rewound {
                self.go_back_to(work, Back::Beginning).await?;
                continue;
            }
            let foreign = self.terms.foreign == Foreign::PassOver;
            let read_again = work.rewound || work.looked_back > 0;
            let Sieved { page, chain, records, offset, joins, counts, stopped } = self.held.look(|all| {
                sieve(all.iter().take(most), work.chain, &work.filter, foreign, begins, read_again)
            });
            work.joined |= joins;
            if records > 0 {
                let counted = work.counts;
                work.counts.add(counts);
                if let Err(error) = self.write(work, page, chain).await {
                    work.counts = counted;
                    let Some((position, before)) = self.stopping(&error, work.chain, chain) else {
                        return Err(error);
                    };
                    if before == 0 {
                        self.settle(work).await?;
                        return Err(self.unhandled(work, position, error));
                    }
                    most = before;
                    continue;
                }
                most = PAGE_RECORDS_MAX;
                self.held.drop_first(records);
                if let Some(offset) = offset {
                    self.seen(work, offset);
                }
            }
            let Some(stopped) = stopped else {
                self.tell_well(work).await?;
                continue;
            };
            let error = stopped.error(&self.partition, self.subscriber.name());
            match error {
                // Somebody may have moved the offset of the group forward.
                PartitionError::Lost { .. } if !work.rewound => self.go_back(work).await?,
                error => {
                    if work.stops_anew(stopped.offset()) {
                        stopped.count(self.subscriber.name(), &self.partition.topic);
                    }
                    return Err(self.stands_still(error));
                }
            }
        }
        Ok(())
    }

    /// Handles a page and stands behind it.
    pub(super) async fn write(
        &mut self,
        work: &mut Work,
        events: Vec<annals::RecordedEvent>,
        chain: Chain,
    ) -> Result<(), SubscriberError> {
        let (after, looked) = (work.chain.last(), chain.last());
        if looked == after {
            // The checkpoint does not follow, so they are not seen again, unless it has to follow what came before them.
            if !work.unsettled {
                self.tell_counts(work);
            }
            return Ok(());
        }
        if events.is_empty() && work.written.elapsed() < EMPTY_PAGES_INTERVAL {
            (work.chain, work.unsettled) = (chain, true);
            return Ok(());
        }
        let handled = events.len() as u64;
        // Of a page that was not written.
        self.parking.take();
        self.subscriber.handle(&LogPage::new(events, after, looked, looked)).await?;
        (work.chain, work.unsettled) = (chain, false);
        work.followed();
        work.written = Instant::now();
        let parked = self.parking.take();
        self.consumed
            .add(&self.partition.topic, TopicConsumed { handled, parked, ..TopicConsumed::default() });
        self.tell_counts(work);
        Ok(())
    }

    /// Moves the checkpoint past what was seen and held nothing for the handler.
    pub(super) async fn settle(&mut self, work: &mut Work) -> Result<(), SubscriberError> {
        if std::mem::take(&mut work.unsettled) {
            let at = work.chain.last();
            self.subscriber.handle(&LogPage::new(vec![], at, at, at)).await?;
            work.followed();
            work.written = Instant::now();
            if let Some(offset) = work.seen_up_to {
                self.seen(work, offset);
            }
        }
        self.tell_counts(work);
        Ok(())
    }

    fn tell_counts(&self, work: &mut Work) {
        work.counts.tell(self.subscriber.name(), &self.partition.topic, &self.consumed);
    }

    async fn tell_well(&mut self, work: &mut Work) -> Result<(), SubscriberError> {
        if self.held.is_empty() && !std::mem::replace(&mut work.told, true) {
            self.subscriber.report(None).await?;
            self.consumed.goes_on(&self.partition);
        }
        Ok(())
    }

    /// The position of the record that failed the page from `handled` to `chain`, and how many lie in hand before it; none
    /// where that is none of the page, as when a request about a parked event fails.
    fn stopping(&self, error: &SubscriberError, handled: Chain, chain: Chain) -> Option<(Position, usize)> {
        let position = error.stops_at().filter(|at| *at > handled.last() && *at <= chain.last())?;
        Some((position, self.held.before(position)?))
    }

    /// The first record in hand cannot be handled; `position` is its own.
    pub(super) fn unhandled(
        &self,
        work: &mut Work,
        position: Position,
        error: SubscriberError,
    ) -> SubscriberError {
        let (name, topic) = (self.subscriber.name().to_string(), self.partition.topic.to_string());
        let offset = self.held.first_offset().unwrap_or_default();
        let (partition, part, source) = (self.partition.number, format!("{name:?}"), Arc::new(error));
        if work.stops_anew(offset) {
            let labels = [("subscriber", name), ("topic", topic.clone())];
            metrics::counter!("annals_records_unhandled", &labels).increment(1);
        }
        self.stands_still(PartitionError::Unhandled { topic, partition, offset, part, position, source })
    }

    pub(super) fn stands_still(&self, error: PartitionError) -> SubscriberError {
        self.consumed.stands_still(&self.partition, &error);
        error.of(self.subscriber.name())
    }

    /// All before `offset` is seen. It is told to the group when the checkpoint is behind it too: whoever has the
    /// partition next begins there. Nothing else rests on it.
    pub(super) fn seen(&self, work: &mut Work, offset: i64) {
        work.seen_up_to = Some(offset);
        if work.unsettled {
            return;
        }
        work.settled_at = Some(offset);
        let Partition { topic, number } = &self.partition;
        // Not `store_offset`, which takes the last one that was seen and adds one.
        let stored =
            one_partition(topic, *number, offset).and_then(|list| self.consumer.store_offsets(&list));
        if let Err(error) = stored {
            tracing::debug!(%error, partition = %self.partition, "the offset is not told");
        }
    }
}

impl Work {
    /// The record at `offset` stops it, and is not the one that did so last.
    fn stops_anew(&mut self, offset: i64) -> bool {
        self.stopped_at.replace(offset) != Some(offset)
    }

    /// The checkpoint was moved: what is missing behind it is to be looked for anew.
    fn followed(&mut self) {
        (self.rewound, self.looked_back) = (false, 0);
    }
}
