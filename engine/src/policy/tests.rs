mod again;

use crate::fixture::{OrderEvent, ReserveOnPlaced, StockCommand, StockItem, delegate, place, shop};
use crate::metered::Metered;
use crate::*;
use std::sync::Arc;

struct Room {
    store: Arc<MemoryStore>,
    engine: Arc<Engine>,
}

impl Room {
    async fn new(hats: u32) -> Self {
        let (store, engine) = shop();
        let receive = StockCommand::Receive { quantity: hats };
        engine.execute::<StockItem>("hat", &receive, Context::new()).await.unwrap();
        Self { store, engine: Arc::new(engine) }
    }

    fn runner(&self, checkpoints: &Arc<MemoryDocuments>) -> PolicyRunner<ReserveOnPlaced> {
        PolicyRunner::new(ReserveOnPlaced, self.engine.clone(), checkpoints.clone())
    }

    fn head(&self) -> Position {
        *self.store.head().borrow()
    }
}

/// Broken on purpose: give commands of policies fresh ids, and the second run reserves again.
#[tokio::test]
async fn a_policy_that_is_run_again_from_the_beginning_repeats_nothing() {
    let room = Room::new(2).await;
    for order in 1..=3 {
        place(&*room.store, order, &[("hat", 1)]).await;
    }
    catch_up(&*room.store, &mut room.runner(&Arc::default())).await.unwrap();
    let stock = room.engine.load::<StockItem>("hat").await.unwrap().state;
    assert_eq!((stock.free, stock.reserved.len()), (0, 2));
    let head = room.head();
    assert_eq!(head, Position::new(1 + 3 + 3), "each order was answered, the third with a refusal");
    catch_up(&*room.store, &mut room.runner(&Arc::default())).await.unwrap();
    assert_eq!(room.head(), head);
}

/// Reserves for an order by a command that is rejected when too few are free.
#[derive(Clone)]
struct Insists;

impl Policy for Insists {
    const NAME: &'static str = "insists";
    type Event = OrderEvent;

    fn react(&self, _: &OrderEvent, _: &RecordedEvent) -> Vec<Issued> {
        vec![Issued::to::<StockItem>("hat", StockCommand::Reserve { order: 1, quantity: 1 })]
    }
}

#[tokio::test]
async fn a_rejection_is_an_answer_that_is_counted() {
    let metered = Metered::default();
    let _here = metrics::set_default_local_recorder(&metered);
    let room = Room::new(1).await;
    for order in 1..=3 {
        place(&*room.store, order, &[("hat", 1)]).await;
    }
    let mut runner = PolicyRunner::new(Insists, room.engine.clone(), Arc::<MemoryDocuments>::default());
    assert_eq!(catch_up(&*room.store, &mut runner).await.unwrap(), Position::new(4));
    assert_eq!(metered.told("annals_policy_rejections"), [1.0, 1.0]);
}

/// Broken on purpose: without `is_next` in `handle` the checkpoint goes back.
#[tokio::test]
async fn a_page_that_comes_again_does_not_move_the_checkpoint_back() {
    let room = Room::new(2).await;
    for order in 1..=3 {
        place(&*room.store, order, &[("hat", 1)]).await;
    }
    let checkpoints = Arc::default();
    let mut runner = room.runner(&checkpoints);
    runner.begin().await.unwrap();
    let filter = runner.filter();
    let page = room.store.read_log(Position::START, PageLimit::ONE, &filter).await.unwrap();
    let next = room.store.read_log(page.looked, PageLimit::ONE, &filter).await.unwrap();
    for page in [&page, &next, &page] {
        runner.handle(page).await.unwrap();
    }
    runner.end().await.unwrap();
    assert_eq!(checkpoints.subscribers().await.unwrap()[0].checkpoint, next.looked);
}

