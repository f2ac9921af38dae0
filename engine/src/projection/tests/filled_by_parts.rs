use super::{Room, ordered, room};
use crate::fixture::place;
use crate::*;
use async_trait::async_trait;
use std::sync::Arc;

/// Nothing is refused here.
struct Nowhere;

#[async_trait]
impl ParkedEvents for Nowhere {
    async fn keep(&self, _: &[(&Parked, &RecordedEvent)]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn find(&self, _: &[Parked]) -> Result<Vec<Result<RecordedEvent, String>>, StoreError> {
        Ok(vec![])
    }
}

impl Room {
    /// Has a part handle what is in the log, as if it had come from a topic.
    async fn run_a_part(&self) {
        let registered = Registered::new(self.demand.clone());
        let (parts, terms) = (registered.parts().unwrap(), LeaseTerms::default());
        let mut part = parts.live("0", PartMode::InOrder, self.documents.clone(), Arc::new(Nowhere), terms);
        let at = part.begin().await.unwrap();
        let page = self.store.read_log(at, PageLimit::MAX, parts.takes()).await.unwrap();
        part.handle(&page).await.unwrap();
        part.end().await.unwrap();
    }
}

/// How it was broken: without the look at the parts (`Place::begin_from_log`), nothing is refused; the 400 orders of a
/// demo were 800.
#[tokio::test]
async fn what_parts_fill_a_log_does_not_count_again() {
    let room = room();
    place(&*room.store, 1, &[("hat", 3)]).await;
    let mut early = room.projector();
    early.begin().await.unwrap();
    room.run_a_part().await;
    assert_eq!(ordered(&room.documents, "hat").await, 3);
    // One that began before, and one that begins now.
    let page = room.store.read_log(Position::START, PageLimit::MAX, &LogFilter::all()).await.unwrap();
    let refused = early.handle(&page).await;
    assert!(matches!(refused, Err(SubscriberError::FilledByParts { .. })), "{refused:?}");
    early.end().await.unwrap();
    let refused = catch_up(&*room.store, &mut room.projector()).await;
    assert!(matches!(refused, Err(SubscriberError::FilledByParts { .. })), "{refused:?}");
    assert_eq!(ordered(&room.documents, "hat").await, 3);
    // It can be made anew from the log, in a generation that no part has written to; and then the parts are refused.
    let rebuilt = room.rebuild().run(&mut |_| ()).await.unwrap();
    assert_eq!((rebuilt.switched, ordered(&room.documents, "hat").await), (true, 3));
    room.catch_up().await;
}

#[tokio::test]
async fn a_kind_of_projection_that_has_no_parts_says_so() {
    let room = room();
    let plain = Registered::new(room.demand.clone());
    let demand = room.demand.clone();
    let other = Registered::custom("demand", 1, move |store, documents, _| {
        Box::new(Projector::new(demand.clone(), store, documents))
    });
    assert!(plain.parts().is_some() && other.parts().is_none());
    assert!(plain.parts().unwrap().takes().takes_type("order", "Placed"));
}
