//! Which files are taken.

use super::*;
use annals_sqlite::FileError;
use std::{collections::BTreeSet, fs, sync::Barrier, thread};

#[test]
fn ten_instances_that_open_a_new_file_at_once_agree() {
    let file = File::new();
    let start = Barrier::new(10);
    let open = || {
        start.wait();
        let store = file.open();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let subscriber = runtime.block_on(store.open("orders", 1)).unwrap();
        subscriber.to_string()
    };
    let opened: BTreeSet<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..10).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(opened, BTreeSet::from(["orders/1".to_string()]));
}

#[tokio::test]
async fn a_file_that_a_newer_program_wrote_is_refused() {
    let file = File::new();
    drop(file.open());
    file.raw().pragma_update(None, "user_version", 1_000).unwrap();
    let refused = SqliteDocuments::open(file.path()).err().unwrap();
    assert!(matches!(refused, FileError::Newer { version: 1_000, .. }), "{refused}");
}

#[test]
fn a_file_that_holds_something_else_is_refused_and_left_as_it_is() {
    let file = File::new();
    file.raw().execute_batch("CREATE TABLE accounts (id INTEGER)").unwrap();
    let before = fs::read(file.path()).unwrap();
    let refused = SqliteDocuments::open(file.path()).err().unwrap();
    assert!(matches!(refused, FileError::Foreign { .. }), "{refused}");
    assert_eq!(fs::read(file.path()).unwrap(), before);
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let file = File::new();
    let first = file.open();
    let lease = held(&first, "orders").await;
    first.commit(&step(&lease, 0, 3), puts([("a", "1")])).await.unwrap();
    first.report(&lease.subscriber, Some("no \"luck\"")).await.unwrap();
    drop(first);

    let again = file.open();
    assert_eq!(keys(&again, &lease.subscriber).await, ["a"]);
    let info = again.subscribers().await.unwrap().remove(0);
    assert_eq!((info.checkpoint.get(), info.holder.as_deref()), (3, Some("us")));
    assert_eq!(info.failure.unwrap().0, "no \"luck\"");
    again.report(&lease.subscriber, None).await.unwrap();
    assert!(again.subscribers().await.unwrap()[0].failure.is_none());
}
