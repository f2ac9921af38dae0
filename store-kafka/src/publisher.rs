//! Forwards committed events to Kafka, in log order, each once.

use crate::{
    KafkaOptions, PublishError, PublisherTerms, Start,
    client::Hearing,
    control::Control,
    headers::HeaderWriter,
    running::Running,
    session::Session,
    topic::{Topic, look, made},
};
use annals::{
    Checkpoints, EventStore, LogFilter, LogPage, PageLimit, Place, Position, StoreError, Subscriber,
    SubscriberError,
};
use async_trait::async_trait;
use rdkafka::consumer::BaseConsumer;
use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

/// How often the checkpoint in the store follows the one in Kafka, and with it the sign of life of the lease.
pub const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(1);

/// Forwards committed events to Kafka: a topic for each category, a key for each aggregate.
///
/// **Exactly once.** Records go out in transactions, and in each of them a record that says where the publisher stands: a
/// consumer that reads committed records only sees every event once, in log order within a partition, whatever was
/// killed meanwhile. `previous-position` (see [`headers`](crate::headers)) lets it prove that.
///
/// **One publishes.** The lease lies with the checkpoints; behind it, a publisher that was paused and replaced is fenced
/// off by Kafka itself, by its name.
///
/// **Any error** ends the session with Kafka; after a wait another one begins where the last committed transaction ended.
/// Nothing is skipped: what Kafka will not take stops the publisher until somebody mends it.
pub struct Publisher {
    name: Arc<str>,
    options: KafkaOptions,
    terms: PublisherTerms,
    store: Arc<dyn EventStore>,
    place: Place,
    running: Option<Running>,
    reader: Option<Arc<BaseConsumer<Hearing>>>,
    advanced: Instant,
}

impl Publisher {
    /// Publishes the log of `store` as `name` (see [`SubscriberId`](annals::SubscriberId) for what it may be), keeping
    /// lease and checkpoint in `checkpoints`.
    pub fn new(
        name: &str,
        options: KafkaOptions,
        terms: PublisherTerms,
        store: Arc<dyn EventStore>,
        checkpoints: Arc<dyn Checkpoints>,
    ) -> Self {
        let name: Arc<str> = name.into();
        let place = Place::live(checkpoints, name.clone(), 1).terms(terms.lease.clone());
        Self { name, options, terms, store, place, running: None, reader: None, advanced: Instant::now() }
    }

    /// The topic in which it keeps its place: compacted, of one partition, made by the publisher.
    pub fn control_topic(name: &str) -> String {
        format!("annals-publisher-{name}")
    }

    /// A session begins: whoever published under this name can commit no more. Where it stands is read behind that.
    async fn start(&mut self, checkpoint: Position) -> Result<Position, SubscriberError> {
        let failed = |error: PublishError| error.of(&self.name);
        let control_topic = Self::control_topic(&self.name);
        let reader = Arc::new(self.options.reader().map_err(|error| failed(error.into()))?);
        if look(&self.options, &reader, &control_topic).await.map_err(|error| failed(error.into()))?.is_none()
        {
            let made = made(&self.options, &reader, &control_topic, 1, true).await;
            made.map_err(failed)?;
        }
        let (options, name, topic) = (self.options.clone(), self.name.clone(), control_topic.clone());
        let begun = blocking(move || {
            let session = Session::transactional(&options, &name)?;
            let control = Control::read(&options, &topic, &name).map_err(PublishError::control(&topic))?;
            Ok((session, control))
        });
        let (session, known) = self.place.renewing(async { begun.await.map_err(failed) }).await?;
        let control = match known {
            Some(control) => control,
            None if checkpoint > Position::START => Control::at(Position::START),
            None => Control::at(self.first_position().await?),
        };
        if control.position < checkpoint {
            return Err(failed(PublishError::Behind {
                place: self.options.to_string(),
                there: control.position,
                here: checkpoint,
                control: control_topic,
            }));
        }
        let (headers, oversize) = (HeaderWriter::new(self.terms.cloud_events.clone()), self.terms.oversize);
        let (name, topics, at) = (self.name.clone(), HashMap::new(), control.position);
        let mut running = Running { name, session, control_topic, control, topics, headers, oversize };
        for topic in running.control.topics.keys() {
            let (before, now) =
                (running.control.partitions(topic), look(&self.options, &reader, topic).await);
            let now = now.map_err(|error| failed(error.into()))?.unwrap_or(0);
            if let Some(before) = before.filter(|before| *before != now) {
                return Err(failed(PublishError::Repartitioned { topic: topic.clone(), before, now }));
            }
        }
        if at > checkpoint && running.control.topics.is_empty() {
            // It began elsewhere than at the beginning: from here on that is where it stands.
            running = blocking(move || running.mark(at).map(|()| running)).await.map_err(failed)?;
        }
        self.reader = Some(reader);
        self.running = Some(running);
        Ok(at)
    }

