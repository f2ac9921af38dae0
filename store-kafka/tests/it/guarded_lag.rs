//! How far publishers and groups are is asked by who logs in with a token too, and who may not log in is told so soon.

use crate::{
    guarded::{PASSWORD, guarded, options, said, token},
    place::Place,
    security::{TOLD_MAX, make_topics},
    tally::Elsewhere,
};
use annals::{catch_up, error_text};
use annals_kafka::{PartitionLag, PublisherLag};
use std::time::{Duration, Instant};

/// Broken on purpose, and seen to fail this: questions that are asked without hearing the client. It has no token then,
/// and each of them fails after its time is over.
#[tokio::test(flavor = "multi_thread")]
async fn how_far_publishers_and_groups_are_is_told_by_token() {
    let Some(broker) = guarded() else { return };
    let by_token =
        options(&broker, "", "mechanism=OAUTHBEARER").with_token(|| Ok(token(Duration::from_secs(600))));
    let place = Place::on(broker.url().parse().unwrap());
    make_topics(&broker, &place);
    place.append("order", 1, 10).await;
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let running = there.run();
    there.until_counted(10).await;
    let committed = || async {
        let lags = PartitionLag::of(&place.options, &there.group, &there.topics).await.unwrap();
        lags.iter().all(|lag| lag.behind == 0)
    };
    there.until("offsets are committed", committed).await;
    running.stop().await;
    place.append("order", 1, 3).await;
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();

    let asked = Instant::now();
    let published = PublisherLag::read(&by_token, &place.name).await.unwrap().unwrap();
    assert_eq!((published.position.get(), published.uncommitted), (13, 0));
    let of = PartitionLag::of(&by_token, &there.group, &there.topics).await.unwrap();
    let behind: u64 = of.iter().map(|lag| lag.behind).sum();
    assert!((3..=5).contains(&behind), "with the marks of transactions: {of:?}");
    let begun = of.iter().filter(|lag| lag.committed.is_some()).count();
    assert_eq!((of.len(), begun), (4, 1), "{of:?}");
    assert_eq!(PartitionLag::of_group(&by_token, &there.group).await.unwrap(), of);
    let all = PartitionLag::of_all(&by_token, &there.topics).await.unwrap();
    assert_eq!(all.get(&there.group), Some(&of), "{all:?}");
    assert!(asked.elapsed() < 4 * TOLD_MAX, "{:?}", asked.elapsed());
}

/// Broken on purpose, and seen to fail this: the list of groups asked for without hearing the client, which takes 15 s
/// and says that there was no answer.
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_with_a_wrong_password_is_told_why_and_soon() {
    let Some(broker) = guarded() else { return };
    let place = Place::on(broker.url().parse().unwrap());
    let refused = options(&broker, "alice:battery-staple", "mechanism=SCRAM-SHA-256");
    let topic = place.topic("order");
    let begun = Instant::now();
    let told = [
        error_text(&PublisherLag::read(&refused, &place.name).await.unwrap_err()),
        error_text(&PartitionLag::of(&refused, "group", [&*topic]).await.unwrap_err()),
        error_text(&PartitionLag::of_group(&refused, "group").await.unwrap_err()),
        error_text(&PartitionLag::of_all(&refused, [&*topic]).await.unwrap_err()),
    ];
    assert!(begun.elapsed() < 4 * TOLD_MAX, "{:?}", begun.elapsed());
    for told in told {
        assert!(told.contains("see that user, password or token and the mechanism are right"), "{told}");
    }
    assert!(!said().contains(PASSWORD) && !said().contains("battery-staple"));
}
