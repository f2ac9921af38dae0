//! Another service: read models that are filled from topics, without a log.

use crate::OrderSteps;
use annals::{DocumentStore, LeaseTerms};
use annals_kafka::{Consumer, ConsumerTerms, Handler, KafkaOptions};
use annals_postgres::{PostgresDocuments, SqlParts, SqlProjection};
use annals_sqlite::SqliteDocuments;
use clap::Args;
use futures_util::future::try_join_all;
use northwind_projections::{Orders, SalesPerDay, SalesPerSku, Stock};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Fills read models from topics until it is told to stop.
#[derive(Args)]
pub struct Consume {
    /// A file, or the URL of a PostgreSQL database.
    views: String,
    #[arg(long)]
    from: KafkaOptions,
    /// What the names of topics and groups begin with.
    #[arg(long)]
    prefix: String,
    #[arg(long)]
    holder: String,
    #[arg(long)]
    lease_ms: u64,
}

/// Opens the read models in the file `place`, or in the PostgreSQL database whose URL it is.
///
/// # Errors
/// When the place is none, or cannot be opened.
pub async fn documents_at(place: &str) -> anyhow::Result<Arc<dyn DocumentStore>> {
    Ok(match postgres_at(place).await? {
        Some(documents) => documents,
        None => Arc::new(SqliteDocuments::open(place)?),
    })
}

async fn postgres_at(place: &str) -> anyhow::Result<Option<Arc<PostgresDocuments>>> {
    match place.starts_with("postgres://") {
        true => Ok(Some(Arc::new(PostgresDocuments::open(&place.parse()?).await?))),
        false => Ok(None),
    }
}

/// In tables of its own.
fn order_steps(documents: Arc<PostgresDocuments>) -> Handler {
    let parts = SqlParts::new(OrderSteps, documents.clone());
    Handler::parts(OrderSteps::NAME, documents, move |part, mode, kept, terms| {
        parts.part(part, mode, kept, terms)
    })
}

impl Consume {
    /// Consumes until `stop`, in a group for each read model.
    ///
    /// # Errors
    /// When the read models cannot be opened, or a topic is not there.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let documents = documents_at(&self.views).await?;
        let mut handlers = vec![
            (Handler::projection(Orders, documents.clone()), "order"),
            (Handler::projection(Stock, documents.clone()), "stock"),
            (Handler::projection(SalesPerDay, documents.clone()), "order"),
            (Handler::projection(SalesPerSku, documents), "order"),
        ];
        handlers.extend(postgres_at(&self.views).await?.map(|documents| (order_steps(documents), "order")));
        let lease = LeaseTerms { holder: self.holder, lasts: Duration::from_millis(self.lease_ms) };
        let terms = ConsumerTerms { lease, ..ConsumerTerms::default() };
        let running = handlers.into_iter().map(|(handler, category)| {
            let (group, topic) =
                (format!("{}{}", self.prefix, handler.name()), format!("{}{category}", self.prefix));
            Consumer::new(&group, self.from.clone(), [topic], handler, terms.clone()).run(stop.clone())
        });
        try_join_all(running).await?;
        Ok(())
    }
}
