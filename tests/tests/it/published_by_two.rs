//! Two publishers of one name: one publishes, and whoever was replaced changes nothing any more.

use crate::{
    broker::{Dispatch, PUBLISHER},
    process::Process,
    seed::rng,
};
use annals::Position;
use annals_tests::Report;
use rustix::process::Signal;

/// Three signs of life fit in.
const LEASE_MS: u64 = 3_000;

/// Events around each pause.
const EVENTS_A_ROUND: u64 = 15_000;

const ROUNDS: u64 = 2;

/// How many are appended at most until one was fenced off so often.
const APPENDED_MAX: u64 = 20 * EVENTS_A_ROUND;

fn until_a_page(process: &mut Process) {
    process.until("a page", |report| matches!(report, Report::Handled { .. }).then_some(()));
}

fn until_it_began(process: &mut Process) {
    process.until("that it begins", |report| matches!(report, Report::Began { .. }).then_some(()));
}

/// Waits until everything up to `position` is published, by a publisher whom nobody fences off meanwhile.
fn until_undisturbed(process: &mut Process, position: u64) {
    let position = Position::new(position);
    while !process.has_handled(PUBLISHER, position) {
        process.until("that a page was published", |report| match report {
            Report::Failed { .. } | Report::Fenced { .. } => panic!("{report:?} while it had the lease"),
            report => matches!(report, Report::Handled { .. }).then_some(()),
        });
    }
}

/// How it was broken: when a session begins (`Session::transactional`) before the lease is asked for, the resumed one
/// fences its successor off, which fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_that_was_paused_past_its_lease_publishes_nothing() {
    let Some(dispatch) = Dispatch::start("paused while publishing") else { return };
    let mut rng = rng();
    let mut publishing = dispatch.publisher("first", LEASE_MS, &[]);
    until_it_began(&mut publishing);
    let mut waiting = dispatch.publisher("second", LEASE_MS, &[]);
    waiting.until("that it stands by", |report| matches!(report, Report::StandsBy { .. }).then_some(()));
    for round in 0..ROUNDS {
        let appending = dispatch.append(EVENTS_A_ROUND);
        dispatch.until_published(&mut publishing, round * EVENTS_A_ROUND + rng.u64(1..EVENTS_A_ROUND / 2));
        publishing.signal(Signal::STOP);
        until_it_began(&mut waiting);
        until_a_page(&mut waiting);
        publishing.signal(Signal::CONT);
        publishing.until("that it lost its lease", |report| match report {
            Report::Began { .. } => panic!("{report:?} while the other had the lease"),
            Report::StandsBy { .. } => Some(()),
            _ => None,
        });
        std::mem::swap(&mut publishing, &mut waiting);
        until_undisturbed(&mut publishing, (round + 1) * EVENTS_A_ROUND);
        appending.await.unwrap();
    }
    dispatch.assert_published(ROUNDS * EVENTS_A_ROUND).await;
}

/// Both have a lease, each in a store of its own: then it is Kafka that lets only one of them commit.
///
/// How it was broken: with a `transactional.id` of their own each, neither is ever fenced off, which this waits for.
#[tokio::test(flavor = "multi_thread")]
async fn two_that_both_have_a_lease_fence_each_other_off_and_repeat_nothing() {
    let Some(dispatch) = Dispatch::start("published by two") else { return };
    let elsewhere = dispatch.log.with_file_name("elsewhere.db");
    let mut one = dispatch.publisher("one", LEASE_MS, &[]);
    until_it_began(&mut one);
    let mut other = dispatch.publisher("other", LEASE_MS, &["--views", elsewhere.to_str().unwrap()]);
    until_it_began(&mut other);
    let (mut events, mut fenced) = (0, 0);
    while fenced < ROUNDS {
        // Who was just fenced off waits a moment, and may find that the other one has it all.
        assert!(events < APPENDED_MAX, "fenced off {fenced} times in {events} events");
        dispatch.append(EVENTS_A_ROUND).await.unwrap();
        events += EVENTS_A_ROUND;
        fenced += one.until("that it is fenced off, or has it all", |report| match report {
            Report::Failed { what, .. } if what.starts_with(PUBLISHER) => Some(1),
            Report::Handled { at, .. } if at.get() >= events => Some(0),
            _ => None,
        });
    }
    // The one that is left alone has the rest.
    one.kill();
    dispatch.until_published(&mut other, events);
    dispatch.assert_published(events).await;
}
