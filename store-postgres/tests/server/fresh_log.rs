//! A log that was just filled, of which the server knows nothing yet.

use crate::place::{Place, number, to};
use annals::{EventStore, Expected, LogFilter, PageLimit, Position};
use sqlx::AssertSqlSafe;
use std::time::{Duration, Instant};

const COMMITS: u64 = 40;
const EVENTS_A_COMMIT: usize = 500;
const PAGES: u64 = 10;

/// How long the server may take to add up what a session did that has ended.
const COUNTED_WITHIN: Duration = Duration::from_secs(20);

/// Broken on purpose: with `Server::of` in place of `Server::of_log` the server reads and sorts all that lies behind a
/// page, for each page: 195 550 rows for these ten.
#[tokio::test]
async fn a_page_of_a_log_that_was_just_filled_reads_what_is_in_it() {
    let Some(place) = Place::new() else { return };
    let store = place.store().await;
    let mut raw = place.raw().await;
    // Nobody looks at the tables meanwhile.
    for table in ["log", "streams"] {
        let off = format!("ALTER TABLE {}.{table} SET (autovacuum_enabled = off)", place.schema);
        sqlx::raw_sql(AssertSqlSafe(off)).execute(&mut raw).await.unwrap();
    }
    for commit in 0..COMMITS {
        let name = format!("order-{commit}");
        store.append(to(&name, Expected::NEW, EVENTS_A_COMMIT)).await.unwrap();
    }
    let (limit, mut at) = (PageLimit::new(100).unwrap(), Position::START);
    for _ in 0..PAGES {
        let page = store.read_log(at, limit, &LogFilter::all()).await.unwrap();
        assert_eq!(page.events.len(), limit.get());
        at = page.looked;
    }
    // What a session did is added up when it ends.
    drop(store);
    place.cut().await;
    let (least, began) = ((PAGES * limit.get() as u64) as i64, Instant::now());
    let most = least + 10 * COMMITS as i64;
    let counted = "SELECT idx_tup_fetch::bigint FROM pg_stat_user_tables WHERE relid = 'log'::regclass";
    let rows = loop {
        let rows = number(&mut place.raw().await, counted).await;
        if rows >= least || began.elapsed() > COUNTED_WITHIN {
            break rows;
        }
    };
    assert!((least..=most).contains(&rows), "{rows} rows were read for {PAGES} pages");
}
