//! What a publisher does besides publishing: it looks at its topics, writes its place down, and begins without
//! transactions.

use crate::{
    PublishError, Publisher,
    publisher::blocking,
    sent::Sent,
    session::Session,
    topic::{Topic, check_topics},
};
use annals::{Change, LogPage, PageWrite, Position, SubscriberError};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How often a publisher at work looks whether its topics are as they were; a session that begins looks too.
pub const TOPICS_LOOK_INTERVAL: Duration = Duration::from_secs(60);

impl Publisher {
    /// Looks at its topics so often, and not each [`TOPICS_LOOK_INTERVAL`].
    #[must_use]
    pub fn looking_every(mut self, interval: Duration) -> Self {
        self.looks_every = interval;
        self
    }

    /// As [`start`](Self::start), without transactions: what is there already is found in the topics.
    pub(crate) async fn start_at_least_once(
        &mut self,
        checkpoint: Position,
    ) -> Result<Position, SubscriberError> {
        let failed = |error: PublishError| error.of(&self.name);
        let reader = Arc::new(self.options.reader().map_err(|error| failed(error.into()))?);
        let slots = self.documents.load(self.place.id()?, &[Sent::KEY.into()]).await?;
        let known = slots.into_iter().next().and_then(|slot| slot.document);
        let known = known.map(|text| Sent::read(&text)).transpose();
        let (mut sent, at) = match known.map_err(|error| failed(PublishError::Sent(error)))? {
            Some(sent) => (sent, checkpoint),
            None if checkpoint > Position::START => {
                return Err(failed(PublishError::WasExactlyOnce { position: checkpoint }));
            }
            None => (Sent::default(), self.first_position().await?),
        };
        check_topics(&self.options, &reader, &sent.parts(at).0).await.map_err(failed)?;
        let (options, batch_bytes_max) = (self.options.clone(), self.batch_bytes_max);
        let begun = blocking(move || {
            let known = sent.clone();
            let already = sent.look_behind(&options)?;
            let (control, ends) = sent.parts(at);
            Ok((Session::idempotent(&options, ends, batch_bytes_max)?, control, already, known))
        });
        let (session, control, already, known) =
            self.place.renewing(async { begun.await.map_err(failed) }).await?;
        if !already.is_empty() {
            let (name, records) = (&*self.name, already.len());
            tracing::info!(publisher = name, records, "found records that were sent and not written down");
        }
        self.running = Some(self.running(session, control, already, known));
        self.reader = Some(reader);
        self.write(at).await?;
        Ok(at)
    }

    /// Writes down where this publisher stands.
    pub(crate) async fn write(&mut self, at: Position) -> Result<(), SubscriberError> {
        let Some(sent) = self.running.as_ref().and_then(|running| running.sent()) else {
            return self.place.advance(at).await;
        };
        let changes = vec![(Sent::KEY.into(), Change::Put(sent.text()))];
        let step = self.place.step(at)?;
        self.documents.commit(&step, PageWrite { changes, ..PageWrite::default() }).await?;
        self.place.stepped(at);
        Ok(())
    }

    /// Opens the topics that the events of `page` go to. When one takes less in a batch than the others, the session
    /// begins anew with smaller batches.
    pub(crate) async fn prepare(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        self.look_at_topics().await?;
        self.open_topics(page).await?;
        let taken = self.running.iter().flat_map(|running| running.topics.values());
        let Some(least) = taken.map(|topic| topic.record_bytes_max).min() else { return Ok(()) };
        if least >= self.batch_bytes_max {
            return Ok(());
        }
        self.batch_bytes_max = least;
        // Another session begins behind what is committed.
        self.settle().await?;
        if let Some(at) = self.at() {
            self.follow_up(at).await?;
        }
        let checkpoint = self.place.lease()?.checkpoint;
        self.close().await;
        // The lease first, always.
        self.place.renew().await?;
        self.start(checkpoint).await?;
        self.open_topics(page).await
    }

    /// Looks up the topics of categories that were not met yet.
    async fn open_topics(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        let opened = self.open_new_topics(page).await.map_err(|error| error.of(&self.name))?;
        // Whoever comes after must look there, whatever happens next.
        match self.at().filter(|_| opened && self.running.as_ref().is_some_and(|it| it.sent().is_some())) {
            Some(at) => self.write(at).await,
            None => Ok(()),
        }
    }

    /// Whether there were any.
    async fn open_new_topics(&mut self, page: &LogPage) -> Result<bool, PublishError> {
        let (Some(running), Some(reader)) = (&mut self.running, &self.reader) else {
            return Err(PublishError::Ended);
        };
        let mut opened = false;
        for event in &page.events {
            let category = event.stream.category();
            if !running.topics.contains_key(category) {
                let topic =
                    Topic::open(&self.options, reader, &self.terms, &running.control, category).await?;
                running.begin_topic(&self.options, reader, &topic).await?;
                running.topics.insert(category.into(), topic);
                opened = true;
            }
        }
        Ok(opened)
    }

    /// Looks whether the topics are as they were, if that was not done for a while.
    pub(crate) async fn look_at_topics(&mut self) -> Result<(), SubscriberError> {
        let (Some(running), Some(reader)) = (&mut self.running, &self.reader) else { return Ok(()) };
        if self.looked.elapsed() < self.looks_every {
            return Ok(());
        }
        let looked = check_topics(&self.options, reader, &running.control).await;
        looked.map_err(|error| error.of(&self.name))?;
        // What they take may have changed: they are asked anew when they are met again.
        running.topics.clear();
        self.looked = Instant::now();
        Ok(())
    }
}
