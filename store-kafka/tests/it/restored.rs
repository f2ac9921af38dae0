//! A read model that was put back to an older state, while its group stays further on.

use crate::{
    broker::shared,
    consumed::{from_the_log, publish},
    forger::Forger,
    guarded::{listen, said},
    place::Place,
    retried::{append, notes, parked, terms},
    tally::Elsewhere,
};
use annals_kafka::Retries;
use std::sync::atomic::Ordering;
use tokio_util::sync::CancellationToken;

/// `older` as what was put back where `there` was.
fn put_back(older: &Elsewhere, there: &Elsewhere) -> Elsewhere {
    Elsewhere { group: there.group.clone(), ..older.clone() }
}

/// Where it was gone back to in partition 0 of the topic, as the log says it.
fn went_back(topic: &str) -> Vec<String> {
    let partition = format!("{topic} 0");
    let said = said();
    let went = said.lines().filter(|line| line.contains("going back") && line.contains(&partition));
    went.filter_map(|line| line.split("to=").nth(1)).map(String::from).collect()
}

/// How it was broken: where a partition is looked back into only if nothing was handled there yet
/// (`PartTask::begin_where_nothing_comes`, as it was), 100 stay 100.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_put_back_is_brought_up_though_nothing_comes() {
    let Some(place) = Place::shared() else { return };
    let topics = vec![place.topic("order")];
    let [older, there] = [(); 2].map(|()| Elsewhere::new(&place.options, topics.clone()));
    for events in [100, 200] {
        for key in 0..20 {
            place.append("order", key, 5).await;
        }
        publish(&place).await;
        for one in if events == 100 { vec![&older, &there] } else { vec![&there] } {
            let running = one.run();
            one.until_counted(events).await;
            running.stop().await;
        }
    }
    let restored = put_back(&older, &there);
    assert_eq!(restored.counted().await, 100, "the control: it is the older one");
    let running = restored.run();
    restored.until_counted(200).await;
    running.stop().await;
    assert_eq!(restored.tallied().await, from_the_log(&place).await);
}

/// How it was broken: with `Back::Beginning` in place of `Back::Before`, it goes there; with records that were read again
/// taken for repeats, 28 are told.
#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_read_again_than_is_needed() {
    let Some(options) = shared() else { return };
    listen();
    let forger = Forger::new(&options).await;
    let [older, there] = [(); 2].map(|()| forger.read_by(&options));
    forger.fill(0, 2_000);
    for one in [&older, &there] {
        one.tally.mended.store(true, Ordering::Relaxed);
        let running = one.run();
        one.until_counted(2_000).await;
        running.stop().await;
    }
    (2_001..=2_100).for_each(|position| forger.write(0, position, position - 1));
    let running = there.run();
    there.until_counted(2_100).await;
    running.stop().await;
    let restored = put_back(&older, &there);
    // In the second round they agree: a few are read, and nothing is told of them.
    for round in 1..=2 {
        let before = went_back(&forger.topic).len();
        let consumer = restored.consumer(restored.terms());
        let consumed = consumer.consumed();
        let stop = CancellationToken::new();
        let running = tokio::spawn(consumer.run(stop.clone()));
        let looked = || async { went_back(&forger.topic).len() > before };
        restored.until("it has looked back", looked).await;
        restored.until_counted(2_100).await;
        stop.cancel();
        running.await.unwrap().unwrap();
        // On a busy machine it looks once more before an answer comes, but not at the beginning.
        let went = went_back(&forger.topic).split_off(before);
        assert_eq!(went[0], "Offset(2084)", "round {round}: {went:?}");
        assert!(went.iter().all(|to| to.starts_with("Offset(")), "round {round}: {went:?}");
        let repeated = consumed.topics().get(&forger.topic).map_or(0, |counted| counted.repeated);
        assert_eq!(repeated, 0, "what was read again is no repeat");
    }
}

/// How it was broken: as the first one; the event is parked for ever.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_a_retry_topic_comes_again_to_a_copy_that_was_put_back() {
    let Some(place) = Place::shared() else { return };
    let topics = vec![place.topic("order")];
    let [older, there] = [(); 2].map(|()| Elsewhere::new(&place.options, topics.clone()));
    // The first one comes again while it is refused, the second one only when it is mended.
    for (count, delay_ms) in [(1, 10), (2, 5_000)] {
        append(&place, 3, &[13]).await;
        publish(&place).await;
        let running = older.run_with(terms(&older, &[delay_ms]));
        older.until("it is parked", || async { parked(&older).await.len() == count }).await;
        let given_up = || async { count == 2 || has_come_again(&older, 1).await };
        older.until("it has come again", given_up).await;
        running.stop().await;
    }
    there.tally.mended.store(true, Ordering::Relaxed);
    let running = there.run_with(terms(&there, &[10]));
    there.until("both have come again", || has_come_again(&there, 2)).await;
    running.stop().await;
    let restored = put_back(&older, &there);
    assert!(has_come_again(&restored, 1).await && parked(&restored).await.len() == 2, "the control");
    restored.tally.mended.store(true, Ordering::Relaxed);
    let running = restored.run_with(terms(&restored, &[10]));
    restored.until("the second one is settled", || async { parked(&restored).await.len() == 1 }).await;
    running.stop().await;
    assert_eq!(notes(&restored, "order-3").await, [13]);
}

/// Whether the parts of the retry topic stand behind so many copies.
async fn has_come_again(there: &Elsewhere, copies: u64) -> bool {
    let topic = Retries::topic(&there.topics[0], 1);
    let of_retries = (0..4).map(|partition| there.part(&topic, partition)).collect::<Vec<_>>();
    let parts = there.parts().await;
    let is_one = |name: &str| of_retries.iter().any(|part| part == name);
    let at = parts.iter().filter(|part| is_one(part.subscriber.name())).map(|part| part.checkpoint.get());
    at.sum::<u64>() == copies
}
