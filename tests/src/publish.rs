//! Publishes a log, and tells each step.

use crate::{Announced, Shop};
use annals::{LeaseError, LeaseTerms, Runner, SubscriberError};
use annals_kafka::{Delivery, KafkaOptions, Publisher, PublisherTerms, TopicNames};
use annals_sqlite::SqliteDocuments;
use anyhow::Context;
use clap::Args;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How many partitions the topics of a story have.
const PARTITIONS: u32 = 8;

/// Publishes a log until it is told to stop.
#[derive(Args)]
pub struct Publish {
    log: PathBuf,
    #[arg(long)]
    to: KafkaOptions,
    #[arg(long)]
    name: String,
    /// Where lease and checkpoint are, if they are not beside the log.
    #[arg(long)]
    views: Option<PathBuf>,
    #[arg(long)]
    holder: String,
    #[arg(long)]
    lease_ms: u64,
    /// Without transactions.
    #[arg(long)]
    at_least_once: bool,
}

impl Publish {
    /// Publishes until `stop`.
    ///
    /// # Errors
    /// When the log cannot be opened, or with what it failed with last.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut shop = Shop::open(&self.log)?;
        if let Some(views) = &self.views {
            shop.documents = Arc::new(SqliteDocuments::open(views)?);
        }
        let lease = LeaseTerms { holder: self.holder, lasts: Duration::from_millis(self.lease_ms) };
        let topics = TopicNames::prefixed(&format!("{}.", self.name))?;
        let delivery = if self.at_least_once { Delivery::AtLeastOnce } else { Delivery::ExactlyOnce };
        let create_topics = Some(PARTITIONS);
        let terms = PublisherTerms { delivery, topics, create_topics, lease, ..PublisherTerms::default() };
        let publisher =
            Publisher::new(&self.name, self.to, terms, shop.store.clone(), shop.documents.clone());
        let announced = Announced { subscriber: Box::new(publisher), hold: None };
        for ended in Runner::new(shop.store.clone()).with(announced).run(stop).await {
            match ended.outcome {
                // It stood by to the end.
                Ok(_) | Err(SubscriberError::Lease(LeaseError::Held { .. })) => {}
                Err(error) => return Err(error).context(ended.subscriber),
            }
        }
        Ok(())
    }
}
