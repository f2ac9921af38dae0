//! How far groups are behind is told of all that read a topic, and as a metric.

use crate::{
    broker::{shared, unique},
    forger::Forger,
    metered::Metered,
    place::Place,
    tally::Elsewhere,
};
use annals::catch_up;
use annals_kafka::PartitionLag;
use rdkafka::message::OwnedHeaders;

async fn published(place: &Place, category: &str, keys: u32, count: u32) {
    for key in 0..keys {
        place.append(category, key, count).await;
    }
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
}

/// Broken on purpose, and seen to fail this: every group told of (`known` false), so that those who read something
/// else, or nothing, are told of too.
#[tokio::test(flavor = "multi_thread")]
async fn the_groups_that_read_a_topic_are_told_and_no_others() {
    let Some(place) = Place::shared() else { return };
    published(&place, "order", 20, 5).await;
    published(&place, "stock", 3, 1).await;
    let (orders, stock) = (place.topic("order"), place.topic("stock"));
    let reads_orders = Elsewhere::new(&place.options, vec![orders.clone()]);
    let reads_stock = Elsewhere::new(&place.options, vec![stock.clone()]);
    let running = [reads_orders.run(), reads_stock.run()];
    reads_orders.until_counted(100).await;
    reads_stock.until_counted(3).await;
    for consumer in running {
        consumer.stop().await;
    }
    // What is committed is the place behind the last record, not behind the mark of its transaction. Broken on purpose,
    // and seen to fail this: the offset behind it handed to a call that adds one.
    let committed = PartitionLag::of_group(&place.options, &reads_orders.group).await.unwrap();
    assert_eq!(committed.iter().filter_map(|found| found.committed).sum::<i64>(), 100, "{committed:?}");
    published(&place, "order", 20, 1).await;

    let all = PartitionLag::of_all(&place.options, [&orders]).await.unwrap();
    assert_eq!(all.keys().collect::<Vec<_>>(), [&reads_orders.group]);
    let told = &all[&reads_orders.group];
    let behind: u64 = told.iter().map(|found| found.behind).sum();
    assert!(told.len() == 4 && (20..=28).contains(&behind), "{told:?}");
    assert_eq!(PartitionLag::of_group(&place.options, &reads_orders.group).await.unwrap(), *told);
    let both = PartitionLag::of_all(&place.options, [&orders, &stock]).await.unwrap();
    assert_eq!(both.len(), 2);
    let topics = both[&reads_stock.group].iter().map(|found| &found.topic);
    assert!(topics.into_iter().all(|topic| *topic == stock), "{both:?}");
    assert!(PartitionLag::of_group(&place.options, &unique("nobody")).await.unwrap().is_empty());
}

/// Broken on purpose, and seen to fail this: what the client itself tells (`consumer_lag`), which never comes to 0
/// where a transaction ends a partition.
#[tokio::test(flavor = "multi_thread")]
async fn the_metric_comes_to_nothing_when_no_record_is_left() {
    let Some(place) = Place::shared() else { return };
    published(&place, "order", 20, 5).await;
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let metered = Metered::of_this_program();
    let running = there.run();
    there.until_counted(100).await;
    there
        .until("no record is left in any partition", || async {
            let told = metered.gauges("annals_records_behind", &there.group);
            told.len() == 4 && told.values().all(|behind| *behind == 0.0)
        })
        .await;
    running.stop().await;
}

/// Whoever has a partition next tells how far it is behind; what the one before said last would count too, for ever.
///
/// Broken on purpose, and seen to fail this: `taken_away` without a word about it; told of what waits in the client only
/// (`fetchq_cnt`), which never comes to 4.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_leaves_is_behind_nowhere() {
    let Some(options) = shared() else { return };
    let (forger, metered) = (Forger::new(&options).await, Metered::of_this_program());
    forger.write(0, 1, 0);
    // Stops its partition.
    forger.send(0, "k", Some("hello"), OwnedHeaders::new());
    (2..=4).for_each(|position| forger.write(0, position, position - 1));
    let there = forger.read_by(&options);
    let running = there.run();
    let told = || metered.gauges("annals_records_behind", &there.group);
    let left = || async { told().into_values().filter(|behind| *behind > 0.0).collect::<Vec<_>>() == [4.0] };
    there.until("what stops it and the three behind it are left", left).await;
    running.stop().await;
    assert!(told().values().all(|behind| *behind == 0.0), "{:?}", told());
}
