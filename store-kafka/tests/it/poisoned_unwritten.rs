//! An event that the projection refuses, and a store that fails between its copy and the entry that parks it.

use crate::{
    place::Place,
    retried::{append, notes, parked},
    slow_documents::SlowDocuments,
    tally::Elsewhere,
};
use annals::{REFUSED_ATTEMPTS_MAX, catch_up};
use annals_kafka::{DeadLetters, partition_of};
use std::sync::{Arc, atomic::Ordering};

/// How it was broken: kept behind the transaction that parks (`PartProjector::take_in`). Then no letter is there while that
/// fails.
#[tokio::test(flavor = "multi_thread")]
async fn poison_whose_parking_fails_is_kept_first_parked_once_and_replayed() {
    let Some(place) = Place::shared() else { return };
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let partition = |key: u32| partition_of(key.to_string().as_bytes(), 4);
    let behind = (4..).find(|key| partition(*key) == partition(3)).unwrap();
    append(&place, 3, &[13, 14]).await;
    append(&place, behind, &[2]).await;
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    let failing = Arc::new(SlowDocuments::failing(there.documents.clone(), 0));
    failing.failing_parks.store(true, Ordering::SeqCst);
    let running = there.run_over(failing.clone(), there.terms());
    // Until its first letter, there is no topic for them.
    let letters = DeadLetters::new(place.options.clone(), there.topics.clone());
    let copies = async || {
        let all = letters.list(100).await.unwrap_or_default();
        all.iter().filter(|it| it.event.payload.as_str() == "{\"n\":13}").count()
    };
    there.until("the letter is there twice", || async { copies().await >= 2 }).await;
    // Nothing comes before the entry, nor is there half of it.
    assert_eq!((parked(&there).await, there.counted().await), (vec![], 0));

    failing.failing_parks.store(false, Ordering::SeqCst);
    there.until_counted(3).await;
    let entries = parked(&there).await;
    let told: Vec<_> = entries.iter().map(|it| (&*it.key, it.attempts, it.error.as_str())).collect();
    assert_eq!(told, [("order-3", REFUSED_ATTEMPTS_MAX, "13 is refused"), ("order-3", 0, "")]);
    let (poisoned, other) = ("order-3", format!("order-{behind}"));
    assert_eq!((notes(&there, poisoned).await, notes(&there, &other).await), (vec![], vec![2]));

    there.tally.mended.store(true, Ordering::Relaxed);
    assert!(DeadLetters::replay(&*there.documents, "tally", poisoned).await.unwrap());
    there.until("it is settled", || async { parked(&there).await.is_empty() }).await;
    assert_eq!((notes(&there, poisoned).await, notes(&there, &other).await), (vec![13, 14], vec![2]));
    assert_eq!(there.counted().await, 3);
    running.stop().await;
}
