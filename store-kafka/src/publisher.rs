//! Forwards committed events to Kafka, in log order, each once.

use crate::{
    Delivery, KafkaOptions, PublishError, PublisherTerms, Start,
    admin::Keeps,
    client::Hearing,
    control::Control,
    headers::HeaderWriter,
    own_thread::OwnThread,
    running::Running,
    sent::Sent,
    session::{BATCH_BYTES_MAX, Session},
    tending::TOPICS_LOOK_INTERVAL,
    topic::{check_topics, look, made},
    transaction::More,
};
use annals::{
    DocumentStore, EventStore, LogFilter, LogPage, PageLimit, Place, Position, StoreError, Subscriber,
    SubscriberError,
};
use async_trait::async_trait;
use rdkafka::consumer::BaseConsumer;
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How often the checkpoint in the store follows the one in Kafka, and with it the sign of life of the lease.
pub const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(1);

/// Forwards committed events to Kafka: a topic for each category, a key for each aggregate.
///
/// **Exactly once.** Records go out in transactions, and in each of them a record that says where the publisher stands:
/// a consumer that reads committed records only sees every event once, in log order within a partition, whatever was
/// killed meanwhile. `previous-position` (see [`headers`](crate::headers)) lets it prove that.
///
/// Without transactions ([`Delivery::AtLeastOnce`]) it looks at each start which records are there already, behind the
/// ends that it wrote down with its checkpoint, and sends the others.
///
/// **One publishes.** The lease lies with the checkpoints; behind it, a publisher that was paused and replaced is
/// fenced off by Kafka itself, by its name.
///
/// **Any error** ends the session with Kafka; after a wait another one begins where the last committed transaction
/// ended. Nothing is skipped: what Kafka will not take stops the publisher until somebody mends it.
pub struct Publisher {
    pub(crate) name: Arc<str>,
    pub(crate) options: KafkaOptions,
    pub(crate) terms: PublisherTerms,
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) documents: Arc<dyn DocumentStore>,
    pub(crate) place: Place,
    pub(crate) running: Option<Running>,
    /// Where it works, since the session began.
    thread: Option<OwnThread>,
    pub(crate) reader: Option<Arc<BaseConsumer<Hearing>>>,
    advanced: Instant,
    /// When the topics were looked at last, and how often they are.
    pub(crate) looked: Instant,
    pub(crate) looks_every: Duration,
    /// No batch is larger, for no topic of those met so far takes more.
    pub(crate) batch_bytes_max: usize,
}

impl Publisher {
    /// Publishes the log of `store` as `name` (see [`SubscriberId`](annals::SubscriberId) for what it may be), keeping
    /// lease and checkpoint in `documents`, and without transactions one document besides.
    pub fn new(
        name: &str,
        options: KafkaOptions,
        terms: PublisherTerms,
        store: Arc<dyn EventStore>,
        documents: Arc<dyn DocumentStore>,
    ) -> Self {
        let name: Arc<str> = name.into();
        let place = Place::live(documents.clone(), name.clone(), 1).terms(terms.lease.clone());
        let (running, thread, reader, advanced, looked) = (None, None, None, Instant::now(), Instant::now());
        let batch_bytes_max = BATCH_BYTES_MAX;
        Self {
            name,
            options,
            terms,
            store,
            documents,
            place,
            running,
            thread,
            reader,
            advanced,
            looked,
            looks_every: TOPICS_LOOK_INTERVAL,
            batch_bytes_max,
        }
    }

    /// The topic in which it keeps its place: compacted, of one partition, made by the publisher.
    pub fn control_topic(name: &str) -> String {
        format!("annals-publisher-{name}")
    }

    /// A session begins: whoever published under this name can commit no more. Where it stands is read behind that.
    pub(crate) async fn start(&mut self, checkpoint: Position) -> Result<Position, SubscriberError> {
        if self.terms.delivery == Delivery::AtLeastOnce {
            return self.start_at_least_once(checkpoint).await;
        }
        let failed = |error: PublishError| error.of(&self.name);
        let control_topic = Self::control_topic(&self.name);
        let reader = Arc::new(self.options.reader().map_err(|error| failed(error.into()))?);
        if look(&self.options, &reader, &control_topic).await.map_err(|error| failed(error.into()))?.is_none()
        {
            let made = made(&self.options, &reader, &control_topic, 1, Keeps::LastOfKey).await;
            made.map_err(failed)?;
        }
        let (options, name, topic) = (self.options.clone(), self.name.clone(), control_topic.clone());
        let batch_bytes_max = self.batch_bytes_max;
        let given_up = GivenUp::default();
        let is_given_up = given_up.0.clone();
        let begun = blocking(move || {
            let session = Session::transactional(&options, &name, batch_bytes_max, &is_given_up)?;
            let control = Control::read(&options, &topic, &name).map_err(PublishError::control(&topic))?;
            Ok((session, control))
        });
        let (session, known) = self.place.renewing(async { begun.await.map_err(failed) }).await?;
        drop(given_up);
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
        let at = control.position;
        self.check_log(&control).await?;
        check_topics(&self.options, &reader, &control).await.map_err(failed)?;
        let mut running = self.running(session, control, HashSet::new(), Sent::default());
        if at > checkpoint && running.control.topics.is_empty() {
            // It began elsewhere than at the beginning: from here on that is where it stands.
            running = blocking(move || running.mark(at).map(|()| running)).await.map_err(failed)?;
        }
        self.reader = Some(reader);
        self.running = Some(running);
        Ok(at)
    }

