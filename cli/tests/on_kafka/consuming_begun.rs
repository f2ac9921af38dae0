//! How `consume` begins where the broker does not answer.

use crate::{
    consuming::{line, raised, service_of, until_equal},
    counters::objects,
    program::Published,
    reading::Reading,
};
use std::net::TcpListener;
use tokio::{io::copy_bidirectional, net::TcpStream};
use tokio_util::sync::CancellationToken;

/// A log that is published nowhere, and read from where `listener` listens.
async fn at(listener: &TcpListener) -> Published {
    let kafka = format!("kafka://{}", listener.local_addr().unwrap());
    Published::at(kafka, "reporting".into()).await
}

/// How it was broken: with the start awaited without a look at `stop`, the first tells that nobody answered, and the
/// other goes on asking.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_an_answer_ends_when_it_is_to() {
    // It takes connections, and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let log = at(&silent).await;
    let (shop, stopped) = (service_of(&Reading::of(&log, "counter")), CancellationToken::new());
    stopped.cancel();
    let (_, done) = shop.run_until(&line(&log, ""), &stopped).await;
    let error = done.unwrap_err().to_string();
    assert!(error.contains("stopped before everything was handled"), "{error}");
    let (printed, done) = shop.run_until(&line(&log, "--follow --json"), &stopped).await;
    done.unwrap();
    assert_eq!(printed, "");
}

/// How it was broken: with `waits` false for whoever follows too, it ends with the error of the
/// control, and nothing is filled.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_waits_for_a_broker_that_is_not_there() {
    let Some(log) = Published::new().await else { return };
    let events = raised(&log, 1).await;
    let reading = Reading::of(&log, "counter");
    let (shop, stop) = (service_of(&reading), CancellationToken::new());
    // Nobody listens there until the listener is bound again.
    let door = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let through_door = |more| line(&log, more).replace(&log.kafka, &format!("kafka://{door}"));
    let watching = async {
        // Control: who does not follow says so, and has asked no earlier than the follower.
        let (_, done) = shop.run(&through_door("")).await;
        let error = done.unwrap_err().to_string();
        assert!(error.contains(&door.to_string()), "{error}");
        let opened = tokio::net::TcpListener::bind(door).await.unwrap();
        let broker = log.kafka.trim_start_matches("kafka://").to_string();
        let forwarding = tokio::spawn(async move {
            while let Ok((mut here, _)) = opened.accept().await {
                let mut there = TcpStream::connect(&broker).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut here, &mut there).await });
            }
        });
        until_equal(&log, &shop).await;
        stop.cancel();
        forwarding.abort();
    };
    let following = through_door("--follow --json");
    let ((printed, done), ()) = tokio::join!(shop.run_until(&following, &stop), watching);
    done.unwrap();
    assert_eq!(objects(&printed)[0]["handled"], events);
}
