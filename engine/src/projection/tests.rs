use crate::fixture::{Demand, ShopEvent, SkuDemand, place, placed, shop};
use crate::*;
use std::sync::{Arc, atomic::Ordering};

mod filled_by_parts;
mod rebuilding;

async fn document(documents: &Arc<MemoryDocuments>, sku: &str) -> Option<SkuDemand> {
    ReadModel::<Demand>::new(documents.clone()).get(sku).await.unwrap()
}

async fn ordered(documents: &Arc<MemoryDocuments>, sku: &str) -> u32 {
    document(documents, sku).await.map_or(0, |demand| demand.ordered)
}

struct Room {
    store: Arc<MemoryStore>,
    documents: Arc<MemoryDocuments>,
    demand: Demand,
}

fn room() -> Room {
    Room { store: shop().0, documents: Arc::new(MemoryDocuments::new()), demand: Demand::default() }
}

impl Room {
    fn projector(&self) -> Projector<Demand> {
        Projector::new(self.demand.clone(), self.store.clone(), self.documents.clone())
    }

    fn rebuild(&self) -> Rebuild {
        Rebuild::new(Registered::new(self.demand.clone()), self.store.clone(), self.documents.clone())
    }

    async fn catch_up(&self) {
        catch_up(&*self.store, &mut self.projector()).await.unwrap();
    }

    async fn live(&self) -> SubscriberId {
        self.documents.live("demand").await.unwrap().unwrap().0
    }

    async fn parked(&self) -> Vec<(String, u64, String, u32)> {
        let parked = self.documents.parked(&self.live().await, None, None, PageLimit::DEFAULT).await.unwrap();
        parked.into_iter().map(|p| (p.key.to_string(), p.position.get(), p.error, p.attempts)).collect()
    }

    async fn ask(&self, action: ParkedAction) {
        let request = ParkedRequest { key: "hat".into(), action };
        assert!(self.documents.request(&self.live().await, &request).await.unwrap());
        self.catch_up().await;
        let mut projector = self.projector();
        projector.begin().await.unwrap();
        projector.tend().await.unwrap();
        projector.end().await.unwrap();
    }
}

#[tokio::test]
async fn one_event_may_touch_several_documents_each_once() {
    let room = room();
    place(&*room.store, 1, &[("hat", 2), ("scarf", 1), ("hat", 3)]).await;
    for _ in 0..2 {
        room.catch_up().await;
        assert_eq!((ordered(&room.documents, "hat").await, ordered(&room.documents, "scarf").await), (5, 1));
    }
}

impl Room {
    async fn page(&self, after: u64, last: u64) -> LogPage {
        let (after, last) = (Position::new(after), Position::new(last));
        let page = self.store.read_log(after, PageLimit::DEFAULT, &LogFilter::of::<ShopEvent>()).await;
        let mut page = page.unwrap();
        page.events.retain(|event| event.position <= last);
        LogPage { looked: last, ..page }
    }
}

/// Broken on purpose: without `is_next` in `handle` the hats of the page count twice, in one lane as in several, and so
/// do those of a page that begins before the checkpoint; one that begins beyond it loses the events between.
#[tokio::test]
async fn a_page_delivered_twice_counts_once() {
    for lanes in [1, 4] {
        let room = room();
        for order in 1..=4 {
            place(&*room.store, order, &[("hat", 2), ("scarf", 1)]).await;
        }
        let mut projector = room.projector().lanes(lanes);
        projector.begin().await.unwrap();
        for _ in 0..2 {
            projector.handle(&room.page(0, 2).await).await.unwrap();
        }
        for (after, last) in [(0, 3), (1, 3), (3, 4)] {
            let error = projector.handle(&room.page(after, last).await).await.unwrap_err();
            let told = format!("demand stands at 2 and was given the log from {after} to {last}");
            assert_eq!(error.to_string(), told);
        }
        projector.handle(&room.page(2, 4).await).await.unwrap();
        projector.handle(&room.page(0, 2).await).await.unwrap();
        projector.end().await.unwrap();
        // The place is kept: whoever comes next begins behind it.
        assert_eq!(room.projector().begin().await.unwrap(), Position::new(4));
        assert_eq!(ordered(&room.documents, "hat").await, 8);
    }
}

