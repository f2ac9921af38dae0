//! What other processes hear of a burst of appends.

use crate::place::{Place, at, to};
use annals::{EventStore, Position};
use annals_postgres::HEAD_POLL;

/// Not all of them are told, but the last one is: readers do not wait until they ask by themselves.
///
/// Control: without `tell_others` in `Writer::next`, one of the bursts is heard of only when the log is asked.
#[tokio::test]
async fn the_last_append_of_a_burst_is_told_to_other_processes() {
    const BURSTS: u64 = 8;
    const APPENDS: u64 = 5;
    let Some(place) = Place::new() else { return };
    let (store, other) = (place.store().await, place.store().await);
    let mut head = other.head();
    for burst in 0..BURSTS {
        for n in 0..APPENDS {
            store.append(to("order-1", at(burst * APPENDS + n), 1)).await.unwrap();
        }
        let last = Position::new((burst + 1) * APPENDS);
        let heard = tokio::time::timeout(HEAD_POLL / 2, head.wait_for(|head| *head >= last)).await;
        assert!(heard.is_ok(), "nobody told of position {last} within {:?}", HEAD_POLL / 2);
    }
}
