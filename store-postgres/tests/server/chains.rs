//! Commits that build on each other share one transaction.

use crate::place::{Place, at, number, to};
use annals::{Commit, EventStore, Expected};

const LINKS: u64 = 64;

/// All events of one statement are recorded at one time.
///
/// Controls: with `false` for `w_commit[w_first] < 0 AND NOT written` in `0010_append_checked.sql` the suite of all
/// stores finds links written behind a broken one; without `append_chain` in `store.rs` each link is an append of its
/// own, and there are 64 times.
#[tokio::test]
async fn a_chain_is_written_by_one_statement() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    let chain = |name: &str, from: u64| -> Vec<Commit> {
        (from..from + LINKS).map(|version| to(name, at(version), 1)).collect()
    };
    let times = "SELECT count(DISTINCT recorded_at) FROM log";
    // Along the short way, and along the long one, which a second writer forces.
    for (round, name) in [(1, "order-1"), (2, "order-2")] {
        let answers = store.append_chain(chain(name, 0)).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count() as u64, LINKS);
        assert_eq!(number(&mut place.raw().await, times).await, round * 2 - 1);
        place.store().await.append(to("other-1", Expected::Any, 1)).await.unwrap();
    }
}
