//! Projections that write tables of their own.

use crate::place::{Place, number};
use annals::{
    Checkpoints, Commit, DocumentStore, DomainEvent, EventData, EventId, EventStore, Expected, Json,
    LeaseTerms, MemoryStore, PageLimit, ParkedAction, ParkedRequest, Position, Rebuild, Subscriber,
    SubscriberError, catch_up, testing::Metered,
};
use annals_postgres::{PostgresDocuments, SqlProjection, SqlProjector, SqlRefusal, Told};
use async_trait::async_trait;
use sqlx::PgConnection;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

#[derive(serde::Serialize, serde::Deserialize)]
enum AccountEvent {
    Deposited { cents: i64 },
    Withdrawn { cents: i64 },
}

impl DomainEvent for AccountEvent {
    const CATEGORY: &'static str = "account";
}

/// Balances, which a constraint keeps from becoming negative, and each movement.
#[derive(Clone, Default)]
struct Balances {
    /// Behind this position it fails for no fault of an event, once.
    fail_behind: Arc<AtomicU64>,
    /// What an account may be overdrawn by.
    limit: Arc<AtomicU64>,
}

#[async_trait]
impl SqlProjection for Balances {
    const NAME: &'static str = "account-books";
    type Event = AccountEvent;

    async fn create(&self, tables: &mut PgConnection) -> Result<(), sqlx::Error> {
        let make = "CREATE TABLE balances (account text PRIMARY KEY, cents bigint NOT NULL, \
                    allowed bigint NOT NULL, CHECK (cents >= -allowed)); \
                    CREATE TABLE account_books (position bigint PRIMARY KEY, account text NOT NULL, cents bigint NOT NULL)";
        sqlx::raw_sql(make).execute(tables).await.map(|_| ())
    }

    async fn handle(
        &self,
        tables: &mut PgConnection,
        events: &[Told<'_, AccountEvent>],
    ) -> Result<(), SqlRefusal> {
        for Told { event, recorded } in events {
            let cents = match event {
                AccountEvent::Deposited { cents } => *cents,
                AccountEvent::Withdrawn { cents } => -cents,
            };
            sqlx::query("INSERT INTO account_books VALUES ($1, $2, $3)")
                .bind(recorded.position.to_i64())
                .bind(recorded.key())
                .bind(cents)
                .execute(&mut *tables)
                .await?;
            let put = "INSERT INTO balances AS b VALUES ($1, greatest($2, 0), $3) ON CONFLICT (account) \
                       DO UPDATE SET cents = b.cents + $2, allowed = $3";
            let limit = self.limit.load(Ordering::Relaxed).cast_signed();
            sqlx::query(put).bind(recorded.key()).bind(cents).bind(limit).execute(&mut *tables).await?;
            let behind = self.fail_behind.load(Ordering::Relaxed);
            if behind > 0 && recorded.position.get() > behind {
                self.fail_behind.store(0, Ordering::Relaxed);
                return Err(SqlRefusal::Database(sqlx::Error::WorkerCrashed));
            }
        }
        Ok(())
    }
}

struct Room {
    store: Arc<MemoryStore>,
    documents: Arc<PostgresDocuments>,
    balances: Balances,
    sql: PgConnection,
    schema: String,
}

impl Room {
    async fn new() -> Option<Self> {
        let place = Place::new()?;
        let documents = Arc::new(place.documents().await);
        let mut sql = place.raw().await;
        let path = format!("SET search_path = {0}_views, {0}", place.schema);
        sqlx::raw_sql(sqlx::AssertSqlSafe(path)).execute(&mut sql).await.unwrap();
        Some(Self {
            store: Arc::new(MemoryStore::new()),
            documents,
            balances: Balances::default(),
            sql,
            schema: place.schema,
        })
    }

