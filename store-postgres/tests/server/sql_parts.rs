//! Projections that write tables of their own, on parts of the events.

mod asked;

use crate::place::{Place, number};
use annals::{
    CheckpointError, Checkpoints, Commit, DocumentStore, DomainEvent, Epoch, EventData, EventId, EventStore,
    Expected, Json, LeaseError, LeaseTerms, LogPage, MemoryStore, PageLimit, Parked, ParkedAction,
    ParkedEvents, ParkedRequest, PartMode, PlaceInCommit, Position, ProjectError, REFUSED_ATTEMPTS_MAX,
    RecordedEvent, Step, StoreError, StreamId, Subscriber, SubscriberError, SubscriberId, TEND_INTERVAL,
    Version, catch_up,
};
use annals_postgres::{PostgresDocuments, SqlParts, SqlProjection, SqlProjector, SqlRefusal, Told};
use async_trait::async_trait;
use chrono::DateTime;
use sqlx::{PgConnection, Row};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;

#[derive(serde::Serialize, serde::Deserialize)]
enum CounterEvent {
    Counted { n: i64 },
}

impl DomainEvent for CounterEvent {
    const CATEGORY: &'static str = "counter";
}

/// Sums by stream, and of all. Its author reads, adds and writes, and thinks of nobody else. 13 is refused until it is
/// mended.
#[derive(Clone, Default)]
struct Sums {
    mended: Arc<AtomicBool>,
    /// From now on all are parked under one key.
    together: Arc<AtomicBool>,
}

#[async_trait]
impl SqlProjection for Sums {
    const NAME: &'static str = "sums";
    type Event = CounterEvent;

    async fn create(&self, tables: &mut PgConnection) -> Result<(), sqlx::Error> {
        let make = "CREATE TABLE sums (name text PRIMARY KEY, sum bigint NOT NULL)";
        sqlx::raw_sql(make).execute(tables).await.map(|_| ())
    }

    fn key(&self, _: &CounterEvent, recorded: &RecordedEvent) -> Arc<str> {
        match self.together.load(Ordering::Relaxed) {
            true => "all".into(),
            false => recorded.stream.as_str().into(),
        }
    }

    async fn handle(
        &self,
        tables: &mut PgConnection,
        events: &[Told<'_, CounterEvent>],
    ) -> Result<(), SqlRefusal> {
        for Told { event: CounterEvent::Counted { n }, recorded } in events {
            for name in [recorded.key(), "all"] {
                let before = sqlx::query("SELECT sum FROM sums WHERE name = $1").bind(name);
                let (sum, write) = match before.fetch_optional(&mut *tables).await? {
                    Some(row) => (row.try_get(0)?, "UPDATE sums SET sum = $2 WHERE name = $1"),
                    None => (0, "INSERT INTO sums VALUES ($1, $2)"),
                };
                sqlx::query(write).bind(name).bind(sum + n).execute(&mut *tables).await?;
            }
            if *n == 13 && !self.mended.load(Ordering::Relaxed) {
                return Err(ProjectError::new("13 is refused").into());
            }
        }
        Ok(())
    }
}

/// Keeps parked events in memory; loses them when it is told to. While it looks, the other part may handle a page.
#[derive(Default)]
struct Kept(Mutex<Vec<RecordedEvent>>, tokio::sync::Mutex<Option<(Box<dyn Subscriber>, LogPage)>>);

#[async_trait]
impl ParkedEvents for Kept {
    async fn keep(&self, parked: &[(&Parked, &RecordedEvent)]) -> Result<(), StoreError> {
        self.0.lock().unwrap().extend(parked.iter().map(|(_, event)| (*event).clone()));
        Ok(())
    }

    async fn find(&self, parked: &[Parked]) -> Result<Vec<Result<RecordedEvent, String>>, StoreError> {
        let meanwhile = self.1.lock().await.take();
        if let Some((mut other, page)) = meanwhile {
            other.handle(&page).await.unwrap();
        }
        let all = self.0.lock().unwrap();
        let find = |entry: &Parked| all.iter().find(|event| event.position == entry.position).cloned();
        Ok(parked.iter().map(|entry| find(entry).ok_or_else(|| "gone".to_string())).collect())
    }
}

/// How often a part looks at most until what is asked for is done.
const LOOKS_MAX: u32 = 5;

struct Room {
    documents: Arc<PostgresDocuments>,
    sums: Sums,
    parts: SqlParts<Sums>,
    kept: Arc<Kept>,
    sql: PgConnection,
}

impl Room {
    async fn new() -> Option<Self> {
        let place = Place::new()?;
        let documents = Arc::new(place.documents().await);
        let mut sql = place.raw().await;
        let path = format!("SET search_path = {0}_views, {0}", place.schema);
        sqlx::raw_sql(sqlx::AssertSqlSafe(path)).execute(&mut sql).await.unwrap();
        let sums = Sums::default();
        let parts = SqlParts::new(sums.clone(), documents.clone());
        Some(Self { documents, sums, parts, kept: Arc::default(), sql })
    }

