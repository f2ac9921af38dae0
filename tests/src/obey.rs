//! Another service: a policy that is fed from topics, with a log of its own.

use crate::{Acknowledge, KeepWaybills, Shop, Standing, Witness};
use annals::{EventStore, LeaseTerms};
use annals_kafka::{Consumer, ConsumerTerms, Handler, KafkaOptions};
use clap::Args;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Keeps the waybills of a shop's orders until it is told to stop.
#[derive(Args)]
pub struct Obey {
    /// Its log: a file, or the URL of a PostgreSQL database. Its checkpoints are beside it.
    log: String,
    #[arg(long)]
    from: KafkaOptions,
    /// What the names of topic and group begin with.
    #[arg(long)]
    prefix: String,
    #[arg(long)]
    holder: String,
    #[arg(long)]
    lease_ms: u64,
    /// Lets what is appended stand still behind so many commits, until it is told to begin.
    #[arg(long)]
    stand_after: Option<u64>,
}

impl Obey {
    /// Obeys until `stop`.
    ///
    /// # Errors
    /// When the log cannot be opened, or the topic is not there.
    pub async fn run(self, begin: CancellationToken, stop: CancellationToken) -> anyhow::Result<()> {
        let way = |store| {
            let witnessed: Arc<dyn EventStore> = Arc::new(Witness::new(store, Acknowledge::Committed));
            match self.stand_after {
                Some(after) => Arc::new(Standing::new(witnessed, after, begin)),
                None => witnessed,
            }
        };
        let Shop { engine, documents, .. } = Shop::open_at(&self.log, way).await?;
        let handler = Handler::policy(KeepWaybills, engine, documents);
        let lease = LeaseTerms { holder: self.holder, lasts: Duration::from_millis(self.lease_ms) };
        let terms = ConsumerTerms { lease, ..ConsumerTerms::default() };
        let (group, topic) = (format!("{}{}", self.prefix, handler.name()), format!("{}order", self.prefix));
        Ok(Consumer::new(&group, self.from, [topic], handler, terms).run(stop).await?)
    }
}
