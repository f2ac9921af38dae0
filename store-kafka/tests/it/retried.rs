//! What a projection refuses comes again through retry topics: once each, whatever happens, and nothing waits for it.

use crate::{
    place::Place,
    slow_documents::SlowDocuments,
    tally::{Elsewhere, Tallied, Tally},
};
use annals::{
    DocumentStore, MemoryDocuments, PageLimit, Parked, Projection, Projector, REFUSED_ATTEMPTS_MAX, catch_up,
};
use annals_kafka::{ConsumeError, Consumer, ConsumerTerms, DeadLetters, Foreign, Handler, Retries};
use rdkafka::{
    ClientConfig, Message,
    producer::{BaseProducer, BaseRecord, Producer},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// The first comes at once, so that something was tried again before a test mends anything; the others last longer than
/// any test.
const DELAYS_MS: [u64; 6] = [50, 1_000, 4_000, 10_000, 20_000, 40_000];

pub(crate) fn terms(there: &Elsewhere, delays_ms: &[u64]) -> ConsumerTerms {
    let retries = Retries::after(delays_ms.iter().copied().map(Duration::from_millis)).unwrap();
    ConsumerTerms { retries: Some(retries), ..there.terms() }
}

async fn publish(place: &Place) {
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
}

pub(crate) async fn append(place: &Place, key: u32, notes: &[u32]) {
    let payloads: Vec<String> = notes.iter().map(|n| format!("{{\"n\":{n}}}")).collect();
    place.append_payloads("order", key, &payloads).await;
}

pub(crate) async fn notes(there: &Elsewhere, key: &str) -> Vec<u64> {
    let text = there.tallied().await.remove(key);
    text.map_or_else(Vec::new, |text| serde_json::from_str::<Tallied>(&text).unwrap().notes)
}

pub(crate) async fn parked(there: &Elsewhere) -> Vec<Parked> {
    let Some((live, _)) = there.documents.live("tally").await.unwrap() else { return vec![] };
    there.documents.parked(&live, None, None, PageLimit::MAX).await.unwrap()
}

/// Broken on purpose, and seen to fail this: an order that is kept (`PartMode::InOrder`), so that 20 waits behind 13.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_comes_again_and_its_key_goes_on_meanwhile() {
    let Some(place) = Place::shared() else { return };
    append(&place, 3, &[1, 2, 13, 14]).await;
    append(&place, 4, &[1]).await;
    append(&place, 3, &[20]).await;
    publish(&place).await;
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let running = there.run_with(terms(&there, &DELAYS_MS));
    there.until_counted(6).await;
    assert_eq!(notes(&there, "order-3").await, [1, 2, 14, 20]);
    let tried_again = || async { parked(&there).await.iter().any(|it| it.attempts > REFUSED_ATTEMPTS_MAX) };
    there.until("it was tried again", tried_again).await;
    // What waits is shown, with why.
    let waiting = parked(&there).await;
    assert_eq!((waiting.len(), &*waiting[0].key, &*waiting[0].error), (1, "order-3", "13 is refused"));
    there.tally.mended.store(true, Ordering::Relaxed);
    there.until("it is settled", || async { parked(&there).await.is_empty() }).await;
    assert_eq!(notes(&there, "order-3").await, [1, 2, 14, 20, 13]);
    assert_eq!(there.counted().await, 6);
    running.stop().await;
    assert_eq!(DeadLetters::new(place.options.clone(), there.topics).list(10).await.unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_last_retry_it_is_a_dead_letter_that_can_be_replayed() {
    let Some(place) = Place::shared() else { return };
    append(&place, 3, &[1, 13, 14]).await;
    publish(&place).await;
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let running = there.run_with(terms(&there, &[10, 20]));
    let attempts = REFUSED_ATTEMPTS_MAX + 2;
    let given_up = || async { parked(&there).await.iter().any(|entry| entry.attempts == attempts) };
    there.until("it is given up", given_up).await;
    let letters = DeadLetters::new(place.options.clone(), there.topics.clone()).list(10).await.unwrap();
    assert_eq!(letters.len(), 1);
    let origin = place.records("order").into_iter().find(|record| record.payload() == Some(b"{\"n\":13}"));
    let (letter, origin) = (&letters[0], origin.unwrap());
    assert_eq!(
        (letter.topic.as_str(), letter.partition, letter.offset),
        (origin.topic(), origin.partition(), origin.offset())
    );
    assert_eq!((letter.key.as_str(), letter.attempts), ("order-3", attempts));
    assert_eq!((letter.subscriber.as_str(), letter.error.as_str()), ("tally", "13 is refused"));
    for number in 1..=2 {
        assert_eq!(place.records(&Retries::topic("order", number)).len(), 1);
    }
    there.tally.mended.store(true, Ordering::Relaxed);
    assert!(DeadLetters::replay(&*there.documents, "tally", "order-3").await.unwrap());
    there.until("it is settled", || async { parked(&there).await.is_empty() }).await;
    assert_eq!(notes(&there, "order-3").await, [1, 14, 13]);
    running.stop().await;
}

/// Broken on purpose, and seen to fail this: dead-letter topics searched only, where it is not yet.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_to_come_again_can_be_settled_by_hand() {
    let Some(place) = Place::shared() else { return };
    append(&place, 3, &[1, 13, 2]).await;
    publish(&place).await;
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let running = there.run_with(terms(&there, &[3_600_000]));
    there.until("it is parked", || async { !parked(&there).await.is_empty() }).await;
    there.tally.mended.store(true, Ordering::Relaxed);
    assert!(DeadLetters::replay(&*there.documents, "tally", "order-3").await.unwrap());
    there.until("it is settled", || async { parked(&there).await.is_empty() }).await;
    assert_eq!(notes(&there, "order-3").await, [1, 2, 13]);
    running.stop().await;
}

/// What crashes leave: copies of events that are settled, or that come twice. Broken on purpose, and seen to fail this:
/// a part that counts what comes again without a look whether it is still parked.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_comes_again_counts_once_whoever_is_killed_and_however_often_it_comes() {
    const KEYS: u32 = 40;
    let Some(place) = Place::shared() else { return };
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let again: Vec<u64> = (0..8).map(|n| 200 + n * 400).chain([60_000]).collect();
    let (mut running, mut others) = (vec![], vec![]);
    for round in 0..6 {
        for key in 0..KEYS {
            append(&place, key, &[1, 13, 2]).await;
        }
        publish(&place).await;
        match round % 3 {
            0 => running.push(there.run_with(terms(&there, &again))),
            1 => {
                // Another process: its tasks are gone at once, and its leases run out.
                let (elsewhere, runtime) = (there.clone(), tokio::runtime::Runtime::new().unwrap());
                let terms = terms(&there, &again);
                runtime.spawn(elsewhere.consumer(terms).run(CancellationToken::new()));
                others.push(runtime);
            }
            _ => others.drain(..).for_each(tokio::runtime::Runtime::shutdown_background),
        }
        there.until_counted(u64::from(round * 3 * KEYS)).await;
        if round > 0 {
            copy_once_more(&place);
        }
    }
    there.until_counted(u64::from(6 * 3 * KEYS)).await;
    there.tally.mended.store(true, Ordering::Relaxed);
    there.until("all are settled", || async { parked(&there).await.is_empty() }).await;
    copy_once_more(&place);
    append(&place, 0, &[3]).await;
    publish(&place).await;
    there.until_counted(u64::from(6 * 3 * KEYS + 1)).await;
    for consumer in running {
        consumer.stop().await;
    }
    assert_eq!(sorted(there.tallied().await), sorted(from_the_log(&place).await));
}

