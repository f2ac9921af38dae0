//! Records that no publisher of ours wrote, in a topic that is consumed.

use crate::{
    consuming::{line, service_of},
    consuming_refused::assert_told,
    counters::Shop,
    program::Published,
    reading::Reading,
};
use annals_cli::Exit;
use annals_services::KafkaTool;

/// Writes a record to the topic that is none of ours.
fn write_foreign(log: &Published) {
    let (topic, broker) = (format!("{}counter", log.prefix), log.kafka.trim_start_matches("kafka://"));
    let arguments = ["--bootstrap-server", broker, "--topic", &topic, "--max-messages", "1"];
    KafkaTool::find().unwrap().run("org.apache.kafka.tools.VerifiableProducer", &arguments).unwrap();
}

async fn assert_stops(shop: &Shop, log: &Published) {
    let (_, done) = shop.run(&line(log, "")).await;
    let (reason, next) = ("something else writes to this topic", "--foreign pass-over");
    assert_told(&done.unwrap_err(), Exit::Failed, "totals", reason, next);
}

/// How it was broken: without what `Begun::foreign` holds, the first run ends well though its partition stands still;
/// without `ConsumeTerms::foreign` in the consumer's terms, what is to be passed over stops it still.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_record_is_told_also_at_the_end_and_passed_over_where_that_is_wanted() {
    let Some(log) = Published::new().await else { return };
    log.shop.raise("a", 1).await;
    log.publish("--create-topics 1");
    write_foreign(&log);
    let reading = Reading::of(&log, "counter");
    let shop = service_of(&reading);
    // What lies before it is handled, and it is told as long as it is there.
    for _ in 0..2 {
        assert_stops(&shop, &log).await;
        assert_eq!(reading.document("a").await.unwrap()["total"], 1);
    }
    log.shop.raise("a", 2).await;
    log.publish("");
    assert_stops(&shop, &log).await;
    assert_eq!(reading.document("a").await.unwrap()["total"], 1);

    let passing = line(&log, "--foreign pass-over");
    let done = shop.json(&passing).await.remove(0);
    assert_eq!((&done["handled"], &done["foreign"]), (&1.into(), &1.into()), "{done}");
    assert_eq!(reading.document("a").await.unwrap()["total"], 3);
    // With an event behind it, it is over and done with; at the end again, it is not.
    assert_eq!(shop.json(&line(&log, "")).await[0]["handled"], 0);
    write_foreign(&log);
    assert_stops(&shop, &log).await;
    assert_eq!(shop.json(&passing).await[0]["handled"], 0);
}
