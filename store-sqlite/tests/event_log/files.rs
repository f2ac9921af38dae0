//! What the store refuses to open, and what closing leaves.

use crate::shop::{Shop, stream, to};
use annals::{EventStore, Expected, PageLimit, VersionRange};
use annals_sqlite::{FileError, SqliteOptions, SqliteStore};
use rusqlite::Connection;
use std::{fs, sync::Arc};

fn refusal(shop: &Shop) -> String {
    SqliteStore::open(&SqliteOptions::new(shop.path())).unwrap_err().to_string()
}

#[test]
fn a_file_that_is_no_log_is_left_as_it_is() {
    let shop = Shop::new();
    fs::write(shop.path(), "invoice,sku\n".repeat(1_000)).unwrap();
    let before = fs::read(shop.path()).unwrap();
    assert!(refusal(&shop).contains("shop.db holds no event log of annals: it is not a SQLite database"));
    assert_eq!(fs::read(shop.path()).unwrap(), before);

    fs::remove_file(shop.path()).unwrap();
    Connection::open(shop.path()).unwrap().execute_batch("CREATE TABLE log(a)").unwrap();
    let before = fs::read(shop.path()).unwrap();
    assert!(
        refusal(&shop).contains("it is another SQLite database; it was left as it is, name another file")
    );
    assert_eq!(fs::read(shop.path()).unwrap(), before);
}

#[test]
fn a_log_of_a_newer_program_is_refused() {
    let shop = Shop::new();
    drop(shop.store());
    shop.raw().pragma_update(None, "user_version", 99).unwrap();
    let error = SqliteStore::open(&SqliteOptions::new(shop.path())).unwrap_err();
    assert!(matches!(error, FileError::Newer { version: 99, .. }), "{error}");
    assert!(error.to_string().contains("update the program"));
}

#[tokio::test]
async fn dropping_the_store_carries_out_what_waits() {
    let shop = Shop::new();
    let store = Arc::new(shop.store());
    // Polled once, so that it is in line, and then dropped.
    let waiting =
        tokio::time::timeout(std::time::Duration::ZERO, store.append(to("order-1", Expected::NEW, 3)));
    let _ = waiting.await;
    drop(store);
    assert!(!shop.path().with_extension("db-wal").exists(), "the last one to close leaves one file");
    let events = shop.store().read(&stream("order-1"), VersionRange::ALL, PageLimit::DEFAULT).await.unwrap();
    assert_eq!(events.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_appends_share_a_transaction() {
    let shop = Shop::new();
    let store = Arc::new(shop.store());
    let mut tasks = vec![];
    for writer in 0..64 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..20 {
                store.append(to(&format!("order-{writer}"), Expected::Any, 1)).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    // All rows of one batch have one time.
    let batches: i64 =
        shop.raw().query_row("SELECT count(DISTINCT recorded_at) FROM log", [], |row| row.get(0)).unwrap();
    assert!(batches < 64 * 20 / 4, "{batches} transactions for {} appends", 64 * 20);
}
