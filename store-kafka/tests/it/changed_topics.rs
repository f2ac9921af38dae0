//! Topics that somebody changes while they are written to: the publisher stops, and says what to do.

use crate::{
    broker::{bootstrap, topics},
    place::Place,
};
use annals::{Subscriber, SubscriberError, catch_up, follow};
use annals_kafka::{Delivery, PublishError, PublisherTerms};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn problem(error: &SubscriberError) -> &PublishError {
    let SubscriberError::Elsewhere { source, .. } = error else { panic!("{error:?}") };
    source.downcast_ref().unwrap()
}

async fn started(delivery: Delivery) -> Option<(Place, PublisherTerms)> {
    let place = Place::shared()?;
    place.append("order", 1, 3).await;
    let terms = PublisherTerms { delivery, ..place.terms() };
    catch_up(&*place.store, &mut place.publisher(terms.clone())).await.unwrap();
    Some((place, terms))
}

#[tokio::test(flavor = "multi_thread")]
async fn more_partitions_stop_a_publisher_that_starts() {
    for delivery in [Delivery::ExactlyOnce, Delivery::AtLeastOnce] {
        let Some((place, terms)) = started(delivery).await else { return };
        topics(&bootstrap(), &["--alter", "--topic", &place.topic("order"), "--partitions", "6"]);
        let error = place.publisher(terms).begin().await.unwrap_err();
        assert!(
            matches!(problem(&error), PublishError::Repartitioned { before: 4, now: 6, .. }),
            "{error:?}"
        );
    }
}

// Control, tried: without the look in `tend` this follows for ever.
#[tokio::test(flavor = "multi_thread")]
async fn more_partitions_stop_a_publisher_that_waits_for_events() {
    let Some((place, terms)) = started(Delivery::ExactlyOnce).await else { return };
    let mut publisher = place.publisher(terms).looking_every(Duration::ZERO);
    let stop = CancellationToken::new();
    let store = place.store.clone();
    let following = tokio::spawn(async move { follow(&*store, &mut publisher, &stop).await });
    topics(&bootstrap(), &["--alter", "--topic", &place.topic("order"), "--partitions", "6"]);
    let error = following.await.unwrap().unwrap_err();
    assert!(matches!(problem(&error), PublishError::Repartitioned { before: 4, now: 6, .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_deleted_is_missed() {
    for delivery in [Delivery::ExactlyOnce, Delivery::AtLeastOnce] {
        let Some((place, terms)) = started(delivery).await else { return };
        let mut publisher = place.publisher(terms.clone()).looking_every(Duration::ZERO);
        publisher.begin().await.unwrap();
        topics(&bootstrap(), &["--delete", "--topic", &place.topic("order")]);
        let missed = loop {
            match publisher.tend().await {
                Ok(()) => {}
                Err(error) => break error,
            }
        };
        assert!(matches!(problem(&missed), PublishError::TopicGone { .. }), "{missed:?}");
        publisher.end().await.unwrap();
        let missed = place.publisher(terms).begin().await.unwrap_err();
        assert!(matches!(problem(&missed), PublishError::TopicGone { .. }), "{missed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_missing_is_made_only_where_that_is_wanted() {
    let Some(place) = Place::shared() else { return };
    place.append("order", 1, 3).await;
    let terms = PublisherTerms { create_topics: None, ..place.terms() };
    let error = catch_up(&*place.store, &mut place.publisher(terms)).await.unwrap_err();
    assert!(matches!(problem(&error), PublishError::NoTopic { .. }), "{error:?}");
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    assert_eq!(place.proof(&["order"]).await.records(), 3);
}
