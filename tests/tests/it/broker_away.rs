//! The broker is not there, goes away, or has no room: appends go on, nothing is lost, and nobody has to do anything.

use crate::{broker::Dispatch, process::Process, small_disk::SmallDisk};
use annals_tests::Report;

const LEASE_MS: u64 = 3_000;

const EVENTS: u64 = 10_000;

/// Room for the broker's own topics and a little more.
const DISK_MIB: u32 = 24;

/// Many times what fits: with headers an event takes more than 500 bytes.
const EVENTS_TOO_MANY: u64 = 60_000;

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
    disk.grow(64 * DISK_MIB);
    dispatch.broker.start(&[]).unwrap();
    dispatch.until_published(&mut publisher, EVENTS_TOO_MANY);
    dispatch.assert_published(EVENTS_TOO_MANY).await;
}
