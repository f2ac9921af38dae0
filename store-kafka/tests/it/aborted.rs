//! A transaction that nobody committed: its records are in the topic, and nobody who reads committed records sees them.

use crate::{forger::Forged, place::Place};
use annals::{Position, catch_up};
use annals_kafka::{Incoming, Publisher, PublisherTerms};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::time::Duration;

const WAIT_MAX: Duration = Duration::from_secs(30);

/// The one that a killed publisher leaves: records behind those that it had committed, and the place where it then
/// stands. The control is what a reader of everything finds. Broken on purpose, and seen to fail this: the place of a
/// publisher read among what is not committed, so that the rest is left out.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_publisher_had_not_committed_is_there_and_counts_for_nobody() {
    let Some(place) = Place::shared() else { return };
    let terms = || PublisherTerms { create_topics: Some(2), ..place.terms() };
    place.append("order", 1, 5).await;
    catch_up(&*place.store, &mut place.publisher(terms())).await.unwrap();
    let (topic, control) = (place.topic("order"), Publisher::control_topic(&place.name));

    let killed: BaseProducer = place.client().set("transactional.id", &place.name).create().unwrap();
    killed.init_transactions(WAIT_MAX).unwrap();
    killed.begin_transaction().unwrap();
    let key = "forged";
    for position in 6..26 {
        let forged = Forged { event_type: "Noted", key, version: position, position, previous: position - 1 };
        let record = BaseRecord::to(&topic).partition(0).key(key).payload("{}").headers(forged.headers());
        killed.send(record).map_err(|(error, _)| error).unwrap();
    }
    let stands = format!("{{\"position\":25,\"topics\":{{\"{topic}\":[25,25]}}}}");
    let record = BaseRecord::to(&control).partition(0).key(&place.name).payload(&stands);
    killed.send(record).map_err(|(error, _)| error).unwrap();
    killed.flush(WAIT_MAX).unwrap();

    place.append("order", 1, 20).await;
    let at = catch_up(&*place.store, &mut place.publisher(terms())).await.unwrap();
    assert_eq!(at, Position::new(25));
    let seen = |isolation| place.records_seen("order", isolation);
    let (committed, all) = (seen("read_committed"), seen("read_uncommitted"));
    assert_eq!((committed.len(), all.len()), (25, 45));
    let of_the_log = |record| Incoming::read(record).unwrap().event.stream.key() == "1";
    assert_eq!(all.iter().filter(|record| !of_the_log(*record)).count(), 20);
    assert!(committed.iter().all(of_the_log));
    let proof = place.proof(&["order"]).await;
    assert!(proof.holds() && proof.records() == 25, "{proof:?}");

    // It goes on after all, and can commit no more.
    killed.commit_transaction(WAIT_MAX).unwrap_err();
    assert_eq!(seen("read_committed").len(), 25);
    assert!(place.proof(&["order"]).await.holds());
}