/// Told wrongly, as it was: with every failure taken for a lost lease, nobody hears of lanes that stay divided.
#[tokio::test]
async fn lanes_that_cannot_be_made_one_again_are_told_and_the_lease_is_given_back() {
    let room = room();
    place(&*room.store, 1, &[("hat", 2)]).await;
    let mut projector = room.projector().lanes(4);
    projector.begin().await.unwrap();
    // Behind its back, one lane goes on.
    let (from, to) = (Position::START, Position::new(1));
    let step = Step { subscriber: room.live().await, epoch: Epoch(1), from, to };
    room.documents.commit_lane(0, &step, PageWrite::default()).await.unwrap();
    let error = projector.end().await.unwrap_err();
    assert!(matches!(error, SubscriberError::Checkpoint(CheckpointError::Moved { .. })), "{error}");
    room.projector().begin().await.unwrap();
}

#[tokio::test]
async fn one_runner_at_a_time_runs_a_projection() {
    let room = room();
    let (mut first, mut second) = (room.projector(), room.projector());
    first.begin().await.unwrap();
    assert!(matches!(second.begin().await, Err(SubscriberError::Lease(LeaseError::Held { .. }))));
    first.end().await.unwrap();
    second.begin().await.unwrap();
}

/// Broken on purpose: leave the epoch out of the store's condition, and the paused runner writes.
#[tokio::test(start_paused = true)]
async fn a_runner_that_was_paused_and_replaced_writes_nothing() {
    let room = room();
    place(&*room.store, 1, &[("hat", 2)]).await;
    let mut paused = room.projector();
    paused.begin().await.unwrap();
    let page = room.store.read_log(Position::START, PageLimit::DEFAULT, &paused.filter()).await.unwrap();
    tokio::time::sleep(2 * LEASE_LASTS).await;
    let mut other = room.projector();
    other.begin().await.unwrap();
    let error = paused.handle(&page).await.unwrap_err();
    assert!(matches!(error, SubscriberError::Checkpoint(CheckpointError::Fenced { .. })), "{error}");
    assert_eq!(ordered(&room.documents, "hat").await, 0);
    other.handle(&page).await.unwrap();
    assert_eq!(ordered(&room.documents, "hat").await, 2);
}

#[tokio::test]
async fn what_is_refused_is_parked_under_its_key_and_other_keys_flow() {
    let room = room();
    for (order, lines) in [(1, ("hat", 1)), (2, ("hat", 13)), (3, ("hat", 2)), (4, ("scarf", 5))] {
        place(&*room.store, order, &[lines]).await;
    }
    room.catch_up().await;
    place(&*room.store, 5, &[("hat", 4), ("scarf", 1)]).await;
    room.catch_up().await;
    assert_eq!((ordered(&room.documents, "hat").await, ordered(&room.documents, "scarf").await), (1, 6));
    let follows = |position| ("hat".to_string(), position, String::new(), 0);
    let refused = ("hat".to_string(), 2, "13 is refused".to_string(), 1);
    assert_eq!(room.parked().await, [refused, follows(3), follows(5)], "in the order of the log");

    // Not mended yet: it stays, and knows that it was tried again.
    room.ask(ParkedAction::Retry).await;
    assert_eq!(room.parked().await[0], ("hat".to_string(), 2, "13 is refused".to_string(), 2));
    assert_eq!((room.parked().await.len(), ordered(&room.documents, "hat").await), (3, 1));

    room.demand.mended.store(true, Ordering::Relaxed);
    room.ask(ParkedAction::Retry).await;
    assert_eq!((room.parked().await, ordered(&room.documents, "hat").await), (vec![], 1 + 13 + 2 + 4));
    place(&*room.store, 6, &[("hat", 1)]).await;
    room.catch_up().await;
    assert_eq!(ordered(&room.documents, "hat").await, 21, "and it flows again");
}

#[tokio::test]
async fn what_is_discarded_is_left_out_and_what_followed_it_is_taken_in() {
    let room = room();
    for (order, quantity) in [(1, 1), (2, 13), (3, 2), (4, 13), (5, 4)] {
        place(&*room.store, order, &[("hat", quantity)]).await;
    }
    room.catch_up().await;
    room.ask(ParkedAction::Discard).await;
    let left: Vec<u64> = room.parked().await.iter().map(|parked| parked.1).collect();
    assert_eq!((left, ordered(&room.documents, "hat").await), (vec![4, 5], 3));
    room.ask(ParkedAction::Discard).await;
    assert_eq!((room.parked().await, ordered(&room.documents, "hat").await), (vec![], 7));
}

