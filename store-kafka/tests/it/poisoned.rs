//! An event that the projection refuses parks its key and nothing else, and is fed again after the mending.

use crate::{place::Place, tally::Elsewhere};
use annals::{Checkpoints, DocumentStore, PageLimit, REFUSED_ATTEMPTS_MAX, SubscriberId, catch_up};
use annals_kafka::{DeadLetter, DeadLetters};
use rdkafka::{
    admin::{AdminClient, AdminOptions, ResourceSpecifier},
    client::DefaultClientContext,
};
use std::sync::atomic::Ordering;

/// Broken on purpose, and seen to fail this: the copy left out, so that there is nothing to replay from.
#[tokio::test(flavor = "multi_thread")]
async fn poison_parks_its_key_and_nothing_else_and_is_replayed_in_order() {
    let Some(place) = Place::shared() else { return };
    let payload = |n: u32| format!("{{\"n\":{n}}}");
    for key in 0..10 {
        place.append_payloads("order", key, &[1, 2].map(payload)).await;
    }
    place.append_payloads("order", 3, &[13, 14].map(payload)).await;
    for key in 0..10 {
        place.append_payloads("order", key, &[20].map(payload)).await;
    }
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let running = there.run();
    there.until_counted(32).await;
    let (live, _) = there.documents.live("tally").await.unwrap().unwrap();
    let parked = there.documents.parked(&live, None, None, PageLimit::MAX).await.unwrap();
    let told: Vec<_> =
        parked.iter().map(|entry| (&*entry.key, entry.attempts, entry.error.as_str())).collect();
    let refused = ("order-3", REFUSED_ATTEMPTS_MAX, "13 is refused");
    assert_eq!(told, [refused, ("order-3", 0, ""), ("order-3", 0, "")]);
    let notes = |text: &str| text[text.find('[').unwrap()..].trim_end_matches('}').to_string();
    let tallied = there.tallied().await;
    assert_eq!(notes(&tallied["order-3"]), "[1,2]");
    assert!(
        (0..10).filter(|key| *key != 3).all(|key| notes(&tallied[&format!("order-{key}")]) == "[1,2,20]")
    );

    let setting = setting(&place, &DeadLetters::topic(&there.topics[0]), "retention.ms").await;
    assert_eq!(setting.as_deref(), Some("-1"), "they are there when somebody comes to look");
    let letters = DeadLetters::new(place.options.clone(), there.topics.clone());
    let found = letters.list(10).await.unwrap();
    let kept: Vec<_> = found.iter().map(|letter| letter.event.payload.as_str().to_string()).collect();
    assert_eq!(kept, [13, 14, 20].map(payload));
    let first = &found[0];
    assert_eq!((first.subscriber.as_str(), first.key.as_str()), ("tally", "order-3"));
    assert_eq!((first.error.as_str(), first.attempts), ("13 is refused", REFUSED_ATTEMPTS_MAX));
    assert_eq!((first.topic.as_str(), first.event.stream.as_str()), (there.topics[0].as_str(), "order-3"));

    // One is found without its topics being named, and told with all that it carries and where it lies.
    let parts = there.documents.subscribers().await.unwrap();
    let filling = DeadLetters::filling(place.options.clone(), &parts, &live).await.unwrap();
    let pick = |letter: DeadLetter| (letter.event.payload.as_str() == "{\"n\":13}").then_some(letter);
    let only = filling.select(pick).await.unwrap();
    assert_eq!(only.len(), 1);
    assert_eq!(
        (&only[0].copy, only[0].copy.topic.as_str()),
        (&first.copy, &*format!("{}.dlt", there.topics[0]))
    );
    let header =
        |name: &str| only[0].headers.iter().find(|(known, _)| known == name).map(|(_, text)| &**text);
    assert_eq!((header("stream"), header("dlt-error")), (Some("order-3"), Some("13 is refused")));
    // Control: parts of another generation read nothing that is told.
    let other = SubscriberId::new("tally", 2).unwrap();
    let none = DeadLetters::filling(place.options.clone(), &parts, &other).await.unwrap();
    assert!(none.list(10).await.unwrap().is_empty());

    // Asked for too early, it stays; after the mending it is fed again, in order, and what comes then follows.
    assert!(DeadLetters::replay(&*there.documents, "tally", "order-3").await.unwrap());
    let tries = || async {
        let parked = there.documents.parked(&live, None, None, PageLimit::ONE).await.unwrap();
        parked.first().map(|entry| entry.attempts)
    };
    there.until("it was tried again", || async { tries().await == Some(REFUSED_ATTEMPTS_MAX + 1) }).await;
    there.tally.mended.store(true, Ordering::Relaxed);
    assert!(DeadLetters::replay(&*there.documents, "tally", "order-3").await.unwrap());
    there.until("it is settled", || async { tries().await.is_none() }).await;
    place.append_payloads("order", 3, &[30].map(payload)).await;
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    there.until_counted(33).await;
    assert_eq!(notes(&there.tallied().await["order-3"]), "[1,2,13,14,20,30]");
    assert!(!DeadLetters::replay(&*there.documents, "tally", "order-3").await.unwrap());
    running.stop().await;
}

/// How `topic` is set.
async fn setting(place: &Place, topic: &str, name: &str) -> Option<String> {
    let url = place.options.to_string();
    let mut config = rdkafka::ClientConfig::new();
    config.set("bootstrap.servers", url.trim_start_matches("kafka://"));
    let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
    let asked = admin.describe_configs([&ResourceSpecifier::Topic(topic)], &AdminOptions::new()).await;
    asked.unwrap()[0].as_ref().unwrap().get(name).and_then(|entry| entry.value.clone())
}
