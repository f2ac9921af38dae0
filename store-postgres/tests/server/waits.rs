//! How long the server lets us take over anything, directly and behind a pooler, where nothing can be said when a
//! session begins.

use crate::{
    place::{Place, to},
    pooled::Pooled,
};
use annals::{AppendError, EventStore, Expected, error_text};
use annals_postgres::{LOCK_WAIT_MAX, PostgresDocuments, PostgresOptions, PostgresStore};
use std::time::{Duration, Instant};

/// The ways to one schema.
fn ways(test: &str) -> Option<(Pooled, [PostgresOptions; 2])> {
    if let Some(reason) = Pooled::missing() {
        annals::testing::skip(test, &reason);
        return None;
    }
    let pooled = Pooled::new();
    let ways = [pooled.place.options(), pooled.url().parse().unwrap()];
    Some((pooled, ways))
}

/// Read back in a transaction of ours.
///
/// Control: with `say` for `begin` in `Session::rows`, behind the pooler they are all 0: for ever.
#[tokio::test]
async fn statements_locks_and_transactions_have_a_limit_on_each_way() {
    let Some((_pooled, ways)) = ways("limits on each way") else { return };
    for way in ways {
        let log = PostgresStore::open(&way).await.unwrap().settings().await.unwrap();
        let views = PostgresDocuments::open(&way).await.unwrap().settings().await.unwrap();
        for settings in [log, views] {
            let waits = (settings.statement_timeout, settings.lock_timeout);
            assert_eq!(waits, ("1min".into(), "10s".into()), "{:?}", settings.pooler);
            assert_eq!(settings.idle_in_transaction_session_timeout, "10s", "{:?}", settings.pooler);
        }
    }
}

/// Somebody holds the lock of the log and goes away for long: appends are told so, for now.
///
/// Control: as above; behind the pooler the append is answered when the network is given up, after more than a minute.
#[tokio::test]
async fn a_lock_is_not_waited_for_longer_than_the_limit_on_each_way() {
    let Some((pooled, ways)) = ways("the wait for a lock on each way") else { return };
    let mut stores = vec![];
    for way in &ways {
        stores.push(PostgresStore::open(way).await.unwrap());
    }
    stores[0].append(to("order-1", Expected::NEW, 1)).await.unwrap();
    let mut holder = pooled.place.holding_the_log().await;
    let began = Instant::now();
    let appends = stores.iter().map(|store| store.append(to("order-1", Expected::Any, 1)));
    for refused in futures_of(appends).await {
        let Err(AppendError::Store(error)) = &refused else { panic!("{refused:?}") };
        assert!(error.is_transient() && error_text(error).contains("somebody holds a lock"), "{error:?}");
    }
    assert!(began.elapsed() < 2 * LOCK_WAIT_MAX, "{:?}", began.elapsed());
    sqlx::raw_sql("SELECT pg_advisory_unlock_all()").execute(&mut holder).await.unwrap();
    for store in &stores {
        store.append(to("order-1", Expected::Any, 1)).await.unwrap();
    }
}

/// Another process makes the tables, and takes longer than anything else may: it is waited for.
///
/// Control: without `SET LOCAL` in `migrate.rs`, opening fails as the lock is held for too long.
#[tokio::test]
async fn tables_that_take_long_to_make_are_waited_for() {
    let Some(place) = Place::new() else { return };
    let lock =
        include_str!("../../src/open/schema_lock.sql").replace("{schema}", &format!("\"{}\"", place.schema));
    let longer = LOCK_WAIT_MAX + Duration::from_secs(1);
    // The server counts the time, with the lock in hand before we ask for it.
    let mut maker = place.raw().await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("BEGIN; {lock}"))).execute(&mut maker).await.unwrap();
    let made = tokio::spawn(async move {
        let make = format!("SELECT pg_sleep({}); COMMIT", longer.as_secs());
        sqlx::raw_sql(sqlx::AssertSqlSafe(make)).execute(&mut maker).await.unwrap();
    });
    place.open().await.unwrap();
    made.await.unwrap();
}

/// All at once.
async fn futures_of<T>(both: impl IntoIterator<Item = impl Future<Output = T>>) -> [T; 2] {
    let mut both = both.into_iter();
    let (first, second) = (both.next().unwrap(), both.next().unwrap());
    let (first, second) = tokio::join!(first, second);
    [first, second]
}
