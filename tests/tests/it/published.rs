//! Publisher and broker killed at random moments under load: a consumer sees each event once, in order.

use crate::{broker::Dispatch, counting::Counting, seed::rng};
use annals_tests::Report;

/// How often the publisher is killed, unless the environment says otherwise.
const KILLS: u64 = 2;

/// Says how often: `ANNALS_KILLS=25`.
const KILLS_VARIABLE: &str = "ANNALS_KILLS";

/// How many events are appended around each kill.
const EVENTS_A_KILL: u64 = 15_000;

/// Short, so that the next publisher need not wait long for the lease of one that was killed.
const LEASE_MS: u64 = 1_500;

/// For each so many kills of the publisher the broker is killed once.
const KILLS_A_BROKER: u64 = 2;

/// A read model elsewhere follows all the while, also while the broker is gone.
///
/// How it was broken: with the checkpoint of the store in place of the position in the control record (in
/// `Publisher::start`), what was published since the last checkpoint comes again, and the proof finds it
/// repeated.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_each_event_is_published_once_and_in_order() {
    let Some(dispatch) = Dispatch::start("killed while publishing") else { return };
    let kills = std::env::var(KILLS_VARIABLE).map_or(KILLS, |kills| kills.parse().unwrap());
    let (mut rng, mut events, mut broker_kills) = (rng(), 0, 0);
    let mut counting = Counting::of(&dispatch);
    for kill in 1..=kills {
        let mut publisher = dispatch.publisher("killed", LEASE_MS, &[]);
        // Pages are small where it has nothing to catch up with, so that the checkpoint is older than most.
        publisher.until("that it begins", |report| matches!(report, Report::Began { .. }).then_some(()));
        let appending = dispatch.append(EVENTS_A_KILL);
        events += EVENTS_A_KILL;
        // Somewhere in the first half, so that it is at work when it is killed.
        let reached = events - rng.u64(EVENTS_A_KILL / 2..EVENTS_A_KILL);
        dispatch.until_published(&mut publisher, reached);
        if kill == 1 {
            counting.start();
        }
        if kill % KILLS_A_BROKER == 0 {
            dispatch.broker.kill().unwrap();
            dispatch.broker.start(&[]).unwrap();
            broker_kills += 1;
            dispatch.until_published(&mut publisher, reached + EVENTS_A_KILL / 4);
        }
        publisher.kill();
        appending.await.unwrap();
    }
    let mut publisher = dispatch.publisher("last", LEASE_MS, &[]);
    dispatch.until_published(&mut publisher, events);
    publisher.tell("stop");
    assert_eq!(publisher.rest().last(), Some(&Report::Finished));
    dispatch.assert_published(events).await;
    counting.until_counted(events).await;
    counting.assert_counted_once(events).await;
    counting.stop().await;
    println!("{events} events, the publisher killed {kills} times, the broker {broker_kills} times");
}