/// Broken on purpose: with `is_due` for the whole log, what lies between never calls for anything; with `is_next` for a
/// part, it stops where another part was given an event.
#[tokio::test]
async fn a_page_that_leaves_events_out_is_refused_by_all_but_a_part() {
    let room = Room::new(2).await;
    for order in 1..=3 {
        place(&*room.store, order, &[("hat", 1)]).await;
    }
    let checkpoints: Arc<MemoryDocuments> = Arc::default();
    let (mut all, engine) = (room.runner(&checkpoints), room.engine.clone());
    let mut part = PolicyRunner::part(ReserveOnPlaced, "north", engine, checkpoints);
    let filter = all.filter();
    let page = room.store.read_log(Position::new(2), PageLimit::ONE, &filter).await.unwrap();
    all.begin().await.unwrap();
    let refused = all.handle(&page).await.unwrap_err();
    assert!(matches!(refused, SubscriberError::Misplaced { .. }), "{refused}");
    part.begin().await.unwrap();
    part.handle(&page).await.unwrap();
}

#[tokio::test]
async fn commands_for_one_aggregate_are_carried_out_in_log_order() {
    let room = Room::new(1_000).await;
    for order in 1..=200 {
        place(&*room.store, order, &[("hat", 1), ("scarf", 1), ("hat", 1)]).await;
    }
    catch_up(&*room.store, &mut room.runner(&Arc::default())).await.unwrap();
    let stream = StreamId::new("stock", "hat").unwrap();
    let events = room.store.read(&stream, VersionRange::ALL, PageLimit::DEFAULT).await.unwrap();
    let reserved = events.iter().filter(|event| event.event_type == *"Reserved");
    let orders: Vec<u64> =
        reserved.map(|e| e.payload.read::<serde_json::Value>().unwrap()["order"].as_u64().unwrap()).collect();
    let twice_each: Vec<u64> = (1..=200).flat_map(|order| [order, order]).collect();
    assert_eq!(orders, twice_each);
}

#[tokio::test]
async fn commands_carry_on_the_tenant_and_what_caused_them() {
    let room = Room::new(0).await;
    let order: StreamId = "acme/order-7".parse().unwrap();
    let metadata =
        Json::of(Context::keyed("request").correlation_id("c-1").traceparent("00-1").metadata()).unwrap();
    let placed = crate::fixture::placed(&[("hat", 1)]).with_metadata(metadata);
    let cause = placed.id;
    room.store.append(Commit::to(order, Expected::NEW, [placed])).await.unwrap();
    catch_up(&*room.store, &mut room.runner(&Arc::default())).await.unwrap();
    let stock = "acme/stock-hat".parse().unwrap();
    let answer = &room.store.read(&stock, VersionRange::ALL, PageLimit::DEFAULT).await.unwrap()[0];
    let metadata = answer.metadata();
    assert_eq!((metadata.correlation_id.as_deref(), metadata.causation_id), (Some("c-1"), Some(cause)));
    assert_eq!(metadata.traceparent.as_deref(), Some("00-1"));
    assert_eq!(metadata.command_id, Some(CommandId::caused("reserve-on-placed", cause, &stock, 0)));
}

/// Broken on purpose: without `stops_at` of a poison, it stands in front of the whole page.
#[tokio::test]
async fn a_command_that_fails_stops_the_policy_right_in_front_of_its_cause_and_names_it() {
    let room = Room::new(1).await;
    place(&*room.store, 0, &[("hat", 1)]).await;
    let strange = EventData::raw(EventId::random(), "Weighed", 1, Json::empty());
    let scarf = StreamId::new("stock", "scarf").unwrap();
    room.store.append(Commit::to(scarf, Expected::NEW, [strange])).await.unwrap();
    place(&*room.store, 1, &[("hat", 1), ("scarf", 1)]).await;
    let checkpoints = Arc::default();
    let error = catch_up(&*room.store, &mut room.runner(&checkpoints)).await.unwrap_err();
    let text = error_text(&error);
    assert!(
        text.starts_with("reserve-on-placed cannot handle order-1 at position 4: Weighed in stock-scarf"),
        "{text}"
    );
    let standing = &checkpoints.subscribers().await.unwrap()[0];
    assert_eq!(standing.checkpoint, Position::new(3));
}