fn producer(place: &Place) -> BaseProducer {
    let url = place.options.to_string();
    ClientConfig::new().set("bootstrap.servers", url.trim_start_matches("kafka://")).create().unwrap()
}

/// As if each sender had died between copying and writing.
fn copy_once_more(place: &Place) {
    let producer = producer(place);
    let topic = Retries::topic("order", 1);
    for record in place.records(&topic) {
        let copy = BaseRecord::to(record.topic()).partition(record.partition());
        let copy = copy.key(record.key().unwrap()).payload(record.payload().unwrap());
        producer.send(copy.headers(record.headers().unwrap().clone())).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
}

/// What the log itself makes of it, with nothing refused.
async fn from_the_log(place: &Place) -> BTreeMap<String, String> {
    let (documents, tally) = (Arc::new(MemoryDocuments::new()), Tally::default());
    tally.mended.store(true, Ordering::Relaxed);
    let mut projector = Projector::new(tally, place.store.clone(), documents.clone());
    catch_up(&*place.store, &mut projector).await.unwrap();
    crate::tally::all(&documents).await
}

fn sorted(all: BTreeMap<String, String>) -> BTreeMap<String, Tallied> {
    let read = |(key, text): (String, String)| {
        let mut tallied: Tallied = serde_json::from_str(&text).unwrap();
        tallied.notes.sort_unstable();
        (key, tallied)
    };
    all.into_iter().map(read).collect()
}

/// Broken on purpose, and seen to fail this: `has_decided` that is always true. Then the copy is taken for one of a
/// settled event, and nobody tries it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_copy_that_comes_before_its_event_is_parked_waits_for_it() {
    let Some(place) = Place::shared() else { return };
    append(&place, 3, &[1, 13, 2]).await;
    publish(&place).await;
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let others = (0..4).map(|partition| there.part(&Retries::topic(&there.topics[0], 1), partition));
    let documents = Arc::new(SlowDocuments {
        others: others.collect(),
        ..SlowDocuments::failing(there.documents.clone(), 0)
    });
    let handler = Handler::projection(there.tally.clone(), documents.clone());
    let terms = terms(&there, &DELAYS_MS);
    let consumer = Consumer::new(&there.group, place.options.clone(), there.topics.clone(), handler, terms);
    let stop = CancellationToken::new();
    let running = tokio::spawn(consumer.run(stop.clone()));
    let tried_again = || async { parked(&there).await.iter().any(|it| it.attempts > REFUSED_ATTEMPTS_MAX) };
    there.until("it was tried again", tried_again).await;
    assert!(documents.asked.load(Ordering::Relaxed) >= 2);
    there.tally.mended.store(true, Ordering::Relaxed);
    there.until("it is settled", || async { parked(&there).await.is_empty() }).await;
    assert_eq!(notes(&there, "order-3").await, [1, 2, 13]);
    stop.cancel();
    running.await.unwrap().unwrap();
}

