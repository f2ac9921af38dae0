//! A broker that lets a user write, make and read topics and refuses him every transaction, as rights may say and some
//! tiers of Azure Event Hubs do.

use crate::{
    broker::topics,
    guarded::{PASSWORD, guarded_with, options},
    metered::Metered,
    place::Place,
    tally::Elsewhere,
};
use annals::{Checkpoints, Position, Runner, catch_up, error_text};
use annals_kafka::{Delivery, Publisher, PublisherTerms};
use annals_services::{KafkaTool, OwnBroker, RIGHTS_CHECKED};
use rdkafka::{mocking::MockCluster, types::RDKafkaApiKey};
use tokio_util::sync::CancellationToken;

/// What Kafka keeps transactions in. It is made when somebody first asks for one.
const TRANSACTIONS: &str = "__transaction_state";

/// A broker where alice may make, write and read topics, and nothing else: be in no group either.
fn refusing() -> Option<OwnBroker> {
    let broker = guarded_with(&RIGHTS_CHECKED)?;
    allow(&broker, &["--operation", "Create", "--operation", "Write", "--operation", "Read", "--topic", "*"]);
    Some(broker)
}

fn allow(broker: &OwnBroker, what: &[&str]) {
    KafkaTool::find().unwrap().allow(&broker.bootstrap(), "alice", what).unwrap();
}

fn knows_of_transactions(broker: &OwnBroker) -> bool {
    topics(&broker.bootstrap(), &["--list"]).lines().any(|topic| topic == TRANSACTIONS)
}

impl Place {
    fn of_alice(broker: &OwnBroker) -> Self {
        Self::on(options(broker, &format!("alice:{PASSWORD}"), "mechanism=SCRAM-SHA-256"))
    }

    /// Appends 40 events more, and publishes them with a new publisher.
    async fn published(&self, delivery: Delivery) {
        for key in 0..10 {
            self.append("order", key, 3).await;
            self.append("stock", key, 1).await;
        }
        let terms = PublisherTerms { delivery, ..self.terms() };
        catch_up(&*self.store, &mut self.publisher(terms)).await.unwrap();
    }

    async fn holds(&self, records: u64) {
        let proof = self.proof(&["order", "stock"]).await;
        assert!(proof.holds() && proof.records() == records, "{proof:?}");
    }
}

/// Nobody has ever asked this broker for a transaction: also not who may have some.
///
/// Control: at the end somebody does, exactly once, and then it is seen.
///
/// How it was broken: where a reader takes it for its own that this user may be in no group, the second publisher does
/// not begin ("reading what was sent before").
#[tokio::test(flavor = "multi_thread")]
async fn without_transactions_all_is_published_by_who_may_have_none_and_none_is_asked_for() {
    let Some(broker) = refusing() else { return };
    let alice = Place::of_alice(&broker);
    for round in 1..=3 {
        alice.published(Delivery::AtLeastOnce).await;
        alice.holds(40 * round).await;
    }
    let anybody = Place::on(broker.url().parse().unwrap());
    anybody.published(Delivery::AtLeastOnce).await;
    anybody.holds(40).await;
    assert!(!knows_of_transactions(&broker));
    Place::on(broker.url().parse().unwrap()).published(Delivery::ExactlyOnce).await;
    assert!(knows_of_transactions(&broker), "the control");
}

/// What is told of it has the publisher's name, the reason and the next step, wherever one looks; and the next step
/// helps, either of the two.
///
/// How it was broken: with the next step of rights in general in `failure.rs`, neither way out is told.
#[tokio::test(flavor = "multi_thread")]
async fn exactly_once_ends_where_transactions_are_refused_and_says_what_helps() {
    let Some(broker) = refusing() else { return };
    let place = Place::of_alice(&broker);
    place.append("order", 1, 5).await;
    let error = catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap_err();
    let told = error_text(&error);
    let refused = |told: &str| {
        [
            &*place.name,
            "Transactional Id authorization failed",
            "transactional id",
            "--delivery at-least-once",
        ]
        .iter()
        .all(|part| told.contains(part))
    };
    assert!(refused(&told), "{told}");

    let failures = || Metered::of_this_program().count("annals_subscriber_failures", &[&place.name]);
    let stop = CancellationToken::new();
    let runner = Runner::new(place.store.clone()).with(place.publisher(place.terms()));
    let running = tokio::spawn(runner.run(stop.clone()));
    let looking = Elsewhere { documents: place.documents.clone(), ..Elsewhere::new(&place.options, vec![]) };
    looking.until("it is tried and told again", || async { failures() >= 2 }).await;
    let all = place.documents.subscribers().await.unwrap();
    let info = all.iter().find(|info| info.subscriber.name() == place.name).unwrap();
    let (recorded, _) = info.failure.as_ref().unwrap();
    assert!(refused(recorded) && info.checkpoint == Position::START, "{info:?}");
    stop.cancel();
    assert!(running.await.unwrap()[0].outcome.is_err());
    let control_topic = Publisher::control_topic(&place.name);
    let listed = topics(&broker.bootstrap(), &["--list"]);
    assert_eq!(listed.lines().collect::<Vec<_>>(), [&*control_topic], "nothing was published");

    // One way out, under the same name.
    place.published(Delivery::AtLeastOnce).await;
    place.holds(45).await;
    // And the other one.
    let other = Place::of_alice(&broker);
    allow(&broker, &["--operation", "Write", "--transactional-id", &other.name]);
    other.published(Delivery::ExactlyOnce).await;
    other.published(Delivery::ExactlyOnce).await;
    other.holds(80).await;
}

/// One that does not know what it is asked: a cluster that the driver plays.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_knows_no_transactions_is_told_of_too() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.apiversion(RDKafkaApiKey::InitProducerId, None, None).unwrap();
    let place = Place::on(format!("kafka://{}", cluster.bootstrap_servers()).parse().unwrap());
    cluster.create_topic(&Publisher::control_topic(&place.name), 1, 1).unwrap();
    place.append("order", 1, 5).await;
    let error = catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap_err();
    let told = error_text(&error);
    assert!(told.contains("has no transactions: publish with --delivery at-least-once"), "{told}");
}
