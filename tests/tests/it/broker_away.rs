//! The broker is not there, goes away, or has no room: appends go on, nothing is lost, and nobody has to do anything.

use crate::{
    broker::{Dispatch, PUBLISHER, STREAMS},
    process::Process,
    small_disk::SmallDisk,
};
use annals::Position;
use annals_kafka::{DELIVERY_LASTS_MAX, QUEUE_RECORDS_MAX, TRANSACTION_LASTS_MAX};
use annals_tests::Report;
use std::time::{Duration, Instant};

const LEASE_MS: u64 = 3_000;

const EVENTS: u64 = 10_000;

/// Room for the broker's own topics and a little more.
const DISK_MIB: u32 = 24;

/// More than fits.
const EVENTS_TOO_MANY: u64 = 60_000;

/// With headers an event takes more than this.
const EVENT_BYTES_MIN: u64 = 500;

/// How long the broker is away under load, unless the environment says otherwise: shorter than anything gives up.
const AWAY_SECONDS: u64 = 5;

/// Says how long: `ANNALS_AWAY_SECONDS=75` is longer than a delivery and a transaction may last.
const AWAY_VARIABLE: &str = "ANNALS_AWAY_SECONDS";

/// So many events are appended each second meanwhile.
const EVENTS_A_SECOND: u64 = 500;

/// So many come at once for each stream before that: more than a publisher may have on its way.
const ROUNDS_AT_ONCE: u64 = 40;

const _: () = assert!(ROUNDS_AT_ONCE * STREAMS > QUEUE_RECORDS_MAX as u64);

fn until_it_failed(publisher: &mut Process) -> String {
    publisher.until("that it failed", |report| match report {
        Report::Failed { error, .. } => Some(error.clone()),
        _ => None,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_not_there_holds_no_append_up_and_gets_everything_later() {
    let Some(dispatch) = Dispatch::make("no broker at the start", None) else { return };
    let mut publisher = dispatch.publisher("patient", LEASE_MS, &[]);
    let why = until_it_failed(&mut publisher);
    assert!(why.contains("see that the broker runs"), "{why}");
    dispatch.append(EVENTS).await.unwrap();
    dispatch.broker.start(&[]).unwrap();
    dispatch.until_published(&mut publisher, EVENTS);
    // And once more while it is at work.
    let appending = dispatch.append(EVENTS);
    publisher.until("a page", |report| matches!(report, Report::Handled { .. }).then_some(()));
    dispatch.broker.stop().unwrap();
    appending.await.unwrap();
    dispatch.append(EVENTS).await.unwrap();
    dispatch.broker.start(&[]).unwrap();
    dispatch.until_published(&mut publisher, 3 * EVENTS);
    dispatch.assert_published(3 * EVENTS).await;
}

/// Kills the broker while a publisher is at work, appends for as long as it is away, each append at its first try, and
/// has everything published when it is back. Meanwhile the publisher does not handle more than `ahead` events that the
/// broker cannot have. What it failed with meanwhile.
async fn away(dispatch: &Dispatch, flags: &[&str], ahead: u64) -> (u64, Vec<String>) {
    let away = std::env::var(AWAY_VARIABLE).map_or(AWAY_SECONDS, |seconds| seconds.parse().unwrap());
    let away = Duration::from_secs(away);
    let mut publisher = dispatch.publisher("patient", LEASE_MS, flags);
    publisher.until("that it begins", |report| matches!(report, Report::Began { .. }).then_some(()));
    let (appending, mut events) = (dispatch.append(EVENTS), EVENTS);
    dispatch.until_published(&mut publisher, EVENTS / 10);
    dispatch.broker.kill().unwrap();
    let begun = Instant::now();
    appending.await.unwrap();
    dispatch.append_rounds(ROUNDS_AT_ONCE).await;
    let sent_at_most = events + ahead;
    events += ROUNDS_AT_ONCE * STREAMS;
    // The load is the clock: what is appended each second is what is measured here.
    let mut second = tokio::time::interval(Duration::from_secs(1));
    while begun.elapsed() < away {
        second.tick().await;
        dispatch.append(EVENTS_A_SECOND).await.unwrap();
        events += EVENTS_A_SECOND;
    }
    let failures = publisher.failures();
    let beyond = Position::new(sent_at_most + 1);
    assert!(!publisher.has_handled(PUBLISHER, beyond), "it has handled more than {sent_at_most}");
    dispatch.broker.start(&[]).unwrap();
    let back = Instant::now();
    dispatch.until_published(&mut publisher, events);
    println!(
        "{events} events, the broker away for {away:?}, all published {:?} after it was back; it failed with {failures:#?}",
        back.elapsed()
    );
    // The control: in the long form both limits are crossed, so it cannot have waited all the time.
    if away > DELIVERY_LASTS_MAX.max(TRANSACTION_LASTS_MAX) {
        assert!(!failures.is_empty(), "it never gave up");
    }
    (events, failures)
}

/// A page may be handled and not committed yet: what is sent waits in the client, which takes no more.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_under_load_gets_each_event_once_when_it_is_back() {
    let Some(dispatch) = Dispatch::start("away under load") else { return };
    let (events, _) = away(&dispatch, &[], QUEUE_RECORDS_MAX as u64).await;
    dispatch.assert_published(events).await;
}

/// Nothing is handled that has not arrived.
///
/// How it was broken: where a page is handled before its records have arrived (in `Running::publish_what_is_not_there`),
/// it has handled more than the broker can have.
#[tokio::test(flavor = "multi_thread")]
async fn without_transactions_a_broker_that_is_away_under_load_gets_every_event_in_order() {
    let Some(dispatch) = Dispatch::start("away under load, without transactions") else { return };
    let (events, failures) = away(&dispatch, &["--at-least-once"], 0).await;
    let repeated = crate::at_least_once::proven(&dispatch, events, 1 + failures.len() as u64).await;
    println!("{repeated} repeated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_without_room_loses_nothing_and_goes_on_when_there_is_some() {
    let Some(disk) = SmallDisk::mount(DISK_MIB, "a broker without room") else { return };
    let data = disk.file("data");
    let Some(dispatch) = Dispatch::make("a broker without room", Some(&data)) else { return };
    dispatch.broker.start(&[]).unwrap();
    let mut publisher = dispatch.publisher("patient", LEASE_MS, &[]);
    publisher.until("that it begins", |report| matches!(report, Report::Began { .. }).then_some(()));
    dispatch.append(EVENTS_TOO_MANY).await.unwrap();
    // A broker that cannot write gives up.
    assert!(dispatch.broker.broker().ends_by_itself().unwrap(), "the broker found room for everything");
    // Appends go on all the same, and the publisher does not run ahead.
    dispatch.append_rounds(ROUNDS_AT_ONCE).await;
    let events = EVENTS_TOO_MANY + ROUNDS_AT_ONCE * STREAMS;
    let sent_at_most = u64::from(DISK_MIB << 20) / EVENT_BYTES_MIN + QUEUE_RECORDS_MAX as u64;
    assert!(sent_at_most < events);
    let beyond = Position::new(sent_at_most + 1);
    assert!(!publisher.has_handled(PUBLISHER, beyond), "it has handled more than {sent_at_most}");
    disk.grow(64 * DISK_MIB);
    dispatch.broker.start(&[]).unwrap();
    dispatch.until_published(&mut publisher, events);
    dispatch.assert_published(events).await;
}