/// One projection's retry topics are another one's too, and each generation's: what is not theirs they pass over.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_generation_passes_over_what_the_old_one_has_come_again() {
    let Some(place) = Place::shared() else { return };
    append(&place, 3, &[1, 13, 2]).await;
    publish(&place).await;
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let running = there.run_with(terms(&there, &[10, 20]));
    let attempts = REFUSED_ATTEMPTS_MAX + 2;
    let given_up = || async { parked(&there).await.iter().any(|entry| entry.attempts == attempts) };
    there.until("it is given up", given_up).await;
    let building = there.documents.start_rebuild(Tally::NAME, Tally::VERSION).await.unwrap();
    let handler = Handler::rebuild(there.tally.clone(), there.documents.clone(), building.clone());
    let group = format!("{}-rebuild", there.group);
    let terms = terms(&there, &[30]);
    let filling = Consumer::new(&group, place.options.clone(), there.topics.clone(), handler, terms);
    let stop = CancellationToken::new();
    let filling = tokio::spawn(filling.run(stop.clone()));
    let tried = || async {
        let parked = there.documents.parked(&building, None, None, PageLimit::MAX).await.unwrap();
        parked.iter().any(|entry| entry.attempts == REFUSED_ATTEMPTS_MAX + 1)
    };
    there.until("the new one has tried it as often as it may", tried).await;
    stop.cancel();
    filling.await.unwrap().unwrap();
    running.stop().await;
    let old = parked(&there).await;
    assert_eq!((old.len(), old[0].attempts), (1, attempts));
}

/// How it was broken: told to metrics only, they are never counted.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_copy_in_a_retry_topic_is_passed_over_and_counted() {
    let Some(place) = Place::shared() else { return };
    append(&place, 3, &[1]).await;
    publish(&place).await;
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let terms = ConsumerTerms { foreign: Foreign::PassOver, ..terms(&there, &[10]) };
    let consumer = there.consumer(terms);
    let (consumed, stop) = (consumer.consumed(), CancellationToken::new());
    let running = tokio::spawn(consumer.run(stop.clone()));
    there.until_counted(1).await;
    let (producer, topic) = (producer(&place), Retries::topic(&there.topics[0], 1));
    for text in ["no", "copy"] {
        let record: BaseRecord<'_, str, str> = BaseRecord::to(&topic).partition(2).payload(text);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
    let foreign = || consumed.topics().get(&topic).map_or(0, |counted| counted.foreign);
    there.until("they are counted", || async { foreign() >= 2 }).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(foreign(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_has_no_retry_topics() {
    use crate::obeyed::CopyNotes;
    let Some(place) = Place::shared() else { return };
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let engine = Arc::new(annals::Engine::new(place.store.clone()));
    let handler = Handler::policy(CopyNotes, engine, there.documents.clone());
    let terms = terms(&there, &[10]);
    let consumer = Consumer::new(&there.group, place.options.clone(), there.topics.clone(), handler, terms);
    let refused = consumer.run(CancellationToken::new()).await.unwrap_err();
    assert!(matches!(refused, ConsumeError::Retries { handler: "copy-notes" }), "{refused}");
}
