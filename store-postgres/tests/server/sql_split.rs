//! A SQL projection of recorded events of which an upcast makes several.

use crate::place::{Place, number};
use annals::{
    Commit, DocumentStore, DomainEvent, EventData, EventId, EventStore, Expected, Json, MemoryStore,
    PageLimit, ParkedAction, ParkedRequest, ProjectError, RecordedEvent, Subscriber, Upcast, catch_up,
};
use annals_postgres::{SqlProjection, SqlProjector, SqlRefusal, Told};
use async_trait::async_trait;
use serde_json::json;
use sqlx::PgConnection;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

#[derive(serde::Serialize, serde::Deserialize)]
enum TransferEvent {
    Taken { from: String },
    Given { to: String },
}

impl DomainEvent for TransferEvent {
    const CATEGORY: &'static str = "transfer";
    const UPCASTS: &'static [Upcast] = &[Upcast::split("Moved", 1, |body| {
        Ok(vec![("Taken", 1, json!({ "from": body["from"] })), ("Given", 1, json!({ "to": body["to"] }))])
    })];
}

/// Who has taken part, under a key for each account. Nobody is given anything until it is mended.
#[derive(Clone, Default)]
struct Accounts(Arc<AtomicBool>);

#[async_trait]
impl SqlProjection for Accounts {
    const NAME: &'static str = "accounts";
    type Event = TransferEvent;

    async fn create(&self, tables: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::raw_sql("CREATE TABLE accounts (name text PRIMARY KEY)").execute(tables).await.map(|_| ())
    }

    fn key(&self, event: &TransferEvent, _: &RecordedEvent) -> Arc<str> {
        let (TransferEvent::Taken { from: account } | TransferEvent::Given { to: account }) = event;
        account.as_str().into()
    }

    async fn handle(
        &self,
        tables: &mut PgConnection,
        events: &[Told<'_, TransferEvent>],
    ) -> Result<(), SqlRefusal> {
        for Told { event, recorded } in events {
            let account = self.key(event, recorded);
            sqlx::query("INSERT INTO accounts VALUES ($1)").bind(&*account).execute(&mut *tables).await?;
            if matches!(event, TransferEvent::Given { .. }) && !self.0.load(Ordering::Relaxed) {
                return Err(ProjectError::new("nothing is given").into());
            }
        }
        Ok(())
    }
}

/// How it was broken: with a key for each of them, only the first is handled again, and the second is lost.
#[tokio::test]
async fn what_an_upcast_made_of_one_event_is_parked_and_handled_again_as_one() {
    let Some(place) = Place::new() else { return };
    let (store, documents) = (Arc::new(MemoryStore::new()), Arc::new(place.documents().await));
    let body = Json::parse(r#"{"from": "ann", "to": "bob"}"#).unwrap();
    let moved = EventData::raw(EventId::random(), "Moved", 1, body);
    store.append(Commit::to("transfer-1".parse().unwrap(), Expected::Any, [moved])).await.unwrap();
    let accounts = Accounts::default();
    let projector = || SqlProjector::new(Arc::new(accounts.clone()), store.clone(), documents.clone());
    catch_up(&*store, &mut projector()).await.unwrap();
    let (live, _) = documents.live(Accounts::NAME).await.unwrap().unwrap();
    let parked = async || documents.parked(&live, None, None, PageLimit::MAX).await.unwrap();
    let keys: Vec<String> = parked().await.iter().map(|entry| entry.key.to_string()).collect();
    assert_eq!(keys, ["ann"]);

    accounts.0.store(true, Ordering::Relaxed);
    let request = ParkedRequest { key: "ann".into(), action: ParkedAction::Retry };
    assert!(documents.request(&live, &request).await.unwrap());
    let mut projector = projector();
    projector.begin().await.unwrap();
    projector.tend().await.unwrap();
    projector.end().await.unwrap();
    let mut sql = place.raw().await;
    let count = format!("SELECT count(*) FROM {}_views.accounts WHERE name IN ('ann', 'bob')", place.schema);
    assert_eq!((parked().await.len(), number(&mut sql, &count).await), (0, 2));
}
