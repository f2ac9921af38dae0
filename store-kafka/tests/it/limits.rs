//! What a topic takes: records at its limit, and many together.

use crate::{
    broker::{bootstrap, set, topics},
    place::Place,
};
use annals::{EventStore, LogFilter, PageLimit, Position, Subscriber, SubscriberError, catch_up, error_text};
use annals_kafka::{Delivery, Oversize, PublishError, PublisherTerms};

const LIMIT: usize = 20_000;

fn limited(place: &Place, category: &str, limit: usize) {
    let setting = format!("max.message.bytes={limit}");
    let topic = place.topic(category);
    topics(&bootstrap(), &["--create", "--topic", &topic, "--partitions", "2", "--config", &setting]);
}

/// An event with a payload of so many bytes.
fn payload(bytes: usize) -> String {
    format!("{{\"x\":\"{}\"}}", "y".repeat(bytes - 8))
}

/// How large the record is that does not fit, and where it is.
fn oversize(error: &SubscriberError) -> (usize, Position) {
    let SubscriberError::Elsewhere { source, .. } = error else { panic!("{error:?}") };
    match source.downcast_ref() {
        Some(PublishError::Oversize { bytes, position, max: LIMIT, .. }) => (*bytes, *position),
        _ => panic!("{error:?}"),
    }
}

// Control, tried: where `Publisher::prepare` does not begin anew, the broker refuses a batch, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn records_that_fit_alone_go_out_in_batches_that_fit() {
    let Some(place) = Place::shared() else { return };
    limited(&place, "order", LIMIT);
    // A topic that takes more, met first, in larger batches.
    place.append_payloads("stock", 1, &vec![payload(100_000); 10]).await;
    for key in 0..10 {
        place.append_payloads("order", key, &vec![payload(2_000); 100]).await;
    }
    place.append_payloads("stock", 1, &vec![payload(100_000); 10]).await;
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    let proof = place.proof(&["order", "stock"]).await;
    assert!(proof.holds() && proof.records() == 1_020, "{proof:?}");
}

// The broker is the control: a limit of one byte less, and it refuses the same record.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_as_large_as_its_topic_takes_goes_out_and_one_byte_more_stops_the_publisher() {
    let Some(place) = Place::shared() else { return };
    limited(&place, "order", LIMIT);
    let follow = async |place: &Place| catch_up(&*place.store, &mut place.publisher(place.terms())).await;
    place.append_payloads("order", 1, &[payload(100), payload(LIMIT)]).await;
    let (bytes, at) = oversize(&follow(&place).await.unwrap_err());
    assert_eq!(at, Position::new(2));
    assert_eq!(place.proof(&["order"]).await.records(), 1, "what lies in front of it is published");

    let other = Place { store: Default::default(), ..Place::shared().unwrap() };
    limited(&other, "order", LIMIT);
    let fits = LIMIT - (bytes - LIMIT);
    other.append_payloads("order", 1, &[payload(100), payload(fits)]).await;
    follow(&other).await.unwrap();
    let proof = other.proof(&["order"]).await;
    assert!(proof.holds() && proof.records() == 2, "{proof:?}");

    other.append_payloads("order", 1, &[payload(fits + 1)]).await;
    assert_eq!(oversize(&follow(&other).await.unwrap_err()).0, LIMIT + 1);
    // A publisher that knows the topic as it was a moment ago.
    set(&bootstrap(), &other.topic("order"), &format!("max.message.bytes={}", LIMIT + 1));
    let mut publisher = other.publisher(other.terms());
    let page = async |after| {
        let after = Position::new(after);
        other.store.read_log(after, PageLimit::MAX, &LogFilter::all()).await.unwrap()
    };
    assert_eq!(publisher.begin().await.unwrap(), Position::new(2));
    publisher.handle(&page(2).await).await.unwrap();
    set(&bootstrap(), &other.topic("order"), &format!("max.message.bytes={LIMIT}"));
    other.append_payloads("order", 1, &[payload(fits + 1)]).await;
    let told = error_text(&publisher.handle(&page(3).await).await.unwrap_err());
    assert!(told.contains("raise max.message.bytes of the topic"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_too_large_goes_out_without_its_value_where_that_is_wanted() {
    let Some(place) = Place::shared() else { return };
    limited(&place, "order", LIMIT);
    place.append_payloads("order", 1, &[payload(100), payload(LIMIT), payload(100)]).await;
    let terms = PublisherTerms { oversize: Oversize::Omit, ..place.terms() };
    catch_up(&*place.store, &mut place.publisher(terms)).await.unwrap();
    let proof = place.proof(&["order"]).await;
    assert!(proof.holds() && proof.records() == 3, "{proof:?}");
    let omitted: Vec<_> = place
        .records("order")
        .iter()
        .map(|record| annals_kafka::Incoming::read(record).unwrap().omitted)
        .collect();
    assert_eq!(omitted, [None, Some(LIMIT as u64), None]);
}

/// More than the client takes at once: whoever publishes waits for the broker, and then goes on. That it waits is shown
/// beside `Session::send`.
#[tokio::test(flavor = "multi_thread")]
async fn more_than_waits_in_the_client_is_published_once_and_in_order() {
    const EVENTS: usize = 200;
    const BYTES: usize = 700_000;
    const { assert!(EVENTS * BYTES > 2 * annals_kafka::QUEUE_BYTES_MAX) };
    for delivery in [Delivery::ExactlyOnce, Delivery::AtLeastOnce] {
        let Some(place) = Place::shared() else { return };
        for key in 0..EVENTS as u32 / 5 {
            place.append_payloads("order", key, &vec![payload(BYTES); 5]).await;
        }
        let terms = PublisherTerms { delivery, ..place.terms() };
        catch_up(&*place.store, &mut place.publisher(terms)).await.unwrap();
        let proof = place.proof(&["order"]).await;
        assert!(proof.holds() && proof.records() == EVENTS as u64, "{proof:?}");
    }
}