/// Broken on purpose: with a `stops_at` for every poison, the store is asked again for each event of the page.
#[test]
fn no_single_event_is_to_blame_where_the_store_fails() {
    let poison = |failed: ExecuteError<AnyRejection>| SubscriberError::Poison {
        subscriber: "reserve".into(),
        stream: "order-1".parse().unwrap(),
        position: Position::new(7),
        source: failed.into(),
    };
    let stock = || StreamId::new("stock", "hat").unwrap();
    let (doing, why) = ("being tested", "as asked");
    for store in [StoreError::transient(doing, why), StoreError::permanent(doing, why)] {
        assert_eq!(poison(Failure::Append(AppendError::Store(store)).into()).stops_at(), None);
    }
    assert_eq!(poison(Failure::Store(StoreError::permanent(doing, why)).into()).stops_at(), None);
    assert_eq!(poison(ExecuteError::Contended { stream: stock(), attempts: 8 }).stops_at(), None);
    let other = Failure::Category { stream: stock(), category: "parcel" };
    assert_eq!(poison(other.into()).stops_at(), Some(Position::new(7)));
}

/// Broken on purpose, and seen to fail this: a part that goes by the name of its policy, under which nobody stands; in
/// `annals_events_handled` only, it is counted where nobody looks.
#[tokio::test]
async fn a_part_is_called_as_its_checkpoint_is_and_its_commands_as_the_policy_says() {
    let metered = Metered::default();
    let _here = metrics::set_default_local_recorder(&metered);
    let room = Room::new(1).await;
    place(&*room.store, 1, &[("hat", 1)]).await;
    let checkpoints: Arc<MemoryDocuments> = Arc::default();
    let mut part = PolicyRunner::part(ReserveOnPlaced, "north", room.engine.clone(), checkpoints.clone());
    catch_up(&*room.store, &mut part).await.unwrap();
    let standing = &checkpoints.subscribers().await.unwrap()[0];
    assert_eq!((part.name(), part.name()), ("reserve-on-placed-1-at-north", standing.subscriber.name()));
    assert_eq!(metered.labels("annals_events_handled")[0], part.name());
    let head = room.head();
    // Another part that meets the same event sends the same command.
    let mut other = PolicyRunner::part(ReserveOnPlaced, "south", room.engine.clone(), checkpoints.clone());
    catch_up(&*room.store, &mut other).await.unwrap();
    assert_eq!(room.head(), head);
    let strange = EventData::raw(EventId::random(), "Weighed", 1, Json::empty());
    let scarf = StreamId::new("stock", "scarf").unwrap();
    room.store.append(Commit::to(scarf, Expected::NEW, [strange])).await.unwrap();
    place(&*room.store, 2, &[("scarf", 1)]).await;
    let told = error_text(&catch_up(&*room.store, &mut part).await.unwrap_err());
    assert!(told.starts_with("reserve-on-placed-1-at-north cannot handle order-2"), "{told}");
}

#[test]
fn issued_commands_are_compared_and_shown() {
    let issued = Issued::to::<StockItem>("hat", StockCommand::Clear);
    assert_eq!(format!("{issued:?}"), "stock-hat: Clear");
    assert_eq!(issued, Issued::to::<StockItem>("hat", StockCommand::Clear));
    assert_ne!(issued, Issued::to::<StockItem>("hat", StockCommand::Receive { quantity: 1 }));
    assert_ne!(issued, Issued::to::<StockItem>("scarf", StockCommand::Clear));
}

/// Broken on purpose: await the commands without renewing, and the other runner takes over.
#[tokio::test(start_paused = true)]
async fn a_page_that_takes_long_keeps_its_lease() {
    let room = Room::new(1).await;
    place(&*room.store, 1, &[("hat", 1)]).await;
    let slow = Arc::new(Engine::new(Arc::new(Slow { inner: room.store.clone(), takes: 4 * LEASE_LASTS })));
    let checkpoints: Arc<MemoryDocuments> = Arc::default();
    let mut runner = PolicyRunner::new(ReserveOnPlaced, slow, checkpoints.clone());
    let store = room.store.clone();
    let running = tokio::spawn(async move { catch_up(&*store, &mut runner).await });
    tokio::time::sleep(2 * LEASE_LASTS).await;
    let other = room.runner(&checkpoints).begin().await;
    assert!(matches!(other, Err(SubscriberError::Lease(LeaseError::Held { .. }))), "{other:?}");
    running.await.unwrap().unwrap();
}

/// A store whose appends take their time.
struct Slow {
    inner: Arc<MemoryStore>,
    takes: std::time::Duration,
}

delegate!(
    Slow,
    inner,
    async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        tokio::time::sleep(self.takes).await;
        self.inner.append(commit).await
    }
);