    fn part_in(&self, mode: PartMode, number: usize) -> Box<dyn Subscriber> {
        let terms = LeaseTerms { holder: "a test".into(), lasts: Duration::from_mins(1) };
        self.parts.part(&number.to_string(), mode, self.kept.clone(), terms)
    }

    async fn part(&self, number: usize) -> Box<dyn Subscriber> {
        let mut part = self.part_in(PartMode::InOrder, number);
        part.begin().await.unwrap();
        part
    }

    async fn sum(&mut self, name: &str) -> i64 {
        number(
            &mut self.sql,
            &format!("SELECT coalesce(sum(sum), 0)::bigint FROM sums WHERE name = '{name}'"),
        )
        .await
    }

    async fn parked(&self) -> Vec<(u64, u32, String)> {
        let (live, _) = self.documents.live("sums").await.unwrap().unwrap();
        let parked = self.documents.parked(&live, None, None, PageLimit::MAX).await.unwrap();
        parked.into_iter().map(|entry| (entry.position.get(), entry.attempts, entry.error)).collect()
    }

    async fn request(&self, key: &str, action: ParkedAction) {
        let (live, _) = self.documents.live("sums").await.unwrap().unwrap();
        let request = ParkedRequest { key: key.into(), action };
        assert!(self.documents.request(&live, &request).await.unwrap());
    }

