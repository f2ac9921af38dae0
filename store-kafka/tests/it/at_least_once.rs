//! Without transactions: every event is there, in order, and what was there already is not sent again.

use crate::place::Place;
use annals::{
    EventStore, LeaseError, LeaseTerms, LogFilter, LogPage, MemoryDocuments, PageLimit, Position, Subscriber,
    SubscriberError, catch_up, error_text,
};
use annals_kafka::{Delivery, Proof, Publisher, PublisherTerms};
use std::{sync::Arc, time::Duration};

impl Place {
    fn without_transactions(&self) -> PublisherTerms {
        let lease = LeaseTerms { lasts: Duration::from_millis(200), ..LeaseTerms::default() };
        PublisherTerms { delivery: Delivery::AtLeastOnce, lease, ..self.terms() }
    }
}

fn repeated(proof: &Proof) -> u64 {
    proof.topics.values().map(|topic| topic.repeated).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_published_once_and_in_order_also_after_a_new_start() {
    let Some(place) = Place::shared() else { return };
    for round in 0..3 {
        for key in 0..100 {
            place.append("order", key, 3).await;
            place.append("stock", key, 1).await;
        }
        let mut publisher = place.publisher(place.without_transactions());
        let at = catch_up(&*place.store, &mut publisher).await.unwrap();
        assert_eq!(at, Position::new(400 * (round + 1)));
        let proof = place.proof(&["order", "stock"]).await;
        assert!(proof.holds(), "{proof:?}");
        assert_eq!(proof.records(), 400 * (round + 1));
    }
}

/// A publisher that has taken the lease, when that of whoever went before is over, and what it is to publish.
async fn begun(place: &Place) -> (Publisher, LogPage) {
    let mut publisher = place.publisher(place.without_transactions());
    let at = loop {
        match publisher.begin().await {
            Err(SubscriberError::Lease(LeaseError::Held { .. })) => {}
            begun => break begun.unwrap(),
        }
    };
    let page = place.store.read_log(at, PageLimit::MAX, &LogFilter::all()).await.unwrap();
    (publisher, page)
}

/// Publishes all there is, and goes without a word: nothing of it is written down.
async fn published_and_not_written_down(place: &Place) {
    let (mut publisher, page) = begun(place).await;
    publisher.handle(&page).await.unwrap();
}

/// Somebody else publishes what is left.
async fn taken_over(place: &Place) {
    let (mut publisher, page) = begun(place).await;
    publisher.handle(&page).await.unwrap();
    publisher.end().await.unwrap();
}

// Control, tried: where `Sent::look_behind` answers with nothing, or a session that has found records moves the ends
// that are written down behind them, records repeat.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_publisher_had_sent_is_found_and_not_sent_again() {
    let Some(place) = Place::shared() else { return };
    for _ in 0..3 {
        for key in 0..100 {
            place.append("order", key, 5).await;
        }
        published_and_not_written_down(&place).await;
    }
    place.append("order", 7, 5).await;
    taken_over(&place).await;
    let proof = place.proof(&["order"]).await;
    assert!(proof.holds() && proof.records() == 1_505, "{proof:?}");
}

// The control of the test above: who does not know where the topics ended sends everything again.
#[tokio::test(flavor = "multi_thread")]
async fn without_what_was_written_down_it_would_be_sent_again() {
    let Some(mut place) = Place::shared() else { return };
    place.append("order", 1, 100).await;
    published_and_not_written_down(&place).await;
    place.documents = Arc::new(MemoryDocuments::default());
    taken_over(&place).await;
    let proof = place.proof(&["order"]).await;
    assert_eq!((proof.records(), repeated(&proof)), (100, 100), "{proof:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_of_transactions_is_not_gone_on_with() {
    let Some(place) = Place::shared() else { return };
    place.append("order", 1, 1).await;
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    let error = place.publisher(place.without_transactions()).begin().await.unwrap_err();
    assert!(error_text(&error).contains("exactly once until now"), "{error}");
}
