//! A dead letter that is larger than its topic takes holds nobody up, and is fed again from where it came.

use crate::{
    broker::{bootstrap, topics, unique},
    place::Place,
    tally::Elsewhere,
};
use annals::{DocumentStore, PageLimit, catch_up};
use annals_kafka::{DeadLetter, DeadLetters};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
};
use std::sync::atomic::Ordering;

/// What the dead-letter topic takes, in bytes: less than the topic that it is for.
const LIMIT: usize = 3_000;

fn noted(n: u32, bytes: usize) -> String {
    format!("{{\"n\":{n},\"note\":\"{}\"}}", "x".repeat(bytes))
}

/// Under key 3 a large event is refused, then come a small and a large one, and many small ones: together they are more
/// than the topic takes at once. The consumer has handled everything else, in this partition too.
async fn refused() -> Option<(Place, Elsewhere, DeadLetters)> {
    let place = Place::shared()?;
    let letters = format!("{}.dlt", place.topic("order"));
    let setting = format!("max.message.bytes={LIMIT}");
    topics(&bootstrap(), &["--create", "--topic", &letters, "--partitions", "2", "--config", &setting]);
    place.append_payloads("order", 3, &[noted(1, 0)]).await;
    place.append_payloads("order", 3, &[noted(13, 2 * LIMIT), noted(14, 0), noted(15, LIMIT)]).await;
    place.append_payloads("order", 3, &(20..40).map(|n| noted(n, 500)).collect::<Vec<_>>()).await;
    for key in 4..14 {
        place.append("order", key, 5).await;
    }
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let kept = DeadLetters::new(place.options.clone(), there.topics.clone());
    Some((place, there, kept))
}

fn told(letters: &[DeadLetter]) -> Vec<(u64, Option<u64>)> {
    let told = |letter: &DeadLetter| (letter.event.position.get(), letter.omitted);
    letters.iter().map(told).collect()
}

/// Broken on purpose, and seen to fail this: no value left out, so that the broker refuses the copy and the partition
/// stands; and batches of any size.
#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_is_too_large_is_kept_without_its_value_and_fed_again_with_it() {
    let Some((_place, there, kept)) = refused().await else { return };
    let running = there.run();
    there.until_counted(1 + 3 + 20 + 50).await;
    let letters = kept.list(100).await.unwrap();
    let large = |n, bytes| Some(noted(n, bytes).len() as u64);
    assert_eq!(told(&letters)[..3], [(2, large(13, 2 * LIMIT)), (3, None), (4, large(15, LIMIT))]);
    assert_eq!((letters.len(), letters[3].omitted, letters[22].omitted), (23, None, None));
    let whole = kept.original(&letters[0]).await.unwrap().unwrap();
    assert_eq!((whole.payload.as_str(), whole.id), (noted(13, 2 * LIMIT).as_str(), letters[0].event.id));

    there.tally.mended.store(true, Ordering::Relaxed);
    assert!(DeadLetters::replay(&*there.documents, "tally", "order-3").await.unwrap());
    there.until("they are settled", || async { parked(&there).await.is_empty() }).await;
    let tallied = there.tallied().await.remove("order-3").unwrap();
    let notes: Vec<String> = [1, 13, 14, 15].into_iter().chain(20..40).map(|n| n.to_string()).collect();
    assert!(tallied.contains(&format!("[{}]", notes.join(","))), "{tallied}");
    running.stop().await;
}

/// Broken on purpose, and seen to fail this: a letter without its value fed as if that were its value.
#[tokio::test(flavor = "multi_thread")]
async fn a_letter_whose_value_is_nowhere_stays_parked_and_says_so() {
    let Some((place, there, kept)) = refused().await else { return };
    let running = there.run();
    there.until_counted(1 + 3 + 20 + 50).await;
    forget(&place.topic("order")).await;
    let letters = kept.list(100).await.unwrap();
    assert!(kept.original(&letters[0]).await.unwrap().is_none());
    there.tally.mended.store(true, Ordering::Relaxed);
    assert!(DeadLetters::replay(&*there.documents, "tally", "order-3").await.unwrap());
    let says =
        || async { parked(&there).await.iter().any(|error| error.contains("does not have it any more")) };
    there.until("it says so", says).await;
    assert_eq!(parked(&there).await.len(), 23);
    running.stop().await;
}

/// Why each event is parked.
async fn parked(there: &Elsewhere) -> Vec<String> {
    let (live, _) = there.documents.live("tally").await.unwrap().unwrap();
    let parked = there.documents.parked(&live, None, None, PageLimit::MAX).await.unwrap();
    parked.into_iter().map(|entry| entry.error).collect()
}

/// Deletes all records of a topic, as retention does.
async fn forget(topic: &str) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap()).set("client.id", unique("forgets"));
    let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    for partition in 0..4 {
        list.add_partition_offset(topic, partition, Offset::End).unwrap();
    }
    admin.delete_records(&list, &AdminOptions::new()).await.unwrap();
}