/// Broken on purpose: with `catch_up` that hands over whole pages only, the hat in front of it is not counted.
#[tokio::test]
async fn an_event_that_cannot_be_decoded_stops_the_projection_loudly_right_in_front_of_it() {
    let room = room();
    place(&*room.store, 1, &[("hat", 1)]).await;
    let newer = EventData::raw(EventId::random(), "Placed", 2, Json::empty());
    let stream = StreamId::new("order", 2).unwrap();
    room.store.append(Commit::to(stream, Expected::NEW, [newer])).await.unwrap();
    place(&*room.store, 3, &[("hat", 1)]).await;
    for _ in 0..2 {
        let error = catch_up(&*room.store, &mut room.projector()).await.unwrap_err();
        assert!(
            error_text(&error).contains("Placed in order-2 at version 1 (position 2) has schema version 2")
        );
        assert_eq!(ordered(&room.documents, "hat").await, 1);
        wait_for(&*room.documents, "demand", Position::new(1), LEASE_LASTS).await.unwrap();
    }
}

#[tokio::test]
async fn an_event_of_another_type_or_category_is_skipped() {
    let room = room();
    for (stream, event_type) in [("order-1", "Weighed"), ("parcel-1", "Placed")] {
        let strange = EventData::raw(EventId::random(), event_type, 1, Json::empty());
        room.store.append(Commit::to(stream.parse().unwrap(), Expected::NEW, [strange])).await.unwrap();
    }
    room.catch_up().await;
    wait_for(&*room.documents, "demand", Position::new(2), LEASE_LASTS).await.unwrap();
}

#[tokio::test]
async fn pages_of_one_and_of_a_thousand_make_the_same_documents() {
    let room = room();
    for order in 0..300 {
        place(&*room.store, order, &[("hat", order as u32 % 17), ("scarf", 1)]).await;
    }
    room.catch_up().await;
    let small = Room { store: room.store.clone(), documents: Arc::default(), demand: Demand::default() };
    for last in 1..=300 {
        catch_up_to(&*small.store, &mut small.projector(), Position::new(last)).await.unwrap();
    }
    let all = async |room: &Room| {
        let documents = room.documents.documents(&room.live().await, None, PageLimit::MAX).await.unwrap();
        (documents, room.parked().await)
    };
    assert_eq!(all(&room).await, all(&small).await);
    assert!(!room.parked().await.is_empty());
}

#[tokio::test]
async fn a_failure_that_a_process_left_behind_passes_with_the_next_success() {
    let room = room();
    room.catch_up().await;
    room.documents.report(&room.live().await, Some("the process was killed")).await.unwrap();
    room.catch_up().await;
    assert!(room.documents.subscribers().await.unwrap()[0].failure.is_none());
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_when_the_read_model_has_come_far_enough_or_time_is_up() {
    let room = room();
    let waited = wait_for(&*room.documents, "demand", Position::new(1), LEASE_LASTS).await;
    assert!(waited.unwrap_err().to_string().contains("demand is at 0 after 5000 ms, not at 1"));
    let waiting = {
        let documents = room.documents.clone();
        tokio::spawn(async move { wait_for(&*documents, "demand", Position::new(1), LEASE_LASTS).await })
    };
    tokio::task::yield_now().await;
    place(&*room.store, 1, &[("hat", 1)]).await;
    room.catch_up().await;
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn documents_of_another_version_are_not_read() {
    let room = room();
    let model = ReadModel::<Demand>::new(room.documents.clone());
    assert!(matches!(model.get("hat").await, Err(ReadError::Missing { .. })));
    room.documents.open("demand", 2).await.unwrap();
    let error = model.get("hat").await.unwrap_err().to_string();
    assert_eq!(
        error,
        "demand holds documents of version 2, this program reads version 1: update the program"
    );
    let error = catch_up(&*room.store, &mut room.projector()).await.unwrap_err();
    assert!(matches!(error, SubscriberError::Open(OpenError::Outdated { .. })), "{error}");
}

#[test]
fn keys_are_a_set_in_order() {
    let keys: Keys = ["b", "a", "b"].into_iter().collect();
    assert_eq!(keys.iter().map(|key| &**key).collect::<Vec<_>>(), ["b", "a"]);
    assert!(Keys::none().is_empty());
    assert_eq!(placed(&[]).event_type, *"Placed");
}