    /// A publisher at work, that has met no topic yet.
    pub(crate) fn running(
        &self,
        session: Session,
        control: Control,
        already: HashSet<Position>,
        known: Sent,
    ) -> Running {
        Running {
            name: self.name.clone(),
            session,
            control_topic: Self::control_topic(&self.name),
            control,
            open: None,
            ended: None,
            topics: HashMap::new(),
            headers: HeaderWriter::new(self.terms.cloud_events.clone()),
            oversize: self.terms.oversize,
            delivery: self.terms.delivery,
            already,
            known,
        }
    }

    pub(crate) async fn first_position(&self) -> Result<Position, SubscriberError> {
        Ok(match self.terms.start {
            Start::Beginning => Position::START,
            Start::Behind(position) => position,
            Start::Now => self.store.read_log(Position::START, PageLimit::ONE, &LogFilter::all()).await?.head,
        })
    }

    /// The checkpoint follows what Kafka has; that it lags a little is no harm, because a session begins with Kafka's.
    pub(crate) async fn follow_up(&mut self, at: Position) -> Result<(), SubscriberError> {
        let from = self.place.step(at)?.from;
        match at > from {
            true => self.write(at).await?,
            false => self.place.renew().await?,
        }
        self.advanced = Instant::now();
        Ok(())
    }

    pub(crate) fn at(&self) -> Option<Position> {
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
        self.prepare(page).await?;
        let (events, looked, more) = (page.events.clone(), page.looked, More::behind(page));
        self.at_work(move |running| running.publish(&events, looked, more)).await?;
        metrics::counter!("annals_events_handled", "subscriber" => self.name.to_string())
            .increment(page.events.len() as u64);
        match self.at() {
            Some(at) if self.advanced.elapsed() >= CHECKPOINT_INTERVAL => self.follow_up(at).await,
            _ => Ok(()),
        }
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        self.settle().await?;
        self.look_at_topics().await?;
        match self.at() {
            Some(at) => self.follow_up(at).await,
            None => self.place.renew().await,
        }
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        let followed = match self.settle().await {
            Ok(()) => self.follow_up_if_begun().await,
            Err(error) => Err(error),
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
    async fn follow_up_if_begun(&mut self) -> Result<(), SubscriberError> {
        match self.at() {
            Some(at) => self.follow_up(at).await,
            None => Ok(()),
        }
    }

    /// Carries out `work` on what is at work, with signs of life in between.
    async fn at_work(
        &mut self,
        work: impl FnOnce(&mut Running) -> Result<(), PublishError> + Send + 'static,
    ) -> Result<(), SubscriberError> {
        let mut thread = self.thread.take().map_or_else(|| self.start_thread(), Ok)?;
        let Some(mut running) = self.running.take() else { return Err(PublishError::Ended.of(&self.name)) };
        // The thread may still be at it when the lease is lost, or when nobody waits for this any more.
        let given_up = GivenUp(running.session.given_up());
        let name = self.name.clone();
        let working = async {
            let worked = thread.run(move || work(&mut running).map(|()| running)).await;
            worked.unwrap_or(Err(PublishError::Ended)).map_err(|error| error.of(&name))
        };
        let running = self.place.renewing(working).await?;
        given_up.not();
        (self.running, self.thread) = (Some(running), Some(thread));
        Ok(())
    }

    fn start_thread(&self) -> Result<OwnThread, SubscriberError> {
        OwnThread::start("annals-kafka-publishes").map_err(|error| {
            PublishError::from(self.options.threadless("starting a thread", &error)).of(&self.name)
        })
    }

    /// Makes visible what was sent and is not yet.
    pub(crate) async fn settle(&mut self) -> Result<(), SubscriberError> {
        match self.running.as_ref().is_some_and(|running| running.open.is_some()) {
            true => self.at_work(Running::settle).await,
            false => Ok(()),
        }
    }

    /// Ends the session: what it had begun is taken back.
    pub(crate) async fn close(&mut self) {
        self.thread = None;
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

/// Tells a thread, when it is dropped, that what it does is given up.
#[derive(Default)]
struct GivenUp(Arc<AtomicBool>);

impl GivenUp {
    /// It was not.
    fn not(mut self) {
        self.0 = Arc::default();
    }
}

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Carries out `work` on a thread that may wait.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PublishError> + Send + 'static,
) -> Result<T, PublishError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(PublishError::Ended))
}
