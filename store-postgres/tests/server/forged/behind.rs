//! The functions that write behind others, called with arrays of one's own making.

use super::{NEXT, Next, log_and_role, none_is_written, writes};
use crate::place::refusal;

/// Both look where the log ends themselves; the second one says to the session what the first one wants to be said.
const FUNCTIONS: [&str; 2] = ["append_in_turn", "append_behind"];

/// The same arrays, for each of them.
fn behind(next: &Next) -> [String; 2] {
    FUNCTIONS.map(|function| next.call(function, ", true"))
}

/// A commit on a stream that exists and on one that begins with its second event.
pub(super) const TWO: Next = Next {
    begun: "{2}",
    names: "{order-2}",
    streams: "{1,-2}",
    versions: "{3,1}",
    types: "{1,1}",
    indexes: "{0,1}",
    sizes: "{2,2}",
    events: 2,
    ..NEXT
};

/// A stream that begins with the one event.
const BEGINS: Next = Next { begun: "{1}", names: "{order-9}", streams: "{-1}", versions: "{1}", ..NEXT };

/// Control: without the call of `check_written` in `0014_append_in_turn.sql`, 16 of these are written.
#[tokio::test]
async fn whoever_writes_behind_others_can_make_up_no_row() {
    let Some((_place, _owner, _name, mut raw)) = log_and_role().await else { return };
    // To the first one it must have been said.
    assert!(refusal(&mut raw, &behind(&NEXT)[0]).await.contains("added by the append functions only"));
    sqlx::raw_sql("SET annals.appending = 'on'").execute(&mut raw).await.unwrap();
    for next in [NEXT, Next { head: 1, ..NEXT }, Next { head: -9, ..NEXT }, TWO, BEGINS] {
        for sql in behind(&next) {
            assert_eq!(writes(&mut raw, &sql).await, Ok(true), "{sql}");
        }
    }
    let forged = [
        Next { head: 4, ..NEXT },
        Next { versions: "{0}", ..NEXT },
        Next { versions: "{2}", ..NEXT },
        Next { versions: "{4}", ..NEXT },
        Next { versions: "{NULL}", ..NEXT },
        Next { streams: "{2}", versions: "{1}", ..NEXT },
        Next { streams: "{4}", versions: "{1}", ..NEXT },
        Next { streams: "{9}", versions: "{2}", ..NEXT },
        Next { streams: "{-1}", versions: "{1}", ..NEXT },
        Next { streams: "{0}", versions: "{1}", ..NEXT },
        Next { types: "{99}", ..NEXT },
        Next { types: "{2}", ..NEXT },
        Next { indexes: "{1}", ..NEXT },
        Next { sizes: "{2}", ..NEXT },
        Next { versions: "{3}", ..TWO },
        Next { indexes: "{0,0}", ..TWO },
        Next { streams: "{1,-1}", ..TWO },
        Next { streams: "{1,-3}", ..TWO },
        Next { versions: "{3,2}", ..TWO },
        Next { begun: "{1}", ..TWO },
        Next { begun: "{}", names: "{}", ..TWO },
        Next { begun: "{-3}", ..BEGINS },
        Next { begun: "{7}", ..BEGINS },
        Next { names: "{stock-9}", ..BEGINS },
        Next { names: "{order}", ..BEGINS },
        Next { names: "{order-1}", ..BEGINS },
        Next { versions: "{2}", ..BEGINS },
    ];
    none_is_written(&mut raw, forged.iter().flat_map(behind)).await;
}

/// Everybody waits for what is done in one's turn, so the streams are looked at before it.
///
/// Control: with the function of `0013_append_in_turn.sql`, which looks at them in its turn, that look waits too.
#[tokio::test]
async fn whoever_writes_behind_others_looks_at_its_streams_before_its_turn() {
    let Some((place, _owner, _name, mut raw)) = log_and_role().await else { return };
    let _holder = place.holding_the_log().await;
    sqlx::raw_sql("SET annals.appending = 'on'; SET lock_timeout = 50").execute(&mut raw).await.unwrap();
    for sql in behind(&Next { versions: "{9}", ..NEXT }) {
        assert_eq!(writes(&mut raw, &sql).await, Ok(false), "{sql}");
    }
    for sql in behind(&NEXT) {
        assert!(refusal(&mut raw, &sql).await.contains("lock timeout"), "{sql}");
    }
}