    /// Has `part` carry `action` out, at its next look.
    async fn ask(&self, part: &mut dyn Subscriber, key: &str, action: ParkedAction) {
        self.request(key, action).await;
        let (live, _) = self.documents.live("sums").await.unwrap().unwrap();
        let mut looks = tokio::time::interval(TEND_INTERVAL);
        for _ in 0..LOOKS_MAX {
            looks.tick().await;
            part.tend().await.unwrap();
            if self.documents.requests(&live, PageLimit::MAX).await.unwrap().is_empty() {
                return;
            }
        }
        panic!("it is not carried out");
    }
}

/// An event that counts `n` in the stream `key`.
fn event(position: u64, key: &str, n: i64) -> RecordedEvent {
    let stream = StreamId::new("counter", key).unwrap();
    let alone = PlaceInCommit { index: 0, size: 1 };
    let body = Json::parse(&format!(r#"{{"n": {n}}}"#)).unwrap();
    let data = EventData::raw(EventId::random(), "Counted", 1, body);
    RecordedEvent::new(stream, Version::new(1), Position::new(position), alone, DateTime::UNIX_EPOCH, data)
}

fn page(after: u64, events: Vec<RecordedEvent>) -> LogPage {
    let last = events.last().map_or(after, |event| event.position.get());
    LogPage::new(events, Position::new(after), Position::new(last), Position::new(last))
}

fn none(parked: &[(u64, u32, String)]) -> bool {
    parked.is_empty()
}

/// In two processes and four parts at once.
///
/// How it was broken: where `wait_for_turn` locks nothing (`seen` in place of `get`), rows are counted too low, or made twice
/// and refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parts_that_write_the_same_rows_lose_nothing_though_the_author_thinks_of_nobody_else() {
    const PAGES: u64 = 20;
    let Some(mut room) = Room::new().await else { return };
    let elsewhere = SqlParts::new(room.sums.clone(), room.documents.clone());
    let mut running = JoinSet::new();
    for number in 0..4 {
        let parts = if number % 2 == 0 { &room.parts } else { &elsewhere };
        let terms = LeaseTerms { holder: "a test".into(), lasts: Duration::from_mins(1) };
        let mut part = parts.part(&number.to_string(), PartMode::InOrder, room.kept.clone(), terms);
        running.spawn(async move {
            let mut at = part.begin().await.unwrap().get();
            for _ in 0..PAGES {
                let events = vec![event(at + 2, "hat", 1), event(at + 4, "cap", 2)];
                part.handle(&page(at, events)).await.unwrap();
                at += 4;
            }
            part.end().await.unwrap();
        });
    }
    running.join_all().await;
    let pages = 4 * PAGES as i64;
    assert_eq!(
        (room.sum("hat").await, room.sum("cap").await, room.sum("all").await),
        (pages, 2 * pages, 3 * pages)
    );
    assert!(none(&room.parked().await));
}

/// How it was broken: without `is_due` in `handle`, the second delivery fails.
#[tokio::test]
async fn a_page_that_a_sql_part_is_given_twice_counts_once() {
    let Some(mut room) = Room::new().await else { return };
    let mut part = room.part(0).await;
    let pages = [page(0, vec![event(3, "hat", 1)]), page(3, vec![event(7, "hat", 1)])];
    for given in pages.iter().flat_map(|page| [page, page]) {
        part.handle(given).await.unwrap();
    }
    // What lies between pages went to other parts.
    part.handle(&page(9, vec![event(11, "hat", 1)])).await.unwrap();
    part.handle(&page(11, vec![])).await.unwrap();
    assert_eq!(room.sum("hat").await, 3);
    part.end().await.unwrap();
    // The lease was given back.
    room.part(0).await;
}

/// How it was broken: with what the refused page has written kept (no `ROLLBACK TO SAVEPOINT`), or with `accepts` true
/// at once, which parks what nobody has kept.
#[tokio::test]
async fn what_a_sql_part_refuses_is_tried_again_then_kept_and_parked_with_its_key_and_nothing_else() {
    let Some(mut room) = Room::new().await else { return };
    let (mut one, mut other) = (room.part(0).await, room.part(1).await);
    let events = vec![event(1, "hat", 13), event(2, "cap", 1), event(3, "hat", 1)];
    one.handle(&page(0, events)).await.unwrap();
    other.handle(&page(0, vec![event(4, "hat", 2), event(5, "tie", 1)])).await.unwrap();
    let refused = "13 is refused".to_string();
    let parked = [(1, REFUSED_ATTEMPTS_MAX, refused.clone()), (3, 0, String::new()), (4, 0, String::new())];
    assert_eq!(room.parked().await, parked);
    let kept: Vec<u64> = room.kept.0.lock().unwrap().iter().map(|event| event.position.get()).collect();
    assert_eq!(kept, [1, 3, 4]);
    assert_eq!((room.sum("hat").await, room.sum("all").await), (0, 2));
    // Refused again, with one attempt more.
    room.ask(&mut *one, "counter-hat", ParkedAction::Retry).await;
    assert_eq!(room.parked().await[0], (1, REFUSED_ATTEMPTS_MAX + 1, refused));
    // Fed again in order after the mending, by whichever part looks first.
    room.sums.mended.store(true, Ordering::Relaxed);
    room.ask(&mut *other, "counter-hat", ParkedAction::Retry).await;
    assert!(none(&room.parked().await));
    assert_eq!((room.sum("hat").await, room.sum("all").await), (16, 18));
}

/// How it was broken: where rows are committed before the checkpoint is moved (in `PartStep::end`), one is there.
#[tokio::test]
async fn what_a_sql_part_writes_counts_with_its_checkpoint_or_not_at_all() {
    let Some(mut room) = Room::new().await else { return };
    let mut part = room.part(0).await;
    // Somebody moves the checkpoint by hand.
    let subscribers = room.documents.subscribers().await.unwrap();
    let found = subscribers.iter().find(|info| info.subscriber.name() == part.name()).unwrap();
    let subscriber = found.subscriber.clone();
    let (epoch, from, to) = (Epoch(1), Position::START, Position::new(5));
    room.documents.advance(&Step { subscriber, epoch, from, to }).await.unwrap();
    let error = part.handle(&page(0, vec![event(1, "hat", 1)])).await.unwrap_err();
    assert!(matches!(error, SubscriberError::Checkpoint(CheckpointError::Moved { .. })), "{error}");
    assert_eq!(room.sum("hat").await, 0);
}

/// How it was broken: without `check_lease` and the epoch in `commit_part`, the one that was replaced writes too.
#[tokio::test]
async fn a_sql_part_that_was_replaced_writes_no_row() {
    let Some(mut room) = Room::new().await else { return };
    let terms = LeaseTerms { holder: "paused".into(), lasts: Duration::from_millis(1) };
    let mut paused = room.parts.part("0", PartMode::InOrder, room.kept.clone(), terms);
    paused.begin().await.unwrap();
    let mut next = room.part_in(PartMode::InOrder, 0);
    while let Err(error) = next.begin().await {
        assert!(matches!(error, SubscriberError::Lease(LeaseError::Held { .. })), "{error}");
    }
    let given = page(0, vec![event(1, "hat", 1)]);
    for before in [0, 1] {
        let error = paused.handle(&given).await.unwrap_err();
        assert!(matches!(error, SubscriberError::Checkpoint(CheckpointError::Fenced { .. })), "{error}");
        assert_eq!(room.sum("hat").await, before);
        next.handle(&given).await.unwrap();
    }
}

/// How it was broken: where the one that is told again does not look what is still parked, it counts a second time.
#[tokio::test]
async fn without_order_what_comes_again_counts_once_where_it_is_still_parked() {
    let Some(mut room) = Room::new().await else { return };
    let (mut first, mut again) = (room.part_in(PartMode::OutOfOrder, 0), room.part_in(PartMode::Again, 1));
    first.begin().await.unwrap();
    again.begin().await.unwrap();
    first.handle(&page(0, vec![event(1, "hat", 13), event(2, "hat", 1)])).await.unwrap();
    assert_eq!(room.sum("hat").await, 1);
    again.handle(&page(0, vec![event(1, "hat", 13)])).await.unwrap();
    let attempts =
        |parked: Vec<(u64, u32, String)>| parked.iter().map(|entry| (entry.0, entry.1)).collect::<Vec<_>>();
    assert_eq!(attempts(room.parked().await), [(1, REFUSED_ATTEMPTS_MAX + 1)]);
    room.sums.mended.store(true, Ordering::Relaxed);
    again.handle(&page(1, vec![event(1, "hat", 13)]).moved(2)).await.unwrap();
    again.handle(&page(2, vec![event(1, "hat", 13)]).moved(3)).await.unwrap();
    assert!(none(&room.parked().await));
    assert_eq!(room.sum("hat").await, 14);
}

/// Pages of retry topics stand at offsets, and hold events of any position.
trait Moved {
    fn moved(self, to: u64) -> Self;
}

impl Moved for LogPage {
    fn moved(self, to: u64) -> Self {
        Self::new(self.events, Position::new(to - 1), Position::new(to), Position::new(to))
    }
}

/// A generation beside the live one is filled from the beginning and switched to; parts of the one before write nothing
/// any more.
#[tokio::test]
async fn tables_are_made_anew_from_parts() {
    let Some(mut room) = Room::new().await else { return };
    let mut old = room.part(0).await;
    old.handle(&page(0, vec![event(1, "hat", 1)])).await.unwrap();
    let building = room.documents.start_rebuild("sums", 1).await.unwrap();
    let parts = room.parts.clone().building(building.clone());
    let mut new = parts.part("0", PartMode::InOrder, room.kept.clone(), LeaseTerms::default());
    assert_eq!(new.begin().await.unwrap(), Position::START);
    new.handle(&page(0, vec![event(1, "hat", 7)])).await.unwrap();
    assert_eq!(room.sum("hat").await, 1);
    room.documents.switch(&building).await.unwrap();
    assert_eq!(room.sum("hat").await, 7);
    // How it was broken: where the turn does not ask what it is a turn for (`check_takes_parts`), the tables are missed.
    let before = SubscriberId::new("sums", 1).unwrap();
    while !room.documents.purge(&before, PageLimit::MAX).await.unwrap() {}
    let error = old.handle(&page(1, vec![event(2, "hat", 1)])).await.unwrap_err();
    assert!(matches!(error, SubscriberError::Checkpoint(CheckpointError::Retired { .. })), "{error}");
    new.handle(&page(1, vec![event(2, "hat", 1)])).await.unwrap();
    assert_eq!(room.sum("hat").await, 8);
}

/// How it was broken: with `begin` in place of `begin_from_log` in the projector, hats are counted twice.
#[tokio::test]
async fn what_sql_parts_fill_a_log_does_not_count_again() {
    let Some(mut room) = Room::new().await else { return };
    let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
    let data = EventData::raw(EventId::random(), "Counted", 1, Json::parse(r#"{"n": 1}"#).unwrap());
    store.append(Commit::to("counter-hat".parse().unwrap(), Expected::Any, [data])).await.unwrap();
    let registered = SqlProjector::registered(room.sums.clone(), room.documents.clone());
    let mut early = registered.live(store.clone(), room.documents.clone(), LeaseTerms::default());
    early.begin().await.unwrap();
    let (parts, terms) = (registered.parts().unwrap(), LeaseTerms::default());
    let mut part = parts.live("0", PartMode::InOrder, room.documents.clone(), room.kept.clone(), terms);
    part.begin().await.unwrap();
    let given = store.read_log(Position::START, PageLimit::MAX, parts.takes()).await.unwrap();
    part.handle(&given).await.unwrap();
    // One that began before, and one that begins now.
    let error = early.handle(&given).await.unwrap_err();
    assert!(matches!(error, SubscriberError::FilledByParts { .. }), "{error}");
    early.end().await.unwrap();
    let mut from_log = registered.live(store.clone(), room.documents.clone(), LeaseTerms::default());
    let error = catch_up(&*store, &mut *from_log).await.unwrap_err();
    assert!(matches!(error, SubscriberError::FilledByParts { .. }), "{error}");
    assert_eq!(room.sum("hat").await, 1);
}
