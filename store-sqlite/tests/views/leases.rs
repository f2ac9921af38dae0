//! Two runners of one subscriber, in two instances on one file.

use super::*;
use annals::{CheckpointError, LeaseError};

fn remaining_ms(answer: Result<Lease, LeaseError>) -> u64 {
    match answer {
        Err(LeaseError::Held { remaining_ms, holder, .. }) => {
            assert_eq!(holder, "us");
            remaining_ms
        }
        other => panic!("expected it to be held, got {other:?}"),
    }
}

#[tokio::test]
async fn a_held_lease_is_taken_over_only_when_it_was_released_or_ran_out() {
    let file = File::new();
    let (ours, other) = (file.open(), file.open());
    let lease = held(&ours, "orders").await;
    let them = terms("them", Duration::ZERO);
    assert!(remaining_ms(other.acquire(&lease.subscriber, &them).await) <= 3_600_000);

    ours.release(&lease).await.unwrap();
    // Theirs lasts for no time at all: so it has run out at once, and ours is taken over without a release.
    let theirs = other.acquire(&lease.subscriber, &them).await.unwrap();
    let again = ours.acquire(&lease.subscriber, &terms("us", HOUR)).await.unwrap();
    assert!(lease.epoch < theirs.epoch && theirs.epoch < again.epoch);
}

/// Broken on purpose by leaving `check_lease` out of `page::commit`: the paused runner then wrote its page.
#[tokio::test]
async fn a_runner_that_was_paused_and_replaced_writes_nothing() {
    let file = File::new();
    let (paused, other) = (file.open(), file.open());
    let subscriber = paused.open("orders", 1).await.unwrap();
    let old = paused.acquire(&subscriber, &terms("paused", Duration::ZERO)).await.unwrap();
    let new = other.acquire(&subscriber, &terms("other", HOUR)).await.unwrap();

    let late = paused.commit(&step(&old, 0, 5), puts([("late", "1")])).await;
    let fenced = matches!(late, Err(CheckpointError::Fenced { ours, now, .. }) if ours == old.epoch && now == new.epoch);
    assert!(fenced, "{late:?}");
    assert!(matches!(paused.renew(&old).await, Err(CheckpointError::Fenced { .. })));
    assert!(matches!(paused.release(&old).await, Err(CheckpointError::Fenced { .. })));
    assert!(keys(&other, &subscriber).await.is_empty());

    other.commit(&step(&new, 0, 5), puts([("in time", "1")])).await.unwrap();
    assert_eq!(keys(&paused, &subscriber).await, ["in time"]);
}

#[tokio::test]
async fn each_page_is_a_sign_of_life() {
    let file = File::new();
    let store = file.open();
    let lease = held(&store, "orders").await;
    let nearly_out = || file.raw().execute("UPDATE generations SET lease_until_us = 1", []).unwrap();
    for alive in ["page", "checkpoint", "renewal"] {
        nearly_out();
        match alive {
            "page" => store.commit(&step(&lease, 0, 1), PageWrite::default()).await.unwrap(),
            "checkpoint" => store.advance(&step(&lease, 1, 2)).await.unwrap(),
            _ => store.renew(&lease).await.unwrap(),
        }
        let left = remaining_ms(store.acquire(&lease.subscriber, &terms("them", HOUR)).await);
        assert!(left > 3_500_000, "{alive}: {left}");
    }
}

/// Broken on purpose by answering from `lease_until_us` alone: then the lease lasted for another ten years.
#[tokio::test]
async fn a_clock_that_was_set_back_prolongs_a_lease_by_its_length_at_most() {
    let file = File::new();
    let store = file.open();
    let lease = held(&store, "orders").await;
    // Ten years ahead, as if the clock had been there when the lease was taken.
    let ten_years = "UPDATE generations SET lease_until_us = lease_until_us + 315360000000000";
    file.raw().execute(ten_years, []).unwrap();

    let left = remaining_ms(store.acquire(&lease.subscriber, &terms("them", HOUR)).await);
    assert!(left <= 3_600_000, "{left}");
    let until: i64 =
        file.raw().query_row("SELECT lease_until_us FROM generations", [], |row| row.get(0)).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() as i64;
    assert!(until - now <= 3_600_000_000, "it is written down, so that it comes to an end");
}