    async fn first_position(&self) -> Result<Position, SubscriberError> {
        Ok(match self.terms.start {
            Start::Beginning => Position::START,
            Start::Behind(position) => position,
            Start::Now => self.store.read_log(Position::START, PageLimit::ONE, &LogFilter::all()).await?.head,
        })
    }

    /// Looks up the topics of categories that were not met yet.
    async fn open_topics(&mut self, page: &LogPage) -> Result<(), PublishError> {
        let (Some(running), Some(reader)) = (&mut self.running, &self.reader) else {
            return Err(PublishError::Ended);
        };
        for event in &page.events {
            let category = event.stream.category();
            if !running.topics.contains_key(category) {
                let topic =
                    Topic::open(&self.options, reader, &self.terms, &running.control, category).await?;
                running.topics.insert(category.into(), topic);
            }
        }
        Ok(())
    }

    /// The checkpoint follows what Kafka has; that it lags a little is no harm, because a session begins with Kafka's.
    async fn follow_up(&mut self, at: Position) -> Result<(), SubscriberError> {
        let from = self.place.step(at)?.from;
        match at > from {
            true => self.place.advance(at).await?,
            false => self.place.renew().await?,
        }
        self.advanced = Instant::now();
        Ok(())
    }

    fn at(&self) -> Option<Position> {
        self.running.as_ref().map(|running| running.control.position)
    }
}

#[async_trait]
impl Subscriber for Publisher {
    fn name(&self) -> &str {
        &self.name
    }

    fn filter(&self) -> LogFilter {
        self.terms.filter.clone()
    }

    fn page_limit(&self) -> PageLimit {
        PageLimit::MAX
    }

    async fn begin(&mut self) -> Result<Position, SubscriberError> {
        self.close().await;
        // The lease first, always: a publisher that was replaced must not fence off the one that took its place.
        let checkpoint = self.place.begin().await?;
        let at = self.start(checkpoint).await?;
        self.follow_up(at).await?;
        Ok(at)
    }

    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        let opened = self.open_topics(page).await;
        opened.map_err(|error| error.of(&self.name))?;
        let Some(mut running) = self.running.take() else { return Err(PublishError::Ended.of(&self.name)) };
        let given_up = running.session.given_up();
        let (events, looked) = (page.events.clone(), page.looked);
        let publishing = blocking(move || running.publish(&events, looked).map(|()| running));
        let name = self.name.clone();
        let published =
            self.place.renewing(async { publishing.await.map_err(|error| error.of(&name)) }).await;
        match published {
            Ok(running) => self.running = Some(running),
            Err(error) => {
                // The thread may still be at it, when it was the lease that was lost.
                given_up.store(true, Ordering::Relaxed);
                return Err(error);
            }
        }
        metrics::counter!("annals_events_handled", "subscriber" => self.name.to_string())
            .increment(page.events.len() as u64);
        if self.advanced.elapsed() >= CHECKPOINT_INTERVAL {
            self.follow_up(page.looked).await?;
        }
        Ok(())
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        match self.at() {
            Some(at) => self.follow_up(at).await,
            None => self.place.renew().await,
        }
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        let followed = match self.at() {
            Some(at) => self.follow_up(at).await,
            None => Ok(()),
        };
        self.close().await;
        self.place.end().await?;
        followed
    }

    async fn report(&mut self, failure: Option<&str>) -> Result<(), StoreError> {
        self.place.report(failure).await
    }
}

impl Publisher {
    /// Ends the session: what it had begun is taken back.
    async fn close(&mut self) {
        let gone = (self.running.take(), self.reader.take());
        // A client waits for its threads when it is dropped.
        if tokio::task::spawn_blocking(move || drop(gone)).await.is_err() {
            tracing::warn!(publisher = &*self.name, "a client of Kafka did not end well");
        }
    }
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher")
            .field("name", &self.name)
            .field("to", &self.options)
            .finish_non_exhaustive()
    }
}

/// Carries out `work` on a thread that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PublishError> + Send + 'static,
) -> Result<T, PublishError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(PublishError::Ended))
}
