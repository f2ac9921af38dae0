//! Projections that write real tables, in the transaction of the page.

use annals::{EventSet, ProjectError, RecordedEvent};
use async_trait::async_trait;
use sqlx::PgConnection;
use std::sync::Arc;

/// Writes events into tables of its own: for joins, constraints, and whatever documents are too small for.
///
/// Each generation has a schema of its own, in which [`create`](Self::create) makes the tables; both functions find it
/// as their `search_path`, so they name tables without a schema. People read them as views in `NAME_views`, which
/// always show the live generation: the table `lines` of the projection `invoices` is the view `invoices_lines`, its
/// table `invoices` is the view `invoices`.
///
/// What [`handle`](Self::handle) writes, what was parked and the checkpoint count together, under the lease: each event
/// counts exactly once. Run by a [`SqlProjector`](crate::SqlProjector), or from topics by [`SqlParts`](crate::SqlParts);
/// rebuilt, compared and switched as any read model.
///
/// ```
/// use annals::{DomainEvent, RecordedEvent};
/// use annals_postgres::{SqlProjection, SqlRefusal, Told};
/// use sqlx::PgConnection;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// enum AccountEvent {
///     Deposited { cents: i64 },
/// }
/// impl DomainEvent for AccountEvent {
///     const CATEGORY: &'static str = "account";
/// }
///
/// struct Balances;
///
/// #[async_trait::async_trait]
/// impl SqlProjection for Balances {
///     const NAME: &'static str = "balances";
///     type Event = AccountEvent;
///
///     async fn create(&self, tables: &mut PgConnection) -> Result<(), sqlx::Error> {
///         sqlx::raw_sql("CREATE TABLE balances (account text PRIMARY KEY, cents bigint NOT NULL)")
///             .execute(tables)
///             .await
///             .map(|_| ())
///     }
///
///     async fn handle(&self, tables: &mut PgConnection, events: &[Told<'_, AccountEvent>]) -> Result<(), SqlRefusal> {
///         for Told { event: AccountEvent::Deposited { cents }, recorded } in events {
///             sqlx::query(
///                 "INSERT INTO balances AS b VALUES ($1, $2) ON CONFLICT (account) DO UPDATE SET cents = b.cents + $2",
///             )
///             .bind(recorded.key())
///             .bind(cents)
///             .execute(&mut *tables)
///             .await?;
///         }
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait SqlProjection: Send + Sync + 'static {
    /// The name of the read model: `[a-z][a-z0-9-]*`. A storage contract.
    const NAME: &'static str;

    /// Raise it whenever the tables change: the read model is then rebuilt.
    const VERSION: u32 = 1;

    /// What it takes: one aggregate's events, or an [`event_set!`](annals::event_set).
    type Event: EventSet;

    /// Makes the tables of a new generation, with their indexes.
    async fn create(&self, tables: &mut PgConnection) -> Result<(), sqlx::Error>;

    /// Under what an event is parked when it is refused; later events of that key follow it there, others go on.
    /// The stream, if nothing else is said. Of several that an upcast made of one, the key of the first counts.
    fn key(&self, _event: &Self::Event, recorded: &RecordedEvent) -> Arc<str> {
        recorded.stream.as_str().into()
    }

    /// Writes the events of a page, which are in log order. It must not end the transaction, and takes time, ids and
    /// whatever else differs from one run to the next from the events only: a rebuild makes the same rows.
    ///
    /// # Errors
    /// When it refuses a page, what it wrote of it is taken back, and each event is handled alone; one that is then
    /// refused is parked. A page may therefore come several times, also in parts.
    async fn handle(
        &self,
        tables: &mut PgConnection,
        events: &[Told<'_, Self::Event>],
    ) -> Result<(), SqlRefusal>;
}

/// An event in today's shape, and as it was recorded.
#[derive(Debug)]
pub struct Told<'p, E> {
    /// The event.
    pub event: E,
    /// Where and when it was recorded.
    pub recorded: &'p RecordedEvent,
}

/// Why a page of events, or one event, was not written.
#[derive(Debug, thiserror::Error)]
pub enum SqlRefusal {
    /// The projection refuses it.
    #[error(transparent)]
    Refused(#[from] ProjectError),
    /// The database does. A value or a constraint parks the event; whatever else fails is no fault of the event, and
    /// the page is tried again as a whole.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}
