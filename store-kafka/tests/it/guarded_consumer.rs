//! The documented way to Azure Event Hubs, from end to end: over TLS with a connection string for a password, without
//! transactions, with a consumer and its dead letters.

use crate::{
    broker::unique,
    guarded::{PASSWORD, Tokens, file, guarded, options, said},
    place::Place,
    tally::{Elsewhere, Tally, all},
};
use annals::{Checkpoints, DocumentStore, MemoryDocuments, PageLimit, Projector, catch_up};
use annals_kafka::{DeadLetters, Delivery, PartitionLag, PublisherTerms};
use std::sync::{Arc, atomic::Ordering};

/// The control is the read model that the log itself makes.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_hub_is_published_to_and_consumed_from_with_dead_letters_and_without_transactions() {
    let Some(broker) = guarded() else { return };
    let password = file(&broker, &format!("{PASSWORD}\n"));
    let hub = options(&broker, "%24ConnectionString", &format!("password-file={}", password.display()));
    let place = Place::on(hub.clone());
    let publish = async || {
        let terms = PublisherTerms { delivery: Delivery::AtLeastOnce, ..place.terms() };
        catch_up(&*place.store, &mut place.publisher(terms)).await.unwrap();
    };
    let payload = |n: u32| format!("{{\"n\":{n}}}");
    for key in 0..20 {
        place.append_payloads("order", key, &[1, 2].map(payload)).await;
    }
    publish().await;
    place.append_payloads("order", 3, &[13, 14].map(payload)).await;
    place.append_payloads("order", 4, &[14].map(payload)).await;
    publish().await;
    let proof = place.proof(&["order"]).await;
    assert!(proof.holds() && proof.records() == 43, "{proof:?}");

    let there = Elsewhere { group: unique("hub"), ..Elsewhere::new(&hub, vec![place.topic("order")]) };
    let running = there.run();
    there.until_counted(43).await;
    let (live, _) = there.documents.live("tally").await.unwrap().unwrap();
    let parked = || async { there.documents.parked(&live, None, None, PageLimit::MAX).await.unwrap().len() };
    assert_eq!(parked().await, 2);
    let letters = DeadLetters::new(hub.clone(), there.topics.clone()).list(10).await.unwrap();
    let kept: Vec<_> = letters.iter().map(|letter| letter.event.payload.as_str().to_string()).collect();
    assert_eq!(kept, [13, 14].map(payload));
    there.tally.mended.store(true, Ordering::Relaxed);
    assert!(DeadLetters::replay(&*there.documents, "tally", "order-3").await.unwrap());
    there.until("it is settled", || async { parked().await == 0 }).await;
    let told = || async { PartitionLag::of(&hub, &there.group, &there.topics).await.unwrap() };
    there.until("no record is left", || async { told().await.iter().all(|lag| lag.behind == 0) }).await;
    running.stop().await;
    assert!(there.documents.subscribers().await.unwrap().iter().all(|info| info.failure.is_none()));

    let documents = Arc::new(MemoryDocuments::new());
    let tally = Tally { mended: there.tally.mended.clone() };
    let mut projector = Projector::new(tally, place.store.clone(), documents.clone());
    catch_up(&*place.store, &mut projector).await.unwrap();
    assert_eq!(there.tallied().await, all(&documents).await);
    assert!(!said().contains(PASSWORD));
}

/// Who is let in to publish is let in to consume, and stays in: tokens last for 6 s.
///
/// Control: with `ENABLE_REFRESH_OAUTH_TOKEN` false for a member of a group, the one with a token counts nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_gets_in_by_password_and_by_token_and_stays() {
    let Some(broker) = guarded() else { return };
    let place = Place::on(broker.url().parse().unwrap());
    let publish = async |key: u32| {
        place.append("order", key, 3).await;
        catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    };
    publish(1).await;
    let tokens = Tokens::default();
    let by_password = options(&broker, &format!("alice:{PASSWORD}"), "mechanism=SCRAM-SHA-512");
    let by_token = options(&broker, "", "mechanism=OAUTHBEARER").with_token(tokens.source());
    let [one, other] = [by_password, by_token].map(|options| Elsewhere {
        group: unique("let-in"),
        ..Elsewhere::new(&options, vec![place.topic("order")])
    });
    let by_password = one.run();
    one.until_counted(3).await;
    // By now there is a topic for dead letters, which nobody makes by token.
    let by_token = other.run();
    other.until_counted(3).await;
    tokens.asked_for_twice_more().await;
    publish(2).await;
    one.until_counted(6).await;
    other.until_counted(6).await;
    by_password.stop().await;
    by_token.stop().await;
}