    async fn record(&self, account: u64, event_type: &'static str, cents: i64) {
        let body = Json::parse(&format!(r#"{{"cents": {cents}}}"#)).unwrap();
        let event = EventData::raw(EventId::random(), event_type, 1, body);
        let stream = format!("account-{account}").parse().unwrap();
        self.store.append(Commit::to(stream, Expected::Any, [event])).await.unwrap();
    }

    fn projector(&self, holder: &str) -> SqlProjector<Balances> {
        let terms = LeaseTerms { holder: holder.into(), lasts: Duration::from_millis(1) };
        SqlProjector::new(Arc::new(self.balances.clone()), self.store.clone(), self.documents.clone())
            .lease_terms(terms)
    }

    async fn catch_up(&self) -> Result<Position, SubscriberError> {
        catch_up(&*self.store, &mut self.projector("a test")).await
    }

    fn rebuild(&self) -> Rebuild {
        let registered = SqlProjector::registered(self.balances.clone(), self.documents.clone());
        Rebuild::new(registered, self.store.clone(), self.documents.clone())
    }

    /// The one number that a statement over the views answers.
    async fn number(&mut self, sql: &str) -> i64 {
        number(&mut self.sql, sql).await
    }

    async fn cents(&mut self, account: u64) -> i64 {
        self.number(&format!("SELECT cents FROM account_books_balances WHERE account = '{account}'")).await
    }

    async fn ask(&self, action: ParkedAction) {
        let live = self.documents.live("account-books").await.unwrap().unwrap().0;
        let request = ParkedRequest { key: "account-1".into(), action };
        assert!(self.documents.request(&live, &request).await.unwrap());
        let mut projector = self.projector("an operator");
        projector.begin().await.unwrap();
        projector.tend().await.unwrap();
        projector.end().await.unwrap();
    }

    async fn parked(&self) -> Vec<(u64, u32)> {
        let live = self.documents.live("account-books").await.unwrap().unwrap().0;
        let parked = self.documents.parked(&live, None, None, PageLimit::MAX).await.unwrap();
        parked.iter().map(|parked| (parked.position.get(), parked.attempts)).collect()
    }
}

/// Broken on purpose: keep what a refused page wrote (no `ROLLBACK TO SAVEPOINT`), and nothing is written any more.
#[tokio::test]
async fn what_a_constraint_refuses_is_parked_under_its_key_and_the_rest_of_the_page_flows() {
    let Some(mut room) = Room::new().await else { return };
    let metered = Metered::default();
    let _here = metrics::set_default_local_recorder(&metered);
    for (account, event, cents) in [
        (1, "Deposited", 100),
        (2, "Deposited", 7),
        (1, "Withdrawn", 130),
        (1, "Deposited", 5),
        (2, "Deposited", 1),
    ] {
        room.record(account, event, cents).await;
    }
    room.catch_up().await.unwrap();
    assert_eq!((room.cents(1).await, room.cents(2).await), (100, 8));
    assert_eq!(room.parked().await, [(3, 1), (4, 0)]);
    assert_eq!(metered.told("annals_events_handled"), [5.0]);
    assert_eq!(metered.told("annals_events_parked"), [2.0]);
    assert_eq!(room.number("SELECT count(*) FROM account_books").await, 3, "nothing of what was refused");

    // Later events of the key follow, in another page too.
    room.record(1, "Deposited", 10).await;
    room.record(2, "Withdrawn", 8).await;
    room.catch_up().await.unwrap();
    assert_eq!((room.cents(1).await, room.cents(2).await), (100, 0));
    assert_eq!(room.parked().await, [(3, 1), (4, 0), (6, 0)]);

    room.ask(ParkedAction::Retry).await;
    assert_eq!((room.parked().await, room.cents(1).await), (vec![(3, 2), (4, 0), (6, 0)], 100));
    room.balances.limit.store(50, Ordering::Relaxed);
    room.ask(ParkedAction::Retry).await;
    assert_eq!((room.parked().await, room.cents(1).await), (vec![], -15));
    room.record(1, "Withdrawn", 1_000).await;
    room.record(1, "Deposited", 15).await;
    room.catch_up().await.unwrap();
    assert_eq!(room.parked().await, [(8, 1), (9, 0)]);
    room.ask(ParkedAction::Discard).await;
    assert_eq!((room.parked().await, room.cents(1).await), (vec![], 0));
}

/// Broken on purpose: commit what was written when `handle` fails, and the page counts twice.
#[tokio::test]
async fn a_page_that_fails_for_another_reason_is_taken_back_and_comes_again() {
    let Some(mut room) = Room::new().await else { return };
    for account in 0..40 {
        room.record(account % 4, "Deposited", 1).await;
    }
    for behind in [1, 20, 39] {
        room.balances.fail_behind.store(behind, Ordering::Relaxed);
        assert!(matches!(room.catch_up().await, Err(SubscriberError::Checkpoint(_))));
        assert_eq!(room.number("SELECT count(*) FROM account_books").await, 0);
    }
    assert_eq!(room.catch_up().await.unwrap(), Position::new(40));
    assert_eq!((room.cents(3).await, room.parked().await), (10, vec![]));
}

/// Broken on purpose: without `check_lease` and the epoch in `commit_page`, the runner that was replaced writes.
#[tokio::test]
async fn a_runner_that_was_replaced_writes_no_row() {
    let Some(mut room) = Room::new().await else { return };
    for _ in 0..10 {
        room.record(1, "Deposited", 1).await;
    }
    let mut paused = room.projector("paused");
    paused.begin().await.unwrap();
    let page = room.store.read_log(Position::START, PageLimit::DEFAULT, &paused.filter()).await.unwrap();
    // Its lease runs out at once.
    let mut other = room.projector("other");
    while let Err(error) = other.begin().await {
        assert!(matches!(error, SubscriberError::Lease(annals::LeaseError::Held { .. })), "{error}");
    }
    let error = paused.handle(&page).await.unwrap_err();
    assert!(matches!(&error, SubscriberError::Checkpoint(annals::CheckpointError::Fenced { .. })), "{error}");
    assert_eq!(room.number("SELECT count(*) FROM account_books").await, 0);
    other.handle(&page).await.unwrap();
    assert_eq!(room.cents(1).await, 10);
    let error = paused.handle(&page).await.unwrap_err();
    assert!(matches!(&error, SubscriberError::Checkpoint(annals::CheckpointError::Fenced { .. })), "{error}");
    assert_eq!(room.cents(1).await, 10);
}

/// Without `is_next` in `handle` the second delivery would be written as the next step.
#[tokio::test]
async fn a_page_that_is_delivered_twice_counts_once() {
    let Some(mut room) = Room::new().await else { return };
    room.record(1, "Deposited", 10).await;
    let mut projector = room.projector("twice");
    projector.begin().await.unwrap();
    let page = room.store.read_log(Position::START, PageLimit::DEFAULT, &projector.filter()).await.unwrap();
    for _ in 0..2 {
        projector.handle(&page).await.unwrap();
    }
    assert_eq!(room.cents(1).await, 10);
}

#[tokio::test]
async fn tables_are_rebuilt_compared_and_switched_like_any_read_model() {
    let Some(mut room) = Room::new().await else { return };
    for number in 0..300 {
        room.record(number % 7, "Deposited", 3).await;
    }
    room.catch_up().await.unwrap();
    let rebuilt = room.rebuild().compare(&mut |_| ()).await.unwrap();
    let comparison = rebuilt.comparison.unwrap();
    assert_eq!((rebuilt.switched, comparison.differences(), comparison.documents), (true, 0, 307));
    assert_eq!(room.number("SELECT sum(cents)::bigint FROM account_books_balances").await, 900);
    let left = format!("SELECT count(*) FROM pg_namespace WHERE nspname LIKE '{}\\_g%'", room.schema);
    assert_eq!(room.number(&left).await, 1, "the tables that were replaced are gone");

    // A row that somebody changed by hand is found, and a plain replay mends it.
    let id = room.number("SELECT id FROM generations WHERE state = 'live'").await;
    let spoil = format!("UPDATE {}_g{id}.balances SET cents = 1 WHERE account = '3'", room.schema);
    sqlx::raw_sql(sqlx::AssertSqlSafe(spoil)).execute(&mut room.sql).await.unwrap();
    let differs = room.rebuild().compare(&mut |_| ()).await.unwrap();
    let comparison = differs.comparison.unwrap();
    assert_eq!((differs.switched, comparison.missing, comparison.extra), (false, 1, 1));
    assert_eq!(comparison.examples, ["balances (3,1,0)", "balances (3,129,0)"]);
    assert_eq!(room.cents(3).await, 1);
    assert!(room.rebuild().run(&mut |_| ()).await.unwrap().switched);
    assert_eq!(room.cents(3).await, 129);
    room.record(3, "Deposited", 1).await;
    room.catch_up().await.unwrap();
    assert_eq!(room.cents(3).await, 130);
}

/// The view of one read model is not taken over by another.
#[tokio::test]
async fn two_read_models_never_share_a_view() {
    let Some(room) = Room::new().await else { return };
    let other = room.documents.open("account-books-balances", 1).await.unwrap();
    room.documents.describe(&other, &[]).await.unwrap();
    room.record(1, "Deposited", 1).await;
    let error = annals::error_text(&room.catch_up().await.unwrap_err());
    assert!(
        error.contains("is that of read model account-books-balances already; give it another name"),
        "{error}"
    );
}
